/* emu/monitor/commands_cpu.c: commands about the processor and the devices: registers, descriptor tables, memory map, screen. */
#include "emu/monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/view/views.h"
#include "emu/report.h"

/* NEMU's `info r`, gdb's `info registers eax`: one register's name is also an answer. */
static void run_registers(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t value;
	unsigned bits;
	const char *name = args + (*args == '$');

	if (*name && register_read(d, name, &value, &bits)) {
		text_put(&r->text, STYLE_NAME, "%s", name);
		text_add(&r->text, " 0x%0*" PRIx64 "  %" PRIu64 "\n", (int)(bits / 4), value, value);
		reply_set(r, name, json_hex(value));
	} else
		reply_view(d, "registers", args, 0, r);
}

static void run_flags(struct debugger *d, const char *args, struct reply *r)
{
	char letters[80];
	uint32_t f = cpu_eflags(&d->m->cpu);

	(void)args;
	text_add(&r->text, "%08" PRIx32 "  %s  IOPL %u\n", f, flag_letters(f, letters, sizeof(letters)), f >> 12 & 3);
	reply_set(r, "eflags", json_hex(f));
}

/* --- descriptor tables ---------------------------------------------------------------------------------------------------------- */

static const char *descriptor_kind(uint32_t low, uint32_t high, char *buf, size_t size)
{
	static const char *const system[16] = { "reserved", "TSS 16", "LDT", "TSS 16 (busy)", "call gate 16", "task gate", "interrupt gate 16", "trap gate 16",
		"reserved", "TSS 32", "reserved", "TSS 32 (busy)", "call gate 32", "reserved", "interrupt gate 32", "trap gate 32" };
	unsigned type = high >> 8 & 15;
	bool s = high >> 12 & 1, gate = !s && (type & 4) && type != 2 && (type & 7) != 2;

	if (gate && type >= 4 && (type & 7) >= 4)
		snprintf(buf, size, "%s to %04x:%08x", system[type], low >> 16, (high & 0xffff0000) | (low & 0xffff));
	else {
		uint32_t base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
		uint32_t limit = (low & 0xffff) | (high & 0xf0000);
		if (high & 1u << 23)
			limit = limit << 12 | 0xfff;
		snprintf(buf, size, "%s base %08x limit %08x", !s ? system[type] : type & 8 ? high & 1u << 22 ? "code 32" : "code 16"
			: type & 2 ? "data" : "data, read-only", base, limit);
	}
	return buf;
}

/* The entries that are not all zero. name: what the number of an entry is. */
static void descriptors(struct debugger *d, uint32_t base, uint32_t limit, bool idt, const char *args, struct reply *r)
{
	uint64_t only = 0;
	bool one = *args;
	unsigned shown = 0;
	json_t *list = json_array();

	if (one && !number_of(d, args, &only, r)) {
		json_decref(list);
		return;
	}
	for (uint32_t i = 0; 8 * i + 7 <= limit && i < 8192; i++) {
		uint8_t b[8];
		char what[96];
		if (one && i != (idt ? only : only >> 3))
			continue;
		if (debugger_read_linear(d, base + 8 * i, b, 8) != 8) {
			text_put(&r->text, STYLE_BAD, "the entry at %08" PRIx32 " is not mapped\n", base + 8 * i);
			break;
		}
		uint32_t low = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
		uint32_t high = (uint32_t)b[4] | (uint32_t)b[5] << 8 | (uint32_t)b[6] << 16 | (uint32_t)b[7] << 24;
		if (!one && !low && !high)
			continue;
		descriptor_kind(low, high, what, sizeof(what));
		char name[128] = "";
		if (idt)
			source_symbol(d, (high & 0xffff0000) | (low & 0xffff), name, sizeof(name));
		text_put(&r->text, STYLE_ADDRESS, idt ? "%3" PRIu32 : "%04" PRIx32, idt ? i : 8 * i);
		text_put(&r->text, STYLE_DIM, " %-4s", idt ? vector_mnemonic(i) : "");
		text_add(&r->text, "%08" PRIx32 " %08" PRIx32 "  %s, DPL %u%s", high, low, what, high >> 13 & 3, high & 1u << 15 ? "" : ", not present");
		text_put(&r->text, STYLE_NAME, "%s%s\n", *name ? "  " : "", name);
		json_array_append_new(list, json_pack("{s:i,s:o,s:o,s:s,s:i,s:b}", "index", (int)i, "low", json_hex(low), "high", json_hex(high), "kind", what,
			"dpl", (int)(high >> 13 & 3), "present", (int)(high >> 15 & 1)));
		shown++;
	}
	if (!shown)
		text_put(&r->text, STYLE_DIM, "(no entries: base %08" PRIx32 ", limit %04" PRIx32 ")\n", base, limit);
	reply_set(r, "entries", list);
}

