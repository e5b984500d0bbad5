/* vmtest/cow.c: fork shares, the first write separates, the last owner keeps. */
#include "vmtest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N 16
#define AT(a, i) ((a) + (i) * PAGE_SIZE)

static char pages[N * PAGE_SIZE] __attribute__((aligned(4096)));
static int gate[2];                    /* children wait here until the parent closes its end */

static void open_gate(void) { CHECK_EQ(pipe(gate), 0); }

/* In a child: until everybody else has let go of the writing end. */
static void wait_at_gate(void)
{
	char c;
	close(gate[1]);
	CHECK_EQ(read(gate[0], &c, 1), 0);
}

static void write_all(void *who)
{
	check_pages(pages, N, 1);
	stamp_pages(pages, N, (uint32_t)who);
	check_pages(pages, N, (uint32_t)who);
}

static void child_isolated(void)
{
	stamp_pages(pages, N, 1);
	must_end_well(start_child(write_all, (void *)2));
	check_pages(pages, N, 1);
}

static void check_old(void *unused)
{
	(void)unused;
	wait_at_gate();
	check_pages(pages, N, 1);
}

/* The child begins when its parent has written to all pages. */
static void write_first(void (*child)(void *))
{
	stamp_pages(pages, N, 1);
	open_gate();
	pid_t pid = start_child(child, NULL);
	stamp_pages(pages, N, 2);
	close(gate[1]);
	must_end_well(pid);
}

static void parent_isolated(void)
{
	write_first(check_old);
	check_pages(pages, N, 2);
}

static void write_k(void *k)
{
	long copies = vm_counter("cow_copies");
	for (long i = 0; i < (long)k; i++)
		*AT(pages, i) = 'c';
	copies = vm_counter("cow_copies") - copies;
	CHECK(copies == (long)k, "%ld writes made %ld copies", (long)k, copies);
}

static void copies_counted(void)
{
	memset(pages, 'p', sizeof(pages));
	must_end_well(start_child(write_k, (void *)0));
	must_end_well(start_child(write_k, (void *)5));
	must_end_well(start_child(write_k, (void *)N));
	for (int i = 0; i < N; i++)
		CHECK_EQ(*AT(pages, i), 'p');
}

static void reuse_last(void *unused)
{
	(void)unused;
	wait_at_gate();                        /* the parent has its own copies by now */
	long copies = vm_counter("cow_copies"), reuses = vm_counter("cow_reuses");
	uint32_t frame = page_of(pages).frame;
	for (int i = 0; i < N; i++)
		*AT(pages, i) = 'z';
	CHECK_EQ(vm_counter("cow_copies") - copies, 0);
	CHECK(vm_counter("cow_reuses") - reuses >= N, "only %ld reuses", vm_counter("cow_reuses") - reuses);
	CHECK_EQ(page_of(pages).frame, frame);
}

static void last_owner(void)
{
	write_first(reuse_last);
}

static void wait_only(void *unused)
{
	(void)unused;
	wait_at_gate();
	check_pages(pages, N, 1);
}

static void many_owners(void)
{
	enum { CHILDREN = 10 };
	pid_t child[CHILDREN];

	stamp_pages(pages, N, 1);
	open_gate();
	for (int i = 0; i < CHILDREN; i++)
		child[i] = start_child(wait_only, NULL);
	CHECK_EQ(vm_frame_refs(page_of(AT(pages, 3)).frame), CHILDREN + 1);
	close(gate[1]);
	for (int i = 0; i < CHILDREN; i++)
		must_end_well(child[i]);
	CHECK_EQ(vm_frame_refs(page_of(AT(pages, 3)).frame), 1);
}

/* Each generation checks what it inherited, changes one page, and has a child. */
static void generation(void *depth)
{
	long d = (long)depth;

	for (long i = 0; i < N; i++)
		CHECK(*AT(pages, i) == (i < d ? (char)(100 + i) : 'p'), "generation %ld, page %ld: %d", d, i, *AT(pages, i));
	if (d == 8)
		return;
	*AT(pages, d) = 100 + d;
	must_end_well(start_child(generation, (void *)(d + 1)));
	for (long i = 0; i < N; i++)
		CHECK(*AT(pages, i) == (i <= d ? (char)(100 + i) : 'p'), "generation %ld afterwards, page %ld: %d", d, i, *AT(pages, i));
}

static void grandchildren(void)
{
	memset(pages, 'p', sizeof(pages));
	generation((void *)0);
}

static void refork(void)
{
	for (uint32_t turn = 1; turn <= 20; turn++) {
		stamp_pages(pages, N, 1);
		must_end_well(start_child(write_all, (void *)(turn + 1)));
		check_pages(pages, N, 1);
	}
}

static void read_into(void *unused)
{
	int fd = open("/bin/vmtest", O_RDONLY);
	(void)unused;
	CHECK_EQ(read_full(fd, pages + 100, 5 * PAGE_SIZE), 5 * PAGE_SIZE);
	CHECK(memcmp(pages + 100, "\177ELF", 4) == 0, "the file did not arrive");
	CHECK_EQ(pages[99], 'p');
	CHECK_EQ(pages[100 + 5 * PAGE_SIZE], 'p');
}

static void by_system_call(void)
{
	memset(pages, 'p', sizeof(pages));
	must_end_well(start_child(read_into, NULL));
	for (size_t i = 0; i < sizeof(pages); i++)
		CHECK(pages[i] == 'p', "the child's read() changed the parent's byte %u", (unsigned)i);
}

