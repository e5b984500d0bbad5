/* tests/cpu/native_test.c: random unprivileged instructions, here and on the processor the test runs on.
 *
 * Each case is one to a few instructions from insn_table[] with random prefixes, operands, registers, flags and memory. All
 * registers, the flags the manual defines, and all of the memory must come out the same, and so must an exception. Where
 * the manual leaves a flag or result undefined the case ignores it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/insn.h"
#include "forms.h"
#include "native.h"

#define CASES 60000
#define DIRECTORY 0x100000u

struct world {
	struct phys phys;
	struct mmu mmu;
	struct cpu cpu;
	int vector;
	unsigned wild;             /* cases that left the mapped memory */
};

static uint64_t seed;

static uint32_t rnd(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33);
}

static uint32_t below(uint32_t n) { return rnd() % n; }

/* --- our side ------------------------------------------------------------------------------------------------------------- */

static uint32_t no_in(void *owner, uint16_t port, unsigned size) { (void)owner, (void)port, (void)size; return 0xffffffff; }
static void no_out(void *owner, uint16_t port, unsigned size, uint32_t v) { (void)owner, (void)port, (void)size, (void)v; }
static int no_ack(void *owner) { (void)owner; return 0; }
static uint64_t no_time(void *owner) { (void)owner; return 0; }

static bool stop_at_exception(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	(void)cpu;
	((struct world *)owner)->vector = r->fault.vector;
	return true;
}

/* Maps linear addresses to the same physical ones. Elsewhere it page-faults, as on the host. */
static void map(struct world *w, uint32_t at, uint32_t size)
{
	for (uint32_t la = at; la < at + size; la += 0x1000) {
		uint32_t table = DIRECTORY + 0x1000 + (la >> 22) * 0x1000;
		phys_write(&w->phys, DIRECTORY + 4 * (la >> 22), 4, table | PG_P | PG_W | PG_U);
		phys_write(&w->phys, table + 4 * (la >> 12 & 0x3ff), 4, la | PG_P | PG_W | PG_U);
	}
}

static void world_open(struct world *w)
{
	struct cpu_bus bus = { no_in, no_out, no_ack, no_time, NULL, NULL };

	memset(w, 0, sizeof(*w));
	ck_assert_int_eq(phys_init(&w->phys, NATIVE_END & ~0xfffu), 0);
	ck_assert_int_eq(mmu_init(&w->mmu, &w->phys, (struct tlb_geometry) { 0, 0 }), 0);
	ck_assert_int_eq(cpu_init(&w->cpu, &w->mmu, &bus), 0);
	map(w, NATIVE_CODE, 0x1000);
	map(w, NATIVE_DATA, NATIVE_SIZE);
	map(w, NATIVE_STACK, NATIVE_SIZE);
	cpu_set_cr0(&w->cpu, CR0_PE | CR0_PG | CR0_ET);
	cpu_set_cr3(&w->cpu, DIRECTORY);
	for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
		cpu_set_segment(&w->cpu, seg, seg == SEG_CS ? 0x23 : 0x2b, 0, 0xffffffff, seg == SEG_CS ? 0xfb : 0xf3, SEG_FLAG_DB | SEG_FLAG_G);
	cpu_set_cpl(&w->cpu, 3);
	w->cpu.watch.exception = stop_at_exception;
	w->cpu.watch.owner = w;
}

static void world_close(struct world *w)
{
	cpu_free(&w->cpu);
	mmu_free(&w->mmu);
	phys_free(&w->phys);
}

