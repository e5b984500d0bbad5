/* tests/mmu/judges/guest.c: PAE paging asked of the processor it runs on, one line for each answer, on the debug port.
 *
 *   W hhhhh   what an access through one setting of PDE and PTE does: vector, error code, CR2, Accessed and Dirty bits after it.
 *             Bits of the case: PDE P W U PS NX 13, PTE P W U NX 61, CR0.WP, EFER.NXE, user, kind (two bits).
 *   P hh ...  what loads the PDPTE registers, and what a PDPTE with one bit set does to it.
 *
 * References: [SDM3A 4.4 "PAE Paging"], [SDM3A 4.7 "Page-Fault Exceptions"].
 */
#include <stdint.h>

#define LA      0x80201000u            /* PDPTE 2, directory slot 1, table slot 1 */
#define FRAME   0x00201000u            /* in the 2 MB page of that slot too */
#define CASES   (1u << 16)
#define CR0_PG  0x80000000u
#define CR0_WP  0x00010000u
#define CR4_PAE 0x20u
#define CR4_PGE 0x80u
#define EFER    0xc0000080u
#define NXE     0x800u

void probe(uint32_t eip, uint32_t user);
extern uint8_t user_code[], user_write[], user_fetch[], user_end[], set_cr0[], set_cr3[], set_cr4[], kernel_stack[];
extern void vector_6(void), vector_8(void), vector_13(void), vector_14(void), vector_128(void);
uint32_t probe_eax, probe_vector, probe_error, probe_cr2;

static uint64_t low[512] __attribute__((aligned(4096))), user_directory[512] __attribute__((aligned(4096)));
static uint64_t user_table[512] __attribute__((aligned(4096))), directory[512] __attribute__((aligned(4096)));
static uint64_t table[4][512] __attribute__((aligned(16384)));         /* bit 13 of a PDE reaches the third */
static uint8_t user_page[4096] __attribute__((aligned(4096)));
static volatile uint64_t pointers[4] __attribute__((aligned(32)));
static uint32_t tss[26];
static uint64_t gdt[6], idt[129];

/* --- output ------------------------------------------------------------------------------------------------------- */

static void put(char c) { __asm__ volatile("outb %0, $0xe9" : : "a"(c)); }

static void put_hex(uint32_t v, unsigned digits)
{
	while (digits--)
		put("0123456789abcdef"[v >> 4 * digits & 15]);
	put(' ');
}

/* --- the processor ------------------------------------------------------------------------------------------------ */

