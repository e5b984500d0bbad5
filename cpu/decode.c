/* cpu/decode.c: from bytes to struct insn.
 *
 *   prefixes | [0F] opcode | [ModRM [SIB] [displacement]] | [immediate]          at most 15 bytes
 *
 *             7 6   5 4 3   2 1 0                    7 6     5 4 3   2 1 0
 *   ModRM   | mod | reg   | r/m   |          SIB   | scale | index | base  |
 *
 * Operands that an opcode implies get the form of ModRM operands, so that one handler serves both: AL, eAX and the register
 * in the opcode's low bits become r/m (mod 3), a moffs becomes a memory operand without registers, eAX in "mov eAX, moffs"
 * and "xchg eAX, r" becomes reg.
 *
 * References: [SDM2A 2.1 "Instruction Format for Protected Mode, Real-Address Mode, and Virtual-8086 Mode"].
 */
#include "cpu/cpu.h"
#include "cpu/insn.h"

/* Number of the last row for each opcode, counted from 1; 0: no such instruction. */
enum { FIRST_ROW = __COUNTER__ };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const uint16_t last_row[2][256] = {
#define ROW(map, opcode, ...) [map - 1][opcode] = __COUNTER__ - FIRST_ROW,
#include "cpu/insn.def"
#undef ROW
};
#pragma GCC diagnostic pop

/* What an operand code makes the decoder read. */
enum { READ_MODRM = 1, READ_IB = 2, READ_SIGNED_IB = 4, READ_IW = 8, READ_IZ = 16, READ_JZ = 32, READ_AP = 64, READ_MOFFS = 128 };
static const uint8_t operand_reads[] = {
	[OPD_Eb] = READ_MODRM, [OPD_Ew] = READ_MODRM, [OPD_Ev] = READ_MODRM, [OPD_Ed] = READ_MODRM,
	[OPD_Gb] = READ_MODRM, [OPD_Gw] = READ_MODRM, [OPD_Gv] = READ_MODRM, [OPD_Gd] = READ_MODRM,
	[OPD_M] = READ_MODRM, [OPD_Mp] = READ_MODRM, [OPD_Ma] = READ_MODRM, [OPD_Ms] = READ_MODRM, [OPD_Mq] = READ_MODRM,
	[OPD_Mw] = READ_MODRM, [OPD_Sw] = READ_MODRM, [OPD_Cd] = READ_MODRM, [OPD_Dd] = READ_MODRM, [OPD_Rd] = READ_MODRM,
	[OPD_Rv] = READ_MODRM,
	[OPD_Pq] = READ_MODRM, [OPD_Qq] = READ_MODRM, [OPD_Qd] = READ_MODRM, [OPD_Nq] = READ_MODRM,
	[OPD_Vx] = READ_MODRM, [OPD_Wx] = READ_MODRM, [OPD_Wq] = READ_MODRM, [OPD_Wd] = READ_MODRM, [OPD_Ux] = READ_MODRM,
	[OPD_Md] = READ_MODRM, [OPD_Mt] = READ_MODRM, [OPD_Mx] = READ_MODRM, [OPD_Menv] = READ_MODRM, [OPD_Mst] = READ_MODRM,
	[OPD_Mfx] = READ_MODRM, [OPD_STi] = READ_MODRM,
	[OPD_Ib] = READ_IB, [OPD_sIb] = READ_SIGNED_IB, [OPD_Iw] = READ_IW, [OPD_Iz] = READ_IZ,
	[OPD_Jb] = READ_SIGNED_IB, [OPD_Jz] = READ_JZ, [OPD_Ap] = READ_AP, [OPD_Ob] = READ_MOFFS, [OPD_Ov] = READ_MOFFS,
	[OPD_ST0] = 0,
};

/* The bytes still to be read. After out is set everything reads as 0. */
struct reader {
	const uint8_t *bytes;
	unsigned pos, avail;
	bool out;
};

