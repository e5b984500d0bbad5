/* vmtest/hostile.c: programs that mean harm: whatever they do, the kernel ends at most them, and nothing is lost.
 * vmtest --fuzz SEED-COUNT makes that many random system calls, for longer runs than random-calls. */
#include "vmtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLACE "/tmp/hostile"

/* Machine code, run where it lies: there is no way to forbid execution of data on this processor. */
struct code { uint8_t bytes[16]; };

static void run_code(void *code)
{
	((void (*)(void))code)();
}

/* Instructions that only ring 0 may use [SDM3A 5.9 "Privileged Instructions"], ports, and flags that lead nowhere. */
static const struct { const char *name; uint8_t bytes[16]; int signal; } forbidden[] = {
	{"CLI", {0xfa}, SIGSEGV}, {"STI", {0xfb}, SIGSEGV}, {"HLT", {0xf4}, SIGSEGV}, {"IN", {0xe4, 0x64}, SIGSEGV},
	{"OUT", {0xe6, 0xfe}, SIGSEGV}, {"INSB", {0x6c}, SIGSEGV}, {"OUTSB", {0x6e}, SIGSEGV},
	{"MOV CR0", {0x0f, 0x22, 0xc0}, SIGSEGV}, {"MOV from CR3", {0x0f, 0x20, 0xd8}, SIGSEGV}, {"MOV DR7", {0x0f, 0x23, 0xf8}, SIGSEGV},
	{"LGDT", {0x0f, 0x01, 0x15, 0, 0x80, 4, 8}, SIGSEGV}, {"LIDT", {0x0f, 0x01, 0x1d, 0, 0x80, 4, 8}, SIGSEGV},
	{"LTR", {0x66, 0xb8, 0x28, 0, 0x0f, 0, 0xd8}, SIGSEGV}, {"LLDT", {0x31, 0xc0, 0x0f, 0, 0xd0}, SIGSEGV},
	{"LMSW", {0x0f, 0x01, 0xf0}, SIGSEGV}, {"CLTS", {0x0f, 0x06}, SIGSEGV}, {"INVLPG", {0x0f, 0x01, 0x3d, 0, 0x80, 4, 8}, SIGSEGV},
	{"WBINVD", {0x0f, 0x09}, SIGSEGV}, {"RDMSR", {0x0f, 0x32}, SIGSEGV}, {"WRMSR", {0x0f, 0x30}, SIGSEGV}, {"UD2", {0x0f, 0x0b}, SIGILL},
	{"SYSEXIT", {0x0f, 0x35}, SIGSEGV}, {"SYSENTER", {0x0f, 0x34}, SIGSEGV}, {"FDIV by 0, unmasked", {0x6a, 0, 0xd9, 0x2c, 0x24, 0xd9, 0xee, 0xd9, 0xe8, 0xd8, 0xf1, 0x9b}, SIGFPE},
	{"DIV by 0", {0x31, 0xc9, 0xf7, 0xf1}, SIGFPE}, {"INT3", {0xcc}, SIGTRAP},
	{"CALL FAR to the kernel", {0x9a, 0, 0, 0x10, 0xc0, 8, 0}, SIGSEGV}, {"JMP FAR to the TSS", {0xea, 0, 0, 0, 0, 0x28, 0}, SIGSEGV},
	{"JMP to the kernel", {0xb8, 0, 0, 0x10, 0xc0, 0xff, 0xe0}, SIGSEGV}, {"JMP to 0", {0x31, 0xc0, 0xff, 0xe0}, SIGSEGV},
	{"JMP to the last byte", {0xb8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xe0}, SIGSEGV},
	{"IRET with NT", {0x9c, 0x81, 0x0c, 0x24, 0, 0x40, 0, 0, 0x9d, 0xcf}, SIGSEGV},
	{"POPF with TF", {0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90}, SIGTRAP},
	{"MOV to SS, null", {0x31, 0xc0, 0x8e, 0xd0}, SIGSEGV}, {"MOV to SS, kernel data", {0xb8, 0x10, 0, 0, 0, 0x8e, 0xd0}, SIGSEGV},
	{"PUSH at ESP 0", {0x31, 0xe4, 0x50}, SIGSEGV}, {"PUSH into the kernel", {0xbc, 0, 0, 0x20, 0xc0, 0x50}, SIGSEGV},
	{"PUSH under the kernel's end", {0xbc, 0, 0xf0, 0xff, 0xff, 0x60}, SIGSEGV},
};

