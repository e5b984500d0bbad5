/* emu/debug/registers.c: see registers.h. */
#include "emu/debug/registers.h"

#include <stdio.h>
#include <string.h>

void registers_read(const struct cpu *cpu, struct registers *r)
{
	memset(r, 0, sizeof(*r));          /* padding too: registers are compared as bytes */
	memcpy(r->r, cpu->r, sizeof(r->r));
	r->eip = cpu->eip;
	r->eflags = cpu_eflags(cpu);
	r->cr0 = cpu->cr0;
	r->cr2 = cpu->cr2;
	r->cr3 = cpu->cr3;
	r->cr4 = cpu->cr4;
	r->efer = cpu->efer;
	memcpy(r->dr, cpu->dr, sizeof(r->dr));
	memcpy(r->seg, cpu->seg, sizeof(r->seg));
	r->gdtr = cpu->gdtr;
	r->idtr = cpu->idtr;
	r->fpu = cpu->fpu;
	r->cpl = cpu->cpl;
}

const char *mode_name(const struct cpu *cpu, char *buf, size_t size)
{
	const char *mode = !(cpu->cr0 & CR0_PE) ? "real" : cpu_eflags(cpu) & F_VM ? "V86"
		: cpu->seg[SEG_CS].flags & SEG_FLAG_DB ? "protected 32" : "protected 16";

	snprintf(buf, size, "%s%s", mode, !(cpu->cr0 & CR0_PG) ? "" : cpu->cr4 & CR4_PAE ? "+PAE" : "+paging");
	return buf;
}

static const struct { uint32_t bit; const char *name; } cr0_bits[] = {
	{ CR0_PG, "PG" }, { CR0_CD, "CD" }, { CR0_NW, "NW" }, { CR0_AM, "AM" }, { CR0_WP, "WP" }, { CR0_NE, "NE" }, { CR0_ET, "ET" },
	{ CR0_TS, "TS" }, { CR0_EM, "EM" }, { CR0_MP, "MP" }, { CR0_PE, "PE" }, { 0, NULL } },
  cr4_bits[] = {
	{ CR4_OSXMMEXCPT, "OSXMMEXCPT" }, { CR4_OSFXSR, "OSFXSR" }, { CR4_PCE, "PCE" }, { CR4_PGE, "PGE" }, { CR4_MCE, "MCE" },
	{ CR4_PAE, "PAE" }, { CR4_PSE, "PSE" }, { CR4_DE, "DE" }, { CR4_TSD, "TSD" }, { CR4_PVI, "PVI" }, { CR4_VME, "VME" }, { 0, NULL } },
  efer_bits[] = { { EFER_NXE, "NXE" }, { 0, NULL } };

const char *control_bits(unsigned which, uint32_t value, char *buf, size_t size)
{
	size_t n = 0;

	*buf = 0;
	for (size_t i = 0; ; i++) {
		uint32_t bit = which == 0 ? cr0_bits[i].bit : which == 4 ? cr4_bits[i].bit : efer_bits[i].bit;
		const char *name = which == 0 ? cr0_bits[i].name : which == 4 ? cr4_bits[i].name : efer_bits[i].name;
		if (!name)
			return buf;
		if (value & bit && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "", name);
	}
}

const char *flag_letters(uint32_t eflags, char *buf, size_t size)
{
	static const struct { uint32_t bit; const char *set, *clear; } flags[] = {
		{ F_ID, " ID", "" }, { F_VIP, " VIP", "" }, { F_VIF, " VIF", "" }, { F_AC, " AC", "" }, { F_VM, " VM", "" },
		{ F_RF, " RF", "" }, { F_NT, " NT", "" },
		{ F_OF, " O", " o" }, { F_DF, " D", " d" }, { F_IF, " I", " i" }, { F_TF, " T", " t" }, { F_SF, " S", " s" },
		{ F_ZF, " Z", " z" }, { F_AF, " A", " a" }, { F_PF, " P", " p" }, { F_CF, " C", " c" },
	};
	size_t n = 0;

	*buf = 0;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && n < size; i++) {
		const char *s = eflags & flags[i].bit ? flags[i].set : flags[i].clear;
		n += (size_t)snprintf(buf + n, size - n, "%s", n ? s : s + (*s == ' '));
	}
	return buf;
}
