/* emu/debug/last_write.c: who wrote these bytes, or this register, last before now.
 *
 * The pieces of the past are run again, from the latest back, with the page watched, or the writes of control registers heard; the last write in a
 * piece wins. A general register is compared before each instruction: first in the last thousand ticks, then in ever longer pieces.
 * The machine is then put where it was.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/debug/going.h"

struct writer {
	struct debugger *d;
	paddr_t pa;
	unsigned len;
	const char *name;              /* of a register */
	int kind;                      /* of struct register_write; -1: none of them */
	uint32_t number;
	uint64_t value, seen_tick;     /* a general register, when it was last looked at */
	bool seen;
	bool found;
	uint64_t tick;                 /* of the boundary before the write, or some boundaries earlier */
	struct phys_access access;
};

/* --- where the search leaves from, and comes back to ---------------------------------------------------------------------- */

struct origin { uint64_t tick, skip_tick, skip_exception_tick; bool live; struct stop stop; };

static struct origin leave(struct debugger *d)
{
	struct stop stop = d->stop;

	go_begin(d);
	struct origin o = { machine_now(d->m), d->going->skip_tick, d->going->skip_exception_tick, d->going->live, stop };
	d->going->live = true;                         /* the present is no news here */
	d->stop.kind = STOP_NONE;
	return o;
}

/* keep: d->stop says why the search ended early. */
static void come_back(struct debugger *d, const struct origin *o, bool keep)
{
	char err[ERROR_LINE];
	struct stop why = d->stop;

	if (go_failed(d, history_goto_tick(d->h, o->tick, NULL, err), err))
		return;
	d->going->skip_tick = o->skip_tick;
	d->going->skip_exception_tick = o->skip_exception_tick;
	d->going->live = o->live;
	d->stop = keep ? why : o->stop;
	if (keep)
		d->stop.at = o->stop.at;
}

/* --- searching -------------------------------------------------------------------------------------------------------------- */

static void nothing_noted(struct debugger *d, void *ctx)
{
	(void)d, (void)ctx;
}

static bool writer_found(struct debugger *d, void *ctx)
{
	struct writer *w = ctx;

	(void)d;
	w->seen = false;
	return w->found;
}

static void found_at(struct writer *w, uint64_t tick)
{
	w->found = true;
	w->tick = tick;
}

static void on_accessed(void *owner, struct machine *m, const struct phys_access *a)
{
	struct writer *w = owner;

	if (!a->write || a->pa >= w->pa + w->len || w->pa >= a->pa + a->len)
		return;
	w->access = *a;
	found_at(w, machine_now(m) - 1);
}

static void on_control(void *owner, struct machine *m, const struct register_write *r)
{
	struct writer *w = owner;

	if ((int)r->kind == w->kind && r->number == w->number)
		found_at(w, machine_now(m) - 1);
}

/* Page faults write CR2. */
static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	struct writer *w = owner;

	(void)m;
	if (r->fault.vector == VEC_PF && !r->external && w->kind == WROTE_CR && w->number == 2)
		found_at(w, machine_now(m));
}

static void on_instruction(void *owner, struct machine *m)
{
	struct writer *w = owner;
	uint64_t value;

	if (!register_read(w->d, w->name, &value, NULL))
		return;
	if (w->seen && value != w->value)
		found_at(w, w->seen_tick);
	w->seen = true;
	w->value = value;
	w->seen_tick = machine_now(m);
}

static bool search(struct debugger *d, struct writer *w, struct observer *o)
{
	machine_observe(d->m, o);
	int found = back_search_alone(d, &(struct search){ nothing_noted, writer_found, w, NEVER });
	machine_unobserve(d->m, o);
	return found > 0;
}

/* --- what happened there ------------------------------------------------------------------------------------------------------ */

static uint64_t read_bytes(const struct debugger *d, const struct writer *w)
{
	uint64_t value = 0;

	if (w->name)
		register_read(d, w->name, &value, NULL);
	else
		debugger_read_physical(d, w->pa, &value, w->len);
	return value;
}

static bool run_one(struct debugger *d)
{
	machine_quiet(d->m, true);
	enum machine_stop stop = history_run(d->h, 1);
	machine_quiet(d->m, false);

	return stop == MACHINE_RAN || stop == MACHINE_REQUESTED || stop == MACHINE_TRIPLE_FAULT;
}

