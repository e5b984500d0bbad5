/* emu/debug/notebook.c: see notebook.h. */
#include "emu/debug/notebook.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/source.h"
#include "emu/report.h"

/* --- events ---------------------------------------------------------------------------------------------------------- */

static struct event *next_event(struct notebook *nb, struct machine *m, enum event_kind kind)
{
	struct event *e = &nb->event[nb->events++ % NOTED_EVENTS];

	if (nb->events - nb->first_event > NOTED_EVENTS)
		nb->first_event++;
	memset(e, 0, sizeof(*e));
	e->icount = cpu_icount(&m->cpu);
	e->kind = kind;
	e->cs = m->cpu.seg[SEG_CS].selector;
	e->eip = m->cpu.eip;
	e->cr3 = m->cpu.cr3;
	return e;
}

static void note_event(struct notebook *nb, struct machine *m, const struct fault_record *r, enum event_kind kind)
{
	const struct event *last = nb->events > nb->first_event ? &nb->event[(nb->events - 1) % NOTED_EVENTS] : NULL;

	/* A stop before delivery: going on raises it again. */
	if (last && last->kind == kind && last->icount == r->icount && last->eip == r->eip && last->vector == r->fault.vector)
		return;
	struct event *e = next_event(nb, m, kind);
	e->icount = r->icount;
	e->cs = r->cs;
	e->eip = r->eip;
	e->cr3 = r->cr3;
	e->vector = r->fault.vector;
	e->error = r->fault.has_error ? r->fault.error : 0;
	e->cr2 = r->fault.cr2;
}

static bool on_exception(void *owner, struct machine *m, const struct fault_record *r)
{
	note_event(owner, m, r, EVENT_EXCEPTION);
	return false;
}

/* Interrupts are heard of when they are delivered, with what was before. */
static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	if (r->external)
		note_event(owner, m, r, EVENT_INTERRUPT);
}

static void on_iret(void *owner, struct machine *m)
{
	next_event(owner, m, EVENT_IRET);
}

static void on_control(void *owner, struct machine *m, const struct register_write *w)
{
	struct event *e = next_event(owner, m, EVENT_CONTROL);

	e->eip = w->eip;
	e->register_kind = (uint8_t)w->kind;
	e->number = w->number;
	e->old = w->old;
	e->value = w->value;
}

static void on_walk(void *owner, struct machine *m, const struct walk *w)
{
	struct event *e = next_event(owner, m, EVENT_WALK);

	e->access = w->access;
	e->result = (uint8_t)w->result;
	e->pa = w->pa;
	if (w->levels) {
		e->entry = w->step[w->levels - 1].addr;
		e->value = w->step[w->levels - 1].value;
	}
	if (w->result != WALK_OK)
		e->error = w->pf_code;
}

/* Exceptions and interrupts are counted with what came before them, everything else with the instruction that did it. */
static bool is_ahead(const struct event *e, uint64_t now)
{
	return e->kind == EVENT_EXCEPTION || e->kind == EVENT_INTERRUPT ? e->icount >= now : e->icount > now;
}

/* What lies after the moment that the machine is at has not happened. */
static void on_jump(void *owner, struct machine *m)
{
	struct notebook *nb = owner;
	uint64_t now = cpu_icount(&m->cpu);

	while (nb->events > nb->first_event && is_ahead(&nb->event[(nb->events - 1) % NOTED_EVENTS], now))
		nb->events--;
}

void event_describe(const struct debugger *d, const struct event *e, struct text *t)
{
	static const char *const kinds[EVENT_KINDS] = { "int", "exc", "iret", "cr", "walk" };
	static const char *const registers[] = { "CR", "DR", "MSR " };
	char name[96];

	text_put(t, STYLE_DIM, "%10" PRIu64 " ", e->icount);
	text_put(t, e->kind == EVENT_EXCEPTION ? STYLE_WARN : STYLE_NAME, "%-4s ", kinds[e->kind]);
	switch (e->kind) {
	case EVENT_INTERRUPT:
		text_add(t, "vector 0x%02" PRIx32, e->vector);
		break;
	case EVENT_EXCEPTION:
		text_add(t, "%s error %04" PRIx32, vector_short_name(e->vector), e->error);
		if (e->vector == VEC_PF)
			text_add(t, " cr2 %08" PRIx32, e->cr2);
		break;
	case EVENT_IRET:
		text_add(t, "to");
		break;
	case EVENT_CONTROL:
		text_add(t, "%s%" PRIx32 " %08" PRIx64 " -> %08" PRIx64, registers[e->register_kind], e->number, e->old, e->value);
		break;
	case EVENT_WALK:
		text_add(t, "%s %s %08" PRIx32 " ", e->access.user ? "user" : "supervisor", access_kind_name(e->access.kind), e->access.la);
		if (e->result == WALK_OK)
			text_add(t, "-> %08" PRIx64, e->pa);
		else
			text_put(t, STYLE_BAD, "! error %04" PRIx32, e->error);
		text_add(t, " (entry at %08" PRIx64 " = %08" PRIx64 ")", e->entry, e->value);
		return;
	default:
		return;
	}
	text_add(t, "%s%04" PRIx32 ":%08" PRIx32, e->kind == EVENT_IRET ? " " : " at ", e->cs, e->eip);
	if (*source_symbol_in(d, e->cr3, e->eip, name, sizeof(name)))
		text_put(t, STYLE_NAME, " %s", name);
}

/* --- lines ----------------------------------------------------------------------------------------------------------- */

void debugger_say(struct debugger *d, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (struct face *f = d->faces, *next; f; f = next) {
		next = f->next;
		if (f->say)
			f->say(f->owner, line);
	}
}

/* --- stops ----------------------------------------------------------------------------------------------------------- */

static void on_stop(void *owner, const struct stop *s)
{
	struct notebook *nb = owner;

	(void)s;
	nb->before = nb->now;
	registers_read(&nb->d->m->cpu, &nb->now);
}

struct notebook *notebook(struct debugger *d)
{
	struct notebook *nb = d->notes;

	if (nb)
		return nb;
	nb = calloc(1, sizeof(*nb));
	if (!nb)
		return NULL;
	nb->d = d;
	nb->face = (struct face){ .name = "notebook", .owner = nb, .stopped = on_stop };
	nb->observer = (struct observer){ .name = "notebook", .owner = nb,
		.exception = on_exception, .delivered = on_delivered, .iret = on_iret,
		.control = on_control, .walked = on_walk, .jumped = on_jump };
	registers_read(&d->m->cpu, &nb->now);
	nb->before = nb->now;
	d->notes = nb;
	debugger_attach(d, &nb->face);
	machine_observe(d->m, &nb->observer);
	return nb;
}

void notebook_free(struct debugger *d)
{
	struct notebook *nb = d->notes;

	if (!nb)
		return;
	machine_unobserve(d->m, &nb->observer);
	debugger_detach(d, &nb->face);
	for (struct display *s = nb->displays, *next; s; s = next) {
		next = s->next;
		free(s->line);
		free(s);
	}
	for (struct bookmark *b = nb->bookmarks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	mark_free(nb->mark);
	micro_free(&nb->micro);
	text_free(&nb->story);
	if (nb->trace.out)
		machine_unobserve(d->m, &nb->trace.observer);
	trace_close(&nb->trace);
	free(nb);
	d->notes = NULL;
}
