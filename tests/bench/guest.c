/* tests/bench/guest.c: what the benchmark runs: integer kernels, in 32-bit protected mode with paging on.
 *
 * Prints on the debug console (port 0xE9): 'S' when it starts measuring, 'E' when it ends, then the checksum and the
 * time-stamp counter's difference in hexadecimal, so that two emulators can be seen to have done the same work.
 * References: [SDM3A 4.3 "32-Bit Paging"].
 */
#include <stdint.h>

#define ROUNDS 400

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static void put_hex(uint64_t value)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		outb(0xe9, "0123456789abcdef"[value >> shift & 15]);
}

/* --- kernels ------------------------------------------------------------------------------------------------------ */

#define SIEVE 20000
static uint8_t composite[SIEVE];

static uint32_t sieve(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SIEVE; i++)
		composite[i] = 0;
	for (uint32_t i = 2; i < SIEVE; i++) {
		if (composite[i])
			continue;
		count++;
		for (uint32_t j = i + i; j < SIEVE; j += i)
			composite[j] = 1;
	}
	return count;
}

static uint32_t crc_table[256];

static uint32_t crc(void)
{
	uint32_t sum = ~0u;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
		crc_table[i] = c;
	}
	for (uint32_t i = 0; i < SIEVE; i++)
		sum = crc_table[(sum ^ composite[i] ^ i) & 0xff] ^ sum >> 8;
	return ~sum;
}

#define SORT 3000
static uint32_t numbers[SORT];

static void quicksort(uint32_t *a, int lo, int hi)
{
	while (lo < hi) {
		uint32_t pivot = a[(lo + hi) / 2];
		int i = lo, j = hi;

		while (i <= j) {
			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i <= j) {
				uint32_t t = a[i];
				a[i++] = a[j];
				a[j--] = t;
			}
		}
		quicksort(a, lo, j);
		lo = i;
	}
}

static uint32_t sort(void)
{
	uint32_t seed = 12345, sum = 0;

	for (int i = 0; i < SORT; i++)
		numbers[i] = seed = seed * 1664525u + 1013904223u;
	quicksort(numbers, 0, SORT - 1);
	for (int i = 0; i < SORT; i++)
		sum = sum * 31 + numbers[i];
	return sum;
}

static uint32_t __attribute__((noinline)) fib(uint32_t n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

#define SIDE 24
static int32_t left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];

static uint32_t matrix(void)
{
	uint32_t sum = 0;

	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			left[i][j] = i * 3 + j;
			right[i][j] = i - j * 5;
		}
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			int32_t t = 0;
			for (int k = 0; k < SIDE; k++)
				t += left[i][k] * right[k][j];
			product[i][j] = t;
			sum = sum * 17 + (uint32_t)t;
		}
	return sum;
}

static char text[4096];

static uint32_t strings(void)
{
	uint32_t words = 0, hash = 5381;

	for (unsigned i = 0; i < sizeof text; i++)
		text[i] = i % 7 == 6 ? ' ' : (char)('a' + i % 26);
	for (unsigned i = 0; i < sizeof text; i++) {
		words += text[i] == ' ';
		hash = hash * 33 ^ (uint8_t)text[i];
	}
	return hash + words;
}

/* --- machine ------------------------------------------------------------------------------------------------------- */

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t table[1024] __attribute__((aligned(4096)));

static void paging_on(void)
{
	for (uint32_t i = 0; i < 1024; i++)
		table[i] = i << 12 | 3;
	directory[0] = (uint32_t)(uintptr_t)table | 3;
	__asm__ volatile("mov %0, %%cr3; mov %%cr0, %%eax; or $0x80000000, %%eax; mov %%eax, %%cr0" : : "r"(directory) : "eax", "memory");
}

static void power_off(void)
{
	for (const char *s = "Shutdown"; *s; s++)
		outb(0x8900, (uint8_t)*s);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void guest_main(void)
{
	uint32_t sum = 0;
	uint64_t start;

	paging_on();
	outb(0xe9, 'S');
	start = rdtsc();
	for (int round = 0; round < ROUNDS; round++)
		sum = sum * 7 + sieve() + crc() + sort() + fib(20) + matrix() + strings();
	start = rdtsc() - start;
	outb(0xe9, 'E');
	put_hex(sum);
	put_hex(start);
	outb(0xe9, '\n');
	power_off();
}
