/* tests/emu/state_parts.h: a state file taken to pieces, and put together again with a good checksum. */
#ifndef TESTS_EMU_STATE_PARTS_H
#define TESTS_EMU_STATE_PARTS_H

#include <check.h>

#include "emu/state/chunks.h"

struct part { char tag[CHUNK_TAG + 1]; struct bytes data; };
#define PARTS_MOST 64

static unsigned read_parts(const char *path, struct part *part)
{
	char err[ERROR_LINE];
	struct chunk_reader *r = chunks_open(path, err);
	struct bytes b;
	unsigned n = 0;

	ck_assert_msg(r, "%s", err);
	for (int more; (more = chunks_next(r, part[n].tag, &b, err)); n++) {
		ck_assert_msg(more > 0 && n + 1 < PARTS_MOST, "%s", err);
		part[n].data = (struct bytes){ 0 };
		ck_assert(bytes_put(&part[n].data, b.data, b.size));
	}
	chunks_close(r);
	return n;
}

static void write_parts(const char *path, const struct part *part, unsigned n)
{
	char err[ERROR_LINE];
	struct state_output *o = state_output_begin(path, err);
	struct chunk_writer w;

	ck_assert_msg(o, "%s", err);
	ck_assert_int_eq(chunks_begin(&w, 1), 0);
	for (unsigned i = 0; i < n; i++)
		chunks_put(&w, part[i].tag, part[i].data.data, part[i].data.size);
	ck_assert_int_eq(chunks_end(&w), 0);
	state_output_take(o, &w);
	ck_assert_msg(!state_output_end(o, err), "%s", err);
	chunks_free(&w);
}

#endif
