/* tests/cpu/system_op_test.c: system instructions, ports, MSRs, SYSENTER and the debug registers: [SDM2A], [SDM2B],
 * [SDM3B 17.2 "Debug Registers"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

static uint32_t flags(void) { return cpu_eflags(&pc->cpu); }

/* --- privilege ------------------------------------------------------------------------------------------------ */

static const uint8_t ring0_bytes[][8] = {
	{ 0xf4 }, { 0x0f, 0x06 }, { 0x0f, 0x08 }, { 0x0f, 0x09 }, { 0x0f, 0x30 }, { 0x0f, 0x32 }, { 0x0f, 0x20, 0xc0 }, { 0x0f, 0x22, 0xc0 },
	{ 0x0f, 0x21, 0xf8 }, { 0x0f, 0x23, 0xf8 }, { 0x0f, 0x00, 0xd0 }, { 0x0f, 0x00, 0xd8 }, { 0x0f, 0x01, 0xf0 },
	{ 0x0f, 0x01, 0x15, W32(0x1000) }, { 0x0f, 0x01, 0x1d, W32(0x1000) }, { 0x0f, 0x01, 0x3d, W32(0x1000) }, { 0x0f, 0x35 }, { 0x0f, 0x33 },
};

START_TEST(privileged_instructions_are_GP_0_outside_ring_0)
{
	for (unsigned cpl = 1; cpl < 4; cpl++) {
		ring(pc, cpl);
		pc->cpu.sysenter_cs = CS0;
		run_bytes(pc, ring0_bytes[_i], sizeof(ring0_bytes[_i]));
		expect_error(pc, VEC_GP, 0);
	}
}
END_TEST

static const uint8_t protected_bytes[][3] = {
	{ 0x0f, 0x00, 0xc0 }, { 0x0f, 0x00, 0xc8 }, { 0x0f, 0x00, 0xd0 }, { 0x0f, 0x00, 0xd8 }, { 0x0f, 0x00, 0xe0 }, { 0x0f, 0x00, 0xe8 },
	{ 0x0f, 0x02, 0xc1 }, { 0x0f, 0x03, 0xc1 }, { 0x63, 0xc1 },
};

START_TEST(descriptor_questions_do_not_exist_in_real_and_virtual_8086_mode)
{
	v86(pc, 3);
	run_bytes(pc, protected_bytes[_i], 3);
	expect_fault(pc, VEC_UD);
	real_mode(pc);
	run_bytes(pc, protected_bytes[_i], 3);
	ck_assert_uint_eq(pc->last.fault.vector, VEC_UD);
	ck_assert_uint_eq(pc->cpu.eip, 16 * VEC_UD);
}
END_TEST

/* --- what is no instruction --------------------------------------------------------------------------------------- */

/* [SDM2A] "LOCK": these, with a memory destination. XCHG and CMPXCHG8B have their own rows; ext is ModRM.reg, or -1 for all. */
static const struct { uint8_t map, first, last; int ext; } lockable[] = {
	{ 1, 0x00, 0x01, -1 }, { 1, 0x08, 0x09, -1 }, { 1, 0x10, 0x11, -1 }, { 1, 0x18, 0x19, -1 }, { 1, 0x20, 0x21, -1 }, { 1, 0x28, 0x29, -1 },
	{ 1, 0x30, 0x31, -1 }, { 1, 0x86, 0x87, -1 }, { 1, 0xf6, 0xf7, 2 }, { 1, 0xf6, 0xf7, 3 }, { 1, 0xfe, 0xff, 0 }, { 1, 0xfe, 0xff, 1 },
	{ 1, 0x80, 0x83, 0 }, { 1, 0x80, 0x83, 1 }, { 1, 0x80, 0x83, 2 }, { 1, 0x80, 0x83, 3 }, { 1, 0x80, 0x83, 4 }, { 1, 0x80, 0x83, 5 },
	{ 1, 0x80, 0x83, 6 }, { 2, 0xab, 0xab, -1 }, { 2, 0xb0, 0xb1, -1 }, { 2, 0xb3, 0xb3, -1 }, { 2, 0xbb, 0xbb, -1 }, { 2, 0xba, 0xba, 5 },
	{ 2, 0xba, 0xba, 6 }, { 2, 0xba, 0xba, 7 }, { 2, 0xc0, 0xc1, -1 }, { 2, 0xc7, 0xc7, 1 },
};

