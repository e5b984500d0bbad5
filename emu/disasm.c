/* emu/disasm.c: see disasm.h. */
#include "emu/disasm.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <string.h>

size_t peek_linear(const struct cpu *cpu, laddr_t la, void *buf, size_t size)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < size; i++) {
		paddr_t pa;
		if (!mmu_peek(cpu->mmu, la + (laddr_t)i, &pa) || phys_kind_of(cpu->mmu->phys, pa, NULL) == PHYS_MMIO)
			return i;
		phys_copy_out(cpu->mmu->phys, pa, p + i, 1);
	}
	return size;
}

static void disassemble_as(const struct cpu *cpu, laddr_t la, bool bits32, cs_opt_value syntax, struct disassembly *d)
{
	csh handle;
	cs_insn *insn;

	*d = (struct disassembly){ 0 };
	size_t n = peek_linear(cpu, la, d->byte, INSN_MAX);
	if (!n || cs_open(CS_ARCH_X86, bits32 ? CS_MODE_32 : CS_MODE_16, &handle) != CS_ERR_OK) {
		snprintf(d->text, sizeof(d->text), "(not mapped)");
		return;
	}
	cs_option(handle, CS_OPT_SYNTAX, syntax);
	if (cs_disasm(handle, d->byte, n, la, 1, &insn) == 1) {
		d->len = insn->size;
		snprintf(d->text, sizeof(d->text), "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "", insn->op_str);
		cs_free(insn, 1);
	} else {
		d->len = 1;
		snprintf(d->text, sizeof(d->text), "(bad)");
	}
	cs_close(&handle);
}

void disassemble(const struct cpu *cpu, laddr_t la, bool bits32, struct disassembly *d)
{
	disassemble_as(cpu, la, bits32, CS_OPT_SYNTAX_ATT, d);
}

void disassemble_intel(const struct cpu *cpu, laddr_t la, bool bits32, struct disassembly *d)
{
	disassemble_as(cpu, la, bits32, CS_OPT_SYNTAX_INTEL, d);
}

void disassemble_next(const struct cpu *cpu, struct disassembly *d)
{
	const struct segment *cs = &cpu->seg[SEG_CS];

	disassemble(cpu, cs->base + cpu->eip, cs->flags & SEG_FLAG_DB, d);
}