static uint32_t take(struct reader *r, unsigned n)
{
	uint32_t v = 0;

	if (r->pos + n > r->avail) {
		r->out = true;
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		v |= (uint32_t)r->bytes[r->pos++] << 8 * i;
	return v;
}

static uint32_t take_signed(struct reader *r, unsigned n)
{
	uint32_t v = take(r, n);

	return n == 1 ? (uint32_t)(int8_t)v : n == 2 ? (uint32_t)(int16_t)v : v;
}

/* [SDM2A 2.1.5 "Addressing-Mode Encoding of ModR/M and SIB Bytes"] table 2-1. */
static void decode_address16(struct reader *r, struct insn *in, int override)
{
	static const uint8_t base[] = { R_EBX, R_EBX, R_EBP, R_EBP, R_ESI, R_EDI, R_EBP, R_EBX };
	static const uint8_t index[] = { R_ESI, R_EDI, R_ESI, R_EDI, R_ZERO, R_ZERO, R_ZERO, R_ZERO };

	in->base = base[in->rm];
	in->index = index[in->rm];
	if (in->mod == 0 && in->rm == 6) {
		in->base = R_ZERO;
		in->disp = take(r, 2);
	} else if (in->mod) {
		in->disp = take_signed(r, in->mod);
	}
	in->seg = override >= 0 ? (uint8_t)override : in->base == R_EBP ? SEG_SS : SEG_DS;
}

static void decode_sib(struct reader *r, struct insn *in)
{
	uint32_t sib = take(r, 1);

	in->base = sib & 7;
	in->index = sib >> 3 & 7;
	in->scale = sib >> 6 & 3;
	if (in->index == R_ESP) {
		in->index = R_ZERO;
		in->scale = 0;
	}
}

/* [SDM2A 2.1.5 "Addressing-Mode Encoding of ModR/M and SIB Bytes"] tables 2-2 and 2-3. */
static void decode_address32(struct reader *r, struct insn *in, int override)
{
	in->base = in->rm;
	if (in->rm == 4)
		decode_sib(r, in);
	if (in->mod == 0 && in->base == R_EBP) {
		in->base = R_ZERO;
		in->disp = take(r, 4);
	} else if (in->mod) {
		in->disp = take_signed(r, in->mod == 1 ? 1 : 4);
	}
	in->seg = override >= 0 ? (uint8_t)override : in->base == R_EBP || in->base == R_ESP ? SEG_SS : SEG_DS;
}

static void decode_modrm(struct reader *r, struct insn *in, const struct insn_row *row, int override)
{
	uint32_t modrm = take(r, 1);

	in->mod = modrm >> 6 & 3;
	in->reg = modrm >> 3 & 7;
	in->rm = modrm & 7;
	if (row->props & IP_ANYMOD)        /* MOV CRn and DRn */
		in->mod = 3;
	if (in->mod == 3)
		return;
	if (in->addrsize == 2)
		decode_address16(r, in, override);
	else
		decode_address32(r, in, override);
}

/* Fills what the opcode itself says about the operands. */
static void decode_implied(struct insn *in, const struct insn_row *row)
{
	static const struct { uint8_t operand, seg; } sregs[] = {
		{ OPD_ES, SEG_ES }, { OPD_CS, SEG_CS }, { OPD_SS, SEG_SS }, { OPD_DS, SEG_DS }, { OPD_FS, SEG_FS }, { OPD_GS, SEG_GS },
	};

	in->mod = 3;
	if (row->operand[0] == OPD_Zb || row->operand[0] == OPD_Zv || row->operand[1] == OPD_Zv)
		in->rm = in->opcode & 7;
	for (unsigned i = 0; i < 6; i++)
		if (row->operand[0] == sregs[i].operand)
			in->reg = sregs[i].seg;
}

static void decode_operand(struct reader *r, struct insn *in, unsigned reads, bool second)
{
	if (reads & READ_IB && second)
		in->imm2 = (uint16_t)take(r, 1);
	else if (reads & READ_IB)
		in->imm = take(r, 1);
	else if (reads & READ_SIGNED_IB)
		in->imm = take_signed(r, 1);
	else if (reads & READ_IW)
		in->imm = take(r, 2);
	else if (reads & READ_IZ)
		in->imm = take(r, in->opsize);
	else if (reads & READ_JZ)
		in->imm = take_signed(r, in->opsize);
	else if (reads & READ_AP) {
		in->imm = take(r, in->opsize);
		in->imm2 = (uint16_t)take(r, 2);
	} else if (reads & READ_MOFFS) {
		in->mod = 0;
		in->disp = take(r, in->addrsize);
	}
}

/* Returns the segment of an override prefix, or -1. */
static int segment_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: return SEG_ES;
	case 0x2e: return SEG_CS;
	case 0x36: return SEG_SS;
	case 0x3e: return SEG_DS;
	case 0x64: return SEG_FS;
	case 0x65: return SEG_GS;
	default:   return -1;
	}
}

/* Reads prefixes and the first byte of the opcode, which it returns. */
static uint8_t decode_prefixes(struct reader *r, struct insn *in, bool code32, int *override)
{
	for (;;) {
		uint8_t byte = (uint8_t)take(r, 1);
		int seg = segment_prefix(byte);

		if (r->out)
			return 0;
		if (seg >= 0)
			*override = seg;
		else if (byte == 0x66)
			in->opsize = code32 ? 2 : 4;
		else if (byte == 0x67)
			in->addrsize = code32 ? 2 : 4;
		else if (byte == 0xf0)
			in->lock = 1;
		else if (byte == 0xf2 || byte == 0xf3)
			in->rep = byte == 0xf2 ? REP_F2 : REP_F3;
		else
			return byte;
	}
}

