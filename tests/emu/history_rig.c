/* tests/emu/history_rig.c: see history_rig.h. */
#include "tests/emu/history_rig.h"

#include <check.h>
#include <stdlib.h>

#include "emu/hash.h"
#include "emu/state/machine_state.h"

char err[ERROR_LINE];
const char script[] = "ls /bin | sort > /x ; cat /x /x | wc\ndemo-cow ; demo-swap\ncp /x /y ; rm /x\nvmtest\n";

static void put(void *owner, uint8_t byte)
{
	(void)byte;
	((struct rig *)owner)->printed++;
}

static int next(void *owner)
{
	struct rig *r = owner;

	return *r->input ? (unsigned char)*r->input++ : -1;
}

void start_with(struct rig *r, const char *kernel, const char *image, bool snapshot, const char *input, struct machine_config config)
{
	*r = (struct rig){ .input = input };
	ck_assert_msg(!kernel_open(&r->kernel, kernel, err), "%s", err);
	if (image) {
		r->disk = disk_open(image, snapshot, err, sizeof(err));
		ck_assert_msg(r->disk, "%s", err);
	}
	config.disk[0] = r->disk;
	config.disk_name[0] = image;
	config.kernel = &r->kernel;
	config.serial = config.debug = (struct char_out){ put, r };
	config.input = (struct input_source){ next, r };
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
}

void start_pagoda(struct rig *r, struct tlb_geometry tlb, const char *input)
{
	start_with(r, PAGODA_DIR "/pagoda.elf", PAGODA_DIR "/pagoda.img", true, input,
		(struct machine_config){ .memory = 4u << 20, .tlb = tlb });
}

void remember(struct rig *r, uint64_t limit)
{
	r->h = history_create(r->m, limit, err);
	ck_assert_msg(r->h, "%s", err);
}

void end(struct rig *r)
{
	history_free(r->h);
	machine_free(r->m);
	kernel_close(&r->kernel);
	if (r->disk)
		r->disk->close(r->disk);
}

/* --- moments --------------------------------------------------------------------------------------------------------- */

uint64_t disk_hash(struct machine *m)
{
	struct disk *d = m->ide[0].drive[0].disk;
	uint8_t buf[64 * SECTOR_SIZE];
	struct hash h;

	hash_init(&h);
	for (uint64_t lba = 0; d && lba < d->sectors; ) {
		uint32_t n = d->sectors - lba < 64 ? (uint32_t)(d->sectors - lba) : 64;
		ck_assert_int_eq(d->read(d, lba, buf, n), 0);
		hash_bytes(&h, buf, n * SECTOR_SIZE);
		lba += n;
	}
	return hash_result(&h);
}

struct print print_of(struct machine *m, bool disk)
{
	struct bytes b = { 0 };
	struct hash h;

	ck_assert_int_eq(machine_state_save(m, &b), 0);
	hash_init(&h);
	hash_bytes(&h, b.data, b.size);
	free(b.data);
	return (struct print){ machine_hash(m), hash_result(&h), disk ? disk_hash(m) : 0 };
}

void check_same(struct machine *m, const struct print *p, bool disk, const char *what, uint64_t at)
{
	struct print q = print_of(m, disk);

	ck_assert_msg(p->memory == q.memory, "%s %llu: memory or registers differ", what, (unsigned long long)at);
	ck_assert_msg(p->state == q.state, "%s %llu: the saved state differs", what, (unsigned long long)at);
	ck_assert_msg(!disk || p->disk == q.disk, "%s %llu: the disk differs", what, (unsigned long long)at);
}
