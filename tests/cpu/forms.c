/* tests/cpu/forms.c: see forms.h. */
#include "forms.h"

#include <stdio.h>
#include <string.h>

bool row_has_operand(const struct insn_row *row, enum operand o)
{
	for (unsigned i = 0; i < 3; i++)
		if (row->operand[i] == o)
			return true;
	return false;
}

static bool row_has_any(const struct insn_row *row, const uint8_t *list)
{
	for (; *list; list++)
		if (row_has_operand(row, *list))
			return true;
	return false;
}

/* Operands that live in the ModRM r/m field, and may be memory. */
static const uint8_t rm_operands[] = { OPD_Eb, OPD_Ew, OPD_Ev, OPD_Ed, OPD_M, OPD_Mp, OPD_Ma, OPD_Ms, OPD_Mq, OPD_Mw,
	OPD_Qq, OPD_Qd, OPD_Wx, OPD_Wq, OPD_Wd, OPD_Md, OPD_Mt, OPD_Mx, OPD_Menv, OPD_Mst, OPD_Mfx, 0 };
static const uint8_t modrm_operands[] = { OPD_Gb, OPD_Gw, OPD_Gv, OPD_Gd, OPD_Sw, OPD_Cd, OPD_Dd, OPD_Rd, OPD_Rv,
	OPD_Pq, OPD_Nq, OPD_Vx, OPD_Ux, OPD_STi, 0 };

bool row_has_modrm(const struct insn_row *row)
{
	return row->ext >= 0 || row_has_any(row, rm_operands) || row_has_any(row, modrm_operands);
}

static void put(struct form *f, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		f->bytes[f->len++] = (uint8_t)(value >> 8 * i);
}

static void put_modrm(struct form *f, const struct form_values *v)
{
	uint8_t reg = (uint8_t)(f->reg << 3);

	if (f->row->ext >= 8) {
		put(f, (uint32_t)f->row->ext, 1);
	} else if (f->operand == FORM_REGISTER) {
		put(f, 0xc0u | reg | f->rm, 1);
	} else if (f->operand == FORM_ABSOLUTE) {
		put(f, reg | (f->addrsize == 4 ? 5u : 6u), 1);
		put(f, v->address, f->addrsize);
	} else if (f->addrsize == 4) {
		put(f, 0x40u | reg | 4, 1);
		put(f, 0x73, 1);                       /* SIB: ebx + esi*2 */
		put(f, FORM_DISP8, 1);
	} else {
		put(f, 0x40u | reg | 0, 1);            /* bx + si + disp8 */
		put(f, FORM_DISP8, 1);
	}
}

static void put_immediates(struct form *f, const struct form_values *v)
{
	for (unsigned i = 0; i < 3; i++) {
		switch (f->row->operand[i]) {
		case OPD_Ib: case OPD_sIb: case OPD_Jb: put(f, v->immediate, 1); break;
		case OPD_Iw: put(f, v->immediate, 2); break;
		case OPD_Iz: case OPD_Jz: put(f, v->immediate, f->opsize); break;
		case OPD_Ap: put(f, v->far_offset, f->opsize); put(f, v->selector, 2); break;
		case OPD_Ob: case OPD_Ov: put(f, v->address, f->addrsize); break;
		}
	}
}

void form_encode(struct form *f, const struct form_values *v)
{
	unsigned natural = f->code32 ? 4 : 2;

	f->len = 0;
	if (f->opsize != natural)
		put(f, 0x66, 1);
	if (f->addrsize != natural)
		put(f, 0x67, 1);
	if (f->rep)
		put(f, f->rep, 1);
	if (f->row->props & (IP_PF3 | IP_PF2))
		put(f, f->row->props & IP_PF3 ? 0xf3 : 0xf2, 1);
	if (f->lock)
		put(f, 0xf0, 1);
	if (f->row->map == 2)
		put(f, 0x0f, 1);
	put(f, f->row->opcode, 1);
	if (row_has_modrm(f->row))
		put_modrm(f, v);
	put_immediates(f, v);
}

struct walk_ctx {
	const struct form_values *v;
	void (*fn)(void *ctx, const struct form *f);
	void *ctx;
};

