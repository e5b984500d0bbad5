/* cpu/op_bcd.c: DAA, DAS, AAA, AAS, AAM, AAD; LAHF, SAHF, SALC, CLC, STC, CMC, CLD, STD.
 *
 * References: [SDM1 7.3.3 "Decimal Arithmetic Instructions"], [SDM2A] "AAA" to "AAS", "DAA", "DAS".
 * Undefined flags: OF is 0 after all six decimal adjustments; after AAA and AAS SF, ZF and PF are those of AL; after AAM
 * and AAD CF and AF are 0.
 */
#include "cpu/operands.h"
#include "cpu/ops_integer.h"

/* Stores AL and the flags of a decimal adjustment. */
static enum exec adjusted(struct cpu *cpu, unsigned al, bool cf, bool af)
{
	reg_set(cpu, R_EAX, al, 1);
	flags_result_cf_of(cpu, sign_extend(al, 1), cf, false);
	if (af)
		cpu->lf.carries |= CARRY_AF;
	return EXEC_OK;
}

static bool low_digit_over(const struct cpu *cpu) { return (cpu->r[R_EAX] & 0xf) > 9 || flag_af(cpu); }

/* Packed: two digits in AL. The high digit is judged by AL and CF as they were before the low one was adjusted. */
static enum exec daa(struct cpu *cpu)
{
	unsigned al = cpu->r[R_EAX] & 0xff;
	bool high = al > 0x99 || flag_cf(cpu), low = low_digit_over(cpu);

	return adjusted(cpu, al + (low ? 6 : 0) + (high ? 0x60 : 0), high, low);
}

/* A borrow out of the low digit's adjustment counts for CF even where the high digit needs none. */
static enum exec das(struct cpu *cpu)
{
	unsigned al = cpu->r[R_EAX] & 0xff;
	bool high = al > 0x99 || flag_cf(cpu), low = low_digit_over(cpu);

	return adjusted(cpu, al - (low ? 6 : 0) - (high ? 0x60 : 0), high || (low && al < 6), low);
}

/* Unpacked: one digit in AL, the carry goes to AH. */
static enum exec aaa(struct cpu *cpu)
{
	bool over = low_digit_over(cpu);
	uint32_t ax = cpu->r[R_EAX] + (over ? 0x106 : 0);

	reg_set(cpu, R_EAX, ax, 2);
	return adjusted(cpu, ax & 0xf, over, over);
}

static enum exec aas(struct cpu *cpu)
{
	bool over = low_digit_over(cpu);
	uint32_t ax = cpu->r[R_EAX] - (over ? 0x106 : 0);

	reg_set(cpu, R_EAX, ax, 2);
	return adjusted(cpu, ax & 0xf, over, over);
}

/* The immediate is the base, 10 in the documented encoding. */
static enum exec aam(struct cpu *cpu, const struct insn *in)
{
	unsigned al = cpu->r[R_EAX] & 0xff, base = in->imm & 0xff;

	if (base == 0)
		return raise_fault(cpu, in, VEC_DE);
	reg_set(cpu, R_EAX, al / base << 8, 2);
	return adjusted(cpu, al % base, false, false);
}

static enum exec aad(struct cpu *cpu, const struct insn *in)
{
	unsigned ax = cpu->r[R_EAX] & 0xffff, al = ((ax & 0xff) + (ax >> 8) * (in->imm & 0xff)) & 0xff;

	reg_set(cpu, R_EAX, 0, 2);
	return adjusted(cpu, al, false, false);
}

HANDLER(daa, daa(cpu))
HANDLER(das, das(cpu))
HANDLER(aaa, aaa(cpu))
HANDLER(aas, aas(cpu))
HANDLER(aam_Ib, aam(cpu, in))
HANDLER(aad_Ib, aad(cpu, in))

/* --- flags as such ------------------------------------------------------------------------------------------------------ */

enum exec op_lahf(struct cpu *cpu, const struct insn *in)
{
	cpu->r[R_EAX] = (cpu->r[R_EAX] & 0xffff00ffu) | ((flags_get(cpu) | F_ONE) & 0xff) << 8;
	NEXT(cpu, in);
}

enum exec op_sahf(struct cpu *cpu, const struct insn *in)
{
	flags_put(cpu, (cpu->r[R_EAX] >> 8 & 0xff) | (flag_of(cpu) ? F_OF : 0));
	NEXT(cpu, in);
}

/* D6, not in the manual: AL = CF ? FF : 0. */
enum exec op_salc(struct cpu *cpu, const struct insn *in)
{
	reg_set(cpu, R_EAX, flag_cf(cpu) ? 0xff : 0, 1);
	NEXT(cpu, in);
}

enum exec op_clc(struct cpu *cpu, const struct insn *in)
{
	flags_set_cf(cpu, false);
	NEXT(cpu, in);
}

enum exec op_stc(struct cpu *cpu, const struct insn *in)
{
	flags_set_cf(cpu, true);
	NEXT(cpu, in);
}

enum exec op_cmc(struct cpu *cpu, const struct insn *in)
{
	flags_set_cf(cpu, !flag_cf(cpu));
	NEXT(cpu, in);
}

enum exec op_cld(struct cpu *cpu, const struct insn *in)
{
	cpu->eflags &= ~F_DF;
	NEXT(cpu, in);
}

enum exec op_std(struct cpu *cpu, const struct insn *in)
{
	cpu->eflags |= F_DF;
	NEXT(cpu, in);
}
