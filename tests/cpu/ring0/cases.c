/* tests/cpu/ring0/cases.c: the cases, in groups of one subject each. */
#include "ring0.h"

#define PICK(...) ((const uint32_t[]){ __VA_ARGS__ }[below(sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)])

static void any_descriptor(unsigned selector, unsigned access)
{
	unsigned type = access & 0x1f;

	if (type == 4 || type == 12 || type == 5)
		gate(selector, access, type == 5 ? S_TSS_A : PICK(S_CODE0, S_CONF0, S_CODE3, S_CODE1, S_CODE0_16), 0x100, 2);
	else if (type == 1 || type == 3 || type == 9 || type == 11)
		descriptor(selector, TSS_AREA + (type & 8 ? 0x100 : 0x200), 0x6b, access, 0);
	else if (access & 8)
		descriptor(selector, CODE, 0xfff, access, 4);
	else
		descriptor(selector, STACKS, 0x3ff, access, 4);
}

static void end_at(uint32_t offset)
{
	*(volatile uint16_t *)(CODE + offset) = 0x40cd;
	*(volatile uint16_t *)(V86_CODE + offset) = 0x40cd;
}

static void make_tss_a(void)
{
	volatile struct tss *t = TSS_A;

	t->esp0 = 0x380; t->ss0 = S_STACK0; t->cr3 = PDIR; t->ldt = S_LDT; t->iomap = 0x68; t->flags = 2; t->eip = 0x100;
	t->cs = S_CODE0; t->ss = S_STACK0; t->ds = t->es = S_DATA0; t->fs = t->gs = 0; t->esp = 0x300; t->eax = 0xaaaa; t->ebx = 0xbbbb;
	*TSS_B = (struct tss16) { .sp0 = 0x380, .ss0 = S_STACK0, .ip = 0x100, .flags = 2, .ax = 0xa, .bx = 0xb, .sp = 0x300, .es = S_DATA0,
		.cs = S_CODE0, .ss = S_STACK0, .ds = S_DATA0, .ldt = S_LDT };
	end_at(0x100);
}

/* LAR, LSL, VERR, VERW, and loads of DS and SS, over every access byte, ring 0 and 3, RPL 0 and 3. */
static void selectors(void)
{
	for (unsigned n = 0; n < 256 * 4; n++) {
		world_reset();
		ring(n & 1 ? 3 : 0);
		any_descriptor(S_T, n >> 2);
		CASE_TSS->ecx = S_T | (n & 2 ? 3 : 0);
		EMIT(0x0f, 0x02, 0xc1, 0x0f, 0x94, 0xc3, 0x0f, 0x03, 0xd1, 0x0f, 0x94, 0xc7, 0x0f, 0x00, 0xe1, 0x9c, 0x5d, 0x0f, 0x00, 0xe9, 0x9c, 0x5e);
		run(false, 0, 0);
	}
}

static void loads(void)
{
	for (unsigned n = 0; n < 256 * 8; n++) {
		world_reset();
		ring(n & 1 ? 3 : 0);
		any_descriptor(S_T, n >> 3);
		CASE_TSS->ecx = S_T | (n & 2 ? 3 : 0);
		EMIT(0x8e, n & 4 ? 0xd1 : 0xd9);
		run(false, 0, 0);
	}
}

/* Far JMP and CALL to every access byte. */
static void far_transfers(void)
{
	for (unsigned n = 0; n < 256 * 8; n++) {
		world_reset();
		make_tss_a();
		ring(n & 1 ? 3 : 0);
		any_descriptor(S_T, n >> 3);
		EMIT(n & 4 ? 0x9a : 0xea, B4(0x100), B2(S_T | (n & 2 ? 3 : 0)));
		run(false, 0, 0);
	}
}

