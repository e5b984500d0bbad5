/* vmtest/advice.c: what a program may say and ask about its memory: mincore, madvise, MAP_POPULATE, mlock. */
#include "vmtest.h"
#include "mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

static void in_core(void)
{
	unsigned char in[6];
	char *p = map_anonymous(4);
	int fd = mapped_file(3, 1);
	char *q = map(4, PROT_READ, MAP_PRIVATE, fd, 0);

	touch_write(p + PAGE_SIZE);
	CHECK_EQ(mincore(p, 4 * PAGE_SIZE, in), 0);
	CHECK(!(in[0] & 1) && in[1] & 1 && !(in[2] & 1), "mincore says %d %d %d", in[0], in[1], in[2]);
	CHECK_EQ(mincore(q, 4 * PAGE_SIZE, in), 0);
	CHECK(in[0] & in[1] & in[2] & 1 && !(in[3] & 1), "just written, not mapped: %d %d %d; beyond the end: %d", in[0], in[1], in[2], in[3]);
	squeeze_out(p + PAGE_SIZE, 1);
	CHECK_EQ(mincore(p + PAGE_SIZE, 1, in), 0);
	CHECK_EQ(in[0] & 1, 0);
	CHECK_ERROR(mincore(p + 1, PAGE_SIZE, in), EINVAL);
	CHECK_ERROR(mincore((char *)0x30000000, PAGE_SIZE, in), ENOMEM);
	CHECK_ERROR(mincore((char *)0xc0000000, PAGE_SIZE, in), ENOMEM);
	CHECK_ERROR(mincore(p, PAGE_SIZE, (void *)0xc0000000), EFAULT);
	CHECK_ERROR(mincore(p, PAGE_SIZE, NULL), EFAULT);
	unlink(MAPPED);
}

