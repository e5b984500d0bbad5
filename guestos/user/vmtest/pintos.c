/* vmtest/pintos.c: the cases that courses built on Pintos know by name, made anew for this kernel.
 *
 *   pt-*     the process's own pages: the stack's growth, and addresses that are nobody's
 *   page-*   more pages than frames, by one process and by several that work on one file (pintos_page.c)
 *   mmap-*   those that mmap*.c does not have under these names
 *   lazy-*, swap-*, cow-simple   pages that come late, go to the disk and back, and part
 *
 * Where Pintos ends a process because of a bad pointer given to a system call, this kernel says EFAULT, as Linux does. */
#include "vmtest.h"
#include "mmap.h"
#include "pintos.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stack_probe.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

/* --- pt: pages of the process ---------------------------------------------------------------------------------------- */

static uint32_t expected[16 * WORDS];

static __attribute__((noinline)) uint32_t cipher_on_stack(uint32_t n)
{
	uint32_t object[n];

	memset(object, 0, sizeof(object));
	return cipher(object, n, 77);
}

static void stack_object(void)
{
	uint32_t n = (uint32_t)running->argument;
	long growths = vm_counter("stack_growths");
	uint32_t sum = cipher_on_stack(n);
	CHECK(vm_counter("stack_growths") > growths, "the stack did not grow");
	memset(expected, 0, sizeof(expected));
	CHECK(sum == cipher(expected, n, 77), "an object on the stack and one of bss gave different sums");
}

static void pusha_values(void)
{
	uint32_t seen[3];

	__asm__ volatile(
		"movl %%esp, %%edi\n\t"
		"andl $-4096, %%esp\n\tsubl $131072, %%esp\n\t"        /* at the bottom of a page whose neighbour is not there */
		"movl $0x11111111, %%eax\n\tmovl $0x22222222, %%ecx\n\tmovl $0x33333333, %%edx\n\t"
		"pushal\n\t"
		"movl 28(%%esp), %%eax\n\tmovl 24(%%esp), %%ecx\n\tmovl 20(%%esp), %%edx\n\t"
		"movl %%edi, %%esp"
		: "=a"(seen[0]), "=c"(seen[1]), "=d"(seen[2]) : : "edi", "memory", "cc");
	CHECK(seen[0] == 0x11111111 && seen[1] == 0x22222222 && seen[2] == 0x33333333, "PUSHA stored %x %x %x", (unsigned)seen[0],
		(unsigned)seen[1], (unsigned)seen[2]);
}

static void read_page_below(void *unused)
{
	(void)unused;
	__asm__ volatile("movl -65536(%%esp), %%eax" : : : "eax");
}
static void grow_bad(void) { must_be_killed(read_page_below, NULL, SIGSEGV); }

static void bad_address(void)
{
	must_be_killed(touch_read, (void *)0x04000000, SIGSEGV);
	must_be_killed(touch_write, (void *)0x04000000, SIGSEGV);
}

static void bad_read(void)
{
	char first[4];
	int fd = open("/bin/vmtest", O_RDONLY);

	CHECK_ERROR(read(fd, (char *)0x04000000, 100), EFAULT);
	CHECK_EQ(read(fd, first, 4), 4);       /* the file is where it was */
	CHECK(memcmp(first, "\177ELF", 4) == 0, "after the failed read() the file began elsewhere");
}

static void write_code(void)
{
	uint32_t before = *(volatile uint32_t *)write_code;
	must_be_killed(touch_write, (void *)write_code, SIGSEGV);
	CHECK(*(volatile uint32_t *)write_code == before, "the code changed");
}

static void read_into_code(void)
{
	uint32_t before = *(volatile uint32_t *)read_into_code;
	int fd = open("/bin/vmtest", O_RDONLY);

	CHECK_ERROR(read(fd, (void *)read_into_code, 4), EFAULT);
	CHECK(*(volatile uint32_t *)read_into_code == before, "read() wrote to code");
}

static void grow_in_call(void)
{
	char *there;
	int fd = mapped_file(2, 5);

	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	long n = read_below_stack(fd, 300 * 1024, 2 * PAGE_SIZE, &there);
	uint32_t first = *(volatile uint32_t *)there, second = *(volatile uint32_t *)(there + PAGE_SIZE);
	CHECK_EQ(n, 2 * PAGE_SIZE);
	CHECK(first == stamp(0, 5) && second == stamp(0, 6), "read() brought %x and %x", (unsigned)first, (unsigned)second);
	unlink(MAPPED);
}