static uint32_t any_code(void) { return PICK(0, S_CODE0, S_CONF0, S_CODE0_16, S_CODE3, S_CODE3_16, S_CONF3, S_CODE1, S_CODE1 & ~3, S_CODE3 & ~3, S_DATA0, 0x1f, 0x1c, S_TSS, 0x7f8, S_CONF3 & ~3, S_CONF0 | 3, S_CODE0 | 3, S_ABSENT, S_ABSENT_CODE); }
static uint32_t any_stack(void) { return PICK(0, 3, S_STACK0, S_STACK0_16, S_STACK3, S_STACK3_16, S_DOWN0_16, S_STACK1, S_STACK3 & ~3, S_RO3, S_CODE3, S_ABSENT, 0x17, S_STACK0 | 3, S_DOWN3, S_STACK3, S_STACK3_16, S_STACK0, S_STACK0_16); }
static uint32_t any_data(void) { return PICK(0, 1, S_DATA0, S_DATA3, S_RO3, S_DOWN3, S_ABSENT, S_CODE3, S_CONF0, S_TSS, 0x17, 0x14, S_DATA1, S_DATA3, S_DATA0, 0x7f8); }
static uint32_t any_sp(void) { return PICK(0x200, 0x200, 0x200, 0x200, 0x3fe, 0x400, 4, 2, 0, 0x10, 0x401, 0x202, 0x10200, 0x12340004, 0x210); }
static uint32_t any_flags(void)
{
	uint32_t f = 2 | PICK(0, 0x3000, 0x1000, 0x3000) | PICK(0, 0, 0, 0x40000) | PICK(0, 0x400) | PICK(0, 0, 0x200) | PICK(0, 0x8d5, 0x91) | PICK(0, 0, 0, 0x4000);
	return f;
}

/* Call gates with parameters. */
static void call_gates(void)
{
	for (unsigned n = 0; n < 700; n++) {
		unsigned cpl = PICK(0, 3, 3, 1), count = PICK(0, 1, 2, 5, 31);

		world_reset();
		make_tss_a();
		ring(cpl);
		CASE_TSS->esp0 = any_sp();
		if (!below(3))
			CASE_TSS->ss0 = any_stack();
		if (cpl == 3 && !below(3))
			CASE_TSS->ss = S_STACK3_16;
		CASE_TSS->esp = any_sp();
		gate(S_GATE, PICK(0xe4, 0xec, 0xec, 0xe4, 0x8c, 0xac, 0x6c), any_code(), PICK(0x100, 0x100, 0x100, 0xfff, 0x1000, 0x10100), count);
		for (unsigned i = 0; i < 256; i++)
			((volatile uint32_t *)STACKS)[i] = i * 0x01010203;
		EMIT(below(4) ? 0x9a : 0xea, B4(0x5555), B2(S_GATE | below(4)));
		run(!below(2), 0, 0);
	}
}

/* INT n through each kind of gate, from rings 0, 1, 3 and V86 mode. */
static void interrupts(void)
{
	static const uint8_t ring_of[] = { 0, 1, 3, 3, 4, 4 };

	for (unsigned n = 0; n < 900; n++) {
		unsigned r = ring_of[below(6)], vector = PICK(0x30, 0x30, 0x30, 0x30, 0x41, 0xff, 3, 4);

		world_reset();
		make_tss_a();
		CASE_TSS->flags = any_flags() & ~0x4000u;
		ring(r);
		CASE_TSS->esp = any_sp();
		CASE_TSS->esp0 = any_sp();
		if (!below(3))
			CASE_TSS->ss0 = any_stack();
		CASE_TSS->fs = r == 4 ? 0x1234 : 0;
		if (vector < 0x40)
			idt_gate(vector, PICK(0xe0, 0xe0, 0xe0, 0x60, 0x80, 0xa0) | PICK(14, 15, 6, 7, 14, 15, 14, 4, 5, 12), below(3) ? PICK(S_CODE0, S_CODE0, S_CONF0, S_CODE0_16) : any_code(), PICK(0x100, 0x100, 0x100, 0x1000));
		else if (vector == 0x30)
			idt_gate(vector, 0xe5, S_TSS_A, 0);
		switch (below(6)) {
		case 0: EMIT(0xcc); break;
		case 1: EMIT(0xce); break;
		case 2: EMIT(0xf1); break;
		default: EMIT(0xcd, vector); break;
		}
		run(!below(2), 0, 0);
	}
}