/* A region for each page, more than one walk of them for each page could afford; every third page has been used. */
static void in_core_of_many(void)
{
	enum { PAGES = 3000 };
	static unsigned char in[PAGES];
	char *p = map(PAGES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	for (int i = 0; i < PAGES; i += 2)
		CHECK_EQ(mprotect(p + i * PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	for (int i = 1; i < PAGES; i += 6)
		touch_read(p + i * PAGE_SIZE);
	CHECK_EQ(mincore(p, PAGES * PAGE_SIZE, in), 0);
	for (int i = 0; i < PAGES; i++)
		CHECK((in[i] & 1) == (i % 6 == 1), "mincore says %d of page %d of %d", in[i], i, PAGES);
	CHECK_EQ(munmap(p + (PAGES - 1) * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_ERROR(mincore(p + PAGE_SIZE, (PAGES - 1) * PAGE_SIZE, in), ENOMEM);      /* a hole at the very end */
	CHECK_EQ(mincore(p + PAGE_SIZE, (PAGES - 2) * PAGE_SIZE, in), 0);
	CHECK_EQ(in[0] & 1, 1);
}

static void not_needed(void)
{
	int fd = mapped_file(2, 20);
	char *p = map_anonymous(3), *q = map(2, RW, MAP_PRIVATE, fd, 0), *r = map(2, RW, MAP_SHARED, fd, 0), *t = map(1, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	stamp_pages(p, 3, 1);
	long before = vm_held_now().private;
	CHECK_EQ(madvise(p + PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(before - vm_held_now().private, 1);
	check_pages(p, 1, 1);
	for (uint32_t i = 0; i < PAGE_SIZE; i++)
		CHECK(p[PAGE_SIZE + i] == 0, "byte %u is %d", (unsigned)i, p[PAGE_SIZE + i]);
	stamp_pages(q, 1, 99);
	stamp_pages(r + PAGE_SIZE, 1, 98);
	touch_write(t);
	CHECK_EQ(madvise(q, 2 * PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(madvise(r, 2 * PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(madvise(t, PAGE_SIZE, MADV_DONTNEED), 0);
	check_pages(q, 1, 20);                 /* the file's again */
	check_pages(r + PAGE_SIZE, 1, 98);     /* what was shared is the file's */
	CHECK_EQ(t[0], 1);
	CHECK_EQ(mlock(p, PAGE_SIZE), 0);
	CHECK_ERROR(madvise(p, PAGE_SIZE, MADV_DONTNEED), EINVAL);
	unlink(MAPPED);
}

/* So that what is counted later is not this program's own text, or hardly: others may take it away at any time. */
static void warm_up(void)
{
	static char page[PAGE_SIZE];

	stamp_pages(page, 1, 1);
	check_stamped(page, 1, 1);
	vm_counter("pgmajfault");
	vm_faults();
}

static void needed_soon(void)
{
	uint32_t pages = 20;
	unsigned char in[20];
	int fd = mapped_file(pages, 20);

	char *p = map(pages, PROT_READ, MAP_PRIVATE, fd, 0), *q = map_anonymous(pages);
	check_stamped(p, pages, 20);
	stamp_pages(q, pages, 1);
	squeeze_out(q, pages);
	squeeze_out(p, pages);
	squeeze();
	CHECK_EQ(madvise(p, pages * PAGE_SIZE, MADV_WILLNEED), 0);
	CHECK_EQ(mincore(p, pages * PAGE_SIZE, in), 0);
	for (uint32_t i = 0; i < pages; i++)
		CHECK(in[i] & 1, "page %u was not brought in", (unsigned)i);
	warm_up();
	long major = vm_counter("pgmajfault");
	check_stamped(p, pages, 20);
	CHECK(vm_counter("pgmajfault") - major < 4, "%ld major faults for %u pages", vm_counter("pgmajfault") - major, (unsigned)pages);
	CHECK_EQ(madvise(q, pages * PAGE_SIZE, MADV_WILLNEED), 0);
	CHECK_EQ(mincore(q, pages * PAGE_SIZE, in), 0);         /* read from swap, not mapped yet */
	for (uint32_t i = 0; i < pages; i++)
		CHECK(in[i] & 1, "page %u was not brought in from swap", (unsigned)i);
	major = vm_counter("pgmajfault");
	check_pages(q, pages, 1);
	CHECK_EQ(vm_counter("pgmajfault") - major, 0);
	unlink(MAPPED);
}

static void advice(void)
{
	char *p = map_anonymous(4);

	CHECK_EQ(madvise(p, 4 * PAGE_SIZE, MADV_RANDOM), 0);
	CHECK_EQ(madvise(p + PAGE_SIZE, PAGE_SIZE, MADV_SEQUENTIAL), 0);
	CHECK_EQ(madvise(p, 4 * PAGE_SIZE, MADV_NORMAL), 0);
	CHECK_EQ(madvise(p, 0, MADV_NORMAL), 0);
	CHECK_ERROR(madvise(p, PAGE_SIZE, 77), EINVAL);
	CHECK_ERROR(madvise(p + 1, PAGE_SIZE, MADV_NORMAL), EINVAL);
	CHECK_ERROR(madvise(p, 0xfffff001, MADV_NORMAL), EINVAL);
	CHECK_EQ(munmap(p + PAGE_SIZE, PAGE_SIZE), 0);
	touch_write(p + 2 * PAGE_SIZE);
	CHECK_ERROR(madvise(p, 4 * PAGE_SIZE, MADV_DONTNEED), ENOMEM);         /* but done beyond the hole */
	CHECK_EQ(p[2 * PAGE_SIZE], 0);
}

static void populated(void)
{
	const uint32_t n = 12;
	int fd = mapped_file(n, 1);
	char *p = map(n, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_NORESERVE, -1, 0);
	char *q = map(n, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);

	CHECK_EQ(pages_present(p, n), n);
	CHECK_EQ(pages_present(q, n), n);
	warm_up();
	long faults = vm_faults();
	stamp_pages(p, n, 1);
	check_stamped(q, n, 1);
	CHECK(vm_faults() - faults < 4, "%ld faults for pages that were there", vm_faults() - faults);
	unlink(MAPPED);
}

static void lock_everything(void)
{
	char *p = map_anonymous(5), *future;

	touch_write(p);
	CHECK_ERROR(mlockall(0), EINVAL);
	CHECK_ERROR(mlockall(64), EINVAL);
	CHECK_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
	CHECK_EQ(pages_present(p, 5), 5);
	future = map_anonymous(5);
	CHECK_EQ(pages_present(future, 5), 5);
	char *heap = grow_heap(3);
	CHECK_EQ(pages_present(heap, 3), 3);
	stamp_pages(future, 5, 3);
	squeeze();
	squeeze();
	CHECK_EQ(pages_present(p, 5), 5);
	CHECK_EQ(pages_present(future, 5), 5);
	CHECK_EQ(mprotect(future, PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(munmap(p, PAGE_SIZE), 0);
	long pinned = vm_counter("nr_pinned");
	CHECK_EQ(munlockall(), 0);
	CHECK(pinned - vm_counter("nr_pinned") >= 12, "unlocking everything took back %ld pins", pinned - vm_counter("nr_pinned"));
	squeeze_out(future, 5);
	check_pages(future, 5, 3);
	CHECK_EQ(pages_present(map_anonymous(5), 5), 0);
}

static void check_kept(char *p, const char *which)
{
	for (int i = 0; which[i]; i++)
		CHECK(page_of(p + i * PAGE_SIZE).present == (which[i] == '1'), "page %d of %s", i, which);
}

/* Nothing comes by locking; what has come, before or after it, stays. */
static void lock_on_fault(void)
{
	int fd = mapped_file(3, 1);
	char *p = map_anonymous(6), *file = map(3, PROT_READ, MAP_SHARED, fd, 0), *future;

	stamp_pages(p, 1, 1);
	CHECK_ERROR(mlock2(p, PAGE_SIZE, 2), EINVAL);
	CHECK_ERROR(mlock2((char *)0x30000000, PAGE_SIZE, MLOCK_ONFAULT), ENOMEM);
	CHECK_EQ(mlock2(p, 6 * PAGE_SIZE, MLOCK_ONFAULT), 0);
	CHECK_EQ(mlock2(file, 3 * PAGE_SIZE, MLOCK_ONFAULT), 0);
	check_kept(p, "100000");
	stamp_pages(p + 2 * PAGE_SIZE, 1, 2);
	touch_read(p + 4 * PAGE_SIZE);
	stamp_pages(p + 4 * PAGE_SIZE, 1, 3);  /* no longer the page of zeroes */
	touch_read(file + PAGE_SIZE);
	squeeze();
	squeeze();
	check_kept(p, "101010");
	check_kept(file, "010");
	CHECK_EQ(mlock2(p, 2 * PAGE_SIZE, 0), 0);      /* is mlock() */
	check_kept(p, "111010");
	CHECK_EQ(munlock(p, 6 * PAGE_SIZE), 0);
	squeeze_out(p, 6);
	check_pages(p + 2 * PAGE_SIZE, 1, 2);

	CHECK_ERROR(mlockall(MCL_ONFAULT), EINVAL);
	CHECK_EQ(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT), 0);
	future = map_anonymous(5);
	check_kept(future, "00000");
	check_kept(grow_heap(3), "000");
	touch_write(future + PAGE_SIZE);
	future = mremap(future, 5 * PAGE_SIZE, 9 * PAGE_SIZE, MREMAP_MAYMOVE);
	squeeze();
	squeeze();
	check_kept(future, "010000000");
	CHECK_EQ(munlockall(), 0);
	squeeze_out(future, 9);
	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	check_kept(map_anonymous(2), "11");
	unlink(MAPPED);
}

const struct test advice_tests[] = {
	{"mincore", "which pages are in memory, mapped or not", in_core, NULL},
	{"mincore-regions", "a range of three thousand regions", in_core_of_many, NULL},
	{"madvise-dontneed", "private pages are dropped for good, others come back from where they are", not_needed, NULL},
	{"madvise-willneed", "pages are brought in before they are used, from file and swap", needed_soon, NULL},
	{"madvise", "advice's errors and holes", advice, NULL},
	{"mmap-populate", "MAP_POPULATE takes the faults in advance", populated, NULL},
	{"mlockall", "all pages stay, those of later mappings too", lock_everything, NULL},
	{"mlock-onfault", "pages locked on fault need not come, and stay once they have", lock_on_fault, NULL},
	{0}};
