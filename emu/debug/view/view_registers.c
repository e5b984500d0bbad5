/* emu/debug/view/view_registers.c: the view of the processor's registers. What changed since the stop before carries a star.
 *
 *   EAX 00000001* EBX c0105000  ...      EFLAGS 00000246  o d I t s Z a P c  IOPL 0      CS 0008 00000000 ffffffff  code 32 DPL 0
 */
#include "emu/debug/view/views.h"

#include <inttypes.h>
#include <string.h>

#include "emu/debug/notebook.h"
#include "emu/debug/guest/source.h"
#include "emu/report.h"

static const unsigned gpr_order[8] = { R_EAX, R_EBX, R_ECX, R_EDX, R_ESI, R_EDI, R_EBP, R_ESP };
static const char *const gpr_names[8] = { "EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP" };

/* "EAX 00000001*", after two blanks if something stands before it. */
static void cell(struct text *t, const char *name, uint32_t value, uint32_t before)
{
	bool changed = value != before, first = !t->size || t->byte[t->size - 1] == '\n';

	text_put(t, STYLE_NAME, "%s%-3s ", first ? "" : t->byte[t->size - 1] == '*' ? " " : "  ", name);
	text_put(t, changed ? STYLE_CHANGED : STYLE_PLAIN, "%08" PRIx32 "%s", value, changed ? "*" : "");
}

static void general(const struct registers *r, const struct registers *b, unsigned width, struct text *t)
{
	unsigned across = width >= 56 ? 4 : width >= 28 ? 2 : 1;

	for (unsigned i = 0; i < 8; i++) {
		cell(t, gpr_names[i], r->r[gpr_order[i]], b->r[gpr_order[i]]);
		if (i % across == across - 1)
			text_add(t, "\n");
	}
}

static void flags(const struct registers *r, const struct registers *b, struct text *t)
{
	char letters[64];
	bool changed = r->eflags != b->eflags;

	text_put(t, STYLE_NAME, "EFL ");
	text_put(t, changed ? STYLE_CHANGED : STYLE_PLAIN, "%08" PRIx32 "%s", r->eflags, changed ? "*" : " ");
	text_add(t, " %s IOPL %u\n", flag_letters(r->eflags, letters, sizeof(letters)), r->eflags >> 12 & 3);
}

static void where(struct debugger *d, const struct registers *r, const struct registers *b, struct text *t)
{
	char name[96], mode[32];

	cell(t, "EIP", r->eip, b->eip);
	if (*source_symbol(d, debugger_pc(d), name, sizeof(name)))
		text_put(t, STYLE_NAME, "  %s", name);
	text_add(t, "  CPL %u %s\n", r->cpl, mode_name(&d->m->cpu, mode, sizeof(mode)));
}

static void control(struct text *t, const char *name, unsigned which, uint32_t value, uint32_t before)
{
	char bits[96];

	cell(t, name, value, before);
	control_bits(which, value, bits, sizeof(bits));
	text_add(t, "%s%s\n", *bits ? "  " : "", bits);
}

static void controls(const struct registers *r, const struct registers *b, unsigned width, struct text *t)
{
	control(t, "CR0", 0, r->cr0, b->cr0);
	cell(t, "CR2", r->cr2, b->cr2);
	if (width < 28)
		text_add(t, "\n");
	cell(t, "CR3", r->cr3, b->cr3);
	text_add(t, "\n");
	control(t, "CR4", 4, r->cr4, b->cr4);
	if (r->efer || b->efer)
		control(t, "EFE", 8, r->efer, b->efer);
	for (unsigned i = 0; i < 8; i++)
		if (i < 4 ? r->dr[i] || b->dr[i] : i >= 6 && r->dr[i] != (i == 6 ? 0xffff0ff0u : 0x400u)) {
			char name[4] = { 'D', 'R', (char)('0' + i), 0 };
			cell(t, name, r->dr[i], b->dr[i]);
			text_add(t, "\n");
		}
}

static const char *segment_kind(const struct registers *r, unsigned i)
{
	const struct segment *s = &r->seg[i];

	if (!(r->cr0 & CR0_PE) || r->eflags & F_VM)
		return i >= SEG_LDTR ? "" : "real-mode";
	if (!(s->access & 0x80))
		return "unusable";
	if (i >= SEG_LDTR)
		return i == SEG_TR ? s->access & 8 ? "TSS 32" : "TSS 16" : "LDT";
	if (s->access & 8)
		return s->flags & SEG_FLAG_DB ? "code 32" : "code 16";
	return s->access & 4 ? "data, grows down" : s->access & 2 ? "data" : "data, read-only";
}

