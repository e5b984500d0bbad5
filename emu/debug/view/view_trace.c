/* emu/debug/view/view_trace.c: the view of the last events: interrupts, exceptions, IRETs, register writes, page walks. */
#include "emu/debug/view/views.h"

#include <string.h>

#include "emu/debug/notebook.h"

#define TRACE_LINES 32u

static const char *const kind_names[EVENT_KINDS] = { "int", "exc", "iret", "cr", "walk" };

/* "exc,walk" or "exc walk" as a mask; all but walks when nothing is named, since they drown the rest. False: a word is none. */
static bool kinds_of(const char *argument, unsigned *mask, struct text *t)
{
	*mask = 0;
	for (const char *p = argument ? argument : ""; *(p += strspn(p, " ,")); p += strcspn(p, " ,")) {
		size_t n = strcspn(p, " ,"), i = 0;
		while (i < EVENT_KINDS && (strncmp(kind_names[i], p, n) || kind_names[i][n]))
			i++;
		if (i == EVENT_KINDS && (n != 3 || strncmp(p, "all", n))) {
			text_put(t, STYLE_BAD, "'%.*s': choose among int, exc, iret, cr, walk, all\n", (int)n, p);
			return false;
		}
		*mask |= i == EVENT_KINDS ? (1u << EVENT_KINDS) - 1 : 1u << i;
	}
	if (!*mask)
		*mask = ((1u << EVENT_KINDS) - 1) & ~(1u << EVENT_WALK);
	return true;
}

/* The number of the event from which on there are at most room events of these kinds, rq->first of the last left out. */
static uint64_t begin_at(const struct notebook *nb, unsigned mask, size_t room, size_t skip, uint64_t *end)
{
	uint64_t i = nb->events;
	size_t n = 0;

	for (*end = i; i > nb->first_event && n < room; i--) {
		if (!(mask >> nb->event[(i - 1) % NOTED_EVENTS].kind & 1))
			continue;
		if (skip) {
			skip--;
			*end = i - 1;
			continue;
		}
		n++;
	}
	return i;
}

void view_trace(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct notebook *nb = notebook(d);
	unsigned mask;
	uint64_t end;
	bool any = false;

	if (!nb || !kinds_of(rq->argument, &mask, t))
		return;
	for (uint64_t i = begin_at(nb, mask, rq->height ? rq->height : TRACE_LINES, rq->first, &end); i < end; i++) {
		const struct event *e = &nb->event[i % NOTED_EVENTS];
		if (!(mask >> e->kind & 1))
			continue;
		event_describe(d, e, t);
		text_add(t, "\n");
		any = true;
	}
	if (!any)
		text_put(t, STYLE_DIM, "(no events yet)\n");
}

static json_t *event_json(const struct event *e)
{
	json_t *j = json_pack("{s:I,s:s,s:i,s:o,s:o}", "icount", (json_int_t)e->icount, "ev", kind_names[e->kind], "cs", (int)e->cs,
		"eip", json_hex(e->eip), "cr3", json_hex(e->cr3));

	if (e->kind <= EVENT_EXCEPTION)
		json_object_set_new(j, "vector", json_integer(e->vector));
	if (e->kind == EVENT_EXCEPTION) {
		json_object_set_new(j, "err", json_integer(e->error));
		if (e->vector == VEC_PF)
			json_object_set_new(j, "cr2", json_hex(e->cr2));
	}
	if (e->kind == EVENT_CONTROL) {
		json_object_set_new(j, "kind", json_string(e->register_kind == WROTE_CR ? "cr" : e->register_kind == WROTE_DR ? "dr" : "msr"));
		json_object_set_new(j, "number", json_integer(e->number));
		json_object_set_new(j, "old", json_hex(e->old));
		json_object_set_new(j, "value", json_hex(e->value));
	}
	if (e->kind == EVENT_WALK) {
		json_object_set_new(j, "la", json_hex(e->access.la));
		json_object_set_new(j, "access", json_string(access_kind_name(e->access.kind)));
		json_object_set_new(j, "user", json_boolean(e->access.user));
		json_object_set_new(j, "entry", json_hex(e->entry));
		json_object_set_new(j, "value", json_hex(e->value));
		if (e->result == WALK_OK)
			json_object_set_new(j, "pa", json_hex(e->pa));
		else
			json_object_set_new(j, "err", json_integer(e->error));
	}
	return j;
}

json_t *view_trace_json(struct debugger *d, const struct view_request *rq)
{
	struct notebook *nb = notebook(d);
	unsigned mask;
	uint64_t end;
	struct text err = { 0 };
	json_t *list = json_array();

	if (!nb || !kinds_of(rq->argument, &mask, &err))
		return json_decref(list), view_error(&err);
	for (uint64_t i = begin_at(nb, mask, rq->height ? rq->height : TRACE_LINES, rq->first, &end); i < end; i++)
		if (mask >> nb->event[i % NOTED_EVENTS].kind & 1)
			json_array_append_new(list, event_json(&nb->event[i % NOTED_EVENTS]));
	return json_pack("{s:o}", "events", list);
}
