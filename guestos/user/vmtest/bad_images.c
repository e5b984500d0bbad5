/* vmtest/bad_images.c: programs that are not programs, and programs made by hand. */
#include "vmtest.h"
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void exec_it(void *path)
{
	char *argv[] = {"evil", NULL};

	close(0);
	close(1);
	execve(path, argv, environ);
	_exit(99);
}

/* The headers of this very program with some bytes changed, and cut off anywhere. Runs it if it still runs, for a moment. */
static void exec_mutants(void)
{
	static uint32_t image[PAGE_SIZE];      /* four pages: enough for something to happen */
	uint32_t seed = 20071;
	int fd = open("/bin/true", O_RDONLY), status;
	ssize_t n = read_full(fd, image, sizeof(image));

	close(fd);
	CHECK(n > 200, "/bin/true has %ld bytes", (long)n);
	for (int i = 0; i < 120; i++) {
		static char copy[sizeof(image)];
		memcpy(copy, image, n);
		for (uint32_t k = next_random(&seed) % 6; i && k < 6; k++) {
			uint32_t at = next_random(&seed) % 180;
			uint32_t value = next_random(&seed) >> (i & 16);
			if (at >= 18 || i % 8 == 0)
				copy[at] = value;
		}
		write_file(PLACE, copy, i % 5 ? (size_t)n : next_random(&seed) % n);
		pid_t pid = start_child(exec_it, PLACE);
		int tries = 0;
		while (waitpid(pid, &status, WNOHANG) == 0 && tries++ < 20)
			usleep(10000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, WNOHANG);
		unlink(PLACE);
	}
}

static void exec_odd(void)
{
	char *none[] = {NULL}, *one[] = {"a", NULL};
	static const struct { const char *text; int error; } scripts[] = {
		{"#!", ENOEXEC}, {"#!\n", ENOEXEC}, {"#! \n", ENOEXEC}, {"#!/tmp/hostile\n", ENOEXEC}, {"#!/none\n", ENOENT}, {"#!relative\n", ENOEXEC},
		{"#!/bin\n", EACCES}, {"", ENOEXEC}, {"\177ELF", ENOEXEC}};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		write_file(PLACE, scripts[i].text, strlen(scripts[i].text));
		errno = 0;
		CHECK(execve(PLACE, one, environ) == -1 && errno == scripts[i].error, "'%s': errno %d, not %d", scripts[i].text, errno,
			scripts[i].error);
	}
	unlink(PLACE);
	CHECK_ERROR(execve("/", one, environ), EACCES);
	CHECK_ERROR(execve("/bin", one, environ), EACCES);
	CHECK_ERROR(execve("/dev/null", one, environ), ENOENT);
	CHECK_ERROR(execve("/bin/true", (char **)0xbffffffd, environ), EFAULT);
	CHECK_ERROR(execve("/bin/true", (char **)0xfffffffc, environ), EFAULT);
	char *only[] = {"VMTEST=bare", NULL};
	pid_t pid = fork();
	if (pid == 0) {
		execve("/bin/vmtest", none, only);
		_exit(9);
	}
	must_end_well(pid);
	write_file(PLACE, "#!/bin/vmtest\n", 14);
	pid = fork();
	if (pid == 0) {
		execve(PLACE, none, only);
		_exit(9);
	}
	must_end_well(pid);
	unlink(PLACE);
}

/* A program made by hand: code at 0x08048000, and a second segment at 0x10000000 of n pages, with file_pages of the file behind them. */
#define SECOND 0x10000000u

static void make_program(const void *code, size_t size, uint32_t n, uint32_t file_pages, uint32_t flags)
{
	static char page[PAGE_SIZE];
	uint32_t header[] = {0x464c457f, 0x00010101, 0, 0, 0x00030002, 1, 0x08048080, 52, 0, 0, 0x00200034, 2, 0,
		1, 0, 0x08048000, 0, PAGE_SIZE, PAGE_SIZE, 5, PAGE_SIZE,
		1, PAGE_SIZE, SECOND, 0, file_pages * PAGE_SIZE, n * PAGE_SIZE, flags, PAGE_SIZE};
	int fd = open(PLACE, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	memcpy(page, header, sizeof(header));
	memset(page + 0x80, 0x90, sizeof(page) - 0x80);
	memcpy(page + 0x80, code, size);
	for (uint32_t i = 0; i <= file_pages; i++)
		CHECK_EQ(write(fd, page, sizeof(page)), PAGE_SIZE);
	close(fd);
}

/* 81920 mappings of the zero frame, locked and unlocked again: more than a 16-bit count could count. */
static void lock_zeroes(void)
{
	static const uint8_t code[] = {0xb8, 150, 0, 0, 0, 0xbb, 0, 0, 0, 0x10, 0xb9, 0, 0, 0, 0x14, 0xcd, 0x80, 0x89, 0xc6,
		0xb8, 151, 0, 0, 0, 0xcd, 0x80, 0x09, 0xf0, 0x89, 0xc3, 0xb8, 1, 0, 0, 0, 0xcd, 0x80};

	make_program(code, sizeof(code), 81920, 0, 4);
	CHECK_EQ(child_status(exec_it, PLACE), 0);
	unlink(PLACE);
}

static void use_memory(void *unused)
{
	uint32_t n = memory_pages();

	(void)unused;
	n = n < 3000 ? n : 3000;
	char *mine = grow_heap(n);
	for (uint32_t i = 0;; i++)
		*(volatile char *)(mine + i % n * PAGE_SIZE) = 1;
}

/* The file of a program is cut off while the program copies its pages, and copying has to wait for memory. */
static void cut_off(void)
{
	/* for (;;) for (p = SECOND; p != SECOND + 256 pages; p += 4096) { read *p; write *p; } */
	static const uint8_t code[] = {0xbb, 0, 0, 0, 0x10, 0x8a, 0x03, 0x88, 0x03, 0x81, 0xc3, 0, 0x10, 0, 0,
		0x81, 0xfb, 0, 0, 0x10, 0x10, 0x75, 0xee, 0xeb, 0xe7};
	pid_t hog = start_child(use_memory, NULL);
	int ran = 0;

	for (int i = 0; i < 12 || (!ran && i < 60); i++) {
		int status;
		make_program(code, sizeof(code), 256, 256, 6);
		pid_t pid = start_child(exec_it, PLACE);
		usleep(10000 + i * 30000);
		int fd = open(PLACE, O_WRONLY | O_TRUNC);
		CHECK(fd >= 0, "%s", strerror(errno));
		close(fd);
		usleep(20000);
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		bool late = WIFEXITED(status) && WEXITSTATUS(status) == 99;    /* on a slow machine: cut off before exec had looked at it */
		CHECK(late || (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS)), "wait status 0x%x", status);
		ran += !late;
	}
	CHECK(ran, "no program came to run before its file was cut off");
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	unlink(PLACE);
}

const struct test bad_image_tests[] = {
	{"exec-mutants", "damaged programs fail or end, and harm nobody", exec_mutants, NULL},
	{"exec-odd", "scripts without an interpreter, directories, no arguments at all", exec_odd, NULL},
	{"lock-zeroes", "a program locks 320 MB of zeroes, which is one frame", lock_zeroes, NULL},
	{"cut-off", "programs whose files are truncated while they run, with memory short", cut_off, NULL},
	{0}};