static void segments(const struct registers *r, const struct registers *b, unsigned width, struct text *t)
{
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		const struct segment *s = &r->seg[i], *old = &b->seg[i];
		bool changed = s->selector != old->selector || s->base != old->base || s->limit != old->limit || s->access != old->access;
		text_put(t, STYLE_NAME, "%-4s", cpu_segment_names[i]);
		text_put(t, changed ? STYLE_CHANGED : STYLE_PLAIN, " %04x%s", s->selector, changed ? "*" : " ");
		if (width >= 28)
			text_add(t, " %08" PRIx32 "+%08" PRIx32, s->base, s->limit);
		if (width >= 50)
			text_add(t, " %s%s%u", segment_kind(r, i), s->access & 0x80 ? ", DPL " : "", s->access >> 5 & 3);
		text_add(t, "\n");
	}
	if (width < 28)
		return;
	text_put(t, STYLE_NAME, "GDTR");
	text_add(t, "       %08" PRIx32 "+%04x\n", r->gdtr.base, r->gdtr.limit);
	text_put(t, STYLE_NAME, "IDTR");
	text_add(t, "       %08" PRIx32 "+%04x\n", r->idtr.base, r->idtr.limit);
}

static void floating(const struct registers *r, const struct registers *b, struct text *t)
{
	const struct fpu *f = &r->fpu;
	unsigned top = f->status >> 11 & 7;

	text_add(t, "FCW %04x  FSW %04x (TOP %u)  MXCSR %08" PRIx32 "\n", f->control, f->status, top, f->mxcsr);
	for (unsigned i = 0; i < 8; i++) {
		unsigned n = (top + i) & 7;
		const struct x87_reg *x = &f->r[n];
		bool changed = x->mantissa != b->fpu.r[n].mantissa || x->exponent != b->fpu.r[n].exponent;
		text_put(t, changed ? STYLE_CHANGED : STYLE_PLAIN, "ST%u %04x %016" PRIx64 "%s%s\n", i, x->exponent, x->mantissa,
			changed ? "*" : "", f->valid >> n & 1 ? "" : " empty");
	}
	for (unsigned i = 0; i < 8; i++) {
		bool changed = memcmp(&f->xmm[i], &b->fpu.xmm[i], sizeof(f->xmm[i]));
		text_put(t, changed ? STYLE_CHANGED : STYLE_PLAIN, "XMM%u %016" PRIx64 "%016" PRIx64 "%s\n", i, f->xmm[i].u64[1], f->xmm[i].u64[0],
			changed ? "*" : "");
	}
}

/* Registers to compare with: of the mark, if one is asked for, or of the stop before. */
static const struct registers *earlier(const struct notebook *nb, const struct view_request *rq)
{
	return rq->mark ? &rq->mark->registers : &nb->before;
}

void view_registers(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct notebook *nb = notebook(d);
	struct registers r;

	if (!nb) {
		text_put(t, STYLE_BAD, "out of memory\n");
		return;
	}
	registers_read(&d->m->cpu, &r);
	const struct registers *b = earlier(nb, rq);
	const char *what = rq->argument ? rq->argument : "";
	bool all = !*what;
	if (!all && strcmp(what, "general") && strcmp(what, "control") && strcmp(what, "segments") && strcmp(what, "fpu")) {
		text_put(t, STYLE_BAD, "'%s': choose general, control, segments or fpu\n", what);
		return;
	}
	if (all || !strcmp(what, "general")) {
		general(&r, b, rq->width, t);
		where(d, &r, b, t);
		flags(&r, b, t);
	}
	if (all || !strcmp(what, "control"))
		controls(&r, b, rq->large ? 27 : rq->width, t);
	if ((all && !rq->large) || !strcmp(what, "segments"))
		segments(&r, b, rq->width, t);
	if (!strcmp(what, "fpu"))
		floating(&r, b, t);
}

static json_t *segment_json(const struct registers *r, unsigned i)
{
	const struct segment *s = &r->seg[i];

	return json_pack("{s:i,s:o,s:o,s:i,s:s}", "selector", s->selector, "base", json_hex(s->base), "limit", json_hex(s->limit),
		"dpl", s->access >> 5 & 3, "kind", segment_kind(r, i));
}

json_t *view_registers_json(struct debugger *d, const struct view_request *rq)
{
	struct registers r;
	char mode[32];
	json_t *j = json_object();
	static const char *const cr_names[] = { "cr0", "cr2", "cr3", "cr4", "efer" };

	(void)rq;
	registers_read(&d->m->cpu, &r);
	const uint32_t crs[] = { r.cr0, r.cr2, r.cr3, r.cr4, r.efer };
	static const char *const names[8] = { "eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp" };
	for (unsigned i = 0; i < 8; i++)
		json_object_set_new(j, names[i], json_hex(r.r[gpr_order[i]]));
	json_object_set_new(j, "eip", json_hex(r.eip));
	json_object_set_new(j, "eflags", json_hex(r.eflags));
	for (unsigned i = 0; i < 5; i++)
		json_object_set_new(j, cr_names[i], json_hex(crs[i]));
	json_object_set_new(j, "cpl", json_integer(r.cpl));
	json_object_set_new(j, "mode", json_string(mode_name(&d->m->cpu, mode, sizeof(mode))));
	static const char *const lower[SEG_COUNT] = { "es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr" };
	for (unsigned i = 0; i < SEG_COUNT; i++)
		json_object_set_new(j, lower[i], segment_json(&r, i));
	json_object_set_new(j, "gdtr", json_pack("{s:o,s:i}", "base", json_hex(r.gdtr.base), "limit", r.gdtr.limit));
	json_object_set_new(j, "idtr", json_pack("{s:o,s:i}", "base", json_hex(r.idtr.base), "limit", r.idtr.limit));
	return j;
}
