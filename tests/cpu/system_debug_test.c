/* tests/cpu/system_debug_test.c: breakpoints, single steps, RF: [SDM3B 17.2 "Debug Registers"], [SDM3B 17.3 "Debug Exceptions"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

static uint32_t flags(void) { return cpu_eflags(&pc->cpu); }

static void expect_debug(uint32_t dr6, uint32_t eip)
{
	ck_assert_uint_eq(pc->exceptions, 1);
	ck_assert_uint_eq(pc->last.fault.vector, VEC_DB);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_DB));
	ck_assert_uint_eq(pc->cpu.dr[6] & 0xe00f, dr6);
	ck_assert_uint_eq(stack_dword(pc, 0), eip);
}

START_TEST(TF_traps_after_the_next_instruction)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	PLACE(pc, CODE, 0x90, 0x90);
	step(pc, 2);
	expect_debug(0x4000, CODE + 1);
	ck_assert_uint_eq(stack_dword(pc, 2), F_ONE | F_TF);
	ck_assert_uint_eq(flags(), F_ONE);
}
END_TEST

START_TEST(POPF_that_sets_TF_traps_one_instruction_later)
{
	ring(pc, 0);
	pc->trace_checked = false;
	put32(pc, pc->cpu.r[R_ESP], F_ONE | F_TF);
	PLACE(pc, CODE, 0x9d, 0x90, 0x90);
	step(pc, 3);
	expect_debug(0x4000, CODE + 2);
}
END_TEST

START_TEST(INT_n_takes_no_single_step_trap)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	PLACE(pc, CODE, 0xcd, 0x50);
	step(pc, 3);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x50));
}
END_TEST

START_TEST(a_fetch_breakpoint_is_a_fault_that_RF_passes_over)
{
	ring(pc, 0);
	pc->cpu.dr[1] = CODE + 1;
	pc->cpu.dr[7] = 0x400 | 4;
	PLACE(pc, CODE, 0x90, 0x90, 0x90);
	step(pc, 1);
	expect_no_fault(pc);
	step(pc, 1);
	expect_debug(2, CODE + 1);
	/* The handler's IRET with RF set in its frame lets the instruction run. */
	put32(pc, pc->cpu.r[R_ESP] + 8, F_ONE | F_RF);
	RUN(pc, 0xcf);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 1);
	ck_assert_uint_eq(flags(), F_ONE | F_RF);
	step(pc, 1);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 2);
	ck_assert_uint_eq(flags(), F_ONE);
	put16(pc, handler(VEC_DB), 0xfeeb);
}
END_TEST

struct watch_case { uint32_t dr, rw, len; bool write; uint32_t at; bool hit; };
static const struct watch_case watch_cases[] = {
	{ 0x48000, 1, 3, true, 0x48000, true }, { 0x48000, 1, 3, false, 0x48000, false }, { 0x48000, 3, 3, false, 0x48000, true },
	{ 0x48000, 1, 0, true, 0x47ffd, true }, { 0x48000, 1, 0, true, 0x47ffc, false }, { 0x48000, 1, 0, true, 0x48001, false },
	{ 0x48003, 1, 3, true, 0x48003, true }, { 0x48003, 1, 3, true, 0x47ffd, true }, { 0x48002, 3, 1, true, 0x48004, false },
	{ 0x48000, 0, 0, true, 0x48000, false },
};

START_TEST(a_data_breakpoint_traps_after_the_access)
{
	const struct watch_case *c = &watch_cases[_i];

	ring(pc, 0);
	pc->trace_checked = false;
	pc->cpu.r[R_EAX] = c->dr;
	pc->cpu.r[R_EBX] = 0x400 | 1 << 4 | c->rw << 24 | c->len << 26;
	PLACE(pc, CODE, 0x0f, 0x23, 0xd0, 0x0f, 0x23, 0xfb, c->write ? 0x89 : 0x8b, 0x05, W32(c->at), 0x90);
	step(pc, 4);
	if (c->hit)
		expect_debug(4, CODE + 12);
	else
		expect_no_fault(pc);
}
END_TEST

