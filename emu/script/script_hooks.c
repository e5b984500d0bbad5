/* emu/script/script_hooks.c: functions of a script that are called when something happens.
 *
 * Each event has a list of functions in Lua's registry. The observer asks the machine only for what has a function: a script without a
 * walk hook costs the walks nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/debug/notebook.h"
#include "emu/loader.h"
#include "emu/report.h"
#include "emu/script/script_private.h"

const char *const hook_names[HOOKS] = { "fault", "interrupt", "walk", "break", "stop" };

void script_fail(struct script *s, const char *why)
{
	if (!s->failure)
		s->failure = strdup(why);
	debugger_say(s->d, "%s", why);
	if (s->running)
		debugger_request_stop(s->d, STOP_SCRIPT, why);
}

/* Calls the functions of an event with the table on the stack, which it takes. True: one returned true. */
static bool call(struct script *s, enum hook hook)
{
	lua_State *lua = s->lua;
	int argument = lua_gettop(lua);
	bool stop = false;
	char err[ERROR_LINE];
	bool was = s->in_hook;

	s->in_hook = true;
	s->running = hook <= HOOK_WALK;
	if (s->d->notes)
		s->d->notes->only_look = true;
	lua_getfield(lua, LUA_REGISTRYINDEX, hook_names[hook]);
	for (unsigned i = 1; i <= s->hooks[hook]; i++) {
		lua_rawgeti(lua, argument + 1, i);
		lua_pushvalue(lua, argument);
		if (!was)
			s->executed = 0;
		if (sandbox_call(s, 1, 1, err)) {
			script_fail(s, err);
			break;
		}
		stop |= lua_toboolean(lua, -1);
		lua_pop(lua, 1);
	}
	lua_settop(lua, argument - 1);
	if (stop && s->running)
		debugger_request_stop(s->d, STOP_SCRIPT, "a script's hook asked to stop");
	s->in_hook = was;
	s->running = false;
	if (s->d->notes)
		s->d->notes->only_look = was;
	return stop;
}

static void set_number(lua_State *lua, const char *key, uint64_t value)
{
	lua_pushinteger(lua, (lua_Integer)value);
	lua_setfield(lua, -2, key);
}

static void set_string(lua_State *lua, const char *key, const char *value)
{
	lua_pushstring(lua, value);
	lua_setfield(lua, -2, key);
}

static void set_flag(lua_State *lua, const char *key, bool value)
{
	lua_pushboolean(lua, value);
	lua_setfield(lua, -2, key);
}

/* The argument of a hook is made in protected mode: memory may be at its limit. fill gets what it needs through a light pointer. */
static bool make(struct script *s, lua_CFunction fill, const void *what)
{
	char err[ERROR_LINE];

	lua_pushcfunction(s->lua, fill);
	lua_pushlightuserdata(s->lua, (void *)what);
	if (!sandbox_call(s, 1, 1, err))
		return true;
	script_fail(s, err);
	return false;
}

static void fill_walk(lua_State *lua, const struct walk *w)
{
	lua_createtable(lua, 0, 8);
	set_number(lua, "la", w->access.la);
	set_string(lua, "access", access_kind_name(w->access.kind));
	set_flag(lua, "user", w->access.user);
	set_string(lua, "result", walk_result_name(w->result));
	set_flag(lua, "ok", w->result == WALK_OK);
	if (w->result == WALK_OK)
		set_number(lua, "pa", w->pa);
	else
		set_number(lua, "error", w->pf_code);
	lua_createtable(lua, (int)w->levels, 0);
	for (unsigned i = 0; i < w->levels; i++) {
		lua_createtable(lua, 0, 3);
		set_string(lua, "name", w->step[i].name);
		set_number(lua, "address", w->step[i].addr);
		set_number(lua, "value", w->step[i].value);
		lua_rawseti(lua, -2, (int)i + 1);
	}
	lua_setfield(lua, -2, "levels");
}

static int walk_argument(lua_State *lua)
{
	fill_walk(lua, lua_touserdata(lua, 1));
	set_number(lua, "icount", cpu_icount(&script_of(lua)->d->m->cpu));
	return 1;
}

