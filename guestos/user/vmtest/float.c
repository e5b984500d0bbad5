/* vmtest/float.c: what a process has in the processor besides its general registers: x87, SSE, thread-local storage.
 *
 * The tests' own code uses none of it, so what is put there stays until somebody else changes it: that is what is looked for.
 * References: [SDM2A "FXSAVE"], [SDM2A "FNINIT"]. */
#include "vmtest.h"

#include <errno.h>
#include <segment.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The FXSAVE image. */
struct registers {
	uint16_t control, status, tag, opcode;
	uint32_t fields[4], mxcsr, mxcsr_mask;
	uint8_t st[8][16], xmm[8][16];
	uint8_t unused[224];
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct registers) == 512, "layout is the processor's");

static void store(struct registers *r) { __asm__ volatile("fxsave %0" : "=m"(*r)); }
static void load(const struct registers *r) { __asm__ volatile("fxrstor %0" : : "m"(*r)); }

/* CPUID leaf 1 EDX: bit 0 is x87, bit 24 FXSAVE, bit 25 SSE. */
static bool have(uint32_t features, const char *what)
{
	uint32_t a = 1, b, c, d;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	if ((d & features) == features)
		return true;
	note("NOT CHECKED: this machine's processor has no %s", what);
	return false;
}

static bool have_sse(void) { return have(3u << 24, "SSE"); }

/* Fills all sixteen registers with values that belong to `who`. */
static void fill(uint32_t who)
{
	struct registers r;
	store(&r);
	r.tag = 0xff;
	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < 10; k++)
			r.st[i][k] = who * 31 + i * 10 + k;
		for (int k = 0; k < 16; k++)
			r.xmm[i][k] = who * 17 + i * 16 + k;
	}
	load(&r);
}

static bool filled(uint32_t who)
{
	struct registers r;
	bool good = true;
	store(&r);
	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < 10; k++)
			good &= r.st[i][k] == (uint8_t)(who * 31 + i * 10 + k);
		for (int k = 0; k < 16; k++)
			good &= r.xmm[i][k] == (uint8_t)(who * 17 + i * 16 + k);
	}
	return good;
}

static bool all_zero(const void *from, uint32_t n)
{
	const uint8_t *p = from;
	while (n && !*p)
		p++, n--;
	return !n;
}

/* What a program finds that has computed nothing: nothing of anybody else's. */
static bool fresh(void)
{
	struct registers r;
	store(&r);
	return r.control == 0x37f && !r.status && !r.tag && r.mxcsr == 0x1f80 && all_zero(r.st, sizeof(r.st)) && all_zero(r.xmm, sizeof(r.xmm));
}

void float_helper(const char *rest) { (void)rest; exit(fresh() ? 0 : 1); }

static void exec_float(void *unused)
{
	char *argv[] = {"vmtest", "--helper", "float", NULL};
	(void)unused;
	fill(9);
	execve("/bin/vmtest", argv, environ);
	_exit(98);
}

static void float_fresh(void)
{
	if (!have_sse())
		return;
	CHECK(fresh(), "a process begins with something in its floating-point registers");
	fill(1);
	CHECK_EQ(child_status(exec_float, NULL), 0);
	CHECK(filled(1), "a child's exec changed its parent's registers");
}

static void one_of_many(void *who)
{
	fill((uint32_t)who);
	for (int i = 0; i < 200; i++) {
		sched_yield();
		if (!filled((uint32_t)who))
			_exit(1);
	}
	_exit(0);
}

#define MANY 6
static void float_switch(void)
{
	pid_t pid[MANY];
	if (!have_sse())
		return;
	fill(77);
	for (uint32_t i = 0; i < MANY; i++)
		pid[i] = start_child(one_of_many, (void *)(i + 1));
	for (int i = 0; i < 100; i++) {
		sched_yield();
		CHECK(filled(77), "turn %d: somebody else's registers", i);
	}
	for (int i = 0; i < MANY; i++)
		must_end_well(pid[i]);
}

static void float_fork(void)
{
	int go[2];
	char c;
	if (!have_sse())
		return;
	CHECK_EQ(pipe(go), 0);
	fill(5);
	pid_t pid = fork();
	if (pid == 0) {
		if (read(go[0], &c, 1) != 1 || !filled(5))
			_exit(1);
		fill(6);
		_exit(filled(6) ? 0 : 2);
	}
	fill(7);                       /* the child's copy was made by fork */
	CHECK_EQ(write(go[1], "", 1), 1);
	must_end_well(pid);
	CHECK(filled(7), "the child changed its parent's registers");
}

static void float_pressure(void)
{
	if (!have_sse())
		return;
	fill(3);
	squeeze();
	CHECK(filled(3), "registers changed while memory was short");
}

/* The rounding mode is in the control word. This works with FNSAVE, too. */
static void one_control_word(void *word)
{
	uint16_t mine = (uint32_t)word, now;
	__asm__ volatile("fldcw %0" : : "m"(mine));
	for (int i = 0; i < 100; i++) {
		sched_yield();
		__asm__ volatile("fnstcw %0" : "=m"(now));
		if (now != mine)
			_exit(1);
	}
	_exit(0);
}

