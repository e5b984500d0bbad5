/* lib/string.c: memory and strings. Plain loops, except the three that move whole
 * pages: those use the string instructions, which fault and resume in the middle
 * of a page boundary exactly like any other access, and so test the kernel too. */
#include <string.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;
	size_t words = n / 4;
	__asm__ volatile("rep movsl" : "+D"(d), "+S"(src), "+c"(words) : : "memory");
	words = n % 4;
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(words) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if ((char *)dst <= (const char *)src || (char *)dst >= (const char *)src + n)
		return memcpy(dst, src, n);
	for (volatile char *d = dst; n-- > 0;)
		d[n] = ((const char *)src)[n];
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	void *d = dst;
	size_t count = n / 4;
	__asm__ volatile("rep stosl" : "+D"(d), "+c"(count) : "a"((c & 0xff) * 0x01010101u) : "memory");
	count = n % 4;
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(count) : "a"(c) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n > 0; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const unsigned char *p = s; n > 0; n--, p++)
		if (*p == (unsigned char)c)
			return (void *)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return end - s;
}

size_t strnlen(const char *s, size_t max)
{
	const char *end = memchr(s, 0, max);
	return end ? (size_t)(end - s) : max;
}

char *strcpy(char *dst, const char *src) { return memcpy(dst, src, strlen(src) + 1); }

char *strncpy(char *dst, const char *src, size_t n)
{
	size_t len = strnlen(src, n);

	memcpy(dst, src, len);
	memset(dst + len, 0, n - len);
	return dst;
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size > 0) {
		size_t part = len < size ? len : size - 1;
		memcpy(dst, src, part);
		dst[part] = 0;
	}
	return len;
}

size_t strlcat(char *dst, const char *src, size_t size)
{
	size_t used = strnlen(dst, size);
	return used + strlcpy(dst + used, src, size - used);
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0 && *a && *a == *b; n--, a++, b++)
		;
	return n == 0 ? 0 : (unsigned char)*a - (unsigned char)*b;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (; (s = strchr(s, c)); s++) {
		last = s;
		if (!c)
			break;
	}
	return (char *)last;
}

char *strstr(const char *s, const char *part)
{
	size_t len = strlen(part);

	for (; ; s++) {
		if (strncmp(s, part, len) == 0)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

char *strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = malloc(size);
	return copy ? memcpy(copy, s, size) : NULL;
}

const char *strerror(int error)
{
	static const char *const text[] = {
		[0] = "no error", [EPERM] = "operation not permitted", [ENOENT] = "no such file or directory",
		[ESRCH] = "no such process", [EINTR] = "interrupted", [EIO] = "input/output error",
		[ENXIO] = "no such device", [E2BIG] = "arguments too long", [ENOEXEC] = "not an executable file",
		[EBADF] = "bad file descriptor", [ECHILD] = "no child process", [EAGAIN] = "try again",
		[ENOMEM] = "out of memory", [EACCES] = "permission denied", [EFAULT] = "bad address",
		[EBUSY] = "busy", [EEXIST] = "file exists", [EXDEV] = "on another file system",
		[ENODEV] = "no such device", [ENOTDIR] = "not a directory", [EISDIR] = "is a directory",
		[EINVAL] = "invalid argument", [ENFILE] = "too many open files in the system",
		[EMFILE] = "too many open files", [ENOTTY] = "not a terminal", [ETXTBSY] = "text file busy",
		[EFBIG] = "file too large", [ENOSPC] = "no space left", [ESPIPE] = "cannot seek",
		[EROFS] = "read-only file system", [EMLINK] = "too many links", [EPIPE] = "broken pipe",
		[ERANGE] = "out of range", [ENAMETOOLONG] = "name too long", [ENOSYS] = "no such system call",
		[ENOTEMPTY] = "directory not empty",
	};
	if (error < 0 || error >= (int)(sizeof(text) / sizeof(text[0])) || !text[error])
		return "unknown error";
	return text[error];
}

const char *strsignal(int signal)
{
	switch (signal) {
	case SIGHUP: return "hangup";
	case SIGINT: return "interrupted";
	case SIGQUIT: return "quit";
	case SIGILL: return "illegal instruction";
	case SIGABRT: return "aborted";
	case SIGBUS: return "bus error";
	case SIGFPE: return "arithmetic fault";
	case SIGKILL: return "killed";
	case SIGSEGV: return "segmentation fault";
	case SIGTRAP: return "trace or breakpoint";
	case SIGUSR1: return "user signal 1";
	case SIGUSR2: return "user signal 2";
	case SIGALRM: return "alarm";
	case SIGCHLD: return "child ended";
	case SIGCONT: return "continued";
	case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU: return "stopped";
	case SIGPIPE: return "broken pipe";
	case SIGTERM: return "terminated";
	}
	return "ended by a signal";
}
