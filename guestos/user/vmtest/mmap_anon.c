/* vmtest/mmap_anon.c: memory shared without a file, and mappings that move. */
#include "vmtest.h"
#include "mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

static char *shared_memory(uint32_t pages) { return map(pages, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0); }

static void answer_in_memory(void *p)
{
	CHECK_EQ(*(volatile int *)p, 1);
	*(volatile int *)p = 2;
	*(volatile int *)((char *)p + PAGE_SIZE) = 3;          /* a page that the parent has not touched */
	check_pages((char *)p + 2 * PAGE_SIZE, 1, 4);
}

static void shared_by_fork(void)
{
	char *p = shared_memory(4);

	for (int i = 0; i < 4; i++)
		CHECK_EQ(*(int *)(p + i * PAGE_SIZE), 0);
	*(volatile int *)p = 1;
	stamp_pages(p + 2 * PAGE_SIZE, 1, 4);
	CHECK_EQ(child_status(answer_in_memory, p), 0);
	CHECK_EQ(*(volatile int *)p, 2);
	CHECK_EQ(*(volatile int *)(p + PAGE_SIZE), 3);
	long copies = vm_counter("cow_copies");
	touch_write(p);
	CHECK_EQ(vm_counter("cow_copies") - copies, 0);
}

static void check_and_change(void *p)
{
	check_pages(p, 100, 1);
	stamp_pages(p, 100, 2);
	squeeze_out(p, 100);
	check_pages(p, 100, 2);
}

static void shared_through_swap(void)
{
	char *p = shared_memory(101);
	long before = vm_counter("swap_used");

	stamp_pages(p, 100, 1);
	squeeze_out(p, 100);
	CHECK(vm_counter("swap_used") - before >= 100, "only %ld slots are used", vm_counter("swap_used") - before);
	long reads = vm_counter("swap_ins");
	CHECK_EQ(child_status(check_and_change, p), 0);
	CHECK(vm_counter("swap_ins") > reads, "nothing was read from swap");
	check_pages(p, 100, 2);
	CHECK_EQ(*(int *)(p + 100 * PAGE_SIZE), 0);
	CHECK_EQ(munmap(p, 101 * PAGE_SIZE), 0);
	CHECK(vm_counter("swap_used") - before < 20, "%ld slots were kept", vm_counter("swap_used") - before);
}

static void count_up(void *p)
{
	for (int i = 0; i < 500; i++)
		for (int page = 0; page < 4; page++)
			__asm__ volatile("lock incl %0" : "+m"(*(volatile int *)((char *)p + page * PAGE_SIZE)));
}

static void shared_counting(void)
{
	char *p = shared_memory(4);
	pid_t child[3];

	for (int i = 0; i < 3; i++)
		child[i] = start_child(count_up, p);
	squeeze();
	squeeze();
	for (int i = 0; i < 3; i++)
		must_end_well(child[i]);
	for (int page = 0; page < 4; page++)
		CHECK_EQ(*(int *)(p + page * PAGE_SIZE), 1500);
}

/* A grandchild has it too, and it lives as long as the last one that maps it. */
static void middle(void *p)
{
	char *q = (char *)p + PAGE_SIZE;
	CHECK_EQ(munmap(p, PAGE_SIZE), 0);
	*(int *)q = 5;
	must_end_well(start_child(touch_write, q + 4));
}

