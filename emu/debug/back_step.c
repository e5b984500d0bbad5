/* emu/debug/back_step.c: steps backwards, the ways back of those in step.c.
 *
 *   rstep      one instruction earlier; over the handler of an interrupt that came before it, as step does
 *   rnext      the same; a return goes back to before its call, a resumed instruction to before its fault, a repeated string instruction to
 *              before its first iteration
 *   rfinish    to the call of the current function
 */
#include "cpu/insn.h"
#include "emu/debug/going.h"
#include "emu/debug/insn_kind.h"
#include "emu/debug/guest/source.h"

/* --- what an IRET came back from ----------------------------------------------------------------------------------------- */

/* Simplified: a handler that took more ticks is stepped back into, as if nothing were known of it. */
#define HANDLER_MOST 200000000ull

struct event_search { struct goal here; bool found; struct fault_record event; };

static bool same_context(const struct event_search *s, const struct fault_record *r)
{
	return r->eip == s->here.la && r->esp == s->here.esp && r->cr3 == s->here.cr3;
}

static void note_event(struct debugger *d, void *ctx)
{
	struct event_search *s = ctx;
	const struct fault_record *r = &d->going->interrupted[(d->going->interrupteds - 1) % INTERRUPTED];

	if (!d->going->delivered || !same_context(s, r))
		return;
	s->found = true;
	s->event = *r;
}

static bool event_found(struct debugger *d, void *ctx)
{
	(void)d;
	return ((struct event_search *)ctx)->found;
}

/* The machine stands at a boundary that an IRET led to. Where was it interrupted there? Then the event's record is in *r. */
static bool find_event(struct debugger *d, struct fault_record *r)
{
	const struct cpu *cpu = &d->m->cpu;
	struct event_search s = { .here = { .la = cpu->eip, .cr3 = cpu->cr3, .esp = cpu->r[R_ESP] } };

	d->going->stop_at_delivery = true;
	int found = back_search_alone(d, &(struct search){ note_event, event_found, &s, HANDLER_MOST });
	d->going->stop_at_delivery = false;
	*r = s.event;
	return found > 0;
}

/* One tick earlier lies... */
static bool one_earlier(struct debugger *d)
{
	char err[ERROR_LINE];
	struct moment now = history_now(d->h);

	if (now.icount == history_first(d->h).icount) {
		back_put_at(d, (struct place){ history_first(d->h).tick, false });
		go_stop(d, STOP_BEGINNING, NULL);
		return false;
	}
	d->going->live = false;
	d->going->skip_exception_tick = NEVER;
	return !go_failed(d, history_goto(d->h, now.icount - 1, NULL, err), err);
}

/* If the instruction before is an IRET from a handler of an interrupt (or, through, a fault) that came here: to before that came. The registers are the same
 * there. False: d->stop says why not. */
static bool before_handlers(struct debugger *d, bool through)
{
	char err[ERROR_LINE];

	for (;;) {
		struct place start = back_here(d);
		struct fault_record r;
		if (history_now(d->h).icount == history_first(d->h).icount)
			return true;
		if (!one_earlier(d))
			return false;
		bool iret = insn_kind_next(d) == INSN_IRET;
		if (!back_put_at(d, start))
			return false;
		if (!iret)
			return true;
		bool found = find_event(d, &r);
		if (!found || (!r.external && !through) || (r.external && d->step_into_interrupts))
			return back_put_at(d, start);
		if (go_failed(d, history_goto(d->h, r.icount, NULL, err), err))
			return false;
		if (d->m->cpu.eip != r.eip || d->m->cpu.r[R_ESP] != r.esp)     /* INT n: that was an instruction of its own */
			return back_put_at(d, start);
	}
}

/* --- steps ---------------------------------------------------------------------------------------------------------------- */

static bool step_back(struct debugger *d, bool through)
{
	bool handlers = through || !d->step_into_interrupts;

	return (!handlers || before_handlers(d, through)) && one_earlier(d) && (!handlers || before_handlers(d, through));
}

struct call_search { uint32_t next, cr3, esp; uint8_t cpl; bool found; uint64_t tick; uint32_t found_esp; };

#define ARGUMENTS_MOST 256u            /* bytes that a callee takes off the stack */

/* Before each instruction of the page: is it the call whose return leads here? The stack pointer says so; of several the last, and the nearest. */
static void on_call(void *owner, struct machine *m)
{
	struct debugger *d = owner;
	struct call_search *s = d->going->call;
	uint32_t pc = debugger_pc(d), esp = m->cpu.r[R_ESP];

	if (s->next - pc - 2 > INSN_MAX - 2 || m->cpu.cpl != s->cpl || !same_space(&m->cpu, s->cr3) || s->esp - esp > ARGUMENTS_MOST)
		return;
	enum insn_kind kind = insn_kind_at(d, pc);
	if ((kind != INSN_CALL && kind != INSN_TRAP) || pc + insn_length(d, pc) != s->next)
		return;
	if (s->found && esp < s->found_esp)
		return;
	s->found = true;
	s->found_esp = esp;
	s->tick = machine_now(m);
}