static void ring3_forbidden(void)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		int status = child_status(run_code, (void *)forbidden[i].bytes);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == forbidden[i].signal, "%s: wait status 0x%x, not signal %d", forbidden[i].name,
			status, forbidden[i].signal);
	}
}

/* INT n: only 3 and 0x80 are for user programs. */
static void ring3_interrupts(void)
{
	static struct code c = {{0xcd, 0, 0x90}};

	for (int n = 0; n < 256; n++) {
		if (n == 0x80 || (n & 7) == 6)         /* the rest is like its neighbours */
			continue;
		c.bytes[1] = n;
		must_be_killed(run_code, &c, n == 3 ? SIGTRAP : SIGSEGV);
	}
}

/* Every selector there could be in each data segment register: the kernel comes back to its own, or the process ends. */
static void load_selector(void *selector)
{
	__asm__ volatile("movl %0, %%gs\n\tmovl %0, %%fs\n\tint $0x80" : : "r"(selector), "a"(SYS_getpid));
	__asm__ volatile("pushl %%ds\n\tmovl %0, %%es\n\tmovl %0, %%ds\n\tint $0x80\n\tpopl %%ds\n\tpushl %%ds\n\tpopl %%es"
		: : "r"(selector), "a"(SYS_getpid) : "memory");
}

static void ring3_selectors(void)
{
	for (uint32_t s = 0; s < 0x48; s++) {
		int status = child_status(load_selector, (void *)s);
		bool good = s < 4 || (s & ~3u) == 0x18 || (s & ~3u) == 0x20;
		CHECK(good ? status == 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "selector 0x%x: wait status 0x%x", (unsigned)s,
			status);
	}
}

/* A system call works whatever the flags and the stack pointer are. */
static void strange_state(void *unused)
{
	long pid = getpid(), a, b;

	(void)unused;
	__asm__ volatile("movl %%esp, %%esi\n\txorl %%esp, %%esp\n\tint $0x80\n\tmovl $0xc0100000, %%esp\n\tmovl %%eax, %%edi\n\tmovl %2, %%eax\n\t"
		"int $0x80\n\tmovl %%esi, %%esp" : "=&a"(a), "=&D"(b) : "i"(SYS_getpid), "0"(SYS_getpid) : "esi", "memory");
	CHECK(a == pid && b == pid, "getpid gave %ld and %ld, not %ld", a, b, pid);
	__asm__ volatile("pushfl\n\torl $0x46400, (%%esp)\n\tpopfl\n\tint $0x80\n\tpushfl\n\tandl $~0x44400, (%%esp)\n\tpopfl"
		: "=a"(a) : "0"(SYS_getpid) : "memory", "cc");         /* DF, NT, AC; IOPL stays as it is */
	CHECK_EQ(a, pid);
	CHECK(read(-1, (void *)0, 1) == -1, "read of descriptor -1 worked");
}

static void ring3_state(void) { must_end_well(start_child(strange_state, NULL)); }

/* Programs that are not programs. */
static void write_file(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	CHECK(fd >= 0, "%s: %s", path, strerror(errno));
	CHECK_EQ(write(fd, data, n), (long)n);
	close(fd);
}

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

/* Fork until it fails, then let the whole family die. */
static void bomb(void *unused)
{
	(void)unused;
	syscall(57, 0, 0);             /* a group of their own */
	for (;;)
		if (fork() < 0)
			usleep(10000);
}

static void leave(void *status) { _exit((int)status); }

static void fork_bomb(void)
{
	int status;
	pid_t pid = start_child(bomb, NULL);

	usleep(600000);
	for (int quiet = 0; quiet < 3;) {      /* new ones may appear while the old ones die */
		quiet = kill(-pid, SIGKILL) < 0 ? quiet + 1 : 0;
		waitpid(pid, &status, WNOHANG);
		usleep(20000);
	}
	CHECK_EQ(child_status(leave, (void *)7), 7 << 8);
}

