/* emu/gdb/packets_registers.c: the target description and the packets that read and write registers. One table gives both, so that gdb and we
 * agree on the order.
 * References: [GDB G.5.11 "i386 Features"] for the names of the first two features; the third is our own. */
#include "emu/gdb/packets.h"
#include "emu/gdb/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cpu/fpu.h"

enum where { FIELD, EIP, EFLAGS, ST, FTAG, XMM };

struct target_register {
	const char *name;
	unsigned bits;
	const char *type;
	enum where where;
	size_t at;                     /* FIELD: offset in struct cpu; ST and XMM: number */
	unsigned bytes;                /* FIELD: there */
	const char *writes;            /* the name debugger_write_register knows; NULL: read-only here */
	const char *feature;           /* the first register of a feature names it */
};

#define R32(name, index, type) { name, 32, type, FIELD, offsetof(struct cpu, r[index]), 4, name, NULL }
#define SELECTOR(name, which) { name, 32, "int32", FIELD, offsetof(struct cpu, seg[which].selector), 2, name, NULL }
#define X87(name, field, bytes) { name, 32, "int", FIELD, offsetof(struct cpu, fpu.field), bytes, NULL, NULL }
#define SYSTEM(name, field, bytes, writes) { name, 32, "uint32", FIELD, offsetof(struct cpu, field), bytes, writes, NULL }
#define BASE(name, which) SYSTEM(name, seg[which].base, 4, NULL)

static const struct target_register registers[] = {
	{ "eax", 32, "int32", FIELD, offsetof(struct cpu, r[R_EAX]), 4, "eax", "org.gnu.gdb.i386.core" },
	R32("ecx", R_ECX, "int32"), R32("edx", R_EDX, "int32"), R32("ebx", R_EBX, "int32"), R32("esp", R_ESP, "data_ptr"),
	R32("ebp", R_EBP, "data_ptr"), R32("esi", R_ESI, "int32"), R32("edi", R_EDI, "int32"),
	{ "eip", 32, "code_ptr", EIP, 0, 4, "eip", NULL },
	{ "eflags", 32, "i386_eflags", EFLAGS, 0, 4, "eflags", NULL },
	SELECTOR("cs", SEG_CS), SELECTOR("ss", SEG_SS), SELECTOR("ds", SEG_DS), SELECTOR("es", SEG_ES), SELECTOR("fs", SEG_FS), SELECTOR("gs", SEG_GS),
	{ "st0", 80, "i387_ext", ST, 0, 10, "", NULL }, { "st1", 80, "i387_ext", ST, 1, 10, "", NULL },
	{ "st2", 80, "i387_ext", ST, 2, 10, "", NULL }, { "st3", 80, "i387_ext", ST, 3, 10, "", NULL },
	{ "st4", 80, "i387_ext", ST, 4, 10, "", NULL }, { "st5", 80, "i387_ext", ST, 5, 10, "", NULL },
	{ "st6", 80, "i387_ext", ST, 6, 10, "", NULL }, { "st7", 80, "i387_ext", ST, 7, 10, "", NULL },
	X87("fctrl", control, 2), X87("fstat", status, 2), { "ftag", 32, "int", FTAG, 0, 4, NULL, NULL }, X87("fiseg", cs, 2), X87("fioff", ip, 4),
	X87("foseg", ds, 2), X87("fooff", dp, 4), X87("fop", opcode, 2),
	{ "xmm0", 128, "vec128", XMM, 0, 16, "", "org.gnu.gdb.i386.sse" }, { "xmm1", 128, "vec128", XMM, 1, 16, "", NULL },
	{ "xmm2", 128, "vec128", XMM, 2, 16, "", NULL }, { "xmm3", 128, "vec128", XMM, 3, 16, "", NULL },
	{ "xmm4", 128, "vec128", XMM, 4, 16, "", NULL }, { "xmm5", 128, "vec128", XMM, 5, 16, "", NULL },
	{ "xmm6", 128, "vec128", XMM, 6, 16, "", NULL }, { "xmm7", 128, "vec128", XMM, 7, 16, "", NULL },
	{ "mxcsr", 32, "i386_mxcsr", FIELD, offsetof(struct cpu, fpu.mxcsr), 4, NULL, NULL },
	{ "cr0", 32, "uint32", FIELD, offsetof(struct cpu, cr0), 4, "cr0", "org.pagoda.emu.system" },
	SYSTEM("cr2", cr2, 4, "cr2"), SYSTEM("cr3", cr3, 4, "cr3"), SYSTEM("cr4", cr4, 4, "cr4"), SYSTEM("efer", efer, 4, NULL),
	SYSTEM("dr0", dr[0], 4, "dr0"), SYSTEM("dr1", dr[1], 4, "dr1"), SYSTEM("dr2", dr[2], 4, "dr2"), SYSTEM("dr3", dr[3], 4, "dr3"),
	SYSTEM("dr6", dr[6], 4, "dr6"), SYSTEM("dr7", dr[7], 4, "dr7"),
	BASE("cs_base", SEG_CS), BASE("ss_base", SEG_SS), BASE("ds_base", SEG_DS), BASE("es_base", SEG_ES), BASE("fs_base", SEG_FS), BASE("gs_base", SEG_GS),
	SYSTEM("gdtr_base", gdtr.base, 4, NULL), SYSTEM("gdtr_limit", gdtr.limit, 2, NULL),
	SYSTEM("idtr_base", idtr.base, 4, NULL), SYSTEM("idtr_limit", idtr.limit, 2, NULL),
	SYSTEM("ldtr", seg[SEG_LDTR].selector, 2, NULL), SYSTEM("ldtr_base", seg[SEG_LDTR].base, 4, NULL),
	SYSTEM("tr", seg[SEG_TR].selector, 2, NULL), SYSTEM("tr_base", seg[SEG_TR].base, 4, NULL),
	SYSTEM("cpl", cpl, 1, NULL),
};
#define REGISTERS (sizeof(registers) / sizeof(registers[0]))

