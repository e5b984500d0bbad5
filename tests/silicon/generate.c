/* tests/silicon/generate.c: see generate.h.
 *
 * A case is mostly one instruction, sometimes up to SIL_INSNS so that x87 and flag state builds up. For each: a row of
 * insn_table[], prefixes, an addressing mode, and an address its operand shall have; registers and displacement then follow from it.
 */
#include "generate.h"

#include <string.h>

#include "../cpu/forms.h"
#include "undefined.h"

struct generator {
	struct sil_random r;
	struct sil_case *c;
	const struct insn_row *row;
	uint8_t fixed;             /* registers that have their value already, a bit for each */
	uint8_t natural, opsize, addrsize;     /* natural: what the code segment says */
	int8_t override;           /* segment prefix, or -1 */
	int8_t jump_at[SIL_INSNS]; /* where in code a displacement to the end goes, or -1 */
	uint8_t jump_size[SIL_INSNS];
	int8_t end_register;       /* a register or a patch that shall hold the address of the end, or -1 */
	int8_t end_patch;
};

static uint32_t below(struct generator *g, uint32_t n) { return sil_below(&g->r, n); }
static bool one_in(struct generator *g, uint32_t n) { return sil_one_in(&g->r, n); }

static void put(struct generator *g, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n && g->c->len < SIL_CODE_MAX; i++)
		g->c->code[g->c->len++] = (uint8_t)(v >> 8 * i);
}

/* --- rows ----------------------------------------------------------------------------------------------------------------- */

enum sil_kind sil_kind_of(const struct insn_row *row)
{
	if (row_has_operand(row, OPD_Pq) || row_has_operand(row, OPD_Qq) || row_has_operand(row, OPD_Nq) || row_has_operand(row, OPD_Qd))
		return KIND_MMX;
	if (row->props & IP_X87 || !strcmp(row->name, "wait"))
		return row->map == 1 ? KIND_X87 : KIND_MMX;
	return row->props & IP_SSE ? KIND_SSE : KIND_INT;
}

static bool matches(const struct insn_row *row, const char *only)
{
	static const char *const kind[] = { [KIND_INT] = "int", [KIND_X87] = "x87", [KIND_MMX] = "mmx", [KIND_SSE] = "sse" };

	return !only || !strcmp(only, row->name) || !strcmp(only, kind[sil_kind_of(row)]);
}

bool sil_choose(struct sil_choice *choice, const char *only)
{
	choice->rows = 0;
	choice->undefined = !only || !strcmp(only, "int");
	for (unsigned i = 0; i < insn_rows; i++)
		if (!sil_row_excluded(&insn_table[i]) && matches(&insn_table[i], only))
			choice->row[choice->rows++] = (uint16_t)i;
	return choice->rows;
}

/* --- memory --------------------------------------------------------------------------------------------------------------- */

static struct sil_patch *patch(struct generator *g, uint32_t at, unsigned len)
{
	struct sil_patch *p = &g->c->patch[g->c->patches];
	unsigned page = sil_page_of(at);

	if (g->c->patches == SIL_PATCHES || page == SIL_PAGES || page == PAGE_CODE)
		return NULL;
	if ((at & 0xfff) + len > SIL_PAGE)
		len = SIL_PAGE - (at & 0xfff);
	p->at = at;
	p->len = (uint8_t)len;
	g->c->patches++;
	return p;
}

static uint16_t selector(struct generator *g)
{
	static const uint16_t some[] = { 0, 1, 2, 3, 0x2b, 0x2b, 0x2a, 0x28, 0x23, 0x20, 0x2f, 0x10, 0x18, 0x33, 0x88, 0xfff8,
		0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f };

	return one_in(g, 16) ? (uint16_t)sil_u32(&g->r) : some[below(g, sizeof(some) / sizeof(some[0]))];
}

static bool wants_selector(const struct insn_row *row)
{
	static const char *const names[] = { "lar", "lsl", "verr", "verw", "les", "lds", "lss", "lfs", "lgs", "arpl" };

	if (row_has_operand(row, OPD_Sw))
		return true;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(row->name, names[i]))
			return true;
	return false;
}

