/* emu/debug/view/view_walk.c: the view `walk`: one translation as a diagram.
 *
 *   walk                          what follows from the stop: the walk step in progress, the page fault, the watched access, else the next fetch
 *   walk [user] [write|fetch] ADDRESS
 */
#include <string.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/view/views.h"
#include "emu/debug/view/walk_diagram.h"

/* What to draw, and how much of it. */
struct scene {
	struct walk walk;
	unsigned levels;
	const struct micro_event *event;       /* of the walk step in progress, or NULL */
};

static void walk_now(const struct debugger *d, laddr_t la, enum access_kind kind, bool user, struct scene *s)
{
	struct access a = { .la = la, .kind = kind, .user = user };

	page_walk(&d->m->phys, &d->m->mmu.pg, &a, &s->walk);
	s->levels = s->walk.levels;
}

/* --- from a walk step -------------------------------------------------------------------------------------------- */

static bool about_a_walk(enum micro_kind kind)
{
	return kind >= MICRO_FETCH && kind <= MICRO_FAULT;
}

static unsigned levels_known(const struct micro_event *e)
{
	switch (e->kind) {
	case MICRO_FETCH: case MICRO_READ: case MICRO_WRITE: case MICRO_TLB_MISS:
		return 0;
	case MICRO_ENTRY:
		return e->level + 1;
	default:
		return e->walk.levels;
	}
}

/* The last event shown that has to do with a walk. */
static bool scene_of_micro(const struct micro *u, struct scene *s)
{
	if (!u || !u->position)
		return false;
	for (size_t i = u->position; i-- > 0;) {
		const struct micro_event *e = &u->event[i];
		if (!about_a_walk(e->kind) || (e->kind == MICRO_FAULT && e->fault.fault.vector != VEC_PF))
			continue;
		s->walk = e->walk;
		s->levels = levels_known(e);
		s->event = &u->event[u->position - 1];
		return true;
	}
	return false;
}

/* --- from the stop, or from words ------------------------------------------------------------------------------------ */

/* The mapping of a page has changed: the access that the last fault kept from it, if that was there, else any. */
static void scene_of_mapping(const struct debugger *d, uint32_t la, struct scene *s)
{
	const struct cpu *cpu = &d->m->cpu;
	const struct fault_record *f = cpu->fault_count ? &cpu->faults[(cpu->fault_count - 1) % FAULT_HISTORY] : NULL;

	if (f && f->fault.vector == VEC_PF && f->walk.levels && f->fault.cr2 >> PAGE_SHIFT == la >> PAGE_SHIFT)
		walk_now(d, f->fault.cr2, f->walk.access.kind, f->walk.access.user, s);
	else
		walk_now(d, la, ACCESS_READ, false, s);
}

static void scene_of_stop(const struct debugger *d, struct scene *s)
{
	const struct stop *stop = &d->stop;
	bool user = d->m->cpu.cpl == 3;

	if (stop->kind == STOP_BREAK && stop->hit && stop->hit->kind == BREAK_RESUME && stop->fault.fault.vector == VEC_PF) {
		/* The access that failed then, as it would go now. */
		const struct access *a = &stop->fault.walk.access;
		walk_now(d, a->la, a->kind, a->user, s);
	} else if (stop->kind == STOP_BREAK && stop->fault.fault.vector == VEC_PF && stop->fault.walk.levels) {
		s->walk = stop->fault.walk;
		s->levels = s->walk.levels;
	} else if (stop->kind == STOP_BREAK && stop->hit && stop->hit->kind == BREAK_MAPPING) {
		scene_of_mapping(d, stop->la, s);
	} else if (stop->kind == STOP_BREAK && stop->access.len) {
		walk_now(d, stop->la, stop->access.write ? ACCESS_WRITE : ACCESS_READ, user, s);
	} else {
		walk_now(d, debugger_pc(d), ACCESS_FETCH, user, s);
	}
}

static bool take_word(const char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*text, word, n) || ((*text)[n] != ' ' && (*text)[n] != '\t'))
		return false;
	*text += n + strspn(*text + n, " \t");
	return true;
}

static bool scene_of_words(struct debugger *d, const struct view_request *rq, struct scene *s, struct text *t)
{
	struct view_request inner = *rq;
	enum access_kind kind = ACCESS_READ;
	bool user = d->m->cpu.cpl == 3;
	uint64_t la;

	for (;;) {
		if (take_word(&inner.argument, "user"))
			user = true;
		else if (take_word(&inner.argument, "supervisor"))
			user = false;
		else if (take_word(&inner.argument, "write"))
			kind = ACCESS_WRITE;
		else if (take_word(&inner.argument, "fetch"))
			kind = ACCESS_FETCH;
		else if (!take_word(&inner.argument, "read"))
			break;
	}
	if (!view_address(d, &inner, 0, &la, t))
		return false;
	walk_now(d, (laddr_t)la, kind, user, s);
	return true;
}

