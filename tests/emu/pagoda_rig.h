/* tests/emu/pagoda_rig.h: Pagoda in a machine with a debugger's eyes, its console kept as text; for tests of what the debugger knows of it. */
#ifndef TESTS_EMU_PAGODA_RIG_H
#define TESTS_EMU_PAGODA_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/guest.h"
#include "emu/debug/guest/source.h"

struct rig {
	struct kernel kernel;
	struct disk *disk;
	struct debugger d;             /* not debugger_init: nothing here runs backwards */
	const char *input;
	char out[65536];
	size_t printed, seen;
};

static char rig_err[ERROR_LINE];

static void rig_put(void *owner, uint8_t byte)
{
	struct rig *r = owner;

	if (byte != '\r' && r->printed + 1 < sizeof(r->out))
		r->out[r->printed++] = (char)byte;
}

static int rig_next(void *owner)
{
	struct rig *r = owner;

	return *r->input ? (unsigned char)*r->input++ : -1;
}

static void rig_start(struct rig *r, const char *kernel, const char *image, uint64_t memory, const char *input)
{
	struct machine_config config = { .memory = memory, .disk_name = { "pagoda.img" } };

	*r = (struct rig){ .input = input };
	ck_assert_msg(!kernel_open(&r->kernel, kernel, rig_err), "%s", rig_err);
	r->disk = disk_open(image, true, rig_err, sizeof(rig_err));
	ck_assert_msg(r->disk, "%s", rig_err);
	config.disk[0] = r->disk;
	config.kernel = &r->kernel;
	config.serial = config.debug = (struct char_out){ rig_put, r };
	config.input = (struct input_source){ rig_next, r };
	r->d.m = machine_create(&config, rig_err);
	ck_assert_msg(r->d.m, "%s", rig_err);
	r->d.source = source_open(&r->kernel);
	ck_assert_ptr_nonnull(r->d.source);
	ck_assert_msg(!guest_open(&r->d, NULL, &r->d.guest, rig_err), "%s", rig_err);
}

static void rig_end(struct rig *r)
{
	guest_close(r->d.guest);
	source_close(r->d.source);
	machine_free(r->d.m);
	kernel_close(&r->kernel);
	r->disk->close(r->disk);
}

/* Until text is on the console, behind what was waited for before, in steps so short that whoever wrote it has hardly gone on. */
static void rig_run_until(struct rig *r, const char *text, unsigned millions)
{
	for (uint64_t i = 0; i < millions * 1000ull; i++) {
		ck_assert_int_eq(machine_run(r->d.m, 1000), MACHINE_RAN);
		r->out[r->printed] = 0;
		const char *at = strstr(r->out + r->seen, text);
		if (at) {
			r->seen = (size_t)(at - r->out) + strlen(text);
			return;
		}
	}
	ck_abort_msg("'%s' does not come; the console says: %s", text, r->out);
}

#endif
