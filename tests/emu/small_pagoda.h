/* tests/emu/small_pagoda.h: Pagoda in 4 MB, so that it swaps, with a script of shell commands for the tests that compare two runs of it. */
#ifndef TESTS_EMU_SMALL_PAGODA_H
#define TESTS_EMU_SMALL_PAGODA_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "emu/machine.h"

static const char rig_script[] = "demo-cow | wc ; demo-swap\nls /bin | sort > /x ; cat /x /x | wc\nvmtest\n";

struct rig {
	struct kernel kernel;
	struct disk *disk;
	struct machine *m;
	const char *input;
	size_t printed;
};

static inline void rig_put(void *owner, uint8_t byte)
{
	(void)byte;
	((struct rig *)owner)->printed++;
}

static inline int rig_next(void *owner)
{
	struct rig *r = owner;

	return *r->input ? (unsigned char)*r->input++ : -1;
}

static inline void rig_start(struct rig *r, struct tlb_geometry tlb)
{
	char err[ERROR_LINE];
	struct machine_config config = { .memory = 4u << 20, .tlb = tlb, .disk_name = { "pagoda.img" } };

	*r = (struct rig){ .input = rig_script };
	ck_assert_msg(!kernel_open(&r->kernel, PAGODA_DIR "/pagoda.elf", err), "%s", err);
	r->disk = disk_open(PAGODA_DIR "/pagoda.img", true, err, sizeof(err));
	ck_assert_msg(r->disk, "%s", err);
	config.disk[0] = r->disk;
	config.kernel = &r->kernel;
	config.serial = config.debug = (struct char_out){ rig_put, r };
	config.input = (struct input_source){ rig_next, r };
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
}

static inline void rig_end(struct rig *r)
{
	machine_free(r->m);
	kernel_close(&r->kernel);
	r->disk->close(r->disk);
}

#endif
