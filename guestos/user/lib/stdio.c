/* lib/stdio.c: buffered streams. A stream reads or writes, never both, so one
 * buffer with two indices is enough: reading has buf[pos..len) left to give,
 * writing has buf[0..len) still to send. */
#include <stdio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum flush { FLUSH_UNKNOWN, FLUSH_FULL, FLUSH_LINE, FLUSH_ALWAYS };

struct file {
	int fd;
	bool writing, failed, at_end;
	enum flush flush;
	size_t pos, len;
	char buf[BUFSIZ];
};

static struct file in = {.fd = 0}, out = {.fd = 1, .writing = true}, err = {.fd = 2, .writing = true, .flush = FLUSH_ALWAYS};
FILE *const stdin = &in, *const stdout = &out, *const stderr = &err;

FILE *fopen(const char *path, const char *mode)
{
	int flags = mode[0] == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | (mode[0] == 'a' ? O_APPEND : O_TRUNC);
	int fd = open(path, flags, 0666);

	if (fd < 0)
		return NULL;
	FILE *f = calloc(1, sizeof(*f));
	if (!f) {
		close(fd);
		return NULL;
	}
	f->fd = fd;
	f->writing = mode[0] != 'r';
	f->flush = FLUSH_FULL;
	return f;
}

int fflush(FILE *f)
{
	f = f ? f : stdout;
	if (!f->writing || f->len == 0)
		return f->failed ? EOF : 0;
	if (write_full(f->fd, f->buf, f->len) < 0)
		f->failed = true;
	f->len = 0;
	return f->failed ? EOF : 0;
}

int fclose(FILE *f)
{
	int result = fflush(f);

	if (close(f->fd) < 0)
		result = EOF;
	if (f != stdin && f != stdout && f != stderr)
		free(f);
	return result;
}

int ferror(FILE *f) { return f->failed; }

/* Reading */

static bool fill(FILE *f)
{
	if (f->at_end)
		return false;
	ssize_t n = read(f->fd, f->buf, sizeof(f->buf));
	f->failed |= n < 0;
	f->at_end = n <= 0;
	f->pos = 0;
	f->len = n > 0 ? n : 0;
	return n > 0;
}

int fgetc(FILE *f)
{
	if (f->pos == f->len && !fill(f))
		return EOF;
	return (unsigned char)f->buf[f->pos++];
}

char *fgets(char *buf, int size, FILE *f)
{
	int n = 0, c;

	while (n < size - 1 && (c = fgetc(f)) != EOF) {
		buf[n++] = c;
		if (c == '\n')
			break;
	}
	buf[n] = 0;
	return n ? buf : NULL;
}

long getline(char **line, size_t *size, FILE *f)
{
	size_t n = 0;
	int c;

	while ((c = fgetc(f)) != EOF) {
		if (!*line || n + 2 > *size) {
			size_t bigger = *line ? *size * 2 : 128;
			char *p = realloc(*line, bigger);
			if (!p)
				return -1;
			*line = p;
			*size = bigger;
		}
		(*line)[n++] = c;
		(*line)[n] = 0;
		if (c == '\n')
			break;
	}
	return n ? (long)n : -1;
}

size_t fread(void *p, size_t size, size_t n, FILE *f)
{
	char *to = p;
	size_t want = size * n, got = 0;
	int c;

	while (got < want && (c = fgetc(f)) != EOF)
		to[got++] = c;
	return size ? got / size : 0;
}

/* Writing */

int fputc(int c, FILE *f)
{
	if (f->flush == FLUSH_UNKNOWN)
		f->flush = isatty(f->fd) ? FLUSH_LINE : FLUSH_FULL;
	f->buf[f->len++] = c;
	if (f->len == sizeof(f->buf) || (f->flush == FLUSH_LINE && c == '\n'))
		return fflush(f) ? EOF : (unsigned char)c;
	return (unsigned char)c;
}

size_t fwrite(const void *p, size_t size, size_t n, FILE *f)
{
	const char *from = p;

	for (size_t i = 0; i < size * n; i++)
		if (fputc(from[i], f) == EOF)
			return size ? i / size : 0;
	if (f->flush == FLUSH_ALWAYS && fflush(f))
		return 0;
	return n;
}

int fputs(const char *s, FILE *f)
{
	size_t n = strlen(s);
	return fwrite(s, 1, n, f) == n ? 0 : EOF;
}

int putchar(int c) { return fputc(c, stdout); }
int puts(const char *s) { return fputs(s, stdout) == EOF || putchar('\n') == EOF ? EOF : 0; }

int vfprintf(FILE *f, const char *format, va_list ap)
{
	char small[256], *text = small;
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), format, ap);
	if (n >= (int)sizeof(small) && (text = malloc(n + 1)))
		vsnprintf(text, n + 1, format, again);
	va_end(again);
	if (!text)
		return -1;
	size_t done = fwrite(text, 1, n, f);
	if (text != small)
		free(text);
	return done == (size_t)n ? n : -1;
}

int printf(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vfprintf(stdout, format, ap);
	va_end(ap);
	return n;
}

int fprintf(FILE *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vfprintf(f, format, ap);
	va_end(ap);
	return n;
}

void perror(const char *what)
{
	int error = errno;

	fflush(stdout);
	fprintf(stderr, "%s: %s\n", what, strerror(error));
}
