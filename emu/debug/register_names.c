/* emu/debug/register_names.c: registers by name, read and set by hand.
 *
 * Most rows say where in struct cpu the register lies; parts of general registers (AX, AL, AH) follow from their whole, and what
 * is computed (EFLAGS, the linear PC) has a function.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/debug/register_names.h"

/* Whether it may be set by hand: no; by storing; by a function, since other things hang on it. A selector may not: it alone would
 * leave the hidden part behind, and no machine is in such a state. */
enum setting { FIXED, STORED, EFFECT };

struct register_row {
	const char *name;
	uint16_t offset;               /* in struct cpu */
	uint8_t bits, shift;           /* shift: AH ... */
	enum setting setting;
	uint64_t (*read)(const struct cpu *cpu);   /* instead of a place */
};

static uint64_t read_eflags(const struct cpu *cpu) { return cpu_eflags(cpu); }
static uint64_t read_pc(const struct cpu *cpu) { return (uint32_t)(cpu->seg[SEG_CS].base + cpu->eip); }

#define AT(field) offsetof(struct cpu, field)
#define SEGMENT(name, index) \
	{ name, AT(seg[index].selector), 16, 0, FIXED, NULL }
#define HIDDEN(name, index) \
	{ name ".base", AT(seg[index].base), 32, 0, FIXED, NULL }, { name ".limit", AT(seg[index].limit), 32, 0, FIXED, NULL }, \
	{ name ".access", AT(seg[index].access), 8, 0, FIXED, NULL }
#define PARTS(index, word, low) \
	{ word, AT(r[index]), 16, 0, STORED, NULL }, { low, AT(r[index]), 8, 0, STORED, NULL }

