/* guestos/kernel/lib.c: the C library functions that the compiler and the kernel expect, in their plainest form. */
#include "kernel.h"

void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;
	size_t words = n / 4, bytes = n % 4;
	__asm__ volatile("rep movsl\n\tmovl %3, %%ecx\n\trep movsb"
		: "+D"(d), "+S"(from), "+c"(words) : "r"(bytes) : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	if (to <= from || (char *)to >= (const char *)from + n)
		return memcpy(to, from, n);
	char *d = to;
	const char *s = from;
	while (n--)
		d[n] = s[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	void *d = to;
	uint32_t word = (uint8_t)byte * 0x01010101u;
	size_t words = n / 4, bytes = n % 4;
	__asm__ volatile("rep stosl\n\tmovl %2, %%ecx\n\trep stosb"
		: "+D"(d), "+c"(words) : "r"(bytes), "a"(word) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

void strlcpy(char *to, const char *from, size_t room)
{
	size_t n = min(strlen(from), room - 1);
	memcpy(to, from, n);
	to[n] = 0;
}

/* 64 / 32 bits in two DIVs, the remainder of the first being the upper half for the second. */
uint64_t div64(uint64_t n, uint32_t by, uint32_t *remainder)
{
	uint32_t high = n >> 32, low = n, q1 = high / by, q0, r = high % by;
	__asm__("divl %4" : "=a"(q0), "=d"(r) : "0"(low), "1"(r), "r"(by) : "cc");
	if (remainder)
		*remainder = r;
	return (uint64_t)q1 << 32 | q0;
}
