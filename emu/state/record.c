/* emu/state/record.c: recordings: the machine as it was, the input that entered, and hashes on the way to the end.
 *
 *   input     u64 tick | u8 byte, again and again
 *   marks     the end: u64 icount | u64 tick | u32 enum machine_stop | u64 hash; then each mark: u64 icount | u64 tick | u64 hash
 *   end       machine_state_save() at the end, so that a replay that ends otherwise can say what is different
 *
 * The beginning is compressed into memory when it is recorded, since disks and memory change from then on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu/state/state_private.h"

struct recorder {
	struct history *history;
	struct machine *m;
	struct chunk_writer w;
	struct moment begin;
	struct record_mark *mark;
	size_t marks, room;
	bool failed;                   /* out of memory */
};

/* Marks come in order, but for those that history forgot when the machine was sent on from an earlier moment. */
static void on_checkpoint(void *owner, struct moment at, uint64_t hash)
{
	struct recorder *r = owner;

	while (r->marks && r->mark[r->marks - 1].at.tick >= at.tick)
		r->marks--;
	if (r->marks == r->room) {
		size_t room = r->room ? 2 * r->room : 64;
		struct record_mark *grown = realloc(r->mark, room * sizeof(*grown));
		if (!grown) {
			r->failed = true;
			return;
		}
		r->mark = grown;
		r->room = room;
	}
	r->mark[r->marks++] = (struct record_mark){ at, hash };
}

static void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	history_on_checkpoint(r->history, NULL, NULL);
	chunks_free(&r->w);
	free(r->mark);
	free(r);
}

struct recorder *record_begin(struct history *h, char *err)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r) {
		loader_fail(err, "out of memory");
		return NULL;
	}
	r->history = h;
	r->m = history_machine(h);
	r->begin = history_now(h);
	struct state_sink to = { &r->w, NULL };
	if (chunks_begin(&r->w, 1)) {
		loader_fail(err, "out of memory");
	} else if (!state_put_machine(&to, r->m, true, err)) {
		history_on_checkpoint(h, on_checkpoint, r);
		return r;
	}
	recorder_free(r);
	return NULL;
}

static bool put_moment(struct bytes *b, struct moment at)
{
	return bytes_put_number(b, at.icount, 8) && bytes_put_number(b, at.tick, 8);
}

static bool put_input(struct bytes *b, const struct input *in, uint64_t from)
{
	bool good = true;

	for (size_t i = 0; i < in->count && good; i++)
		if (in->event[i].tick >= from)
			good = bytes_put_number(b, in->event[i].tick, 8) && bytes_put_number(b, in->event[i].byte, 1);
	return good;
}

static bool put_marks(struct bytes *b, const struct recorder *r, struct moment end, enum machine_stop ended, uint64_t hash)
{
	bool good = put_moment(b, end) && bytes_put_number(b, ended, 4) && bytes_put_number(b, hash, 8);

	for (size_t i = 0; i < r->marks && good; i++)
		if (r->mark[i].at.tick <= end.tick)
			good = put_moment(b, r->mark[i].at) && bytes_put_number(b, r->mark[i].hash, 8);
	return good;
}

/* Everything after the beginning. False: out of memory. */
static bool put_end(struct recorder *r, enum machine_stop ended)
{
	struct state_sink to = { &r->w, NULL };
	struct bytes b = { 0 };
	bool good = put_input(&b, history_input(r->history), r->begin.tick);

	if (good)
		state_put(&to, "input", &b);
	b.size = 0;
	good = good && put_marks(&b, r, history_now(r->history), ended, machine_hash(r->m));
	if (good)
		state_put(&to, "marks", &b);
	b.size = 0;
	good = good && !machine_state_save(r->m, &b);
	if (good)
		state_put(&to, "end", &b);
	free(b.data);
	return good && !chunks_end(&r->w);
}

int record_end(struct recorder *r, enum machine_stop ended, const char *path, char *err)
{
	int result = -1;

	if (history_in_past(r->history) && history_goto_tick(r->history, history_present(r->history).tick, NULL, err) != HISTORY_OK) {
		recorder_free(r);
		return -1;
	}
	if (r->failed || history_input(r->history)->lost || !put_end(r, ended)) {
		loader_fail(err, "cannot write '%s': out of memory", path);
	} else {
		struct state_output *o = state_output_begin(path, err);
		if (o) {
			state_output_take(o, &r->w);
			result = state_output_end(o, err);
		}
	}
	recorder_free(r);
	return result;
}
