/* cpu/table.c: insn.def as an array. */
#include "cpu/cpu.h"
#include "cpu/insn.h"
#include "cpu/ops.h"

/* Every handler named in the table, its own declaration. */
#define ROW(map, opcode, ext, name, a, b, c, props, out, undefined, h16, h32) extern exec_fn h16, h32;
#include "cpu/insn.def"
#undef ROW

const struct insn_row insn_table[] = {
#define ROW(map, opcode, ext, name, a, b, c, props, out, undefined, h16, h32) \
	{ map, opcode, ext, name, { OPD_##a, OPD_##b, OPD_##c }, props, out, undefined, h16, h32 },
#include "cpu/insn.def"
#undef ROW
};
const unsigned insn_rows = sizeof(insn_table) / sizeof(insn_table[0]);
