/* emu/script/script.c: see script.h. */
#include "emu/script/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu/loader.h"
#include "emu/script/script_private.h"

#define SOURCE_MOST (1u << 20)         /* bytes of a script */

static struct script *open_script(struct debugger *d, char *err)
{
	struct script *s = d->script;

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (s) {
		s->d = d;
		s->lua = sandbox_open(s);
	}
	if (!s || !s->lua) {
		free(s);
		snprintf(err, ERROR_LINE, "not enough memory for Lua");
		return NULL;
	}
	hooks_open(s);
	d->script = s;
	return s;
}

void script_close(struct debugger *d)
{
	struct script *s = d->script;

	if (!s)
		return;
	hooks_close(s);
	lua_close(s->lua);
	free(s->failure);
	free(s);
	d->script = NULL;
}

const char *script_failure(const struct debugger *d)
{
	return d->script ? d->script->failure : NULL;
}

/* Runs what was compiled; every result is printed. */
static int run(struct script *s, struct text *out, char *err)
{
	int top = lua_gettop(s->lua) - 1;
	struct text *was = s->out;

	if (!was && !s->in_hook)
		s->executed = 0;
	s->out = out;
	int r = sandbox_call(s, 0, LUA_MULTRET, err);
	int results = r ? 0 : lua_gettop(s->lua) - top;
	if (results) {
		lua_getglobal(s->lua, "print");
		lua_insert(s->lua, top + 1);
		r = sandbox_call(s, results, 0, err);
	}
	s->out = was;
	lua_settop(s->lua, top);
	return r;
}

/* Source text only: bytecode could do anything to the host. */
static int compile(struct script *s, const char *code, size_t size, const char *name, char *err)
{
	if (!luaL_loadbufferx(s->lua, code, size, name, "t"))
		return 0;
	const char *what = lua_tostring(s->lua, -1);
	snprintf(err, ERROR_LINE, "%s", what ? what : "?");
	err[strcspn(err, "\n")] = 0;
	lua_pop(s->lua, 1);
	return -1;
}

int script_eval(struct debugger *d, const char *code, struct text *out, char *err)
{
	struct script *s = open_script(d, err);
	char expression[4200];

	if (!s)
		return -1;
	/* As Lua's own prompt has it: an expression first, then a statement. */
	snprintf(expression, sizeof(expression), "return %s", code);
	if (compile(s, expression, strlen(expression), "=lua", err) && compile(s, code, strlen(code), "=lua", err))
		return -1;
	return run(s, out, err);
}

static char *read_file(const char *path, size_t *size, char *err)
{
	FILE *in = fopen(path, "re");
	char *code = in ? malloc(SOURCE_MOST + 1) : NULL;

	*size = code ? fread(code, 1, SOURCE_MOST + 1, in) : 0;
	if (code && !ferror(in) && *size <= SOURCE_MOST) {
		fclose(in);
		return code;
	}
	if (!in || !code || ferror(in))
		snprintf(err, ERROR_LINE, "cannot read the script '%s': %s", path, strerror(errno));
	else
		snprintf(err, ERROR_LINE, "the script '%s' has more than %u bytes", path, SOURCE_MOST);
	free(code);
	if (in)
		fclose(in);
	return NULL;
}

int script_load(struct debugger *d, const char *path, struct text *out, char *err)
{
	struct script *s = open_script(d, err);
	size_t size;
	char *code = s ? read_file(path, &size, err) : NULL;
	char name[512];

	if (!code)
		return -1;
	snprintf(name, sizeof(name), "@%s", path);
	int r = compile(s, code, size, name, err);
	free(code);
	return r ? r : run(s, out, err);
}