START_TEST(an_access_that_faults_hits_no_data_breakpoint)
{
	ring(pc, 0);
	paging(pc);
	pc->trace_checked = false;
	page(pc, 0x49000, 0);
	pc->cpu.r[R_EAX] = 0x48ffc;
	pc->cpu.r[R_EBX] = 0x400 | 1 << 4 | 3u << 24 | 3u << 26;
	/* les 0x48ffc, %edx: the offset is watched, the selector's page is missing. */
	PLACE(pc, CODE, 0x0f, 0x23, 0xd0, 0x0f, 0x23, 0xfb, 0xc4, 0x15, W32(0x48ffc), 0x90);
	step(pc, 4);
	ck_assert_uint_eq(pc->exceptions, 1);
	ck_assert_uint_eq(pc->last.fault.vector, VEC_PF);
	ck_assert_uint_eq(pc->cpu.pending_dr6, 0);
}
END_TEST

START_TEST(a_port_breakpoint_needs_CR4_DE)
{
	for (unsigned de = 0; de < 2; de++) {
		ring(pc, 0);
		pc->trace_checked = false;
		cpu_set_cr4(&pc->cpu, de ? CR4_DE : 0);
		pc->cpu.r[R_EAX] = 0x80;
		pc->cpu.r[R_EBX] = 0x400 | 1 << 6 | 2u << 28;
		PLACE(pc, CODE, 0x0f, 0x23, 0xd8, 0x0f, 0x23, 0xfb, 0xe6, 0x80, 0x90);
		step(pc, 4);
		if (de)
			expect_debug(8, CODE + 8);
		else
			expect_no_fault(pc);
	}
}
END_TEST

START_TEST(DR7_GD_faults_before_a_debug_register_moves_and_is_cleared)
{
	ring(pc, 0);
	pc->cpu.dr[7] = 0x2400;
	RUN(pc, 0x0f, 0x21, 0xf0);
	expect_fault(pc, VEC_DB);
	ck_assert_uint_eq(pc->cpu.dr[6] & 0x2000, 0x2000);
	ck_assert_uint_eq(pc->cpu.dr[7], 0x400);
}
END_TEST

START_TEST(DR4_and_DR5_are_aliases_until_CR4_DE)
{
	ring(pc, 0);
	pc->cpu.r[R_EAX] = 0;
	RUN(pc, 0x0f, 0x23, 0xe0);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.dr[6], 0xffff0ff0);
	pc->cpu.eip = CODE;
	RUN(pc, 0x0f, 0x21, 0xe9);
	ck_assert_uint_eq(pc->cpu.r[R_ECX], pc->cpu.dr[7]);
	ring(pc, 0);
	cpu_set_cr4(&pc->cpu, CR4_DE);
	RUN(pc, 0x0f, 0x21, 0xe8);
	expect_fault(pc, VEC_UD);
}
END_TEST

START_TEST(a_watcher_that_stops_on_a_trap_gets_it_again)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	pc->stop_on_exception = true;
	pc->trace_checked = false;
	PLACE(pc, CODE, 0x90, 0x90);
	ck_assert_int_eq(step(pc, 2), CPU_STOP_REQUEST);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 1);
	pc->stop_on_exception = false;
	step(pc, 1);
	expect_debug(0x4000, CODE + 1);
}
END_TEST

START_TEST(BTF_traps_after_branches_only_and_once)
{
	for (unsigned btf = 0; btf < 2; btf++) {
		ring(pc, 0);
		pc->trace_checked = false;
		cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
		pc->cpu.debug_control = btf ? DEBUGCTL_BTF : 0;
		pc->cpu.r[R_ECX] = 2;
		pc->cpu.r[R_ESI] = 0x48000, pc->cpu.r[R_EDI] = 0x49000;
		/* nop; rep movsb, twice; jc, not taken; call */
		PLACE(pc, CODE, 0x90, 0xf3, 0xa4, 0x72, 0x00, 0xe8, W32(0x10), 0x90);
		step(pc, btf ? 6 : 2);
		expect_debug(0x4000, btf ? CODE + 0x1a : CODE + 1);
		ck_assert_uint_eq(pc->cpu.debug_control, 0);
	}
}
END_TEST

/* --- data breakpoints by size and place ------------------------------------------------------------------------------- */

/* Bytes watched against bytes accessed. */
static bool meet(uint32_t watched, unsigned length, uint32_t at, unsigned size)
{
	watched &= ~(length - 1);
	for (unsigned i = 0; i < size; i++)
		if (at + i >= watched && at + i < watched + length)
			return true;
	return false;
}

