/* tests/cpu/ring0/guest.c: builds the world of a case, runs it, and prints what became of it, a line a case.
 *
 *   <group><number> v<vector> e<error> cs:eip ss:esp fl<eflags> r<eight registers> s<segments> c<CR0 CR2 CR3> d<DR6> m<hash>
 *
 * The hash covers the whole world but the state already printed.
 */
#include "ring0.h"

#define LANDINGS 33
static struct tss landing[LANDINGS];
static uint32_t landing_stack[LANDINGS][16];
static struct tss kernel_tss;
static char case_group;
static unsigned case_number, code_at;
static uint32_t seed = 12345;
static uint32_t landed_vector, landed_error, landed_cr0, landed_cr2, landed_cr3, landed_cr4, landed_dr6, landed_link;
static bool qemu;
static bool is_left_out(void);
static unsigned serial, skip_to, stop_at = ~0u;       /* cases so far, the first that runs, and the first that does not run any more */
void enter_case(void);
void land(void);

uint32_t rnd(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void port(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port)); }
static void put(char c) { __asm__ volatile("outb %0, $0xe9" : : "a"(c)); }
static void hex(uint32_t v)
{
	bool on = false;
	for (int s = 28; s >= 0; s -= 4) {
		unsigned d = v >> s & 15;
		on |= d || !s;
		if (on)
			put("0123456789abcdef"[d]);
	}
}
static void item(const char *name, uint32_t v)
{
	put(' ');
	while (*name)
		put(*name++);
	hex(v);
}

/* --- the world ------------------------------------------------------------------------------------------------------ */

static void set_descriptor(uint32_t at, uint32_t lo, uint32_t hi)
{
	((volatile uint32_t *)at)[0] = lo;
	((volatile uint32_t *)at)[1] = hi;
}

