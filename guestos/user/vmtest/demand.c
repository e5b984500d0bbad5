/* vmtest/demand.c: pages of the program come when touched, from the file or as zeroes; and what a wrong access does. */
#include "vmtest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define N 12
#define AT(a, i) ((a) + (i) * PAGE_SIZE)

static const uint32_t constants[N * 1024] __attribute__((aligned(4096))) = {
	[0] = 1000, [1024] = 1001, [2 * 1024] = 1002, [3 * 1024] = 1003, [4 * 1024] = 1004, [5 * 1024] = 1005, [6 * 1024] = 1006,
	[7 * 1024] = 1007, [8 * 1024] = 1008, [9 * 1024] = 1009, [10 * 1024] = 1010, [11 * 1024 + 1023] = 1011};
static uint32_t data[N * 1024] __attribute__((aligned(4096))) = {
	[0] = 2000, [1024] = 2001, [2 * 1024 + 5] = 2002, [11 * 1024 + 1023] = 2011};
static char bss[N * PAGE_SIZE] __attribute__((aligned(4096)));
extern char bss_end[];                 /* lib/user.ld */

static volatile uint32_t sink;

/* Fault-around maps neighbours of a page that is used; cases that count single pages refuse that, and drop what came so already. */
static void no_neighbours(void)
{
	madvise((void *)constants, sizeof(constants), MADV_RANDOM);
	madvise((void *)constants, sizeof(constants), MADV_DONTNEED);
	madvise(data, sizeof(data), MADV_RANDOM);
	madvise(data, sizeof(data), MADV_DONTNEED);
}

/* exec'd afresh by a test: nothing of these arrays can be there yet */
void report_constants(const char *rest)
{
	(void)rest;
	printf("%d %d %d %u\n", pages_present(constants, N), pages_present(data, N), pages_present(bss, N),
		(sink = constants[1024], (unsigned)page_of(&constants[1024]).frame));
}

static void text_on_demand(void)
{
	no_neighbours();
	for (int i = 0; i < N - 1; i++) {
		bool there = page_of(&constants[i * 1024]).present;
		long faults = vm_faults();
		uint32_t got = constants[i * 1024];
		faults = vm_faults() - faults;
		CHECK_EQ(got, 1000 + i);
		CHECK(there || faults == 1, "first touch of page %d took %ld faults", i, faults);
		CHECK(page_of(&constants[i * 1024]).present, "page %d is still absent after the touch", i);
	}
	CHECK_EQ(constants[11 * 1024 + 1023], 1011);
}

static void data_on_demand(void)
{
	no_neighbours();
	CHECK_EQ(pages_present(data, N), 0);
	CHECK_EQ(data[1024], 2001);
	CHECK_EQ(pages_present(data, N), 1);
	CHECK_EQ(data[11 * 1024 + 1023], 2011);
	data[2 * 1024] = 7;                    /* the first touch is a write: the rest of the page is still the file's */
	CHECK_EQ(data[2 * 1024 + 5], 2002);
	CHECK_EQ(pages_present(data, N), 3);
	sink = data[0];
	uint32_t shared = page_of(data).frame;
	data[0]++;
	CHECK(page_of(data).frame != shared, "writing to data wrote to the file's frame %u", (unsigned)shared);
	CHECK_EQ(data[0], 2001);
}

static void bss_is_zero(void)
{
	CHECK_EQ(pages_present(bss, N), 0);
	for (size_t i = 0; i < sizeof(bss); i++)
		CHECK(bss[i] == 0, "byte %u of bss is %d", (unsigned)i, bss[i]);
}

static void zero_page_shared(void)
{
	for (int i = 0; i < N; i++)
		sink = *(volatile char *)AT(bss, i);
	for (int i = 1; i < N; i++)
		CHECK_EQ(page_of(AT(bss, i)).frame, page_of(bss).frame);
	CHECK(vm_frame_refs(page_of(bss).frame) >= N, "the zero frame is mapped only %ld times", vm_frame_refs(page_of(bss).frame));
}

static void zero_page_written(void)
{
	zero_page_shared();
	uint32_t zero = page_of(bss).frame;
	long fills = vm_counter("zero_fills");
	for (int i = 0; i < N; i += 2)
		*(volatile char *)AT(bss, i) = i + 1;
	CHECK_EQ(vm_counter("zero_fills") - fills, N / 2);
	for (int i = 0; i < N; i++) {
		CHECK_EQ(*(volatile char *)AT(bss, i), i % 2 ? 0 : i + 1);
		CHECK_EQ(*(volatile char *)(AT(bss, i) + 1), 0);
		CHECK((page_of(AT(bss, i)).frame == zero) == (i % 2 == 1), "page %d is in the wrong frame", i);
	}
}

static void tail_is_zero(void)
{
	for (char *p = bss_end; (uintptr_t)p % PAGE_SIZE; p++)
		CHECK(*p == 0, "byte at %p after bss is %d", p, *p);
}

static void one_fault_each(void)
{
	const uint32_t pages = 64;
	char *heap = grow_heap(pages);
	struct rusage a, b;

	getrusage(RUSAGE_SELF, &b);            /* its own page first */
	getrusage(RUSAGE_SELF, &a);
	for (uint32_t i = 0; i < pages; i++)
		*(volatile char *)AT(heap, i) = 1;
	for (uint32_t i = 0; i < pages; i++)
		sink = *(volatile char *)AT(heap, i);
	getrusage(RUSAGE_SELF, &b);
	CHECK_EQ(b.ru_minflt + b.ru_majflt - a.ru_minflt - a.ru_majflt, pages);
}

