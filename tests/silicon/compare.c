/* tests/silicon/compare.c: see compare.h. */
#include "compare.h"

#include <stdio.h>
#include <string.h>

#include "cpu/insn.h"
#include "native.h"
#include "undefined.h"

/* RF differs: the host's frame has what was pushed for the handler; the emulator stops before that. */
#define FLAGS (F_ARITH | F_TF | F_IF | F_DF | F_IOPL | F_NT | F_AC | F_ID | F_VM)
#define CHUNK 256u

void sil_bench_open(struct sil_bench *b, uint8_t *const host_page[])
{
	memcpy(b->host_page, host_page, sizeof(b->host_page));
	sil_emulator_open(&b->emulator);
	for (unsigned page = 0; page < SIL_PAGES; page++)
		sil_background(b->background[page], page);
}

void sil_bench_close(struct sil_bench *b) { sil_emulator_close(&b->emulator); }

static void write_both(struct sil_bench *b, uint32_t at, const uint8_t *bytes, unsigned n)
{
	unsigned page = sil_page_of(at), offset = at & 0xfff;

	if (page == SIL_PAGES)
		return;
	if (offset + n > SIL_PAGE)
		n = SIL_PAGE - offset;
	memcpy(b->host_page[page] + offset, bytes, n);
	sil_emulator_write(&b->emulator, page, offset, bytes, n);
}

/* The code with its end, as far as the page reaches. */
static void write_code(struct sil_bench *b, const struct sil_case *c, bool clear)
{
	uint8_t bytes[SIL_CODE_MAX + SIL_END_MAX];
	unsigned n = c->len;

	memcpy(bytes, c->code, c->len);
	n += sil_end(c, bytes + c->len);
	if (clear)
		memset(bytes, b->background[PAGE_CODE][0], sizeof(bytes));
	write_both(b, sil_code_address(&c->in, c->in.eip), bytes, n);
}

/* Both memories back to the background, chunk by chunk where they differ from it. False: they differed from each other. */
static bool restore(struct sil_bench *b)
{
	bool same = true;

	for (unsigned page = PAGE_DATA0; page < SIL_PAGES; page++) {
		const uint8_t *ours = b->emulator.page[page], *host = b->host_page[page], *clean = b->background[page];

		for (unsigned at = 0; at < SIL_PAGE; at += CHUNK) {
			bool equal = !memcmp(ours + at, host + at, CHUNK);
			if (equal && !memcmp(ours + at, clean + at, CHUNK))
				continue;
			same &= equal;
			write_both(b, sil_page_address(page) + at, clean + at, CHUNK);
		}
	}
	return same;
}

static bool same_result(const struct sil_result *a, const struct sil_result *b)
{
	const struct sil_fpu *f = &a->state.fpu, *g = &b->state.fpu;
	uint64_t different = 0;

	if (a->vector != b->vector || a->error != b->error || a->cr2 != b->cr2 || a->state.eip != b->state.eip ||
	    (a->state.eflags ^ b->state.eflags) & FLAGS || memcmp(a->state.r, b->state.r, sizeof(a->state.r)) ||
	    memcmp(a->state.seg, b->state.seg, sizeof(a->state.seg)))
		return false;
	for (unsigned i = 0; i < 8; i++)
		different |= (f->st[i].mantissa ^ g->st[i].mantissa) | (f->st[i].exponent ^ g->st[i].exponent);
	return !different && f->control == g->control && f->status == g->status && f->valid == g->valid && f->opcode == g->opcode &&
	       f->ip == g->ip && f->dp == g->dp && f->mxcsr == g->mxcsr && !memcmp(f->xmm, g->xmm, sizeof(f->xmm));
}

void sil_prepare(struct sil_bench *b, const struct sil_case *c)
{
	write_code(b, c, false);
	for (unsigned i = 0; i < c->patches; i++)
		write_both(b, c->patch[i].at, c->patch[i].byte, c->patch[i].len);
}

void sil_run_ours(struct sil_bench *b, const struct sil_case *c)
{
	sil_emulator_run(&b->emulator, &c->in, c->single, c->in.eip + c->len, &b->ours);
	b->excluded = sil_case_excluded(c, &b->ours);
}

/* What the manual lets differ no longer does. */
static void allow(struct sil_bench *b, const struct sil_case *c)
{
	if (b->ours.vector >= 0 || c->insns == 1 || !same_result(&b->ours, &b->host))
		b->excluded = sil_allow(c, &b->ours, b->emulator.page, &b->host, b->host_page, b->recorded);
}