static void watch(unsigned n, uint32_t at, unsigned rw, unsigned length, bool global)
{
	pc->cpu.dr[n] = at;
	pc->cpu.dr[7] = 0x400 | (global ? 2u : 1u) << 2 * n | rw << (16 + 4 * n) | (length - 1) << (18 + 4 * n);
	segment_update_all(&pc->cpu);
}

/* mov between EAX, AX or AL and memory: in flat 32-bit code, and in real mode. Half of the cases split a page. */
static void data_case(bool real, unsigned size, bool write, uint32_t at, uint32_t watched, unsigned length, unsigned rw, unsigned n)
{
	uint8_t opcode = size == 1 ? 0xa0 : 0xa1, code[8], *c = code;
	uint32_t before;

	if (real)
		real_mode(pc);
	else
		ring(pc, 0);
	watch(n, watched, rw, length, length == 2);
	if (size == (real ? 4 : 2))
		*c++ = 0x66;
	*c++ = opcode + (write ? 2 : 0);
	memcpy(c, &(uint32_t) { real ? at - 0x30000 : at }, 4);
	c[real ? 2 : 4] = 0x90;
	before = pc->cpu.eip;
	place(pc, CODE, code, sizeof(code));
	step(pc, 1);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.pending_dr6, meet(watched, length, at, size) && (rw == 3 || (rw == 1 && write)) ? 1u << n : 0);
	ck_assert_uint_gt(pc->cpu.eip, before);
	pc->cpu.pending_dr6 = 0;
}

START_TEST(a_data_breakpoint_watches_its_bytes_and_no_others)
{
	static const uint8_t lengths[] = { 1, 2, 4 };
	bool real = _i & 1, write = _i & 2;
	uint32_t page_end = _i & 4 ? 0x31000 : 0x30804;

	for (unsigned s = 0; s < 3; s++)
		for (unsigned l = 0; l < 3; l++)
			for (unsigned rw = 1; rw < 4; rw += 2)
				for (uint32_t watched = page_end - 6; watched < page_end + 6; watched++)
					for (uint32_t at = page_end - 8; at < page_end + 8; at++)
						data_case(real, lengths[s], write, at, watched, lengths[l], rw, (watched + at) & 3);
}
END_TEST

START_TEST(operands_of_any_size_hit_the_breakpoints_inside_them)
{
	struct ref r;

	for (unsigned size = 8; size <= 512; size *= 2)
		for (unsigned i = 0; i < 4; i++) {
			uint32_t at = (const uint32_t[]) { 0x47fff, 0x48000, 0x48000 + size - 1, 0x48000 + size }[i];
			ring(pc, 0);
			watch(2, at, 3, 1, true);
			pc->cpu.single = true;
			ck_assert_int_eq(open_mem(&pc->cpu, pc->cpu.insn, SEG_DS, 0x48000, size, OPEN_READ, &r), EXEC_OK);
			pc->cpu.single = false;
			ck_assert_uint_eq(pc->cpu.pending_dr6, i == 1 || i == 2 ? 4 : 0);
			pc->cpu.pending_dr6 = 0;
		}
}
END_TEST

/* The processor's own accesses to its tables and stacks are accesses. */
START_TEST(a_data_breakpoint_sees_descriptors_and_frames)
{
	static const struct { uint32_t at; bool from_ring_3; uint8_t code[2]; } cases[] = {
		{ STACK0 - 0x104, false, { 0xcd, 0x50 } },             /* a pushed EFLAGS */
		{ IDT + 8 * 0x50, false, { 0xcd, 0x50 } },
		{ GDT + CS0, false, { 0xcd, 0x50 } },
		{ TSS + 4, true, { 0xcd, 0x50 } },                     /* ESP0 */
		{ GDT + DS0, false, { 0x8e, 0xd8 } },                  /* mov %eax, %ds */
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ring(pc, cases[i].from_ring_3 ? 3 : 0);
		pc->trace_checked = false;
		idt(pc, 0x50, CS0, handler(0x50), 0xee);
		pc->cpu.r[R_EAX] = DS0;
		place(pc, CODE, cases[i].code, 2);
		watch(1, cases[i].at, 3, 1, true);
		step(pc, 1);
		expect_no_fault(pc);
		watch(1, 0, 0, 1, false);
		pc->cpu.dr[7] = 0x400;
		step(pc, 1);
		expect_debug(2, cases[i].code[0] == 0xcd ? handler(0x50) : CODE + 2);
	}
}
END_TEST

