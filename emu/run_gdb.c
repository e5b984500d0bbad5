/* emu/run_gdb.c: `emu run --gdb`: the machine runs, with its console where it always is, and gdb may come and stop it. */
#include "emu/run_gdb.h"

#include "emu/debug/debugger.h"
#include "emu/report.h"
#include "emu/gdb/gdb.h"
#include "emu/terminal.h"

struct gdb_run {
	struct session *s;
	struct debugger d;
	struct face face;
	bool (*ends)(void *owner);
	void *owner;
};

static bool ends(void *owner)
{
	struct gdb_run *g = owner;

	return g->ends(g->owner);
}

static bool on_poll(void *owner)
{
	struct gdb_run *g = owner;

	if (!history_in_past(g->d.h))
		session_pause(g->s);
	return ends(g);
}

/* While gdb holds the machine, the console's keys still work. */
static bool wants_end(void *owner)
{
	struct gdb_run *g = owner;

	console_wait(&g->s->console, 0);
	console_flush(&g->s->console);
	return ends(g);
}

int run_under_gdb(struct session *s, bool (*host_ends)(void *owner), void *owner, enum machine_stop *stop, char *err)
{
	struct gdb_run g = { .s = s, .ends = host_ends, .owner = owner };

	if (debugger_init(&g.d, s->machine, s->history, err))
		return -1;
	g.face = (struct face){ .name = "session", .owner = &g, .poll = on_poll };
	debugger_attach(&g.d, &g.face);
	struct gdb *link = gdb_listen(&g.d, s->options.gdb, err);
	if (link) {
		gdb_announce(link);
		gdb_main(link, !s->options.waits, true, wants_end, &g);
		*stop = history_ended(s->history);
		gdb_exited(link, ended_status(s->machine, *stop));
	}
	gdb_close(link);
	debugger_free(&g.d);
	return link ? 0 : -1;
}