/* Data for the operand of the row at an address; it may lie across pages. */
static void fill(struct generator *g, uint32_t at)
{
	unsigned left = row_has_operand(g->row, OPD_Mst) ? 108 : row_has_operand(g->row, OPD_Mfx) ? 256 : 32;
	uint16_t s = selector(g);

	while (left) {
		struct sil_patch *p = patch(g, at, left < SIL_PATCH ? left : SIL_PATCH);
		unsigned n = left < SIL_PATCH ? left : SIL_PATCH;

		if (p) {
			n = p->len;
			sil_bytes(&g->r, p->byte, n);
			if (wants_selector(g->row)) {
				bool far = !row_has_operand(g->row, OPD_Ew) && !row_has_operand(g->row, OPD_Sw);
				unsigned where = far ? g->opsize : 0;
				if (n >= where + 2)
					memcpy(p->byte + where, &s, 2);
			}
		} else if (g->c->patches == SIL_PATCHES) {
			return;
		}
		at += n;
		left -= n;
	}
}

/* Where an operand shall be. */
static uint32_t target(struct generator *g)
{
	uint32_t at;

	switch (below(g, 24)) {
	case 0: return SIL_DATA + SIL_PAGE - below(g, 34);                     /* across two pages */
	case 1: return SIL_DATA + 2 * SIL_PAGE - below(g, 34);                 /* ... of which one is read-only */
	case 2: return SIL_DATA + 3 * SIL_PAGE - below(g, 34);                 /* ... of which one is not there */
	case 3: return SIL_DATA - below(g, 34);
	case 4: return SIL_DATA + 2 * SIL_PAGE + below(g, SIL_PAGE);
	case 5: return one_in(g, 4) ? sil_u32(&g->r) : SIL_STACK + below(g, SIL_PAGE);
	default: break;
	}
	at = SIL_DATA + 0x100 + below(g, 0x1d00);
	if (row_has_operand(g->row, OPD_Mx) || row_has_operand(g->row, OPD_Wx) || row_has_operand(g->row, OPD_Mfx) || one_in(g, 2))
		return one_in(g, 16) ? at : at & ~15u;
	return at;
}

/* --- ModRM ---------------------------------------------------------------------------------------------------------------- */

static bool is_fixed(const struct generator *g, unsigned reg) { return g->fixed >> reg & 1; }

static void set_register(struct generator *g, unsigned reg, uint32_t v)
{
	if (!is_fixed(g, reg))
		g->c->in.r[reg] = v;
	g->fixed |= (uint8_t)(1u << reg);
}

static uint32_t segment_base(const struct generator *g, unsigned seg)
{
	return sil_segment(g->c->in.seg[g->override >= 0 ? (unsigned)g->override : seg])->base;
}

static void put_memory32(struct generator *g, unsigned reg, uint32_t at)
{
	unsigned base = below(g, 8), index = below(g, 8), scale = below(g, 4), mod = below(g, 3);
	bool sib = one_in(g, 3);
	uint32_t *r = g->c->in.r, sum = 0, disp = one_in(g, 2) ? sil_u32(&g->r) : below(g, 256) - 128;
	bool has_base;

	if (base == 4)
		sib = true;
	if (sib && index != 4) {
		if (!is_fixed(g, index))
			set_register(g, index, below(g, 64));
		sum = r[index] << scale;
	}
	has_base = !(mod == 0 && base == 5);
	at -= segment_base(g, has_base && (base == R_ESP || base == R_EBP) ? SEG_SS : SEG_DS);
	if (has_base && !is_fixed(g, base) && !(sib && index == base)) {
		if (mod == 0)
			disp = 0;
		if (mod == 1)
			disp = (uint32_t)(int8_t)disp;
		set_register(g, base, at - sum - disp);
	} else {
		if (has_base)
			mod = 2;
		disp = at - sum - (has_base ? r[base] : 0);
		g->fixed |= has_base ? (uint8_t)(1u << base) : 0;
	}
	put(g, mod << 6 | reg << 3 | (sib ? 4 : base), 1);
	if (sib)
		put(g, scale << 6 | index << 3 | base, 1);
	put(g, disp, mod == 1 ? 1 : mod == 2 || !has_base ? 4 : 0);
}

static void put_memory16(struct generator *g, unsigned reg, uint32_t at)
{
	static const uint8_t base[] = { R_EBX, R_EBX, R_EBP, R_EBP, R_ESI, R_EDI, R_EBP, R_EBX };
	static const uint8_t index[] = { R_ESI, R_EDI, R_ESI, R_EDI };
	unsigned mod = below(g, 3), rm = below(g, 8);
	uint32_t offset = at - segment_base(g, base[rm] == R_EBP && !(mod == 0 && rm == 6) ? SEG_SS : SEG_DS), sum;

	if (mod == 0 && rm == 6) {
		put(g, reg << 3 | 6, 1);
		put(g, offset, 2);
		return;
	}
	sum = g->c->in.r[base[rm]] + (rm < 4 ? g->c->in.r[index[rm]] : 0);
	g->fixed |= (uint8_t)(1u << base[rm] | (rm < 4 ? 1u << index[rm] : 0));
	if (one_in(g, 4)) {
		put(g, mod << 6 | reg << 3 | rm, 1);
		put(g, sil_u32(&g->r), mod);
	} else {
		put(g, 0x80 | reg << 3 | rm, 1);
		put(g, offset - sum, 2);
	}
}