START_TEST(a_trap_and_a_data_breakpoint_come_as_one)
{
	ring(pc, 0);
	pc->trace_checked = false;
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	watch(3, 0x48000, 3, 4, true);
	PLACE(pc, CODE, 0xa1, W32(0x48002), 0x90);
	step(pc, 2);
	expect_debug(0x4008, CODE + 5);
	/* B0..B3 are of this exception only; the other bits stay until software clears them. */
	pc->cpu.dr[7] = 0x400;
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	PLACE(pc, handler(VEC_DB), 0x90);
	step(pc, 2);
	ck_assert_uint_eq(pc->cpu.dr[6] & 0xe00f, 0x4000);
}
END_TEST

/* --- ports --------------------------------------------------------------------------------------------------------------- */

START_TEST(a_port_breakpoint_watches_its_ports_and_no_others)
{
	for (unsigned n = 0; n < 2 * 3 * 3 * 8; n++) {
		unsigned size = 1u << n % 3, length = 1u << n / 3 % 3, port = 0x78 + n / 9 % 8;
		bool out = n / 72;

		ring(pc, 0);
		cpu_set_cr4(&pc->cpu, CR4_DE);
		watch(0, 0x7c, 2, length, true);
		pc->cpu.r[R_EDX] = port;
		/* [66] in or out with DX */
		PLACE(pc, CODE, size == 2 ? 0x66 : 0x3e, (size == 1 ? 0xec : 0xed) + (out ? 2 : 0), 0x90);
		step(pc, 1);
		expect_no_fault(pc);
		ck_assert_uint_eq(pc->cpu.pending_dr6, meet(0x7c, length, port, size));
		pc->cpu.pending_dr6 = 0;
	}
}
END_TEST

START_TEST(a_port_breakpoint_traps_after_each_iteration_of_a_string)
{
	ring(pc, 0);
	pc->trace_checked = false;
	cpu_set_cr4(&pc->cpu, CR4_DE);
	watch(0, 0x80, 2, 1, true);
	pc->cpu.r[R_EDX] = 0x80;
	pc->cpu.r[R_ESI] = 0x48000;
	pc->cpu.r[R_ECX] = 3;
	PLACE(pc, CODE, 0xf3, 0x6e, 0x90);
	step(pc, 2);
	expect_debug(1, CODE);
	ck_assert_uint_eq(pc->cpu.r[R_ECX], 2);
	ck_assert_uint_eq(stack_dword(pc, 2), F_ONE | F_RF);
}
END_TEST

/* --- single steps at the corners ------------------------------------------------------------------------------------------ */

/* Runs code with TF set until a trap comes; after how many instructions, and where. */
static unsigned steps_to_trap(const uint8_t *code, size_t n, uint32_t *eip)
{
	pc->trace_checked = false;
	place(pc, CODE, code, n);
	for (unsigned i = 1; i < 8; i++) {
		step(pc, 1);
		if (!pc->cpu.pending_dr6 || pc->cpu.shadow_debug)
			continue;
		*eip = pc->cpu.eip;
		step(pc, 1);
		expect_debug(0x4000, *eip);
		return i;
	}
	return 0;
}

START_TEST(a_single_step_waits_behind_a_load_of_SS)
{
	static const struct { uint8_t code[4]; unsigned steps; uint32_t eip; } cases[] = {
		{ { 0x8e, 0xd0, 0x90, 0x90 }, 2, CODE + 3 },           /* mov %eax, %ss */
		{ { 0x66, 0x8e, 0xd0, 0x90 }, 2, CODE + 4 },
		{ { 0x17, 0x90, 0x90, 0x90 }, 2, CODE + 2 },           /* pop %ss */
		{ { 0x66, 0x17, 0x90, 0x90 }, 2, CODE + 3 },
		{ { 0x8e, 0xd8, 0x90, 0x90 }, 1, CODE + 2 },           /* mov %eax, %ds */
		{ { 0xfb, 0x90, 0x90, 0x90 }, 1, CODE + 1 },           /* sti holds off interrupts only */
		{ { 0x9d, 0x90, 0x90, 0x90 }, 1, CODE + 1 },           /* popf that clears TF */
		{ { 0xe4, 0x80, 0x90, 0x90 }, 1, CODE + 2 },
		{ { 0xf4, 0x90, 0x90, 0x90 }, 1, CODE + 1 },           /* hlt */
		{ { 0xe3, 0x00, 0x90, 0x90 }, 1, CODE + 2 },
		{ { 0xce, 0x90, 0x90, 0x90 }, 1, CODE + 1 },           /* into without OF */
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t eip = 0;
		ring(pc, 0);
		cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
		pc->cpu.r[R_EAX] = DS0;
		put32(pc, pc->cpu.r[R_ESP], cases[i].code[0] == 0x9d ? F_ONE : DS0);
		ck_assert_uint_eq(steps_to_trap(cases[i].code, 4, &eip), cases[i].steps);
		ck_assert_msg(eip == cases[i].eip, "case %u: trap at %x", i, eip);
		ck_assert(!pc->cpu.halted);
	}
}
END_TEST