static void put_frame(uint32_t sp, uint32_t base, unsigned size, const uint32_t *v, unsigned count)
{
	for (unsigned i = 0; i < count; i++, sp += size) {
		if (size == 4)
			*(volatile uint32_t *)(base + (sp & 0xfff)) = v[i];
		else
			*(volatile uint16_t *)(base + (sp & 0xfff)) = (uint16_t)v[i];
	}
}

static uint32_t stack_base(uint32_t ss) { return STACKS + (ss == S_STACK0_16 ? 0x400 : ss == S_STACK3 ? 0x800 : ss == S_STACK3_16 ? 0xc00 : 0); }

/* IRET and far RET with frames of all kinds; IRET also with NT. */
static void returns(bool iret)
{
	for (unsigned n = 0; n < 1100; n++) {
		unsigned r = PICK(0, 0, 0, 1, 3, 4), size = PICK(2, 4), extra = PICK(0, 8, 2);
		uint32_t frame[9], at = 0, sp;
		bool code16;

		world_reset();
		make_tss_a();
		CASE_TSS->flags = any_flags() & ~(below(8) ? 0x4000u : 0);
		CASE_TSS->link = PICK(S_TSS_A, S_TSS_A, S_TSS_B, S_TSS, 0, S_T, S_TSS_A | 4);
		descriptor(S_TSS_A, TSS_AREA + 0x100, PICK(0x67, 0x6b, 0x66), PICK(0x8b, 0x8b, 0x89), 0);
		descriptor(S_TSS_B, TSS_AREA + 0x200, 0x2b, 0x83, 0);
		ring(r);
		CASE_TSS->esp = sp = PICK(0x200, 0x200, 0x200, 0x3f0, 0x3f8, 0x3fc);
		if (r == 0 && !below(3))
			CASE_TSS->ss = S_STACK0_16;
		CASE_TSS->ds = r == 4 ? 0x900 : r == 3 ? PICK(S_DATA3, S_RO3, 0, S_CONF0) : PICK(S_DATA0, S_DATA3, S_CONF0, S_CODE3, 0);
		frame[at++] = r == 4 ? 0x100 : PICK(0x100, 0x100, 0x100, 0x100, 0x1000, 0x10100);
		frame[at++] = r == 4 ? V86_CODE >> 4 : any_code();
		if (iret)
			frame[at++] = any_flags() | PICK(0, 0, 0, 0x20000) | PICK(0, 0, 0x10000) | PICK(0, 0, 0x200000) | PICK(0, 0, 0, 0, 0x100);
		else if (extra)
			for (unsigned i = 0; i < extra / size; i++)
				frame[at++] = 0x7777;
		frame[at++] = any_sp();
		frame[at++] = any_stack();
		if (iret && frame[2] & 0x20000) {
			frame[1] = V86_CODE >> 4;
			frame[4] = V86_DATA >> 4;
			frame[5] = 0x900; frame[6] = 0x800; frame[7] = 0x700; frame[8] = 0x1234;
			at = 9;
		}
		put_frame(sp, r == 4 ? V86_DATA : stack_base(CASE_TSS->ss), size, frame, at);
		code16 = r == 4;
		if ((size == 2) != code16)
			EMIT(0x66);
		if (iret)
			EMIT(0xcf);
		else if (extra)
			EMIT(0xca, B2(extra));
		else
			EMIT(0xcb);
		run(!below(2), 0, 0);
	}
}

