/* vmtest/pintos_page.c: more pages than frames, by one process and by several that work on one file; see pintos.c. */
#include "vmtest.h"
#include "mmap.h"
#include "pintos.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

/* A stream cipher. */
uint32_t cipher(uint32_t *word, uint32_t n, uint32_t key)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum = sum * 31 + (word[i] ^= next_random(&key));
	return sum;
}

uint32_t beyond_memory(void)
{
	uint32_t pages = memory_pages() / 4 * 5;
	return pages < 2000 ? pages : 2000;
}

static void all_zero(const uint32_t *word, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		CHECK(word[i] == 0, "word %u is %x", (unsigned)i, (unsigned)word[i]);
}

static void linear_part(uint32_t pages, uint32_t key)
{
	uint32_t *word = (uint32_t *)grow_heap(pages);

	all_zero(word, pages * WORDS);
	cipher(word, pages * WORDS, key);
	cipher(word, pages * WORDS, key);
	all_zero(word, pages * WORDS);
}

static void page_linear(void) { linear_part(beyond_memory(), 4711); }
static void linear_child(void *key) { linear_part(beyond_memory() / 3, (uint32_t)key); }

static void page_parallel(void)
{
	pid_t child[4];

	for (int i = 0; i < 4; i++)
		child[i] = start_child(linear_child, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		must_end_well(child[i]);
}

/* Every page gets its number; then numbers change places at random. In the end each is there once. */
static void page_shuffle(void)
{
	uint32_t n = beyond_memory(), seed = 99, sum = 0;
	char *heap = grow_heap(n);

	for (uint32_t i = 0; i < n; i++)
		*(volatile uint32_t *)(heap + i * PAGE_SIZE) = i;
	for (uint32_t turn = 0; turn < 2 * n; turn++) {
		volatile uint32_t *a = (void *)(heap + next_random(&seed) % n * PAGE_SIZE), *b = (void *)(heap + next_random(&seed) % n * PAGE_SIZE);
		uint32_t keep = *a;
		*a = *b;
		*b = keep;
	}
	char *seen = calloc(n, 1);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t number = *(volatile uint32_t *)(heap + i * PAGE_SIZE);
		CHECK(number < n && !seen[number], "page %u has number %u%s", (unsigned)i, (unsigned)number, number < n ? " for the second time" : "");
		seen[number] = 1;
		sum += number;
	}
	CHECK(sum == n * (n - 1) / 2, "the numbers add up to %u", (unsigned)sum);
}

/* Merge sort by processes: each sorts a part of a file, the parent merges the parts. */

#define PARTS 8u
#define PART_WORDS (8 * WORDS)
#define PART_BYTES (PART_WORDS * sizeof(uint32_t))

enum sorter { ON_HEAP, ON_STACK, BY_MAPPING };
struct merge { bool parallel; enum sorter sorter; };

static void shell_sort(uint32_t *a, uint32_t n)
{
	for (uint32_t gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (uint32_t i = gap; i < n; i++) {
			uint32_t word = a[i], j = i;
			for (; j >= gap && a[j - gap] > word; j -= gap)
				a[j] = a[j - gap];
			a[j] = word;
		}
}

static void sort_with_buffer(uint32_t *buffer, int fd, uint32_t part)
{
	CHECK_EQ(pread(fd, buffer, PART_BYTES, part * PART_BYTES), PART_BYTES);
	shell_sort(buffer, PART_WORDS);
	CHECK_EQ(pwrite(fd, buffer, PART_BYTES, part * PART_BYTES), PART_BYTES);
}

static __attribute__((noinline)) void sort_on_stack(int fd, uint32_t part)
{
	uint32_t buffer[PART_WORDS];
	sort_with_buffer(buffer, fd, part);
}

static void sort_child(void *part)
{
	const struct merge *how = running->argument;
	int fd = open(MAPPED, O_RDWR);

	if (how->sorter == ON_HEAP)
		sort_with_buffer((uint32_t *)grow_heap(PART_BYTES / PAGE_SIZE), fd, (uint32_t)part);
	else if (how->sorter == ON_STACK)
		sort_on_stack(fd, (uint32_t)part);
	else
		shell_sort((uint32_t *)map(PART_BYTES / PAGE_SIZE, RW, MAP_SHARED, fd, (uint32_t)part * PART_BYTES / PAGE_SIZE), PART_WORDS);
	close(fd);
}

static void check_merge(const uint32_t *sorted, uint32_t sum)
{
	uint32_t next[PARTS] = {0}, last = 0;

	for (uint32_t n = 0; n < PARTS * PART_WORDS; n++) {
		uint32_t best = PARTS;
		for (uint32_t p = 0; p < PARTS; p++)
			if (next[p] < PART_WORDS && (best == PARTS || sorted[p * PART_WORDS + next[p]] < sorted[best * PART_WORDS + next[best]]))
				best = p;
		uint32_t word = sorted[best * PART_WORDS + next[best]++];
		CHECK(word >= last, "word %u after merging is %x, after %x", (unsigned)n, (unsigned)word, (unsigned)last);
		last = word;
		sum -= word;
	}
	CHECK(sum == 0, "words were lost: the sums differ by %x", (unsigned)sum);
}

static void page_merge(void)
{
	const struct merge *how = running->argument;
	uint32_t ballast_pages = beyond_memory() / 5 * 3, sum = 0, seed = 12345;
	char *ballast = grow_heap(ballast_pages);
	uint32_t *data = (uint32_t *)grow_heap(PARTS * PART_BYTES / PAGE_SIZE);
	int fd = open(MAPPED, O_RDWR | O_CREAT | O_TRUNC, 0644);
	pid_t child[PARTS];

	for (uint32_t i = 0; i < PARTS * PART_WORDS; i++)
		sum += data[i] = next_random(&seed);
	CHECK_EQ(write(fd, data, PARTS * PART_BYTES), PARTS * PART_BYTES);
	stamp_pages(ballast, ballast_pages, 3);        /* so that memory is short while the children work */
	for (uint32_t p = 0; p < PARTS; p++) {
		child[p] = start_child(sort_child, (void *)p);
		if (!how->parallel)
			must_end_well(child[p]);
	}
	for (uint32_t p = 0; how->parallel && p < PARTS; p++)
		must_end_well(child[p]);
	CHECK_EQ(pread(fd, data, PARTS * PART_BYTES, 0), PARTS * PART_BYTES);
	check_merge(data, sum);
	check_pages(ballast, ballast_pages, 3);
	unlink(MAPPED);
}

static const struct merge seq = {false, ON_HEAP}, par = {true, ON_HEAP}, stk = {true, ON_STACK}, mm = {true, BY_MAPPING};

const struct test pintos_page_tests[] = {
	{"page-linear", "more than memory, changed and changed back in order", page_linear, NULL},
	{"page-parallel", "the same by four processes at once", page_parallel, NULL},
	{"page-shuffle", "numbers in more than memory change places at random", page_shuffle, NULL},
	{"page-merge-seq", "eight children, one after the other, sort parts of a file while memory is short", page_merge, &seq},
	{"page-merge-par", "eight children at once", page_merge, &par},
	{"page-merge-stk", "eight children at once, sorting on their stacks", page_merge, &stk},
	{"page-merge-mm", "eight children at once, sorting the mapped file in place", page_merge, &mm},
	{0}};
