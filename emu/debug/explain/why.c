/* emu/debug/explain/why.c: see why.h. The story is found first (why_search.c), told afterwards.
 *
 *   #PF page fault at instruction N: user write of 0xbfffeffc
 *   where         instruction, function, line of source
 *   address       what the address is
 *   walk          the diagram, with the entry that stopped it
 *   error code    bit by bit
 *   last write    who made that entry what it is
 *   afterwards    what the handler changed, whether the instruction ran again
 *   chain         of a double or triple fault: each link, its gate, the likely mistake
 */
#include <string.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/explain/fault_words.h"
#include "emu/debug/guest/guest.h"
#include "emu/debug/notebook.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/explain/system_tables.h"
#include "emu/debug/view/views.h"
#include "emu/debug/view/walk_diagram.h"
#include "emu/debug/explain/why_private.h"
#include "emu/diagnosis.h"
#include "emu/disasm.h"
#include "emu/report.h"

#define LABEL 13u                      /* columns of what stands at the left */
#define DIAGRAM_WIDTH 80u

typedef unsigned long long ull;

static void label(struct text *t, const char *name)
{
	text_put(t, STYLE_TITLE, "%s", name);
	text_column(t, LABEL);
}

/* "0xc0101234 <map_page+0x21> vm.c:88" */
static void put_place(const struct debugger *d, uint32_t la, struct text *t)
{
	struct source_line line;
	char name[128] = "";

	text_put(t, STYLE_ADDRESS, "0x%08x", la);
	if (!d->source)
		return;
	if (*source_symbol(d, la, name, sizeof(name)))
		text_put(t, STYLE_NAME, " <%s>", name);
	if (source_line_of(d, la, &line))
		text_put(t, STYLE_NAME, " %s:%u", line.file, line.line);
}

/* --- the fault ------------------------------------------------------------------------------------------------------------ */

static void tell_headline(const struct story *s, struct text *t)
{
	const struct fault_record *r = story_fault(s);

	fault_name_words(r, t);
	text_put(t, STYLE_BAD, " at instruction %llu", (ull)r->icount);
	if (r->fault.vector == VEC_PF)
		text_put(t, STYLE_BAD, ": %s of 0x%08x", access_words(&r->walk.access), r->fault.cr2);
	else if (r->fault.has_error)
		text_put(t, STYLE_BAD, ", error code 0x%x", r->fault.error);
	if (s->pending)
		text_put(t, STYLE_WARN, " (about to be delivered)");
	text_add(t, "\n");
}

/* The code segment of the fault may be another than that of now: real and V86 code has its base in the selector. */
static uint32_t fault_pc(const struct story *s)
{
	const struct fault_record *r = story_fault(s);
	const struct segment *cs = &s->d->m->cpu.seg[SEG_CS];

	if (r->cs == cs->selector)
		return cs->base + r->eip;
	/* Simplified: of a task in virtual-8086 mode, or a segment with a base, the base is no longer known. */
	return s->d->m->cpu.cr0 & CR0_PE ? r->eip : ((uint32_t)r->cs << 4) + r->eip;
}

static void tell_instruction(const struct story *s, struct text *t)
{
	const struct cpu *cpu = &s->d->m->cpu;
	uint32_t pc = fault_pc(s);
	struct disassembly dis;
	struct source_line line;
	char source[200];

	label(t, "where");
	put_place(s->d, pc, t);
	text_add(t, ", SS:ESP %04x:%08x, CR3 0x%08x\n", story_fault(s)->ss, story_fault(s)->esp, story_fault(s)->cr3);
	/* Simplified: code is read in the address space of now; of a process that is gone, it is not shown. */
	if (cpu->cr3 == story_fault(s)->cr3) {
		disassemble(cpu, pc, cpu->seg[SEG_CS].flags & SEG_FLAG_DB || cpu->seg[SEG_CS].selector != story_fault(s)->cs, &dis);
		if (dis.len) {
			label(t, "");
			text_put(t, STYLE_BOLD, "%s\n", dis.text);
		}
	}
	if (s->d->source && source_line_of(s->d, pc, &line) && source_text(s->d, &line, source, sizeof(source))) {
		label(t, "");
		text_put(t, STYLE_DIM, "%u: ", line.line);
		text_add(t, "%s\n", source + strspn(source, " \t"));
	}
}