/* Data accesses around the ends of segments, all sizes, expand-down too. */
static void limits(void)
{
	for (unsigned n = 0; n < 1000; n++) {
		unsigned flags = PICK(0, 4), access = PICK(0xf2, 0xf6, 0xf0, 0xf4, 0xfa, 0xf8), limit = PICK(0x7ff, 0xfff, 0, 3, 0xffff), edge;

		world_reset();
		ring(PICK(0, 3));
		descriptor(S_T, DATA & ~0xffffu ? DATA : 0, limit, access, flags);
		edge = below(5) ? limit : PICK(0xffff, 0xffffffff, 0x10000);
		CASE_TSS->es = S_T | 3;
		CASE_TSS->ebx = edge - 5 + below(9);
		switch (below(10)) {
		case 0: EMIT(0x26, 0x8a, 0x03); break;
		case 1: EMIT(0x26, 0x66, 0x8b, 0x03); break;
		case 2: EMIT(0x26, 0x8b, 0x03); break;
		case 3: EMIT(0x26, 0x88, 0x03); break;
		case 4: EMIT(0x26, 0x66, 0x89, 0x03); break;
		case 5: EMIT(0x26, 0x89, 0x03); break;
		case 6: EMIT(0x26, 0x01, 0x03); break;
		case 7: EMIT(0x26, 0xc4, 0x03); break;
		case 8: EMIT(0x26, 0x0f, 0xc7, 0x0b); break;
		case 9: EMIT(0x26, 0x0f, 0x01, 0x03); break;
		}
		run(!below(2), 0, 0);
	}
}

/* Stack instructions with every kind of stack and ESP. */
static void stacks(void)
{
	for (unsigned n = 0; n < 2000; n++) {
		unsigned r = PICK(0, 0, 3, 4);

		world_reset();
		CASE_TSS->flags = any_flags() & ~0x4000u;
		ring(r);
		if (r == 0)
			CASE_TSS->ss = PICK(S_STACK0, S_STACK0_16, S_DOWN0_16);
		if (r == 3)
			CASE_TSS->ss = PICK(S_STACK3, S_STACK3_16);
		if (!below(3) && r != 4)
			CASE_TSS->cs = r == 0 ? S_CODE0_16 : S_CODE3_16;
		CASE_TSS->esp = any_sp();
		CASE_TSS->ebp = any_sp();
		for (unsigned i = 0; i < 256; i++)
			((volatile uint32_t *)STACKS)[i] = ((volatile uint32_t *)V86_DATA)[i] = rnd() & (r == 4 || below(2) ? 0x3ff : 0xffffffff);
		if (below(2))
			EMIT(0x66);
		switch (below(22)) {
		case 0: EMIT(0x50); break;
		case 1: EMIT(0x54); break;
		case 2: EMIT(0x58); break;
		case 3: EMIT(0x5c); break;
		case 4: EMIT(0x60); break;
		case 5: EMIT(0x61); break;
		case 6: EMIT(0x9c); break;
		case 7: case 8: EMIT(0x9d); break;
		case 9: EMIT(0xc8, 0x10, 0, (uint8_t)PICK(0, 1, 2, 5, 31, 32)); break;
		case 10: EMIT(0xc9); break;
		case 11: EMIT(0x1e); break;
		case 12: EMIT(0x07); break;
		case 13: EMIT(0x17); break;
		case 14: EMIT(0x6a, 0x85); break;
		case 15: EMIT(0xff, 0x74, 0x24); EMIT(4); break;
		case 16: EMIT(0x8f, 0x44, 0x24); EMIT(8); break;
		case 17: EMIT(0xc2, 4, 0); break;
		case 18: EMIT(0xc3); break;
		case 19: EMIT(0xe8, 0x10, 0, 0, 0); break;
		case 20: EMIT(0xff, 0xd0); break;
		case 21: EMIT(0x0f, 0xa1); break;
		}
		EMIT(0x90, 0x90, 0x90, 0x90);
		run(!below(3), 0, 0);
	}
}

