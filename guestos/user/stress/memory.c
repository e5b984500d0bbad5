/* stress/memory.c: areas of anonymous memory whose every page has a known state; the heap; the stack. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vm.h>

#define AREAS 4
#define AREA_PAGES 256
#define ABSENT 0x80

static const uint32_t offsets[] = {0, 2048, PAGE_SIZE - 4};

/* What each page must be: its rights or ABSENT, and which writing of it was the last; 0 is never, and the page is zero. */
static struct area {
	char *start;
	uint32_t pages;
	uint8_t prot[AREA_PAGES];
	uint16_t version[AREA_PAGES];
} areas[AREAS];

static void look_at(const char *page, uint32_t place, uint32_t version)
{
	for (int i = 0; i < 3; i++) {
		uint32_t got = *(const volatile uint32_t *)(page + offsets[i]), wanted = version ? stamp(place * 3 + i, worker, version) : 0;
		EXPECT(got == wanted, "page %p, word at %u: 0x%x, not 0x%x", page, (unsigned)offsets[i], (unsigned)got, (unsigned)wanted);
	}
}

static void write_to(char *page, uint32_t place, uint32_t version)
{
	for (int i = 0; i < 3; i++)
		*(volatile uint32_t *)(page + offsets[i]) = stamp(place * 3 + i, worker, version);
}

static void look(struct area *a, uint32_t i)
{
	if (a->prot[i] != ABSENT && a->prot[i] != PROT_NONE)
		look_at(a->start + i * PAGE_SIZE, i, a->version[i]);
}

static void touch_page(struct area *a, uint32_t i)
{
	look(a, i);
	if (a->prot[i] & PROT_WRITE && a->prot[i] != ABSENT) {
		a->version[i] = 1 + any(65535);
		write_to(a->start + i * PAGE_SIZE, i, a->version[i]);
	}
}

/* A random part of a random area. */
static struct area *some_range(uint32_t *first, uint32_t *n)
{
	struct area *a = &areas[any(AREAS)];
	*n = 1 + any(a->pages < 40 ? a->pages : 40);
	*first = any(a->pages - *n + 1);
	return a;
}

static void set(struct area *a, uint32_t first, uint32_t n, uint8_t prot)
{
	memset(a->prot + first, prot, n);
}

static bool any_absent(const struct area *a, uint32_t first, uint32_t n)
{
	return memchr(a->prot + first, ABSENT, n) != NULL;
}

