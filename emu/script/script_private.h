/* emu/script/script_private.h: what script.c, script_api.c, script_hooks.c and script_sandbox.c share. */
#ifndef EMU_SCRIPT_SCRIPT_PRIVATE_H
#define EMU_SCRIPT_SCRIPT_PRIVATE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "emu/observer.h"
#include "emu/script/script.h"

#define SCRIPT_MEMORY       (64u << 20)        /* bytes */
#define SCRIPT_INSTRUCTIONS 100000000ull       /* of Lua, for one call from outside */
#define SCRIPT_SLICE        10000              /* of them between looks at limit and faces */

enum hook { HOOK_FAULT, HOOK_INTERRUPT, HOOK_WALK, HOOK_BREAK, HOOK_STOP, HOOKS };

struct script {
	struct debugger *d;
	lua_State *lua;
	size_t memory;
	uint64_t executed;             /* in the present call from outside */
	bool over;                     /* it is to end, whatever pcall it is in */
	bool in_hook;                  /* the machine may be looked at only */
	bool running;                  /* ... and runs */
	struct text *out;              /* where print goes; NULL: to the faces */
	unsigned hooks[HOOKS];         /* how many functions each event has */
	struct observer observer;
	bool observing;
	struct face face;
	char *failure;
};

extern const char *const hook_names[HOOKS];

/* The script that this state belongs to. */
struct script *script_of(lua_State *lua);

/* --- script_sandbox.c --- */
/* A state with the harmless libraries, and limits. NULL: out of memory. */
lua_State *sandbox_open(struct script *s);
/* Calls the function below its arguments, with the limits starting anew. 0, or -1 with one line in err; the stack is as before the function
 * was pushed, plus results. */
int sandbox_call(struct script *s, int arguments, int results, char *err);

/* --- script_api.c --- */
/* The table `emu`. */
void api_open(lua_State *lua);

/* --- script_hooks.c --- */
int hooks_on(lua_State *lua);          /* emu.on */
void hooks_open(struct script *s);
void hooks_close(struct script *s);
/* A script that failed in a hook, or by emu.fail(). */
void script_fail(struct script *s, const char *why);

#endif
