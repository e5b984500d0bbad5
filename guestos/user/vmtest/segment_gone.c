/* vmtest/segment_gone.c: a segment goes away, or changes, while a register holds it: the kernel finds out on its way back to the program,
 * or when a handler returns. */
#include "vmtest.h"
#include "segments.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

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

const struct test segment_gone_tests[] = {
	{"segment-gone", "a segment cleared while a register holds it hurts only the program", gone, NULL},
	{"segment-put-right", "a handler is told of a code segment that is gone, with all registers, and puts it right", repaired, NULL},
	{"segment-sigreturn", "handlers that return to every selector in every segment register", returned, NULL},
	{"segment-gone-often", "... a hundred times, while another process runs", gone_often, NULL},
	{0}};
