/* emu/debug/back.c: run control backwards.
 *
 *      checkpoint          checkpoint             now
 *   -------+-----------x-------+------x------x-----+
 *                            first: load, run again up to now with everything armed; the last hit wins; none: the piece before it
 *
 * A hit's place is a tick, and for exceptions after whatever else is there. Going back it is the last boundary at which what is looked for
 * had not yet happened (breakpoint.h), so that continuing from there meets it again.
 *
 *   rstep      one instruction earlier; over the handler of an interrupt that came before it, as step does
 *   rnext      the same; a return goes back to before its call, and a resumed instruction to before its fault
 *   rfinish    to the call of the current function
 *
 * Interrupted, the machine is put where it was.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/insn.h"
#include "emu/debug/going.h"
#include "emu/debug/insn_kind.h"
#include "emu/debug/source.h"

struct place { uint64_t tick; bool exception; };
struct hit { unsigned id; struct place at; };

/* What one piece of the past holds. Bounded: of very many hits the last count. */
#define HITS_MOST (1u << 20)
struct hits { struct hit *hit; size_t count, capacity; };

static bool before(struct place a, struct place b)
{
	return a.tick != b.tick ? a.tick < b.tick : !a.exception && b.exception;
}

static struct place here(const struct debugger *d)
{
	uint64_t now = machine_now(d->m);

	return (struct place){ now, d->going->skip_exception_tick == now };
}

/* Which kinds stop, backwards, a tick before they do forwards. */
static bool undoes(const struct breakpoint *b)
{
	switch (b->kind) {
	case BREAK_READ: case BREAK_WRITE: case BREAK_ACCESS: case BREAK_PORT: case BREAK_MSR: case BREAK_CONTROL: case BREAK_SPACE: case BREAK_MAPPING:
		return true;
	default:
		return false;
	}
}

static struct place place_of(const struct debugger *d, const struct note *n)
{
	uint64_t now = machine_now(d->m);
	const struct breakpoint *b = debugger_break_find((struct debugger *)d, n->id);

	return (struct place){ n->exception || undoes(b) ? now - 1 : now, n->exception };
}

static void keep(struct hits *h, struct hit hit)
{
	if (h->count == h->capacity) {
		size_t capacity = h->capacity ? 2 * h->capacity : 256;
		struct hit *grown = capacity <= HITS_MOST ? realloc(h->hit, capacity * sizeof(*grown)) : NULL;
		if (!grown) {                          /* forget the older half */
			h->count /= 2;
			memmove(h->hit, h->hit + h->count, h->count * sizeof(*h->hit));
		} else {
			h->hit = grown;
			h->capacity = capacity;
		}
	}
	if (h->count < h->capacity)
		h->hit[h->count++] = hit;
}

/* --- one piece of the past ------------------------------------------------------------------------------------------------ */

#define PIECE 20000000ull              /* ticks between signs of progress */

/* Runs on to the tick end. False: d->stop says why not. */
static bool run_piece(struct debugger *d, uint64_t end, const struct search *s, const struct progress *progress)
{
	struct go_state *g = d->going;
	uint64_t first = history_first(d->h).tick, total = history_present(d->h).tick - first;

	while (machine_now(d->m) < end) {
		uint64_t left = end - machine_now(d->m);
		enum run_end r = go_run(d, left < PIECE ? left : PIECE);
		if (r == RUN_HIT || r == RUN_GOAL)
			s->noted(d, s->ctx);
		else if (r != RUN_TICKS && r != RUN_PRESENT)
			return false;
		if (left > PIECE && !progress->report(progress->owner, machine_now(d->m) - first, total)) {
			go_stop(d, STOP_INTERRUPTED, NULL);
			return false;
		}
		g->notes = 0;
		g->goal.reached = false;
		g->skip_tick = machine_now(d->m);
	}
	return true;
}

static int search_back(struct debugger *d, const struct search *s)
{
	char err[ERROR_LINE];
	uint64_t start = machine_now(d->m), end = start;
	struct moment at = history_now(d->h);
	struct progress progress = go_progress(d, "searching backwards");
	bool live = d->going->live;
	int result = 0;

	d->going->live = true;                         /* the present is no news to a search, nor is what others have been told already */
	machine_quiet(d->m, true);
	while (!result && start - end <= s->reach && history_checkpoint_before(d->h, at, &at)) {
		if (go_failed(d, history_goto_tick(d->h, at.tick, &progress, err), err)) {
			result = -1;
			break;
		}
		d->going->skip_tick = d->going->skip_exception_tick = NEVER;
		break_arm(d);
		bool ran = run_piece(d, end, s, &progress);
		break_disarm(d);
		end = at.tick;
		result = !ran ? -1 : s->found(d, s->ctx);
	}
	machine_quiet(d->m, false);
	d->going->live = live;
	return result;
}