static void shared_in_parts(void)
{
	char *p = shared_memory(3);

	*(int *)p = 4;
	CHECK_EQ(child_status(middle, p), 0);
	CHECK_EQ(*(int *)p, 4);
	CHECK_EQ(*(int *)(p + PAGE_SIZE), 5);
	CHECK_EQ(p[PAGE_SIZE + 4], 1);
	CHECK_EQ(munmap(p + PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(mprotect(p, PAGE_SIZE, PROT_READ), 0);
	must_be_killed(touch_write, p, SIGSEGV);
	CHECK_EQ(*(int *)p, 4);
	p = mmap(NULL, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(*(int *)p, 0);
	must_be_killed(touch_write, p, SIGSEGV);
}

static struct { char *start; uint32_t pages; } parents;        /* what it inherits and does not want */

static void fill_shared(void *pages)
{
	CHECK_EQ(munmap(parents.start, parents.pages * PAGE_SIZE), 0);
	char *p = mmap(NULL, (uint32_t)pages * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED, "mmap: %s", strerror(errno));
	for (uint32_t i = 0; i < (uint32_t)pages; i++)
		*(volatile uint32_t *)(p + i * PAGE_SIZE) = i;
}

/* Most of it is in swap, where no page table counts it; still the process that has it is the one that goes. */
static void shared_too_much(void)
{
	uint32_t pages = memory_pages() + swap_pages_free() + 1000, small = memory_pages() / 4 * 5;
	char *mine = map_anonymous(small);     /* more than the other can have in memory at a time */

	if (pages > 24000) {
		note("not tried: with this much memory and swap it takes too long");
		return;
	}
	stamp_pages(mine, small, 6);
	CHECK_ERROR(mmap(NULL, pages * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), ENOMEM);
	parents.start = mine;
	parents.pages = small;
	must_be_killed(fill_shared, (void *)pages, SIGKILL);
	check_pages(mine, small, 6);
}

static void remapped(void)
{
	char *p = map_anonymous(4), *q;

	stamp_pages(p, 4, 1);
	uint32_t frame = page_of(p).frame;
	long copies = vm_counter("cow_copies"), fills = vm_counter("zero_fills");
	q = mremap(p, 4 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE);   /* it is at the top of the area: it has to move */
	CHECK(q != MAP_FAILED && q != p, "mremap: %s", strerror(errno));
	check_pages(q, 4, 1);
	CHECK_EQ(page_of(q).frame, frame);
	CHECK_EQ(vm_counter("cow_copies") - copies, 0);
	CHECK_EQ(vm_counter("zero_fills") - fills, 0);
	must_be_killed(touch_read, p, SIGSEGV);
	CHECK_EQ(*(int *)(q + 7 * PAGE_SIZE), 0);
	touch_write(q + 8 * PAGE_SIZE - 1);
	CHECK_EQ(mremap(q, 8 * PAGE_SIZE, 2 * PAGE_SIZE, 0), q);
	must_be_killed(touch_read, q + 2 * PAGE_SIZE, SIGSEGV);
	CHECK_EQ(mremap(q, 2 * PAGE_SIZE, 3 * PAGE_SIZE, 0), q);       /* room above: grows where it is */
	CHECK_EQ(*(int *)(q + 2 * PAGE_SIZE), 0);
	check_pages(q, 2, 1);
	CHECK_ERROR(mremap(q, 3 * PAGE_SIZE, 0x10000000, 0), ENOMEM);
	char *place = (char *)0x50000000;
	CHECK_EQ(mremap(q, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, place), place);
	check_pages(place, 2, 1);
	must_be_killed(touch_read, q, SIGSEGV);
	CHECK_EQ(*(int *)(q + 2 * PAGE_SIZE), 0);              /* the rest of the region stayed */
	squeeze_out(place, 2);
	CHECK_EQ(mremap(place, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, place + 0x1000000), place + 0x1000000);
	CHECK(page_of(place + 0x1000000).swapped, "moving brought a page in from swap");
	check_pages(place + 0x1000000, 2, 1);
}

static void remapped_file(void)
{
	int fd = mapped_file(6, 10);
	char *p = map(2, RW, MAP_SHARED, fd, 1), *q;

	stamp_pages(p, 1, 77);
	q = mremap(p, 2 * PAGE_SIZE, 5 * PAGE_SIZE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED, "mremap: %s", strerror(errno));
	check_pages(q, 1, 77);
	for (int i = 1; i < 5; i++)
		check_pages(q + i * PAGE_SIZE, 1, 11 + i);
	p = mremap(q + PAGE_SIZE, 0, 2 * PAGE_SIZE, MREMAP_MAYMOVE);   /* an old length of 0: once more */
	CHECK(p != MAP_FAILED, "mremap: %s", strerror(errno));
	check_stamped(p, 2, 12);
	CHECK_EQ(page_of(p).frame, page_of(q + PAGE_SIZE).frame);
	unlink(MAPPED);
}

static void remap_errors(void)
{
	char *p = map_anonymous(4), *none = (char *)0x30000000;

	CHECK_ERROR(mremap(p, PAGE_SIZE, 0, 0), EINVAL);
	CHECK_ERROR(mremap(p + 1, PAGE_SIZE, PAGE_SIZE, 0), EINVAL);
	CHECK_ERROR(mremap(p, PAGE_SIZE, PAGE_SIZE, 8), EINVAL);
	CHECK_ERROR(mremap(p, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED, none), EINVAL);
	CHECK_ERROR(mremap(p, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED | MREMAP_MAYMOVE, none + 1), EINVAL);
	CHECK_ERROR(mremap(p, 4 * PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED | MREMAP_MAYMOVE, p + PAGE_SIZE), EINVAL);
	CHECK_ERROR(mremap(p, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED | MREMAP_MAYMOVE, 0xbffff000 + PAGE_SIZE), EINVAL);
	CHECK_ERROR(mremap(none, PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERROR(mremap(p, 9 * PAGE_SIZE, 10 * PAGE_SIZE, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERROR(mremap(p, 0, PAGE_SIZE, MREMAP_MAYMOVE), EINVAL);
}

static void address_limit(void)
{
	struct rlimit limit = {3 << 20, 3 << 20};
	char *p = map_anonymous(100);

	CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	CHECK_ERROR(mmap(NULL, 3 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	CHECK_ERROR(mremap(p, 100 * PAGE_SIZE, 3 << 20, MREMAP_MAYMOVE), ENOMEM);
	CHECK_ERROR(sbrk(3 << 20), ENOMEM);
	touch_write(map_anonymous(50));
	limit.rlim_cur = 64 << 10;
	CHECK_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
	CHECK_ERROR(sbrk(80 << 10), ENOMEM);
	CHECK_EQ(munmap(p, 100 * PAGE_SIZE), 0);
}

const struct test mmap_anon_tests[] = {
	{"shared-anon", "memory without a file is shared across fork, also where it was not touched before", shared_by_fork, NULL},
	{"shared-anon-swap", "shared memory goes to swap and comes back for all", shared_through_swap, NULL},
	{"shared-anon-count", "three processes count in shared memory while it is evicted", shared_counting, NULL},
	{"shared-anon-parts", "parts of shared memory are unmapped and protected by one, not by all", shared_in_parts, NULL},
	{"shared-anon-oom", "who fills memory and swap with shared memory is the one that is killed", shared_too_much, NULL},
	{"mremap", "mappings grow, shrink and move without a page being copied or brought in", remapped, NULL},
	{"mremap-file", "a mapping of a file grows into the file; an old length of 0 maps it again", remapped_file, NULL},
	{"mremap-errors", "mremap's errors", remap_errors, NULL},
	{"rlimit-as", "RLIMIT_AS and RLIMIT_DATA limit mmap, mremap and brk", address_limit, NULL},
	{0}};