/* --- the description -------------------------------------------------------------------------------------------------- */

static const char sse_types[] =
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/><vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
	"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
	"<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
	"<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>"
	"<flags id=\"i386_mxcsr\" size=\"4\"><field name=\"IE\" start=\"0\" end=\"0\"/><field name=\"DE\" start=\"1\" end=\"1\"/>"
	"<field name=\"ZE\" start=\"2\" end=\"2\"/><field name=\"OE\" start=\"3\" end=\"3\"/><field name=\"UE\" start=\"4\" end=\"4\"/>"
	"<field name=\"PE\" start=\"5\" end=\"5\"/><field name=\"DAZ\" start=\"6\" end=\"6\"/><field name=\"FZ\" start=\"15\" end=\"15\"/></flags>";

static const struct { const char *name; unsigned bit; } eflags_bits[] = {
	{ "CF", 0 }, { "", 1 }, { "PF", 2 }, { "AF", 4 }, { "ZF", 6 }, { "SF", 7 }, { "TF", 8 }, { "IF", 9 }, { "DF", 10 }, { "OF", 11 },
	{ "NT", 14 }, { "RF", 16 }, { "VM", 17 }, { "AC", 18 }, { "VIF", 19 }, { "VIP", 20 }, { "ID", 21 },
};

static void write_types(FILE *out, const char *feature)
{
	if (strstr(feature, "sse"))
		fputs(sse_types, out);
	if (!strstr(feature, "core"))
		return;
	fputs("<flags id=\"i386_eflags\" size=\"4\">", out);
	for (size_t i = 0; i < sizeof(eflags_bits) / sizeof(eflags_bits[0]); i++)
		fprintf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", eflags_bits[i].name, eflags_bits[i].bit, eflags_bits[i].bit);
	fputs("</flags>", out);
}

static const char *group_of(const struct target_register *r)
{
	if (r->where == XMM || !strcmp(r->name, "mxcsr"))
		return "vector";
	if (r->where == ST || r->where == FTAG || !strcmp(r->type, "int"))
		return "float";
	return r->at >= offsetof(struct cpu, cr0) ? "system" : "general";
}

/* No <architecture>: gdb takes i386 from the registers, and `set architecture i8086` works, which it does not against a description
 * that names one. */
void target_description(FILE *out)
{
	unsigned offset = 0;

	fputs("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">", out);
	for (size_t i = 0; i < REGISTERS; i++) {
		const struct target_register *r = &registers[i];
		if (r->feature) {
			fprintf(out, "%s<feature name=\"%s\">", i ? "</feature>" : "", r->feature);
			write_types(out, r->feature);
		}
		fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%zu\" offset=\"%u\" group=\"%s\"/>",
			r->name, r->bits, r->type, i, offset, group_of(r));
		offset += r->bits / 8;
	}
	fputs("</feature></target>", out);
}

/* --- values ----------------------------------------------------------------------------------------------------------- */

static unsigned physical_st(const struct cpu *cpu, size_t i)
{
	return ((cpu->fpu.status >> 11) + i) & 7;
}

