/* guestos/include/kernel.h: what every kernel file needs: types, the direct map, messages, small helpers.
 *
 * Kernel functions return 0 or a count, or a negative Linux error number. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"

typedef uint32_t paddr_t;      /* a physical address */
typedef uint32_t uaddr_t;      /* a user address: never dereferenced, only passed to usercopy.c */

#define KERNEL_BASE   0xC0000000u
#define PAGE_SIZE     4096u
#define PAGE_SHIFT    12
#define PAGE_MASK     (~(PAGE_SIZE - 1))
#define page_down(a)  ((uint32_t)(a) & PAGE_MASK)
#define page_up(a)    (((uint32_t)(a) + PAGE_SIZE - 1) & PAGE_MASK)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b)     ((a) < (b) ? (a) : (b))
#define max(a, b)     ((a) > (b) ? (a) : (b))
#define HZ            100u

/* All of usable memory is mapped at KERNEL_BASE, so the two views differ by a constant. */
static inline void *phys_to_virt(paddr_t pa) { return (void *)(pa + KERNEL_BASE); }
static inline paddr_t virt_to_phys(const void *va) { return (paddr_t)va - KERNEL_BASE; }

/* lib.c */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
void strlcpy(char *to, const char *from, size_t room);
uint64_t div64(uint64_t n, uint32_t by, uint32_t *remainder);

/* printk.c */
int vsnprintf(char *to, size_t room, const char *format, va_list args);
int snprintf(char *to, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
void printk(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* panic.c */
struct trapframe;
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void panic_trap(const struct trapframe *tf, const char *why) __attribute__((noreturn));
#define KASSERT(x) do { if (!(x)) panic("%s:%d: %s", __FILE__, __LINE__, #x); } while (0)

/* Marsaglia's xorshift, for numbers that are random enough to draw lots: any state but 0, and all others come in turn. */
static inline uint32_t xorshift(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

/* random.c: the same numbers in every run; random_to_user() may sleep */
uint32_t random_u32(void);
int random_to_user(uaddr_t to, uint32_t n);

/* main.c: options from the Multiboot command line */
struct boot_options {
	char init[64];         /* init=PATH */
	uint32_t root;         /* root=hdaN: the partition's number */
	bool undo;             /* journal=undo: the file system's log has old contents instead of new ones */
	char policy[24];       /* policy=NAME: page replacement */
	bool quiet;
	uint32_t seed;         /* seed=N: see kernel/preempt.c; 0 = off */
	uint32_t check;        /* check=N: look for contradictions in memory management every N faults and ticks; 0 = never */
};
extern struct boot_options boot_options;

#endif