int back_search_alone(struct debugger *d, const struct search *s)
{
	struct breakpoint *breaks = d->breaks;

	d->breaks = NULL;
	int result = search_back(d, s);
	d->breaks = breaks;
	return result;
}

/* Puts the machine at a place; keeps d->stop. */
static bool put_at(struct debugger *d, struct place p)
{
	char err[ERROR_LINE];

	d->going->live = false;
	if (go_failed(d, history_goto_tick(d->h, p.tick, NULL, err), err))
		return false;
	d->going->skip_tick = p.tick;
	d->going->skip_exception_tick = p.exception ? p.tick : NEVER;
	return true;
}

/* A search that ended otherwise: what it said stays said, there where it began. */
static void give_up(struct debugger *d, struct place start)
{
	struct stop why = d->stop;

	if (put_at(d, start))
		d->stop = why;
}

/* --- breakpoints ---------------------------------------------------------------------------------------------------------- */

struct back_search { struct place now, found; struct hits hits; bool goal_found; unsigned id; };

static void note_hits(struct debugger *d, void *ctx)
{
	struct back_search *s = ctx;

	for (unsigned i = 0; i < d->going->notes; i++) {
		struct hit hit = { d->going->note[i].id, place_of(d, &d->going->note[i]) };
		if (before(hit.at, s->now))
			keep(&s->hits, hit);
	}
	if (d->going->goal.reached && before(here(d), s->now))
		keep(&s->hits, (struct hit){ 0, here(d) });
}

static int by_place(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return before(x->at, y->at) ? -1 : before(y->at, x->at) ? 1 : x->id < y->id ? -1 : x->id > y->id;
}

/* From the last place backwards, as they would be met: each counts, and the first that is not ignored is it. */
static bool choose_hit(struct debugger *d, void *ctx)
{
	struct back_search *s = ctx;
	struct hits *h = &s->hits;
	bool stop = false;

	if (h->count)
		qsort(h->hit, h->count, sizeof(h->hit[0]), by_place);
	while (h->count && !stop) {
		s->found = h->hit[h->count - 1].at;
		while (h->count && !before(h->hit[h->count - 1].at, s->found)) {
			struct note n = { .id = h->hit[--h->count].id };
			bool counts = !n.id || break_count(d, &n);
			s->goal_found |= !n.id;
			if (counts)
				s->id = n.id;          /* the lowest comes last */
			stop |= counts;
		}
	}
	h->count = 0;
	return stop;
}

/* Looks among the notes for one to tell of at p: the one with the lowest number, if it fits. */
static void choose_note(struct debugger *d, bool (*fits)(const struct breakpoint *b, const struct note *n), struct note *found)
{
	struct go_state *g = d->going;

	for (unsigned i = 0; i < g->notes; i++) {
		const struct note *n = &g->note[i];
		if (fits(debugger_break_find(d, n->id), n) && (!found->id || n->id < found->id))
			*found = *n;
	}
	g->notes = 0;
}

static bool came_there(const struct breakpoint *b, const struct note *n) { return !undoes(b) && !n->exception; }
static bool is_undone(const struct breakpoint *b, const struct note *n) { return undoes(b) && !n->exception; }
static bool is_exception(const struct breakpoint *b, const struct note *n) { (void)b; return n->exception; }

static void run_one_tick(struct debugger *d)
{
	machine_quiet(d->m, true);
	go_run(d, 1);
	machine_quiet(d->m, false);
}

/* At the place that was chosen: what hit there, told as it is forwards. What led there is seen from a tick before, what is undone there
 * by a tick more. Counting is done already. */
static void report_at(struct debugger *d, struct place p, unsigned id)
{
	struct note found = { 0 }, ignored = { 0 };
	bool earlier = p.tick > history_first(d->h).tick;

	if (!put_at(d, (struct place){ p.tick - earlier, false }))
		return;
	d->going->skip_exception_tick = NEVER;
	break_arm(d);
	if (earlier)
		run_one_tick(d);
	d->going->skip_tick = NEVER;
	break_settle(d, true);
	choose_note(d, came_there, p.exception ? &ignored : &found);
	d->going->skip_tick = p.tick;
	run_one_tick(d);
	choose_note(d, p.exception ? is_exception : is_undone, &found);
	break_disarm(d);
	if (!found.id)
		found.id = id;
	if (put_at(d, p))
		break_tell(d, &found);
}