static void float_control(void)
{
	pid_t pid[4];
	if (!have(1, "x87"))
		return;
	for (uint32_t i = 0; i < 4; i++)
		pid[i] = start_child(one_control_word, (void *)(0x37f | i << 10));
	for (int i = 0; i < 4; i++)
		must_end_well(pid[i]);
}

/* Thread-local storage */

static uint32_t words[8];

static uint32_t read_gs(uint32_t offset)
{
	uint32_t value;
	__asm__ volatile("movl %%gs:(%1), %0" : "=r"(value) : "r"(offset));
	return value;
}

static void load_gs(uint32_t selector) { __asm__ volatile("movl %0, %%gs" : : "r"(selector)); }

static struct user_desc area_desc(uint32_t entry, const void *base)
{
	return (struct user_desc){.entry_number = entry, .base_addr = (uint32_t)base, .limit = sizeof(words) - 1, .seg_32bit = 1, .useable = 1};
}

static void child_tls(void *who)
{
	struct user_desc d = area_desc(6, &words[(uint32_t)who]);
	if (read_gs(0) != 100)                 /* what fork copied */
		_exit(1);
	if (syscall(SYS_set_thread_area, &d))
		_exit(2);
	load_gs(0x33);
	for (int i = 0; i < 100; i++) {
		sched_yield();
		if (read_gs(0) != 100 + (uint32_t)who)
			_exit(3);
	}
	_exit(0);
}

static void tls_switch(void)
{
	pid_t pid[5];
	struct user_desc d = area_desc(-1, words), got = {.entry_number = 6};
	for (uint32_t i = 0; i < 8; i++)
		words[i] = 100 + i;
	CHECK_EQ(syscall(SYS_set_thread_area, &d), 0);
	CHECK_EQ(d.entry_number, 6);
	CHECK_EQ(syscall(SYS_get_thread_area, &got), 0);
	CHECK(memcmp(&d, &got, sizeof(d)) == 0, "get_thread_area tells something else than was set");
	load_gs(0x33);
	CHECK_EQ(read_gs(4), 101);
	for (uint32_t i = 1; i < 5; i++)
		pid[i] = start_child(child_tls, (void *)i);
	for (int i = 0; i < 50; i++) {
		sched_yield();
		CHECK_EQ(read_gs(0), 100);
	}
	for (int i = 1; i < 5; i++)
		must_end_well(pid[i]);
}

static void tls_refused(void)
{
	struct user_desc code = area_desc(-1, words), absent = code, beyond = code, last = code;
	code.contents = 2;
	absent.seg_not_present = 1;
	beyond.entry_number = 9;
	CHECK_ERROR(syscall(SYS_set_thread_area, &code), EINVAL);
	CHECK_ERROR(syscall(SYS_set_thread_area, &absent), EINVAL);
	CHECK_ERROR(syscall(SYS_set_thread_area, &beyond), EINVAL);
	beyond.entry_number = 5;               /* the kernel's task state */
	CHECK_ERROR(syscall(SYS_set_thread_area, &beyond), EINVAL);
	CHECK_ERROR(syscall(SYS_get_thread_area, &beyond), EINVAL);
	for (int i = 0; i < 3; i++) {
		last = area_desc(-1, words);
		CHECK_EQ(syscall(SYS_set_thread_area, &last), 0);
	}
	last = area_desc(-1, words);
	CHECK_ERROR(syscall(SYS_set_thread_area, &last), ESRCH);
}

/* The descriptor is taken away while GS holds its selector. The next way back from the kernel leaves GS empty. */
static void use_taken_away(void *unused)
{
	struct user_desc d = area_desc(6, words), none = {.entry_number = 6, .read_exec_only = 1, .seg_not_present = 1};
	(void)unused;
	if (syscall(SYS_set_thread_area, &d))
		_exit(1);
	load_gs(0x33);
	if (syscall(SYS_set_thread_area, &none))
		_exit(2);
	read_gs(0);
	_exit(0);
}

static void tls_taken_away(void) { must_be_killed(use_taken_away, NULL, 11); }

const struct test float_tests[] = {
	{"float-fresh", "a program begins with empty x87 and SSE registers, whatever was in them", float_fresh, NULL},
	{"float-switch", "seven processes with all registers full, 200 switches each", float_switch, NULL},
	{"float-fork", "fork copies the registers, then they are two", float_fork, NULL},
	{"float-control", "each process has its own rounding mode", float_control, NULL},
	{"float-pressure", "registers survive a shortage of memory", float_pressure, NULL},
	{"tls-switch", "set_thread_area: five processes, one selector, five places", tls_switch, NULL},
	{"tls-refused", "no code segment, no kernel entry, no fourth one", tls_refused, NULL},
	{"tls-taken-away", "a segment that is taken away while in use ends only its program", tls_taken_away, NULL},
	{0}};
