/* emu/debug/explain/system_tables.h: the tables a processor consults when it delivers an event, read as a debugger: IDT, GDT, LDT, TSS.
 * References: [SDM3A 3.4.5 "Segment Descriptors"], [SDM3A 6.11 "IDT Descriptors"], [SDM3A 7.2.1 "Task-State Segment (TSS)"].
 */
#ifndef EMU_DEBUG_SYSTEM_TABLES_H
#define EMU_DEBUG_SYSTEM_TABLES_H

#include "cpu/cpu.h"
#include "emu/debug/text.h"

enum gate_type { GATE_NONE, GATE_TASK, GATE_INTERRUPT, GATE_TRAP };
struct gate {
	enum gate_type type;           /* GATE_NONE: the bytes are no gate for events */
	bool present, wide;            /* wide: 32-bit */
	unsigned dpl;
	uint16_t selector;
	uint32_t offset;
};
struct gate gate_decode(const uint8_t bytes[8]);
/* "32-bit interrupt gate, DPL 0, to 0008:c0101234" or what is wrong with it. */
void gate_words(const struct gate *g, struct text *t);

struct descriptor_view {
	bool known;                    /* within its table, and the table is mapped */
	uint64_t raw;
	uint32_t base, limit;          /* limit in bytes */
	uint8_t access, flags;
	laddr_t la;                    /* where it stands */
};
struct descriptor_view descriptor_peek(const struct cpu *cpu, uint16_t selector);
struct descriptor_view descriptor_decode(uint64_t raw);
/* "code, DPL 0, 32-bit, base 0 limit ffffffff" */
void descriptor_words(const struct descriptor_view *v, struct text *t);

/* "ESP0", "EFLAGS": the field of a TSS at an offset; NULL: none begins there. */
const char *tss_field(bool wide, uint32_t offset);

/* Bytes at a linear address; false: not all are mapped. */
bool peek_bytes(const struct cpu *cpu, laddr_t la, void *buf, size_t size);

#endif