static void emit(const struct walk_ctx *c, struct form *f)
{
	form_encode(f, c->v);
	c->fn(c->ctx, f);
	if (f->row->props & IP_REP && !f->rep) {
		for (unsigned i = 0; i < 2; i++) {
			struct form g = *f;
			g.rep = i ? 0xf2 : 0xf3;
			form_encode(&g, c->v);
			c->fn(c->ctx, &g);
		}
	}
	if (f->row->props & IP_LOCK && (f->operand == FORM_ABSOLUTE || f->operand == FORM_INDEXED)) {
		struct form g = *f;
		g.lock = true;
		form_encode(&g, c->v);
		c->fn(c->ctx, &g);
	}
}

/* Registers worth trying in ModRM.reg: ordinary ones, and ESP where the stack pointer itself is an operand. */
static void emit_regs(const struct walk_ctx *c, struct form *f)
{
	static const uint8_t general[] = { 1, 4, 0xff };
	static const uint8_t segments[] = { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, 0xff };
	static const uint8_t control[] = { 0, 1, 2, 3, 4, 0xff };
	static const uint8_t debug[] = { 0, 1, 4, 6, 7, 0xff };
	const uint8_t *regs = general;

	if (f->row->ext >= 0) {
		f->reg = f->row->ext < 8 ? (uint8_t)f->row->ext : f->row->ext >> 3 & 7;
		emit(c, f);
		return;
	}
	if (row_has_operand(f->row, OPD_Sw))
		regs = segments;
	else if (row_has_operand(f->row, OPD_Cd))
		regs = control;
	else if (row_has_operand(f->row, OPD_Dd))
		regs = debug;
	for (; *regs != 0xff; regs++) {
		f->reg = *regs;
		emit(c, f);
	}
}

static void emit_row(const struct walk_ctx *c, unsigned index, bool code32)
{
	const struct insn_row *row = &insn_table[index];

	for (unsigned sizes = 0; sizes < 4; sizes++) {
		struct form f = { .row = row, .row_index = index, .code32 = code32, .rm = 1,
		                  .opsize = sizes & 1 ? 2 : 4, .addrsize = sizes & 2 ? 2 : 4 };

		/* Where 66 is part of the opcode, it is there or it is not. */
		if (row->props & IP_PREFIX && !(row->props & IP_P66) != (f.opsize == (code32 ? 4 : 2)))
			continue;
		if (!row_has_modrm(row)) {
			f.operand = FORM_NONE;
			emit(c, &f);
			continue;
		}
		if (!(row->props & IP_MEMONLY)) {
			f.operand = FORM_REGISTER;
			emit_regs(c, &f);
			if (row->ext < 8) {
				f.rm = 4;
				emit_regs(c, &f);
				f.rm = 1;
			}
		}
		if (!(row->props & IP_REGONLY)) {
			f.operand = FORM_ABSOLUTE;
			emit_regs(c, &f);
			f.operand = FORM_INDEXED;
			emit_regs(c, &f);
		}
	}
}

void forms_each(bool code32, const struct form_values *v, void (*fn)(void *ctx, const struct form *f), void *ctx)
{
	struct walk_ctx c = { v, fn, ctx };

	for (unsigned i = 0; i < insn_rows; i++)
		emit_row(&c, i, code32);
}

void form_describe(const struct form *f, char *buf, size_t size)
{
	static const char *const operand[] = { "", " reg", " [abs]", " [bx+si*+4]" };
	int n = snprintf(buf, size, "%s%s%s%s (reg field %u, %u-bit operand, %u-bit address, %u-bit code):",
	                 f->lock ? "lock " : "", f->rep == 0xf3 ? "rep " : f->rep == 0xf2 ? "repne " : "", f->row->name,
	                 operand[f->operand], f->reg, f->opsize * 8, f->addrsize * 8, f->code32 ? 32 : 16);

	for (unsigned i = 0; i < f->len && n > 0 && (size_t)n < size; i++)
		n += snprintf(buf + n, size - (size_t)n, " %02x", f->bytes[i]);
}
