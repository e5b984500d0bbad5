/* emu/debug/view/view_guest.c: the views `processes`, `regions` and `swap`: what the guest's own tables say (guest.h).
 *
 *   processes           all; > marks the one whose address space is in use
 *   regions [PROCESS]   of the current process, or of one by number or name; with how much of each is in memory
 *   swap                slots in use, neighbours folded
 */
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/guest_maps.h"
#include "emu/debug/view/views.h"

#define ROOM_MAX 100000u

static bool no_guest(const struct debugger *d, struct text *t)
{
	if (d->guest)
		return false;
	text_put(t, STYLE_DIM, " Nothing is known about this guest's own tables. --view FILE describes them.\n");
	return true;
}

/* All processes; NULL: none, or out of memory. */
static struct guest_process *all_processes(struct debugger *d, size_t *count)
{
	size_t n = guest_processes(d, NULL, 0);
	struct guest_process *p = n && n < ROOM_MAX ? calloc(n, sizeof(*p)) : NULL;

	*count = p ? guest_processes(d, p, n) : 0;
	*count = *count < n ? *count : n;
	return p;
}

static void put_process(const struct guest_process *p, struct text *t)
{
	enum style style = p->current ? STYLE_HERE : STYLE_PLAIN;

	text_put(t, style, "%s%6lld %6lld  %-11s ", p->current ? ">" : " ", (long long)p->id, (long long)p->parent, p->state);
	if (p->cr3)
		text_put(t, STYLE_ADDRESS, "%08x", p->cr3);
	else
		text_put(t, STYLE_DIM, "kernel  ");
	text_put(t, p->current ? STYLE_HERE : STYLE_NAME, "  %s\n", p->name);
}

void view_processes(struct debugger *d, const struct view_request *rq, struct text *t)
{
	size_t n;

	(void)rq;
	if (no_guest(d, t))
		return;
	struct guest_process *p = all_processes(d, &n);
	text_put(t, STYLE_TITLE, " %s: %zu process%s\n", guest_name(d->guest), n, n == 1 ? "" : "es");
	text_put(t, STYLE_TITLE, "     ID PARENT  STATE       CR3       NAME\n");
	for (size_t i = 0; i < n; i++)
		put_process(&p[i], t);
	free(p);
}

static json_t *process_json(const struct guest_process *p)
{
	return json_pack("{s:I,s:I,s:s,s:s,s:o,s:o,s:b}", "id", (json_int_t)p->id, "parent", (json_int_t)p->parent, "name", p->name, "state", p->state,
		"cr3", json_hex(p->cr3), "address", json_hex(p->address), "current", p->current);
}

json_t *view_processes_json(struct debugger *d, const struct view_request *rq)
{
	json_t *list = json_array();
	size_t n;
	struct guest_process *p = all_processes(d, &n);

	(void)rq;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, process_json(&p[i]));
	free(p);
	return json_pack("{s:s,s:o}", "guest", guest_name(d->guest), "processes", list);
}

/* --- regions -------------------------------------------------------------------------------------------------------- */

static bool is_named(const struct guest_process *p, const char *argument)
{
	char *end;
	long long id = strtoll(argument, &end, 10);

	return !strcmp(p->name, argument) || (end != argument && !*end && (long long)p->id == id);
}

/* The process asked for, or the current one. False: there is none. */
static bool choose(struct debugger *d, const struct view_request *rq, struct guest_process *out)
{
	bool named = rq->argument && *rq->argument;
	size_t n;
	struct guest_process *p = all_processes(d, &n);
	size_t i = 0;

	while (i < n && !(named ? is_named(&p[i], rq->argument) : p[i].current && p[i].cr3))
		i++;
	bool found = i < n;
	if (found)
		*out = p[i];
	free(p);
	return found || (!named && guest_process_of(d, d->m->cpu.cr3, out));
}

static struct guest_region *all_regions(struct debugger *d, const struct guest_process *p, size_t *count)
{
	size_t n = guest_regions(d, p, NULL, 0);
	struct guest_region *r = n && n < ROOM_MAX ? calloc(n, sizeof(*r)) : NULL;

	*count = r ? guest_regions(d, p, r, n) : 0;
	*count = *count < n ? *count : n;
	return r;
}