static void back_to_hit(struct debugger *d)
{
	struct back_search s = { .now = here(d) };
	int found = search_back(d, &(struct search){ note_hits, choose_hit, &s, NEVER });

	free(s.hits.hit);
	if (found < 0) {
		give_up(d, s.now);
	} else if (!found) {
		if (put_at(d, (struct place){ history_first(d->h).tick, false }))
			go_stop(d, STOP_BEGINNING, NULL);
	} else if (!s.goal_found) {
		report_at(d, s.found, s.id);
	} else if (put_at(d, s.found)) {
		go_stop(d, STOP_STEP, NULL);
	}
}

static void back_until(struct debugger *d, uint32_t la)
{
	d->going->goal = (struct goal){ .on = true, .la = la, .anywhere = true };
	back_to_hit(d);
	d->going->goal.on = false;
}

/* --- what an IRET came back from ----------------------------------------------------------------------------------------- */

#define HANDLER_MOST 200000000ull      /* ticks: longer ones are not looked for */

struct event_search { struct goal here; bool external; bool found; struct fault_record event; };

static bool same_context(const struct debugger *d, const struct event_search *s, const struct fault_record *r)
{
	(void)d;
	return r->eip == s->here.la && r->esp == s->here.esp && r->cr3 == s->here.cr3;
}

static void note_event(struct debugger *d, void *ctx)
{
	struct event_search *s = ctx;
	const struct fault_record *r = &d->going->interrupted[(d->going->interrupteds - 1) % INTERRUPTED];

	if (!d->going->delivered || !same_context(d, s, r))
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
		put_at(d, (struct place){ history_first(d->h).tick, false });
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
		struct place start = here(d);
		struct fault_record r;
		if (history_now(d->h).icount == history_first(d->h).icount)
			return true;
		if (!one_earlier(d))
			return false;
		bool iret = insn_kind_next(d) == INSN_IRET;
		if (!put_at(d, start))
			return false;
		if (!iret)
			return true;
		bool found = find_event(d, &r);
		if (!found || (!r.external && !through) || (r.external && d->step_into_interrupts))
			return put_at(d, start);
		if (go_failed(d, history_goto(d->h, r.icount, NULL, err), err))
			return false;
		if (d->m->cpu.eip != r.eip || d->m->cpu.r[R_ESP] != r.esp)     /* INT n: that was an instruction of its own */
			return put_at(d, start);
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
	return look_back(d, s, on_call) && put_at(d, (struct place){ s->tick, false });
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
	struct place last = here(d);

	/* The last iteration itself is not seen: it lies at now. */
	if (!look_back(d, &s, on_iteration) || (uint16_t)(s.found_esp - 1) != (uint16_t)cpu->r[R_ECX])
		return put_at(d, last);
	return put_at(d, (struct place){ s.tick, false });
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
	struct place inside = here(d);
	if ((kind == INSN_RETURN || kind == INSN_IRET) && !to_call(d, &s)) {
		if (d->stop.kind == STOP_INTERRUPTED || !put_at(d, inside))
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

static void back_out(struct debugger *d)
{
	struct place start = here(d);
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
	give_up(d, start);
}

static void back_steps(struct debugger *d, bool over, uint64_t count)
{
	struct place start = here(d);

	for (; count; count--) {
		if (over ? back_over(d) : step_back(d, false)) {
			d->going->skip_tick = machine_now(d->m);
			if (break_landed(d))
				return;
			continue;
		}
		if (d->stop.kind != STOP_BEGINNING)
			give_up(d, start);
		return;
	}
	go_stop(d, STOP_STEP, NULL);
}

void go_back(struct debugger *d, enum go how, uint64_t count, uint32_t la)
{
	d->going->goal.on = false;
	switch (how) {
	case GO_BACK_STEP: back_steps(d, false, count); break;
	case GO_BACK_OVER: back_steps(d, true, count); break;
	case GO_BACK_OUT: back_out(d); break;
	case GO_BACK_UNTIL: back_until(d, la); break;
	default: back_to_hit(d);
	}
}