static void pipe_into_shared(void)
{
	int fd[2];

	CHECK_EQ(pipe(fd), 0);
	stamp_pages(pages, N, 1);
	open_gate();
	pid_t pid = start_child(check_old, NULL);
	CHECK_EQ(write(fd[1], "hello", 5), 5);
	CHECK_EQ(read(fd[0], AT(pages, 2) - 2, 5), 5);
	CHECK(memcmp(AT(pages, 2) - 2, "hello", 5) == 0, "the bytes did not arrive");
	close(gate[1]);
	must_end_well(pid);
}

static void zero_stays_shared(void *frame)
{
	volatile char c = *AT(pages, 4);
	CHECK_EQ(c, 0);
	CHECK_EQ(page_of(AT(pages, 4)).frame, (uint32_t)frame);
	*AT(pages, 4) = 1;
	CHECK_EQ(AT(pages, 4)[1], 0);
}

static void zero_page_forked(void)
{
	volatile char c = *AT(pages, 4);
	CHECK_EQ(c, 0);
	must_end_well(start_child(zero_stays_shared, (void *)page_of(AT(pages, 4)).frame));
	CHECK_EQ(*(volatile char *)AT(pages, 4), 0);
}

static void text_shared(void)
{
	uint32_t frame = page_of((void *)text_shared).frame;

	stamp_pages(pages, N, 1);
	open_gate();
	long before = vm_frame_refs(frame);
	pid_t pid = start_child(wait_only, NULL);
	long during = vm_frame_refs(frame);
	close(gate[1]);
	must_end_well(pid);
	CHECK(during == before + 1, "text was mapped %ld times before fork and %ld after", before, during);
}

static void check_swapped(void *unused)
{
	(void)unused;
	wait_at_gate();
	check_pages(pages, N, 1);
	stamp_pages(pages, N, 3);
	check_pages(pages, N, 3);
}

static void swapped_shared(void)
{
	stamp_pages(pages, N, 1);
	open_gate();
	pid_t a = start_child(check_swapped, NULL), b = start_child(check_swapped, NULL);
	long used = vm_counter("swap_used");
	squeeze_out(pages, N);
	/* Three owners, but each page once: the other pages of three small processes are few. */
	CHECK(vm_counter("swap_used") - used < 3 * N + 120, "%ld slots for %d shared pages", vm_counter("swap_used") - used, N);
	close(gate[1]);
	must_end_well(a);
	must_end_well(b);
	check_pages(pages, N, 1);
}

static void fork_swapped(void)
{
	stamp_pages(pages, N, 1);
	squeeze_out(pages, N);
	open_gate();
	pid_t a = start_child(check_swapped, NULL), b = start_child(wait_only, NULL);
	stamp_pages(pages, N, 2);
	close(gate[1]);
	must_end_well(a);
	must_end_well(b);
	check_pages(pages, N, 2);
}

static void just_exit(void *unused) { (void)unused; }

static void only_wait(void *unused)
{
	(void)unused;
	wait_at_gate();
}

static void fork_copies_little(void)
{
	const uint32_t n = 300;
	char *heap = grow_heap(n);

	stamp_pages(heap, n, 1);
	open_gate();
	long before = vm_held_now().private;
	pid_t pid = start_child(only_wait, NULL);
	long during = vm_held_now().private;
	close(gate[1]);
	must_end_well(pid);
	CHECK(during - before < 30, "fork of %u pages made %ld private pages", (unsigned)n, during - before);
	must_end_well(start_child(just_exit, NULL));
	check_pages(heap, n, 1);
}

static void heap_apart_child(void *heap)
{
	char *more = grow_heap(4);
	stamp_pages(more, 4, 7);
	sbrk(-8 * (long)PAGE_SIZE);
	CHECK((char *)sbrk(0) == (char *)heap + 4 * PAGE_SIZE, "the child's break is at %p", sbrk(0));
}

static void heap_apart(void)
{
	char *heap = grow_heap(8);
	stamp_pages(heap, 8, 1);
	must_end_well(start_child(heap_apart_child, heap));
	CHECK((char *)sbrk(0) == heap + 8 * PAGE_SIZE, "the parent's break moved");
	check_pages(heap, 8, 1);
}

const struct test cow_tests[] = {
	{"cow-child-writes", "what a child writes its parent does not see", child_isolated, NULL},
	{"cow-parent-writes", "what a parent writes its child does not see", parent_isolated, NULL},
	{"cow-count", "k pages written are k pages copied", copies_counted, NULL},
	{"cow-last-owner", "the last owner writes without copying, in the same frame", last_owner, NULL},
	{"cow-many-owners", "eleven processes map one frame, and let go of it", many_owners, NULL},
	{"cow-generations", "eight generations each change one page for their descendants only", grandchildren, NULL},
	{"cow-refork", "twenty forks one after the other", refork, NULL},
	{"cow-read-call", "read() into shared pages copies them first", by_system_call, NULL},
	{"cow-pipe-call", "a pipe read into shared pages copies them first", pipe_into_shared, NULL},
	{"cow-zero-page", "the zero frame stays shared across fork until written", zero_page_forked, NULL},
	{"cow-text", "a fork maps the same text frame once more", text_shared, NULL},
	{"cow-swapped-out", "shared pages are swapped out once and come back for each owner", swapped_shared, NULL},
	{"cow-fork-swapped", "fork shares pages that are in swap", fork_swapped, NULL},
	{"cow-fork-cheap", "fork of 300 pages allocates few", fork_copies_little, NULL},
	{"cow-heap-apart", "parent and child move their breaks apart", heap_apart, NULL},
	{0}};
