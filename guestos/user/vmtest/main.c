/* vmtest: every virtual-memory test, one line each.
 *
 *   vmtest            all of them        ok   name: what it proves
 *   vmtest NAME...    these: cow-* too   FAIL name: why
 *   vmtest -e N       every Nth
 *   vmtest -l         list               last line:  N passed, N failed
 *
 * A test passes when its child ends with status 0 in time, and when afterwards the kernel holds no more memory than before: private
 * pages (in memory or in swap), page tables, kernel stacks. Ending takes the kernel a moment, so the counts are given time to settle. */
#include "vmtest.h"

#include <complain.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST_SECONDS 600

static const struct test *const tables[] = {
	demand_tests,
	fault_tests,
	pointer_tests,
	stack_tests,
	heap_tests,
	cow_tests,
	mmap_tests,
	mprotect_tests,
	mmap_shared_tests,
	mmap_file_tests,
	mmap_anon_tests,
	advice_tests,
	swap_tests,
	policy_tests,
	limit_tests,
	load_control_tests,
	prefetch_tests,
	pintos_tests,
	pintos_page_tests,
	process_tests,
	segment_limit_tests,
	segment_tests,
	segment_gone_tests,
	shlib_tests,
	signal_fault_tests,
	signal_stack_tests,
	signal_frame_tests,
	signal_mask_tests,
	signal_process_tests,
	signal_call_tests,
	float_tests,
	linux_tests,
	file_tests,
	journal_tests,
	ring3_tests,
	bad_image_tests,
	hostile_tests,
	fuzz_tests,
	hostile_memory_tests,
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* Wait for the child, but not for ever. Returns its status, or -1 after killing it. */
static int wait_in_time(pid_t pid)
{
	long end = now_ms() + LONGEST_SECONDS * 1000l;
	int status = -1;

	for (unsigned pause = 1000; waitpid(pid, &status, WNOHANG) == 0; pause = pause < 50000 ? 2 * pause : pause) {
		if (now_ms() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		usleep(pause);
	}
	return status;
}

/* Empty if nothing leaked. */
static void describe_leak(const struct vm_held *before, char *text, size_t size)
{
	struct vm_held after;

	*text = 0;
	if (!vm_held_again(before, &after))
		snprintf(text, size, "memory did not come back: private pages %ld -> %ld, page tables %ld -> %ld, kernel %ld -> %ld, heap %ld -> %ld",
			before->private, after.private, before->tables, after.tables, before->kernel, after.kernel, before->heap, after.heap);
}

static _Noreturn void run_in_child(const struct test *t, int fd)
{
	report_fd = fd;
	running = t;
	t->run();
	_exit(0);
}

/* True if it passed; text receives the reason, or a note, or nothing. */
static bool run_test(const struct test *t, char *text, size_t size)
{
	struct vm_held before = vm_held_now();
	char got[256] = {0};
	int fd[2], status;

	if (pipe(fd) < 0) {
		snprintf(text, size, "no pipe");
		return false;
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[0]);
		run_in_child(t, fd[1]);
	}
	status = pid < 0 ? -1 : wait_in_time(pid);
	write(fd[1], "", 1);                   /* so that the read below ends even if the test said nothing */
	read(fd[0], got, sizeof(got) - 1);
	close(fd[0]);
	close(fd[1]);
	if (got[0] == 'F')
		strlcpy(text, got + 1, size);
	else if (pid < 0)
		snprintf(text, size, "fork failed");
	else if (status == -1)
		snprintf(text, size, "still running after %d seconds", LONGEST_SECONDS);
	else if (WIFSIGNALED(status))
		snprintf(text, size, "ended by signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (status != 0)
		snprintf(text, size, "ended with status %d", WEXITSTATUS(status));
	else {
		describe_leak(&before, text, size);
		if (*text)
			return false;
		strlcpy(text, got[0] == 'N' ? got + 1 : t->proves, size);
		return true;
	}
	describe_leak(&before, got, sizeof(got));      /* only to let what is left of the failed test go away */
	return false;
}

/* A * in the pattern is any string. */
static bool fits(const char *pattern, const char *name)
{
	if (*pattern == '*')
		return fits(pattern + 1, name) || (*name && fits(pattern, name + 1));
	return *pattern == *name && (!*name || fits(pattern + 1, name + 1));
}

static bool wanted(const struct test *t, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (fits(argv[i], t->name))
			return true;
	return argc < 2;
}

/* The first argument that no test's name fits, or NULL. */
static const char *unknown_name(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool known = false;
		for (size_t j = 0; j < TABLES; j++)
			for (const struct test *t = tables[j]; t->name; t++)
				known |= fits(argv[i], t->name);
		if (!known)
			return argv[i];
	}
	return NULL;
}

static void warm_up(void) { }

static int run_all(int argc, char **argv, int every)
{
	static const struct test nothing = {"warm-up", "", warm_up, NULL};
	int passed = 0, failed = 0, number = 0;
	char text[256];

	run_test(&nothing, text, sizeof(text));        /* so that this process has touched all it will touch */
	for (size_t i = 0; i < TABLES; i++)
		for (const struct test *t = tables[i]; t->name; t++) {
			if (!wanted(t, argc, argv) || number++ % every)
				continue;
			bool ok = run_test(t, text, sizeof(text));
			passed += ok;
			failed += !ok;
			printf("%s %s: %s\n", ok ? "ok  " : "FAIL", t->name, text);
			fflush(stdout);
		}
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0 || passed == 0;
}

int main(int argc, char **argv)
{
	char *bare = getenv("VMTEST");         /* bad_images.c: exec-odd */
	if (argc < 1)
		return 1;
	if (bare)
		return argc > 2 || !argv[0] || argv[argc] || strcmp(bare, "bare") != 0;
	if (argc > 2 && strcmp(argv[1], "--helper") == 0) {
		exec_helper(argv[2]);
		return 0;
	}
	if (argc > 2 && strcmp(argv[1], "--fuzz") == 0) {
		fuzz_main(argv[2]);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "-l") == 0) {
		for (size_t i = 0; i < TABLES; i++)
			for (const struct test *t = tables[i]; t->name; t++)
				printf("%-24s %s\n", t->name, t->proves);
		return 0;
	}
	if (!vm_is_pagoda()) {
		puts("vmtest: these tests read counters that only Pagoda's kernel has");
		return 2;
	}
	if (argc == 3 && strcmp(argv[1], "-e") == 0 && atoi(argv[2]) > 0)
		return run_all(1, argv, atoi(argv[2]));
	if (argc > 1 && argv[1][0] == '-')
		return complain_usage("vmtest [NAME... | -e N | -l]");
	const char *unknown = unknown_name(argc, argv);
	if (unknown) {
		fprintf(stderr, "vmtest: there is no test %s; vmtest -l lists them\n", unknown);
		return 2;
	}
	return run_all(argc, argv, 1);
}