static void run_gdt(struct debugger *d, const char *args, struct reply *r)
{
	descriptors(d, d->m->cpu.gdtr.base, d->m->cpu.gdtr.limit, false, args, r);
}

static void run_ldt(struct debugger *d, const char *args, struct reply *r)
{
	const struct segment *s = &d->m->cpu.seg[SEG_LDTR];

	if (!(s->access & 0x80))
		reply_fail(r, "there is no LDT");
	else
		descriptors(d, s->base, s->limit, false, args, r);
}

/* In real mode the table holds far pointers. */
static void run_idt(struct debugger *d, const char *args, struct reply *r)
{
	const struct cpu *cpu = &d->m->cpu;

	if (cpu->cr0 & CR0_PE) {
		descriptors(d, cpu->idtr.base, cpu->idtr.limit, true, args, r);
		return;
	}
	for (uint32_t i = 0; 4 * i + 3 <= cpu->idtr.limit && i < 256; i++) {
		uint8_t b[4];
		if (debugger_read_linear(d, cpu->idtr.base + 4 * i, b, 4) == 4 && (b[0] | b[1] | b[2] | b[3]))
			text_add(&r->text, "%3" PRIu32 " %02x%02x:%02x%02x\n", i, b[3], b[2], b[1], b[0]);
	}
}

static void run_tss(struct debugger *d, const char *args, struct reply *r)
{
	static const struct { const char *name; unsigned at; } fields[] = {
		{ "link", 0 }, { "ESP0", 4 }, { "SS0", 8 }, { "ESP1", 12 }, { "SS1", 16 }, { "ESP2", 20 }, { "SS2", 24 }, { "CR3", 28 }, { "EIP", 32 },
		{ "EFLAGS", 36 }, { "EAX", 40 }, { "ECX", 44 }, { "EDX", 48 }, { "EBX", 52 }, { "ESP", 56 }, { "EBP", 60 }, { "ESI", 64 }, { "EDI", 68 },
		{ "ES", 72 }, { "CS", 76 }, { "SS", 80 }, { "DS", 84 }, { "FS", 88 }, { "GS", 92 }, { "LDT", 96 }, { "T, I/O map", 100 },
	};
	const struct segment *tr = &d->m->cpu.seg[SEG_TR];

	(void)args;
	if (!(d->m->cpu.cr0 & CR0_PE) || !(tr->access & 8)) {
		reply_fail(r, "no 32-bit TSS is loaded");
		return;
	}
	text_add(&r->text, "TR %04x base %08" PRIx32 " limit %08" PRIx32 "\n", tr->selector, tr->base, tr->limit);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint8_t b[4];
		if (debugger_read_linear(d, tr->base + fields[i].at, b, 4) != 4)
			break;
		uint32_t v = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
		text_put(&r->text, STYLE_NAME, "%-10s", fields[i].name);
		text_add(&r->text, " %08" PRIx32 "%s", v, i % 4 == 3 ? "\n" : "  ");
		reply_set(r, fields[i].name, json_hex(v));
	}
	text_add(&r->text, "\n");
}

/* --- machine ------------------------------------------------------------------------------------------------------------------------ */

