/* emu/script/script_sandbox.c: a Lua that cannot reach the host, nor stay for ever, nor say two things on two runs.
 *
 *   taken out    io os package debug coroutine; load dofile loadfile require next collectgarbage warn; xpcall, string.dump, __gc
 *   made tame    pairs goes in order of keys; tostring and string.format show no addresses; math.random begins with a fixed seed
 *   limits       memory by the allocator, instructions by a count hook, which also asks the faces whether somebody wants to stop
 *
 * Simplified: one call of a library function (a pattern match of many stars) is not interrupted inside.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/loader.h"
#include "emu/script/script_private.h"

/* What is easier said in Lua. Arguments: the raw next and tostring. */
static const char prelude[] =
	"local next, rawstring, format, sort, concat = next, tostring, string.format, table.sort, table.concat\n"
	"local plain = { number = 1, string = 2, boolean = 3 }\n"
	"local function before(a, b)\n"
	"  local ta, tb = plain[type(a)] or 4, plain[type(b)] or 4\n"
	"  if ta ~= tb then return ta < tb end\n"
	"  if ta == 3 then return a and not b end\n"
	"  return ta < 3 and a < b\n"
	"end\n"
	"function pairs(t)\n"
	"  local keys, n, i = {}, 0, 0\n"
	"  for k in next, t do n = n + 1; keys[n] = k end\n"
	"  sort(keys, before)\n"
	"  return function()\n"
	"    i = i + 1\n"
	"    while keys[i] ~= nil and t[keys[i]] == nil do i = i + 1 end\n"
	"    if keys[i] ~= nil then return keys[i], t[keys[i]] end\n"
	"  end\n"
	"end\n"
	"function tostring(v)\n"
	"  local kind = type(v)\n"
	"  if kind == 'table' or kind == 'function' or kind == 'userdata' or kind == 'thread' then return kind end\n"
	"  return rawstring(v)\n"
	"end\n"
	"local tame = tostring\n"
	"function string.format(f, ...)\n"
	"  if f:gsub('%%%%', ''):find('%%[^%a]*p') then error('%p shows addresses of the host', 2) end\n"
	"  local v = table.pack(...)\n"
	"  for i = 1, v.n do\n"
	"    local kind = type(v[i])\n"
	"    if kind == 'table' or kind == 'function' or kind == 'userdata' then v[i] = tame(v[i]) end\n"
	"  end\n"
	"  return format(f, table.unpack(v, 1, v.n))\n"
	"end\n"
	"local seed, set = math.randomseed, setmetatable\n"
	"seed(1)\n"
	"function math.randomseed(n) seed(math.tointeger(n) or error('math.randomseed wants a whole number', 2)) end\n"
	"function setmetatable(t, m)\n"
	"  if type(m) == 'table' and rawget(m, '__gc') ~= nil then error('__gc is not for scripts', 2) end\n"
	"  return set(t, m)\n"
	"end\n"
	"for _, name in ipairs { 'load', 'dofile', 'loadfile', 'require', 'next', 'collectgarbage', 'warn', 'xpcall' } do _G[name] = nil end\n"
	"string.dump = nil\n";

static void *allocate(void *owner, void *p, size_t old, size_t size)
{
	struct script *s = owner;

	if (!p)
		old = 0;                   /* it says the kind of object then */
	if (!size) {
		free(p);
		s->memory -= old;
		return NULL;
	}
	if (size > old && s->memory + (size - old) > SCRIPT_MEMORY)
		return NULL;
	void *q = realloc(p, size);
	if (q)
		s->memory += size - old;
	return q;
}

static bool somebody_stops(struct script *s)
{
	bool stop = false;

	for (struct face *f = s->d->faces; f; f = f->next)
		stop |= f != &s->face && f->poll && f->poll(f->owner);
	return stop;
}

static void on_count(lua_State *lua, lua_Debug *ar)
{
	struct script *s = script_of(lua);

	(void)ar;
	s->executed += SCRIPT_SLICE;
	if (s->executed > SCRIPT_INSTRUCTIONS) {
		s->over = true;
		luaL_error(lua, "stopped after %d million instructions of Lua", (int)(SCRIPT_INSTRUCTIONS / 1000000));
	}
	if (somebody_stops(s)) {
		s->over = true;
		luaL_error(lua, "interrupted");
	}
}

/* pcall, which does not hold up the end. */
static int protected_call(lua_State *lua)
{
	luaL_checkany(lua, 1);
	int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
	if (script_of(lua)->over)
		return lua_error(lua);
	lua_pushboolean(lua, status == LUA_OK);
	lua_insert(lua, 1);
	return lua_gettop(lua);
}

/* Runs protected: opening libraries allocates. */
static int open_libraries(lua_State *lua)
{
	static const luaL_Reg libraries[] = { { LUA_GNAME, luaopen_base }, { LUA_TABLIBNAME, luaopen_table }, { LUA_STRLIBNAME, luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math }, { LUA_UTF8LIBNAME, luaopen_utf8 }, { NULL, NULL } };

	for (const luaL_Reg *l = libraries; l->func; l++) {
		luaL_requiref(lua, l->name, l->func, 1);
		lua_pop(lua, 1);
	}
	lua_register(lua, "pcall", protected_call);
	if (luaL_loadbuffer(lua, prelude, sizeof(prelude) - 1, "=prelude"))
		return lua_error(lua);
	lua_call(lua, 0, 0);
	api_open(lua);
	return 0;
}

struct script *script_of(lua_State *lua)
{
	struct script *s;

	memcpy(&s, lua_getextraspace(lua), sizeof(s));
	return s;
}

lua_State *sandbox_open(struct script *s)
{
	lua_State *lua = lua_newstate(allocate, s);

	if (!lua)
		return NULL;
	memcpy(lua_getextraspace(lua), &s, sizeof(s));
	lua_pushcfunction(lua, open_libraries);
	if (lua_pcall(lua, 0, 0, 0)) {
		lua_close(lua);
		return NULL;
	}
	lua_sethook(lua, on_count, LUA_MASKCOUNT, SCRIPT_SLICE);
	return lua;
}

int sandbox_call(struct script *s, int arguments, int results, char *err)
{
	/* Within another call (a command that a script ran) the limits go on. */
	uint64_t before = s->executed;

	if (!s->in_hook && !s->out)
		before = 0;
	s->executed = before;
	int status = lua_pcall(s->lua, arguments, results, 0);
	if (!before)
		s->over = false;
	if (status == LUA_OK)
		return 0;
	const char *what = lua_tostring(s->lua, -1);
	snprintf(err, ERROR_LINE, "%s", what ? what : "the script raised something that is no text");
	err[strcspn(err, "\n")] = 0;
	lua_pop(s->lua, 1);
	return -1;
}