void descriptor(unsigned selector, uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
	set_descriptor((selector & 4 ? LDT : GDT) + (selector & ~7u), (limit & 0xffff) | base << 16,
		(base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 | (base & 0xff000000));
}

void gate(unsigned selector, unsigned access, unsigned target, uint32_t offset, unsigned count)
{
	set_descriptor((selector & 4 ? LDT : GDT) + (selector & ~7u), (offset & 0xffff) | target << 16, (offset & 0xffff0000) | access << 8 | count);
}

void idt_gate(unsigned vector, unsigned access, unsigned target, uint32_t offset)
{
	set_descriptor(IDT + vector * 8, (offset & 0xffff) | target << 16, (offset & 0xffff0000) | access << 8);
}

static void fill(uint32_t at, uint32_t end, uint32_t value)
{
	uint32_t count = (end - at) / 4;

	__asm__ volatile("rep stosl" : "+D"(at), "+c"(count) : "a"(value) : "memory");
}

static void make_segments(void)
{
	static const struct { uint16_t selector; uint32_t base, limit; uint8_t access, flags; } table[] = {
		{ S_KCODE, 0, 0xfffff, 0x9b, 12 }, { S_KDATA, 0, 0xfffff, 0x93, 12 }, { S_TSS, TSS_AREA, 0x6b, 0x89, 0 },
		{ S_CODE0, CODE, 0xfff, 0x9a, 4 }, { S_CONF0, CODE, 0xfff, 0x9e, 4 }, { S_CODE0_16, CODE, 0xfff, 0x9a, 0 },
		{ S_CODE3, CODE, 0xfff, 0xfa, 4 }, { S_CODE3_16, CODE, 0xfff, 0xfa, 0 }, { S_CONF3, CODE, 0xfff, 0xfe, 4 },
		{ S_DATA0, DATA, 0x1fff, 0x92, 4 }, { S_DATA3, DATA, 0x1fff, 0xf2, 4 }, { S_RO3, DATA, 0xfff, 0xf0, 4 }, { S_DOWN3, DATA, 0x7ff, 0xf6, 4 },
		{ S_STACK0, STACKS, 0x3ff, 0x92, 4 }, { S_STACK0_16, STACKS + 0x400, 0x3ff, 0x92, 0 }, { S_STACK3, STACKS + 0x800, 0x3ff, 0xf2, 4 },
		{ S_STACK3_16, STACKS + 0xc00, 0x3ff, 0xf2, 0 }, { S_DOWN0_16, STACKS, 0x1ff, 0x96, 0 }, { S_ABSENT, DATA, 0xfff, 0x72, 4 },
		{ S_ABSENT_CODE, CODE, 0xfff, 0x7a, 4 }, { S_LDT, LDT, 0xff, 0x82, 0 }, { S_TSS_A, TSS_AREA + 0x100, 0x6b, 0x89, 0 }, { S_TSS_B, TSS_AREA + 0x200, 0x2b, 0x81, 0 },
		{ S_DATA1, DATA, 0xfff, 0xb2, 4 }, { S_CODE1, CODE, 0xfff, 0xba, 4 }, { S_STACK1, STACKS, 0x3ff, 0xb2, 4 },
		{ 0x0c, DATA, 0xfff, 0x92, 4 }, { 0x14, DATA, 0xfff, 0xf2, 4 }, { 0x1c, CODE, 0xfff, 0xfa, 4 },
	};

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		descriptor(table[i].selector, table[i].base, table[i].limit, table[i].access, table[i].flags);
	descriptor(S_KTSS, (uint32_t)&kernel_tss, 0x67, 0x89, 0);
}

static void make_landings(void)
{
	for (unsigned i = 0; i < LANDINGS; i++) {
		unsigned vector = i < 32 ? i : V_END;
		landing[i] = (struct tss) {
			.eip = (uint32_t)land, .flags = 2, .ebx = vector, .esp = (uint32_t)&landing_stack[i][16], .cs = S_KCODE, .ss = S_KDATA,
			.ds = S_KDATA, .es = S_KDATA, .fs = S_KDATA, .gs = S_KDATA, .cr3 = PDIR, .iomap = 0x68,
		};
		descriptor(S_LAND + i * 8, (uint32_t)&landing[i], 0x67, 0x89, 0);
		idt_gate(vector, 0xe5, S_LAND + i * 8, 0);
	}
}

void world_reset(void)
{
	volatile struct tss *t = CASE_TSS;

	if (is_left_out())
		return;
	fill(GDT, CODE, 0);
	fill(CODE, STACKS, 0xcccccccc);
	fill(STACKS, DATA, 0xcccccccc);
	fill(DATA, PDIR, 0);
	fill(V86_CODE, V86_DATA, 0xcccccccc);
	fill(V86_DATA, V86_DATA + 0x1000, 0xcccccccc);
	make_segments();
	make_landings();
	t->esp0 = 0x300; t->ss0 = S_STACK0; t->esp1 = 0x200; t->ss1 = S_STACK1; t->cr3 = PDIR; t->ldt = S_LDT; t->iomap = 0x68; t->flags = 2;
	t->eax = 0x1111; t->ecx = 0x22222222; t->edx = 0x33333333; t->ebx = 0x44444444; t->ebp = 0x180; t->esi = 0x20; t->edi = 0x40;
	fill(PDIR + 16, PTAB, 0);
	for (unsigned i = 0; i < 1024; i++)
		((volatile uint32_t *)PTAB)[i] = i << 12 | 7;
	*(volatile uint32_t *)PDIR = PTAB | 7;
	((volatile uint32_t *)PDIR)[1] = ((volatile uint32_t *)PDIR)[2] = ((volatile uint32_t *)PDIR)[3] = 0;
	for (unsigned i = 0; i < 256; i++)
		*(volatile uint32_t *)(DATA + i * 4) = i * 0x01030507;
	ring(0);
}

void ring(unsigned n)
{
	static const uint16_t cs[] = { S_CODE0, S_CODE1, 0, S_CODE3, V86_CODE >> 4 }, ss[] = { S_STACK0, S_STACK1, 0, S_STACK3, V86_DATA >> 4 },
		ds[] = { S_DATA0, S_DATA1, 0, S_DATA3, V86_DATA >> 4 };
	volatile struct tss *t = CASE_TSS;

	t->cs = cs[n]; t->ss = ss[n]; t->ds = t->es = ds[n]; t->fs = t->gs = n == 4 ? ds[n] : 0;
	t->esp = 0x200;
	t->flags = (t->flags & ~0x20000u) | (n == 4 ? 0x20000 : 0);
	code_at = 0;
}

void code_begin(void) { code_at = 0; }

void emit(unsigned n, const uint8_t *bytes)
{
	for (; n--; code_at++, bytes++)
		*(volatile uint8_t *)(V86_CODE + code_at) = *(volatile uint8_t *)(CODE + code_at) = *bytes;
}

/* --- under QEMU -------------------------------------------------------------------------------------------------------
 * QEMU does not check limits, so a case may run off into bytes that never end, or store over the tables. The local APIC's timer ends
 * the first kind with an NMI after a tenth of a second: vector 2 then means that there is no answer. The second may end QEMU; who
 * started it starts it again, with the numbers of the first case and the last on the command line. */
enum { APIC = 0xfee00000, APIC_SPURIOUS = 0xf0, APIC_TIMER = 0x320, APIC_COUNT = 0x380, APIC_DIVIDE = 0x3e0, APIC_NMI = 0x400 };

static void apic(unsigned reg, uint32_t value) { *(volatile uint32_t *)(APIC + reg) = value; }

static unsigned number(const char **at)
{
	unsigned n = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		n = n * 10 + (unsigned)(**at - '0');
	return n;
}

/* Multiboot's command line is "FILE FIRST LAST", or nothing but perhaps FILE. */
static void read_command_line(const uint32_t *info)
{
	const char *at = info[0] & 4 ? (const char *)info[4] : "";

	while (*at && *at != ' ')
		at++;
	if (!*at++ || *at < '0' || *at > '9')
		return;
	skip_to = number(&at);
	if (*at++ == ' ')
		stop_at = number(&at);
}

static bool is_left_out(void)
{
	return serial < skip_to || serial >= stop_at;
}

static void find_qemu(void)
{
	uint8_t signature;

	__asm__ volatile("outw %w0, %w1" : : "a"(0), "d"(0x510));
	__asm__ volatile("inb %w1, %0" : "=a"(signature) : "d"(0x511));
	qemu = signature == 'Q';
	if (!qemu)
		return;
	apic(APIC_SPURIOUS, 0x1ff);
	apic(APIC_DIVIDE, 0xb);
	apic(APIC_TIMER, APIC_NMI);
}

static void watch(bool on)
{
	if (qemu)
		apic(APIC_COUNT, on ? 100000000 : 0);
}

/* --- one case ------------------------------------------------------------------------------------------------------- */

static void load_tables(void)
{
	struct { uint16_t limit; uint32_t base; } __attribute__((packed)) gdtr = { GDT_ENTRIES * 8 - 1, GDT }, idtr = { 0x41 * 8 - 1, IDT };

	__asm__ volatile("lgdt %0; lidt %1; ljmp $8, $1f; 1: mov %2, %%ds; mov %2, %%es; mov %2, %%ss; mov %2, %%fs; mov %2, %%gs"
		: : "m"(gdtr), "m"(idtr), "r"(S_KDATA) : "memory");
	__asm__ volatile("ltr %w0; lldt %w1" : : "r"(S_KTSS), "r"(0));
}

void landed(uint32_t vector, uint32_t esp)
{
	unsigned i = vector < 32 ? vector : 32;

	landed_vector = vector;
	landed_error = esp == (uint32_t)&landing_stack[i][16] ? 0xffff : *(uint32_t *)esp;
	landed_link = landing[i].link & 0xffff;
	__asm__ volatile("mov %%cr0, %0" : "=r"(landed_cr0));
	__asm__ volatile("mov %%cr2, %0" : "=r"(landed_cr2));
	__asm__ volatile("mov %%cr3, %0" : "=r"(landed_cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(landed_cr4));
	__asm__ volatile("mov %%dr6, %0" : "=r"(landed_dr6));
	__asm__ volatile("mov %0, %%cr0" : : "r"(0x11));
	__asm__ volatile("mov %0, %%cr4" : : "r"(0));
	__asm__ volatile("mov %0, %%cr3" : : "r"(0));
	__asm__ volatile("mov %0, %%cr2" : : "r"(0));
	__asm__ volatile("mov %0, %%dr7" : : "r"(0x400));
	__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0));
}