/* Registers that an instruction uses beside its ModRM operands. */
static void put_modrm(struct generator *g)
{
	const struct insn_row *row = g->row;
	unsigned reg = row->ext >= 0 ? (unsigned)row->ext & 7 : below(g, 8), rm = below(g, 8);
	bool memory = row->props & IP_MEMONLY || (!(row->props & IP_REGONLY) && !one_in(g, 3));

	if (row->ext >= 8) {
		put(g, (uint32_t)row->ext, 1);
		return;
	}
	if (memory) {
		uint32_t at = target(g);
		fill(g, at);
		if (!strcmp(row->name, "bt") || !strcmp(row->name, "bts") || !strcmp(row->name, "btr") || !strcmp(row->name, "btc"))
			if (row_has_operand(row, OPD_Gv))
				set_register(g, reg, one_in(g, 8) ? sil_u32(&g->r) : below(g, 512) - 256);
		if (g->addrsize == 2)
			put_memory16(g, reg, at);
		else
			put_memory32(g, reg, at);
	} else {
		if (wants_selector(row))
			set_register(g, rm, (one_in(g, 2) ? sil_u32(&g->r) << 16 : 0) | selector(g));
		put(g, 0xc0u | reg << 3 | rm, 1);
		if (!strcmp(row->name, "jmp") || !strcmp(row->name, "call"))
			if (!is_fixed(g, rm))
				g->end_register = (int8_t)rm;
	}
	if (memory && g->c->patches && (!strcmp(row->name, "jmp") || !strcmp(row->name, "call")))
		g->end_patch = (int8_t)(g->c->patches - 1);
}

/* --- the rest of an instruction ------------------------------------------------------------------------------------------- */

/* A prefix that changes nothing, or segment, LOCK or REP, mostly none. Returns whether REP is there. */
static void put_prefixes(struct generator *g)
{
	static const uint8_t segments[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x3e };
	const struct insn_row *row = g->row;
	static const uint8_t segment[] = { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_DS };
	unsigned n;

	g->opsize = row->props & IP_P66 || (!(row->props & IP_PREFIX) && one_in(g, 4)) ? 6 - g->natural : g->natural;
	g->override = -1;
	if (one_in(g, 128)) {
		for (unsigned many = 4 + below(g, 9); many; many--) {
			n = below(g, 7);
			put(g, segments[n], 1);
			g->override = (int8_t)segment[n];
		}
	}
	if (one_in(g, 8)) {
		n = one_in(g, 2) ? 4 + below(g, 2) : below(g, 7);
		put(g, segments[n], 1);
		g->override = (int8_t)segment[n];
	}
	g->addrsize = one_in(g, segment_base(g, SEG_DS) ? 3 : 32) ? 2 : 4;
	if (g->opsize != g->natural)
		put(g, 0x66, 1);
	if (g->addrsize != g->natural)
		put(g, 0x67, 1);
	if (row->props & IP_LOCK ? one_in(g, 6) : one_in(g, 300))
		put(g, 0xf0, 1);
	if (row->props & IP_REP && one_in(g, 2))
		put(g, 0xf2 + below(g, 2), 1);
	if (!(row->props & IP_PREFIX) && one_in(g, 64))
		put(g, 0xf2 + below(g, 2), 1);
	if (row->props & (IP_PF3 | IP_PF2))
		put(g, row->props & IP_PF3 ? 0xf3 : 0xf2, 1);
}

static void put_branch(struct generator *g, unsigned size)
{
	unsigned n = g->c->insns;

	g->jump_at[n] = (int8_t)g->c->len;
	g->jump_size[n] = (uint8_t)size;
	put(g, 0, size);
}