static void put_region(struct debugger *d, const struct guest_process *p, const struct guest_region *r, struct text *t)
{
	uint32_t pages = r->end > r->start ? (r->end - r->start) >> 12 : 0;

	text_put(t, STYLE_ADDRESS, " %08x-%08x", r->start, r->end);
	text_add(t, "  %-3s %6u %6u  ", r->rights, pages, guest_present_pages(d, p->cr3, r->start, r->end));
	text_add(t, "%-6s ", r->kind);
	text_put(t, STYLE_NAME, "%s", r->name);
	if (r->offset)
		text_put(t, STYLE_DIM, " +0x%llx", (unsigned long long)r->offset);
	text_add(t, "\n");
}

void view_regions(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct guest_process p;
	size_t n;

	if (no_guest(d, t))
		return;
	if (!choose(d, rq, &p)) {
		text_put(t, STYLE_DIM, rq->argument && *rq->argument ? " No process '%s'.\n" : " No process runs here%s.\n", rq->argument ? rq->argument : "");
		return;
	}
	struct guest_region *r = all_regions(d, &p, &n);
	text_put(t, STYLE_TITLE, " %s, process %lld: %zu region%s\n", p.name, (long long)p.id, n, n == 1 ? "" : "s");
	text_put(t, STYLE_TITLE, " ADDRESSES          RIGHTS PAGES PRESENT KIND NAME\n");
	for (size_t i = 0; i < n; i++)
		put_region(d, &p, &r[i], t);
	free(r);
}

json_t *view_regions_json(struct debugger *d, const struct view_request *rq)
{
	struct guest_process p;
	json_t *list = json_array();
	size_t n;

	if (!choose(d, rq, &p))
		return json_pack("{s:n,s:o}", "process", "regions", list);
	struct guest_region *r = all_regions(d, &p, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o,s:o,s:s,s:s,s:s,s:o,s:I}", "start", json_hex(r[i].start), "end", json_hex(r[i].end),
			"rights", r[i].rights, "kind", r[i].kind, "name", r[i].name, "offset", json_hex(r[i].offset),
			"present", (json_int_t)guest_present_pages(d, p.cr3, r[i].start, r[i].end)));
	free(r);
	return json_pack("{s:o,s:o}", "process", process_json(&p), "regions", list);
}

/* --- swap ----------------------------------------------------------------------------------------------------------- */

static struct guest_swap *all_slots(struct debugger *d, size_t *count)
{
	size_t n = guest_swap_slots(d, NULL, 0);
	struct guest_swap *s = n ? calloc(n, sizeof(*s)) : NULL;

	*count = s ? guest_swap_slots(d, s, n) : 0;
	*count = *count < n ? *count : n;
	return s;
}

void view_swap(struct debugger *d, const struct view_request *rq, struct text *t)
{
	size_t n;

	(void)rq;
	if (no_guest(d, t))
		return;
	struct guest_swap *s = all_slots(d, &n);
	text_put(t, STYLE_TITLE, " %s: %zu swap slot%s in use\n", guest_name(d->guest), n, n == 1 ? "" : "s");
	if (n)
		text_put(t, STYLE_TITLE, " SLOTS                 COUNT REFERENCES EACH\n");
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && s[end].slot == s[end - 1].slot + 1 && s[end].references == s[i].references
			&& !strcmp(s[end].owner, s[i].owner); end++)
			;
		text_put(t, STYLE_ADDRESS, " %llu", (unsigned long long)s[i].slot);
		if (end > i + 1)
			text_put(t, STYLE_ADDRESS, "-%llu", (unsigned long long)s[end - 1].slot);
		text_column(t, 22);
		text_add(t, "%6zu %10llu  %s\n", end - i, (unsigned long long)s[i].references, s[i].owner);
	}
	free(s);
}

json_t *view_swap_json(struct debugger *d, const struct view_request *rq)
{
	json_t *list = json_array();
	size_t n;
	struct guest_swap *s = all_slots(d, &n);

	(void)rq;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:I,s:I,s:s}", "slot", (json_int_t)s[i].slot, "references", (json_int_t)s[i].references,
			"owner", s[i].owner));
	free(s);
	return json_pack("{s:s,s:o}", "guest", guest_name(d->guest), "slots", list);
}