static uint32_t world_hash(uint32_t from, uint32_t end, uint32_t h)
{
	for (; from < end; from += 4)
		h = (h << 5 | h >> 27) * 3 + *(volatile uint32_t *)from;
	return h;
}

/* Accessed bits of the GDT's segments, which QEMU does not set when it loads them from a TSS: a field of their own. */
static uint32_t take_accessed(void)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 32; i++) {
		volatile uint32_t *hi = &((volatile uint32_t *)GDT)[2 * i + 1];
		if ((*hi & 0x1100) == 0x1100) {
			bits |= 1u << i;
			*hi &= ~0x100u;
		}
	}
	return bits;
}

static void print_case(void)
{
	volatile struct tss *t = landed_link == S_TSS_A ? TSS_A : CASE_TSS;
	uint32_t h;

	/* The A bits of the kernel's own pages depend on what this program touches; all of the table is hashed from its entry for 2 MB. */
	put(case_group);
	hex(case_number);
	item("v", landed_vector);
	item("e", landed_error);
	item("L", landed_link);
	item("", t->cs & 0xffff); item("i", t->eip); item("", t->ss & 0xffff); item("", t->esp); item("f", t->flags);
	item("r", t->eax); item("", t->ecx); item("", t->edx); item("", t->ebx); item("", t->ebp); item("", t->esi); item("", t->edi);
	item("s", t->es & 0xffff); item("", t->ds & 0xffff); item("", t->fs & 0xffff); item("", t->gs & 0xffff); item("", t->ldt & 0xffff);
	item("c", landed_cr0); item("", landed_cr2); item("", landed_cr3); item("", landed_cr4); item("d", landed_dr6);
	for (unsigned i = 0; i < 18; i++)
		((volatile uint32_t *)t)[i] = i >= 8 ? 0 : ((volatile uint32_t *)t)[i];
	item("a", take_accessed());
	h = world_hash(GDT, CODE, 0);
	item("mg", h);
	item("c", world_hash(CODE, STACKS, 0));
	item("s", world_hash(STACKS, DATA, 0));
	item("d", world_hash(DATA, PDIR, 0));
	item("p", world_hash(PTAB + 0x800, PTAB + 0x820, *(volatile uint32_t *)PDIR * 3 + ((volatile uint32_t *)PDIR)[1]));
	item("v", world_hash(V86_CODE, V86_DATA + 0x1000, 0));
	item("o", *(volatile uint32_t *)CODE);
	put('\n');
}