static const struct register_row rows[] = {
	{ "eax", AT(r[R_EAX]), 32, 0, STORED, NULL }, { "ebx", AT(r[R_EBX]), 32, 0, STORED, NULL },
	{ "ecx", AT(r[R_ECX]), 32, 0, STORED, NULL }, { "edx", AT(r[R_EDX]), 32, 0, STORED, NULL },
	{ "esi", AT(r[R_ESI]), 32, 0, STORED, NULL }, { "edi", AT(r[R_EDI]), 32, 0, STORED, NULL },
	{ "ebp", AT(r[R_EBP]), 32, 0, STORED, NULL }, { "esp", AT(r[R_ESP]), 32, 0, STORED, NULL },
	{ "eip", AT(eip), 32, 0, STORED, NULL }, { "eflags", 0, 32, 0, EFFECT, read_eflags },
	SEGMENT("cs", SEG_CS), SEGMENT("ss", SEG_SS), SEGMENT("ds", SEG_DS),
	SEGMENT("es", SEG_ES), SEGMENT("fs", SEG_FS), SEGMENT("gs", SEG_GS),
	{ "cpl", AT(cpl), 8, 0, FIXED, NULL },
	{ "cr0", AT(cr0), 32, 0, EFFECT, NULL }, { "cr2", AT(cr2), 32, 0, STORED, NULL },
	{ "cr3", AT(cr3), 32, 0, EFFECT, NULL }, { "cr4", AT(cr4), 32, 0, EFFECT, NULL },
	{ "efer", AT(efer), 32, 0, FIXED, NULL },
	{ "gdtr.base", AT(gdtr.base), 32, 0, STORED, NULL }, { "gdtr.limit", AT(gdtr.limit), 16, 0, STORED, NULL },
	{ "idtr.base", AT(idtr.base), 32, 0, STORED, NULL }, { "idtr.limit", AT(idtr.limit), 16, 0, STORED, NULL },
	SEGMENT("ldtr", SEG_LDTR), SEGMENT("tr", SEG_TR),
	{ "dr0", AT(dr[0]), 32, 0, STORED, NULL }, { "dr1", AT(dr[1]), 32, 0, STORED, NULL }, { "dr2", AT(dr[2]), 32, 0, STORED, NULL },
	{ "dr3", AT(dr[3]), 32, 0, STORED, NULL }, { "dr6", AT(dr[6]), 32, 0, FIXED, NULL }, { "dr7", AT(dr[7]), 32, 0, FIXED, NULL },
	{ "pdpte0", AT(pdpte[0]), 64, 0, FIXED, NULL }, { "pdpte1", AT(pdpte[1]), 64, 0, FIXED, NULL },
	{ "pdpte2", AT(pdpte[2]), 64, 0, FIXED, NULL }, { "pdpte3", AT(pdpte[3]), 64, 0, FIXED, NULL },
	HIDDEN("cs", SEG_CS), HIDDEN("ss", SEG_SS), HIDDEN("ds", SEG_DS), HIDDEN("es", SEG_ES), HIDDEN("fs", SEG_FS), HIDDEN("gs", SEG_GS),
	HIDDEN("ldtr", SEG_LDTR), HIDDEN("tr", SEG_TR),
	{ "sysenter_cs", AT(sysenter_cs), 32, 0, STORED, NULL }, { "sysenter_esp", AT(sysenter_esp), 32, 0, STORED, NULL },
	{ "sysenter_eip", AT(sysenter_eip), 32, 0, STORED, NULL },
	{ "apic_base", AT(apic_base), 64, 0, FIXED, NULL }, { "pat", AT(pat), 64, 0, FIXED, NULL },
	{ "fcw", AT(fpu.control), 16, 0, FIXED, NULL }, { "fsw", AT(fpu.status), 16, 0, FIXED, NULL }, { "fvalid", AT(fpu.valid), 8, 0, FIXED, NULL },
	{ "mxcsr", AT(fpu.mxcsr), 32, 0, FIXED, NULL },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Other names and parts: known, but not listed. */
static const struct register_row other_rows[] = {
	PARTS(R_EAX, "ax", "al"), PARTS(R_EBX, "bx", "bl"), PARTS(R_ECX, "cx", "cl"), PARTS(R_EDX, "dx", "dl"),
	{ "ah", AT(r[R_EAX]), 8, 8, STORED, NULL }, { "bh", AT(r[R_EBX]), 8, 8, STORED, NULL },
	{ "ch", AT(r[R_ECX]), 8, 8, STORED, NULL }, { "dh", AT(r[R_EDX]), 8, 8, STORED, NULL },
	{ "si", AT(r[R_ESI]), 16, 0, STORED, NULL }, { "di", AT(r[R_EDI]), 16, 0, STORED, NULL }, { "bp", AT(r[R_EBP]), 16, 0, STORED, NULL },
	{ "sp", AT(r[R_ESP]), 32, 0, STORED, NULL }, { "fp", AT(r[R_EBP]), 32, 0, STORED, NULL }, { "ip", AT(eip), 16, 0, STORED, NULL },
	{ "pc", 0, 32, 0, EFFECT, read_pc }, { "flags", 0, 32, 0, EFFECT, read_eflags }, { "efl", 0, 32, 0, EFFECT, read_eflags },
	{ "gdtr", AT(gdtr.base), 32, 0, STORED, NULL }, { "idtr", AT(idtr.base), 32, 0, STORED, NULL },
};

static const struct register_row *find_in(const struct register_row *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

static const struct register_row *find_row(const char *name)
{
	const struct register_row *row = find_in(rows, ROWS, name);

	return row ? row : find_in(other_rows, sizeof(other_rows) / sizeof(other_rows[0]), name);
}

static uint64_t mask_of(const struct register_row *row)
{
	return row->bits == 64 ? ~0ull : (1ull << row->bits) - 1;
}

bool register_read(const struct debugger *d, const char *name, uint64_t *value, unsigned *bits)
{
	const struct register_row *row = find_row(name);
	uint64_t v = 0;

	if (!row)
		return false;
	if (row->read)
		v = row->read(&d->m->cpu);
	else
		memcpy(&v, (const char *)&d->m->cpu + row->offset, (row->bits + row->shift) / 8u);
	*value = v >> row->shift & mask_of(row);
	if (bits)
		*bits = row->bits;
	return true;
}

const char *register_name(unsigned index)
{
	return index < ROWS ? rows[index].name : NULL;
}

/* --- setting ---------------------------------------------------------------------------------------------------------- */

/* Reserved bits are left out, as a guest could not set them either; VM, since no POPF changes it. */
#define EFLAGS_BITS 0x003d7fd5u
#define CR4_BITS    0x000007ffu

int register_check_write(const char *name, uint64_t value, char *err)
{
	const struct register_row *row = find_row(name);

	if (!row)
		return loader_fail(err, "there is no register '%.60s'", name);
	if (row->setting == FIXED)
		return loader_fail(err, "register '%s' cannot be set by hand", name);
	if (value & ~mask_of(row))
		return loader_fail(err, "0x%llx does not fit into the %u bits of %s", (unsigned long long)value, row->bits, name);
	if (!strcmp(name, "cr0") && ((value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD))))
		return loader_fail(err, "CR0 with PG but not PE, or NW but not CD, is a value no processor takes");
	if (!strcmp(name, "cr4") && value & ~CR4_BITS)
		return loader_fail(err, "CR4 has no bits beyond 0x%x", CR4_BITS);
	return 0;
}

static void set_with_effect(struct cpu *cpu, const struct register_row *row, uint32_t value)
{
	if (row->read == read_eflags)
		cpu_set_eflags(cpu, (value & EFLAGS_BITS) | (cpu->eflags & F_VM) | F_ONE);
	else if (row->read == read_pc)
		cpu->eip = value - cpu->seg[SEG_CS].base;
	else if (row->offset == AT(cr0))
		cpu_set_cr0(cpu, value | CR0_ET);
	else if (row->offset == AT(cr3))
		cpu_set_cr3(cpu, value);
	else
		cpu_set_cr4(cpu, value);
}

void register_write(struct machine *m, const char *name, uint64_t value)
{
	const struct register_row *row = find_row(name);

	if (row->setting == EFFECT)
		set_with_effect(&m->cpu, row, (uint32_t)value);
	else
		memcpy((char *)&m->cpu + row->offset + row->shift / 8, &value, row->bits / 8u);
	m->cpu.repeating = false;
	m->cpu.attention = true;
}