/* Runs until EIP leaves the code, which UD2 follows here: in slices of any size, so now in blocks, now alone. */
static void world_run(struct world *w, struct native_state *s, unsigned length)
{
	struct cpu *cpu = &w->cpu;
	uint32_t end = NATIVE_CODE + length, slice = 1 + below(2) * below(100);

	phys_copy_in(&w->phys, NATIVE_CODE, (void *)(uintptr_t)NATIVE_CODE, length);
	phys_copy_in(&w->phys, end, "\x0f\x0b", 2);
	phys_copy_in(&w->phys, NATIVE_DATA, (void *)(uintptr_t)NATIVE_DATA, NATIVE_SIZE);
	phys_copy_in(&w->phys, NATIVE_STACK, (void *)(uintptr_t)NATIVE_STACK, NATIVE_SIZE);
	memcpy(cpu->r, s->r, sizeof(s->r));
	cpu_set_eflags(cpu, s->eflags);
	cpu->eip = NATIVE_CODE;
	w->vector = -1;
	for (unsigned i = 0; i < 40000 && w->vector < 0; i++)
		cpu_run(cpu, slice);
	memcpy(s->r, cpu->r, sizeof(s->r));
	s->eflags = cpu_eflags(cpu);
	s->eip = cpu->eip;
	s->vector = w->vector == VEC_UD && cpu->eip == end ? -1 : w->vector;
}

/* --- cases ------------------------------------------------------------------------------------------------------------------ */

/* Rows a user program can run anywhere, and whose every result the manual defines. The register files of x87 and SIMD are not
 * compared here. */
static bool usable(const struct insn_row *row)
{
	static const char *const not[] = { "esc", "wait", "nop", "into" };

	if (row->props & (IP_ENDS | IP_CPL0 | IP_BRANCH | IP_X87 | IP_SSE) || row_has_operand(row, OPD_Sw))
		return false;
	for (enum operand o = OPD_ES; o <= OPD_GS; o++)
		if (row_has_operand(row, o))
			return false;
	if (row_has_operand(row, OPD_Ob) || row_has_operand(row, OPD_Ov))
		return true;
	for (unsigned i = 0; i < sizeof(not) / sizeof(not[0]); i++)
		if (!strcmp(row->name, not[i]))
			return false;
	return true;
}

static uint32_t value(void)
{
	static const uint32_t edge[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 9, 0x99, 16, 31, 32, 33 };

	return below(3) ? rnd() * 2 + below(2) : edge[below(sizeof(edge) / sizeof(edge[0]))];
}

/* An address in the middle of the data. */
static uint32_t pointer(void) { return NATIVE_DATA + 0x6000 + below(0x4000); }

struct code { uint8_t byte[128]; unsigned len; };

static void put(struct code *c, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		c->byte[c->len++] = (uint8_t)(v >> 8 * i);
}

/* Registers 3, 5, 6 and 7 hold pointers, 1 and 2 small numbers or anything. */
static void put_modrm(struct code *c, const struct insn_row *row, bool *memory)
{
	static const uint8_t base[] = { 3, 5, 6, 7 };
	uint8_t reg = (uint8_t)((row->ext >= 0 ? (unsigned)row->ext : below(8)) << 3);
	unsigned shape = row->props & IP_MEMONLY ? 1 + below(3) : below(5);

	*memory = shape >= 1 && shape <= 3;
	if (shape == 1) {
		put(c, reg | 5u, 1);
		put(c, pointer(), 4);
	} else if (shape == 2) {
		put(c, 0x40u | reg | base[below(4)], 1);
		put(c, rnd(), 1);
	} else if (shape == 3) {
		put(c, 0x80u | reg | 4, 1);
		put(c, below(4) << 6 | (1 + below(2)) << 3 | base[below(4)], 1);
		put(c, below(0x1000) - 0x800, 4);
	} else {
		put(c, 0xc0u | reg | below(8), 1);
	}
}

static void put_immediates(struct code *c, const struct insn_row *row, unsigned opsize)
{
	for (unsigned i = 0; i < 3; i++) {
		switch (row->operand[i]) {
		case OPD_Ib: put(c, !strcmp(row->name, "enter") ? below(4) : value(), 1); break;
		case OPD_sIb: put(c, value(), 1); break;
		case OPD_Iw: put(c, below(256), 2); break;
		case OPD_Iz: put(c, value(), opsize); break;
		case OPD_Ob: case OPD_Ov: put(c, pointer(), 4); break;
		default: break;
		}
	}
}

