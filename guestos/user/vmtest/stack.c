/* vmtest/stack.c: the stack grows when an access is near ESP, and only then. */
#include "vmtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stack_probe.h>
#include <string.h>
#include <unistd.h>

#define KB 1024

static __attribute__((noinline)) int deep(int levels)
{
	volatile char frame[PAGE_SIZE];

	frame[0] = levels;
	frame[PAGE_SIZE - 1] = ~levels;
	int below = levels > 1 ? deep(levels - 1) : 0;
	return below + (frame[0] == (char)levels && frame[PAGE_SIZE - 1] == (char)~levels);
}

static void grows_by_calls(void)
{
	long growths = vm_counter("stack_growths");
	CHECK_EQ(deep(200), 200);
	CHECK(vm_counter("stack_growths") - growths >= 200, "only %ld growths", vm_counter("stack_growths") - growths);
}

/* Move ESP down by n, do the instruction there, move it back. */
#define BELOW(n, instruction) __asm__ volatile( \
	"movl %%esp, %%esi\n\tsubl %0, %%esp\n\t" instruction "\n\tmovl %%esi, %%esp" : : "r"(n) : "esi", "eax", "memory", "cc")

/* ESP at the very bottom of a page 16 pages down: what lies below is another page, not there yet. */
#define AT_PAGE_BOTTOM(instruction) __asm__ volatile( \
	"movl %%esp, %%esi\n\tandl $-4096, %%esp\n\tsubl $65536, %%esp\n\t" instruction "\n\tmovl %%esi, %%esp" \
	: : : "esi", "eax", "memory", "cc")
#define PAGE_BELOW_BOTTOM ((char *)PAGE_OF(stack_pointer()) - 17 * PAGE_SIZE)

static void grows_by_push(void)
{
	CHECK(!page_of(PAGE_BELOW_BOTTOM).present, "the page is there already");
	AT_PAGE_BOTTOM("pushl $0x1234");
	CHECK(page_of(PAGE_BELOW_BOTTOM).present, "the page below was not added by PUSH");
	CHECK_EQ(*(volatile uint32_t *)(PAGE_BELOW_BOTTOM + PAGE_SIZE - 4), 0x1234);
}

static void pusha_rule(void)
{
	AT_PAGE_BOTTOM("pushal");
	CHECK(page_of(PAGE_BELOW_BOTTOM).present, "the page below was not added by PUSHA");
}

static void write_32_below(void *unused)
{
	(void)unused;
	AT_PAGE_BOTTOM("movl $7, -32(%%esp)");
}

static void write_far_below(void *distance)
{
	*(volatile char *)(stack_pointer() - (size_t)distance) = 1;
}

static void rule_of_32(void)
{
	CHECK_EQ(child_status(write_32_below, NULL), 0);
	must_be_killed(write_far_below, (void *)(64 * KB), SIGSEGV);
	must_be_killed(write_far_below, (void *)(1024 * KB), SIGSEGV);
}

static void write_33_below(void *unused)
{
	(void)unused;
	AT_PAGE_BOTTOM("movb $7, -33(%%esp)");
}

static void not_33(void) { must_be_killed(write_33_below, NULL, SIGSEGV); }

static void big_frame(void)
{
	size_t n = 512 * KB;
	BELOW(n, "movl $5, (%%esp)");          /* a compiler moves ESP first, then touches */
	CHECK(!page_of(stack_pointer() - 256 * KB).present, "pages nobody touched are present");
	CHECK(page_of((char *)PAGE_OF(stack_pointer() - n)).present || page_of((char *)PAGE_OF(stack_pointer() - n) + PAGE_SIZE).present,
		"the touched page is absent");
}

static void new_pages_zero(void)
{
	size_t n = 128 * KB;
	volatile char *p = stack_pointer() - 96 * KB;
	BELOW(n, "movl $5, (%%esp)");
	for (int i = 0; i < 16 * KB; i++)
		CHECK(p[i] == 0, "byte %d of new stack is %d", i, p[i]);
}

static void in_system_call(void)
{
	char *buf;
	int fd = open("/bin/vmtest", O_RDONLY);
	long growths = vm_counter("stack_growths");
	long n = read_below_stack(fd, 200 * KB, 3 * PAGE_SIZE, &buf);
	bool same = n == 3 * (long)PAGE_SIZE && buf[0] == 0x7f && buf[1] == 'E' && buf[2] == 'L';
	close(fd);
	CHECK(same, "read() to a stack not there yet gave %ld", n);
	CHECK(vm_counter("stack_growths") > growths, "the kernel did not count a growth");
}

static void far_in_system_call(void)
{
	int fd = open("/bin/vmtest", O_RDONLY);
	CHECK_ERROR(read(fd, stack_pointer() - 512 * KB, 100), EFAULT);
	close(fd);
}

static __attribute__((noinline)) int endless(int depth)
{
	volatile int frame[500];
	frame[0] = depth;
	return frame[0] == depth ? endless(depth + 1) + frame[0] : 0;
}
static void overflow(void *unused) { (void)unused; endless(0); }
static void guard_page(void) { must_be_killed(overflow, NULL, SIGSEGV); }

static void six_megabytes(void)
{
	CHECK_EQ(deep(1500), 1500);
}

static void jump_over_guard(void *unused)
{
	(void)unused;
	size_t n = 9 * 1024 * KB;
	BELOW(n, "pushl $1");
}
static void limit_kept(void) { must_be_killed(jump_over_guard, NULL, SIGSEGV); }

static void grow_in_child(void *depth)
{
	CHECK_EQ(deep((int)(long)depth), (long)depth);
}

static void after_fork(void)
{
	volatile char mine[3 * PAGE_SIZE];
	memset((char *)mine, 'p', sizeof(mine));
	pid_t a = start_child(grow_in_child, (void *)100), b = start_child(grow_in_child, (void *)50);
	CHECK_EQ(deep(20), 20);
	must_end_well(a);
	must_end_well(b);
	for (size_t i = 0; i < sizeof(mine); i++)
		CHECK(mine[i] == 'p', "a child's stack reached the parent's at %u", (unsigned)i);
}

const struct test stack_tests[] = {
	{"stack-calls", "200 calls with a page of frame each grow the stack page by page", grows_by_calls, NULL},
	{"stack-push", "a PUSH into the next page grows the stack and is executed once", grows_by_push, NULL},
	{"stack-pusha", "PUSHA, which reaches 32 bytes below ESP at once, grows the stack", pusha_rule, NULL},
	{"stack-32-below", "an access 32 bytes below ESP is stack, far below is a fault", rule_of_32, NULL},
	{"stack-33-below", "an access 33 bytes below ESP, in a page not there, is a fault", not_33, NULL},
	{"stack-big-frame", "a frame of 512 KB costs only the pages touched", big_frame, NULL},
	{"stack-zero", "new stack pages are zero", new_pages_zero, NULL},
	{"stack-in-read", "read() into stack not there yet grows it for the user", in_system_call, NULL},
	{"stack-far-in-read", "read() far below ESP is EFAULT, not growth", far_in_system_call, NULL},
	{"stack-guard", "endless recursion ends at the guard page", guard_page, NULL},
	{"stack-6mb", "six megabytes of stack, with memory short, keep their contents", six_megabytes, NULL},
	{"stack-over-guard", "a frame larger than the limit does not jump over the guard", limit_kept, NULL},
	{"stack-fork", "parent and children grow their stacks apart", after_fork, NULL},
	{0}};
