/* emu/debug/explain/system_tables.c: see system_tables.h. */
#include "emu/debug/explain/system_tables.h"

#include <string.h>

#include "emu/disasm.h"

bool peek_bytes(const struct cpu *cpu, laddr_t la, void *buf, size_t size)
{
	return peek_linear(cpu, la, buf, size) == size;
}

/* --- gates ----------------------------------------------------------------------------------------------------------- */

struct gate gate_decode(const uint8_t b[8])
{
	unsigned type = b[5] & 0x1f;
	struct gate g = {
		.present = b[5] & 0x80, .wide = type & 8, .dpl = b[5] >> 5 & 3, .selector = (uint16_t)(b[2] | b[3] << 8),
		.offset = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[6] << 16 | (uint32_t)b[7] << 24,
	};

	if (type == 5)
		g.type = GATE_TASK;
	else if (type == 6 || type == 14)
		g.type = GATE_INTERRUPT;
	else if (type == 7 || type == 15)
		g.type = GATE_TRAP;
	if (!g.wide)
		g.offset &= 0xffff;
	return g;
}

void gate_words(const struct gate *g, struct text *t)
{
	if (g->type == GATE_NONE) {
		text_put(t, STYLE_BAD, "no interrupt, trap or task gate");
		return;
	}
	if (g->type == GATE_TASK)
		text_add(t, "task gate, DPL %u, to the TSS %04x", g->dpl, g->selector);
	else
		text_add(t, "%s %s gate, DPL %u, to %04x:%08x", g->wide ? "32-bit" : "16-bit", g->type == GATE_TRAP ? "trap" : "interrupt", g->dpl,
			 g->selector, g->offset);
	if (!g->present)
		text_put(t, STYLE_BAD, ", P=0 not present");
}

/* --- descriptors -------------------------------------------------------------------------------------------------------- */

struct descriptor_view descriptor_decode(uint64_t raw)
{
	struct descriptor_view v = { .known = true, .raw = raw };

	v.access = (uint8_t)(raw >> 40);
	v.flags = (uint8_t)(raw >> 52 & 15);
	v.base = (uint32_t)(raw >> 16 & 0xffffff) | (uint32_t)(raw >> 56 << 24);
	v.limit = (uint32_t)(raw & 0xffff) | (uint32_t)(raw >> 32 & 0xf0000);
	if (v.flags & SEG_FLAG_G)
		v.limit = v.limit << 12 | 0xfff;
	return v;
}

struct descriptor_view descriptor_peek(const struct cpu *cpu, uint16_t selector)
{
	uint32_t base = selector & 4 ? cpu->seg[SEG_LDTR].base : cpu->gdtr.base;
	uint32_t limit = selector & 4 ? cpu->seg[SEG_LDTR].limit : cpu->gdtr.limit;
	struct descriptor_view v = { .la = base + (selector & 0xfff8u) };
	laddr_t la = v.la;
	uint64_t raw;

	if ((selector | 7u) > limit || !peek_bytes(cpu, la, &raw, 8))
		return v;
	v = descriptor_decode(raw);
	v.la = la;
	return v;
}

void descriptor_words(const struct descriptor_view *v, struct text *t)
{
	static const char *const system[16] = {
		[1] = "16-bit TSS", [2] = "LDT", [3] = "busy 16-bit TSS", [4] = "16-bit call gate", [5] = "task gate",
		[6] = "16-bit interrupt gate", [7] = "16-bit trap gate", [9] = "32-bit TSS", [11] = "busy 32-bit TSS",
		[12] = "32-bit call gate", [14] = "32-bit interrupt gate", [15] = "32-bit trap gate",
	};
	const char *kind = v->access & 0x10 ? v->access & 8 ? "code" : "data" : system[v->access & 15];

	text_add(t, "%s, DPL %u, base %08x limit %08x", kind ? kind : "reserved type", v->access >> 5 & 3, v->base, v->limit);
	if (!(v->access & 0x80))
		text_put(t, STYLE_BAD, ", P=0 not present");
}

/* --- the TSS ---------------------------------------------------------------------------------------------------------------- */

const char *tss_field(bool wide, uint32_t offset)
{
	static const char *const names32[] = {
		"link", "ESP0", "SS0", "ESP1", "SS1", "ESP2", "SS2", "CR3", "EIP", "EFLAGS", "EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI",
		"ES", "CS", "SS", "DS", "FS", "GS", "LDT", "T flag",
	};
	static const char *const names16[] = {
		"link", "SP0", "SS0", "SP1", "SS1", "SP2", "SS2", "IP", "FLAGS", "AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI",
		"ES", "CS", "SS", "DS", "LDT",
	};
	uint32_t size = wide ? 4 : 2, n = offset / size;

	if (wide && offset == 102)
		return "I/O map";
	if (offset % size)
		return NULL;
	if (wide)
		return n < sizeof(names32) / sizeof(*names32) ? names32[n] : "I/O map";
	return n < sizeof(names16) / sizeof(*names16) ? names16[n] : NULL;
}