static void tell_address(const struct story *s, struct text *t)
{
	const struct fault_record *r = story_fault(s);

	if (r->fault.vector != VEC_PF)
		return;
	label(t, "address");
	text_put(t, STYLE_ADDRESS, "0x%08x", r->fault.cr2);
	text_add(t, " is ");
	address_words(s->d, r->fault.cr2, r, t);
	text_add(t, "\n");
	size_t size = t->size;
	label(t, "meaning");
	size_t labelled = t->size;
	meaning_words(s->d, r, t);
	if (t->size == labelled)
		t->size = size;                /* nothing to say */
	else
		text_add(t, "\n");
}

static void tell_error_code(const struct story *s, struct text *t)
{
	const struct fault_record *r = story_fault(s);
	char indent[LABEL + 1];

	if (!r->fault.has_error)
		return;
	snprintf(indent, sizeof(indent), "%*s", (int)LABEL, "");
	label(t, "error code");
	text_put(t, STYLE_BOLD, "0x%x\n", r->fault.error);
	fault_error_words(&s->d->m->cpu, r, indent, t);
}

/* --- who ---------------------------------------------------------------------------------------------------------------------- */

static void put_callers(const struct story *s, const struct entry_writer *e, struct text *t)
{
	char name[128];

	for (unsigned i = 0; i < e->callers; i++)
		if (*source_symbol(s->d, e->caller[i], name, sizeof(name))) {
			text_add(t, "%s", i ? ", from " : "called from ");
			text_put(t, STYLE_NAME, "%.*s", (int)strcspn(name, "+"), name);
		}
}

static void put_writer(const struct story *s, const struct entry_writer *e, struct text *t)
{
	const struct last_write *w = &e->w;

	if (w->access.by == BY_DMA) {
		text_add(t, "by a device (DMA) at instruction %llu", (ull)w->at.icount);
		return;
	}
	if (w->access.by == BY_WALK) {
		text_add(t, "by a page walk that set Accessed or Dirty, at instruction %llu", (ull)w->at.icount);
		return;
	}
	text_add(t, "by ");
	put_place(s->d, w->eip, t);
	text_add(t, " at instruction %llu", (ull)w->at.icount);
	if (!e->callers)
		return;
	text_add(t, "\n");
	label(t, "");
	put_callers(s, e, t);
}

static void tell_writer(const struct story *s, struct text *t)
{
	const struct walk_step *step = &story_fault(s)->walk.step[s->blamed];
	const struct entry_writer *e = &s->before;

	if (!story_has_walk(s) || s->blamed >= story_fault(s)->walk.levels || !e->looked)
		return;
	label(t, "last write");
	text_add(t, "of the %s at 0x%08llx: ", step->name, (ull)step->addr);
	if (!e->known) {
		text_add(t, "none since history began");
		if (!step->value && !history_first(s->d->h).icount)
			text_add(t, ": it is zero because memory is zero at power-on");
		text_add(t, "\n");
		return;
	}
	text_add(t, "0x%08llx -> 0x%08llx\n", (ull)e->w.old_value, (ull)e->w.value);
	label(t, "");
	put_writer(s, e, t);
	text_add(t, "\n");
	label(t, "");
	if (!(e->w.value & PG_P) && e->w.old_value & PG_P)
		text_put(t, STYLE_WARN, "which took the page away\n");
	else if (!(e->w.value | e->w.old_value))
		text_add(t, "which wrote zero over zero: the table was cleared, and the page never mapped\n");
	else if (!(e->w.value & PG_P) && e->w.value)
		text_add(t, "not present, but not zero: the guest keeps a note of its own there\n");
	else if (e->w.old_value & PG_W && !(e->w.value & PG_W))
		text_put(t, STYLE_WARN, "which took the right to write away\n");
	else
		text_add(t, "%s\n", e->w.value & PG_P ? "which made it what it is" : "which cleared it");
}

/* --- afterwards ------------------------------------------------------------------------------------------------------------------ */

