/* emu/script/script_api.c: the table `emu` that a script sees, and print. Numbers are Lua's integers; addresses are linear unless said. */
#include <string.h>

#include "emu/monitor/command.h"
#include "emu/debug/expr.h"
#include "emu/debug/notebook.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/view/views.h"
#include "emu/loader.h"
#include "emu/script/script_private.h"

#define BYTES_MOST (1u << 20)
#define JSON_DEEP  64

static int api_reg(lua_State *lua)
{
	uint64_t value;
	unsigned bits;
	const char *name = luaL_checkstring(lua, 1);

	if (!register_read(script_of(lua)->d, name, &value, &bits))
		return luaL_error(lua, "no register '%s'", name);
	lua_pushinteger(lua, (lua_Integer)value);
	return 1;
}

/* A number of 1, 2, 4 or 8 bytes; nil where nothing is mapped. */
static int number_at(lua_State *lua, bool physical)
{
	const struct debugger *d = script_of(lua)->d;
	lua_Integer at = luaL_checkinteger(lua, 1), size = luaL_optinteger(lua, 2, 4);
	uint8_t b[8] = { 0 };
	uint64_t v = 0;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return luaL_error(lua, "a size is 1, 2, 4 or 8");
	size_t n = physical ? debugger_read_physical(d, (paddr_t)at, b, (size_t)size) : debugger_read_linear(d, (uint32_t)at, b, (size_t)size);
	if (n != (size_t)size) {
		lua_pushnil(lua);
		return 1;
	}
	for (size_t i = n; i--; )
		v = v << 8 | b[i];
	lua_pushinteger(lua, (lua_Integer)v);
	return 1;
}

static int api_read(lua_State *lua) { return number_at(lua, false); }
static int api_phys(lua_State *lua) { return number_at(lua, true); }

/* Bytes as a string, as many as are mapped. */
static int api_bytes(lua_State *lua)
{
	lua_Integer at = luaL_checkinteger(lua, 1), size = luaL_checkinteger(lua, 2);
	luaL_Buffer b;

	if (size < 0 || size > (lua_Integer)BYTES_MOST)
		return luaL_error(lua, "at most %d bytes", (int)BYTES_MOST);
	char *p = luaL_buffinitsize(lua, &b, (size_t)size);
	luaL_pushresultsize(&b, debugger_read_linear(script_of(lua)->d, (uint32_t)at, p, (size_t)size));
	return 1;
}

static int api_icount(lua_State *lua)
{
	lua_pushinteger(lua, (lua_Integer)cpu_icount(&script_of(lua)->d->m->cpu));
	return 1;
}

static int api_tick(lua_State *lua)
{
	lua_pushinteger(lua, (lua_Integer)machine_now(script_of(lua)->d->m));
	return 1;
}

static int api_eval(lua_State *lua)
{
	char err[ERROR_LINE];
	uint64_t value;

	if (expr_eval(script_of(lua)->d, luaL_checkstring(lua, 1), &value, err))
		return luaL_error(lua, "%s", err);
	lua_pushinteger(lua, (lua_Integer)value);
	return 1;
}

static int api_symbol(lua_State *lua)
{
	char name[256];

	lua_pushstring(lua, source_symbol(script_of(lua)->d, (uint32_t)luaL_checkinteger(lua, 1), name, sizeof(name)));
	return 1;
}

/* --- commands ---------------------------------------------------------------------------------------------------------------------- */

