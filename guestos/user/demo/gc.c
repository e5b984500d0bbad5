/* gc: a copying garbage collector that works while the program runs, with page protection as its barrier.
 *
 * The heap has two halves. A collection flips them: what the roots point to is copied to the new half, and the program goes on at
 * once, although those copies still point into the old half. It must never see such a pointer: so the pages of copies are
 * PROT_NONE. When the program touches one, the SIGSEGV handler scans that one page (copies what it points to, sets the pointers
 * right) and opens it. A timer plays the second processor: at each tick SIGALRM's handler scans the next page that
 * nobody has touched. New objects come from the other end of the half; they can hold only good pointers, and need no scan.
 * The old half is PROT_NONE altogether: a pointer that was missed cannot go unnoticed.
 *
 * The collector must write to pages that are closed to the program: it sees the same memory through a second mapping of the file both
 * are mappings of. Objects do not cross pages. This is the method of Appel, Ellis and Li (1988). */
#include "gc.h"

#include <demo.h>
#include <random.h>

#define LISTS 40
#define LONGEST 60
#define COLLECTIONS 30

/* The program: lists of numbers, of which it remembers elsewhere what must be in them. */
struct node { struct object header; struct node *next; uint32_t number, padding[5]; };
static struct { uint32_t seed, length; } known[LISTS];
static uint32_t random_state = 12345;
static long operations, during, numbers_checked;

static uint32_t draw(void)
{
	return next_linear(&random_state) >> 8;
}

static uint32_t number_of(uint32_t seed, uint32_t i) { return (seed ^ i) * 2654435761u; }

/* One more in front. An allocation may flip the halves, so pointers are kept in gc_roots, which the collector updates. */
static void push(int list)
{
	struct node *n = gc_alloc(sizeof(*n) - 4 * (draw() % 6), 1);

	n->number = number_of(known[list].seed, known[list].length++);
	n->next = gc_roots[list];
	gc_roots[list] = n;
}

static void rebuild(int list)
{
	gc_roots[list] = NULL;
	known[list].seed = draw();
	known[list].length = 0;
	for (uint32_t n = draw() % LONGEST; n > 0; n--)
		push(list);
}

static void check_list(int list)
{
	uint32_t i = known[list].length;

	for (struct node *n = gc_roots[list]; n; n = n->next, numbers_checked++)
		if (i-- == 0 || n->number != number_of(known[list].seed, i))
			demo_check(false, "a list holds the numbers that were put there");
	if (i != 0)
		demo_check(false, "a list is as long as it was");
}

static void share(int from, int to)
{
	gc_roots[to] = gc_roots[from];
	known[to] = known[from];
}

static void work(void)
{
	int list = draw() % LISTS;

	switch (draw() % 8) {
	case 0:
		rebuild(list);
		break;
	case 1:
		share(list, draw() % LISTS);
		break;
	case 2:
		if (known[list].length < LONGEST)
			push(list);
		break;
	default:
		check_list(list);
	}
	operations++;
	during += gc_collecting();
}

int main(void)
{
	demo_needs_pagoda();
	demo_step("Two halves of a heap, each mapped for the program and for the collector");
	gc_start(LISTS);
	printf("   %u pages each\n", GC_PAGES);
	demo_step("Build, share, change and check lists, for 30 collections at least");
	for (int i = 0; i < LISTS; i++)
		rebuild(i);
	long faults = vm_faults();
	/* On a fast machine the timer comes seldom: then there is time for more collections. */
	while (gc_statistics.collections < COLLECTIONS || (gc_statistics.by_timer < 3 && gc_statistics.collections < 100 * COLLECTIONS))
		work();
	gc_stop();
	for (int i = 0; i < LISTS; i++)
		check_list(i);
	struct gc_statistics *s = &gc_statistics;
	printf("   %ld operations, %ld of them while a collection was under way;\n   %ld numbers checked; %ld page faults\n", operations, during,
		numbers_checked, vm_faults() - faults);
	printf("   %ld collections; %ld objects allocated, %ld copied\n", s->collections, s->allocated, s->copied);
	printf("   pages scanned: %ld because the program touched them,\n   %ld by the timer, %ld because memory ran out\n", s->by_fault, s->by_timer,
		s->by_need);
	printf("   longest stop: %ld pages scanned, of %ld in that collection\n", s->longest_stop, s->longest_collection);
	demo_check(s->collections >= COLLECTIONS && s->copied > 1000, "the heap was collected, and what was alive was copied");
	demo_check(s->by_fault > 0 && s->by_timer > 0, "pages were scanned on faults, and by the timer behind its back");
	demo_check(during > COLLECTIONS, "the program worked while collections were under way");
	demo_check(s->allocated > 20 * s->longest_alive, "many times more was allocated than ever was alive");
	demo_check(true, "every list was right, every time; the old half was never touched");
	return 0;
}