/* The next case depends on its number only. */
static void next_case(void)
{
	case_number++;
	seed = ++serial * 2654435761u;
}

void run(bool paging, uint32_t cr0, uint32_t cr4)
{
	if (is_left_out()) {
		next_case();
		return;
	}
	EMIT(0xcd, V_END);
	load_tables();
	watch(true);
	__asm__ volatile("mov %0, %%cr3" : : "r"(PDIR));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
	__asm__ volatile("mov %0, %%cr0" : : "r"(0x11 | cr0 | (paging ? 0x80000000 : 0)));
	enter_case();
	watch(false);
	print_case();
	make_segments();
	load_tables();
	next_case();
}

void breakpoint(uint32_t at, uint32_t control)
{
	if (is_left_out())
		return;
	__asm__ volatile("mov %0, %%dr0" : : "r"(at));
	__asm__ volatile("mov %0, %%dr7" : : "r"(control));
}

void group(char name)
{
	case_group = name;
	case_number = 0;
}

void guest_main(uint32_t magic, const uint32_t *info)
{
	if (magic == 0x2badb002)
		read_command_line(info);
	port(0x21, 0xff);
	port(0xa1, 0xff);
	find_qemu();
	fill(V86_DATA + 0x1000, 0x20000, 0xcccccccc);          /* where a V86 case may run on to */
	fill(WORLD_END, 0x2c0000, 0xcccccccc);
	all_groups();
	put('e'); put('n'); put('d'); put('\n');
	__asm__ volatile("outw %w0, %w1" : : "a"(0x2000), "d"(0x604));
	for (;;)
		__asm__ volatile("cli; hlt");
}