void memory_begin(uint32_t pages)
{
	for (int i = 0; i < AREAS; i++) {
		struct area *a = &areas[i];
		a->pages = pages / AREAS < 1 ? 1 : pages / AREAS > AREA_PAGES ? AREA_PAGES : pages / AREAS;
		a->start = mmap(NULL, a->pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		EXPECT(a->start != MAP_FAILED, "mmap: errno %d", errno);
		set(a, 0, a->pages, PROT_READ | PROT_WRITE);
		for (uint32_t page = 0; page < a->pages; page++)
			touch_page(a, page);
	}
}

void memory_check(void)
{
	for (int i = 0; i < AREAS; i++)
		for (uint32_t page = 0; page < areas[i].pages; page++)
			look(&areas[i], page);
}

const char *memory_some_page(void)
{
	struct area *a = &areas[any(AREAS)];
	uint32_t i = any(a->pages);

	return a->prot[i] == ABSENT || a->prot[i] == PROT_NONE ? NULL : a->start + i * PAGE_SIZE;
}

void memory_touch(uint32_t times)
{
	uint32_t first, n;

	while (times--) {
		struct area *a = some_range(&first, &n);
		for (uint32_t i = first; i < first + n; i++)
			touch_page(a, i);
	}
}

static void touch(void) { memory_touch(1 + any(4)); }

static void look_somewhere(void)
{
	uint32_t first, n;
	struct area *a = some_range(&first, &n);

	for (uint32_t i = first; i < first + n; i++)
		look(a, i);
}

static void unmap(void)
{
	uint32_t first, n;
	struct area *a = some_range(&first, &n);

	EXPECT(munmap(a->start + first * PAGE_SIZE, n * PAGE_SIZE) == 0, "errno %d", errno);
	set(a, first, n, ABSENT);
}

static void map(void)
{
	uint32_t first, n;
	struct area *a = some_range(&first, &n);
	char *at = a->start + first * PAGE_SIZE;
	char *got = mmap(at, n * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	EXPECT(got == at, "%p, not %p, errno %d", got, at, errno);
	set(a, first, n, PROT_READ | PROT_WRITE);
	memset(a->version + first, 0, n * sizeof(a->version[0]));
}

static void protect(void)
{
	static const uint8_t rights[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};
	uint32_t first, n;
	struct area *a = some_range(&first, &n);
	uint8_t prot = rights[any(4)];

	if (any_absent(a, first, n))
		return;
	EXPECT(mprotect(a->start + first * PAGE_SIZE, n * PAGE_SIZE, prot) == 0, "errno %d", errno);
	set(a, first, n, prot);
}

/* ENOMEM is what locking too much, or closed pages, gives. */
static void lock(void)
{
	uint32_t first, n;
	struct area *a = some_range(&first, &n);

	if (any_absent(a, first, n))
		return;
	if (n > 12)
		n = 12;
	EXPECT(mlock(a->start + first * PAGE_SIZE, n * PAGE_SIZE) == 0 || errno == ENOMEM, "errno %d", errno);
	for (uint32_t i = first; i < first + n; i++)
		touch_page(a, i);
	if (any(6))
		EXPECT(munlock(a->start + first * PAGE_SIZE, n * PAGE_SIZE) == 0, "munlock: errno %d", errno);
}

/* The kernel may not write for us where we may not. */
static void forbidden(void)
{
	uint32_t first, n;
	struct area *a = some_range(&first, &n);
	int fd = open("/dev/zero", O_RDONLY);

	if (fd < 0)
		return;
	for (uint32_t i = first; i < first + n; i++) {
		if (a->prot[i] != ABSENT && a->prot[i] & PROT_WRITE)
			continue;
		ssize_t got = read(fd, a->start + i * PAGE_SIZE + 8, 4);
		EXPECT(got == -1 && errno == EFAULT, "read into a page of rights %u: %ld, errno %d", a->prot[i], (long)got, errno);
	}
	close(fd);
}

static void move(void)
{
	uint32_t n = 1 + any(20), more = 1 + any(30), key = 1 + any(60000);
	char *at = mmap(NULL, n * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(at != MAP_FAILED, "mmap: errno %d", errno);
	for (uint32_t i = 0; i < n; i++)
		write_to(at + i * PAGE_SIZE, i, key);
	char *to = mremap(at, n * PAGE_SIZE, more * PAGE_SIZE, MREMAP_MAYMOVE);
	if (to == MAP_FAILED) {
		EXPECT(errno == ENOMEM, "mremap: errno %d", errno);
		more = n;
	} else {
		at = to;
	}
	for (uint32_t i = 0; i < more; i++)
		look_at(at + i * PAGE_SIZE, i, i < n ? key : 0);
	EXPECT(munmap(at, more * PAGE_SIZE) == 0, "munmap: errno %d", errno);
}

static void heap(void)
{
	uint32_t n = 1 + any(40), key = 1 + any(60000);
	char *old = sbrk(0), *at = (char *)(((uintptr_t)old + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));

	if (sbrk(at - old + n * PAGE_SIZE) == (void *)-1)
		return;
	for (uint32_t i = 0; i < n; i++) {
		look_at(at + i * PAGE_SIZE, i, 0);
		write_to(at + i * PAGE_SIZE, i, key);
	}
	touch();
	for (uint32_t i = 0; i < n; i++)
		look_at(at + i * PAGE_SIZE, i, key);
	EXPECT(brk(old) == 0, "brk down: errno %d", errno);
}

static uint32_t deep(uint32_t depth, uint32_t key)
{
	volatile uint32_t here[300];

	for (uint32_t i = 0; i < 300; i += 50)
		here[i] = stamp(depth, i, key);
	uint32_t sum = depth ? deep(depth - 1, key) : 0;
	for (uint32_t i = 0; i < 300; i += 50)
		EXPECT(here[i] == stamp(depth, i, key), "depth %u: 0x%x", (unsigned)depth, (unsigned)here[i]);
	return sum + here[0];
}

static void stack(void) { deep(any(80), any(60000)); }

const struct operation memory_operations[] = {
	{"touch", touch, 24},
	{"look", look_somewhere, 10},
	{"look at all", memory_check, 1},
	{"munmap", unmap, 4},
	{"mmap", map, 6},
	{"mprotect", protect, 8},
	{"mlock", lock, 4},
	{"forbidden", forbidden, 3},
	{"mremap", move, 4},
	{"heap", heap, 4},
	{"stack", stack, 3},
	{0}};