static bool on_call_page(void *owner, struct machine *m, uint32_t vpn, uint32_t frame)
{
	const struct call_search *s = ((struct debugger *)owner)->going->call;

	(void)m, (void)frame;
	return vpn == s->next >> PAGE_SHIFT || vpn == (s->next - INSN_MAX) >> PAGE_SHIFT;
}

static void nothing_noted(struct debugger *d, void *ctx)
{
	(void)d, (void)ctx;
}

static bool call_found(struct debugger *d, void *ctx)
{
	(void)d;
	return ((struct call_search *)ctx)->found;
}

/* Looks back for what alone() finds on the page of s->next. The machine is anywhere afterwards. */
static bool look_back(struct debugger *d, struct call_search *s, void (*alone)(void *owner, struct machine *m))
{
	struct observer o = { .name = "look back", .owner = d, .even_quiet = true, .guarded = on_call_page, .alone = alone };

	d->going->call = s;
	machine_observe(d->m, &o);
	int found = back_search_alone(d, &(struct search){ nothing_noted, call_found, s, NEVER });
	machine_unobserve(d->m, &o);
	return found > 0;
}

/* To the call that returned, or will return, to next with the stack pointer at esp. False: there is none; the machine is anywhere. */
static bool to_call(struct debugger *d, struct call_search *s)
{
	return look_back(d, s, on_call) && back_put_at(d, (struct place){ s->tick, false });
}

/* A repeated string instruction: its iterations are told apart from another execution by the count, which goes down by one, also where an
 * interrupt came between. */
static void on_iteration(void *owner, struct machine *m)
{
	struct debugger *d = owner;
	struct call_search *s = d->going->call;
	uint32_t count = m->cpu.r[R_ECX];

	if (debugger_pc(d) != s->next || m->cpu.r[R_ESP] != s->esp || !same_space(&m->cpu, s->cr3))
		return;
	if (!s->found || (uint16_t)(s->found_esp - 1) != (uint16_t)count)
		s->tick = machine_now(m);
	s->found = true;
	s->found_esp = count;
}

/* To the first iteration of the string instruction that is about to do its last. */
static bool to_first_iteration(struct debugger *d)
{
	const struct cpu *cpu = &d->m->cpu;
	struct call_search s = { .next = debugger_pc(d), .cr3 = cpu->cr3, .esp = cpu->r[R_ESP], .tick = machine_now(d->m) };
	struct place last = back_here(d);

	/* The last iteration itself is not seen: it lies at now. */
	if (!look_back(d, &s, on_iteration) || (uint16_t)(s.found_esp - 1) != (uint16_t)cpu->r[R_ECX])
		return back_put_at(d, last);
	return back_put_at(d, (struct place){ s.tick, false });
}

static bool back_over(struct debugger *d)
{
	const struct cpu *cpu = &d->m->cpu;

	if (!before_handlers(d, true))
		return false;
	struct call_search s = { .next = debugger_pc(d), .cr3 = cpu->cr3, .esp = cpu->r[R_ESP], .cpl = cpu->cpl };
	if (!one_earlier(d))
		return false;
	enum insn_kind kind = insn_kind_next(d);
	struct place inside = back_here(d);
	if ((kind == INSN_RETURN || kind == INSN_IRET) && !to_call(d, &s)) {
		if (d->stop.kind == STOP_INTERRUPTED || !back_put_at(d, inside))
			return false;
	} else if (kind == INSN_REPEATED && !to_first_iteration(d)) {
		return false;
	}
	return before_handlers(d, true);
}

/* The return address of the current function: by the debug information, else by the frame pointer. */
static bool return_address(struct debugger *d, struct call_search *s)
{
	struct source_frame frame[2];
	uint32_t saved[2];

	s->cr3 = d->m->cpu.cr3;
	s->cpl = d->m->cpu.cpl;
	if (d->source && source_backtrace(d, frame, 2) == 2) {
		s->next = frame[1].pc;
		s->esp = frame[0].cfa;
		return true;
	}
	uint32_t ebp = d->m->cpu.r[R_EBP];
	if (debugger_read_linear(d, d->m->cpu.seg[SEG_SS].base + ebp, saved, sizeof(saved)) != sizeof(saved))
		return false;
	s->next = saved[1];
	s->esp = ebp + 8;
	return true;
}

void back_out(struct debugger *d)
{
	struct place start = back_here(d);
	struct call_search s = { 0 };

	d->stop.kind = STOP_NONE;
	if (!return_address(d, &s)) {
		go_stop(d, STOP_ERROR, "the caller of this function is not known");
		return;
	}
	if (to_call(d, &s)) {
		go_stop(d, STOP_STEP, NULL);
		return;
	}
	if (d->stop.kind == STOP_NONE)
		go_stop(d, STOP_ERROR, "the call of this function is not in the history");
	back_give_up(d, start);
}

void back_steps(struct debugger *d, bool over, uint64_t count)
{
	struct place start = back_here(d);

	for (; count; count--) {
		if (over ? back_over(d) : step_back(d, false)) {
			d->going->skip_tick = machine_now(d->m);
			if (break_landed(d))
				return;
			continue;
		}
		if (d->stop.kind != STOP_BEGINNING)
			back_give_up(d, start);
		return;
	}
	go_stop(d, STOP_STEP, NULL);
}
