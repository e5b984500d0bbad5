/* check.c: what the tests share; see vmtest.h. */
#include "vmtest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_PAGES (96u << 20 >> 12)

int report_fd = 2;
const struct test *running;

static void report(const char *kind, const char *format, va_list ap)
{
	char text[200];
	int n = strlcpy(text, kind, sizeof(text));

	n += vsnprintf(text + n, sizeof(text) - n, format, ap);
	write(report_fd, text, n < (int)sizeof(text) ? n + 1 : (int)sizeof(text));
}

_Noreturn void fail(const char *file, int line, const char *format, ...)
{
	char place[60];
	va_list ap;

	snprintf(place, sizeof(place), "F%s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
	va_start(ap, format);
	report(place, format, ap);
	va_end(ap);
	_exit(1);
}

void note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report("N", format, ap);
	va_end(ap);
}

/* Children */

pid_t start_child(void (*run)(void *), void *argument)
{
	pid_t pid = fork();

	CHECK(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0) {
		run(argument);
		_exit(0);
	}
	return pid;
}

int child_status(void (*run)(void *), void *argument)
{
	int status = -1;
	pid_t pid = start_child(run, argument);

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

void must_end_well(pid_t pid)
{
	int status = -1;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(status == 0, "child %d ended with wait status 0x%x", (int)pid, status);
}

void must_be_killed(void (*run)(void *), void *argument, int signal)
{
	int status = child_status(run, argument);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signal, "wait status 0x%x, not signal %d", status, signal);
}

/* Memory */

uint32_t memory_pages(void) { return vm_meminfo_kb("MemTotal") / 4; }
uint32_t swap_pages_free(void) { return vm_meminfo_kb("SwapFree") / 4; }

uint32_t pressure_pages(void)
{
	uint32_t pages = 2 * memory_pages(), room = swap_pages_free() / 2;

	pages = pages < MOST_PAGES ? pages : MOST_PAGES;
	return pages < room ? pages : room;
}

#define STEP 64                        /* pages */

struct target { const volatile char *start; uint32_t n; bool (*there)(const struct target *t); };

static bool parent_has_any(const struct target *t)
{
	struct page_info p;

	for (uint32_t i = 0; i < t->n; i++) {
		CHECK(vm_page_of(getppid(), t->start + i * PAGE_SIZE, &p) == 0, "the parent's pagemap: %s", strerror(errno));
		if (p.present)
			return true;
	}
	return false;
}

/* Mapped by anybody or not. This process has the mapping from its parent. */
static bool any_in_core(const struct target *t)
{
	unsigned char in;

	for (uint32_t i = 0; i < t->n; i++) {
		CHECK(mincore((void *)(t->start + i * PAGE_SIZE), PAGE_SIZE, &in) == 0, "mincore: %s", strerror(errno));
		if (in & 1)
			return true;
	}
	return false;
}

#define ROUNDS 40

/* Without a target: a quarter more than memory. With one: until its pages are gone; a replacement that gives second chances
 * needs about twice memory for that, one that draws lots much more: it gets the same pages used again. */
static void use_up_memory(void *until)
{
	const struct target *t = until;
	uint32_t memory = memory_pages(), enough = t ? 2 * memory : memory / 4 * 5, used = 0;
	char *start = NULL;

	while (used < enough && !(t && !t->there(t))) {
		char *more = grow_heap(STEP);
		stamp_pages(more, STEP, 99);
		start = start ? start : more;
		used += STEP;
	}
	for (uint32_t again = 0; t && t->there(t); again += STEP) {
		CHECK(again < ROUNDS * used, "twice memory was used %d times, and the pages at %p are still there", ROUNDS, t->start);
		stamp_pages(start + again % used * PAGE_SIZE, STEP, 99);
	}
}

void squeeze(void) { must_end_well(start_child(use_up_memory, NULL)); }

/* Meanwhile this process is busy, without using the pages: a policy that goes by the time a process has run would keep a sleeper's. */
static void squeeze_until_gone(struct target t)
{
	int status = 0;
	pid_t pid = start_child(use_up_memory, &t);

	while (waitpid(pid, &status, WNOHANG) == 0)
		sched_yield();
	CHECK(status == 0, "the child that uses up memory ended with wait status 0x%x", status);
}

void squeeze_out(const volatile void *start, uint32_t n) { squeeze_until_gone((struct target){start, n, parent_has_any}); }
void squeeze_out_of_core(const volatile void *start, uint32_t n) { squeeze_until_gone((struct target){start, n, any_in_core}); }

char *grow_heap(uint32_t pages)
{
	uintptr_t now = (uintptr_t)sbrk(0), gap = -now & (PAGE_SIZE - 1);
	void *old = sbrk(gap + pages * PAGE_SIZE);

	CHECK(old != (void *)-1, "sbrk of %u pages: %s", (unsigned)pages, strerror(errno));
	return (char *)now + gap;
}

struct page_info page_of(const volatile void *address)
{
	struct page_info p = {0};

	CHECK(vm_page_of(0, address, &p) == 0, "/proc/self/pagemap: %s", strerror(errno));
	return p;
}

int pages_present(const volatile void *start, int n)
{
	int present = 0;

	for (int i = 0; i < n; i++)
		present += page_of((const volatile char *)start + i * PAGE_SIZE).present;
	return present;
}

static const uint32_t offsets[] = {0, 2048, PAGE_SIZE - 4};

void stamp_pages(char *start, uint32_t n, uint32_t who)
{
	for (uint32_t page = 0; page < n; page++)
		for (int i = 0; i < 3; i++)
			*(volatile uint32_t *)(start + page * PAGE_SIZE + offsets[i]) = stamp(page * 3 + i, who);
}

void check_pages(const char *start, uint32_t n, uint32_t who)
{
	for (uint32_t page = 0; page < n; page++)
		for (int i = 0; i < 3; i++) {
			uint32_t got = *(const volatile uint32_t *)(start + page * PAGE_SIZE + offsets[i]);
			CHECK(got == stamp(page * 3 + i, who), "page %u of %u, word at %u: 0x%x, not 0x%x", (unsigned)page, (unsigned)n,
				(unsigned)offsets[i], (unsigned)got, (unsigned)stamp(page * 3 + i, who));
		}
}

long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