/* --- mmap ------------------------------------------------------------------------------------------------------------ */

static void map_read_only(void)
{
	mapped_file(2, 9);
	int fd = open(MAPPED, O_RDONLY);
	char *p = map(2, PROT_READ, MAP_SHARED, fd, 0);

	check_stamped(p, 2, 9);
	must_be_killed(touch_write, p, SIGSEGV);
	CHECK_ERROR((long)mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, fd, 0), EACCES);
	CHECK_ERROR(mprotect(p, PAGE_SIZE, RW), EACCES);
	check_stamped(p, 2, 9);
	unlink(MAPPED);
}

/* Descriptors that are open, but of things without pages. */
static void map_pipe(void)
{
	int fd[2], which = (int)(long)running->argument;

	CHECK_EQ(pipe(fd), 0);
	CHECK_ERROR((long)mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd[which], 0), which ? EACCES : ENODEV);
	CHECK_EQ(write(fd[1], "x", 1), 1);
}

static void map_no_length(void)
{
	int fd = mapped_file(1, 1);
	CHECK_ERROR((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL);
	CHECK_ERROR((long)mmap((void *)0x10000000, 0, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0), EINVAL);
	must_be_killed(touch_read, (void *)0x10000000, SIGSEGV);
	unlink(MAPPED);
}

static void map_offset(void)
{
	int fd = mapped_file(6, 30);
	char *p = map(2, PROT_READ, MAP_SHARED, fd, 3), *all = map(6, PROT_READ, MAP_SHARED, fd, 0);

	check_stamped(p, 2, 33);
	check_stamped(all, 6, 30);
	CHECK_EQ(page_of(p).frame, page_of(all + 3 * PAGE_SIZE).frame);
	unlink(MAPPED);
}

static void map_bad_offset(void)
{
	int fd = mapped_file(2, 1);
	CHECK_ERROR((long)mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0x234), EINVAL);
	CHECK_ERROR((long)mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, PAGE_SIZE - 1), EINVAL);
	unlink(MAPPED);
}

static void map_kernel(void)
{
	int fd = mapped_file(1, 1);
	static const uint32_t places[] = {0xc0000000, 0xc0100000, 0xfffff000, 0xbffff000};

	for (int i = 0; i < 4; i++)
		CHECK_ERROR((long)mmap((void *)places[i], 2 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0), ENOMEM);
	char *p = mmap((void *)0xc0000000, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);  /* a wish, not a command */
	CHECK(p != MAP_FAILED && (uint32_t)p < 0xc0000000, "asked for kernel memory, mmap gave %p", p);
	check_stamped(p, 1, 1);
	unlink(MAPPED);
}

/* --- lazy, swap, cow ------------------------------------------------------------------------------------------------- */

