/* vmtest/mmap.c: regions: where mappings go, what they replace, what they allow. Shared ones are in mmap_shared.c. */
#include "vmtest.h"
#include "mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGHEST 0xbf7ff000u            /* the stack's 8 MB and a guard page are above */
#define RW (PROT_READ | PROT_WRITE)

void touch_read(void *p) { (void)*(volatile char *)p; }
void touch_write(void *p) { *(volatile char *)p = 1; }

int mapped_file(uint32_t pages, uint32_t who)
{
	int fd = open(MAPPED, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0, "%s: %s", MAPPED, strerror(errno));
	for (uint32_t page = 0; page < pages; page++) {
		char buf[PAGE_SIZE] = {0};
		stamp_pages(buf, 1, who + page);
		CHECK_EQ(write(fd, buf, sizeof(buf)), PAGE_SIZE);
	}
	return fd;
}

char *map(uint32_t pages, int prot, int flags, int fd, uint32_t first)
{
	char *p = mmap(NULL, pages * PAGE_SIZE, prot, flags, fd, first * PAGE_SIZE);

	CHECK(p != MAP_FAILED, "mmap of %u pages: %s", (unsigned)pages, strerror(errno));
	return p;
}

char *map_shared(int fd, uint32_t pages) { return map(pages, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0); }

void read_page(int fd, char *to, uint32_t page) { CHECK_EQ(pread(fd, to, PAGE_SIZE, page * PAGE_SIZE), PAGE_SIZE); }

char *map_anonymous(uint32_t pages) { return map(pages, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

/* Every page of the file shows what mapped_file() wrote. */
void check_stamped(const char *p, uint32_t pages, uint32_t who)
{
	for (uint32_t page = 0; page < pages; page++)
		check_pages(p + page * PAGE_SIZE, 1, who + page);
}

static void reads_file(void)
{
	int fd = mapped_file(5, 10);
	long before = vm_faults();
	char *p = map(5, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK_EQ(pages_present(p, 5), 0);
	check_stamped(p, 5, 10);
	CHECK(vm_faults() > before, "reading a mapping took no fault");
	char *second = map(2, PROT_READ, MAP_SHARED, fd, 3);
	check_stamped(second, 2, 13);
	CHECK_EQ(page_of(second).frame, page_of(p + 3 * PAGE_SIZE).frame);
	unlink(MAPPED);
}

static void survives_close(void)
{
	int fd = mapped_file(3, 20);
	char *p = map(3, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK_EQ(close(fd), 0);
	check_stamped(p, 1, 20);
	CHECK_EQ(unlink(MAPPED), 0);
	squeeze();
	check_stamped(p, 3, 20);
}

static void unmapped_is_gone(void)
{
	char *p = map_anonymous(42);

	stamp_pages(p, 42, 1);
	long before = vm_held_now().private;
	CHECK_EQ(munmap(p + PAGE_SIZE, 40 * PAGE_SIZE), 0);    /* the middle: two regions remain */
	CHECK(before - vm_held_now().private >= 35, "unmapping 40 pages freed %ld", before - vm_held_now().private);
	for (int i = 1; i <= 40; i += 13)
		must_be_killed(touch_read, p + i * PAGE_SIZE, SIGSEGV);
	check_pages(p, 1, 1);
	CHECK_EQ(*(uint32_t *)(p + 41 * PAGE_SIZE), stamp(41 * 3, 1));
	CHECK_EQ(munmap(p, 42 * PAGE_SIZE), 0);                /* holes do not matter */
	must_be_killed(touch_read, p, SIGSEGV);
	CHECK_EQ(munmap(p, PAGE_SIZE), 0);
	CHECK_ERROR(munmap(p, 0), EINVAL);
	CHECK_ERROR(munmap(p + 1, PAGE_SIZE), EINVAL);
	CHECK_ERROR(munmap((void *)0xbffff000, 0x2000), EINVAL);
	CHECK_ERROR(munmap((void *)0xc0000000, 0x1000), EINVAL);
}

/* The swap slots of what is unmapped are given back too. */
static void unmapped_swap(void)
{
	uint32_t pages = 100;
	char *p = map_anonymous(pages);

	stamp_pages(p, pages, 2);
	squeeze_out(p, pages);
	long used = vm_counter("swap_used");
	CHECK_EQ(munmap(p, pages * PAGE_SIZE), 0);
	CHECK(used - vm_counter("swap_used") >= (long)pages, "unmapping %u swapped pages gave back %ld slots", (unsigned)pages,
		used - vm_counter("swap_used"));
}

static void fixed_replaces(void)
{
	char *p = map_anonymous(5);

	stamp_pages(p, 5, 3);
	CHECK(mmap(p + 2 * PAGE_SIZE, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 2 * PAGE_SIZE,
		"MAP_FIXED: %s", strerror(errno));
	CHECK_EQ(*(int *)(p + 2 * PAGE_SIZE), 0);
	check_pages(p, 2, 3);
	CHECK_EQ(*(uint32_t *)(p + 3 * PAGE_SIZE), stamp(9, 3));
	CHECK_ERROR(mmap(p, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	char *other = mmap(p, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(other != MAP_FAILED && (other + PAGE_SIZE <= p || other >= p + 5 * PAGE_SIZE), "a taken hint was followed: %p", other);
}

static void twice(void)
{
	int fd = mapped_file(2, 30);
	char *a = map(2, PROT_READ, MAP_PRIVATE, fd, 0), *b = map(2, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK(a != b, "one place for two mappings");
	check_stamped(a, 2, 30);
	check_stamped(b, 2, 30);
	CHECK_EQ(page_of(a).frame, page_of(b).frame);
	CHECK_EQ(munmap(a, 2 * PAGE_SIZE), 0);
	check_stamped(b, 2, 30);
	unlink(MAPPED);
}

static void bad_descriptors(void)
{
	int end[2], fd = mapped_file(1, 1), only = open(MAPPED, O_RDONLY), write_only = open(MAPPED, O_WRONLY), dir = open("/tmp", O_RDONLY);

	CHECK_EQ(pipe(end), 0);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, 31, 0), EBADF);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, end[0], 0), ENODEV);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, only, 0), EACCES);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, write_only, 0), EACCES);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, write_only, 0), EACCES);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, RW, 3 | 0x80000, fd, 0), EOPNOTSUPP);        /* MAP_SHARED_VALIDATE asks whether a flag is known */
	CHECK(mmap(NULL, PAGE_SIZE, RW, 3, fd, 0) != MAP_FAILED, "MAP_SHARED_VALIDATE: %s", strerror(errno));
	char *p = map(1, PROT_READ, MAP_SHARED, only, 0);
	CHECK_ERROR(mprotect(p, PAGE_SIZE, RW), EACCES);
	p = map(1, RW, MAP_PRIVATE, only, 0);                  /* private writes need no right to write the file */
	touch_write(p);
	close(fd);
	unlink(MAPPED);
}