static bool may_lock(unsigned map, unsigned opcode, unsigned ext, bool memory)
{
	for (unsigned i = 0; memory && i < sizeof(lockable) / sizeof(lockable[0]); i++)
		if (map == lockable[i].map && opcode >= lockable[i].first && opcode <= lockable[i].last &&
		    (lockable[i].ext < 0 || (unsigned)lockable[i].ext == ext))
			return true;
	return false;
}

static bool is_prefix(unsigned opcode)
{
	return opcode == 0x26 || opcode == 0x2e || opcode == 0x36 || opcode == 0x3e || (opcode >= 0x64 && opcode <= 0x67) || opcode == 0xf0 ||
	       opcode == 0xf2 || opcode == 0xf3;
}

START_TEST(LOCK_goes_before_these_and_nothing_else)
{
	unsigned locked = 0, refused = 0;

	for (unsigned n = 0; n < 2 * 256 * 256; n++) {
		unsigned map = 1 + (n >> 16), opcode = n >> 8 & 0xff, modrm = n & 0xff;
		uint8_t bytes[16] = { 0xf0 }, *p = bytes + 1;
		struct insn in;
		enum decode_result plain, result;

		if (map == 1 && (is_prefix(opcode) || opcode == 0x0f))
			continue;
		if (map == 2)
			*p++ = 0x0f;
		*p++ = (uint8_t)opcode;
		*p = (uint8_t)modrm;
		plain = decode(bytes + 1, 15, true, &in);
		result = decode(bytes, 15, true, &in);
		if (plain == DECODE_OK && may_lock(map, opcode, modrm >> 3 & 7, modrm < 0xc0)) {
			ck_assert_msg(result == DECODE_OK, "LOCK %u:%02x /%u is refused", map, opcode, modrm >> 3 & 7);
			locked++;
		} else {
			ck_assert_msg(result == DECODE_UD, "LOCK %u:%02x %02x is accepted", map, opcode, modrm);
			refused++;
		}
	}
	ck_assert_uint_gt(locked, 5000);
	ck_assert_uint_gt(refused, 100000);
}
END_TEST

/* Prefixes, then bytes; what the instruction is worth in full, and when its third byte would lie on a missing page. */
static const struct nothing_case { uint8_t prefix, prefixes, bytes[4]; unsigned full, at_end; const char *name; } nothing_cases[] = {
	{ 0, 0, { 0x0f, 0x0b }, VEC_UD, VEC_UD, "UD2" },
	{ 0, 0, { 0x0f, 0xff, 0x80 }, VEC_UD, VEC_UD, "UD0 has no operand here" },
	{ 0, 0, { 0x0f, 0xb9, 0x80 }, VEC_UD, VEC_PF, "UD1 has" },
	{ 0, 0, { 0x0f, 0x04, 0x80 }, VEC_UD, VEC_UD, "an opcode nobody has" },
	{ 0, 0, { 0xff, 0xb8, 0x00 }, VEC_UD, VEC_PF, "a group's member nobody has" },
	{ 0, 0, { 0xff, 0xf8, 0x00 }, VEC_UD, VEC_UD, "... with a register" },
	{ 0, 0, { 0xc6, 0xc8, 0x00 }, VEC_UD, VEC_PF, "... with an immediate" },
	{ 0, 0, { 0x0f, 0xba, 0x80 }, VEC_UD, VEC_PF, "... in the second map" },
	{ 0xf0, 1, { 0x05, 0, 0, 0 }, VEC_UD, VEC_PF, "LOCK with a register destination" },
	{ 0x66, 13, { 0x0f, 0x0b }, VEC_UD, 0, "15 bytes" },
	{ 0x66, 14, { 0x0f, 0x0b }, VEC_GP, 0, "16 bytes" },
	{ 0x3e, 12, { 0x0f, 0xb9, 0x80 }, VEC_GP, 0, "UD1 of 19" },
	{ 0x3e, 12, { 0xff, 0xb8 }, VEC_GP, 0, "a group's member of 18" },
	{ 0xf0, 12, { 0x81, 0xc0 }, VEC_GP, 0, "a bad LOCK of 18" },
};