static void put_insn(struct code *c, const struct insn_row *row)
{
	struct code body = { .len = 0 };
	unsigned opsize = below(3) ? 4 : 2;
	bool memory = false;

	if (row->map == 2)
		put(&body, 0x0f, 1);
	put(&body, row->opcode, 1);
	if (row_has_modrm(row))
		put_modrm(&body, row, &memory);
	put_immediates(&body, row, opsize);
	if (opsize == 2)
		put(c, 0x66, 1);
	if (row->props & IP_REP && below(2))
		put(c, 0xf2 + below(2), 1);
	if (row->props & IP_LOCK && memory && !below(8))
		put(c, 0xf0, 1);
	if (memory && !below(8))
		put(c, 0x3e, 1);
	memcpy(c->byte + c->len, body.byte, body.len);
	c->len += body.len;
}

static void random_state(struct native_state *s)
{
	uint8_t *data = (uint8_t *)(uintptr_t)NATIVE_DATA;

	for (unsigned i = 0; i < 8; i++)
		s->r[i] = value();
	s->r[1] = below(2) ? below(40) : s->r[1] & 0xfff;
	s->r[2] = below(2) ? below(40) : s->r[2] & 0xfff;
	s->r[3] = pointer(), s->r[5] = pointer(), s->r[6] = pointer(), s->r[7] = pointer();
	s->r[4] = NATIVE_STACK + 0x8000 + below(64);
	s->eflags = (rnd() & (F_ARITH | F_DF)) | F_ONE | F_IF;
	for (unsigned i = 0; i < 64; i++)
		data[below(NATIVE_SIZE)] = (uint8_t)rnd();
}

static bool is(const struct insn_row *row, const char *a) { return !strcmp(row->name, a); }

/* Flags that are undefined in this very case. */
static uint32_t undefined_flags(const struct insn_row *row, const struct insn *in, const struct native_state *s)
{
	unsigned width = row_has_operand(row, OPD_Eb) ? 8 : in->opsize * 8;
	unsigned count = (row_has_operand(row, OPD_CL) ? s->r[1] : row_has_operand(row, OPD_I1) ? 1 : in->imm) & 31;
	uint32_t mask = row->flags_undefined;
	bool shift = is(row, "shl") || is(row, "shr") || is(row, "sar"), both = is(row, "shld") || is(row, "shrd");

	if (shift || both || is(row, "rol") || is(row, "ror") || is(row, "rcl") || is(row, "rcr")) {
		if (count == 0)
			return 0;
		if (count == 1)
			return mask & ~F_OF;
		if (shift && count > width)
			mask |= F_CF;
	}
	return mask;
}

/* A result the manual leaves undefined. */
static bool undefined_result(const struct insn_row *row, const struct insn *in, const struct native_state *s)
{
	unsigned count = (row_has_operand(row, OPD_CL) ? s->r[1] : in->imm) & 31;

	if (is(row, "shld") || is(row, "shrd"))
		return in->opsize == 2 && count > 16;
	return is(row, "bswap") && in->opsize == 2;
}

static void complain(const struct code *c, const struct native_state *before, const struct native_state *host, const struct native_state *ours)
{
	char text[512];
	unsigned n = 0;

	for (unsigned i = 0; i < c->len; i++)
		n += (unsigned)snprintf(text + n, sizeof(text) - n, "%02x ", c->byte[i]);
	for (unsigned i = 0; i < 8; i++)
		n += (unsigned)snprintf(text + n, sizeof(text) - n, "\n  r%u %08x: host %08x, ours %08x", i, before->r[i], host->r[i], ours->r[i]);
	snprintf(text + n, sizeof(text) - n, "\n  flags %08x: host %08x, ours %08x; eip host %08x, ours %08x; exception host %d, ours %d",
	         before->eflags, host->eflags, ours->eflags, host->eip, ours->eip, host->vector, ours->vector);
	ck_abort_msg("code %s", text);
}