static void misaligned(void)
{
	int fd = mapped_file(2, 1);
	unsigned long args[6] = {0, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 100};

	CHECK_ERROR(mmap((void *)0x10000234, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0), EINVAL);
	CHECK_EQ(mmap((void *)0x10000234, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0), 0x10000000);     /* a hint is rounded */
	CHECK_ERROR(syscall(SYS_mmap, args), EINVAL);
	args[5] = PAGE_SIZE;
	char *p = (char *)syscall(SYS_mmap, args);
	check_stamped(p, 1, 2);
	CHECK_ERROR(syscall(SYS_mmap, 0xc0000000), EFAULT);
	CHECK_ERROR(mprotect(p + 8, PAGE_SIZE, PROT_READ), EINVAL);
	unlink(MAPPED);
}

static void null_address(void)
{
	char *p = map_anonymous(1);

	CHECK(p, "a mapping at 0");
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EPERM);
	CHECK_EQ(mmap((void *)4, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, 0);
	must_be_killed(touch_read, NULL, SIGSEGV);
}

static void impossible(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	CHECK_ERROR(mmap(NULL, 0, RW, flags, -1, 0), EINVAL);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERROR(mmap(NULL, PAGE_SIZE, RW, MAP_ANONYMOUS | 4, -1, 0), EINVAL);
	CHECK_ERROR(mmap(NULL, 0xfffff001, RW, flags, -1, 0), ENOMEM);
	CHECK_ERROR(mmap(NULL, 0xc0000000, PROT_READ, flags, -1, 0), ENOMEM);
	CHECK_ERROR(mmap((void *)0xbffff000, 0x2000, RW, flags | MAP_FIXED, -1, 0), ENOMEM);
	CHECK_ERROR(mmap((void *)0xd0000000, 0x1000, RW, flags | MAP_FIXED, -1, 0), ENOMEM);
	CHECK_ERROR(syscall(SYS_mmap2, 0, PAGE_SIZE, RW, flags, -1, 0xffffffff), EOVERFLOW);
	CHECK_ERROR(mmap(NULL, 0xa0000000, RW, flags, -1, 0), ENOMEM);         /* more than memory and swap */
	CHECK(mmap(NULL, 0x80000000, PROT_NONE, flags, -1, 0) != MAP_FAILED, "2 GB of nothing: %s", strerror(errno));
	CHECK_ERROR(mprotect((void *)0x1000, PAGE_SIZE, PROT_READ), ENOMEM);
	CHECK_ERROR(mprotect((void *)0x1000, 0xfffff000, PROT_READ), ENOMEM);
	CHECK_ERROR(mprotect((void *)0x1000, PAGE_SIZE, 0x100), EINVAL);
	CHECK_EQ(mprotect((void *)0x1000, 0, PROT_READ), 0);
}

