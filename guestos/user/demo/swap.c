/* demo-swap: a program with four times more data than the machine has memory.
 *
 * Every word of the data gets a value that depends on its place; then all of it is read back twice, forward and
 * backward, and each word compared. Where the pages are meanwhile is the kernel's business: that is the point. */
#include <demo.h>

#include <unistd.h>

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(uint32_t))
#define MULTIPLE 4

static uint32_t value_at(uint32_t word) { return word * 2654435761u + 12345; }

/* What the sum over words 0 .. n-1 of value_at() must be, modulo 2^32: by formula, not by reading. */
static uint32_t expected_sum(uint32_t n)
{
	uint32_t triangle = (uint32_t)((uint64_t)n * (n - 1) / 2);
	return triangle * 2654435761u + n * 12345u;
}

static uint32_t wrong;

static uint32_t read_page(const uint32_t *data, uint32_t page)
{
	uint32_t first = page * WORDS_PER_PAGE, value = value_at(first), sum = 0;

	for (uint32_t i = 0; i < WORDS_PER_PAGE; i++, value += 2654435761u) {
		sum += data[first + i];
		wrong += data[first + i] != value;
	}
	return sum;
}

static void write_page(uint32_t *data, uint32_t page)
{
	uint32_t first = page * WORDS_PER_PAGE, value = value_at(first);

	for (uint32_t i = 0; i < WORDS_PER_PAGE; i++, value += 2654435761u)
		data[first + i] = value;
}

struct counts { long faults, major, evictions, outs, ins; };

static struct counts counts_now(void)
{
	return (struct counts){vm_counter("pgfault"), vm_counter("pgmajfault"), vm_counter("evictions"), vm_counter("swap_outs"),
		vm_counter("swap_ins")};
}

static void show(const struct counts *since)
{
	struct counts now = counts_now();
	printf("   %ld faults (%ld waited for the disk), %ld evictions\n", now.faults - since->faults, now.major - since->major,
		now.evictions - since->evictions);
	printf("   %ld pages written to swap, %ld read back\n", now.outs - since->outs, now.ins - since->ins);
	printf("   swap in use: %ld of %ld pages; free frames: %ld\n", vm_counter("swap_used"), vm_counter("swap_total"),
		vm_counter("nr_free_frames"));
	fflush(stdout);
}

/* How many pages: four times memory, or as much as swap allows, saying so. */
static uint32_t choose_size(void)
{
	uint32_t memory = vm_meminfo_kb("MemTotal") / 4, room = vm_meminfo_kb("SwapFree") / 4;
	uint32_t wanted = memory * MULTIPLE;

	printf("   memory: %u pages, free swap: %u pages\n", (unsigned)memory, (unsigned)room);
	if (wanted > room - room / 16) {
		wanted = room - room / 16;
		printf("   swap is too small for %d times memory; using what there is: %u.%u times\n", MULTIPLE, (unsigned)(wanted / memory),
			(unsigned)(wanted * 10 / memory % 10));
	}
	printf("   data: %u pages, %u kB\n", (unsigned)wanted, (unsigned)wanted * 4);
	return wanted;
}

int main(void)
{
	uint32_t sum = 0, back = 0;

	demo_needs_pagoda();
	printf("demo-swap: data %d times larger than memory.\n", MULTIPLE);
	demo_step("How much is that?");
	uint32_t pages = choose_size();
	uint32_t *data = sbrk(pages * PAGE_SIZE);
	if (data == (void *)-1 || pages < 2) {
		puts("   there is no room for it");
		return 1;
	}

	demo_step("Write every word");
	struct counts start = counts_now(), turn = start;
	for (uint32_t p = 0; p < pages; p++)
		write_page(data, p);
	show(&turn);

	demo_step("Read every word, first page to last");
	turn = counts_now();
	for (uint32_t p = 0; p < pages; p++)
		sum += read_page(data, p);
	show(&turn);

	demo_step("Read every word, last page to first");
	turn = counts_now();
	for (uint32_t p = pages; p-- > 0;)
		back += read_page(data, p);
	show(&turn);

	demo_step("Altogether");
	show(&start);
	uint32_t expected = expected_sum(pages * WORDS_PER_PAGE);
	printf("   checksum: 0x%08x forward, 0x%08x backward, 0x%08x by formula\n   %u words wrong\n", (unsigned)sum, (unsigned)back,
		(unsigned)expected, (unsigned)wrong);
	demo_check(sum == expected && back == expected && wrong == 0, "every word came back as it was written");
	struct counts end = counts_now();
	long memory = vm_meminfo_kb("MemTotal") / 4;
	demo_check(end.outs - start.outs >= (long)pages - memory, "what did not fit in memory was written to swap");
	demo_check(end.evictions - start.evictions >= (long)pages - memory, "and frames were taken away to make room");
	puts("\ndemo-swap: done.");
	return 0;
}
