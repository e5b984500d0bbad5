/* vmtest/segments.c: the table of segments: what modify_ldt accepts and makes, and which process has which table. */
#include "vmtest.h"
#include "segments.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t area[AREA] __attribute__((aligned(4096)));

void make(struct user_desc u) { CHECK(segment_make(u) == 0, "modify_ldt: %s", strerror(errno)); }

void data_segment(uint32_t entry, const void *base, uint32_t limit)
{
	make((struct user_desc){.entry_number = entry, .base_addr = (uint32_t)base, .limit = limit, .seg_32bit = 1});
}

/* What modify_ldt does and does not accept */

static void refused(void)
{
	struct user_desc u = {.base_addr = 1, .limit = 1};
	uint64_t table[2];

	CHECK_EQ(modify_ldt(0, table, sizeof(table)), 0);              /* none yet */
	CHECK_ERROR(modify_ldt(3, &u, sizeof(u)), ENOSYS);
	CHECK_ERROR(modify_ldt(0x11, &u, sizeof(u) - 1), EINVAL);
	CHECK_ERROR(modify_ldt(0x11, &u, sizeof(u) + 1), EINVAL);
	CHECK_ERROR(modify_ldt(0x11, NULL, sizeof(u)), EFAULT);
	CHECK_ERROR(modify_ldt(0x11, (void *)0xc0100000, sizeof(u)), EFAULT);
	u.entry_number = 8192;
	CHECK_ERROR(modify_ldt(0x11, &u, sizeof(u)), EINVAL);
	u.entry_number = ~0u;
	CHECK_ERROR(modify_ldt(0x11, &u, sizeof(u)), EINVAL);
	u.entry_number = 0;
	u.contents = 3;                                                /* conforming code that could be called */
	CHECK_ERROR(modify_ldt(0x11, &u, sizeof(u)), EINVAL);
	CHECK_ERROR(modify_ldt(1, &u, sizeof(u)), EINVAL);
	u.seg_not_present = 1;
	CHECK_ERROR(modify_ldt(1, &u, sizeof(u)), EINVAL);
	CHECK_EQ(modify_ldt(0x11, &u, sizeof(u)), 0);
	CHECK_ERROR(modify_ldt(0, (void *)0xc0000000, 16), EFAULT);
	CHECK_ERROR(modify_ldt(2, (void *)0xc0000000, 16), EFAULT);
	table[0] = 1;
	CHECK_EQ(modify_ldt(2, table, sizeof(table)), sizeof(table));
	CHECK_EQ(table[0], 0);
}