START_TEST(software_interrupts_under_TF_take_no_trap_in_any_mode)
{
	static const uint8_t codes[][2] = { { 0xcd, 0x50 }, { 0xcc }, { 0xce }, { 0xf1 } };
	static const uint8_t vectors[] = { 0x50, 3, 4, 1 };

	for (unsigned n = 0; n < 12; n++) {
		unsigned i = n % 4;
		uint32_t into;

		if (n < 4)
			ring(pc, 0);
		else if (n < 8)
			ring(pc, 3);
		else
			real_mode(pc);
		idt(pc, vectors[i], CS0, handler(vectors[i]), 0xee);
		if (n >= 8)
			real_mode(pc);
		into = n < 8 ? handler(vectors[i]) : 16u * vectors[i];
		cpu_set_eflags(&pc->cpu, F_ONE | F_TF | F_OF);
		pc->trace_checked = false;
		place(pc, CODE, codes[i], 2);
		step(pc, 4);
		expect_no_fault(pc);
		ck_assert_uint_eq(pc->cpu.eip, into);
		ck_assert_uint_eq(n < 8 ? stack_dword(pc, 2) & F_TF : stack_word(pc, 2) & F_TF, F_TF);
		ck_assert_uint_eq(flags() & F_TF, 0);
	}
}
END_TEST

/* IRET with TF before and after: TF at its start decides whether it is trapped itself. */
START_TEST(IRET_is_trapped_by_the_TF_it_was_executed_with)
{
	for (unsigned n = 0; n < 4; n++) {
		bool before = n & 1, after = n & 2;

		ring(pc, 0);
		pc->trace_checked = false;
		cpu_set_eflags(&pc->cpu, F_ONE | (before ? F_TF : 0));
		put32(pc, pc->cpu.r[R_ESP], CODE + 0x10);
		put32(pc, pc->cpu.r[R_ESP] + 4, CS0);
		put32(pc, pc->cpu.r[R_ESP] + 8, F_ONE | (after ? F_TF : 0));
		PLACE(pc, CODE, 0xcf);
		PLACE(pc, CODE + 0x10, 0x90, 0x90, 0x90);
		step(pc, 3);
		if (before || after)
			expect_debug(0x4000, before ? CODE + 0x10 : CODE + 0x11);
		else
			expect_no_fault(pc);
	}
}
END_TEST

START_TEST(a_breakpoint_hit_by_a_load_of_SS_comes_in_the_handler_of_the_INT_behind_it)
{
	ring(pc, 0);
	pc->trace_checked = false;
	put16(pc, 0x48000, DS0);
	watch(0, 0x48000, 3, 1, true);
	PLACE(pc, CODE, 0x8e, 0x15, W32(0x48000), 0xcd, 0x50);
	step(pc, 3);
	expect_debug(1, handler(0x50));
}
END_TEST

START_TEST(an_exception_ends_the_shadow_of_STI)
{
	ring(pc, 0);
	pc->trace_checked = false;
	idt(pc, VEC_DB, CS0, handler(VEC_DB), 0x8f);           /* a trap gate: IF stays */
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	PLACE(pc, CODE, 0xfb, 0x90);
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	step(pc, 3);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x40));
	ck_assert_uint_eq(stack_dword(pc, 0), handler(VEC_DB));
}
END_TEST

/* --- priorities: [SDM3A 6.9 "Priority Among Simultaneous Exceptions and Interrupts"] table 6-2 ------------------------------ */