START_TEST(an_undefined_instruction_is_as_long_as_its_like)
{
	const struct nothing_case *c = &nothing_cases[_i / 2];
	bool at_end = _i & 1;
	uint8_t code[24] = { 0 };

	if (at_end && !c->at_end)
		return;
	memset(code, c->prefix, c->prefixes);
	memcpy(code + c->prefixes, c->bytes, 4);
	ring(pc, 0);
	paging(pc);
	pc->cpu.eip = at_end ? CODE + PAGE_SIZE - 2 : CODE;
	if (at_end)
		page(pc, CODE + PAGE_SIZE, 0);
	place(pc, pc->cpu.eip, code, at_end ? 2 : sizeof(code));
	step(pc, 1);
	ck_assert_msg(pc->first.fault.vector == (at_end ? c->at_end : c->full), "%s: vector %u", c->name, pc->first.fault.vector);
	if (pc->first.fault.vector == VEC_PF)
		ck_assert_uint_eq(pc->cpu.cr2, CODE + PAGE_SIZE);
	else if (pc->first.fault.vector == VEC_GP)
		expect_error(pc, VEC_GP, 0);
	else
		expect_fault(pc, VEC_UD);
}
END_TEST

/* --- control registers ---------------------------------------------------------------------------------------- */

struct cr_case { uint8_t cr; uint32_t value; bool ok; uint32_t reads; };
static const struct cr_case cr_cases[] = {
	{ 0, CR0_PG, false, 0 }, { 0, CR0_PE | CR0_NW, false, 0 }, { 0, CR0_PE | CR0_NW | CR0_CD, true, CR0_PE | CR0_NW | CR0_CD | CR0_ET },
	{ 0, CR0_PE | CR0_TS | CR0_WP | 0x0000ffc0, true, CR0_PE | CR0_TS | CR0_WP | CR0_ET },
	{ 2, 0x12345678, true, 0x12345678 }, { 3, 0xffffffff, true, 0xffffffff },
	{ 4, CR4_PSE | CR4_PAE | CR4_PGE | CR4_TSD | CR4_DE | CR4_PCE, true, CR4_PSE | CR4_PAE | CR4_PGE | CR4_TSD | CR4_DE | CR4_PCE },
	{ 4, CR4_VME | CR4_PVI, true, CR4_VME | CR4_PVI }, { 4, CR4_MCE, true, CR4_MCE }, { 4, 1u << 11, false, 0 }, { 4, 1u << 13, false, 0 },
	{ 4, CR4_OSFXSR | CR4_OSXMMEXCPT, true, CR4_OSFXSR | CR4_OSXMMEXCPT },
};

START_TEST(a_control_register_takes_what_it_has_and_refuses_the_rest)
{
	const struct cr_case *c = &cr_cases[_i];

	ring(pc, 0);
	pc->cpu.r[R_EAX] = c->value;
	RUN(pc, 0x0f, 0x22, 0xc0 | c->cr << 3);
	if (!c->ok) {
		expect_error(pc, VEC_GP, 0);
		return;
	}
	expect_no_fault(pc);
	cpu_set_cr0(&pc->cpu, c->cr == 0 ? pc->cpu.cr0 : CR0_PE);
	RUN(pc, 0x0f, 0x20, 0xc3 | c->cr << 3);
	ck_assert_uint_eq(pc->cpu.r[R_EBX], c->reads);
	if (c->cr != 2)
		ck_assert_uint_eq(pc->cpu.controls[0].value, c->reads);
	ck_assert_uint_eq(pc->cpu.control_count, c->cr != 2);
}
END_TEST

START_TEST(there_is_no_CR1_CR5_CR6_CR7)
{
	static const uint8_t none[] = { 1, 5, 6, 7 };

	for (unsigned i = 0; i < 4; i++) {
		ring(pc, 3);
		RUN(pc, 0x0f, 0x22, 0xc0 | none[i] << 3);
		expect_fault(pc, VEC_UD);
		ring(pc, 3);
		RUN(pc, 0x0f, 0x20, 0xc0 | none[i] << 3);
		expect_fault(pc, VEC_UD);
	}
}
END_TEST

START_TEST(LMSW_can_set_PE_but_not_clear_it)
{
	ring(pc, 0);
	cpu_set_cr0(&pc->cpu, CR0_PE | CR0_ET);
	pc->cpu.r[R_EAX] = CR0_TS | CR0_MP | 0xfff0;
	RUN(pc, 0x0f, 0x01, 0xf0);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.cr0, CR0_PE | CR0_TS | CR0_MP | CR0_ET);
	pc->cpu.eip = CODE;
	RUN(pc, 0x0f, 0x01, 0xe3);
	ck_assert_uint_eq(pc->cpu.r[R_EBX], pc->cpu.cr0);
	pc->cpu.eip = CODE;
	RUN(pc, 0x0f, 0x06);
	ck_assert(!(pc->cpu.cr0 & CR0_TS));
}
END_TEST