/* Task switches by JMP, CALL and task gate to 32- and 16-bit tasks with contents of all kinds. */
static void tasks(void)
{
	for (unsigned n = 0; n < 1000; n++) {
		unsigned r = PICK(0, 0, 3), target = PICK(S_TSS_A, S_TSS_A, S_TSS_B);

		world_reset();
		make_tss_a();
		CASE_TSS->flags = any_flags() & ~0x4000u;
		ring(r);
		switch (below(8)) {
		case 0: TSS_A->cs = TSS_B->cs = (uint16_t)any_code(); break;
		case 1: TSS_A->ss = TSS_B->ss = (uint16_t)any_stack(); break;
		case 2: TSS_A->ds = TSS_B->ds = (uint16_t)any_data(); break;
		case 3: TSS_A->fs = any_data(); TSS_B->es = (uint16_t)any_data(); break;
		case 4: TSS_A->ldt = TSS_B->ldt = (uint16_t)PICK(0, S_DATA0, S_LDT | 4, 0x7f8, S_TSS, S_LDT); break;
		case 5: TSS_A->eip = 0x1000; TSS_B->ip = 0x1000; break;
		case 6: TSS_A->flags = any_flags() | PICK(0, 0x20000, 0x10000, 0x100); TSS_B->flags = (uint16_t)any_flags(); TSS_A->trap = (uint16_t)PICK(0, 1); break;
		case 7: TSS_A->cs = S_CODE3; TSS_A->ss = S_STACK3; TSS_A->ds = any_data(); TSS_A->es = any_data(); break;
		}
		if (TSS_A->flags & 0x20000) {
			TSS_A->cs = V86_CODE >> 4;
			TSS_A->ss = TSS_A->ds = TSS_A->es = V86_DATA >> 4;
		}
		if (!below(6))
			descriptor(target, TSS_AREA + (target == S_TSS_A ? 0x100 : 0x200), PICK(0x66, 0x2a, 0x2b, 0x67), PICK(0x81, 0x83, 0x01, 0xe1) | (target == S_TSS_A ? 8 : 0), 0);
		gate(S_GATE, PICK(0xe5, 0xe5, 0x85, 0x65), PICK(target, target, target, 0, S_CODE0, S_LDT | 4), 0, 0);
		idt_gate(0x30, 0xe5, target, 0);
		switch (below(4)) {
		case 0: EMIT(0xcd, 0x30); break;
		case 1: EMIT(0xea, B4(0), B2(below(2) ? S_GATE | 3 : target)); break;
		case 2: EMIT(0x9a, B4(0), B2(below(2) ? S_GATE | 3 : target)); break;
		case 3: EMIT(0x8e, 0xd8); break;                        /* MOV DS, AX: AX is no selector */
		}
		if (!below(2))
			*(volatile uint8_t *)(CODE + 0x100) = 0xcf;   /* IRET in the new task */
		run(!below(2), 0, 0);
	}
}

/* Page table bits, 4 MB pages, WP, global pages, INVLPG, stale entries. */
static void paging(void)
{
	for (unsigned n = 0; n < 2500; n++) {
		volatile uint32_t *pde = (volatile uint32_t *)PDIR, *pte = (volatile uint32_t *)(PTAB + 0x800);
		uint32_t cr4 = PICK(0, 0x10, 0x80, 0x90);

		world_reset();
		ring(PICK(0, 3));
		pde[1] = PICK(0, 0x87, 0x85, 0x83, 0x81, 0x187) | PICK(0, 0, 0x400000) | PICK(0, 0x60) | PICK(0, 0, 0, 0x200000);
		if (!(cr4 & 0x10))
			pde[1] = (pde[1] & 0xfff) | PTAB;
		if (below(2))
			pde[1] = PTAB | below(8) | PICK(0, 0x20, 0x100, 0x18);
		pte[4] = DATA | below(8) | PICK(0, 0x20, 0x60, 0x1e00, 0x100, 0x80);
		pte[5] = (DATA + 0x1000) | below(8);
		pte[6] = 0;
		descriptor(S_T, 0, 0xfffff, 0xf2, 12);
		CASE_TSS->es = S_T | 3;
		CASE_TSS->ebx = PICK(DATA, DATA + 0x400000, DATA + 0xffe, DATA + 0x400ffe, DATA + 0x1ffe, DATA + 0xffd, 0xfffffffe, 0xfffff000);
		for (unsigned k = 1 + below(3); k; k--)
			switch (below(9)) {
			case 0: EMIT(0x26, 0x8b, 0x03); break;
			case 1: EMIT(0x26, 0x89, 0x03); break;
			case 2: EMIT(0x26, 0x01, 0x03); break;
			case 3: EMIT(0x26, 0x0f, 0xb1, 0x0b); break;
			case 4: EMIT(0x26, 0x0f, 0x01, 0x3b); break;                   /* INVLPG */
			case 5: EMIT(0x26, 0xc7, 0x05, B4(PTAB + 0x810), B4(DATA + 0x1000 + below(8))); break;
			case 6: EMIT(0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8); break;       /* CR3 to itself */
			case 7: EMIT(0x26, 0x0f, 0xc7, 0x0b); break;
			case 8: EMIT(0x26, 0xf6, 0x13); break;
			}
		run(true, PICK(0, 0x10000), cr4);
	}
}

