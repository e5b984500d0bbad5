/* emu/state/replay.c: `emu replay FILE`: runs a recording again, and says whether it was the same run. */
#include "emu/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/options.h"
#include "emu/state/state_file.h"
#include "emu/status.h"

struct replay {
	const char *path;
	struct state_file file;
	struct machine *m;
	struct moment good;            /* the last one that was as recorded */
};

static void put(void *owner, uint8_t byte)
{
	(void)owner;
	putchar(byte);
}

static struct moment now(const struct replay *r)
{
	return (struct moment){ .icount = cpu_icount(&r->m->cpu), .tick = machine_now(r->m) };
}

/* --- divergence ------------------------------------------------------------------------------------------------------ */

static int diverged(const struct replay *r, struct moment at, const char *what)
{
	fflush(stdout);
	return complain(STATUS_DIVERGED, "'%s' does not run as it was recorded: it was the same at instruction %llu (tick %llu), and at instruction %llu (tick %llu) %s",
		r->path, (unsigned long long)r->good.icount, (unsigned long long)r->good.tick, (unsigned long long)at.icount,
		(unsigned long long)at.tick, what);
}

/* 0, or the exit status. */
static int check(struct replay *r, struct moment at, uint64_t hash)
{
	char what[128];

	if (now(r).icount != at.icount) {
		snprintf(what, sizeof(what), "%llu instructions had been executed", (unsigned long long)now(r).icount);
		return diverged(r, at, what);
	}
	if (machine_hash(r->m) != hash)
		return diverged(r, at, "its state is another");
	r->good = at;
	return 0;
}

/* What the recording kept of its end says more than a hash does. */
static int check_end(struct replay *r)
{
	struct bytes state = { 0 };
	char field[128], what[256];
	const char *name = NULL;

	if (r->file.end_state.size && !machine_state_save(r->m, &state))
		name = machine_state_compare(&r->file.end_state, &state, field, sizeof(field));
	free(state.data);
	snprintf(what, sizeof(what), "%.128s is another", name ? name : "");
	return name ? diverged(r, r->file.end, what) : check(r, r->file.end, r->file.end_hash);
}

/* --- running --------------------------------------------------------------------------------------------------------- */

static int run_to_marks(struct replay *r)
{
	for (size_t i = 0; i < r->file.marks; i++) {
		const struct record_mark *k = &r->file.mark[i];
		uint64_t at = machine_now(r->m);
		if (k->at.tick > at)
			machine_run(r->m, k->at.tick - at);
		if (machine_now(r->m) != k->at.tick)
			return diverged(r, now(r), "it ended");
		int bad = check(r, k->at, k->hash);
		if (bad)
			return bad;
	}
	return 0;
}

/* An end that the host made (a key, a signal, a limit) is none of the machine's. */
static bool ends_by_itself(enum machine_stop stop)
{
	return stop != MACHINE_RAN && stop != MACHINE_REQUESTED && stop != MACHINE_INSTRUCTION_LIMIT;
}

static int run_all(struct replay *r)
{
	int bad = run_to_marks(r);

	if (bad)
		return bad;
	uint64_t at = machine_now(r->m);
	enum machine_stop stop = machine_run(r->m, r->file.end.tick > at ? r->file.end.tick - at : 0);
	fflush(stdout);
	if (machine_now(r->m) != r->file.end.tick)
		return diverged(r, now(r), "it ended");
	if (ends_by_itself(stop) != ends_by_itself(r->file.ended) || (ends_by_itself(stop) && stop != r->file.ended))
		return diverged(r, now(r), "it ended in another way");
	return check_end(r);
}

/* Built as the recording says, at its beginning, with its input waiting. */
static int build(struct replay *r, char *err)
{
	if (state_open(&r->file, r->path, err))
		return -1;
	if (!r->file.recording)
		return loader_fail(err, "'%s' is a snapshot, not a recording; emu run --load starts it", r->path);
	r->file.config.serial = r->file.config.debug = (struct char_out){ put, r };
	if (!(r->m = machine_create(&r->file.config, err)) || state_apply(&r->file, r->m, err))
		return -1;
	if (input_replay(&r->m->input, r->file.input, r->file.inputs))
		return loader_fail(err, "out of memory");
	r->good = now(r);
	return 0;
}

static int replay(struct replay *r)
{
	char err[ERROR_LINE];
	int status;

	if (build(r, err)) {
		status = complain(STATUS_ERROR, "%s", err);
	} else {
		uint64_t before = cpu_icount(&r->m->cpu);
		status = run_all(r);
		if (!status && ferror(stdout))
			status = complain(STATUS_ERROR, "the same run, but what the guest printed could not be written to standard output");
		else if (!status)
			complain(0, "replayed %llu instructions, same state (hash %016llx)",
				(unsigned long long)(cpu_icount(&r->m->cpu) - before), (unsigned long long)r->file.end_hash);
	}
	machine_free(r->m);
	state_close(&r->file);
	return status;
}

/* --- the command ----------------------------------------------------------------------------------------------------- */

static int set_path(void *target, const char *value, char *err)
{
	struct replay *r = target;

	if (r->path || !*value) {
		snprintf(err, ERROR_LINE, *value ? "'%.200s': only one FILE can be replayed" : "FILE%.0s must be the name of a file", value);
		return -1;
	}
	r->path = value;
	return 0;
}

static const struct option_row no_rows[] = { { 0 } };

static const struct option_set replay_options = {
	.usage = "emu replay FILE",
	.examples =
		"examples:\n"
		"  printf 'vmtest\\npoweroff\\n' | emu run --record run.emu\n"
		"  emu replay run.emu                        the same run again, here or on another computer\n"
		"  emu debug run.emu                         look at it, at any of its moments\n",
	.rows = no_rows,
	.operand = set_path,
	.notes =
		"What the guest sent to its console goes to standard output.\n"
		"Exit status: 0 the same run, 1 FILE cannot be replayed, 2 usage, 126 another run: a line says from where on.\n",
};

int command_replay(int argc, char **argv)
{
	char err[ERROR_LINE];
	struct replay *r = calloc(1, sizeof(*r));

	if (!r)
		return complain(STATUS_ERROR, "out of memory");
	int parsed = options_parse(&replay_options, argc, argv, r, err), status = STATUS_OK;
	if (parsed == OPTIONS_HELP)
		options_help(&replay_options, stdout);
	else if (parsed == OPTIONS_ERROR)
		status = complain(STATUS_USAGE, "%s", err);
	else if (!r->path)
		status = complain(STATUS_USAGE, "which recording? emu replay FILE");
	else
		status = replay(r);
	free(r);
	return status;
}