START_TEST(real_mode_enters_protected_mode_and_comes_back_with_its_big_segments)
{
	real_mode(pc);
	pc->cpu.gdtr = (struct table_register) { GDT, GDT_BYTES - 1 };
	/* mov %cr0; PE; mov %dx -> ds; clear PE; mov %cx -> ds; read past 64 KB */
	pc->cpu.r[R_EAX] = CR0_PE;
	pc->cpu.r[R_EBX] = 0;
	pc->cpu.r[R_EDX] = DS0;
	pc->cpu.r[R_ECX] = 0x100;
	PLACE(pc, CODE, 0x0f, 0x22, 0xc0, 0x8e, 0xda, 0x0f, 0x22, 0xc3, 0x8e, 0xd9, 0x67, 0x66, 0x8b, 0x35, W32(0x60000));
	put32(pc, 0x61000, 0xcafebabe);
	step(pc, 5);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.seg[SEG_DS].base, 0x1000);
	ck_assert_uint_eq(pc->cpu.seg[SEG_DS].limit, 0xffffffff);
	ck_assert_uint_eq(pc->cpu.r[R_ESI], 0xcafebabe);
}
END_TEST

START_TEST(INVLPG_forgets_a_stale_translation)
{
	ring(pc, 0);
	paging(pc);
	put32(pc, 0x48000, 0x11);
	put32(pc, 0x49000, 0x22);
	PLACE(pc, CODE, 0x8b, 0x05, W32(0x48000), 0x8b, 0x05, W32(0x48000), 0x0f, 0x01, 0x3d, W32(0x48000), 0x8b, 0x05, W32(0x48000));
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x11);
	put32(pc, TABLE + 4 * 0x48, 0x49000 | PG_P | PG_W);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x11);
	step(pc, 2);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x22);
}
END_TEST

/* --- descriptor tables ---------------------------------------------------------------------------------------- */

START_TEST(LGDT_and_SGDT_have_24_bit_bases_with_16_bit_operands)
{
	ring(pc, 0);
	put16(pc, 0x48000, 0x1ff);
	put32(pc, 0x48002, 0x12345678);
	RUN(pc, 0x66, 0x0f, 0x01, 0x15, W32(0x48000));
	ck_assert_uint_eq(pc->cpu.gdtr.base, 0x345678);
	ck_assert_uint_eq(pc->cpu.gdtr.limit, 0x1ff);
	pc->cpu.eip = CODE;
	RUN(pc, 0x0f, 0x01, 0x1d, W32(0x48000));
	ck_assert_uint_eq(pc->cpu.idtr.base, 0x12345678);
	pc->cpu.eip = CODE;
	RUN(pc, 0x66, 0x0f, 0x01, 0x0d, W32(0x48100));
	ck_assert_uint_eq(get32(pc, 0x48102), 0x345678);
	pc->cpu.eip = CODE;
	RUN(pc, 0x0f, 0x01, 0x0d, W32(0x48100));
	ck_assert_uint_eq(get32(pc, 0x48102), 0x12345678);
	ck_assert_uint_eq(get16(pc, 0x48100), 0x1ff);
}
END_TEST

START_TEST(LTR_takes_an_available_TSS_and_marks_it_busy)
{
	static const uint8_t access[] = { 0x89, 0x81, 0x8b, 0x83, 0x82, 0x09, 0x93 };
	static const unsigned vector[] = { 0, 0, VEC_GP, VEC_GP, VEC_GP, VEC_NP, VEC_GP };

	for (unsigned i = 0; i < sizeof(access); i++) {
		ring(pc, 0);
		gdt(pc, FREE, 0x5000, 0x67, access[i], 0);
		pc->cpu.r[R_EAX] = FREE;
		RUN(pc, 0x0f, 0x00, 0xd8);
		if (vector[i]) {
			expect_error(pc, vector[i], FREE);
		} else {
			expect_no_fault(pc);
			expect_segment(pc, SEG_TR, FREE);
			ck_assert_uint_eq(gdt_access(pc, FREE), access[i] | 2);
			ck_assert_uint_eq(pc->cpu.seg[SEG_TR].access, access[i] | 2);
		}
	}
	ring(pc, 0);
	pc->cpu.r[R_EAX] = 0;
	RUN(pc, 0x0f, 0x00, 0xd8);
	expect_error(pc, VEC_GP, 0);
}
END_TEST

