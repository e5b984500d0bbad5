/* stdio.h: buffered streams and formatted output (lib/stdio.c, lib/printf.c).
 *
 * stdout is flushed at each newline when it is a terminal, when full otherwise;
 * stderr at once. printf knows %d %i %u %x %X %o %c %s %p %% with flags - 0 and space,
 * width and precision (also *), and the sizes l, ll and z.
 * Not implemented: floating point, scanf, ungetc, streams open for both directions. */
#ifndef STDIO_H
#define STDIO_H

#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)
#define BUFSIZ 1024

typedef struct file FILE;              /* the one typedef the C standard asks for */
extern FILE *const stdin, *const stdout, *const stderr;

FILE *fopen(const char *path, const char *mode);       /* "r", "w" or "a" */
int fclose(FILE *f);
int fflush(FILE *f);                   /* NULL: stdout */
int fgetc(FILE *f);
char *fgets(char *buf, int size, FILE *f);
long getline(char **line, size_t *size, FILE *f);
size_t fread(void *p, size_t size, size_t n, FILE *f);
size_t fwrite(const void *p, size_t size, size_t n, FILE *f);
int fputc(int c, FILE *f);
int fputs(const char *s, FILE *f);
int putchar(int c);
int puts(const char *s);
int ferror(FILE *f);

int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int fprintf(FILE *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
int vfprintf(FILE *f, const char *format, va_list ap);
int snprintf(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buf, size_t size, const char *format, va_list ap);
void perror(const char *what);
int rename(const char *from, const char *to);

#endif