static void put_immediates(struct generator *g)
{
	uint32_t at;

	for (unsigned i = 0; i < 3; i++) {
		switch (g->row->operand[i]) {
		case OPD_Ib: put(g, !strcmp(g->row->name, "enter") ? below(g, 40) : sil_integer(&g->r), 1); break;
		case OPD_sIb: put(g, sil_integer(&g->r), 1); break;
		case OPD_Iw: put(g, one_in(g, 4) ? sil_u32(&g->r) : below(g, 256), 2); break;
		case OPD_Iz: put(g, sil_integer(&g->r), g->opsize); break;
		case OPD_Jb: put_branch(g, 1); break;
		case OPD_Jz: put_branch(g, g->opsize); break;
		case OPD_Ob: case OPD_Ov:
			at = target(g);
			fill(g, at);
			put(g, at - segment_base(g, SEG_DS), g->addrsize);
			break;
		default: break;
		}
	}
}

/* Registers that string, stack and counting instructions use. */
static void set_implied(struct generator *g)
{
	const struct insn_row *row = g->row;

	if (row->props & IP_STRING) {
		uint32_t ds = segment_base(g, SEG_DS), es = sil_segment(g->c->in.seg[SEG_ES])->base;

		set_register(g, R_ESI, target(g) - ds);
		set_register(g, R_EDI, (one_in(g, 8) ? g->c->in.r[R_ESI] + ds + below(g, 16) - 8 : target(g)) - es);
		set_register(g, R_ECX, one_in(g, 128) ? sil_u32(&g->r) >> 16 : below(g, 20));
		fill(g, g->c->in.r[R_ESI] + ds);
		fill(g, (one_in(g, 4) ? g->c->in.r[R_ESI] + ds : g->c->in.r[R_EDI] + es));
	}
	if (!strcmp(row->name, "maskmovq") || !strcmp(row->name, "maskmovdqu"))
		set_register(g, R_EDI, target(g) - segment_base(g, SEG_DS));
	if (!strcmp(row->name, "xlatb"))
		set_register(g, R_EBX, target(g) - segment_base(g, SEG_DS));
	if (!strcmp(row->name, "enter") || !strcmp(row->name, "leave"))
		set_register(g, R_EBP, SIL_STACK + (one_in(g, 8) ? below(g, 16) - 8 : 0x200 + below(g, 0xc00)));
	if (!strncmp(row->name, "loop", 4) || !strcmp(row->name, "jcxz"))
		set_register(g, R_ECX, one_in(g, 4) ? sil_integer(&g->r) : below(g, 80));
	if (row_has_operand(row, OPD_CL))
		set_register(g, R_ECX, one_in(g, 4) ? sil_u32(&g->r) : below(g, 40));
}

static void put_instruction(struct generator *g)
{
	g->c->start[g->c->insns] = g->c->len;
	g->jump_at[g->c->insns] = -1;
	put_prefixes(g);
	set_implied(g);
	if (g->row->map == 2)
		put(g, 0x0f, 1);
	put(g, g->row->opcode, 1);
	if (row_has_modrm(g->row))
		put_modrm(g);
	put_immediates(g);
	g->c->insns++;
}

/* --- the state ------------------------------------------------------------------------------------------------------------ */

static void random_x87(struct generator *g, struct sil_fpu *f)
{
	static const uint8_t precision[] = { 3, 3, 3, 2, 0 };
	uint16_t exceptions;

	f->control = (uint16_t)(0x40 | (one_in(g, 3) ? below(g, 64) : 0x3f) | precision[below(g, 5)] << 8 | below(g, 4) << 10);
	f->status = (uint16_t)(sil_u32(&g->r) & 0x7f00);
	if (one_in(g, 2))
		f->status |= (uint16_t)below(g, 128);
	exceptions = f->status & 0x3f;
	if (exceptions & ~f->control & 0x3f && !one_in(g, 16))
		f->status &= (uint16_t)~(~f->control & 0x3f);          /* pending ones only now and then: each is just #MF */
	if (f->status & ~f->control & 0x3f)
		f->status |= 0x8080;
	f->valid = one_in(g, 3) ? (uint8_t)sil_u32(&g->r) : 0xff;
	for (unsigned i = 0; i < 8; i++)
		sil_float80(&g->r, &f->st[i].mantissa, &f->st[i].exponent);
	if (one_in(g, 3))
		f->st[1] = f->st[0];
}

static void random_sse(struct generator *g, struct sil_fpu *f)
{
	f->mxcsr = one_in(g, 2) ? 0x1f80 : 0x1f80 | below(g, 0x40) | (one_in(g, 4) ? 0x40 : 0) | below(g, 4) << 13 | (one_in(g, 4) ? 0x8000 : 0);
	if (one_in(g, 3))
		f->mxcsr &= ~(below(g, 64) << 7);
	for (unsigned i = 0; i < 8; i++)
		sil_bytes(&g->r, f->xmm[i].u8, 16);
}