START_TEST(LLDT_takes_an_LDT_or_nothing)
{
	ring(pc, 0);
	pc->cpu.r[R_EAX] = 0;
	RUN(pc, 0x0f, 0x00, 0xd0);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.seg[SEG_LDTR].access, 0);
	pc->cpu.eip = CODE;
	pc->cpu.r[R_EAX] = LDTSEL;
	RUN(pc, 0x0f, 0x00, 0xd0);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.seg[SEG_LDTR].base, LDT);
	ring(pc, 0);
	pc->cpu.r[R_EAX] = TR2;
	RUN(pc, 0x0f, 0x00, 0xd0);
	expect_error(pc, VEC_GP, TR2);
}
END_TEST

/* LAR, LSL, VERR and VERW over every descriptor type and privilege, by the manual's table of types. */
START_TEST(LAR_LSL_VERR_VERW_answer_in_ZF)
{
	static const bool lar_type[16] = { [1] = 1, [2] = 1, [3] = 1, [4] = 1, [5] = 1, [9] = 1, [11] = 1, [12] = 1 };
	static const bool lsl_type[16] = { [1] = 1, [2] = 1, [3] = 1, [9] = 1, [11] = 1 };
	static const uint8_t bytes[][3] = { { 0x0f, 0x02, 0xd9 }, { 0x0f, 0x03, 0xd9 }, { 0x0f, 0x00, 0xe1 }, { 0x0f, 0x00, 0xe9 } };
	unsigned type = (unsigned)_i & 31, dpl = (unsigned)_i >> 5 & 3, rpl = (unsigned)_i >> 7 & 3, cpl = (unsigned)_i >> 9 & 3;
	bool memory = type & 16, code = memory && type & 8, conforming = code && type & 4;
	bool visible = conforming || (cpl <= dpl && rpl <= dpl);
	bool want[4] = {
		visible && (memory || lar_type[type]), visible && (memory || lsl_type[type]),
		visible && memory && (!code || type & 2), visible && memory && !code && type & 2,
	};

	for (unsigned op = 0; op < 4; op++) {
		ring(pc, cpl);
		cpu_set_eflags(&pc->cpu, F_ONE | F_CF | F_OF);
		gdt(pc, FREE, 0x123456, 0x54321, (uint8_t)(dpl << 5 | type), SEG_FLAG_G);
		pc->cpu.r[R_ECX] = FREE | rpl;
		run_bytes(pc, bytes[op], 3);
		expect_no_fault(pc);
		ck_assert_uint_eq(flags(), F_ONE | F_CF | F_OF | (want[op] ? F_ZF : 0));
		if (op > 1 || !want[op])
			ck_assert_uint_eq(pc->cpu.r[R_EBX], 0x44444444);
		else
			ck_assert_uint_eq(pc->cpu.r[R_EBX] & (op ? 0xffffffff : 0xf0ff00), op ? 0x54321fff : 0x800000 | dpl << 13 | type << 8);
	}
}
END_TEST

START_TEST(asking_about_no_descriptor_clears_ZF_without_a_fault)
{
	static const uint16_t selector[] = { 0, 3, GDT_BYTES, 0x104 };

	for (unsigned i = 0; i < 4; i++) {
		ring(pc, 3);
		cpu_set_eflags(&pc->cpu, F_ONE | F_ZF);
		pc->cpu.r[R_ECX] = selector[i];
		RUN(pc, 0x0f, 0x02, 0xd9);
		expect_no_fault(pc);
		ck_assert_uint_eq(flags(), F_ONE);
	}
}
END_TEST

START_TEST(ARPL_raises_the_RPL_only)
{
	for (unsigned dst = 0; dst < 4; dst++)
		for (unsigned src = 0; src < 4; src++) {
			ring(pc, 3);
			pc->cpu.r[R_ECX] = 0xaaaa0100 | dst;
			pc->cpu.r[R_EAX] = 0x5550 | src;
			RUN(pc, 0x63, 0xc1);
			expect_no_fault(pc);
			ck_assert_uint_eq(pc->cpu.r[R_ECX], 0xaaaa0100 | (dst < src ? src : dst));
			ck_assert_uint_eq(flags() & F_ZF, dst < src ? F_ZF : 0);
		}
}
END_TEST

