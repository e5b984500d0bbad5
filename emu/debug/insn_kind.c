/* emu/debug/insn_kind.c: see insn_kind.h. */
#include "emu/debug/insn_kind.h"

#include "emu/disasm.h"

static bool is_prefix(uint8_t b)
{
	return b == 0x66 || b == 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3 || b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x64 || b == 0x65;
}

static bool is_string(uint8_t op)
{
	return (op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf);
}

static enum insn_kind kind_of(uint8_t op, uint8_t modrm, bool rep)
{
	switch (op) {
	case 0xe8: case 0x9a:
		return INSN_CALL;
	case 0xff:
		return (modrm >> 3 & 7) == 2 || (modrm >> 3 & 7) == 3 ? INSN_CALL : INSN_PLAIN;
	case 0xcc: case 0xcd: case 0xce: case 0xf1:
		return INSN_TRAP;
	case 0xc2: case 0xc3: case 0xca: case 0xcb:
		return INSN_RETURN;
	case 0xcf:
		return INSN_IRET;
	default:
		return rep && is_string(op) ? INSN_REPEATED : INSN_PLAIN;
	}
}

enum insn_kind insn_kind_at(const struct debugger *d, uint32_t la)
{
	uint8_t byte[INSN_MAX] = { 0 };
	size_t n = debugger_read_linear(d, la, byte, 2), i = 0;
	bool rep = false;

	if (n == 2 && is_prefix(byte[0]))
		n = debugger_read_linear(d, la, byte, sizeof(byte));
	for (; i < n && is_prefix(byte[i]); i++)
		rep |= byte[i] == 0xf2 || byte[i] == 0xf3;
	return i < n ? kind_of(byte[i], i + 1 < n ? byte[i + 1] : 0, rep) : INSN_PLAIN;
}

enum insn_kind insn_kind_next(const struct debugger *d)
{
	return insn_kind_at(d, debugger_pc(d));
}

unsigned insn_length(const struct debugger *d, uint32_t la)
{
	struct disassembly dis;

	disassemble(&d->m->cpu, la, d->m->cpu.seg[SEG_CS].flags & SEG_FLAG_DB, &dis);
	return dis.len;
}