static void run_mtree(struct debugger *d, const char *args, struct reply *r)
{
	static const char *const kinds[] = { "hole", "RAM", "ROM", "device" };
	const struct phys *phys = &d->m->phys;
	json_t *list = json_array();

	(void)args;
	for (unsigned i = 1; i < phys->ranges; i++) {
		const struct phys_range *p = &phys->range[i];
		text_add(&r->text, "%09" PRIx64 " - %09" PRIx64 "  %-6s %s\n", p->start, p->start + p->size - 1, kinds[p->kind], p->name);
		json_array_append_new(list, json_pack("{s:o,s:o,s:s,s:s}", "start", json_hex(p->start), "size", json_hex(p->size), "kind", kinds[p->kind],
			"name", p->name));
	}
	for (unsigned i = 0; i < d->m->ports.ranges; i++) {
		const struct port_range *p = &d->m->ports.range[i];
		if (p->dev)
			text_add(&r->text, "port %04x - %04x          %s\n", p->base, p->base + p->count - 1, p->dev->ops->name);
	}
	reply_set(r, "ranges", list);
}

static void run_devices(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "devices", args, 0, r); }

static void run_screendump(struct debugger *d, const char *args, struct reply *r)
{
	char screen[VGA_TEXT_BYTES];

	vga_text(&d->m->vga, screen, sizeof(screen));
	if (!*args)
		text_add(&r->text, "%s", screen);
	else if (files_allowed(r)) {
		FILE *out = fopen(args, "we");
		bool bad = !out || fputs(screen, out) == EOF;
		if ((out && fclose(out)) || bad)
			reply_fail(r, "cannot write '%s': %s", args, strerror(errno));
	}
}

const struct command cpu_commands[] = {
	{ "info registers", "[NAME|general|control|segments|fpu]", "the processor's registers; * changed since the stop before\ninfo registers\ninfo registers cr3",
		run_registers, NULL, NULL },
	{ "info r", NULL, NULL, NULL, "info registers", NULL },
	{ "info reg", NULL, NULL, NULL, "info registers", NULL },
	{ "info all-registers", NULL, NULL, NULL, "info registers", NULL },
	{ "info cpu", NULL, NULL, NULL, "info registers", NULL },
	{ "registers", NULL, NULL, NULL, "info registers", NULL },
	{ "regs", NULL, NULL, NULL, "info registers", NULL },
	{ "reg", NULL, NULL, NULL, "info registers", NULL },
	{ "creg", NULL, NULL, NULL, "info registers control", NULL },
	{ "sreg", NULL, NULL, NULL, "info registers segments", NULL },
	{ "fp", NULL, NULL, NULL, "info registers fpu", NULL },
	{ "fpu", NULL, NULL, NULL, "info registers fpu", NULL },
	{ "info float", NULL, NULL, NULL, "info registers fpu", NULL },
	{ "info eflags", NULL, "the flags in letters", run_flags, NULL, NULL },
	{ "info flags", NULL, NULL, NULL, "info eflags", NULL },
	{ "info gdt", "[SELECTOR]", "the global descriptor table", run_gdt, NULL, NULL },
	{ "info ldt", "[SELECTOR]", "the local one", run_ldt, NULL, NULL },
	{ "info idt", "[VECTOR]", "the gates of interrupts and exceptions", run_idt, NULL, NULL },
	{ "info ivt", NULL, NULL, NULL, "info idt", NULL },
	{ "info tss", NULL, "the task state segment", run_tss, NULL, NULL },
	{ "info devices", "[NAME]", "registers of the devices\ninfo devices pit", run_devices, NULL, NULL },
	{ "info qtree", NULL, NULL, NULL, "info devices", NULL },
	{ "info device", NULL, NULL, NULL, "info devices", NULL },
	{ "info pic", NULL, NULL, NULL, "info devices pic", NULL },
	{ "info pit", NULL, NULL, NULL, "info devices pit", NULL },
	{ "info pci", NULL, NULL, NULL, "info devices pci", NULL },
	{ "info mtree", NULL, "what lies where in physical memory and port space", run_mtree, NULL, NULL },
	{ "screendump", "[FILE]", "the text screen", run_screendump, NULL, NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