/* func 1: no descriptor is marked useable, and base and limit 0 mean none. */
static void old_function(void)
{
	struct user_desc u = {.limit = 99, .seg_32bit = 1, .useable = 1};
	uint64_t got;

	CHECK_EQ(modify_ldt(1, &u, sizeof(u)), 0);
	CHECK_EQ(modify_ldt(0, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got >> 40, 0x40f3);
	CHECK_EQ(modify_ldt(0x11, &u, sizeof(u)), 0);
	CHECK_EQ(modify_ldt(0, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got >> 40, 0x50f3);
	u.limit = 0;
	CHECK_EQ(modify_ldt(0x11, &u, sizeof(u)), 0);
	CHECK(segment_rights(LOCAL(0)), "one byte at address 0 is a segment");
	CHECK_EQ(modify_ldt(1, &u, sizeof(u)), 0);
	CHECK(!segment_rights(LOCAL(0)), "func 1 made a segment of nothing");
}

/* All flag words with all kinds of base and limit: what comes out is never a gate, never a system descriptor, never for ring 0. */
static void only_harmless(void)
{
	static const uint32_t numbers[] = {0, 1, 0xc0100008, 0xffffffff, 0x0000ffff, 0x00ec0000, 0x80000000};
	uint64_t got;
	int accepted = 0;

	for (uint32_t i = 0; i < 7 * 7 * 256; i++) {
		uint32_t u[4] = {0, numbers[i % 7], numbers[i / 7 % 7], i / 49 | (i % 3 ? 0 : 0xffffff00)};
		if (modify_ldt(i % 2 ? 1 : 0x11, u, sizeof(u)) < 0) {
			CHECK_EQ(errno, EINVAL);
			continue;
		}
		accepted++;
		CHECK_EQ(modify_ldt(0, &got, sizeof(got)), sizeof(got));
		uint32_t access = got >> 40 & 0xff, base = (got >> 16 & 0xffffff) | (got >> 32 & 0xff000000);
		uint32_t limit = (got & 0xffff) | (got >> 32 & 0xf0000);
		CHECK(got == 0 || (access & 0x70) == 0x70, "flags 0x%x: access byte 0x%x", (unsigned)u[3], (unsigned)access);
		CHECK((access & 0x9c) != 0x9c, "flags 0x%x: conforming code, access byte 0x%x", (unsigned)u[3], (unsigned)access);
		CHECK(got == 0 || (base == u[1] && limit == (u[2] & 0xfffff)), "base 0x%x limit 0x%x became 0x%x 0x%x", (unsigned)u[1],
			(unsigned)u[2], (unsigned)base, (unsigned)limit);
	}
	CHECK(accepted > 8000, "only %d were accepted", accepted);
}

static void whole_table(void)
{
	static uint64_t table[520];

	for (int i = 511; i >= 0; i--)
		data_segment(i, area + i, 0);
	for (int i = 0; i < 512; i++) {
		area[i] = i * 31 >> 2;
		load_fs(LOCAL(i));
		CHECK_EQ(fs_read8(0), (i * 31 >> 2) & 0xff);
	}
	struct user_desc u = {.entry_number = 512, .limit = 1};
	CHECK_ERROR(segment_make(u), ENOMEM);                          /* one page of them */
	memset(table, 0xff, sizeof(table));
	CHECK_EQ(modify_ldt(0, table, sizeof(table)), sizeof(table));
	for (int i = 0; i < 520; i++)
		CHECK(i < 512 ? table[i] >> 40 & 0x80 : table[i] == 0, "descriptor %d is 0x%llx", i, table[i]);
}

/* Who has which table */

static void child_of_fork(void *unused)
{
	(void)unused;
	load_fs(LOCAL(3));
	CHECK_EQ(fs_read8(0), 33);
	data_segment(3, MIDDLE + 1, 9);                /* the child's own, from here on */
	data_segment(4, MIDDLE, 9);
	load_fs(LOCAL(3));
	CHECK_EQ(fs_read8(0), 44);
}

static void inherited(void)
{
	uint32_t limit;

	MIDDLE[0] = 33;
	MIDDLE[1] = 44;
	data_segment(3, MIDDLE, 9);
	load_fs(LOCAL(3));                             /* in the register, too */
	must_end_well(start_child(child_of_fork, NULL));
	CHECK_EQ(stored_fs(), LOCAL(3));
	CHECK_EQ(fs_read8(0), 33);
	load_fs(LOCAL(3));
	CHECK_EQ(fs_read8(0), 33);
	CHECK(!segment_limit(LOCAL(4), &limit), "the child's new segment is in its parent's table");
}

/* After exec. Loading the old selector is what ends it, as it should. */
void segments_helper(const char *rest)
{
	uint64_t table[4];

	(void)rest;
	if (stored_fs() != 0 || modify_ldt(0, table, sizeof(table)) != 0 || segment_rights(LOCAL(0)) != 0)
		exit(5);
	load_fs(LOCAL(0));
	exit(6);
}

static void exec_helper_program(void *unused)
{
	char *argv[] = {"vmtest", "--helper", "segments", NULL};

	(void)unused;
	data_segment(0, MIDDLE, 9);
	load_fs(LOCAL(0));
	execve("/bin/vmtest", argv, environ);
	_exit(98);
}

static void dropped(void) { must_be_killed(exec_helper_program, NULL, SIGSEGV); }

#define SWITCHERS 6
#define TURNS 200

/* The last has no table; the others each have an entry 5 of their own. */
void keep_switching(void *argument)
{
	uint32_t who = (uint32_t)argument, limit;

	if (who < SWITCHERS - 1) {
		MIDDLE[who] = 100 + who;
		data_segment(5, MIDDLE + who, who);
		load_fs(LOCAL(5));
	}
	for (int i = 0; i < TURNS; i++) {
		sched_yield();
		if (who == SWITCHERS - 1) {
			CHECK(!segment_limit(LOCAL(5), &limit) && stored_fs() == 0, "a process without segments has one: fs 0x%x", (unsigned)stored_fs());
			continue;
		}
		CHECK_EQ(stored_fs(), LOCAL(5));
		CHECK_EQ(fs_read8(0), 100 + who);
		CHECK(segment_limit(LOCAL(5), &limit) && limit == who, "segment 5 of process %u has limit %u", (unsigned)who, (unsigned)limit);
	}
}

static void switched(void)
{
	pid_t pid[SWITCHERS];

	for (uint32_t i = 0; i < SWITCHERS; i++)
		pid[i] = start_child(keep_switching, (void *)i);
	for (int i = 0; i < SWITCHERS; i++)
		must_end_well(pid[i]);
}

const struct test segment_tests[] = {
	{"segment-refused", "bad functions, sizes, addresses, entries and kinds", refused, NULL},
	{"segment-old-function", "func 1 behaves as it did before func 0x11", old_function, NULL},
	{"segment-harmless", "12544 requests make only ring-3 code and data segments", only_harmless, NULL},
	{"segment-table", "512 segments at once", whole_table, NULL},
	{"segment-fork", "a child inherits the table, and then has its own", inherited, NULL},
	{"segment-exec", "a new program has no local segments", dropped, NULL},
	{"segment-switch", "six processes take turns, each with its own table or none", switched, NULL},
	{0}};