START_TEST(a_trap_comes_before_NMI_and_that_before_an_interrupt)
{
	ring(pc, 0);
	pc->trace_checked = false;
	idt(pc, VEC_DB, CS0, handler(VEC_DB), 0x8f);
	idt(pc, VEC_NMI, CS0, handler(VEC_NMI), 0x8f);
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF | F_IF);
	PLACE(pc, CODE, 0x90, 0x90);
	step(pc, 1);
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	cpu_raise_nmi(&pc->cpu);
	step(pc, 3);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x40));
	ck_assert_uint_eq(stack_dword(pc, 0), handler(VEC_NMI));
	ck_assert_uint_eq(stack_dword(pc, 3), handler(VEC_DB));
	ck_assert_uint_eq(stack_dword(pc, 6), CODE + 1);
}
END_TEST

START_TEST(an_interrupt_comes_before_a_fetch_breakpoint_and_that_before_all_faults)
{
	for (unsigned n = 0; n < 3; n++) {
		ring(pc, 0);
		paging(pc);
		cpu_set_eflags(&pc->cpu, F_ONE | F_IF);
		pc->cpu.dr[0] = 0x4a000;
		pc->cpu.dr[7] = 0x402;
		pc->cpu.eip = 0x4a000;
		PLACE(pc, 0x4a000, 0x0f, 0x0b);
		if (n == 1)
			page(pc, 0x4a000, 0);
		pc->irq_vector = 0x40;
		cpu_set_intr(&pc->cpu, n == 2);
		step(pc, 1);
		if (n == 2) {
			expect_no_fault(pc);
			ck_assert_uint_eq(pc->cpu.eip, handler(0x40));
		} else {
			expect_fault(pc, VEC_DB);
			ck_assert_uint_eq(stack_dword(pc, 2), F_ONE | F_IF);
		}
		cpu_set_cr0(&pc->cpu, CR0_PE);
	}
}
END_TEST

START_TEST(DR7_GD_pushes_RF_as_a_fault_does)
{
	ring(pc, 0);
	pc->cpu.dr[7] = 0x2400;
	RUN(pc, 0x0f, 0x23, 0xf8);
	expect_fault(pc, VEC_DB);
	ck_assert_uint_eq(stack_dword(pc, 2), F_ONE | F_RF);
	/* CPL and undefined registers come before GD. */
	ring(pc, 3);
	pc->cpu.dr[7] = 0x2400;
	RUN(pc, 0x0f, 0x23, 0xf8);
	expect_error(pc, VEC_GP, 0);
	ring(pc, 0);
	pc->cpu.dr[7] = 0x2400;
	cpu_set_cr4(&pc->cpu, CR4_DE);
	RUN(pc, 0x0f, 0x23, 0xe0);
	expect_fault(pc, VEC_UD);
}
END_TEST

START_TEST(INT1_needs_no_DPL_and_leaves_DR6)
{
	ring(pc, 3);
	pc->cpu.dr[6] = 0xffff0ff0;
	RUN(pc, 0xf1);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_DB));
	ck_assert_uint_eq(pc->cpu.dr[6], 0xffff0ff0);
	ck_assert_uint_eq(stack_dword(pc, 0), CODE + 1);
	/* A missing gate is an external event's error. */
	idt(pc, VEC_DB, CS0, handler(VEC_DB), 0x0e);
	ring(pc, 3);
	RUN(pc, 0xf1);
	expect_error(pc, VEC_NP, 8 * VEC_DB + 3);
}
END_TEST

/* --- RF: [SDM3B 17.3.1.1 "Instruction-Breakpoint Exception Condition"] ---------------------------------------------- */

#define REP_MOVSB 0xf3, 0xa4
#define ITERATIONS 4

static void start_string(void)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF);
	pc->cpu.r[R_ESI] = 0x48000;
	pc->cpu.r[R_EDI] = 0x49000;
	pc->cpu.r[R_ECX] = ITERATIONS;
	PLACE(pc, CODE, REP_MOVSB, 0x90, 0x90);
}