/* Runs the code on both sides and compares all but the ignored flags. Returns the flags that changed, if it ran to its end. */
static uint32_t compare(struct world *w, const struct code *c, const struct native_state *before, uint32_t ignored)
{
	struct native_state host = *before, ours = *before;
	uint8_t *code = (uint8_t *)(uintptr_t)NATIVE_CODE;

	memcpy(code, c->byte, c->len);
	world_run(w, &ours, c->len);
	native_run(&host, c->len);
	/* A wild address: there may be something of the test's own on the host. */
	if (host.vector == 13 || host.vector == 14 || ours.vector == VEC_PF) {
		w->wild++;
		/* One side may have written what the other did not: start the next case from the same memory. */
		phys_copy_in(&w->phys, NATIVE_DATA, (void *)(uintptr_t)NATIVE_DATA, NATIVE_SIZE);
		phys_copy_in(&w->phys, NATIVE_STACK, (void *)(uintptr_t)NATIVE_STACK, NATIVE_SIZE);
		return 0;
	}
	if (host.vector != ours.vector || memcmp(host.r, ours.r, sizeof(host.r)) || host.eip != ours.eip ||
	    ((host.eflags ^ ours.eflags) & (F_ARITH | F_DF) & ~ignored && host.vector < 0))
		complain(c, before, &host, &ours);
	if (memcmp(w->phys.ram + NATIVE_DATA, (void *)(uintptr_t)NATIVE_DATA, NATIVE_SIZE) ||
	    memcmp(w->phys.ram + NATIVE_STACK, (void *)(uintptr_t)NATIVE_STACK, NATIVE_SIZE))
		complain(c, before, &host, &ours);
	return host.vector < 0 ? (host.eflags ^ before->eflags) & (F_ARITH | F_DF) : 0;
}

static void one_row(struct world *w, const struct insn_row *row, unsigned cases)
{
	for (unsigned i = 0; i < cases; i++) {
		struct code c = { .len = 0 };
		struct native_state s = { .vector = -1 };
		struct insn in;
		uint32_t changed;

		random_state(&s);
		put_insn(&c, row);
		ck_assert_int_eq(decode(c.byte, c.len, true, &in), DECODE_OK);
		ck_assert_uint_eq(in.len, c.len);
		ck_assert_ptr_eq(&insn_table[in.row], row);
		if (undefined_result(row, &in, &s))
			continue;
		changed = compare(w, &c, &s, undefined_flags(row, &in, &s));
		ck_assert_msg(!(changed & ~(row->flags_out | row->flags_undefined)),
		              "%s changes flags %x, which its row does not say", row->name, changed);
	}
}

START_TEST(each_instruction_does_what_it_does_on_this_processor)
{
	static struct world w;

	if (!native_open())
		return;
	world_open(&w);
	for (unsigned i = 0; i < insn_rows; i++)
		if (usable(&insn_table[i]))
			one_row(&w, &insn_table[i], 300);
	ck_assert_uint_lt(w.wild, 300 * insn_rows / 10);
	world_close(&w);
	native_close();
}
END_TEST

/* Only instructions that leave nothing undefined, so that the next one may use every flag. */
START_TEST(sequences_of_instructions_do_too)
{
	static struct world w;

	if (!native_open())
		return;
	world_open(&w);
	for (unsigned i = 0; i < CASES; i++) {
		struct code c = { .len = 0 };
		struct native_state s = { .vector = -1 };

		random_state(&s);
		for (unsigned n = 2 + below(5); n; ) {
			const struct insn_row *row = &insn_table[below(insn_rows)];
			if (!usable(row) || row->flags_undefined || is(row, "shl") || is(row, "shr") || is(row, "sar") || is(row, "bswap"))
				continue;
			put_insn(&c, row);
			n--;
		}
		compare(&w, &c, &s, 0);
	}
	ck_assert_uint_lt(w.wild, CASES / 3);
	world_close(&w);
	native_close();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("native");
	TCase *t = tcase_create("native");
	SRunner *r = srunner_create(s);
	int failed;

	seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : 1;
	tcase_set_timeout(t, 200);
	tcase_add_test(t, each_instruction_does_what_it_does_on_this_processor);
	tcase_add_test(t, sequences_of_instructions_do_too);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