static void text_reread(void)
{
	text_on_demand();
	long drops = vm_counter("clean_drops");
	squeeze_out(constants, N);
	CHECK(vm_counter("clean_drops") > drops, "memory ran short, but no clean page was dropped");
	text_on_demand();
}

static void data_kept(void)
{
	for (int i = 0; i < N; i++)
		data[i * 1024 + 7] = 5000 + i;
	squeeze_out(data, N);
	for (int i = 0; i < N; i++)
		CHECK_EQ(data[i * 1024 + 7], 5000 + i);
	CHECK_EQ(data[1024], 2001);
	CHECK_EQ(data[11 * 1024 + 1023], 2011);
}

const struct test demand_tests[] = {
	{"text-on-demand", "each page of text is absent until read, and takes one fault", text_on_demand, NULL},
	{"data-on-demand", "initialised data comes from the file by touch, and a write makes it private", data_on_demand, NULL},
	{"bss-zero", "every byte of bss reads as zero", bss_is_zero, NULL},
	{"zero-page-shared", "pages only read share one frame of zeroes", zero_page_shared, NULL},
	{"zero-page-written", "a write separates one page from the zero frame and no other", zero_page_written, NULL},
	{"tail-zero", "the last page of bss is zero to its end", tail_is_zero, NULL},
	{"one-fault-a-page", "64 pages of heap take exactly 64 faults", one_fault_each, NULL},
	{"text-reread", "clean text is dropped when memory runs short, and read again from the file", text_reread, NULL},
	{"data-kept", "changed data survives eviction, unchanged data beside it too", data_kept, NULL},
	{0}};

/* Wrong accesses: each ends the process, and only the process. */

static void read_at(void *p) { sink = *(volatile char *)p; }
static void write_at(void *p) { *(volatile char *)p = 1; }
static void call_at(void *p) { ((void (*)(void))p)(); }
static void write_across(void *p) { *(volatile uint32_t *)p = 0x01020304; }

static void null_faults(void)
{
	must_be_killed(read_at, NULL, SIGSEGV);
	must_be_killed(write_at, NULL, SIGSEGV);
	must_be_killed(call_at, NULL, SIGSEGV);
	must_be_killed(read_at, (void *)0xfff, SIGSEGV);
}

static void kernel_faults(void)
{
	must_be_killed(read_at, (void *)0xc0000000, SIGSEGV);
	must_be_killed(read_at, (void *)0xc0100000, SIGSEGV);
	must_be_killed(write_at, (void *)0xc0100000, SIGSEGV);
	must_be_killed(call_at, (void *)0xc0100000, SIGSEGV);
	must_be_killed(read_at, (void *)0xffffffff, SIGSEGV);
}

static void unmapped_faults(void)
{
	must_be_killed(read_at, (void *)0x70000000, SIGSEGV);
	must_be_killed(write_at, (void *)0x70000000, SIGSEGV);
	must_be_killed(write_at, (void *)0x08047fff, SIGSEGV);
	must_be_killed(call_at, (void *)0x70000000, SIGSEGV);
	must_be_killed(write_across, grow_heap(1) + PAGE_SIZE - 2, SIGSEGV);
	must_be_killed(write_across, (void *)0xbffffffe, SIGSEGV);
}

static void text_readonly(void)
{
	must_be_killed(write_at, (void *)&constants[1024], SIGSEGV);
	must_be_killed(write_at, (void *)text_readonly, SIGSEGV);
	CHECK_EQ(constants[1024], 1001);
}

static void divide(void *unused)
{
	(void)unused;
	__asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" : : : "eax", "ecx", "edx", "cc");
}
static void undefined(void *unused) { (void)unused; __asm__ volatile("ud2"); }
static void halt(void *unused) { (void)unused; __asm__ volatile("hlt"); }
static void disable(void *unused) { (void)unused; __asm__ volatile("cli"); }
static void port(void *unused) { (void)unused; __asm__ volatile("outb %%al, $0x80" : : "a"(0)); }
static void change_cr3(void *unused) { (void)unused; __asm__ volatile("movl %%cr3, %%eax" : : : "eax"); }

static void other_faults(void)
{
	must_be_killed(divide, NULL, SIGFPE);
	must_be_killed(undefined, NULL, SIGILL);
}

static void privileged(void)
{
	must_be_killed(halt, NULL, SIGSEGV);
	must_be_killed(disable, NULL, SIGSEGV);
	must_be_killed(port, NULL, SIGSEGV);
	must_be_killed(change_cr3, NULL, SIGSEGV);
}

const struct test fault_tests[] = {
	{"fault-null", "reading, writing and calling address 0 is a segmentation fault", null_faults, NULL},
	{"fault-kernel", "user mode cannot read, write or run kernel memory", kernel_faults, NULL},
	{"fault-unmapped", "addresses no region covers fault, also half of a word", unmapped_faults, NULL},
	{"fault-text-write", "text is read-only", text_readonly, NULL},
	{"fault-arithmetic", "division by zero and undefined opcodes give their own signals", other_faults, NULL},
	{"fault-privileged", "hlt, cli, out and CR3 are not for user mode", privileged, NULL},
	{0}};