static bool choose_scene(struct debugger *d, const struct view_request *rq, struct scene *s, struct text *t)
{
	memset(s, 0, sizeof(*s));
	if (rq->argument && *rq->argument)
		return scene_of_words(d, rq, s, t);
	if (!scene_of_micro(rq->micro, s))
		scene_of_stop(d, s);
	return true;
}

/* --- the TLB's opinion ------------------------------------------------------------------------------------------------- */

static void put_tlb_line(const struct debugger *d, const struct walk *w, struct text *t)
{
	const struct tlb_entry *e = w->paging.enabled ? mmu_tlb_probe(&d->m->mmu, w->access.la) : NULL;

	if (!w->paging.enabled)
		return;
	if (!e)
		text_put(t, STYLE_DIM, " TLB          holds nothing for this page\n");
	else if (w->result == WALK_OK && w->pa >> PAGE_SHIFT == e->frame)
		text_put(t, STYLE_GOOD, " TLB          holds frame 0x%08llx too\n", (unsigned long long)e->frame << PAGE_SHIFT);
	else
		text_put(t, STYLE_WARN, " TLB          holds frame 0x%08llx%s%s\n", (unsigned long long)e->frame << PAGE_SHIFT,
			 e->flags & TLB_U ? ", user" : "", e->flags & TLB_W ? ", writable" : ", read-only");
}

void view_walk(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct scene s;
	unsigned height = rq->height;

	if (!choose_scene(d, rq, &s, t))
		return;
	if (s.event) {
		text_put(t, STYLE_HERE, "> %zu/%zu ", rq->micro->position, rq->micro->count);
		micro_describe(d, s.event, t);
		text_add(t, "\n");
		height -= height > 1;
	}
	walk_diagram_fitted(d, &s.walk, s.levels, rq->width, height, rq->large, t);
	if (!s.event && (!height || text_lines(t) < height))
		put_tlb_line(d, &s.walk, t);
}

/* --- JSON ---------------------------------------------------------------------------------------------------------------- */

static json_t *step_json(const struct walk *w, unsigned i)
{
	const struct walk_step *s = &w->step[i];
	char letters[ENTRY_LETTERS + 1], words[40];
	json_t *j = json_object();

	json_object_set_new(j, "entry", json_string(s->name));
	json_object_set_new(j, "index", json_integer(step_index(w, i)));
	json_object_set_new(j, "address", json_hex(s->addr));
	json_object_set_new(j, "value", json_hex(s->value));
	json_object_set_new(j, "bits", json_string(entry_letters(&w->paging, s->value, letters)));
	json_object_set_new(j, "sets", json_string(entry_letters(&w->paging, s->set, letters)));
	json_object_set_new(j, "leads_to", json_hex(step_base(w, i + 1)));
	if (step_blame(w, i))
		json_object_set_new(j, "stops", json_string(step_blame_words(w, i, words, sizeof(words))));
	return j;
}

json_t *walk_json(const struct walk *w)
{
	json_t *j = json_object(), *entries = json_array();

	json_object_set_new(j, "address", json_hex(w->access.la));
	json_object_set_new(j, "access", json_string(access_words(&w->access)));
	json_object_set_new(j, "paging", json_boolean(w->paging.enabled));
	json_object_set_new(j, "cr3", json_hex(w->paging.cr3));
	for (unsigned i = 0; i < w->levels; i++)
		json_array_append_new(entries, step_json(w, i));
	json_object_set_new(j, "entries", entries);
	json_object_set_new(j, "result", json_string(walk_result_name(w->result)));
	if (w->result == WALK_OK)
		json_object_set_new(j, "physical", json_hex(w->pa));
	else
		json_object_set_new(j, "error_code", json_hex(w->pf_code));
	return j;
}

json_t *view_walk_json(struct debugger *d, const struct view_request *rq)
{
	struct text t = { 0 };
	struct scene s;
	json_t *j;

	if (choose_scene(d, rq, &s, &t)) {
		j = walk_json(&s.walk);
	} else {
		j = json_object();
		json_object_set_new(j, "error", json_string(text_plain(&t)));
	}
	text_free(&t);
	return j;
}
