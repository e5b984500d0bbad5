/* tests/cpu/ring0/ring0.h: the world a case runs in.
 *
 *   200000  GDT, +800 LDT, +c00 IDT       203000  stacks: 0: ring 0, +400 ring 0 16-bit, +800 ring 3, +c00 ring 3 16-bit
 *   201000  TSSes                         204000  data, 205000 more data
 *   202000  code                          206000  page directory, 207000 page table
 *   008000  code of V86 mode (CS 0800)    009000  stack and data of V86 mode (SS, DS 0900)
 *
 * Before each case all of it is made anew; what a case changed in it is part of its result.
 */
#ifndef RING0_H
#define RING0_H

#include <stdbool.h>
#include <stdint.h>

enum {
	GDT = 0x200000, LDT = 0x200800, IDT = 0x200c00, TSS_AREA = 0x201000, CODE = 0x202000, STACKS = 0x203000, DATA = 0x204000,
	PDIR = 0x206000, PTAB = 0x207000, WORLD_END = 0x208000, V86_CODE = 0x8000, V86_DATA = 0x9000,
};
/* Selectors. S_T, S_T2 and S_GATE are the case's own. */
enum {
	S_KCODE = 0x08, S_KDATA = 0x10, S_KTSS = 0x18, S_TSS = 0x20, S_CODE0 = 0x28, S_CONF0 = 0x30, S_CODE0_16 = 0x38, S_CODE3 = 0x43,
	S_CODE3_16 = 0x4b, S_CONF3 = 0x53, S_DATA0 = 0x58, S_DATA3 = 0x63, S_RO3 = 0x6b, S_DOWN3 = 0x73, S_STACK0 = 0x78, S_STACK0_16 = 0x80,
	S_STACK3 = 0x8b, S_STACK3_16 = 0x93, S_DOWN0_16 = 0x98, S_ABSENT = 0xa3, S_LDT = 0xa8, S_TSS_A = 0xb0, S_TSS_B = 0xb8, S_T = 0xc0,
	S_T2 = 0xc8, S_GATE = 0xd0, S_DATA1 = 0xd9, S_CODE1 = 0xe1, S_STACK1 = 0xe9, S_ABSENT_CODE = 0xf3, S_LAND = 0x100, GDT_ENTRIES = 32 + 0x42, V_END = 0x40,
};

struct tss {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, flags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, iomap;
	uint32_t bitmap[4];
};
struct tss16 { uint16_t link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt; };

#define CASE_TSS ((volatile struct tss *)TSS_AREA)
#define TSS_A    ((volatile struct tss *)(TSS_AREA + 0x100))
#define TSS_B    ((volatile struct tss16 *)(TSS_AREA + 0x200))

void world_reset(void);                        /* the world as above; ring 0, flat data, EIP 0 */
void descriptor(unsigned selector, uint32_t base, uint32_t limit, unsigned access, unsigned flags);
void gate(unsigned selector, unsigned access, unsigned target, uint32_t offset, unsigned count);
void idt_gate(unsigned vector, unsigned access, unsigned target, uint32_t offset);
void code_begin(void);
void emit(unsigned n, const uint8_t *bytes);
#define EMIT(...) emit(sizeof((uint8_t[]){ __VA_ARGS__ }), (uint8_t[]){ __VA_ARGS__ })
#define B4(x) (uint8_t)(x), (uint8_t)((x) >> 8), (uint8_t)((x) >> 16), (uint8_t)((x) >> 24)
#define B2(x) (uint8_t)(x), (uint8_t)((x) >> 8)
void ring(unsigned n);                         /* code, stack and data of ring 0, 1 or 3; 4: V86 mode */
void run(bool paging, uint32_t cr0, uint32_t cr4);     /* adds the end of the code, runs the case and prints it */
void breakpoint(uint32_t at, uint32_t control);        /* DR0 and DR7 of the case */
void group(char name);
uint32_t rnd(void);
static inline uint32_t below(uint32_t n) { return rnd() % n; }
void all_groups(void);

#endif