/* Control and debug registers, descriptor tables, system instructions with any operand, in each mode. */
static void system(void)
{
	for (unsigned n = 0; n < 2500; n++) {
		unsigned r = PICK(0, 0, 0, 3, 4);

		world_reset();
		CASE_TSS->flags = any_flags() & ~0x4000u;
		ring(r);
		CASE_TSS->eax = PICK(1, 0x11, 0x80000011, 0x80000001, 0x80000000, 0x20000011, 0x60000011, 0x10011, 0x40011, 1u << below(32) | 0x11, 0xffffffff, 1u << below(32) | 1);   /* never real mode */
		CASE_TSS->ecx = PICK(0, 5, 0x100, 0x204);
		CASE_TSS->ebx = PICK(0x40, 0x100);
		switch (below(24)) {
		case 0: case 1: EMIT(0x0f, 0x22, 0xc0, 0x0f, 0x20, 0xc1); break;
		case 2: EMIT(0x0f, 0x22, (uint8_t)(0xc0 | below(8) << 3)); CASE_TSS->eax = PDIR | 1; break;
		case 3: EMIT(0x0f, 0x20, (uint8_t)(0xc1 | below(8) << 3)); break;
		case 4: CASE_TSS->eax &= 0x3ff; EMIT(0x0f, 0x22, 0xe0); break;
		case 5: EMIT(0x0f, 0x23, (uint8_t)(0xc0 | below(8) << 3)); CASE_TSS->eax &= 0xf; break;
		case 6: EMIT(0x0f, 0x21, (uint8_t)(0xc1 | below(4) << 3)); break;
		case 7: EMIT(0x0f, 0x01, 0xf0, 0x0f, 0x01, 0xe1); break;               /* LMSW, SMSW */
		case 8: EMIT(0x0f, 0x06); break;
		case 9: EMIT(0xfa, 0x9c, 0x59); break;
		case 10: EMIT(0xfb, 0x9c, 0x59); break;
		case 11: EMIT(0x0f, 0x00, 0xc1); break;
		case 12: EMIT(0x0f, 0x00, 0xc9); break;
		case 13: EMIT(0x0f, 0x00, 0xd0); CASE_TSS->eax = PICK(0, 3, S_LDT, S_LDT | 4, S_DATA0, S_LDT | 3); break;
		case 14: EMIT(0x0f, 0x00, 0xd8); CASE_TSS->eax = PICK(0, S_TSS_A, S_TSS_B, S_TSS, S_TSS_A | 4, S_CODE0, S_TSS_A | 3); break;
		case 15: EMIT(0xe6, 0x80); CASE_TSS->iomap = (uint16_t)PICK(0x68, 0x60, 0x58, 0x5b, 0xffff); break;
		case 16: EMIT(0x66, 0xe7, 0x80); CASE_TSS->iomap = (uint16_t)PICK(0x68, 0x5c, 0x5b, 0x5a); break;
		case 17: EMIT(0x0f, 0x63 - 0x63 + 0x0b); break;
		case 18: EMIT(0x63, 0xc1); break;
		case 19: EMIT(0x8e, (uint8_t)(0xc0 | below(8) << 3)); CASE_TSS->eax = any_data(); break;
		case 20: EMIT(0x8c, (uint8_t)(0xc0 | below(8) << 3)); break;
		case 21: EMIT(0x0f, 0x01, 0x03); EMIT(0x0f, 0x01, 0x4b, 8); break;     /* SGDT, SIDT */
		case 22: EMIT(0x9b); EMIT(0x0f, 0x09); break;
		case 23: EMIT(0xf4); CASE_TSS->cs = r == 4 ? 0x800 : S_CODE3; CASE_TSS->ss = r == 4 ? 0x900 : S_STACK3; CASE_TSS->ds = CASE_TSS->es = 0; break;
		}
		run(!below(2), PICK(0, 0x10000, 0x40000), 0);
	}
}

