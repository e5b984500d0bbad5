/* emu/debug/explain/why_json.c: the story as JSON: the same finds as why.c tells. */
#include <string.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/explain/fault_words.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/view/views.h"
#include "emu/debug/view/walk_diagram.h"
#include "emu/debug/explain/why_private.h"
#include "emu/diagnosis.h"
#include "emu/disasm.h"
#include "emu/report.h"

static void set_words(json_t *j, const char *key, struct text *t)
{
	json_t *s = json_string(text_plain(t));

	json_object_set_new(j, key, s ? s : json_string("?"));
	text_free(t);
}

static void set_place(const struct debugger *d, json_t *j, uint32_t la)
{
	struct source_line line;
	char name[128] = "";

	json_object_set_new(j, "eip", json_hex(la));
	if (!d->source)
		return;
	if (*source_symbol(d, la, name, sizeof(name)))
		json_object_set_new(j, "symbol", json_string(name));
	if (source_line_of(d, la, &line)) {
		json_object_set_new(j, "file", json_string(line.file));
		json_object_set_new(j, "line", json_integer(line.line));
	}
}

static json_t *fault_json(const struct story *s, const struct fault_record *r)
{
	json_t *j = json_object();
	struct text gate = { 0 };

	json_object_set_new(j, "vector", json_integer(r->fault.vector));
	json_object_set_new(j, "mnemonic", json_string(vector_mnemonic(r->fault.vector)));
	json_object_set_new(j, "name", json_string(vector_name(r->fault.vector)));
	json_object_set_new(j, "icount", json_integer((json_int_t)r->icount));
	if (r->fault.has_error)
		json_object_set_new(j, "error_code", json_hex(r->fault.error));
	if (r->fault.vector == VEC_PF)
		json_object_set_new(j, "cr2", json_hex(r->fault.cr2));
	json_object_set_new(j, "cs", json_hex(r->cs));
	set_place(s->d, j, r->eip);
	json_object_set_new(j, "esp", json_hex(r->esp));
	json_object_set_new(j, "cr3", json_hex(r->cr3));
	fault_gate_words(&s->d->m->cpu, r, &gate);
	set_words(j, "gate", &gate);
	return j;
}

static json_t *writer_json(const struct story *s, paddr_t entry, const struct entry_writer *e)
{
	static const char *const by[] = { "processor", "walk", "dma" };
	json_t *j = json_object();

	json_object_set_new(j, "entry", json_hex(entry));
	json_object_set_new(j, "known", json_boolean(e->known));
	if (!e->known)
		return j;
	json_object_set_new(j, "by", json_string(by[e->w.access.by]));
	json_object_set_new(j, "icount", json_integer((json_int_t)e->w.at.icount));
	json_object_set_new(j, "old", json_hex(e->w.old_value));
	json_object_set_new(j, "value", json_hex(e->w.value));
	set_place(s->d, j, e->w.eip);
	json_t *callers = json_array();
	for (unsigned i = 0; i < e->callers; i++) {
		json_t *caller = json_object();
		set_place(s->d, caller, e->caller[i]);
		json_array_append_new(callers, caller);
	}
	json_object_set_new(j, "callers", callers);
	return j;
}

static json_t *afterwards_json(const struct story *s)
{
	json_t *j = json_object(), *changes = json_array();

	json_object_set_new(j, "resumed", json_boolean(s->resumed));
	if (s->resumed)
		json_object_set_new(j, "icount", json_integer((json_int_t)s->resumed_at.icount));
	for (unsigned i = 0; i < s->then.levels; i++)
		if (story_entry_changed(s, i))
			json_array_append_new(changes, writer_json(s, s->then.step[i].addr, &s->after[i]));
	json_object_set_new(j, "changes", changes);
	return j;
}

static void set_page_fault(const struct story *s, json_t *j)
{
	const struct fault_record *r = story_fault(s);
	struct text address = { 0 };

	address_words(s->d, r->fault.cr2, r, &address);
	set_words(j, "address", &address);
	json_object_set_new(j, "walk", walk_json(&r->walk));
	if (s->before.looked)
		json_object_set_new(j, "last_write", writer_json(s, r->walk.step[s->blamed].addr, &s->before));
}

json_t *why_json(struct debugger *d, bool search)
{
	json_t *j = json_object(), *chain = json_array();
	struct text diagnosis = { 0 };
	struct story s;

	story_find(d, &s);
	json_object_set_new(j, "fault", s.none ? json_null() : fault_json(&s, story_fault(&s)));
	for (unsigned i = 0; i < s.count; i++)
		json_array_append_new(chain, fault_json(&s, &s.chain[i]));
	json_object_set_new(j, "chain", chain);
	if (s.none)
		return j;
	if (search)
		story_search(&s);
	json_object_set_new(j, "pending", json_boolean(s.pending));
	json_object_set_new(j, "triple_fault", json_boolean(s.shut_down));
	if (story_has_walk(&s))
		set_page_fault(&s, j);
	if (s.followed)
		json_object_set_new(j, "afterwards", afterwards_json(&s));
	if (s.count > 1 || s.shut_down) {
		diagnose_faults(d->m, s.first, &diagnosis);
		set_words(j, "diagnosis", &diagnosis);
	}
	if (*s.trouble)
		json_object_set_new(j, "trouble", json_string(s.trouble));
	return j;
}

json_t *view_why_json(struct debugger *d, const struct view_request *rq)
{
	return why_json(d, rq->argument && !strcmp(rq->argument, "search"));
}