START_TEST(SLDT_and_MOV_from_a_segment_register_zero_extend_into_32_bits_only)
{
	ring(pc, 3);
	RUN(pc, 0x0f, 0x00, 0xc0);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], LDTSEL);
	ring(pc, 3);
	RUN(pc, 0x66, 0x8c, 0xd8);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x11110000 | DS3);
	ring(pc, 3);
	RUN(pc, 0x8c, 0x1d, W32(0x48000));
	ck_assert_uint_eq(get32(pc, 0x48000), DS3);
	ring(pc, 3);
	RUN(pc, 0x8e, 0xc8);                   /* mov %ax, %cs */
	expect_fault(pc, VEC_UD);
}
END_TEST

/* --- flags ---------------------------------------------------------------------------------------------------- */

START_TEST(CLI_and_STI_need_IOPL)
{
	unsigned cpl = (unsigned)_i & 3, io = (unsigned)_i >> 2;

	for (unsigned sti = 0; sti < 2; sti++) {
		ring(pc, cpl);
		cpu_set_eflags(&pc->cpu, F_ONE | io << 12 | (sti ? 0 : F_IF));
		RUN(pc, sti ? 0xfb : 0xfa);
		if (cpl > io) {
			expect_error(pc, VEC_GP, 0);
			continue;
		}
		expect_no_fault(pc);
		ck_assert_uint_eq(flags(), F_ONE | io << 12 | (sti ? F_IF : 0));
	}
}
END_TEST

START_TEST(STI_lets_one_more_instruction_run)
{
	ring(pc, 0);
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	PLACE(pc, CODE, 0xfb, 0x90, 0x90);
	step(pc, 2);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 2);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x40));
	ck_assert_uint_eq(stack_dword(pc, 0), CODE + 2);
}
END_TEST

START_TEST(POPF_changes_only_what_CPL_and_IOPL_allow)
{
	unsigned cpl = (unsigned)_i & 3, io = (unsigned)_i >> 2;
	uint32_t want = F_ONE | F_ARITH | F_TF | F_DF | F_NT | (cpl <= io ? F_IF : 0) | (cpl == 0 ? F_IOPL : io << 12);

	ring(pc, cpl);
	cpu_set_eflags(&pc->cpu, F_ONE | io << 12);
	put32(pc, pc->cpu.r[R_ESP], 0xffffffff);
	RUN(pc, 0x9d);
	expect_no_fault(pc);
	ck_assert_uint_eq(flags(), want | F_AC | F_ID);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], pc->before.r[R_ESP] + 4);
	ring(pc, cpl);
	cpu_set_eflags(&pc->cpu, F_ONE | io << 12);
	RUN(pc, 0x66, 0x9d);
	expect_no_fault(pc);
	ck_assert_uint_eq(flags(), want);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], pc->before.r[R_ESP] + 2);
}
END_TEST

START_TEST(PUSHF_shows_everything_but_RF_and_VM)
{
	v86(pc, 3);
	cpu_set_eflags(&pc->cpu, F_ONE | F_VM | F_IOPL | F_CF | F_AC);
	RUN(pc, 0x66, 0x9c);
	expect_no_fault(pc);
	ck_assert_uint_eq(stack_dword(pc, 0), F_ONE | F_IOPL | F_CF | F_AC);
}
END_TEST

START_TEST(HLT_waits_for_an_interrupt)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF);
	pc->irq_vector = 0x40;
	PLACE(pc, CODE, 0xf4, 0x90);
	ck_assert_int_eq(step(pc, 5), CPU_STOP_HALT);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 1);
	cpu_set_intr(&pc->cpu, true);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x40));
	ck_assert_uint_eq(stack_dword(pc, 0), CODE + 1);
}
END_TEST

/* --- ports ---------------------------------------------------------------------------------------------------- */

START_TEST(IN_and_OUT_move_the_low_part_of_EAX)
{
	ring(pc, 0);
	RUN(pc, 0xe4, 0x60);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x111111d8);
	ck_assert_uint_eq(pc->port, 0x60);
	ring(pc, 0);
	pc->cpu.r[R_EDX] = 0xffff1234;
	RUN(pc, 0x66, 0xed);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x1111c7d8);
	ck_assert_uint_eq(pc->port, 0x1234);
	ck_assert_uint_eq(pc->port_size, 2);
	ring(pc, 0);
	RUN(pc, 0xe7, 0x80);
	ck_assert_uint_eq(pc->port_value, 0x11111111);
	ring(pc, 0);
	RUN(pc, 0xe6, 0x80);
	ck_assert_uint_eq(pc->port_value, 0x11);
}
END_TEST