static void kill_init(void)
{
	kill(1, SIGKILL);
	kill(1, SIGSEGV);
	kill(2, SIGKILL);
	CHECK_ERROR(kill(1, 65), EINVAL);
	CHECK_ERROR(kill(1, -1), EINVAL);
	CHECK_ERROR(kill(32000, 0), ESRCH);
	CHECK_ERROR(kill(-2147483647 - 1, 9), ESRCH);
	usleep(20000);
	CHECK_EQ(kill(1, 0), 0);
	CHECK_EQ(kill(2, 0), 0);
}

/* Two processes, four ends, closed in every order; then what read and write say. */
static void pipe_orders(void)
{
	for (int order = 0; order < 24; order++) {
		int fd[2], ends[4], left = 4, n = order, status;
		CHECK_EQ(pipe(fd), 0);
		ends[0] = fd[0], ends[1] = fd[1], ends[2] = dup(fd[0]), ends[3] = dup(fd[1]);
		pid_t pid = fork();
		if (pid == 0) {
			char c;
			close(ends[1]);
			close(ends[3]);
			_exit(read(ends[order & 1 ? 0 : 2], &c, 1) == 0 ? 0 : 1);
		}
		while (left) {
			int k = n % left;
			n /= left;
			CHECK_EQ(close(ends[k]), 0);
			ends[k] = ends[--left];
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0, "order %d: the reader saw no end: 0x%x", order, status);
	}
}

static void descriptors_used_up(void)
{
	int last = -1, n = 0, fd[2];

	while ((last = dup(1)) >= 0)
		n++;
	CHECK(errno == EMFILE && n > 10, "%d descriptors, errno %d", n, errno);
	CHECK_ERROR(pipe(fd), EMFILE);
	CHECK_ERROR(open("/bin/true", O_RDONLY), EMFILE);
	CHECK_EQ(close(5), 0);
	CHECK_ERROR(pipe(fd), EMFILE);
	CHECK_EQ(open("/bin/true", O_RDONLY), 5);
}

/* Names on themselves, into themselves, over each other. */
static void rename_odd(void)
{
	mkdir(PLACE, 0755);
	mkdir(PLACE "/d", 0755);
	mkdir(PLACE "/e", 0755);
	write_file(PLACE "/f", "x", 1);
	CHECK_EQ(rename(PLACE "/f", PLACE "/f"), 0);
	CHECK_EQ(rename(PLACE "/d", PLACE "/./d"), 0);
	CHECK_ERROR(rename(PLACE "/d", PLACE "/d/x"), EINVAL);
	CHECK_ERROR(rename(PLACE, PLACE "/d"), EINVAL);
	CHECK_ERROR(rename(PLACE "/d", PLACE), ENOTEMPTY);
	CHECK_ERROR(rename(PLACE "/f", PLACE "/d"), EISDIR);
	CHECK_ERROR(rename(PLACE "/d", PLACE "/f"), ENOTDIR);
	CHECK_ERROR(rename("/", PLACE "/g"), EBUSY);
	CHECK_ERROR(rename(PLACE "/f", "/"), EBUSY);
	CHECK_ERROR(rename(PLACE "/f", "/proc/f"), EXDEV);
	CHECK_ERROR(rename(PLACE "/f", "/dev/null"), EXDEV);
	CHECK_ERROR(rename("/proc/meminfo", PLACE "/g"), EXDEV);
	CHECK_ERROR(rename("/dev", PLACE "/g"), EXDEV);
	CHECK_ERROR(rmdir("/proc"), EBUSY);
	CHECK_ERROR(rmdir("/dev"), EBUSY);
	CHECK_ERROR(unlink("/"), EBUSY);
	CHECK_ERROR(rmdir("/"), EBUSY);
	CHECK_EQ(rename(PLACE "/d", PLACE "/e"), 0);
	CHECK_EQ(rmdir(PLACE "/e"), 0);
	CHECK_EQ(unlink(PLACE "/f"), 0);
	CHECK_EQ(rmdir(PLACE), 0);
}