static void write_cr0(uint32_t v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static void write_cr3(uint32_t v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static void write_cr4(uint32_t v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
static uint32_t read_cr0(void) { uint32_t v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static void write_efer(uint32_t v) { __asm__ volatile("wrmsr" : : "c"(EFER), "a"(v), "d"(0)); }
static uint32_t address(const volatile void *p) { return (uint32_t)(uintptr_t)p; }

static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t access, uint32_t flags)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 | (uint64_t)(limit >> 16) << 48 |
	       (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static void set_gate(unsigned vector, void (*handler)(void), uint32_t access)
{
	uint32_t at = (uint32_t)(uintptr_t)handler;

	idt[vector] = (at & 0xffff) | 8u << 16 | (uint64_t)access << 40 | (uint64_t)(at >> 16) << 48;
}

static void set_tables(void)
{
	struct __attribute__((packed)) { uint16_t limit; uint32_t base; } g = { sizeof(gdt) - 1, address(gdt) }, i = { sizeof(idt) - 1, address(idt) };

	gdt[1] = descriptor(0, 0xfffff, 0x9b, 12);
	gdt[2] = descriptor(0, 0xfffff, 0x93, 12);
	gdt[3] = descriptor(0, 0xfffff, 0xfb, 12);
	gdt[4] = descriptor(0, 0xfffff, 0xf3, 12);
	gdt[5] = descriptor(address(tss), sizeof(tss) - 1, 0x89, 0);
	tss[1] = address(kernel_stack);
	tss[2] = 0x10;
	set_gate(6, vector_6, 0x8e);
	set_gate(8, vector_8, 0x8e);
	set_gate(13, vector_13, 0x8e);
	set_gate(14, vector_14, 0x8e);
	set_gate(128, vector_128, 0xee);
	__asm__ volatile("lgdt %0; lidt %1; ljmp $8, $1f; 1: mov %2, %%ds; mov %2, %%es; mov %2, %%ss; ltr %w3"
	                 : : "m"(g), "m"(i), "r"(0x10), "r"(0x28) : "memory");
}

static void start_paging(void)
{
	low[0] = 0x83;
	low[1] = 0x200083;
	user_directory[0] = address(user_table) | 7;
	user_table[0] = address(user_page) | 7;
	for (unsigned i = 0; i < (unsigned)(user_end - user_code); i++)
		user_page[i] = user_code[i];
	*(volatile uint32_t *)FRAME = 0x80cd;          /* int 80h */
	pointers[0] = address(low) | 1;
	pointers[1] = address(user_directory) | 1;
	pointers[2] = address(directory) | 1;
	write_cr4(CR4_PAE);
	write_cr3(address(pointers));
	write_cr0(read_cr0() | CR0_PG);
}

/* Runs one of the pieces of user_code at its user address. */
static void access_memory(const uint8_t *code, uint32_t user)
{
	probe_eax = 0x80cd;
	probe_error = 0;
	probe(0x40000000 + (uint32_t)(code - user_code), user);
}

/* --- walks -------------------------------------------------------------------------------------------------------- */

static void one_walk(unsigned n)
{
	const uint8_t *const code[] = { user_code, user_write, user_fetch };
	unsigned kind = n >> 14;
	uint64_t *pte = &table[n & 1 << 3 ? 0 : n >> 5 & 1 ? 2 : 0][1];

	directory[1] = (n & 7) | (n & 8 ? 0x200080 : address(table)) | (n & 1 << 4 ? 1ull << 63 : 0) | (n & 1 << 5 ? 1u << 13 : 0);
	*pte = (n >> 6 & 7) | FRAME | (n & 1 << 9 ? 1ull << 63 : 0) | (n & 1 << 10 ? 1ull << 61 : 0);
	write_efer(n & 1 << 12 ? NXE : 0);
	write_cr0((read_cr0() & ~CR0_WP) | (n & 1 << 11 ? CR0_WP : 0));
	write_cr3(address(pointers));
	access_memory(code[kind], n & 1 << 13);
	put('W');
	put(' ');
	put_hex(n, 5);
	put_hex(probe_vector, 2);
	put_hex(probe_error, 2);
	put_hex(probe_vector == 14 && probe_cr2 != LA, 1);
	put_hex((uint32_t)directory[1] & 0x60, 2);
	put_hex((uint32_t)*pte & 0x60, 2);
	put('\n');
}

/* --- PDPTEs ------------------------------------------------------------------------------------------------------- */

/* Does an access find the PDPTE as it is in memory? */
static void tell_load(unsigned n, const uint8_t *code, uint32_t value)
{
	directory[1] = 0x200083;
	pointers[2] = address(directory) | 1;
	write_cr3(address(pointers));
	pointers[2] = 0;
	__asm__ volatile("invlpg (%0)" : : "r"(LA) : "memory");
	probe_eax = value;
	probe(address(code), 0);
	put('P');
	put(' ');
	put_hex(n, 2);
	put_hex(probe_vector, 2);
	access_memory(user_code, 0);
	put_hex(probe_vector, 2);
	put('\n');
	write_cr4(CR4_PAE);
	write_cr0(0x80000011);
}

/* A load of PDPTE 3 with one bit set, present and not. */
static void tell_reserved(unsigned bit, unsigned present)
{
	pointers[2] = address(directory) | 1;
	pointers[3] = 1ull << bit;
	pointers[3] |= present;
	if (!present)
		pointers[3] &= ~1ull;
	probe_eax = address(pointers);
	probe_error = 0;
	probe(address(set_cr3), 0);
	put('P');
	put(' ');
	put_hex(0x80 | present << 6 | bit, 2);
	put_hex(probe_vector, 2);
	put_hex(probe_error, 2);
	put('\n');
	pointers[3] = 0;
}

void guest_main(void)
{
	static const uint32_t cr0[] = { 0x80000011, 0x80010011, 0xc0000011, 0xe0000011, 0x80040011, 0x80000019 };
	static const uint32_t cr4[] = { CR4_PAE, CR4_PAE | CR4_PGE, CR4_PAE | 0x10, CR4_PAE | 4, CR4_PAE | 8 };

	set_tables();
	start_paging();
	for (unsigned n = 0; n < CASES * 3 / 4; n++)
		one_walk(n);
	write_efer(0);
	for (unsigned i = 0; i < sizeof(cr0) / sizeof(cr0[0]); i++)
		tell_load(i, set_cr0, cr0[i]);
	for (unsigned i = 0; i < sizeof(cr4) / sizeof(cr4[0]); i++)
		tell_load(0x10 + i, set_cr4, cr4[i]);
	tell_load(0x20, set_cr3, address(pointers));
	for (unsigned bit = 0; bit < 64; bit++)
		for (unsigned present = 0; present < 2; present++)
			tell_reserved(bit, present);
	put('e'), put('n'), put('d'), put('\n');
	__asm__ volatile("outb %0, %1" : : "a"((uint8_t)0), "Nd"((uint16_t)0x501));
	__asm__ volatile("outw %0, %1" : : "a"((uint16_t)0x2000), "Nd"((uint16_t)0x604));
}