START_TEST(ports_beyond_IOPL_ask_the_bitmap_of_the_TSS)
{
	static const uint8_t sizes[] = { 1, 2, 4 };
	uint16_t port = (uint16_t)(0x3f0 + _i);

	for (unsigned s = 0; s < 3; s++)
		for (unsigned denied = 0; denied < 16; denied++)
			for (unsigned v = 0; v < 2; v++) {
				bool ok = 0x3f4 + denied < port || 0x3f4 + denied >= (unsigned)port + sizes[s];

				if (v)
					v86(pc, 3);            /* the bitmap counts whatever IOPL says */
				else
					ring(pc, 3);
				put16(pc, TSS + 102, 0x80);
				memset(pc->ram + TSS + 0x80, 0, 0x100);
				pc->ram[TSS + 0x80 + (0x3f4 + denied) / 8] = (uint8_t)(1 << (0x3f4 + denied) % 8);
				pc->cpu.r[R_EDX] = port;
				if (s == 0)
					RUN(pc, 0xec);
				else if ((s == 1) != v)
					RUN(pc, 0x66, 0xed);
				else
					RUN(pc, 0xed);
				if (ok)
					expect_no_fault(pc);
				else
					expect_error(pc, VEC_GP, 0);
			}
}
END_TEST

START_TEST(the_bitmap_ends_with_the_TSS_limit_and_needs_its_last_byte)
{
	ring(pc, 3);
	put16(pc, TSS + 102, 0x80);
	memset(pc->ram + TSS + 0x80, 0, 0x100);
	pc->cpu.seg[SEG_TR].limit = 0x81;      /* ports 0..7 can be read, 8..15 have no second byte */
	RUN(pc, 0xe4, 0x07);
	expect_no_fault(pc);
	ring(pc, 3);
	pc->cpu.seg[SEG_TR].limit = 0x81;
	RUN(pc, 0xe4, 0x08);
	expect_error(pc, VEC_GP, 0);
	ring(pc, 3);
	/* A 16-bit TSS has none, whatever its bytes at 102 say. */
	pc->cpu.seg[SEG_TR] = (struct segment) { .selector = TR2, .access = 0x83, .base = TSS2, .limit = 0xfff };
	put16(pc, TSS2 + 2, 0x9000);
	put16(pc, TSS2 + 4, DS0);
	put16(pc, TSS2 + 102, 0x80);
	RUN(pc, 0xe4, 0x07);
	expect_error(pc, VEC_GP, 0);
}
END_TEST

/* --- SYSENTER and SYSEXIT -------------------------------------------------------------------------------------- */

START_TEST(SYSENTER_and_SYSEXIT_load_flat_segments)
{
	ring(pc, 3);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF | F_CF);
	pc->cpu.sysenter_cs = CS0 | 3;
	pc->cpu.sysenter_esp = STACK0;
	pc->cpu.sysenter_eip = TARGET;
	RUN(pc, 0x0f, 0x34);
	expect_no_fault(pc);
	expect_segment(pc, SEG_CS, CS0);
	expect_segment(pc, SEG_SS, CS0 + 8);
	ck_assert_uint_eq(pc->cpu.cpl, 0);
	ck_assert_uint_eq(pc->cpu.eip, TARGET);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], STACK0);
	ck_assert_uint_eq(flags(), F_ONE | F_CF);
	pc->cpu.r[R_EDX] = CODE;
	pc->cpu.r[R_ECX] = 0x37000;
	RUN(pc, 0x0f, 0x35);
	expect_no_fault(pc);
	expect_segment(pc, SEG_CS, (CS0 + 16) | 3);
	expect_segment(pc, SEG_SS, (CS0 + 24) | 3);
	ck_assert_uint_eq(pc->cpu.cpl, 3);
	ck_assert_uint_eq(pc->cpu.eip, CODE);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x37000);
	ck_assert_uint_eq(pc->cpu.seg[SEG_SS].limit, 0xffffffff);
	ring(pc, 3);
	pc->cpu.sysenter_cs = 3;
	RUN(pc, 0x0f, 0x34);
	expect_error(pc, VEC_GP, 0);
	put16(pc, TARGET, 0xfeeb);
}
END_TEST