/* TF, and DR7 breakpoints, over simple instructions and MOV SS. */
static void traps(void)
{
	for (unsigned n = 0; n < 500; n++) {
		world_reset();
		make_tss_a();
		ring(PICK(0, 3));
		CASE_TSS->flags = 2 | PICK(0x100, 0x100, 0);
		CASE_TSS->ecx = 2;
		switch (below(9)) {
		case 0: EMIT(0x90); break;
		case 1: EMIT(0x8c, 0xd0, 0x8e, 0xd0, 0x40); break;
		case 2: EMIT(0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d, 0x40, 0x41); break;
		case 3: EMIT(0xf3, 0xa4); break;
		case 4: EMIT(0xcd, 0x30); idt_gate(0x30, 0xee, S_CODE0, 0x100); break;
		case 5: EMIT(0xeb, 2, 0x90, 0x90); break;
		case 6: EMIT(0xcc); break;
		case 7: EMIT(0x0f, 0x0b); break;
		case 8: EMIT(0xa1, B4(0x10), 0xa3, B4(0x12), 0x90); break;
		}
		EMIT(0x42, 0x43, 0x42);
		if (!below(2)) {
			uint32_t at = PICK(DATA + 0x10, DATA + 0x12, CODE, CODE + 1, CODE + 2, DATA + 0x20), control = PICK(0x402, 0x10402, 0x30402, 0xd0402, 0xf0402);
			breakpoint(at, control);
		}
		run(false, 0, 0);
	}
}

/* Prefixes, LOCK, lengths, 16-bit addressing, strings, decimal adjustments. */
static void forms(void)
{
	for (unsigned n = 0; n < 2500; n++) {
		static const uint8_t prefix[] = { 0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0xf0, 0xf2, 0xf3 };
		static const uint8_t op[] = { 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0x27, 0x2f, 0x37, 0x3f, 0x90, 0x98, 0x99, 0xd7, 0x9e, 0x9f };
		unsigned r = PICK(0, 3, 4), count = PICK(0, 1, 2, 3, 1, 2, 12, 13, 14, 15);

		world_reset();
		CASE_TSS->flags = 2 | PICK(0, 0x8d5, 0x11, 0x400, 0x410, 1);
		ring(r);
		if (r != 4 && !below(4))
			CASE_TSS->cs = r == 3 ? S_CODE3_16 : S_CODE0_16;
		CASE_TSS->eax = rnd() << 9 ^ rnd();
		CASE_TSS->ecx = PICK(0, 1, 5, 0x10003, 0x20000 | 2);
		CASE_TSS->esi = PICK(0x20, 0x1fff, 0xffd, 0xffff, 0x10020, 0xfffe);
		CASE_TSS->edi = PICK(0x40, 0x1ffe, 0x0, 0x10040, 0xffe, 0xffff);
		CASE_TSS->ebx = PICK(0x30, 0xfff0);
		for (; count; count--)
			EMIT(prefix[below(10)]);
		switch (below(6)) {
		case 0: EMIT(0x01, (uint8_t)PICK(0x03, 0xc3, 0x04)); EMIT(0x90, 0x90); break;
		case 1: EMIT(0x0f, (uint8_t)PICK(0xb1, 0xc1, 0xab, 0xa3, 0xbb, 0xc7), (uint8_t)PICK(0x0b, 0xcb)); EMIT(0x90); break;
		case 2: /* no JMP: it might jump to itself for ever */
			EMIT((uint8_t)PICK(0xf7, 0xff, 0x81, 0x83, 0xfe, 0x8f), (uint8_t)(below(2) << 6 | PICK(0, 1, 2, 3, 5, 6, 7) << 3 | PICK(3, 7, 0xc3)), 5, 6, 7, 8, 0x90, 0x90); break;
		case 3: EMIT((uint8_t)PICK(0xd4, 0xd5), (uint8_t)PICK(10, 0, 7, 255)); break;
		default: EMIT(op[below(sizeof(op))]); break;
		}
		EMIT(0x90, 0x90, 0x90, 0x90);
		run(!below(3), 0, 0);
	}
}

