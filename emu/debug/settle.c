/* emu/debug/settle.c: at the boundary after something was noticed: which notes hold, what they count, and what the stop says. */
#include <inttypes.h>
#include <stdio.h>

#include "emu/debug/arm.h"
#include "emu/report.h"

/* --- at the boundary ------------------------------------------------------------------------------------------------------ */

static struct arm *arm_of(struct go_state *g, unsigned id)
{
	struct arm *a = g->arms;

	while (a && a->b->id != id)
		a = a->next;
	return a;
}

static void settle_mappings(struct debugger *d)
{
	struct go_state *g = d->going;

	for (struct arm *a = g->arms; a; a = a->next) {
		struct note found = { .id = a->b->id }, *n;
		if (!a->touched)
			continue;
		if (g->cr3_written)
			arm_mapping_anew(d, a);
		else if (arm_mapping_changed(d, a, &found) && (n = break_leave_note(d, a->b)))
			*n = found;
	}
	g->cr3_written = false;
}

/* Whether the note's condition was looked at when it was left. */
static bool decided_before(const struct breakpoint *b)
{
	return b->kind == BREAK_EXECUTE || b->kind == BREAK_EXCEPTION || b->kind == BREAK_COUNT;
}

static void note_count(struct debugger *d)
{
	uint64_t icount = cpu_icount(&d->m->cpu);

	for (const struct breakpoint *b = d->breaks; b; b = b->next)
		if (b->enabled && b->kind == BREAK_COUNT && b->address == icount && break_holds(d, b, NULL))
			break_leave_note(d, b);
}

/* What is before the next instruction. arrived: the count was reached just now; a machine that waits has told of it when it began to. */
static void note_standing(struct debugger *d, bool arrived)
{
	if (arrived || !d->m->cpu.halted)
		note_count(d);
	if (!interrupt_due(&d->m->cpu) && !d->m->cpu.halted)
		break_note_execution(d);
}

bool break_landed(struct debugger *d)
{
	d->going->notes = 0;
	note_standing(d, true);
	return d->going->notes && break_report(d, false);
}

void break_settle(struct debugger *d, bool landing)
{
	struct go_state *g = d->going;
	unsigned kept = 0;

	settle_mappings(d);
	for (unsigned i = 0; i < g->notes; i++) {
		struct breakpoint *b = debugger_break_find(d, g->note[i].id);
		struct arm *a = arm_of(g, g->note[i].id);
		if (a && a->copy)
			arm_values(d, a, &g->note[i]);
		if (b && (decided_before(b) || break_holds(d, b, &g->note[i])))
			g->note[kept++] = g->note[i];
	}
	g->notes = kept;
	if ((kept || landing) && machine_now(d->m) != g->skip_tick)
		note_standing(d, landing);
}

bool break_count(struct debugger *d, const struct note *n)
{
	struct breakpoint *b = debugger_break_find(d, n->id);

	if (!b)
		return false;
	b->hits++;
	if (!b->ignore)
		return true;
	b->ignore--;
	return false;
}

/* --- the report ------------------------------------------------------------------------------------------------------------ */

static void describe_values(const struct breakpoint *b, const struct note *n, char *buf, size_t size)
{
	switch (b->kind) {
	case BREAK_READ: case BREAK_WRITE: case BREAK_ACCESS:
		if (n->access.write)
			snprintf(buf, size, "%s 0x%" PRIx64 " at 0x%08" PRIx32 " (was 0x%" PRIx64 ")", n->access.by == BY_DMA ? "DMA of" : "write of", n->value, n->la,
				n->old_value);
		else
			snprintf(buf, size, "read of 0x%" PRIx64 " at 0x%08" PRIx32, n->value, n->la);
		break;
	case BREAK_PORT:
		snprintf(buf, size, "%s 0x%" PRIx64 " %s port 0x%04" PRIx32, n->access.write ? "out" : "in", n->value, n->access.write ? "to" : "from", n->la);
		break;
	case BREAK_MSR:
		snprintf(buf, size, "MSR 0x%" PRIx32 " = 0x%" PRIx64 " (was 0x%" PRIx64 ")", n->la, n->value, n->old_value);
		break;
	case BREAK_CONTROL: case BREAK_SPACE:
		snprintf(buf, size, "CR%" PRIu32 " = 0x%" PRIx64 " (was 0x%" PRIx64 ")", n->la, n->value, n->old_value);
		break;
	case BREAK_EXCEPTION:
		snprintf(buf, size, n->fault.fault.vector == VEC_PF ? "%s, error 0x%" PRIx32 ", address 0x%08" PRIx32 : "%s, error 0x%" PRIx32,
			vector_name(n->fault.fault.vector), n->fault.fault.error, n->fault.fault.cr2);
		break;
	case BREAK_INTERRUPT:
		snprintf(buf, size, "interrupt 0x%02x", n->fault.fault.vector);
		break;
	case BREAK_RESUME:
		snprintf(buf, size, "resumed after %s", vector_name(n->fault.fault.vector));
		break;
	case BREAK_MAPPING:
		snprintf(buf, size, n->access.write ? "mapping of 0x%08" PRIx32 ": entry 0x%" PRIx64 " (was 0x%" PRIx64 ")"
			: "mapping of 0x%08" PRIx32 ": TLB 0x%" PRIx64 " (was 0x%" PRIx64 ")", n->la, n->value, n->old_value);
		break;
	default:
		*buf = 0;
	}
}

void break_tell(struct debugger *d, const struct note *n)
{
	struct breakpoint *b = debugger_break_find(d, n->id);
	char what[140];

	describe_values(b, n, what, sizeof(what));
	if (!*what)
		break_describe(d, b, what, sizeof(what));
	d->stop = (struct stop){ .kind = STOP_BREAK, .breakpoint = b->id, .hit = b, .at = history_now(d->h), .fault = n->fault, .access = n->access,
		.la = n->la, .old_value = n->old_value, .value = n->value, .insn_eip = n->insn_eip };
	snprintf(d->stop.text, sizeof(d->stop.text), "breakpoint %u: %s", b->id, what);
	if (b->temporary)
		debugger_break_delete(d, b->id);
}

bool break_report(struct debugger *d, bool exception)
{
	struct go_state *g = d->going;
	const struct note *first = NULL;

	for (unsigned i = 0; i < g->notes; i++) {
		const struct note *n = &g->note[i];
		if (n->exception == exception && break_count(d, n) && (!first || n->id < first->id))
			first = n;
	}
	if (!first)
		return false;
	struct note copy = *first;
	break_tell(d, &copy);
	return true;
}