START_TEST(SYSENTER_works_from_every_ring_and_SYSEXIT_from_ring_0)
{
	for (unsigned n = 0; n < 24; n++) {
		unsigned mode = n / 4;                         /* a ring, virtual-8086 or real mode, which rewrites the IDT */
		bool exits = n & 1, null = n & 2;

		if (mode < 4)
			ring(pc, mode);
		else if (mode == 4)
			v86(pc, 0);
		else
			real_mode(pc);
		pc->cpu.sysenter_cs = null ? 3 : CS0;
		pc->cpu.sysenter_eip = TARGET;
		pc->cpu.sysenter_esp = STACK1;
		pc->cpu.r[R_EDX] = TARGET;
		RUN(pc, 0x0f, exits ? 0x35 : 0x34);
		if (mode == 5) {
			ck_assert_uint_eq(pc->exceptions, 1);
			ck_assert_uint_eq(pc->last.fault.vector, VEC_GP);
			continue;
		}
		if (null || (exits && mode != 0)) {
			expect_error(pc, VEC_GP, 0);
			continue;
		}
		expect_no_fault(pc);
		ck_assert_uint_eq(pc->cpu.eip, TARGET);
		ck_assert_uint_eq(pc->cpu.cpl, exits ? 3 : 0);
		ck_assert_uint_eq(flags() & (F_VM | F_IF | F_RF), 0);
		expect_segment(pc, SEG_CS, exits ? (CS0 + 16) | 3 : CS0);
		expect_segment(pc, SEG_SS, exits ? (CS0 + 24) | 3 : CS0 + 8);
		ck_assert_uint_eq(pc->cpu.seg[SEG_CS].base | pc->cpu.seg[SEG_SS].base, 0);
		ck_assert_uint_eq(pc->cpu.seg[SEG_CS].flags & SEG_FLAG_DB, SEG_FLAG_DB);
	}
}
END_TEST

static Suite *system_op_suite(void)
{
	Suite *s = suite_create("system_op");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, privileged_instructions_are_GP_0_outside_ring_0, 0, sizeof(ring0_bytes) / sizeof(ring0_bytes[0]));
	tcase_add_loop_test(t, descriptor_questions_do_not_exist_in_real_and_virtual_8086_mode, 0, sizeof(protected_bytes) / sizeof(protected_bytes[0]));
	tcase_add_loop_test(t, a_control_register_takes_what_it_has_and_refuses_the_rest, 0, sizeof(cr_cases) / sizeof(cr_cases[0]));
	tcase_add_test(t, LOCK_goes_before_these_and_nothing_else);
	tcase_add_loop_test(t, an_undefined_instruction_is_as_long_as_its_like, 0, 2 * (int)(sizeof(nothing_cases) / sizeof(nothing_cases[0])));
	tcase_add_test(t, there_is_no_CR1_CR5_CR6_CR7);
	tcase_add_test(t, LMSW_can_set_PE_but_not_clear_it);
	tcase_add_test(t, real_mode_enters_protected_mode_and_comes_back_with_its_big_segments);
	tcase_add_test(t, INVLPG_forgets_a_stale_translation);
	tcase_add_test(t, LGDT_and_SGDT_have_24_bit_bases_with_16_bit_operands);
	tcase_add_test(t, LTR_takes_an_available_TSS_and_marks_it_busy);
	tcase_add_test(t, LLDT_takes_an_LDT_or_nothing);
	tcase_add_loop_test(t, LAR_LSL_VERR_VERW_answer_in_ZF, 0, 2048);
	tcase_add_test(t, asking_about_no_descriptor_clears_ZF_without_a_fault);
	tcase_add_test(t, ARPL_raises_the_RPL_only);
	tcase_add_test(t, SLDT_and_MOV_from_a_segment_register_zero_extend_into_32_bits_only);
	tcase_add_loop_test(t, CLI_and_STI_need_IOPL, 0, 16);
	tcase_add_test(t, STI_lets_one_more_instruction_run);
	tcase_add_loop_test(t, POPF_changes_only_what_CPL_and_IOPL_allow, 0, 16);
	tcase_add_test(t, PUSHF_shows_everything_but_RF_and_VM);
	tcase_add_test(t, HLT_waits_for_an_interrupt);
	tcase_add_test(t, IN_and_OUT_move_the_low_part_of_EAX);
	tcase_add_loop_test(t, ports_beyond_IOPL_ask_the_bitmap_of_the_TSS, 0, 16);
	tcase_add_test(t, the_bitmap_ends_with_the_TSS_limit_and_needs_its_last_byte);
	tcase_add_test(t, SYSENTER_works_from_every_ring_and_SYSEXIT_from_ring_0);
	tcase_add_test(t, SYSENTER_and_SYSEXIT_load_flat_segments);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(system_op_suite());

	/* Thousands of short cases: a process for each would take longer than all of them. */
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