static void lazy_file(void)
{
	int fd = mapped_file(20, 50);
	char *p = map(20, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK_EQ(madvise(p, 20 * PAGE_SIZE, MADV_RANDOM), 0);  /* no neighbours */
	CHECK_EQ(pages_present(p, 20), 0);
	for (uint32_t i = 0; i < 20; i += 3) {
		check_pages(p + i * PAGE_SIZE, 1, 50 + i);
		CHECK_EQ(pages_present(p, 20), i / 3 + 1);
	}
	unlink(MAPPED);
}

static void lazy_anon(void)
{
	uint32_t pages = 4 * memory_pages();
	pages = pages < 20000 ? pages : 20000;
	char *p = mmap(NULL, pages * PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED, "%u pages: %s", (unsigned)pages, strerror(errno));
	long fills = vm_counter("zero_fills");
	for (uint32_t i = 0; i < 10; i++)
		*(volatile char *)(p + i * (pages / 10) * PAGE_SIZE) = i + 1;
	CHECK_EQ(vm_counter("zero_fills") - fills, 10);
	for (uint32_t i = 0; i < 10; i++) {
		char *at = p + i * (pages / 10) * PAGE_SIZE;
		CHECK(at[0] == (char)(i + 1) && !at[1] && !at[PAGE_SIZE - 1], "page %u has wrong contents", (unsigned)i);
		CHECK(!page_of(at + PAGE_SIZE).present, "the page after page %u came too", (unsigned)i);
	}
}

/* Clean pages of a file need no swap: they are dropped, and read again. */
static void swap_file(void)
{
	const uint32_t pages = 60;
	int fd = mapped_file(pages, 70);
	char *p = map(pages, PROT_READ, MAP_PRIVATE, fd, 0);

	check_stamped(p, pages, 70);
	squeeze_out(p, pages);
	for (uint32_t i = 0; i < pages; i++)
		CHECK(!page_of(p + i * PAGE_SIZE).swapped, "page %u of a file is in swap", (unsigned)i);
	check_stamped(p, pages, 70);
	unlink(MAPPED);
}

static void swap_anon(void)
{
	uint32_t pages = beyond_memory();
	char *p = map_anonymous(pages);
	stamp_pages(p, pages, 8);
	check_pages(p, pages, 8);
	CHECK_EQ(munmap(p, pages * PAGE_SIZE), 0);
}

/* A file's pages and private ones in turn, changed each time, pushed out each time. */
static void swap_iter(void)
{
	const uint32_t pages = 24;
	int fd = mapped_file(pages, 1);
	char *file = map(pages, RW, MAP_SHARED, fd, 0), *own = map_anonymous(pages);

	for (uint32_t round = 2; round < 5; round++) {
		stamp_pages(file, pages, round);
		stamp_pages(own, pages, round + 100);
		squeeze_out(file, pages);
		squeeze_out(own, pages);
		for (uint32_t i = 0; i < pages; i++) {
			uint32_t word;
			CHECK_EQ(pread(fd, &word, 4, i * PAGE_SIZE), 4);
			CHECK(word == stamp(i * 3, round), "page %u of the file is %x", (unsigned)i, (unsigned)word);
		}
		check_pages(file, pages, round);
		check_pages(own, pages, round + 100);
	}
	unlink(MAPPED);
}

static char *simple;

static void write_mine(void *frame)
{
	CHECK_EQ(page_of(simple).frame, (long)frame);
	check_pages(simple, 1, 1);
	stamp_pages(simple, 1, 2);
	CHECK(page_of(simple).frame != (uint32_t)frame, "the write went to the parent's frame");
	check_pages(simple, 1, 2);
}

static void cow_simple(void)
{
	simple = map_anonymous(1);
	stamp_pages(simple, 1, 1);
	must_end_well(start_child(write_mine, (void *)page_of(simple).frame));
	check_pages(simple, 1, 1);
}

const struct test pintos_tests[] = {
	{"pt-grow-stack", "an object of a page on the stack", stack_object, (void *)(2 * WORDS)},
	{"pt-big-stk-obj", "an object of 64 KB on the stack", stack_object, (void *)(16 * WORDS)},
	{"pt-grow-pusha", "PUSHA into a page that is not there stores what it should", pusha_values, NULL},
	{"pt-grow-bad", "reading far below the stack pointer ends the process", grow_bad, NULL},
	{"pt-grow-stk-sc", "read() into stack that has not grown yet", grow_in_call, NULL},
	{"pt-bad-addr", "an address that is nobody's ends the process", bad_address, NULL},
	{"pt-bad-read", "read() to such an address is EFAULT and reads nothing", bad_read, NULL},
	{"pt-write-code", "writing to code ends the process, and the code is as it was", write_code, NULL},
	{"pt-write-code2", "read() into code is EFAULT, and the code is as it was", read_into_code, NULL},
	{"mmap-ro", "a shared mapping of a file opened for reading cannot be written", map_read_only, NULL},
	{"mmap-bad-fd2", "a pipe's reading end cannot be mapped", map_pipe, (void *)0},
	{"mmap-bad-fd3", "a pipe's writing end cannot be mapped", map_pipe, (void *)1},
	{"mmap-zero-len", "a mapping of no bytes is refused and maps nothing", map_no_length, NULL},
	{"mmap-off", "a mapping from the middle of a file", map_offset, NULL},
	{"mmap-bad-off", "offsets are multiples of a page", map_bad_offset, NULL},
	{"mmap-kernel", "nothing can be mapped into the kernel's half", map_kernel, NULL},
	{"lazy-file", "each page of a mapped file comes by its own touch", lazy_file, NULL},
	{"lazy-anon", "four times memory can be mapped; only what is touched costs", lazy_anon, NULL},
	{"swap-file", "a file's clean pages leave without swap and come back from the file", swap_file, NULL},
	{"swap-anon", "anonymous mappings beyond memory", swap_anon, NULL},
	{"swap-iter", "pages of a file and private pages go out and come back, round after round", swap_iter, NULL},
	{"cow-simple", "the child reads the parent's frame and writes its own", cow_simple, NULL},
	{0}};