static void tell_changes(const struct story *s, struct text *t)
{
	const struct walk *was = &story_fault(s)->walk;

	for (unsigned i = 0; i < s->then.levels; i++) {
		const struct walk_step *step = &s->then.step[i];
		char letters[ENTRY_LETTERS + 1];
		if (!story_entry_changed(s, i))
			continue;
		label(t, "");
		text_add(t, "the %s at 0x%08llx ", step->name, (ull)step->addr);
		if (i < was->levels && was->step[i].addr == step->addr)
			text_put(t, STYLE_CHANGED, "became 0x%08llx", (ull)step->value);
		else
			text_put(t, STYLE_CHANGED, "is now 0x%08llx", (ull)step->value);
		text_add(t, " %s\n", entry_letters(&s->then.paging, step->value, letters));
		if (s->after[i].known) {
			label(t, "");
			text_add(t, "  ");
			put_writer(s, &s->after[i], t);
			text_add(t, "\n");
		}
	}
}

static bool address_space_gone(const struct story *s)
{
	struct guest_process p;

	return s->d->guest && story_fault(s)->walk.access.user && !guest_process_of(s->d, story_fault(s)->cr3, &p);
}

static void put_handler(const struct story *s, const struct fault_record *r, struct text *t)
{
	struct gate g = gate_decode(r->idt_entry);
	char name[128];

	if (r->idt_read && (g.type == GATE_INTERRUPT || g.type == GATE_TRAP) && *source_symbol(s->d, g.offset, name, sizeof(name)))
		text_put(t, STYLE_NAME, " <%s>", name);
}

static void tell_afterwards(const struct story *s, struct text *t)
{
	const struct fault_record *r = story_fault(s);

	if (s->shut_down || s->pending || !s->followed)
		return;
	label(t, "afterwards");
	fault_gate_words(&s->d->m->cpu, &s->chain[s->count - 1], t);
	put_handler(s, &s->chain[s->count - 1], t);
	text_add(t, "\n");
	tell_changes(s, t);
	label(t, "");
	if (s->resumed)
		text_put(t, STYLE_GOOD, "the instruction was resumed at instruction %llu, %llu after the fault\n", (ull)s->resumed_at.icount,
			 (ull)(s->resumed_at.icount - r->icount));
	else
		text_put(t, STYLE_WARN, "the instruction has not been resumed up to now, instruction %llu%s\n", (ull)s->now.icount,
			 address_space_gone(s) ? ": its process has ended" : "");
	if (s->resumed && story_has_walk(s) && s->then.levels && s->then.result == WALK_OK) {
		label(t, "");
		text_put(t, STYLE_GOOD, "the same access then finds frame 0x%08llx\n", (ull)(s->then.pa & ~(paddr_t)PG_OFFSET));
	}
}

/* --- control registers ----------------------------------------------------------------------------------------------------------- */

#define RECENTLY 1000u                 /* instructions */

/* The last write before the fault that changed these bits of a control register. */
static const struct control_write *last_control(const struct story *s, unsigned reg, uint32_t bits)
{
	const struct cpu *cpu = &s->d->m->cpu;
	unsigned kept = cpu->control_count < CONTROL_HISTORY ? cpu->control_count : CONTROL_HISTORY;

	for (unsigned i = 1; i <= kept; i++) {
		const struct control_write *w = &cpu->controls[(cpu->control_count - i) % CONTROL_HISTORY];
		if (w->reg == reg && (w->old ^ w->value) & bits && w->icount <= story_fault(s)->icount)
			return w;
	}
	return NULL;
}

static void tell_control(const struct story *s, const struct control_write *w, const char *what, struct text *t)
{
	if (!w || (!s->shut_down && story_fault(s)->icount - w->icount > RECENTLY))
		return;
	label(t, "before");
	text_add(t, "%s (0x%08x -> 0x%08x) by ", what, w->old, w->value);
	put_place(s->d, w->eip, t);
	/* Its record counts the instruction itself already. */
	text_add(t, " at instruction %llu, %llu before the fault\n", (ull)w->icount - 1, (ull)(story_fault(s)->icount - w->icount + 1));
}

