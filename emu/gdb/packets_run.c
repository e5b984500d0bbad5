/* emu/gdb/packets_run.c: packets that run the guest, forwards and backwards, and those that say where it shall stop.
 * References: [GDB E.2 "Packets"], vCont, bc, bs, z and Z; [GDB E.3 "Stop Reply Packets"]. */
#include "emu/gdb/packets.h"

#include <errno.h>
#include <string.h>

static void go(struct gdb *g, enum go how)
{
	stop_reply(g, debugger_go(g->d, how, 1, 0));
}

static void packet_why(struct gdb *g, char *args, char *end)
{
	(void)args, (void)end;
	stop_reply(g, &(struct stop){ .kind = STOP_STEP });
}

/* c and s may name an address to go on at; C and S a signal first. A PC has no signals. */
static bool resume_at(struct gdb *g, char *args)
{
	char err[ERROR_LINE];
	uint64_t la;

	if (!*args)
		return true;
	if (take_hex(&args, &la) && !*args)
		return !debugger_write_register(g->d, "eip", (uint32_t)la - g->d->m->cpu.seg[SEG_CS].base, err);
	return false;
}

static char *after_signal(char *args)
{
	char *semicolon = strchr(args, ';');

	return semicolon ? semicolon + 1 : args + strlen(args);
}

static void resume(struct gdb *g, char *address, enum go how)
{
	if (resume_at(g, address))
		go(g, how);
	else
		answer_error(g, EINVAL);
}

static void packet_c(struct gdb *g, char *args, char *end) { (void)end; resume(g, args, GO_CONTINUE); }
static void packet_s(struct gdb *g, char *args, char *end) { (void)end; resume(g, args, GO_STEP); }
static void packet_C(struct gdb *g, char *args, char *end) { (void)end; resume(g, after_signal(args), GO_CONTINUE); }
static void packet_S(struct gdb *g, char *args, char *end) { (void)end; resume(g, after_signal(args), GO_STEP); }
static void packet_bc(struct gdb *g, char *args, char *end) { (void)args, (void)end; go(g, GO_BACK_CONTINUE); }
static void packet_bs(struct gdb *g, char *args, char *end) { (void)args, (void)end; go(g, GO_BACK_STEP); }

/* --- vCont ---------------------------------------------------------------------------------------------------------- */

/* Steps while the linear PC stays in [first, last). */
static void range_step(struct gdb *g, uint64_t first, uint64_t last)
{
	const struct stop *s;

	do {
		s = debugger_go(g->d, GO_STEP, 1, 0);
		if (peer_asks(g)) {
			stop_reply(g, &(struct stop){ .kind = STOP_INTERRUPTED });
			return;
		}
	} while (s->kind == STOP_STEP && debugger_pc(g->d) >= first && debugger_pc(g->d) < last);
	stop_reply(g, s);
}

static void packet_vcont_query(struct gdb *g, char *args, char *end)
{
	(void)args, (void)end;
	answer(g, "vCont;c;C;s;S;t;r");
}

/* There is one processor: its first action counts. */
static void packet_vcont(struct gdb *g, char *args, char *end)
{
	uint64_t first, last;

	(void)end;
	switch (*args) {
	case 'c': case 'C':
		go(g, GO_CONTINUE);
		return;
	case 's': case 'S':
		go(g, GO_STEP);
		return;
	case 't':
		stop_reply(g, &(struct stop){ .kind = STOP_INTERRUPTED });
		return;
	case 'r':
		args++;
		if (take_hex(&args, &first) && take_char(&args, ',') && take_hex(&args, &last)) {
			range_step(g, first, last);
			return;
		}
	}
	answer_error(g, EINVAL);
}

/* --- breakpoints ---------------------------------------------------------------------------------------------------- */

struct place { int type; uint32_t address, kind; };

static bool take_place(char *args, struct place *p)
{
	uint64_t address, kind;

	if (*args < '0' || *args > '4')
		return false;
	p->type = *args++ - '0';
	if (!take_char(&args, ',') || !take_hex(&args, &address) || !take_char(&args, ',') || !take_hex(&args, &kind))
		return false;
	if (address > UINT32_MAX || kind > UINT32_MAX || (*args && *args != ';'))
		return false;
	p->address = (uint32_t)address;
	p->kind = (uint32_t)kind;
	return true;
}

static struct gdb_break *find_break(struct gdb *g, const struct place *p)
{
	for (unsigned i = 0; i < g->breaks; i++) {
		struct gdb_break *b = &g->brk[i];
		if (b->type == p->type && b->address == p->address && b->kind == p->kind)
			return b;
	}
	return NULL;
}

static void packet_Z(struct gdb *g, char *args, char *end)
{
	static const enum break_kind kind[] = { BREAK_EXECUTE, BREAK_EXECUTE, BREAK_WRITE, BREAK_READ, BREAK_ACCESS };
	char err[ERROR_LINE];
	struct place p;

	(void)end;
	if (!take_place(args, &p)) {
		answer_error(g, EINVAL);
		return;
	}
	if (find_break(g, &p)) {
		answer_ok(g);
		return;
	}
	if (g->breaks == GDB_BREAKS) {
		answer_error(g, ENOSPC);
		return;
	}
	struct breakpoint b = {
		.kind = kind[p.type], .space = g->physical ? SPACE_PHYSICAL : SPACE_LINEAR, .address = p.address,
		.length = p.type >= 2 && p.kind ? p.kind : 1, .vector = -1, .enabled = true, .silent = true,
	};
	int id = debugger_break_add(g->d, &b, err);
	if (id < 0) {
		answer_error(g, EINVAL);
		return;
	}
	g->brk[g->breaks++] = (struct gdb_break){ p.type, p.address, p.kind, id };
	answer_ok(g);
}

static void packet_z(struct gdb *g, char *args, char *end)
{
	struct place p;

	(void)end;
	if (!take_place(args, &p)) {
		answer_error(g, EINVAL);
		return;
	}
	struct gdb_break *b = find_break(g, &p);
	if (b) {
		debugger_break_delete(g->d, (unsigned)b->id);
		*b = g->brk[--g->breaks];
	}
	answer_ok(g);
}

const struct packet run_packets[] = {
	{ "?", packet_why }, { "c", packet_c }, { "s", packet_s }, { "C", packet_C }, { "S", packet_S },
	{ "bc", packet_bc }, { "bs", packet_bs }, { "vCont?", packet_vcont_query }, { "vCont;", packet_vcont },
	{ "Z", packet_Z }, { "z", packet_z }, { 0 },
};
