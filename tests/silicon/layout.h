/* tests/silicon/layout.h: the little world in which a case runs, and a case itself: the same on the processor of this computer
 * and in the emulator.
 *
 *   linear        what                        rights at ring 3
 *   CODE          one page                    read, fetch; the page after it is not mapped
 *   DATA          two pages                   read, write
 *   DATA + 2000   one page                    read; the pages around the three are not mapped
 *   STACK         one page                    read, write; the pages around it are not mapped
 *
 * Nothing else is mapped below 4 GB, but for the page PAD through which a case ends on the host.
 */
#ifndef TESTS_SILICON_LAYOUT_H
#define TESTS_SILICON_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"
#include "cpu/insn.h"

/* Not round numbers: those turn up by chance in the registers of random code. */
#define SIL_CODE  0x0b3d1000u
#define SIL_DATA  0x1a6b4000u
#define SIL_STACK 0x2c5e9000u
#define SIL_PAD   0x36a59000u

enum { PAGE_CODE, PAGE_DATA0, PAGE_DATA1, PAGE_READONLY, PAGE_STACK, SIL_PAGES };
#define SIL_PAGE 4096u

#define SIL_CS 0x23u               /* the selectors of Linux, which have the same meaning in the emulator's GDT */
#define SIL_DS 0x2bu

/* Segments of the local descriptor table, so that base, limit, direction and rights count for something. Entry n has selector 8n + 7. */
struct sil_segment {
	uint32_t base, limit;      /* limit in bytes, or in pages with SEG_FLAG_G */
	uint8_t access, flags;     /* as in struct segment */
};
#define SIL_SEGMENTS 9
#define SIL_STACK16 5u            /* entries: a 16-bit stack, 16-bit code */
#define SIL_CODE16  8u
extern const struct sil_segment sil_ldt[SIL_SEGMENTS];
#define SIL_LDT_SELECTOR(n) (8u * (n) + 7)
/* The segment of a selector that a case may start with: an entry above, null, or a flat one. */
const struct sil_segment *sil_segment(uint16_t selector);

/* What FXSAVE stores, as far as IA-32 has it [SDM2A "FXSAVE"]. */
struct sil_fpu {
	uint16_t control, status;
	uint8_t valid, reserved;
	uint16_t opcode;
	uint32_t ip;
	uint16_t cs, reserved2;
	uint32_t dp;
	uint16_t ds, reserved3;
	uint32_t mxcsr, mxcsr_mask;
	struct { uint64_t mantissa; uint16_t exponent, zero[3]; } st[8];       /* st[0] is ST(0) */
	union xmm xmm[8];
} __attribute__((aligned(16)));

struct sil_state {
	uint32_t r[8];             /* eax ecx edx ebx esp ebp esi edi */
	uint32_t eip, eflags;
	uint16_t seg[6];           /* es cs ss ds fs gs */
	struct sil_fpu fpu;
};

#define SIL_ENDED (-1)             /* came to the end of the code */
#define SIL_HUNG  (-2)             /* did not end at all */

struct sil_result {
	struct sil_state state;
	int vector;                /* SIL_*, or the exception that ended it */
	uint32_t error, cr2;       /* 0 where the exception has none */
};

/* Bytes that differ from the background before the case starts. */
#define SIL_PATCH 32
#define SIL_PATCHES 24
struct sil_patch {
	uint32_t at;
	uint8_t len, byte[SIL_PATCH];
};

#define SIL_CODE_MAX 112
#define SIL_INSNS 6
struct sil_case {
	struct sil_state in;
	uint8_t code[SIL_CODE_MAX];
	uint8_t len;               /* bytes of code; the end follows them */
	uint8_t insns;             /* instructions in code, and where each starts */
	uint8_t start[SIL_INSNS];
	uint8_t patches;
	bool single;               /* the emulator runs it outside its code cache */
	struct sil_patch patch[SIL_PATCHES];
};

/* Code that ends a case: "jmp far 33h:SIL_PAD". The emulator's GDT has no such segment, so there it is #GP at this address. Returns
 * its length. */
#define SIL_END_MAX 8
unsigned sil_end(const struct sil_case *c, uint8_t bytes[SIL_END_MAX]);
bool sil_code32(const struct sil_state *s);
/* The linear address of an offset in the code segment. */
uint32_t sil_code_address(const struct sil_state *s, uint32_t eip);
/* The instruction at code[at]; false when there is none. */
bool sil_insn(const struct sil_case *c, unsigned at, struct insn *in);

/* The page of an address, or SIL_PAGES. */
unsigned sil_page_of(uint32_t at);
uint32_t sil_page_address(unsigned page);
/* What a page holds before the patches of a case. */
void sil_background(uint8_t *page, unsigned number);

#endif
