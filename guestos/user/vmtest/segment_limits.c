/* vmtest/segment_limits.c: what a segment forbids: limits and rights.
 *
 * Each access that must be refused is made in a child, on memory that is mapped, so that only the segment can refuse it: SIGSEGV from a
 * general protection fault, SIGBUS from a stack fault or an absent segment. */
#include "vmtest.h"
#include "segments.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* An access through FS: how wide, where, and which. */
struct reach { uint32_t entry, offset, width; bool write; };

static void reach_it(void *argument)
{
	const struct reach *r = argument;
	load_fs(LOCAL(r->entry));
	if (r->width == 4)
		r->write ? fs_write32(r->offset, 1) : (void)fs_read32(r->offset);
	else
		r->write ? fs_write8(r->offset, 1) : (void)fs_read8(r->offset);
}

static void must_reach(uint32_t entry, uint32_t offset, uint32_t width)
{
	for (int write = 0; write < 2; write++) {
		struct reach r = {entry, offset, width, write};
		int status = child_status(reach_it, &r);
		CHECK(status == 0, "%u bytes at 0x%x %s: wait status 0x%x", (unsigned)width, (unsigned)offset, write ? "written" : "read", status);
	}
}

static void must_not_reach(uint32_t entry, uint32_t offset, uint32_t width)
{
	for (int write = 0; write < 2; write++) {
		struct reach r = {entry, offset, width, write};
		int status = child_status(reach_it, &r);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "%u bytes at 0x%x %s: wait status 0x%x", (unsigned)width,
			(unsigned)offset, write ? "written" : "read", status);
	}
}

static bool cannot_check(void)
{
	if (segments_are_checked())
		return false;
	note("NOT CHECKED: this machine's processor (QEMU's translator) ignores the limits and rights of segments");
	return true;
}

/* Limits */

static void limit_bytes(void)
{
	static const uint32_t limits[] = {0, 3, 4, 99, PAGE_SIZE - 1, PAGE_SIZE, 2 * PAGE_SIZE - 2};

	if (cannot_check())
		return;
	memset(area, 7, AREA);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint32_t limit = limits[i], got;
		data_segment(i, MIDDLE, limit);
		CHECK(segment_limit(LOCAL(i), &got) && got == limit, "LSL says 0x%x, not 0x%x", (unsigned)got, (unsigned)limit);
		must_reach(i, limit, 1);
		must_not_reach(i, limit + 1, 1);
		must_not_reach(i, limit - 2, 4);
		must_not_reach(i, (uint32_t)-1, 1);
		if (limit >= 3)
			must_reach(i, limit - 3, 4);
	}
}

static void limit_pages(void)
{
	if (cannot_check())
		return;
	memset(area, 7, AREA);
	for (uint32_t pages = 0; pages < 2; pages++) {
		make((struct user_desc){.base_addr = (uint32_t)MIDDLE, .limit = pages, .seg_32bit = 1, .limit_in_pages = 1});
		must_reach(0, pages * PAGE_SIZE + PAGE_SIZE - 1, 1);
		must_reach(0, pages * PAGE_SIZE + PAGE_SIZE - 4, 4);
		must_not_reach(0, pages * PAGE_SIZE + PAGE_SIZE, 1);
		must_not_reach(0, pages * PAGE_SIZE + PAGE_SIZE - 3, 4);
	}
}

/* Offsets from limit + 1 up are valid, as far as 64 KB or 4 GB. The base makes limit + 1 the middle of the area. */
static void expand_down(void)
{
	if (cannot_check())
		return;
	memset(area, 7, AREA);
	for (uint32_t limit = 99; limit < 0x10000; limit = limit * 7 + 3) {
		uint32_t base = (uint32_t)MIDDLE - (limit + 1);
		make((struct user_desc){.base_addr = base, .limit = limit, .seg_32bit = 1, .contents = MODIFY_LDT_CONTENTS_STACK});
		must_reach(0, limit + 1, 4);
		must_reach(0, limit + 1 + PAGE_SIZE, 1);
		must_not_reach(0, limit, 1);
		must_not_reach(0, limit - 2, 4);
	}
	/* 16 bits: the last byte is 0xffff. */
	make((struct user_desc){.base_addr = (uint32_t)MIDDLE - 0xffff, .limit = 0xff00, .contents = MODIFY_LDT_CONTENTS_STACK});
	must_reach(0, 0xffff, 1);
	must_reach(0, 0xfffc, 4);
	must_not_reach(0, 0x10000, 1);
	must_not_reach(0, 0xfffd, 4);
	/* Pages: limit n means the first n + 1 pages are refused. */
	make((struct user_desc){.base_addr = (uint32_t)MIDDLE - 5 * PAGE_SIZE, .limit = 4, .seg_32bit = 1, .limit_in_pages = 1,
		.contents = MODIFY_LDT_CONTENTS_STACK});
	must_reach(0, 5 * PAGE_SIZE, 1);
	must_not_reach(0, 5 * PAGE_SIZE - 1, 1);
}

/* Rights */

static void read_only(void)
{
	struct reach r = {0, 0, 1, false};

	if (cannot_check())
		return;
	make((struct user_desc){.base_addr = (uint32_t)MIDDLE, .limit = 99, .seg_32bit = 1, .read_exec_only = 1});
	CHECK_EQ(child_status(reach_it, &r), 0);
	r.write = true;
	must_be_killed(reach_it, &r, SIGSEGV);
	*MIDDLE = 5;                           /* the page itself is writable, and shows through */
	load_fs(LOCAL(0));
	CHECK_EQ(fs_read8(0), 5);
	/* Code, readable: never writable. */
	make((struct user_desc){.base_addr = (uint32_t)MIDDLE, .limit = 99, .seg_32bit = 1, .contents = MODIFY_LDT_CONTENTS_CODE});
	load_fs(LOCAL(0));
	CHECK_EQ(fs_read8(0), 5);
	must_be_killed(reach_it, &r, SIGSEGV);
}

