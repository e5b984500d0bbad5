/* cpu/op_mul.c: MUL IMUL DIV IDIV, and decimal arithmetic.
 *
 * Undefined flags: after MUL and IMUL SF ZF PF are those of the low half and AF is 0; DIV and IDIV change none; the decimal
 * instructions leave SF ZF PF of AL and the rest 0.
 * References: [SDM2A] "AAA", "AAD", "AAM", "AAS", "DAA", "DAS", "DIV", "IDIV", "IMUL", [SDM2B] "MUL".
 */
#include "cpu/flags.h"

/* The product's low half, and whether the high half says something. */
#define PRODUCT_FLAGS(bits, s) \
static inline void flags_product##bits(struct cpu *cpu, uint32_t low, bool overflow) \
{ \
	flags_lazy(cpu, (uint32_t)(s)low, carries_of(overflow, overflow, false)); \
}
PRODUCT_FLAGS(8, int8_t)
PRODUCT_FLAGS(16, int16_t)
PRODUCT_FLAGS(32, int32_t)

enum exec op_mul_Eb(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 1, OPEN_READ, &src));
	uint32_t p = (uint32_t)get_reg8(cpu, R_EAX) * ref_get8(cpu, &src);
	set_reg16(cpu, R_EAX, (uint16_t)p);
	flags_product8(cpu, p, p >> 8);
	NEXT(cpu, in);
}

enum exec op_mul_Ew(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	uint32_t p = (uint32_t)get_reg16(cpu, R_EAX) * ref_get16(cpu, &src);
	set_reg16(cpu, R_EAX, (uint16_t)p);
	set_reg16(cpu, R_EDX, (uint16_t)(p >> 16));
	flags_product16(cpu, p, p >> 16);
	NEXT(cpu, in);
}

enum exec op_mul_Ed(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	uint64_t p = (uint64_t)cpu->r[R_EAX] * ref_get32(cpu, &src);
	cpu->r[R_EAX] = (uint32_t)p;
	cpu->r[R_EDX] = (uint32_t)(p >> 32);
	flags_product32(cpu, (uint32_t)p, p >> 32);
	NEXT(cpu, in);
}

enum exec op_imul_Eb(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 1, OPEN_READ, &src));
	int32_t p = (int8_t)get_reg8(cpu, R_EAX) * (int8_t)ref_get8(cpu, &src);
	set_reg16(cpu, R_EAX, (uint16_t)p);
	flags_product8(cpu, (uint32_t)p, p != (int8_t)p);
	NEXT(cpu, in);
}

enum exec op_imul_Ew(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	int32_t p = (int16_t)get_reg16(cpu, R_EAX) * (int16_t)ref_get16(cpu, &src);
	set_reg16(cpu, R_EAX, (uint16_t)p);
	set_reg16(cpu, R_EDX, (uint16_t)((uint32_t)p >> 16));
	flags_product16(cpu, (uint32_t)p, p != (int16_t)p);
	NEXT(cpu, in);
}

enum exec op_imul_Ed(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	int64_t p = (int64_t)(int32_t)cpu->r[R_EAX] * (int32_t)ref_get32(cpu, &src);
	cpu->r[R_EAX] = (uint32_t)p;
	cpu->r[R_EDX] = (uint32_t)((uint64_t)p >> 32);
	flags_product32(cpu, (uint32_t)p, p != (int32_t)p);
	NEXT(cpu, in);
}

/* The forms that keep only the low half. */
static inline void imul16(struct cpu *cpu, const struct insn *in, uint32_t a, uint32_t b)
{
	int32_t p = (int16_t)a * (int16_t)b;

	set_reg16(cpu, in->reg, (uint16_t)p);
	flags_product16(cpu, (uint32_t)p, p != (int16_t)p);
}

static inline void imul32(struct cpu *cpu, const struct insn *in, uint32_t a, uint32_t b)
{
	int64_t p = (int64_t)(int32_t)a * (int32_t)b;

	cpu->r[in->reg] = (uint32_t)p;
	flags_product32(cpu, (uint32_t)p, p != (int32_t)p);
}

#define IMUL(bits, bytes, E, G, I) \
enum exec op_imul_##G##_##E(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(open_rm(cpu, in, bytes, OPEN_READ, &src)); \
	imul##bits(cpu, in, get_reg##bits(cpu, in->reg), ref_get##bits(cpu, &src)); \
	NEXT(cpu, in); \
} \
enum exec op_imul_##G##_##E##_##I(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(open_rm(cpu, in, bytes, OPEN_READ, &src)); \
	imul##bits(cpu, in, ref_get##bits(cpu, &src), in->imm); \
	NEXT(cpu, in); \
}
IMUL(16, 2, Ew, Gw, Iw)
IMUL(32, 4, Ed, Gd, Id)

/* --- division: #DE for a zero divisor and for a quotient that does not fit ------------------------------------------ */

enum exec op_div_Eb(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 1, OPEN_READ, &src));
	uint32_t a = get_reg16(cpu, R_EAX), b = ref_get8(cpu, &src);
	if (!b || a / b > 0xff)
		return raise_fault(cpu, in, VEC_DE);
	set_reg16(cpu, R_EAX, (uint16_t)(a / b | a % b << 8));
	NEXT(cpu, in);
}

