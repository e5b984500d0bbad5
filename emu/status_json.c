/* emu/status_json.c: see status_json.h. */
#include "emu/status_json.h"

#include <jansson.h>
#include <stdio.h>

static json_t *tlb_json(const struct mmu *mmu)
{
	const struct tlb_stats *s = &mmu->stats;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "entries", (json_int_t)mmu->geometry.entries,
		"ways", (json_int_t)mmu->geometry.ways, "hits", (json_int_t)s->hits, "misses", (json_int_t)s->misses,
		"walks", (json_int_t)s->walks, "flushes", (json_int_t)s->flushes, "evictions", (json_int_t)s->evictions);
}

int status_json_write(const char *path, const struct outcome *o, const struct machine *m, double seconds, char *err)
{
	uint64_t icount = cpu_icount(&m->cpu);
	json_t *root = json_pack("{s:s, s:i, s:I, s:I, s:f, s:f, s:i, s:o}", "cause", o->cause, "exit_status", o->status,
		"instructions", (json_int_t)icount, "ticks", (json_int_t)machine_now(m), "seconds", seconds,
		"mips", seconds > 0 ? (double)icount / seconds / 1e6 : 0.0, "resets", (int)m->resets, "tlb", tlb_json(&m->mmu));

	if (root && m->want_debug_exit)
		json_object_set_new(root, "debug_exit_value", json_integer(m->exit_value));
	int r = root ? json_dump_file(root, path, JSON_INDENT(2)) : -1;
	json_decref(root);
	if (r)
		snprintf(err, ERROR_LINE, "cannot write status file '%s'", path);
	return r ? -1 : 0;
}