/* The machine goes to the boundary before the write and over it. A register compared between instructions may have changed an event later. */
static bool tell(struct debugger *d, const struct writer *w, struct last_write *out)
{
	char err[ERROR_LINE];
	const struct cpu *cpu = &d->m->cpu;

	if (go_failed(d, history_goto_tick(d->h, w->tick, NULL, err), err))
		return false;
	for (unsigned tries = 0; tries < 8; tries++) {
		*out = (struct last_write){ .at = history_now(d->h), .eip = cpu->eip, .cr3 = cpu->cr3, .cpl = cpu->cpl, .access = w->access,
			.old_value = read_bytes(d, w) };
		if (!run_one(d))
			return false;
		out->value = read_bytes(d, w);
		if (!w->name || w->kind >= 0 || out->value != out->old_value)
			return true;
	}
	return false;
}

/* --- the two questions ---------------------------------------------------------------------------------------------------------- */

bool debugger_last_write(struct debugger *d, paddr_t pa, unsigned len, struct last_write *out)
{
	struct writer w = { .d = d, .pa = pa, .len = len ? len < 8 ? len : 8 : 1, .kind = -1 };
	struct observer o = { .name = "last write", .owner = &w, .even_quiet = true, .accessed = on_accessed };
	uint32_t first = (uint32_t)(pa >> PAGE_SHIFT), last = (uint32_t)((pa + w.len - 1) >> PAGE_SHIFT);

	if ((pa + w.len - 1) >> PAGE_SHIFT >= PHYS_PAGES)
		return false;
	struct origin origin = leave(d);
	machine_watch_frame(d->m, first, true);
	machine_watch_frame(d->m, last, true);
	bool found = search(d, &w, &o);
	machine_watch_frame(d->m, first, false);
	machine_watch_frame(d->m, last, false);
	found = found && tell(d, &w, out);
	come_back(d, &origin, !found && d->stop.kind != STOP_NONE);
	return found;
}

/* Registers whose writes the processor announces. */
static bool is_announced(struct writer *w)
{
	static const struct { const char *name; int kind; uint32_t number; } rows[] = {
		{ "cr0", WROTE_CR, 0 }, { "cr2", WROTE_CR, 2 }, { "cr3", WROTE_CR, 3 }, { "cr4", WROTE_CR, 4 }, { "efer", WROTE_MSR, 0xc0000080 },
		{ "sysenter_cs", WROTE_MSR, 0x174 }, { "sysenter_esp", WROTE_MSR, 0x175 }, { "sysenter_eip", WROTE_MSR, 0x176 },
		{ "apic_base", WROTE_MSR, 0x1b }, { "pat", WROTE_MSR, 0x277 }, { "dr0", WROTE_DR, 0 }, { "dr1", WROTE_DR, 1 },
		{ "dr2", WROTE_DR, 2 }, { "dr3", WROTE_DR, 3 }, { "dr7", WROTE_DR, 7 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, w->name)) {
			w->kind = rows[i].kind;
			w->number = rows[i].number;
			return true;
		}
	return false;
}

/* The last stretch of so many ticks, instruction by instruction. */
static bool search_stretch(struct debugger *d, struct writer *w, struct observer *o, uint64_t end, uint64_t ticks)
{
	char err[ERROR_LINE];
	uint64_t first = history_first(d->h).tick, from = end - first > ticks ? end - ticks : first;

	if (from >= end || go_failed(d, history_goto_tick(d->h, from, NULL, err), err))
		return false;
	w->seen = false;
	machine_observe(d->m, o);
	machine_quiet(d->m, true);
	while (machine_now(d->m) < end && go_run(d, end - machine_now(d->m)) == RUN_TICKS)
		;
	machine_quiet(d->m, false);
	machine_unobserve(d->m, o);
	on_instruction(w, d->m);                       /* the last one may have done it */
	return w->found;
}

bool debugger_last_register_write(struct debugger *d, const char *name, struct last_write *out)
{
	struct writer w = { .d = d, .name = name, .kind = -1 };
	struct observer o = { .name = "last register write", .owner = &w, .even_quiet = true };
	uint64_t value;
	bool found = false;

	if (!register_read(d, name, &value, NULL))
		return false;
	struct origin origin = leave(d);
	if (is_announced(&w)) {
		o.control = on_control;
		o.delivered = on_delivered;
	} else {
		o.instruction = on_instruction;
		for (unsigned shift = 10; shift <= 22 && !found && d->stop.kind == STOP_NONE; shift += 6)
			found = search_stretch(d, &w, &o, origin.tick, 1ull << shift);
	}
	found = found || (d->stop.kind == STOP_NONE && search(d, &w, &o));
	found = found && tell(d, &w, out);
	come_back(d, &origin, !found && d->stop.kind != STOP_NONE);
	return found;
}