/* The interrupt comes after done iterations, which ran in one piece or one by one. */
START_TEST(an_interrupt_between_iterations_of_a_string_instruction_pushes_RF)
{
	for (unsigned n = 0; n < 4 * (ITERATIONS + 2); n++) {
		unsigned done = n / 4;
		bool nmi = n & 1, in_pieces = n & 2;

		start_string();
		pc->trace_checked = false;
		for (unsigned i = 0; in_pieces && i < done; i++)
			step(pc, 1);
		if (!in_pieces)
			step(pc, done);
		ck_assert_uint_eq(pc->cpu.r[R_ECX], done < ITERATIONS ? ITERATIONS - done : 0);
		pc->irq_vector = 0x40;
		if (nmi)
			cpu_raise_nmi(&pc->cpu);
		else
			cpu_set_intr(&pc->cpu, true);
		step(pc, 1);
		ck_assert_uint_eq(pc->cpu.eip, handler(nmi ? VEC_NMI : 0x40));
		ck_assert_uint_eq(stack_dword(pc, 0), CODE + (done < ITERATIONS ? 0 : done - ITERATIONS + 2));
		ck_assert_msg(stack_dword(pc, 2) == (F_ONE | F_IF | (done > 0 && done < ITERATIONS ? F_RF : 0)),
			"flags %x pushed after %u iterations", stack_dword(pc, 2), done);
		/* The handler is another story. */
		pc->cpu.nmi_blocked = false;
		cpu_raise_nmi(&pc->cpu);
		step(pc, 1);
		ck_assert_uint_eq(stack_dword(pc, 0), handler(nmi ? VEC_NMI : 0x40));
		ck_assert_uint_eq(stack_dword(pc, 2) & F_RF, 0);
		pc->cpu.nmi_blocked = false;
	}
}
END_TEST

START_TEST(a_trap_between_iterations_pushes_RF_and_the_last_one_does_not)
{
	for (unsigned n = 0; n < 2; n++) {
		bool data = n == 1;

		start_string();
		pc->trace_checked = false;
		if (data)
			pc->cpu.dr[0] = 0x49000, pc->cpu.dr[7] = 0x400 | 2 | 0xd << 16;
		else
			cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
		segment_update_all(&pc->cpu);
		for (unsigned i = 1; i <= ITERATIONS; i++) {
			uint32_t rf = i < ITERATIONS ? F_RF : 0;

			step(pc, 2);
			expect_debug(data ? 1 : 0x4000, CODE + (rf ? 0 : 2));
			ck_assert_uint_eq(stack_dword(pc, 2) & F_RF, rf);
			ck_assert_uint_eq(pc->cpu.r[R_ECX], ITERATIONS - i);
			pc->cpu.dr[6] = 0;
			RUN(pc, 0xcf);
			put16(pc, handler(VEC_DB), 0xfeeb);
		}
	}
}
END_TEST

START_TEST(a_fetch_breakpoint_on_a_string_instruction_hits_once)
{
	start_string();
	pc->trace_checked = false;
	pc->cpu.dr[0] = CODE;
	pc->cpu.dr[7] = 0x402;
	step(pc, 1);
	expect_debug(1, CODE);
	put32(pc, pc->cpu.r[R_ESP] + 8, F_ONE | F_IF | F_RF);
	RUN(pc, 0xcf);
	put16(pc, handler(VEC_DB), 0xfeeb);
	/* An interrupt after the second iteration; its handler returns, and the string goes on to its end. */
	step(pc, 2);
	expect_no_fault(pc);
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	step(pc, 1);
	RUN(pc, 0xcf);
	put16(pc, handler(0x40), 0xfeeb);
	step(pc, 3);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 3);
	ck_assert_uint_eq(flags() & F_RF, 0);
}
END_TEST

/* The same in the middle of a block of decoded instructions. */
START_TEST(in_a_block_faults_push_RF_and_software_interrupts_do_not)
{
	static const struct { uint8_t code[3]; unsigned vector; uint32_t rf; uint32_t next; } cases[] = {
		{ { 0xf7, 0xf1 }, VEC_DE, F_RF, 0 }, { { 0x0f, 0x0b }, VEC_UD, F_RF, 0 }, { { 0xa1 }, VEC_PF, F_RF, 0 }, { { 0xcc }, VEC_BP, 0, 1 },
		{ { 0xcd, 0x50 }, 0x50, 0, 2 }, { { 0xce }, VEC_OF, 0, 1 }, { { 0xf1 }, VEC_DB, 0, 1 },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ring(pc, 0);
		paging(pc);
		page(pc, 0x4b000, 0);
		pc->trace_checked = false;
		cpu_set_eflags(&pc->cpu, F_ONE | F_OF);
		pc->cpu.r[R_ECX] = 0;
		PLACE(pc, CODE, 0x90, 0x89, 0xc3, 0x90);               /* nop; mov %eax, %ebx; nop */
		place(pc, CODE + 4, cases[i].code, 3);
		if (cases[i].vector == VEC_PF)
			put32(pc, CODE + 5, 0x4b000);
		step(pc, 100);
		ck_assert_uint_eq(pc->cpu.eip, handler(cases[i].vector));
		ck_assert_uint_eq(stack_dword(pc, cases[i].vector == VEC_PF), CODE + 4 + cases[i].next);
		ck_assert_uint_eq(stack_dword(pc, 2 + (cases[i].vector == VEC_PF)) & F_RF, cases[i].rf);
		cpu_set_cr0(&pc->cpu, CR0_PE);
	}
}
END_TEST