static void write_vectors(void)
{
	uint32_t v[3][2] = {{PAGE_SIZE, 0x7fffe000}, {PAGE_SIZE, 0x7fffe000}, {0, 0xffffffff}};
	int fd = open("/dev/null", O_WRONLY);

	CHECK_EQ(syscall(146, fd, v, 2), 0x7ffff000);
	CHECK_EQ(syscall(146, fd, v, 1), 0x7fffe000);
	CHECK_ERROR(syscall(146, fd, v + 2, 1), EINVAL);
	CHECK_ERROR(syscall(146, fd, v, 1025), EINVAL);
	close(fd);
}

/* The last page a file can have, through both indirections; beyond that, EFBIG. */
static void file_limits(void)
{
	char c = 'z', got[3] = {1, 1, 1};
	int fd = open(PLACE, O_RDWR | O_CREAT | O_TRUNC, 0644);

	for (uint32_t at = 40000; at < 0x7fffffff - 8192; at = at * 3 + 4095) {
		CHECK_EQ(lseek(fd, at, SEEK_SET), at);
		CHECK_EQ(write(fd, &c, 1), 1);
		CHECK_EQ(pread(fd, got, 2, at - 1), 2);
		CHECK(got[0] == 0 && got[1] == 'z', "at %u: %d %d", (unsigned)at, got[0], got[1]);
	}
	CHECK_EQ(lseek(fd, 0x7ffffffe, SEEK_SET), 0x7ffffffe);
	CHECK_EQ(write(fd, "ab", 2), 1);
	CHECK_ERROR(write(fd, "b", 1), EFBIG);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0x7fffffff);
	CHECK_EQ(ftruncate(fd, 10), 0);
	CHECK_EQ(unlink(PLACE), 0);
	close(fd);
}

/* Fill the disk; what was there stays, and afterwards the room is back. */
static void disk_full(void)
{
	static char block[PAGE_SIZE];
	long total = 0, n;
	int fd = open(PLACE, O_RDWR | O_CREAT | O_TRUNC, 0644);

	write_file(PLACE ".keep", "kept", 4);
	while ((n = write(fd, block, sizeof(block))) > 0)
		total += n;
	CHECK(n == -1 && errno == ENOSPC, "after %ld bytes: %ld, errno %d", total, n, errno);
	CHECK_ERROR(mkdir(PLACE ".dir", 0755), ENOSPC);
	n = open(PLACE ".new", O_RDWR | O_CREAT, 0644);
	CHECK(n < 0 || write(n, block, 100) == -1, "a write to the full disk worked");
	close(n);
	CHECK_EQ(unlink(PLACE), 0);
	CHECK_ERROR(mkdir(PLACE ".dir", 0755), ENOSPC);        /* still open */
	close(fd);
	CHECK_EQ(mkdir(PLACE ".dir", 0755), 0);
	CHECK_EQ(rmdir(PLACE ".dir"), 0);
	unlink(PLACE ".new");
	CHECK_EQ(unlink(PLACE ".keep"), 0);
}

/* System calls with random numbers and arguments. */
static char paths[4][40] = {"/tmp/hostile", "/tmp/hostile/../x", "/tmp/hostile.d/y", "/tmp/hostile.d"};
static uint32_t area[2 * PAGE_SIZE / 4];

static uint32_t random_argument(uint32_t *seed)
{
	uint32_t r = next_random(seed), pick = next_random(seed) % 16;

	if (pick < 3)
		return r % 40;
	if (pick < 6)
		return (uint32_t)paths[r % 4];
	if (pick < 9)
		return (uint32_t)area + r % sizeof(area);
	if (pick == 9)
		return 0xc0000000 - r % 200;          /* not our own variables */
	if (pick == 10)
		return (uint32_t)sbrk(0) + r % 9000 - 5000;
	if (pick == 11)
		return 0u - r % 70;
	if (pick == 12)
		return 1u << r % 32;
	return pick == 13 ? r % 10000 : pick == 14 ? 0xbf800000 - 5000 + r % 20000 : r;
}

