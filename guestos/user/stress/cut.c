/* stress/cut.c: programs whose file is cut off at the very moment at which they want a page of it.
 *
 * The page is either all the file's, and then the page cache's frame is mapped, or only its beginning is, and then it is copied. Both
 * have to get memory first, and may sleep over it; when they go on, the file may have lost the page. Once ftruncate() has returned, no
 * access to the page may succeed any more, whichever came first: not the fault's result, and no frame kept by it. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vm.h>

#define TEXT 0x08048000u
#define DATA 0x10000000u
#define ENTRY 0x80u                    /* where the code begins, behind the headers */
#define TOO_LONG 7                     /* exit status: the page was still there */

/* movb DATA, %al; then read(0, the stack, 1) waits for the file to be cut off; movb DATA, %al; exit(TOO_LONG) */
static const uint8_t code[] = {0xa0, 0, 0, 0, 0x10, 0x6a, 0, 0xb8, 3, 0, 0, 0, 0x31, 0xdb, 0x89, 0xe1, 0xba, 1, 0, 0, 0, 0xcd, 0x80,
	0xa0, 0, 0, 0, 0x10, 0xb8, 1, 0, 0, 0, 0xbb, TOO_LONG, 0, 0, 0, 0xcd, 0x80};

/* An ELF header and two program headers: a page of text, and a writable one of which so many bytes are the file's. The file, open. */
static int make_program(const char *path, uint32_t data_bytes)
{
	static char page[PAGE_SIZE];
	uint32_t header[] = {0x464c457f, 0x00010101, 0, 0, 0x00030002, 1, TEXT + ENTRY, 52, 0, 0, 0x00200034, 2, 0,
		1, 0, TEXT, 0, PAGE_SIZE, PAGE_SIZE, 5, PAGE_SIZE,
		1, PAGE_SIZE, DATA, 0, data_bytes, 2 * PAGE_SIZE, 6, PAGE_SIZE};
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0755);

	EXPECT(fd >= 0, "open: errno %d", errno);
	memcpy(page, header, sizeof(header));
	memcpy(page + ENTRY, code, sizeof(code));
	for (int i = 0; i < 2; i++)
		EXPECT(write(fd, page, sizeof(page)) == PAGE_SIZE, "write: errno %d", errno);
	return fd;
}

static _Noreturn void become(const char *path, int go, int begun)
{
	char *none[] = {NULL};

	fcntl(begun, F_SETFD, FD_CLOEXEC);
	dup2(go, 0);
	for (int fd = 1; fd < 20; fd++)
		if (fd != begun)
			close(fd);
	execve(path, none, none);
	_exit(0);                              /* no memory */
}

static void cut_program(void)
{
	char path[24], byte;
	int go[2], begun[2], status = -1;

	snprintf(path, sizeof(path), "/tmp/cut.%d", worker);
	int fd = make_program(path, any(2) ? PAGE_SIZE : 100);
	EXPECT(pipe(go) == 0 && pipe(begun) == 0, "pipe: errno %d", errno);
	pid_t pid = fork();
	if (pid == 0)
		become(path, go[0], begun[1]);
	close(begun[1]);
	while (pid > 0 && read(begun[0], &byte, 1) < 0)
		;                              /* the end of the pipe: exec has closed it */
	for (uint32_t n = any(4); n; n--)
		sched_yield();
	EXPECT(ftruncate(fd, PAGE_SIZE) == 0, "ftruncate: errno %d", errno);
	write(go[1], "", 1);
	EXPECT(pid < 0 || waitpid(pid, &status, 0) == pid, "waitpid: errno %d", errno);
	EXPECT(pid < 0 || status == 0 || WIFSIGNALED(status), "status 0x%x: the page outlived its file's end", status);
	close(begun[0]);
	close(go[0]);
	close(go[1]);
	close(fd);
	EXPECT(unlink(path) == 0, "unlink: errno %d", errno);
}

const struct operation cut_operations[] = {
	{"cut a program", cut_program, 3},
	{0}};
