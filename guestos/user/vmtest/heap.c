/* vmtest/heap.c: sbrk moves by bytes, memory by pages; malloc and free on top. */
#include "vmtest.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void returns_old_break(void)
{
	char *start = sbrk(0);
	CHECK(sbrk(100) == start && sbrk(0) == start + 100, "sbrk(100) did not move by 100 from %p", start);
	CHECK(sbrk(1) == start + 100 && sbrk(-101) == start + 101, "sbrk does not return the old break");
	CHECK(sbrk(0) == start, "the break is not back at %p", start);
}

static void write_at(void *p) { *(volatile char *)p = 1; }

static void byte_granular(void)
{
	char *page = grow_heap(1);
	CHECK_EQ(child_status(write_at, page + PAGE_SIZE - 1), 0);
	must_be_killed(write_at, page + PAGE_SIZE, SIGSEGV);
	sbrk(1);
	CHECK_EQ(child_status(write_at, page + PAGE_SIZE), 0);
	CHECK_EQ(child_status(write_at, page + 2 * PAGE_SIZE - 1), 0);
	must_be_killed(write_at, page + 2 * PAGE_SIZE, SIGSEGV);
}

static void shrink_frees(void)
{
	const int pages = 200;
	long before = vm_held_now().private;
	char *heap = grow_heap(pages);
	stamp_pages(heap, pages, 1);
	long full = vm_held_now().private;
	sbrk(-pages * (long)PAGE_SIZE);
	long after = vm_held_now().private;
	CHECK(full - before >= pages, "%d pages took only %ld", pages, full - before);
	CHECK(full - after >= pages, "shrinking by %d pages freed only %ld", pages, full - after);
	must_be_killed(write_at, heap, SIGSEGV);
}

static void shrink_frees_swap(void)
{
	const int pages = 200;
	char *heap = grow_heap(pages);
	stamp_pages(heap, pages, 2);
	squeeze_out(heap, pages);
	long used = vm_counter("swap_used");
	int swapped = pages - pages_present(heap, pages);
	sbrk(-pages * (long)PAGE_SIZE);
	CHECK(used - vm_counter("swap_used") >= swapped, "%d swapped pages gave back %ld slots", swapped, used - vm_counter("swap_used"));
}

static void regrown_is_zero(void)
{
	char *heap = grow_heap(8);
	memset(heap, 'x', 8 * PAGE_SIZE);
	sbrk(-8 * (long)PAGE_SIZE);
	CHECK(grow_heap(8) == heap, "the heap came back elsewhere");
	for (uint32_t i = 0; i < 8 * PAGE_SIZE; i++)
		CHECK(heap[i] == 0, "byte %u is %d after shrinking and growing", (unsigned)i, heap[i]);
}

static void part_of_page_kept(void)
{
	char *heap = grow_heap(2);
	memset(heap, 'k', 2 * PAGE_SIZE);
	sbrk(-(long)PAGE_SIZE - 100);
	CHECK_EQ(heap[PAGE_SIZE - 101], 'k');
	CHECK_EQ(heap[0], 'k');
}

static void no_room(void)
{
	char *start = sbrk(0);
	CHECK_ERROR(sbrk(0x7fffffff), ENOMEM);
	CHECK_ERROR(sbrk((intptr_t)(0xbff00000u - (uintptr_t)start)), ENOMEM);         /* into the stack's reserve */
	CHECK_ERROR(brk((void *)0xc0001000), ENOMEM);
	CHECK_ERROR(brk((void *)0x08048000), ENOMEM);                                  /* below the heap */
	CHECK_ERROR(brk((void *)0xfffff000), ENOMEM);
	CHECK(sbrk(0) == start, "a refused sbrk moved the break");
	CHECK_EQ(child_status(write_at, grow_heap(1)), 0);
}

static void malloc_keeps(void)
{
	enum { BLOCKS = 200 };
	static unsigned char *block[BLOCKS];
	static uint32_t size[BLOCKS];
	uint32_t seed = 12345;

	for (int round = 0; round < 2000; round++) {
		uint32_t i = next_random(&seed) % BLOCKS;
		for (uint32_t k = 0; block[i] && k < size[i]; k += 61)
			CHECK(block[i][k] == (unsigned char)i, "block %u was overwritten at %u", (unsigned)i, (unsigned)k);
		free(block[i]);
		size[i] = next_random(&seed) % 3000;
		block[i] = malloc(size[i]);
		CHECK(block[i] && (uintptr_t)block[i] % 16 == 0, "malloc(%u) gave %p", (unsigned)size[i], block[i]);
		memset(block[i], i, size[i]);
	}
}

static void free_gives_back(void)
{
	char *before = sbrk(0);
	char *big = malloc(1 << 20);
	CHECK(big, "malloc of 1 MB failed");
	memset(big, 1, 1 << 20);
	CHECK((char *)sbrk(0) >= before + (1 << 20), "malloc did not move the break");
	free(big);
	CHECK((char *)sbrk(0) < before + (1 << 18), "free kept the break at %p, it was %p", sbrk(0), before);
}

static void calloc_zeroes(void)
{
	char *p = malloc(5000);
	memset(p, 0xff, 5000);
	free(p);
	p = calloc(50, 100);
	for (int i = 0; i < 5000; i++)
		CHECK(p[i] == 0, "byte %d of calloc's memory is %d", i, p[i]);
	CHECK(!calloc(0x10000, 0x10001) && errno == ENOMEM, "calloc's multiplication overflowed");
	p = realloc(p, 3);
	memcpy(p, "ab", 3);
	p = realloc(p, 100000);
	CHECK(strcmp(p, "ab") == 0, "realloc lost the contents");
}

static void malloc_fails_cleanly(void)
{
	CHECK(!malloc(0x7ffffff0) && errno == ENOMEM, "2 GB were given");
	CHECK(!malloc(0xffffffff) && errno == ENOMEM, "4 GB were given");
	char *p = malloc(10);
	CHECK(p, "after a failure nothing more is given");
}

const struct test heap_tests[] = {
	{"sbrk-returns-old", "sbrk returns the old break, and moves by bytes", returns_old_break, NULL},
	{"sbrk-granularity", "memory exists up to the end of the page the break is in, no further", byte_granular, NULL},
	{"sbrk-shrink-frees", "a smaller heap gives its frames back at once", shrink_frees, NULL},
	{"sbrk-shrink-swap", "a smaller heap gives its swap slots back at once", shrink_frees_swap, NULL},
	{"sbrk-regrow-zero", "memory given back and taken again is zero", regrown_is_zero, NULL},
	{"sbrk-part-kept", "shrinking into a page keeps what is below the break", part_of_page_kept, NULL},
	{"sbrk-no-room", "impossible breaks are ENOMEM and change nothing", no_room, NULL},
	{"malloc-random", "2000 mallocs and frees keep every block's contents", malloc_keeps, NULL},
	{"malloc-gives-back", "free moves the break down again", free_gives_back, NULL},
	{"calloc-realloc", "calloc's memory is zero, realloc keeps contents", calloc_zeroes, NULL},
	{"malloc-enomem", "malloc of too much is NULL with ENOMEM", malloc_fails_cleanly, NULL},
	{0}};
