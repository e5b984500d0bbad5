/* demo-shlib: several processes use one shared library; memory holds its text once.
 *
 * Each worker is a program of its own, started by exec, that loads the library at an address of its own choice, and reports the frames it finds there:
 * of the pages of text (one function on each), and of a page of data, which it writes.
 *   demo-shlib          the demonstration
 *   demo-shlib worker N what it starts; reports on descriptor 1, waits for the end of descriptor 0 */
#include <demo.h>

#include <dlfcn.h>
#include <libdemo.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 4
enum { COUNT, WORD, CHECKSUM, PRIVATE, FUNCTIONS };
static const char *const names[FUNCTIONS] = {"libdemo_count", "libdemo_word", "libdemo_checksum", "libdemo_private"};

struct report {
	uint32_t at, frame[FUNCTIONS], data_frame, count, checksum;
};

static const char sample[] = "every worker computes the checksum of this";

static uint32_t frame_at(const void *address)
{
	struct page_info p = demo_page(address);
	return p.present ? p.frame : 0;
}

/* Worker N takes N + 1 times 64 KB first, so that the library lands elsewhere in each; and counts to 10 times N + 1. */
static int worker(int n)
{
	struct report r = {0};
	void *function[FUNCTIONS], *room = mmap(NULL, (n + 1) << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *library = room == MAP_FAILED ? NULL : dlopen(LIBDEMO);

	if (!library)
		return 2;
	for (int i = 0; i < FUNCTIONS; i++)
		if (!(function[i] = dlsym(library, names[i])))
			return 3;
	uint32_t (*count)(void) = function[COUNT];
	uint32_t *(*private)(void) = function[PRIVATE];
	const char *(*word)(uint32_t) = function[WORD];
	for (int i = 0; i < 10 * (n + 1); i++)
		r.count = count();
	if (strcmp(word(n + 1), (const char *[]){"one", "two", "three", "four"}[n]) != 0)
		return 4;
	r.checksum = ((uint32_t (*)(const void *, uint32_t))function[CHECKSUM])(sample, sizeof(sample));
	r.at = (uint32_t)function[COUNT];
	r.data_frame = frame_at(private());
	for (int i = 0; i < FUNCTIONS; i++)
		r.frame[i] = frame_at(function[i]);
	write_full(1, &r, sizeof(r));
	read(0, &n, 1);                        /* the end: nobody writes */
	r.count = *private();
	return write_full(1, &r, sizeof(r)) == sizeof(r) ? 0 : 5;
}

static int reports[2], stay[2];

static void start_worker(int n)
{
	char number[4] = {'0' + n, 0};
	char *argv[] = {"demo-shlib", "worker", number, NULL};

	if (fork() == 0) {
		dup2(stay[0], 0);
		dup2(reports[1], 1);
		for (int i = 3; i < 8; i++)
			close(i);
		execve("/bin/demo-shlib", argv, environ);
		_exit(1);
	}
}

static struct report next_report(void)
{
	struct report r;

	if (read_full(reports[0], &r, sizeof(r)) != sizeof(r)) {
		puts("   a worker did not report");
		exit(1);
	}
	return r;
}

static void show_worker(int n, const struct report *r)
{
	printf("   worker %d: libdemo_count at 0x%08x; text in frames", n, (unsigned)r->at);
	for (int i = 0; i < FUNCTIONS; i++)
		printf(" %u", (unsigned)r->frame[i]);
	printf("; data in frame %u, counter %u\n", (unsigned)r->data_frame, (unsigned)r->count);
	fflush(stdout);
}

static void compare(const struct report r[WORKERS])
{
	bool same = true, apart = true, elsewhere = true, right = true;

	for (int i = 0; i < WORKERS; i++)
		for (int k = 0; k < i; k++) {
			same = same && memcmp(r[i].frame, r[k].frame, sizeof(r[i].frame)) == 0;
			apart = apart && r[i].data_frame != r[k].data_frame;
			elsewhere = elsewhere && r[i].at != r[k].at;
			right = right && r[i].checksum == r[k].checksum;
		}
	for (int i = 0; i < WORKERS; i++)
		right = right && r[i].count == 10u * (i + 1) && r[i].frame[COUNT] && r[i].data_frame;
	demo_check(elsewhere, "the library is at another address in each");
	demo_check(same, "the text is in the same frames in all");
	demo_check(apart, "the data is in a frame of its own in each");
	demo_check(right, "each got the checksum that all get, and counted alone");
}

int main(int argc, char **argv)
{
	struct report r[WORKERS];
	int status = 0;
	uint32_t counted = 0;

	if (argc > 2 && strcmp(argv[1], "worker") == 0)
		return worker(argv[2][0] - '0');
	demo_needs_pagoda();
	printf("demo-shlib: %d programs use %s.\n", WORKERS, LIBDEMO);
	if (pipe(reports) < 0 || pipe(stay) < 0)
		return 1;

	demo_step("Start the programs; each loads the library and calls its four functions");
	fflush(stdout);
	for (int i = 0; i < WORKERS; i++) {
		start_worker(i);
		r[i] = next_report();
		show_worker(i, &r[i]);
	}
	compare(r);

	demo_step("How often is each frame mapped?");
	for (int i = 0; i < FUNCTIONS; i++) {
		printf("   %s: frame %u, mapped %ld times\n", names[i], (unsigned)r[0].frame[i], vm_frame_refs(r[0].frame[i]));
		demo_check(vm_frame_refs(r[0].frame[i]) == WORKERS, "as many times as there are programs");
	}
	for (int i = 0; i < WORKERS; i++)
		demo_check(vm_frame_refs(r[i].data_frame) == 1, "a frame of data is mapped once");
	printf("   text: %d pages in %d address spaces, %d frames; unshared it would be %d\n", FUNCTIONS, WORKERS, FUNCTIONS,
		FUNCTIONS * WORKERS);

	demo_step("They end");
	fflush(stdout);
	close(stay[1]);
	for (int i = 0; i < WORKERS; i++)
		counted += next_report().count;
	demo_check(counted == 10 + 20 + 30 + 40, "their counters, asked again, are what they were");
	for (int i = 0; i < WORKERS; i++)
		if (wait(&status) < 0 || status != 0)
			return 1;
	printf("   frame %u, %s, is now mapped %ld times\n", (unsigned)r[0].frame[0], names[0], vm_frame_refs(r[0].frame[0]));
	demo_check(vm_frame_refs(r[0].frame[0]) == 0, "the text is mapped by nobody: its frames are only cache");
	puts("\ndemo-shlib: done.");
	return 0;
}