enum exec op_div_Ew(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	uint32_t a = get_reg16(cpu, R_EAX) | (uint32_t)get_reg16(cpu, R_EDX) << 16, b = ref_get16(cpu, &src);
	if (!b || a / b > 0xffff)
		return raise_fault(cpu, in, VEC_DE);
	set_reg16(cpu, R_EAX, (uint16_t)(a / b));
	set_reg16(cpu, R_EDX, (uint16_t)(a % b));
	NEXT(cpu, in);
}

enum exec op_div_Ed(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	uint64_t a = cpu->r[R_EAX] | (uint64_t)cpu->r[R_EDX] << 32;
	uint32_t b = ref_get32(cpu, &src);
	if (cpu->r[R_EDX] >= b)            /* also b == 0 */
		return raise_fault(cpu, in, VEC_DE);
	cpu->r[R_EAX] = (uint32_t)(a / b);
	cpu->r[R_EDX] = (uint32_t)(a % b);
	NEXT(cpu, in);
}

enum exec op_idiv_Eb(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 1, OPEN_READ, &src));
	int32_t a = (int16_t)get_reg16(cpu, R_EAX), b = (int8_t)ref_get8(cpu, &src);
	if (!b || a / b != (int8_t)(a / b))
		return raise_fault(cpu, in, VEC_DE);
	set_reg16(cpu, R_EAX, (uint16_t)((uint8_t)(a / b) | (uint32_t)(uint8_t)(a % b) << 8));
	NEXT(cpu, in);
}

enum exec op_idiv_Ew(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	/* In 64 bits, so that the smallest dividend by -1 is no overflow of the host's. */
	int64_t a = (int32_t)(get_reg16(cpu, R_EAX) | (uint32_t)get_reg16(cpu, R_EDX) << 16), b = (int16_t)ref_get16(cpu, &src);
	if (!b || a / b != (int16_t)(a / b))
		return raise_fault(cpu, in, VEC_DE);
	set_reg16(cpu, R_EAX, (uint16_t)(a / b));
	set_reg16(cpu, R_EDX, (uint16_t)(a % b));
	NEXT(cpu, in);
}

enum exec op_idiv_Ed(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	int64_t a = (int64_t)(cpu->r[R_EAX] | (uint64_t)cpu->r[R_EDX] << 32), b = (int32_t)ref_get32(cpu, &src);
	if (!b || (b == -1 && a == INT64_MIN) || a / b != (int32_t)(a / b))
		return raise_fault(cpu, in, VEC_DE);
	cpu->r[R_EAX] = (uint32_t)(a / b);
	cpu->r[R_EDX] = (uint32_t)(a % b);
	NEXT(cpu, in);
}

/* --- decimal --------------------------------------------------------------------------------------------------------- */

static void flags_decimal(struct cpu *cpu, bool cf, bool af)
{
	flags_lazy(cpu, (uint32_t)(int8_t)get_reg8(cpu, R_EAX), carries_of(cf, false, af));
}

enum exec op_daa(struct cpu *cpu, const struct insn *in)
{
	uint8_t al = get_reg8(cpu, R_EAX);
	bool af = (al & 15) > 9 || flag_af(cpu), cf = al > 0x99 || flag_cf(cpu);

	set_reg8(cpu, R_EAX, (uint8_t)(al + (af ? 6 : 0) + (cf ? 0x60 : 0)));
	flags_decimal(cpu, cf, af);
	NEXT(cpu, in);
}

enum exec op_das(struct cpu *cpu, const struct insn *in)
{
	uint8_t al = get_reg8(cpu, R_EAX);
	bool af = (al & 15) > 9 || flag_af(cpu), high = al > 0x99 || flag_cf(cpu);
	/* The borrow of the first step counts too. */
	bool cf = high || (af && al < 6);

	set_reg8(cpu, R_EAX, (uint8_t)(al - (af ? 6 : 0) - (high ? 0x60 : 0)));
	flags_decimal(cpu, cf, af);
	NEXT(cpu, in);
}

/* AX changes as a whole: a carry out of AL reaches AH besides the one that is added. */
enum exec op_aaa(struct cpu *cpu, const struct insn *in)
{
	uint16_t ax = get_reg16(cpu, R_EAX);
	bool adjust = (ax & 15) > 9 || flag_af(cpu);

	set_reg16(cpu, R_EAX, (uint16_t)((ax + (adjust ? 0x106 : 0)) & 0xff0f));
	flags_decimal(cpu, adjust, adjust);
	NEXT(cpu, in);
}

enum exec op_aas(struct cpu *cpu, const struct insn *in)
{
	uint16_t ax = get_reg16(cpu, R_EAX);
	bool adjust = (ax & 15) > 9 || flag_af(cpu);

	set_reg16(cpu, R_EAX, (uint16_t)((ax - (adjust ? 0x106 : 0)) & 0xff0f));
	flags_decimal(cpu, adjust, adjust);
	NEXT(cpu, in);
}

enum exec op_aam_Ib(struct cpu *cpu, const struct insn *in)
{
	uint8_t al = get_reg8(cpu, R_EAX), base = (uint8_t)in->imm;

	if (!base)
		return raise_fault(cpu, in, VEC_DE);
	set_reg16(cpu, R_EAX, (uint16_t)((al / base) << 8 | al % base));
	flags_decimal(cpu, false, false);
	NEXT(cpu, in);
}

enum exec op_aad_Ib(struct cpu *cpu, const struct insn *in)
{
	uint16_t ax = get_reg16(cpu, R_EAX);

	set_reg16(cpu, R_EAX, (uint8_t)((ax & 0xff) + (ax >> 8) * in->imm));
	flags_decimal(cpu, false, false);
	NEXT(cpu, in);
}