/* Whether the row depends on the byte after the opcode. */
static bool row_needs_modrm(const struct insn_row *row)
{
	return row->ext >= 0 || row->props & (IP_MEMONLY | IP_REGONLY);
}

static bool row_fits(const struct insn_row *row, unsigned prefix, unsigned modrm)
{
	if (row->props & IP_PREFIX && !(row->props & prefix))
		return false;
	if (row->ext >= 0 && row->ext != (int)(row->ext < 8 ? modrm >> 3 & 7 : modrm))
		return false;
	if (row->props & IP_ANYMOD)
		return true;
	return !(row->props & (modrm >= 0xc0 ? IP_MEMONLY : IP_REGONLY));
}

/* Finds the row, which may depend on the ModRM byte ahead. NULL: undefined, or the bytes ran out. */
static const struct insn_row *find_row(struct reader *r, const struct insn *in, unsigned map, bool code32)
{
	const struct insn_row *row, *found = NULL;
	unsigned n = last_row[map - 1][in->opcode], modrm = 0;
	unsigned prefix = in->rep == REP_F3 ? IP_PF3 : in->rep == REP_F2 ? IP_PF2 : in->opsize != (code32 ? 4 : 2) ? IP_P66 : IP_NP;

	if (!n)
		return NULL;
	if (r->pos < r->avail)
		modrm = r->bytes[r->pos];
	for (row = &insn_table[n - 1]; row >= insn_table && row->map == map && row->opcode == in->opcode; row--) {
		if (row_needs_modrm(row) && r->pos == r->avail) {
			r->out = true;
			return NULL;
		}
		if (row_fits(row, prefix, modrm))
			found = row;
	}
	return found;
}

static enum decode_result finish(const struct reader *r, struct insn *in, enum decode_result result)
{
	in->len = (uint8_t)r->pos;
	if (r->out)
		return r->avail == INSN_MAX ? DECODE_TOO_LONG : DECODE_MORE;
	return result;
}

/* An undefined member of a group is as long as the others, and UD1 has an operand: that tells where it ends too near to the end of
 * a page, a segment or the 15 bytes. [SDM2B] "UD". */
static enum decode_result skip_undefined(struct reader *r, struct insn *in, unsigned map, int override)
{
	static const struct insn_row ud1 = { .operand = { OPD_Gv, OPD_Ev } };
	unsigned n = last_row[map - 1][in->opcode], reads = 0;
	const struct insn_row *like = n ? &insn_table[n - 1] : map == 2 && in->opcode == 0xb9 ? &ud1 : NULL;

	if (!like)
		return finish(r, in, DECODE_UD);
	for (unsigned i = 0; i < 3; i++)
		reads |= operand_reads[like->operand[i]];
	if (reads & READ_MODRM || row_needs_modrm(like))
		decode_modrm(r, in, like, override);
	for (unsigned i = 0; i < 3; i++)
		decode_operand(r, in, operand_reads[like->operand[i]], false);
	return finish(r, in, DECODE_UD);
}

enum decode_result decode(const uint8_t *bytes, unsigned avail, bool code32, struct insn *in)
{
	struct reader r = { .bytes = bytes, .avail = avail < INSN_MAX ? avail : INSN_MAX };
	const struct insn_row *row;
	unsigned map = 1, reads = 0;
	int override = -1;

	*in = (struct insn) { .base = R_ZERO, .index = R_ZERO, .opsize = code32 ? 4 : 2, .addrsize = code32 ? 4 : 2 };
	in->opcode = decode_prefixes(&r, in, code32, &override);
	if (in->opcode == 0x0f) {
		in->opcode = (uint8_t)take(&r, 1);
		map = 2;
	}
	row = r.out ? NULL : find_row(&r, in, map, code32);
	if (!row)
		return r.out ? finish(&r, in, DECODE_UD) : skip_undefined(&r, in, map, override);

	in->row = (uint16_t)(row - insn_table);
	in->seg = override >= 0 ? (uint8_t)override : SEG_DS;
	in->handler = in->opsize == 2 ? row->handler16 : row->handler32;
	for (unsigned i = 0; i < 3; i++)
		reads |= operand_reads[row->operand[i]];
	if (reads & READ_MODRM || row->ext >= 0)
		decode_modrm(&r, in, row, override);
	else
		decode_implied(in, row);
	for (unsigned i = 0; i < 3; i++)
		decode_operand(&r, in, operand_reads[row->operand[i]], i == 1 && row->operand[0] == OPD_Iw);
	if (in->lock && (!(row->props & IP_LOCK) || in->mod == 3))
		return finish(&r, in, DECODE_UD);
	return finish(&r, in, DECODE_OK);
}
