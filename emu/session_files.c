/* emu/session_files.c: a session's state files: the snapshot it starts from, the one it leaves, and the recording it makes. */
#include "emu/session.h"

#include <stdio.h>
#include <string.h>

#include "emu/run.h"
#include "emu/status.h"

/* --- --load ---------------------------------------------------------------------------------------------------------- */

static int contradicts(const char *option, const char *path, const char *why, char *err)
{
	return loader_fail(err, "%s contradicts --load '%.200s': %s", option, path, why);
}

/* What the file decides cannot be chosen again. */
static int check_contradictions(const struct run_options *o, char *err)
{
	static const char with[] = "it comes with its own kernel and disks";
	const struct { const char *option; bool given; } files[] = {
		{ "IMAGE", o->image }, { "--kernel", o->kernel }, { "--initrd", o->initrds }, { "--append", o->append }, { "--disk", o->disks },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i].given)
			return contradicts(files[i].option, o->load, with, err);
	return 0;
}

static int check_machine(const struct run_options *o, const struct machine_config *c, char *err)
{
	char why[128];

	if (o->memory_given && o->memory != c->memory) {
		snprintf(why, sizeof(why), "its machine has %lluM", (unsigned long long)(c->memory >> 20));
		return contradicts("--memory", o->load, why, err);
	}
	if (o->tlb_given && (o->tlb.entries != c->tlb.entries || o->tlb.ways != c->tlb.ways)) {
		snprintf(why, sizeof(why), c->tlb.entries ? "its machine has entries=%u,ways=%u" : "its machine's is flat", c->tlb.entries, c->tlb.ways);
		return contradicts("--tlb", o->load, why, err);
	}
	if (o->seed_given && o->seed != c->seed) {
		snprintf(why, sizeof(why), "its machine was started with %llu", (unsigned long long)c->seed);
		return contradicts("--seed", o->load, why, err);
	}
	return 0;
}

int session_load(struct session *s, char *err)
{
	const struct run_options *o = &s->options;

	if (check_contradictions(o, err) || state_open(&s->loaded, o->load, err))
		return -1;
	if (s->loaded.recording && !s->debugged)
		return loader_fail(err, "'%.200s' is a recording: emu replay and emu debug open those, --load takes what --save wrote", o->load);
	return check_machine(o, &s->loaded.config, err);
}

/* --- --record -------------------------------------------------------------------------------------------------------- */

int session_record(struct session *s, char *err)
{
	if (!s->options.record && !s->options.history)
		return 0;
	if (!s->history && !(s->history = history_create(s->machine, s->options.history, err)))
		return -1;
	if (!s->options.record)
		return 0;
	s->recorder = record_begin(s->history, err);
	return s->recorder ? 0 : -1;
}

/* --- --save ---------------------------------------------------------------------------------------------------------- */

static int save(const struct session *s)
{
	char err[ERROR_LINE];

	if (state_save(s->machine, s->options.save, err))
		return complain(-1, "%s", err);
	return complain(0, "saved the machine in '%s'", s->options.save);
}

void session_save_when_asked(struct session *s)
{
	if (!s->console.save)
		return;
	s->console.save = false;
	fputc('\n', stderr);
	if (s->options.save)
		save(s);
	else
		complain(0, "Ctrl-A s saves to the FILE of --save, and none was given");
}

static int record(struct session *s, enum machine_stop ended)
{
	char err[ERROR_LINE];
	int r = record_end(s->recorder, ended, s->options.record, err);

	s->recorder = NULL;
	return r ? complain(-1, "%s", err) : complain(0, "recorded the run in '%s'", s->options.record);
}

int session_keep(struct session *s, enum machine_stop ended)
{
	int recorded = s->recorder ? record(s, ended) : 0;
	int saved = s->options.save ? save(s) : 0;

	return recorded || saved ? -1 : 0;
}