static void push_json(lua_State *lua, const json_t *j, unsigned depth)
{
	const char *key;
	json_t *value;
	size_t i;

	luaL_checkstack(lua, 4, "JSON too deep");
	if (depth > JSON_DEEP || json_is_null(j))
		lua_pushnil(lua);
	else if (json_is_object(j)) {
		lua_newtable(lua);
		json_object_foreach((json_t *)j, key, value) {
			push_json(lua, value, depth + 1);
			lua_setfield(lua, -2, key);
		}
	} else if (json_is_array(j)) {
		lua_newtable(lua);
		json_array_foreach((json_t *)j, i, value) {
			push_json(lua, value, depth + 1);
			lua_rawseti(lua, -2, (lua_Integer)i + 1);
		}
	} else if (json_is_string(j))
		lua_pushlstring(lua, json_string_value(j), json_string_length(j));
	else if (json_is_integer(j))
		lua_pushinteger(lua, json_integer_value(j));
	else if (json_is_real(j))
		lua_pushnumber(lua, json_real_value(j));
	else
		lua_pushboolean(lua, json_is_true(j));
}

/* The reply belongs to Lua while values are made from it, since making them may raise. */
static int free_reply(lua_State *lua)
{
	reply_free(lua_touserdata(lua, 1));
	return 0;
}

static struct reply *new_reply(lua_State *lua)
{
	struct reply *r = lua_newuserdatauv(lua, sizeof(*r), 0);

	*r = (struct reply){ .no_files = true };
	lua_newtable(lua);
	lua_pushcfunction(lua, free_reply);
	lua_setfield(lua, -2, "__gc");
	lua_setmetatable(lua, -2);
	return r;
}

static int command(lua_State *lua, bool json)
{
	struct script *s = script_of(lua);
	const char *line = luaL_checkstring(lua, 1);
	struct reply *r = new_reply(lua);

	r->want_json = json;
	command_execute(s->d, line, r);
	if (r->failed && json)
		return luaL_error(lua, "%s", json_string_value(json_object_get(r->json, "error")));
	const char *text = text_plain(&r->text);
	if (r->failed) {
		lua_pushlstring(lua, text, strcspn(text, "\n"));
		return lua_error(lua);
	}
	if (json)
		push_json(lua, r->json, 0);
	else
		lua_pushlstring(lua, text, r->text.size);
	return 1;
}

static int api_command(lua_State *lua) { return command(lua, false); }
static int api_query(lua_State *lua) { return command(lua, true); }

/* --- stopping and telling ------------------------------------------------------------------------------------------------------------ */

static int api_stop(lua_State *lua)
{
	struct script *s = script_of(lua);
	const char *why = luaL_optstring(lua, 1, "a script asked to stop");

	if (!s->running)
		return luaL_error(lua, "emu.stop is for hooks of what happens: the machine stands still");
	debugger_request_stop(s->d, STOP_SCRIPT, why);
	return 0;
}

static int api_fail(lua_State *lua)
{
	script_fail(script_of(lua), luaL_checkstring(lua, 1));
	return 0;
}

static int print(lua_State *lua)
{
	struct script *s = script_of(lua);
	int n = lua_gettop(lua);

	lua_pushliteral(lua, "");
	for (int i = 1; i <= n; i++) {
		lua_getglobal(lua, "tostring");
		lua_pushvalue(lua, i);
		lua_call(lua, 1, 1);
		if (!lua_isstring(lua, -1))
			return luaL_error(lua, "tostring gave no text");
		if (i > 1) {
			lua_pushliteral(lua, "\t");
			lua_insert(lua, -2);
			lua_concat(lua, 3);
		} else
			lua_concat(lua, 2);
	}
	const char *line = lua_tostring(lua, -1);
	if (s->out)
		text_add(s->out, "%s\n", line);
	else
		debugger_say(s->d, "%s", line);
	return 0;
}

void api_open(lua_State *lua)
{
	static const luaL_Reg functions[] = {
		{ "on", hooks_on }, { "reg", api_reg }, { "read", api_read }, { "phys", api_phys }, { "bytes", api_bytes }, { "icount", api_icount },
		{ "tick", api_tick }, { "eval", api_eval }, { "symbol", api_symbol }, { "command", api_command }, { "query", api_query },
		{ "stop", api_stop }, { "fail", api_fail }, { NULL, NULL },
	};

	luaL_newlib(lua, functions);
	lua_setglobal(lua, "emu");
	lua_register(lua, "print", print);
}