static void placed_high(void)
{
	char *a = map_anonymous(1), *b = map_anonymous(2);

	CHECK_EQ(a, HIGHEST - PAGE_SIZE);
	CHECK_EQ(b, a - 2 * PAGE_SIZE);
	CHECK_EQ(munmap(a, PAGE_SIZE), 0);
	CHECK_EQ(map_anonymous(2), b - 2 * PAGE_SIZE);         /* the gap of one page is too small */
	CHECK_EQ(map_anonymous(1), a);
	CHECK_EQ(mmap((void *)0x40000000, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 0x40000000);
}

static uint32_t variable = 4711;
static int answer(void) { return 42; }

/* A hint never replaces anything; MAP_FIXED does. */
static void over_code(void *unused)
{
	(void)unused;
	void *place = (void *)PAGE_OF(answer);
	CHECK(mmap(place, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != place && answer() == 42, "the code was replaced");
	int fd = open("/bin/vmtest", O_RDONLY);
	CHECK(fd >= 0, "%s", strerror(errno));
	mmap(place, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	answer();                              /* zeroes are ADD %al, (%eax): whatever happens, it is not 42 */
}

static void mapped_over_code(void)
{
	int status = child_status(over_code, NULL);
	CHECK(WIFSIGNALED(status), "a program whose text was replaced ended with 0x%x", status);
}

static void mapped_over_data(void)
{
	void *place = (void *)PAGE_OF(&variable);

	CHECK(mmap(place, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != place && *(volatile uint32_t *)&variable == 4711,
		"the data were replaced");
	char *copy = map_anonymous(1);
	memcpy(copy, place, PAGE_SIZE);
	CHECK_EQ(mmap(place, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), place);
	uint32_t seen = *(volatile uint32_t *)&variable;
	memcpy(place, copy, PAGE_SIZE);
	CHECK_EQ(seen, 0);
	CHECK_EQ(*(volatile uint32_t *)&variable, 4711);
}

static void recurse(void *limit)
{
	volatile char frame[2000];
	frame[0] = 1;
	if ((uintptr_t)frame > (uintptr_t)limit)
		recurse(limit);
	frame[1] = 2;
}

static void mapped_over_stack(void)
{
	char *here = (char *)PAGE_OF(__builtin_frame_address(0)), *below = here - 64 * PAGE_SIZE;

	CHECK(mmap(here, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != here, "the stack was replaced");
	CHECK_EQ(mmap(below, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), below);
	*(uint32_t *)below = 4712;
	CHECK_EQ(child_status(recurse, here - 40 * PAGE_SIZE), 0);
	must_be_killed(recurse, below, SIGSEGV);               /* growth stops a page above the mapping */
	CHECK_EQ(*(uint32_t *)below, 4712);
	must_be_killed(touch_read, below + PAGE_SIZE, SIGSEGV);
}

static void zero_length_file(void)
{
	int fd = open(MAPPED, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK_ERROR(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL);
	char *p = map(1, PROT_READ, MAP_PRIVATE, fd, 0);       /* mapping an empty file is fine; using it is not */
	must_be_killed(touch_read, p, SIGBUS);
	unlink(MAPPED);
}

static void private_writes(void)
{
	int fd = mapped_file(3, 40);
	char *p = map(3, RW, MAP_PRIVATE, fd, 0), seen[PAGE_SIZE];

	long copies = vm_counter("cow_copies");
	stamp_pages(p + PAGE_SIZE, 1, 99);
	CHECK_EQ(vm_counter("cow_copies") - copies, 1);
	CHECK_EQ(pread(fd, seen, PAGE_SIZE, PAGE_SIZE), PAGE_SIZE);
	check_pages(seen, 1, 41);
	stamp_pages(seen, 1, 50);                              /* what the file says later is seen where nothing was written */
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(fd, seen, PAGE_SIZE), PAGE_SIZE);
	check_pages(p, 1, 50);
	check_pages(p + PAGE_SIZE, 1, 99);
	squeeze();
	check_pages(p, 1, 50);
	check_pages(p + PAGE_SIZE, 1, 99);
	check_pages(p + 2 * PAGE_SIZE, 1, 42);
	unlink(MAPPED);
}

static void heap_and_mapping(void)
{
	char *end = grow_heap(4);
	stamp_pages(end, 4, 9);
	char *above = end + 10 * PAGE_SIZE;

	CHECK_EQ(mmap(above, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), above);
	CHECK_ERROR(sbrk(8 * PAGE_SIZE), ENOMEM);
	CHECK_ERROR(sbrk(6 * PAGE_SIZE), ENOMEM);              /* one page stays free between */
	CHECK(sbrk(5 * PAGE_SIZE) != (void *)-1, "%s", strerror(errno));
	CHECK_EQ(munmap(end + PAGE_SIZE, PAGE_SIZE), 0);       /* a hole in the heap */
	must_be_killed(touch_read, end + PAGE_SIZE, SIGSEGV);
	CHECK_EQ(*(uint32_t *)(end + 2 * PAGE_SIZE), stamp(6, 9));
	CHECK_EQ(mprotect(end, PAGE_SIZE, PROT_READ), 0);
	must_be_killed(touch_write, end, SIGSEGV);
	CHECK_EQ(munmap(above, PAGE_SIZE), 0);
	CHECK(sbrk(20 * PAGE_SIZE) != (void *)-1, "%s", strerror(errno));
	touch_write((char *)sbrk(0) - 1);
	CHECK_EQ(brk(end), 0);
	must_be_killed(touch_read, end + 2 * PAGE_SIZE, SIGSEGV);
	must_be_killed(touch_read, end, SIGSEGV);
}

const struct test mmap_tests[] = {
	{"mmap-read", "a mapped file shows its contents, and private and shared mappings one frame", reads_file, NULL},
	{"mmap-close", "a mapping outlives its descriptor, and its file's name", survives_close, NULL},
	{"mmap-unmap", "what is unmapped faults and is given back; what is around it stays", unmapped_is_gone, NULL},
	{"mmap-unmap-swap", "unmapping pages in swap frees their slots", unmapped_swap, NULL},
	{"mmap-overlap", "MAP_FIXED replaces exactly its range, a hint never does", fixed_replaces, NULL},
	{"mmap-twice", "a file mapped twice is in memory once", twice, NULL},
	{"mmap-bad-fd", "what cannot be mapped, or not like this, has its own error", bad_descriptors, NULL},
	{"mmap-misalign", "misaligned addresses and offsets are refused, hints rounded; the old call works", misaligned, NULL},
	{"mmap-null", "nothing is ever mapped at address 0", null_address, NULL},
	{"mmap-errors", "impossible lengths, types and places", impossible, NULL},
	{"mmap-placement", "mappings go down from below the stack's reserve, into the first gap that fits", placed_high, NULL},
	{"mmap-over-code", "only MAP_FIXED replaces code", mapped_over_code, NULL},
	{"mmap-over-data", "only MAP_FIXED replaces data", mapped_over_data, NULL},
	{"mmap-over-stk", "the stack grows up to a guard page above a mapping", mapped_over_stack, NULL},
	{"mmap-zero", "an empty file can be mapped and gives SIGBUS", zero_length_file, NULL},
	{"mmap-private-cow", "private writes stay out of the file, and the file's changes show where nothing was written", private_writes, NULL},
	{"mmap-brk", "heap and mappings keep apart; the heap can have holes", heap_and_mapping, NULL},
	{0}};