/* r->bits / 8 bytes, least significant first. */
static void get(const struct cpu *cpu, const struct target_register *r, uint8_t *bytes)
{
	uint32_t value = 0;

	memset(bytes, 0, r->bits / 8);
	switch (r->where) {
	case FIELD:
		memcpy(bytes, (const char *)cpu + r->at, r->bytes);
		return;
	case ST:
		memcpy(bytes, &cpu->fpu.r[physical_st(cpu, r->at)].mantissa, 8);
		memcpy(bytes + 8, &cpu->fpu.r[physical_st(cpu, r->at)].exponent, 2);
		return;
	case XMM:
		memcpy(bytes, cpu->fpu.xmm[r->at].u8, 16);
		return;
	case EIP:
		value = cpu->seg[SEG_CS].base + cpu->eip;
		break;
	case EFLAGS:
		value = cpu_eflags(cpu);
		break;
	case FTAG:
		value = fpu_tag_word(&cpu->fpu);
		break;
	}
	memcpy(bytes, &value, 4);
}

static int put_wide(struct gdb *g, const struct target_register *r, const uint8_t *bytes)
{
	struct cpu *cpu = &g->d->m->cpu;
	char err[ERROR_LINE];

	if (history_fork(g->d->h, err))
		return EIO;
	if (r->where == XMM) {
		memcpy(cpu->fpu.xmm[r->at].u8, bytes, 16);
		return 0;
	}
	struct x87_reg *st = &cpu->fpu.r[physical_st(cpu, r->at)];
	cpu->fpu.valid |= (uint8_t)(1u << physical_st(cpu, r->at));
	memcpy(&st->mantissa, bytes, 8);
	memcpy(&st->exponent, bytes + 8, 2);
	return 0;
}

/* 0 or an errno. What stays the same is not written: G sends everything back, and a write forks history. */
static int put(struct gdb *g, const struct target_register *r, const uint8_t *bytes)
{
	struct cpu *cpu = &g->d->m->cpu;
	char err[ERROR_LINE];
	uint8_t old[16];
	uint32_t value;

	get(cpu, r, old);
	if (!memcmp(old, bytes, r->bits / 8))
		return 0;
	if (!r->writes)
		return EPERM;
	if (!*r->writes)
		return put_wide(g, r, bytes);
	memcpy(&value, bytes, 4);
	if (r->where == EIP)
		value -= cpu->seg[SEG_CS].base;
	return debugger_write_register(g->d, r->writes, value, err) ? EINVAL : 0;
}

/* --- packets ------------------------------------------------------------------------------------------------------------ */

static void packet_g(struct gdb *g, char *args, char *end)
{
	uint8_t bytes[16];

	(void)args, (void)end;
	for (size_t i = 0; i < REGISTERS; i++) {
		get(&g->d->m->cpu, &registers[i], bytes);
		answer_hex(g, bytes, registers[i].bits / 8);
	}
}

static void packet_G(struct gdb *g, char *args, char *end)
{
	(void)end;
	answer_ok(g);
	for (size_t i = 0; i < REGISTERS; i++) {
		uint8_t bytes[16];
		size_t size = registers[i].bits / 8;
		if (take_bytes(&args, bytes, size) != size) {
			answer_error(g, EINVAL);
			return;
		}
		int error = put(g, &registers[i], bytes);
		if (error)
			answer_error(g, error);
	}
}

static void packet_p(struct gdb *g, char *args, char *end)
{
	uint8_t bytes[16];
	uint64_t n;

	(void)end;
	if (!take_hex(&args, &n) || n >= REGISTERS) {
		answer_error(g, EINVAL);
		return;
	}
	get(&g->d->m->cpu, &registers[n], bytes);
	answer_hex(g, bytes, registers[n].bits / 8);
}

static void packet_P(struct gdb *g, char *args, char *end)
{
	uint8_t bytes[16];
	uint64_t n;

	(void)end;
	if (!take_hex(&args, &n) || n >= REGISTERS || !take_char(&args, '=') ||
	    take_bytes(&args, bytes, registers[n].bits / 8) != registers[n].bits / 8) {
		answer_error(g, EINVAL);
		return;
	}
	int error = put(g, &registers[n], bytes);
	if (error)
		answer_error(g, error);
	else
		answer_ok(g);
}

const struct packet register_packets[] = {
	{ "g", packet_g }, { "G", packet_G }, { "p", packet_p }, { "P", packet_P }, { 0 },
};
