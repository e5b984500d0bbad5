/* guestos/boot/gdt.c: segments and the IDT.
 *
 * Segmentation is made invisible: flat code and data segments for ring 0 and ring 3, and one TSS, whose only
 * use is to say which stack the processor takes when it enters ring 0. A program that wants segments of its own makes
 * them in a local table (kernel/ldt.c), which the LDT descriptor here locates while the program runs.
 *
 * References: [SDM3A 3.4.5 "Segment Descriptors"], [SDM3A 6.11 "IDT Descriptors"], [SDM3A 7.2.1 "Task-State Segment (TSS)"]. */
#include "proc.h"

extern const uint32_t vector_table[];

/* Access bytes: bit 7 present, bits 6-5 privilege level, then the kind. [SDM3A 3.4.5.1 "Code- and Data-Segment Descriptor Types"],
 * [SDM3A 3.5 "System Descriptor Types"] */
#define ACCESS_PRESENT 0x80u
#define ACCESS_RING3   0x60u
#define KIND_DATA      0x12u           /* writable */
#define KIND_CODE      0x1au           /* readable */
#define KIND_LDT       0x02u
#define KIND_TSS       0x09u           /* 32 bits, not busy */
#define KIND_INTERRUPT 0x0eu           /* 32-bit gates */
#define KIND_TRAP      0x0fu
#define FLAT_FLAGS     0x0cu           /* the limit counts pages; 32 bits */
#define EXCEPTIONS_AND_IRQS 48         /* vectors 0-31 and 32-47; vector_table[] has one more, for T_SYSCALL */

static struct tss tss;
static uint64_t gdt[GDT_ENTRIES];
static uint64_t idt[T_SYSCALL + 1];

struct __attribute__((packed)) table_register { uint16_t limit; uint32_t base; };

uint64_t segment_descriptor(uint32_t base, uint32_t limit, uint32_t access, uint32_t flags)
{
	uint32_t low = (base << 16) | (limit & 0xffff);
	uint32_t high = (base & 0xff000000) | flags << 20 | (limit & 0xf0000) | access << 8 | (base >> 16 & 0xff);
	return (uint64_t)high << 32 | low;
}

static uint64_t gate(uint32_t handler, uint32_t type)
{
	return (uint64_t)((handler & 0xffff0000) | type << 8) << 32 | SEL_KCODE << 16 | (handler & 0xffff);
}

void gdt_set(uint32_t entry, uint64_t descriptor) { gdt[entry] = descriptor; }

/* Later uses of a selector with TI = 1 look into this table; what segment registers hold already stays until they are loaded again.
 * Without a table, every such selector is bad. [SDM2A "LLDT"] */
void gdt_set_ldt(const void *table, uint32_t bytes)
{
	if (table)
		gdt[SEL_LDT >> 3] = segment_descriptor((uint32_t)table, bytes - 1, ACCESS_PRESENT | KIND_LDT, 0);
	__asm__ volatile("lldt %w0" : : "r"(table ? SEL_LDT : 0) : "memory");
}

void tss_set_kernel_stack(uint32_t esp) { tss.esp0 = esp; }

void gdt_init(void)
{
	gdt[SEL_KCODE >> 3] = segment_descriptor(0, 0xfffff, ACCESS_PRESENT | KIND_CODE, FLAT_FLAGS);
	gdt[SEL_KDATA >> 3] = segment_descriptor(0, 0xfffff, ACCESS_PRESENT | KIND_DATA, FLAT_FLAGS);
	gdt[SEL_UCODE >> 3] = segment_descriptor(0, 0xfffff, ACCESS_PRESENT | ACCESS_RING3 | KIND_CODE, FLAT_FLAGS);
	gdt[SEL_UDATA >> 3] = segment_descriptor(0, 0xfffff, ACCESS_PRESENT | ACCESS_RING3 | KIND_DATA, FLAT_FLAGS);
	gdt[SEL_TSS >> 3] = segment_descriptor((uint32_t)&tss, sizeof tss - 1, ACCESS_PRESENT | KIND_TSS, 0);
	tss.ss0 = SEL_KDATA;
	tss.iomap = sizeof tss << 16;  /* the base is in the upper half; beyond the limit: no port is allowed to ring 3 */

	struct table_register gdtr = { sizeof gdt - 1, (uint32_t)gdt };
	__asm__ volatile("lgdt %0\n\t"
		"ljmp %1, $1f\n"
		"1:\tmovl %2, %%eax\n\t"
		"movl %%eax, %%ds\n\tmovl %%eax, %%es\n\tmovl %%eax, %%ss\n\t"
		"xorl %%eax, %%eax\n\tmovl %%eax, %%fs\n\tmovl %%eax, %%gs\n\t"
		"movw %3, %%ax\n\tltr %%ax"
		: : "m"(gdtr), "i"(SEL_KCODE), "i"(SEL_KDATA), "i"(SEL_TSS) : "eax", "memory");
}

/* Interrupt gates clear IF, so that a page fault handler can read CR2 before anything else faults; the system-call
 * gate is a trap gate and leaves IF alone. Ring 3 may use only INT3 and INT 0x80 by instruction. */
void idt_init(void)
{
	for (int i = 0; i < EXCEPTIONS_AND_IRQS; i++)
		idt[i] = gate(vector_table[i], ACCESS_PRESENT | KIND_INTERRUPT | (i == T_BREAKPOINT ? ACCESS_RING3 : 0));
	idt[T_SYSCALL] = gate(vector_table[EXCEPTIONS_AND_IRQS], ACCESS_PRESENT | ACCESS_RING3 | KIND_TRAP);
	struct table_register idtr = { sizeof idt - 1, (uint32_t)idt };
	__asm__ volatile("lidt %0" : : "m"(idtr));
}
