/* emu/debug/insn_kind.h: what an instruction is to somebody who steps: does it go somewhere and come back? */
#ifndef EMU_DEBUG_INSN_KIND_H
#define EMU_DEBUG_INSN_KIND_H

#include "emu/debug/debugger.h"

enum insn_kind {
	INSN_PLAIN,
	INSN_CALL,                     /* near and far CALL */
	INSN_TRAP,                     /* INT n, INT3, INTO, INT1 */
	INSN_REPEATED,                 /* a string instruction with REP */
	INSN_RETURN,                   /* near and far RET */
	INSN_IRET,
};

/* The next instruction, or the one at la in the code size of now. Unreadable: INSN_PLAIN. */
enum insn_kind insn_kind_next(const struct debugger *d);
enum insn_kind insn_kind_at(const struct debugger *d, uint32_t la);
/* Its length; 0: unreadable. */
unsigned insn_length(const struct debugger *d, uint32_t la);

#endif
