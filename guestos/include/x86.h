/* guestos/include/x86.h: the processor as the kernel uses it: ports, control registers, descriptors, trap frames.
 *
 * References: [SDM2A] "IN", "OUT"; [SDM3A 2.5 "Control Registers"]; [SDM3A 3.4.5 "Segment Descriptors"];
 *   [SDM3A 6.12.1 "Exception- or Interrupt-Handler Procedures"]; [SDM3A 7.2.1 "Task-State Segment (TSS)"]. */
#ifndef X86_H
#define X86_H

#define SEL_KCODE 0x08
#define SEL_KDATA 0x10
#define SEL_UCODE 0x1b
#define SEL_UDATA 0x23
#define SEL_TSS   0x28
#define SEL_LDT   0x48         /* entries 6, 7 and 8 are where Linux programs expect thread-local storage */
#define GDT_ENTRIES 10

#define CR0_MP  (1u << 1)
#define CR0_EM  (1u << 2)
#define CR0_TS  (1u << 3)
#define CR0_NE  (1u << 5)
#define CR0_WP  (1u << 16)
#define CR0_PG  (1u << 31)
#define CR4_PSE (1u << 4)
#define CR4_PGE (1u << 7)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define EFLAGS_IF (1u << 9)

#define PF_P 1u                /* 0: not present, 1: protection */
#define PF_W 2u
#define PF_U 4u

#define T_DEBUG 1
#define T_BREAKPOINT 3
#define T_NO_FPU 7
#define T_DOUBLE_FAULT 8
#define T_INVALID_TSS 10
#define T_GENERAL_PROTECTION 13
#define T_PAGE_FAULT 14
/* An error code that names a selector. [SDM3A 6.13 "Error Code"] */
#define ERROR_EXT 1u           /* not by an instruction of the program */
#define ERROR_IDT 2u           /* the index is an interrupt's */
#define ERROR_TI  4u           /* else: 0 the global table, 1 the local one */

#define T_IRQ0 32
#define T_SYSCALL 0x80

#ifndef __ASSEMBLER__
#include <stdint.h>

/* What traps.S leaves on the kernel stack. user_esp and user_ss exist only if the trap came from ring 3. */
struct trapframe {
	uint32_t gs, fs, es, ds;
	uint32_t edi, esi, ebp, esp_unused, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags, user_esp, user_ss;
};
static inline int from_user(const struct trapframe *tf) { return (tf->cs & 3) == 3; }

struct tss {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt, iomap;
};

static inline uint8_t inb(uint16_t port) { uint8_t v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline uint32_t inl(uint16_t port) { uint32_t v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline void outw(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port)); }
static inline void outl(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port)); }
static inline void insw(uint16_t port, void *to, uint32_t n)
{
	__asm__ volatile("cld; rep insw" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}
static inline void outsw(uint16_t port, const void *from, uint32_t n)
{
	__asm__ volatile("cld; rep outsw" : "+S"(from), "+c"(n) : "d"(port) : "memory");
}
static inline uint32_t read_cr0(void) { uint32_t v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline uint32_t read_cr2(void) { uint32_t v; __asm__ volatile("mov %%cr2, %0" : "=r"(v)); return v; }
#define DR6_BS (1u << 14)       /* the debug exception was a single step [SDM3B 17.2.3 "Debug Status Register (DR6)"] */
static inline uint32_t take_debug_status(void)          /* the processor never clears it */
{
	uint32_t v;
	__asm__ volatile("mov %%dr6, %0\n\tmov %1, %%dr6" : "=&r"(v) : "r"(0xffff0ff0u));
	return v;
}
static inline uint32_t read_cr3(void) { uint32_t v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)); return v; }
static inline uint32_t read_cr4(void) { uint32_t v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(uint32_t v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(uint32_t v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(uint32_t v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
static inline void invlpg(uint32_t la) { __asm__ volatile("invlpg (%0)" : : "r"(la) : "memory"); }
static inline void cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf));
}
static inline void cli(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void sti(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void halt(void) { __asm__ volatile("hlt" : : : "memory"); }

/* STI takes effect after the next instruction, so no interrupt can slip in before HLT. [SDM2B "STI"] */
static inline void wait_for_interrupt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }

/* A critical section against interrupt handlers. Nests, because the old IF is kept by the caller. */
static inline uint32_t irq_save(void)
{
	uint32_t flags;
	__asm__ volatile("pushfl; popl %0; cli" : "=r"(flags) : : "memory");
	return flags;
}
static inline bool interrupts_on(void)
{
	uint32_t flags;
	__asm__ volatile("pushfl; popl %0" : "=r"(flags));
	return flags & EFLAGS_IF;
}
static inline void irq_restore(uint32_t flags)
{
	__asm__ volatile("pushl %0; popfl" : : "r"(flags) : "memory", "cc");
}
#endif
#endif