static void fuzz(uint32_t seed, uint32_t count)
{
	int fd[2];

	for (int i = 0; i < 32; i++)
		close(i);
	open(paths[0], O_RDWR | O_CREAT, 0755);
	pipe(fd);
	open("/proc/self/maps", O_RDONLY);
	open("/dev/zero", O_RDONLY);
	open("/proc", O_RDONLY);
	open("/", O_RDONLY);
	mkdir(paths[3], 0755);
	memset(area, 0, 40);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = next_random(&seed) % 270, a[5];
		for (int k = 0; k < 5; k++)
			a[k] = random_argument(&seed);
		switch (number) {
		case SYS_exit: case SYS_exit_group: case SYS_reboot: case SYS_nanosleep: case SYS_kill:
		case SYS_poll: case SYS__newselect: case SYS_clock_nanosleep:  /* these may wait for ever */
		case SYS_clone: case SYS_vfork:                /* and a child of theirs would go on with this loop */
		case SYS_pause: case SYS_sigsuspend: case SYS_rt_sigsuspend: case SYS_alarm: case SYS_setitimer:
		case SYS_sigreturn: case SYS_rt_sigreturn: case SYS_tkill:
			continue;
		case SYS_fork:
			if (fork() == 0)
				_exit(0);
			continue;
		case SYS_read: case SYS_write: case 146:       /* a pipe must not keep us waiting */
			for (int p = 0; p < 32; p++)
				syscall(SYS_fcntl, p, 4, 04000);
			if (a[2] > 100000)
				a[2] %= 100000;
			break;
		case SYS_brk:
			a[0] = (uint32_t)sbrk(0) + a[0] % 200000 - 80000;
			break;
		case SYS_waitpid: case SYS_wait4:
			a[2] |= 1;
			break;
		}
		syscall(number, a[0], a[1], a[2], a[3], a[4]);
	}
	_exit(0);
}

void fuzz_main(const char *what)
{
	uint32_t seed = strtoul(what, NULL, 10);
	const char *count = strchr(what, '-');
	fuzz(seed ? seed : 1, count ? strtoul(count + 1, NULL, 10) : 1000);
}

static void fuzz_seed(void *seed) { fuzz((uint32_t)seed, 3000); }

static void random_calls(void)
{
	for (uint32_t seed = 1; seed <= 6; seed++) {
		int status = child_status(fuzz_seed, (void *)(seed * 2654435761u));
		CHECK(status == 0 || WIFSIGNALED(status), "seed %u: wait status 0x%x", (unsigned)seed, status);
	}
	for (int i = 0; i < 4; i++) {
		unlink(paths[i]);
		rmdir(paths[i]);
	}
}

const struct test hostile_tests[] = {
	{"ring3-forbidden", "what only the kernel may do, and wild jumps, end the program", ring3_forbidden, NULL},
	{"ring3-interrupts", "INT n, for every kind of n", ring3_interrupts, NULL},
	{"ring3-selectors", "every selector in every data segment register", ring3_selectors, NULL},
	{"ring3-state", "system calls with a wild ESP, DF, NT and AC", ring3_state, NULL},
	{"exec-mutants", "damaged programs fail or end, and harm nobody", exec_mutants, NULL},
	{"exec-odd", "scripts without an interpreter, directories, no arguments at all", exec_odd, NULL},
	{"lock-zeroes", "a program locks 320 MB of zeroes, which is one frame", lock_zeroes, NULL},
	{"cut-off", "programs whose files are truncated while they run, with memory short", cut_off, NULL},
	{"fork-bomb", "processes until no more can be made, then all are killed", fork_bomb, NULL},
	{"kill-init", "nothing kills processes 1 and 2", kill_init, NULL},
	{"pipe-orders", "the ends of a pipe closed in every order", pipe_orders, NULL},
	{"descriptors-used-up", "no descriptor left is EMFILE and loses nothing", descriptors_used_up, NULL},
	{"rename-odd", "names moved onto and into themselves and across mounts", rename_odd, NULL},
	{"write-vectors", "gathered writes of more than an int can count", write_vectors, NULL},
	{"file-limits", "a file with holes up to 2 GB - 1, and no further", file_limits, NULL},
	{"disk-full", "a full disk is ENOSPC, and the room comes back", disk_full, NULL},
	{"random-calls", "18000 random system calls", random_calls, NULL},
	{0}};
