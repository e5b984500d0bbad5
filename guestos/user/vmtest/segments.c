/* vmtest/segments.c: segments of a program's own. Each access that must be refused is made in a child, on memory that is mapped, so that only
 * the segment can refuse it: SIGSEGV from a general protection fault, SIGBUS from a stack fault or an absent segment. */
#include "vmtest.h"

#include <errno.h>
#include <segment.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define AREA (4 * PAGE_SIZE)
static uint8_t area[AREA] __attribute__((aligned(4096)));
#define MIDDLE (area + PAGE_SIZE)

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

static void make(struct user_desc u) { CHECK(segment_make(u) == 0, "modify_ldt: %s", strerror(errno)); }

static void data_segment(uint32_t entry, const void *base, uint32_t limit)
{
	make((struct user_desc){.entry_number = entry, .base_addr = (uint32_t)base, .limit = limit, .seg_32bit = 1});
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
void segments_helper(void)
{
	uint64_t table[4];

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
static void keep_switching(void *argument)
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

/* A segment goes away while it is in use: the kernel finds out on its way back to the program. */

static void clear_data(void *unused)
{
	(void)unused;
	data_segment(0, MIDDLE, 99);
	load_fs(LOCAL(0));
	__asm__ volatile("movw %w0, %%es\n\tmovw %w0, %%gs" : : "r"(LOCAL(0)));
	segment_clear(0);
	CHECK_EQ(stored_fs(), 0);                      /* the kernel could not give it back */
	__asm__ volatile("pushl %%ds\n\tpopl %%es" : : : "memory");
	CHECK_EQ(getpid() > 0, 1);
	fs_read8(0);
}

static void clear_ds(void *unused)
{
	long result;

	(void)unused;
	data_segment(0, NULL, 0xfffff);
	make((struct user_desc){.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1});
	static struct user_desc none = {.read_exec_only = 1, .seg_not_present = 1};
	__asm__ volatile("movw %w1, %%ds\n\tint $0x80\n\tpushl %%es\n\tpopl %%ds" : "=a"(result)
		: "r"(LOCAL(0)), "0"(SYS_modify_ldt), "b"(0x11), "c"(&none), "d"(sizeof(none)) : "memory");
	CHECK_EQ(result, 0);
}

struct change { bool code; struct user_desc to; };

/* Runs on entry 0 as CS or SS, then changes entry 0. No instruction of the program follows. */
static void change_under(void *argument)
{
	struct change *c = argument;
	long result;

	make((struct user_desc){.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .contents = c->code ? MODIFY_LDT_CONTENTS_CODE : 0});
	if (c->code)
		__asm__ volatile("pushl %1\n\tpushl $1f\n\tlret\n1:\tint $0x80" : "=a"(result)
			: "r"(LOCAL(0)), "0"(SYS_modify_ldt), "b"(0x11), "c"(&c->to), "d"(sizeof(c->to)) : "memory");
	else
		__asm__ volatile("movw %w1, %%ss\n\tint $0x80" : "=a"(result)
			: "r"(LOCAL(0)), "0"(SYS_modify_ldt), "b"(0x11), "c"(&c->to), "d"(sizeof(c->to)) : "memory");
	_exit(result ? 90 : 0);
}

static void gone(void)
{
	struct user_desc flat = {.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1}, d;

	must_be_killed(clear_data, NULL, SIGSEGV);
	CHECK_EQ(child_status(clear_ds, NULL), 0);
	for (int code = 0; code < 2; code++) {
		struct change c = {.code = code, .to = {.read_exec_only = 1, .seg_not_present = 1}};
		must_be_killed(change_under, &c, SIGSEGV);             /* gone */
		flat.contents = code ? MODIFY_LDT_CONTENTS_CODE : 0;
		d = flat;
		d.seg_not_present = 1;
		c.to = d;
		must_be_killed(change_under, &c, SIGBUS);              /* absent */
		d = flat;
		d.contents = code ? 0 : MODIFY_LDT_CONTENTS_CODE;
		c.to = d;
		must_be_killed(change_under, &c, SIGSEGV);             /* of the wrong kind */
		c.to = flat;
		CHECK_EQ(child_status(change_under, &c), 0);           /* unchanged */
	}
	if (segments_are_checked()) {
		struct change c = {.code = true, .to = {.limit = 99, .seg_32bit = 1, .contents = MODIFY_LDT_CONTENTS_CODE}};
		must_be_killed(change_under, &c, SIGSEGV);             /* EIP is beyond it now */
	}
}

/* What a handler is told of such a return that failed. Every register has a value of its own; the handler puts CS right. */
static volatile mcontext_t told;
static volatile int times_told;

static void put_right(int signal, siginfo_t *info, void *context)
{
	mcontext_t *regs = context_of(context);

	(void)signal;
	(void)info;
	memcpy((void *)&told, regs, sizeof(told));
	if (times_told++ == 0)
		regs->cs = FLAT_CODE;
}

static uint32_t esp_before __attribute__((used)), eip_after __attribute__((used));

static void repaired(void)
{
	static struct user_desc none = {.read_exec_only = 1, .seg_not_present = 1};
	uint32_t result, esi, edi;

	make((struct user_desc){.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .contents = MODIFY_LDT_CONTENTS_CODE});
	data_segment(1, MIDDLE, 9);
	MIDDLE[3] = 77;
	load_fs(LOCAL(1));
	catch_signal(SIGSEGV, put_right, 0);
	__asm__ volatile("pushl %%ebp\n\tmovl $0xb9b9b9b9, %%ebp\n\tmovl %%esp, esp_before\n\tmovl $2f, eip_after\n\tpushl %3\n\tpushl $1f\n\tlret\n"
		"1:\tint $0x80\n2:\tpopl %%ebp" : "=a"(result), "=S"(esi), "=D"(edi)
		: "i"(LOCAL(0)), "0"(SYS_modify_ldt), "b"(0x11), "c"(&none), "d"(sizeof(none)), "1"(0x51515151), "2"(0xd1d1d1d1) : "memory", "cc");
	CHECK_EQ(times_told, 1);
	CHECK(result == 0 && esi == 0x51515151 && edi == 0xd1d1d1d1, "afterwards: 0x%x 0x%x 0x%x", (unsigned)result, (unsigned)esi, (unsigned)edi);
	CHECK_EQ(told.trapno, 13);
	CHECK_EQ(told.err, 4);
	CHECK(told.eip == eip_after && told.esp == esp_before && told.cs == LOCAL(0) && told.ss == FLAT_DATA, "at 0x%x:0x%x, stack 0x%x:0x%x",
		(unsigned)told.cs, (unsigned)told.eip, (unsigned)told.ss, (unsigned)told.esp);
	CHECK(told.eax == 0 && told.ebx == 0x11 && told.ecx == (uint32_t)&none && told.edx == sizeof(none) && told.esi == 0x51515151 &&
		told.edi == 0xd1d1d1d1 && told.ebp == 0xb9b9b9b9, "a register is wrong");
	CHECK(told.fs == LOCAL(1) && told.ds == FLAT_DATA && told.es == FLAT_DATA, "a segment register is wrong: fs 0x%x", (unsigned)told.fs);
	CHECK_EQ(fs_read8(3), 77);                     /* the handler's way back has it, too */
}

/* A handler returns to what does not exist: entry 0 is data, 1 code, 2 absent, 3 empty. */
static uint32_t changed_field, new_selector;

static void put_wrong(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	((uint32_t *)context_of(context))[changed_field] = new_selector;
}

static void return_wrong(void *unused)
{
	(void)unused;
	catch_signal(SIGTERM, put_wrong, 0);
	kill(getpid(), SIGTERM);
	if (changed_field == offsetof(mcontext_t, fs) / 4 && stored_fs() != new_selector)
		_exit(50 + stored_fs());
	_exit(0);
}

static void returned(void)
{
	static const uint32_t fields[] = {offsetof(mcontext_t, gs) / 4, offsetof(mcontext_t, fs) / 4, offsetof(mcontext_t, es) / 4,
		offsetof(mcontext_t, ds) / 4, offsetof(mcontext_t, cs) / 4, offsetof(mcontext_t, ss) / 4};
	struct user_desc flat = {.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1};

	make(flat);
	flat.entry_number = 1;
	flat.contents = MODIFY_LDT_CONTENTS_CODE;
	make(flat);
	flat.entry_number = 2;
	flat.seg_not_present = 1;
	make(flat);
	for (int i = 0; i < 6; i++)
		for (new_selector = 0; new_selector < 0x60; new_selector++) {
			changed_field = fields[i];
			int status = child_status(return_wrong, NULL);
			uint32_t loaded = i < 4 ? new_selector : new_selector | 3;     /* CS and SS: the kernel sees to it that they are of ring 3 */
			bool same = i == 4 ? loaded == FLAT_CODE || loaded == LOCAL(1) : loaded == FLAT_DATA || loaded == LOCAL(0);
			CHECK(!same || status == 0, "register %d = 0x%x: wait status 0x%x", i, (unsigned)new_selector, status);
			CHECK(i < 4 || same || WIFSIGNALED(status), "register %d = 0x%x: wait status 0x%x", i, (unsigned)new_selector, status);
			CHECK(i != 1 || new_selector < LOCAL(2) || (new_selector & 7) != 7 || status == 50 << 8, "fs = 0x%x: wait status 0x%x",
				(unsigned)new_selector, status);
		}
}

/* The kernel's stack is as deep after the hundredth time as after the first. */
static void gone_often(void)
{
	struct change c = {.code = true, .to = {.read_exec_only = 1, .seg_not_present = 1}};
	pid_t pid = start_child(keep_switching, (void *)1);

	for (int i = 0; i < 100; i++) {
		c.code = i & 1;
		must_be_killed(change_under, &c, SIGSEGV);
	}
	must_end_well(pid);
}

const struct test segment_tests[] = {
	{"segment-limit", "a limit in bytes is exact, for every width, reading and writing", limit_bytes, NULL},
	{"segment-limit-pages", "a limit in pages ends with its last page", limit_pages, NULL},
	{"segment-expand-down", "an expand-down segment holds what is above its limit, up to 64 KB or 4 GB", expand_down, NULL},
	{"segment-read-only", "a segment can be read-only on a page that is not", read_only, NULL},
	{"segment-execute-only", "code that can be called, not read; data that cannot be called", execute_only, NULL},
	{"segment-code-limit", "code cannot run past the limit of its segment", code_limit, NULL},
	{"segment-not-present", "a segment that is absent cannot be loaded, until it is present", not_present, NULL},
	{"segment-stack", "a stack in a segment ends where the segment ends", stack_segment, NULL},
	{"segment-kernel", "no base and limit lead into the kernel: paging decides", no_way_to_kernel, NULL},
	{"segment-refused", "bad functions, sizes, addresses, entries and kinds", refused, NULL},
	{"segment-old-function", "func 1 behaves as it did before func 0x11", old_function, NULL},
	{"segment-harmless", "12544 requests make only ring-3 code and data segments", only_harmless, NULL},
	{"segment-table", "512 segments at once", whole_table, NULL},
	{"segment-fork", "a child inherits the table, and then has its own", inherited, NULL},
	{"segment-exec", "a new program has no local segments", dropped, NULL},
	{"segment-switch", "six processes take turns, each with its own table or none", switched, NULL},
	{"segment-gone", "a segment cleared while a register holds it hurts only the program", gone, NULL},
	{"segment-put-right", "a handler is told of a code segment that is gone, with all registers, and puts it right", repaired, NULL},
	{"segment-sigreturn", "handlers that return to every selector in every segment register", returned, NULL},
	{"segment-gone-often", "... a hundred times, while another process runs", gone_often, NULL},
	{0}};