START_TEST(a_watcher_that_stops_on_a_fault_finds_RF_and_the_shadow_as_they_were)
{
	ring(pc, 0);
	PLACE(pc, CODE, 0xfb, 0xf7, 0xf1);                     /* sti; div %ecx */
	pc->cpu.r[R_ECX] = 0;
	cpu_set_eflags(&pc->cpu, F_ONE | F_RF);
	step(pc, 1);
	ck_assert_uint_eq(flags(), F_ONE | F_IF);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF | F_RF);
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	pc->stop_on_exception = true;
	ck_assert_int_eq(step(pc, 1), CPU_STOP_REQUEST);
	ck_assert_uint_eq(flags(), F_ONE | F_IF | F_RF);
	pc->stop_on_exception = false;
	step(pc, 1);
	expect_fault(pc, VEC_DE);
}
END_TEST

static Suite *system_debug_suite(void)
{
	Suite *s = suite_create("system_debug");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, TF_traps_after_the_next_instruction);
	tcase_add_test(t, POPF_that_sets_TF_traps_one_instruction_later);
	tcase_add_test(t, INT_n_takes_no_single_step_trap);
	tcase_add_test(t, a_fetch_breakpoint_is_a_fault_that_RF_passes_over);
	tcase_add_loop_test(t, a_data_breakpoint_traps_after_the_access, 0, sizeof(watch_cases) / sizeof(watch_cases[0]));
	tcase_add_test(t, an_access_that_faults_hits_no_data_breakpoint);
	tcase_add_test(t, a_port_breakpoint_needs_CR4_DE);
	tcase_add_test(t, DR7_GD_faults_before_a_debug_register_moves_and_is_cleared);
	tcase_add_test(t, DR4_and_DR5_are_aliases_until_CR4_DE);
	tcase_add_test(t, a_watcher_that_stops_on_a_trap_gets_it_again);
	tcase_add_test(t, an_interrupt_between_iterations_of_a_string_instruction_pushes_RF);
	tcase_add_test(t, a_trap_between_iterations_pushes_RF_and_the_last_one_does_not);
	tcase_add_test(t, a_fetch_breakpoint_on_a_string_instruction_hits_once);
	tcase_add_test(t, in_a_block_faults_push_RF_and_software_interrupts_do_not);
	tcase_add_test(t, a_watcher_that_stops_on_a_fault_finds_RF_and_the_shadow_as_they_were);
	tcase_add_test(t, BTF_traps_after_branches_only_and_once);
	tcase_add_loop_test(t, a_data_breakpoint_watches_its_bytes_and_no_others, 0, 8);
	tcase_add_test(t, operands_of_any_size_hit_the_breakpoints_inside_them);
	tcase_add_test(t, a_data_breakpoint_sees_descriptors_and_frames);
	tcase_add_test(t, a_trap_and_a_data_breakpoint_come_as_one);
	tcase_add_test(t, a_port_breakpoint_watches_its_ports_and_no_others);
	tcase_add_test(t, a_port_breakpoint_traps_after_each_iteration_of_a_string);
	tcase_add_test(t, a_single_step_waits_behind_a_load_of_SS);
	tcase_add_test(t, software_interrupts_under_TF_take_no_trap_in_any_mode);
	tcase_add_test(t, IRET_is_trapped_by_the_TF_it_was_executed_with);
	tcase_add_test(t, a_breakpoint_hit_by_a_load_of_SS_comes_in_the_handler_of_the_INT_behind_it);
	tcase_add_test(t, an_exception_ends_the_shadow_of_STI);
	tcase_add_test(t, a_trap_comes_before_NMI_and_that_before_an_interrupt);
	tcase_add_test(t, an_interrupt_comes_before_a_fetch_breakpoint_and_that_before_all_faults);
	tcase_add_test(t, DR7_GD_pushes_RF_as_a_fault_does);
	tcase_add_test(t, INT1_needs_no_DPL_and_leaves_DR6);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(system_debug_suite());

	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