/* Exceptions while exceptions are delivered. */
static void chains(void)
{
	for (unsigned n = 0; n < 800; n++) {
		static const uint8_t vectors[] = { 0, 6, 10, 11, 12, 13, 14, 14, 13 };

		world_reset();
		make_tss_a();
		ring(PICK(0, 3, 4));
		CASE_TSS->esp = any_sp();
		for (unsigned k = 1 + below(3); k; k--)
			idt_gate(vectors[below(9)], PICK(0x8e, 0x8f, 0x86, 0x0e, 0x8c, 0x85), PICK(S_CODE0, S_CODE0, S_ABSENT, 0, S_T, S_CODE3, S_CODE0_16, S_CONF0), PICK(0x100, 0x100, 0x1000));
		descriptor(S_T, CODE, 0xfff, 0x1a, 4);
		if (!below(3))
			CASE_TSS->ss0 = any_stack();
		CASE_TSS->esp0 = any_sp();
		((volatile uint32_t *)(PTAB + 0x800))[4] = 0;
		((volatile uint32_t *)(PTAB + 0x800))[3] = PICK(STACKS | 7, STACKS | 7, 0, STACKS | 5);
		switch (below(8)) {
		case 0: EMIT(0x31, 0xc9, 0xf7, 0xf1); break;
		case 1: EMIT(0x0f, 0x0b); break;
		case 2: EMIT(0xa1, B4(0)); break;
		case 3: EMIT(0x8e, 0xd8); CASE_TSS->eax = PICK(S_ABSENT, S_TSS, 0x7f8); break;
		case 4: EMIT(0x8e, 0xd0); CASE_TSS->eax = PICK(0, S_ABSENT); break;
		case 5: EMIT(0xff, 0x74, 0x24, 0); CASE_TSS->esp = 0x3ff; break;
		case 6: EMIT(0xcd, 14); break;
		case 7: EMIT(0x0f, 0x3f); break;
		}
		run(true, PICK(0, 0x10000), 0);
	}
}

/* Code that writes itself: the next instruction, across a page, through another address. */
static void self_modifying(void)
{
	for (unsigned n = 0; n < 300; n++) {
		uint32_t page = PICK(0, 0xff0, 0xff8), target;

		world_reset();
		ring(0);
		descriptor(S_T, CODE, 0xfffff, 0x92, 12);
		descriptor(S_CODE0, CODE, 0x1fff, 0x9a, 4);
		*(volatile uint32_t *)(PTAB + 0xc00) = CODE | 7;       /* 300000: the code once more */
		CASE_TSS->es = S_T;
		(void)page;
		CASE_TSS->ecx = 3;
		target = PICK(10, 11, 12, 13, 9, 17);
		EMIT(0x26, 0xc6, 0x05, B4(target + PICK(0, 0x100000)), (uint8_t)PICK(0x40, 0x43, 0x4b, 0x90, 0xf8));
		EMIT(0x90);
		EMIT(0x42, 0x42, 0x42, 0x42, 0x42);
		EMIT(0x49, 0x75, (uint8_t)PICK(-8, -16, -17, 0));
		EMIT(0x90);
		run(true, PICK(0, 0x10000), 0);
	}
}

void all_groups(void)
{
	group('A'); selectors();
	group('B'); loads();
	group('C'); far_transfers();
	group('D'); call_gates();
	group('E'); interrupts();
	group('F'); returns(true);
	group('G'); returns(false);
	group('H'); limits();
	group('I'); stacks();
	group('J'); tasks();
	group('K'); paging();
	group('L'); system();
	group('M'); traps();
	group('N'); forms();
	group('O'); chains();
	group('P'); self_modifying();
}