static int fault_argument(lua_State *lua)
{
	const struct fault_record *r = lua_touserdata(lua, 1);

	lua_createtable(lua, 0, 12);
	set_number(lua, "icount", r->icount);
	set_number(lua, "vector", r->fault.vector);
	set_string(lua, "name", vector_short_name(r->fault.vector));
	if (r->fault.has_error)
		set_number(lua, "error", r->fault.error);
	if (r->fault.vector == VEC_PF && !r->external) {
		set_number(lua, "cr2", r->fault.cr2);
		fill_walk(lua, &r->walk);
		lua_setfield(lua, -2, "walk");
	}
	set_number(lua, "cs", r->cs);
	set_number(lua, "eip", r->eip);
	set_number(lua, "esp", r->esp);
	set_number(lua, "cr3", r->cr3);
	set_flag(lua, "user", (r->cs & 3) == 3);
	return 1;
}

static int stop_argument(lua_State *lua)
{
	const struct stop *st = lua_touserdata(lua, 1);

	lua_createtable(lua, 0, 6);
	set_string(lua, "kind", stop_kind_name(st->kind));
	set_string(lua, "text", st->text);
	set_number(lua, "icount", st->at.icount);
	if (st->kind == STOP_BREAK)
		set_number(lua, "breakpoint", st->breakpoint);
	return 1;
}

static bool on_exception(void *owner, struct machine *m, const struct fault_record *r)
{
	struct script *s = owner;

	(void)m;
	if (make(s, fault_argument, r))
		call(s, HOOK_FAULT);
	return false;
}

static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	struct script *s = owner;

	(void)m;
	if (r->external && make(s, fault_argument, r))
		call(s, HOOK_INTERRUPT);
}

static void on_walk(void *owner, struct machine *m, const struct walk *w)
{
	struct script *s = owner;

	(void)m;
	if (make(s, walk_argument, w))
		call(s, HOOK_WALK);
}

static void on_stop(void *owner, const struct stop *stop)
{
	struct script *s = owner;

	if (s->in_hook)
		return;
	if (stop->kind == STOP_BREAK && s->hooks[HOOK_BREAK] && make(s, stop_argument, stop))
		call(s, HOOK_BREAK);
	if (s->hooks[HOOK_STOP] && make(s, stop_argument, stop))
		call(s, HOOK_STOP);
}

/* Between runs: the machine hears which callbacks there are when the observer joins. */
static void observe(struct script *s)
{
	if (s->observing)
		machine_unobserve(s->d->m, &s->observer);
	s->observer = (struct observer){ .name = "script", .owner = s,
		.exception = s->hooks[HOOK_FAULT] ? on_exception : NULL, .delivered = s->hooks[HOOK_INTERRUPT] ? on_delivered : NULL,
		.walked = s->hooks[HOOK_WALK] ? on_walk : NULL };
	s->observing = s->observer.exception || s->observer.delivered || s->observer.walked;
	if (s->observing)
		machine_observe(s->d->m, &s->observer);
}

int hooks_on(lua_State *lua)
{
	struct script *s = script_of(lua);
	int hook = luaL_checkoption(lua, 1, NULL, (const char *const[]){ "fault", "interrupt", "walk", "break", "stop", NULL });

	luaL_checktype(lua, 2, LUA_TFUNCTION);
	if (s->in_hook)
		return luaL_error(lua, "emu.on is not for hooks");
	if (lua_getfield(lua, LUA_REGISTRYINDEX, hook_names[hook]) != LUA_TTABLE) {
		lua_pop(lua, 1);
		lua_newtable(lua);
		lua_pushvalue(lua, -1);
		lua_setfield(lua, LUA_REGISTRYINDEX, hook_names[hook]);
	}
	lua_pushvalue(lua, 2);
	lua_rawseti(lua, -2, (lua_Integer)s->hooks[hook] + 1);
	s->hooks[hook]++;
	observe(s);
	return 0;
}

void hooks_open(struct script *s)
{
	s->face = (struct face){ .name = "script", .owner = s, .stopped = on_stop };
	debugger_attach(s->d, &s->face);
}

void hooks_close(struct script *s)
{
	if (s->observing)
		machine_unobserve(s->d->m, &s->observer);
	debugger_detach(s->d, &s->face);
}