/* A far call to "movl $42, %eax; lret" at offset 0 of a code segment. */
static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xcb};

static long call_far(uint32_t selector, uint32_t offset)
{
	struct __attribute__((packed)) { uint32_t offset; uint16_t selector; } to = {offset, selector};
	long result = 0;
	__asm__ volatile("lcall *%1" : "+a"(result) : "m"(to) : "memory", "cc");
	return result;
}

static void call_it(void *offset)
{
	_exit(call_far(LOCAL(0), (uint32_t)offset) == 42 ? 0 : 9);
}

static void execute_only(void)
{
	struct reach r = {0, 0, 1, false};

	memcpy(MIDDLE, answer, sizeof(answer));
	make((struct user_desc){.base_addr = (uint32_t)MIDDLE, .limit = sizeof(answer) - 1, .seg_32bit = 1, .read_exec_only = 1,
		.contents = MODIFY_LDT_CONTENTS_CODE});
	CHECK_EQ(call_far(LOCAL(0), 0), 42);
	must_be_killed(reach_it, &r, SIGSEGV);         /* it cannot even be loaded */
	/* Data is not for execution. */
	data_segment(0, MIDDLE, 99);
	must_be_killed(call_it, NULL, SIGSEGV);
}

static void code_limit(void)
{
	if (cannot_check())
		return;
	memset(MIDDLE, 0x90, 99);                      /* NOPs that lead to the end */
	memcpy(MIDDLE + 99, answer, sizeof(answer));
	struct user_desc u = {.base_addr = (uint32_t)MIDDLE, .limit = 99 + sizeof(answer) - 1, .seg_32bit = 1, .contents = MODIFY_LDT_CONTENTS_CODE};
	make(u);
	CHECK_EQ(call_far(LOCAL(0), 0), 42);
	u.limit--;                                     /* without its last byte */
	make(u);
	memset(MIDDLE, 0x90, 99);      /* Bochs keeps what it has decoded, and under which limit it did; not when somebody writes there */
	memcpy(MIDDLE + 99, answer, sizeof(answer));
	must_be_killed(call_it, NULL, SIGSEGV);
	must_be_killed(call_it, (void *)200, SIGSEGV);
}

static void not_present(void)
{
	struct reach r = {0, 0, 1, false};
	struct user_desc u = {.base_addr = (uint32_t)MIDDLE, .limit = 99, .seg_32bit = 1, .seg_not_present = 1};

	make(u);
	must_be_killed(reach_it, &r, SIGBUS);
	u.contents = MODIFY_LDT_CONTENTS_CODE;
	make(u);
	must_be_killed(call_it, NULL, SIGBUS);
	u.seg_not_present = 0;
	make(u);
	CHECK_EQ(child_status(reach_it, &r), 0);
}

/* Pushes n bytes on a stack of its own segment, then comes back to the flat one. */
static void push_on(void *n)
{
	__asm__ volatile("movl %%esp, %%esi\n\tmovw %w1, %%ss\n\tmovl %2, %%esp\n1:\tpushl $1\n\tsubl $4, %0\n\tja 1b\n\t"
		"movw %w3, %%ss\n\tmovl %%esi, %%esp" : "+r"(n) : "r"(LOCAL(0)), "r"(0x1000), "r"(FLAT_DATA) : "esi", "memory", "cc");
}

static void stack_segment(void)
{
	if (cannot_check())
		return;
	make((struct user_desc){.base_addr = (uint32_t)MIDDLE, .limit = 0xfff - 256, .seg_32bit = 1, .contents = MODIFY_LDT_CONTENTS_STACK});
	CHECK_EQ(child_status(push_on, (void *)256), 0);
	must_be_killed(push_on, (void *)260, SIGBUS);
}

/* Whatever the segment says, paging has the last word. */
static void no_way_to_kernel(void)
{
	struct reach r = {0, 0x100000, 4, false};

	make((struct user_desc){.base_addr = 0xc0000000, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1});
	must_be_killed(reach_it, &r, SIGSEGV);
	r.write = true;
	must_be_killed(reach_it, &r, SIGSEGV);
	make((struct user_desc){.base_addr = 0xffffffff, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1});
	r.offset = 0xc0100001;
	must_be_killed(reach_it, &r, SIGSEGV);
	*MIDDLE = 3;                                   /* addresses wrap at 4 GB */
	load_fs(LOCAL(0));
	CHECK_EQ(fs_read8((uint32_t)MIDDLE + 1), 3);
}

const struct test segment_limit_tests[] = {
	{"segment-limit", "a limit in bytes is exact, for every width, reading and writing", limit_bytes, NULL},
	{"segment-limit-pages", "a limit in pages ends with its last page", limit_pages, NULL},
	{"segment-expand-down", "an expand-down segment holds what is above its limit, up to 64 KB or 4 GB", expand_down, NULL},
	{"segment-read-only", "a segment can be read-only on a page that is not", read_only, NULL},
	{"segment-execute-only", "code that can be called, not read; data that cannot be called", execute_only, NULL},
	{"segment-code-limit", "code cannot run past the limit of its segment", code_limit, NULL},
	{"segment-not-present", "a segment that is absent cannot be loaded, until it is present", not_present, NULL},
	{"segment-stack", "a stack in a segment ends where the segment ends", stack_segment, NULL},
	{"segment-kernel", "no base and limit lead into the kernel: paging decides", no_way_to_kernel, NULL},
	{0}};