static uint32_t random_flags(struct generator *g)
{
	uint32_t flags = F_ONE | F_IF | (sil_u32(&g->r) & F_ARITH);

	if (one_in(g, 4))
		flags |= F_DF;
	if (one_in(g, 8))
		flags |= F_AC;
	if (one_in(g, 16))
		flags |= sil_u32(&g->r) & (F_NT | F_ID);
	if (one_in(g, 64))
		flags |= F_TF;
	return flags;
}

static void random_state(struct generator *g, bool fpu)
{
	struct sil_state *s = &g->c->in;
	static const uint16_t segments[6] = { SIL_DS, SIL_CS, SIL_DS, SIL_DS, 0, 0 };

	memcpy(s->seg, segments, sizeof(segments));
	for (unsigned i = 0; i < 6; i++)
		if (i != SEG_CS && i != SEG_SS && one_in(g, i >= SEG_FS ? 2 : 16))
			s->seg[i] = (uint16_t)SIL_LDT_SELECTOR(below(g, 5));
	for (unsigned i = 0; i < 8; i++)
		s->r[i] = sil_integer(&g->r);
	s->r[R_ESP] = SIL_STACK + (one_in(g, 16) ? below(g, 80) - 40 : one_in(g, 16) ? SIL_PAGE - below(g, 40) : (0x200 + below(g, 0xc00)) & (one_in(g, 8) ? ~0u : ~3u));
	g->fixed = 1 << R_ESP;
	s->eflags = random_flags(g);
	s->fpu.control = 0x37f;
	s->fpu.mxcsr = 0x1f80;
	if (fpu) {
		random_x87(g, &s->fpu);
		random_sse(g, &s->fpu);
	}
}

/* What POP and RET find on the stack. */
static void fill_stack(struct generator *g)
{
	struct sil_patch *p = patch(g, g->c->in.r[R_ESP], 32);
	uint16_t s = selector(g);

	if (!p)
		return;
	for (unsigned i = 0; i < p->len; i += 4) {
		uint32_t v = sil_integer(&g->r);
		memcpy(p->byte + i, &v, p->len - i < 4 ? p->len - i : 4);
	}
	if (!strcmp(g->row->name, "ret"))
		g->end_patch = (int8_t)(g->c->patches - 1);
	else if (g->row->props & IP_ENDS && !strcmp(g->row->name, "pop") && p->len >= 2)
		memcpy(p->byte, &s, 2);
	else if (!strcmp(g->row->name, "popf") && p->len >= 2 && !one_in(g, 16))
		p->byte[1] &= 0xfe;                    /* no TF */
}

/* --- putting it together -------------------------------------------------------------------------------------------------- */

static void aim_branches(struct generator *g)
{
	struct sil_case *c = g->c;
	uint32_t end = c->in.eip + c->len;

	for (unsigned i = 0; i < c->insns; i++) {
		unsigned at = (uint8_t)g->jump_at[i];
		uint32_t disp = c->len - (at + g->jump_size[i]);

		if (g->jump_at[i] < 0)
			continue;
		if (c->insns == 1 && one_in(g, 8))
			disp = sil_integer(&g->r);
		else if (c->insns == 1 && one_in(g, (c->code[at - 1] & 0xfc) == 0xe0 ? 8 : 256))
			disp = (uint32_t)-(int)(at + g->jump_size[i]);         /* to itself */
		for (unsigned b = 0; b < g->jump_size[i]; b++)
			c->code[at + b] = (uint8_t)(disp >> 8 * b);
	}
	if (one_in(g, 16))
		end = one_in(g, 2) ? sil_u32(&g->r) : SIL_DATA + below(g, SIL_PAGE);
	if (g->end_register >= 0)
		c->in.r[g->end_register] = end;
	if (g->end_patch >= 0 && c->patch[g->end_patch].len >= 4)
		memcpy(c->patch[g->end_patch].byte, &end, 4);
}

/* Rows for the inner instructions of a sequence must leave nothing undefined for the next one to see. */
static const struct insn_row *pick(struct generator *g, const struct sil_choice *choice, bool inner)
{
	for (unsigned tries = 0; tries < 64; tries++) {
		const struct insn_row *row = &insn_table[choice->row[below(g, choice->rows)]];
		if (!inner || sil_row_defined(row))
			return row;
	}
	return NULL;
}

