/* cpu/insn.h: one decoded instruction, and the table of all there are.
 *
 * The decoder turns bytes into struct insn once; the interpreter runs its handler, a translator will read its fields.
 * insn.def has one row for each opcode, in the manual's order and with the manual's operand codes [SDM2D A.2 "Key to Abbreviations"].
 */
#ifndef CPU_INSN_H
#define CPU_INSN_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct insn;
struct block;

/* What a handler says. */
enum exec {
	EXEC_OK,                   /* of a step within a handler: done, go on */
	EXEC_FAULT,                /* cpu->fault says which; nothing has changed */
	EXEC_SINGLE,               /* must be run alone, outside the cache (device or code touched); nothing has changed */
	EXEC_NEXT,                 /* done; on to the next instruction of the block (builds without tail calls) */
	EXEC_STOP,                 /* done, and cpu->eip is set: leave the block */
};
typedef enum exec exec_fn(struct cpu *cpu, const struct insn *in);

enum { REP_NONE, REP_F3, REP_F2 };
#define INSN_MAX 15                /* bytes of the longest instruction */

struct insn {
	exec_fn *handler;
	struct block *link;        /* direct branches: the block at the target, when in the same page and known */
	uint32_t disp;             /* ModRM displacement or moffs, extended to 32 bits */
	uint32_t imm;              /* immediate (sign-extended where the manual says) or branch displacement */
	uint16_t imm2;             /* selector of a far pointer; second immediate of ENTER */
	uint16_t row;              /* index into insn_table[] */
	uint16_t offset;           /* of the first byte, in its page */
	uint8_t len;               /* bytes, 1..15 */
	uint8_t mod;               /* ModRM.mod; 3 means rm is a register */
	uint8_t reg, rm;           /* ModRM fields, or the register in the opcode's low bits (in rm) */
	uint8_t base, index, scale;        /* memory operand: r[base] + (r[index] << scale) + disp; R_ZERO when absent */
	uint8_t seg;               /* segment of the memory operand, override applied */
	uint8_t opsize;            /* 2 or 4: bytes of a v operand */
	uint8_t addrsize;          /* 2 or 4 */
	uint8_t rep;               /* REP_* */
	uint8_t lock;
	uint8_t opcode;            /* last opcode byte */
	uint8_t left;              /* instructions from this one to the end of its block, itself included */
};

/* Operand codes of the manual. */
enum operand {
	OPD_NONE,
#define OPERAND(x) OPD_##x,
#include "cpu/operand.def"
#undef OPERAND
};

/* Properties of a row. */
#define IP_ENDS    (1u << 0)       /* ends a block: transfers control, or can change mode, mapping, or pending interrupts */
#define IP_LOCK    (1u << 1)       /* LOCK is legal with a memory destination */
#define IP_REP     (1u << 2)       /* string instruction: REP counts */
#define IP_MEMONLY (1u << 3)       /* the row is of memory forms: mod 3 is another row, or #UD */
#define IP_REGONLY (1u << 4)       /* the row is of register forms */
#define IP_CPL0    (1u << 5)       /* #GP(0) outside ring 0 */
#define IP_BRANCH  (1u << 6)       /* relative branch: imm is the displacement */
#define IP_STRING  (1u << 7)       /* implicit DS:ESI and/or ES:EDI */
#define IP_STACK   (1u << 8)       /* implicit stack access */
#define IP_ANYMOD  (1u << 9)       /* with IP_REGONLY: mod is ignored, r/m is always a register */
/* The row is chosen by a mandatory prefix [SDM2A 2.1.2 "Instruction Prefixes"]: none, 66, F3 or F2. F3 and F2 come before 66. */
#define IP_NP      (1u << 10)
#define IP_P66     (1u << 11)
#define IP_PF3     (1u << 12)
#define IP_PF2     (1u << 13)
#define IP_PREFIX  (IP_NP | IP_P66 | IP_PF3 | IP_PF2)
#define IP_X87     (1u << 14)      /* uses the x87 registers, as floating point or as MMX */
#define IP_SSE     (1u << 15)      /* uses the XMM registers or MXCSR */

struct insn_row {
	uint8_t map;               /* 1: one byte; 2: 0F xx */
	uint8_t opcode;
	int16_t ext;               /* ModRM.reg that selects the row in a group, or the whole ModRM byte (C0..FF), or -1 */
	const char *name;          /* mnemonic; "mov" */
	uint8_t operand[3];        /* enum operand */
	uint32_t props;            /* IP_* */
	uint32_t flags_out;        /* F_* the manual defines as modified */
	uint32_t flags_undefined;  /* F_* the manual leaves undefined; the canonical value is the handler's comment */
	exec_fn *handler16, *handler32;    /* by operand size; the same where it does not matter */
};
extern const struct insn_row insn_table[];
extern const unsigned insn_rows;

enum decode_result {
	DECODE_OK,
	DECODE_UD,                 /* no such instruction, bad LOCK, bad operand form: #UD; len is what was consumed */
	DECODE_TOO_LONG,           /* over 15 bytes: #GP(0) */
	DECODE_MORE,               /* the bytes given end before the instruction does */
};

/* Decodes from bytes[0..avail). code32: CS.D. Fills *in (handler, offset 0). Pure. */
enum decode_result decode(const uint8_t *bytes, unsigned avail, bool code32, struct insn *in);

#endif