/* A kernel that has just turned paging on, or gone to another address space, does best to look there. */
static void tell_controls(const struct story *s, struct text *t)
{
	tell_control(s, last_control(s, 3, 0xffffffff), "CR3 was loaded", t);
	tell_control(s, last_control(s, 0, CR0_PG), "paging was switched (CR0.PG)", t);
}

/* --- chains ------------------------------------------------------------------------------------------------------------------------ */

static void tell_link(const struct story *s, unsigned i, struct text *t)
{
	const struct fault_record *r = &s->chain[i];

	text_add(t, "  %u. ", i + 1);
	fault_name_words(r, t);
	if (r->fault.has_error)
		text_add(t, ", error code 0x%x", r->fault.error);
	if (r->fault.vector == VEC_PF && !r->external) {
		char words[80];
		text_add(t, " at 0x%08x: %s", r->fault.cr2, page_fault_words(r->fault.error, words, sizeof(words)));
	} else if (r->fault.has_error && r->fault.error && r->fault.vector != VEC_DF) {
		text_add(t, ": ");
		selector_error_words(&s->d->m->cpu, r->fault.error, t);
	}
	text_add(t, "\n     ");
	fault_gate_words(&s->d->m->cpu, r, t);
	text_add(t, "\n");
}

static void tell_reasons(const struct story *s, struct text *t)
{
	if (s->count < 2 && !s->shut_down)
		return;
	text_put(t, STYLE_TITLE, "the chain\n");
	for (unsigned i = 0; i < s->count; i++)
		tell_link(s, i, t);
	if (s->shut_down)
		text_put(t, STYLE_BAD, "  ! the double fault could not be delivered either: the processor shut down (triple fault)\n");
	diagnose_faults(s->d->m, s->first, t);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------------ */

static void tell_walk(const struct story *s, struct text *t)
{
	const struct walk *w = &story_fault(s)->walk;

	if (!story_has_walk(s))
		return;
	text_add(t, "\n");
	walk_diagram(s->d, w, w->levels, DIAGRAM_WIDTH, t);
	text_add(t, "\n");
}

void why_tell(struct debugger *d, bool search, struct text *t)
{
	struct story s;

	story_find(d, &s);
	if (s.none) {
		text_add(t, "No fault has happened yet.\n");
		return;
	}
	if (search)
		story_search(&s);
	tell_headline(&s, t);
	tell_instruction(&s, t);
	tell_address(&s, t);
	tell_walk(&s, t);
	tell_error_code(&s, t);
	tell_writer(&s, t);
	tell_afterwards(&s, t);
	tell_controls(&s, t);
	tell_reasons(&s, t);
	if (*s.trouble)
		text_put(t, STYLE_BAD, "! %s\n", s.trouble);
}

/* --- the view ------------------------------------------------------------------------------------------------------------------------ */

static bool wants_search(const struct view_request *rq) { return rq->argument && !strcmp(rq->argument, "search"); }

static bool same_moment(const struct moment *a, const struct moment *b) { return a->tick == b->tick && a->icount == b->icount; }

static bool story_is_fresh(const struct debugger *d)
{
	const struct notebook *n = d->notes;
	struct moment now = history_now(d->h), present = history_present(d->h);

	return n && n->story.size && same_moment(&n->story_at, &now) && same_moment(&n->story_present, &present);
}

static void append(const struct text *from, struct text *t)
{
	for (size_t i = 0, n; i < from->size; i += n) {
		for (n = 1; i + n < from->size && from->style[i + n] == from->style[i]; n++)
			;
		text_put(t, from->style[i], "%.*s", (int)n, from->byte + i);
	}
}

/* Views are drawn again and again: they go back in time only when asked to, and once for each stop. */
void view_why(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct notebook *n = d->notes;

	if (wants_search(rq) && n && !story_is_fresh(d)) {
		text_clear(&n->story);
		why_tell(d, true, &n->story);
		n->story_at = history_now(d->h);
		n->story_present = history_present(d->h);
	}
	if (story_is_fresh(d))
		append(&n->story, t);
	else
		why_tell(d, wants_search(rq), t);
}
