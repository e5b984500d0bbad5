/* segment.h: make segments in the local table, and reach through them.
 *
 * A selector of the local table for ring 3 is  entry << 3 | TI (4) | RPL 3. [SDM3A 3.4.2 "Segment Selectors"]
 * Access goes through FS, which the compiler does not use. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <stdint.h>
#include <sys/ldt.h>

#define LOCAL(entry) ((entry) << 3 | 7u)
#define FLAT_CODE 0x1bu
#define FLAT_DATA 0x23u

/* The empty entry, as Linux defines it. */
static inline int segment_clear(unsigned entry)
{
	struct user_desc u = {.entry_number = entry, .read_exec_only = 1, .seg_not_present = 1};
	return modify_ldt(0x11, &u, sizeof(u));
}

static inline int segment_make(struct user_desc u) { return modify_ldt(0x11, &u, sizeof(u)); }

static inline void load_fs(uint32_t selector) { __asm__ volatile("movw %w0, %%fs" : : "r"(selector)); }

static inline uint32_t stored_fs(void)
{
	uint32_t selector;
	__asm__ volatile("movl %%fs, %0" : "=r"(selector));
	return selector & 0xffff;
}

static inline uint8_t fs_read8(uint32_t offset)
{
	uint8_t v;
	__asm__ volatile("movb %%fs:(%1), %0" : "=q"(v) : "r"(offset) : "memory");
	return v;
}

static inline uint32_t fs_read32(uint32_t offset)
{
	uint32_t v;
	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(v) : "r"(offset) : "memory");
	return v;
}

static inline void fs_write8(uint32_t offset, uint8_t v) { __asm__ volatile("movb %0, %%fs:(%1)" : : "q"(v), "r"(offset) : "memory"); }
static inline void fs_write32(uint32_t offset, uint32_t v) { __asm__ volatile("movl %0, %%fs:(%1)" : : "r"(v), "r"(offset) : "memory"); }

/* The last offset of a segment, 0 and false if the selector is bad; and its type and rights (bits 8-23), 0 if bad. [SDM2A "LSL", "LAR"] */
static inline int segment_limit(uint32_t selector, uint32_t *limit)
{
	uint8_t good;
	*limit = 0;
	__asm__ volatile("lsl %2, %0\n\tsetz %1" : "+r"(*limit), "=q"(good) : "r"(selector) : "cc");
	return good;
}

static inline uint32_t segment_rights(uint32_t selector)
{
	uint32_t rights = 0;
	__asm__ volatile("lar %1, %0" : "+r"(rights) : "r"(selector) : "cc");
	return rights;
}

/* QEMU without hardware help translates code without checking limits and rights of segments; it says what it is. */
static inline int segments_are_checked(void)
{
	uint32_t a = 0x40000000, b, c, d;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return !(b == 0x54474354 && c == 0x43544743 && d == 0x47435447);       /* "TCGTCGTCGTCG" */
}

#endif