/* Leaves the memories as the case left them. A timer ends what hangs on the host, and may hit any case once. */
static void run_both(struct sil_bench *b, const struct sil_case *c)
{
	for (unsigned tries = 0; tries < 3; tries++) {
		sil_prepare(b, c);
		sil_run_ours(b, c);
		if (b->excluded)
			return;
		native_run(&c->in, &b->host);
		if (b->host.vector != SIL_HUNG)
			break;
		restore(b);
	}
	allow(b, c);
}

/* The row of an instruction says which flags it may change; the translator will believe it. */
static bool row_is_right(const struct sil_bench *b, const struct sil_case *c)
{
	const struct insn_row *row;
	struct insn in;

	if (c->insns != 1 || b->ours.vector != SIL_ENDED || !sil_insn(c, 0, &in))
		return true;
	row = &insn_table[in.row];
	return !((b->ours.state.eflags ^ c->in.eflags) & F_ARITH & ~(row->flags_out | row->flags_undefined));
}

static bool judge(struct sil_bench *b, const struct sil_case *c)
{
	bool same = restore(b);

	write_code(b, c, true);
	return b->excluded || (same && same_result(&b->ours, &b->host) && row_is_right(b, c));
}

bool sil_judge(struct sil_bench *b, const struct sil_case *c)
{
	if (!b->excluded)
		allow(b, c);
	return judge(b, c);
}

bool sil_compare(struct sil_bench *b, const struct sil_case *c)
{
	run_both(b, c);
	return judge(b, c);
}

/* --- shrinking ------------------------------------------------------------------------------------------------------------ */

/* Keeps the smaller case if it still differs. */
static bool keep(struct sil_bench *b, struct sil_case *c, const struct sil_case *smaller)
{
	if (sil_compare(b, smaller))
		return false;
	*c = *smaller;
	return true;
}

static bool drop_instruction(struct sil_bench *b, struct sil_case *c, unsigned n)
{
	struct sil_case s = *c;
	unsigned at = s.start[n], end = n + 1u < s.insns ? s.start[n + 1] : s.len, bytes = end - at;

	memmove(s.code + at, s.code + end, s.len - end);
	for (unsigned i = n + 1; i < s.insns; i++)
		s.start[i - 1] = (uint8_t)(s.start[i] - bytes);
	s.len = (uint8_t)(s.len - bytes);
	s.insns--;
	return keep(b, c, &s);
}

/* Tries a plain value for n bytes of the state. */
static void plain(struct sil_bench *b, struct sil_case *c, size_t offset, const void *value, size_t n)
{
	struct sil_case s = *c;

	if (!memcmp((char *)&s.in + offset, value, n))
		return;
	memcpy((char *)&s.in + offset, value, n);
	/* ES and B follow from the exceptions and their masks [SDM1 8.1.3 "x87 FPU Status Register"]. */
	s.in.fpu.status &= 0x7f7f;
	if (s.in.fpu.status & ~s.in.fpu.control & 0x3f)
		s.in.fpu.status |= 0x8080;
	keep(b, c, &s);
}

static void shrink_state(struct sil_bench *b, struct sil_case *c)
{
	static const uint8_t zero[16];
	uint16_t control = 0x37f;
	uint32_t flags = F_ONE | F_IF, mxcsr = 0x1f80;

#define PLAIN(field, value) plain(b, c, offsetof(struct sil_state, field), value, sizeof(c->in.field))
	for (unsigned i = 0; i < 8; i++) {
		PLAIN(r[i], zero);
		PLAIN(fpu.st[i], zero);
		PLAIN(fpu.xmm[i], zero);
	}
	PLAIN(eflags, &flags);
	for (unsigned bit = 1; bit < 1u << 22; bit <<= 1) {
		flags = (c->in.eflags & ~bit) | F_ONE | F_IF;
		PLAIN(eflags, &flags);
	}
	PLAIN(fpu.control, &control);
	PLAIN(fpu.status, zero);
	PLAIN(fpu.valid, zero);
	PLAIN(fpu.mxcsr, &mxcsr);
#undef PLAIN
}

static void shrink_memory(struct sil_bench *b, struct sil_case *c)
{
	for (unsigned i = c->patches; i--; ) {
		struct sil_case s = *c;
		s.patch[i] = s.patch[--s.patches];
		if (keep(b, c, &s))
			continue;
		s = *c;
		memset(s.patch[i].byte, 0, s.patch[i].len);
		keep(b, c, &s);
	}
}

void sil_shrink(struct sil_bench *b, struct sil_case *c)
{
	for (unsigned n = c->insns; n--; )
		if (c->insns > 1)
			drop_instruction(b, c, n);
	shrink_memory(b, c);
	shrink_state(b, c);
}

void sil_report(struct sil_bench *b, const struct sil_case *c)
{
	run_both(b, c);
	sil_print(b, c);
	restore(b);
	write_code(b, c, true);
}