/* Opcodes that mean nothing on any processor: map, opcode, and the ModRM.reg fields (a bit for each) for which that holds. */
static const struct { uint8_t map, opcode, regs; } undefined[] = {
	{ 2, 0x0b, 0xff }, { 2, 0xb9, 0xff }, { 2, 0xff, 0xff }, { 1, 0xff, 0x80 }, { 1, 0xfe, 0xfc }, { 2, 0xba, 0x0f }, { 1, 0xc6, 0x7e },
	{ 1, 0xc7, 0x7e }, { 2, 0x04, 0xff }, { 2, 0x0a, 0xff }, { 2, 0x0c, 0xff }, { 2, 0x24, 0xff }, { 2, 0x25, 0xff }, { 2, 0x26, 0xff }, { 2, 0x27, 0xff },
	{ 2, 0x36, 0xff }, { 2, 0xa6, 0xff }, { 2, 0xa7, 0xff }, { 2, 0x00, 0xc0 }, { 2, 0x71, 0xab }, { 2, 0x72, 0xab }, { 2, 0xc7, 0x05 },
};

static void put_undefined(struct generator *g)
{
	unsigned n = below(g, sizeof(undefined) / sizeof(undefined[0])), reg = below(g, 8);

	while (!(undefined[n].regs >> reg & 1))
		reg = (reg + 1) & 7;
	if (one_in(g, 4))
		put(g, 0x66, 1);
	if (undefined[n].map == 2)
		put(g, 0x0f, 1);
	put(g, undefined[n].opcode, 1);
	put(g, (sil_u32(&g->r) & 0xc7) | reg << 3, 1);
	put(g, 0, 6);
	g->jump_at[0] = -1;
	g->c->start[g->c->insns++] = 0;
}

/* MOV SS, r to the segment of a 16-bit stack. IRET into one would not load the upper half of ESP, so no case starts there. */
static void small_stack(struct generator *g)
{
	unsigned reg = below(g, 8);

	if (reg == R_ESP)
		return;
	set_register(g, reg, SIL_LDT_SELECTOR(SIL_STACK16));
	g->c->in.r[R_ESP] = sil_u32(&g->r) << 16 | (one_in(g, 4) ? 0xffff & (below(g, 40) - 20) : below(g, SIL_PAGE));
	g->c->start[g->c->insns++] = g->c->len;
	g->jump_at[0] = -1;
	put(g, 0x8e, 1);
	put(g, 0xd0 | reg, 1);
}

void sil_generate(const struct sil_choice *choice, uint64_t seed, uint64_t k, struct sil_case *c)
{
	struct generator g = { .r = sil_random_for(seed, k), .c = c, .end_register = -1, .end_patch = -1 };
	uint32_t start;
	unsigned count;

	memset(&c->in, 0, sizeof(c->in));
	c->len = c->insns = c->patches = 0;
	c->single = one_in(&g, 2);
	g.row = pick(&g, choice, false);
	g.override = -1;
	count = one_in(&g, 8) && !sil_row_alone(g.row) ? 2 + below(&g, SIL_INSNS - 1) : 1;
	random_state(&g, g.row->props & (IP_X87 | IP_SSE) || g.row->opcode == 0x9b || count > 1 || one_in(&g, 16));
	g.natural = 4;
	if (one_in(&g, 10)) {
		c->in.seg[SEG_CS] = SIL_LDT_SELECTOR(SIL_CODE16);
		g.natural = 2;
	}
	start = SIL_CODE - sil_code_address(&c->in, 0);
	c->in.eip = start + 0x100 + below(&g, 0xd00);
	if (choice->undefined && one_in(&g, 128)) {
		put_undefined(&g);
		return;
	}
	if (one_in(&g, 24) && !sil_row_alone(g.row))
		small_stack(&g);
	for (unsigned i = 1; i < count; i++) {
		const struct insn_row *last = g.row;
		g.row = pick(&g, choice, true);
		if (g.row && c->len + 2 * INSN_MAX + 16 < SIL_CODE_MAX && c->insns < SIL_INSNS - 1)
			put_instruction(&g);
		g.row = last;
	}
	if (g.row->props & IP_STACK || one_in(&g, 8))
		fill_stack(&g);
	put_instruction(&g);
	if (one_in(&g, 64))
		c->in.eip = start + SIL_PAGE - 1 - below(&g, c->len + 3u);
	aim_branches(&g);
}
