/* tests/cpu/capstone.h: where the decoder and Capstone may differ. Two tables in capstone.c: names that only sound different, and
 * real differences, each with the reason why ours is right.
 */
#ifndef TESTS_CPU_CAPSTONE_H
#define TESTS_CPU_CAPSTONE_H

#include "cpu/cpu.h"
#include "cpu/insn.h"

/* Prefixes of a test case and what else the meaning of its bytes depends on, as bits. PX_66_FIRST: 66 stands before F2 or F3; PX_66_LAST: after. */
#define PX_66       (1u << 0)
#define PX_67       (1u << 1)
#define PX_F2       (1u << 2)
#define PX_F3       (1u << 3)
#define PX_F0       (1u << 4)
#define PX_SEG      (1u << 5)
#define PX_66_FIRST (1u << 6)
#define PX_66_LAST  (1u << 7)
#define PX_CODE16   (1u << 8)      /* no prefix: the code is 16-bit */

enum form { FORM_ANY, FORM_MEM, FORM_REG };    /* ModRM.mod below 3, or 3 */

/* One class of differences: all its cases, no other. */
struct difference {
	const char *ours;          /* mnemonics here, a list with spaces; "#UD"; or "*" for any instruction */
	const char *theirs;        /* Capstone's, without printed prefixes; "none"; or "*" */
	uint8_t map, first, last;  /* opcodes: 1: one byte, 2: 0F, 3: 0F 38, 4: 0F 3A; 0: any */
	uint8_t regs;              /* ModRM.reg: a bit for each, 0: any */
	uint8_t form;
	uint32_t prefixes;         /* all of these are there */
	bool length;               /* the lengths may differ too */
	const char *why;
};
extern const struct difference differences[];
extern const unsigned difference_count;

struct tried {
	unsigned map;
	uint8_t opcode, modrm;
	uint32_t prefixes;
};
/* The class a difference belongs to, or -1. in is NULL when there is no such instruction here, theirs when there is none there. */
int difference_class(const struct tried *t, const struct insn *in, const char *theirs, bool same_length);
/* Whether Capstone's name, which may have prefixes before it, is ours. */
bool same_name(const struct insn *in, const char *theirs);
/* Capstone's name without the prefixes that it prints. */
const char *bare_name(const char *theirs);

#endif
