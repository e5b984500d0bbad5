/* emu/debug/explain/micro.h: the walk step: the inside of one instruction, event by event.
 *
 *   fetch translation -> TLB hit | CR3 -> PDE -> PTE -> A/D -> fill -> operand translations ... -> fault -> gate -> stack switch -> each push
 *
 * The instruction is run once with everything watched and the machine is then put back to before it; the events are what was seen.
 * While somebody steps through them, the machine stands before the instruction; after the last event it is stepped for real.
 */
#ifndef EMU_DEBUG_MICRO_H
#define EMU_DEBUG_MICRO_H

#include "emu/debug/debugger.h"
#include "emu/debug/text.h"

enum micro_kind {
	MICRO_INTERRUPT,               /* instead of an instruction: one is accepted; value: vector */
	MICRO_FETCH, MICRO_READ, MICRO_WRITE,      /* an access begins: access */
	MICRO_TLB_HIT, MICRO_TLB_MISS,
	MICRO_ENTRY,                   /* one level of the walk: step, level (0: CR3's or first) */
	MICRO_SET_BITS,                /* A or D is set in an entry: address, old, value */
	MICRO_TLB_FILL,
	MICRO_TLB_DROP,                /* value: how many translations in a row; access: the first */
	MICRO_PHYSICAL,                /* translated: address is the physical one */
	MICRO_FAULT,                   /* fault: vector, error, CR2 */
	MICRO_GATE,                    /* IDT entry read: address, value */
	MICRO_DESCRIPTOR,              /* GDT or LDT entry read */
	MICRO_STACK,                   /* stack switch: old and new SS:ESP; level: the ring */
	MICRO_PUSH,                    /* one word of the frame: address (linear), value, name ("EIP", "error code") */
	MICRO_REGISTER,                /* a register changed: name, old, value */
	MICRO_MEMORY,                  /* bytes stored: address (linear if known), old, value */
	MICRO_HANDLER,                 /* handler's first instruction: value is its linear address */
	MICRO_DONE,                    /* the instruction completed */
	MICRO_PORT,                    /* a port was read or written: address, value, size; name "in" or "out" */
};

struct micro_event {
	enum micro_kind kind;
	struct access access;          /* the access it belongs to */
	unsigned level;
	struct walk walk;              /* MICRO_ENTRY .. MICRO_FAULT: of the access */
	struct fault_record fault;
	uint64_t address, old, value;
	unsigned size;
	char name[16];
};

struct micro {
	struct micro_event *event;
	size_t count, position;        /* position: events already shown */
	struct moment at;              /* the instruction's */
};

/* Looks into the next instruction. 0, or -1 with a line in err. The machine stands where it stood. */
int micro_begin(struct debugger *d, struct micro *u, char *err);
void micro_free(struct micro *u);
/* One event in words, one line: "walk 2/2: PTE at 0x00103ffc = 0x00000000: P=0, not present: the walk ends here". */
void micro_describe(const struct debugger *d, const struct micro_event *e, struct text *t);
/* The walk as the lecture's diagram up to the event at position (the linear address split into its fields, CR3 -> PDE -> PTE -> frame,
 * bits lettered). width: columns there are, from 60. */
void walk_diagram(const struct debugger *d, const struct walk *w, unsigned levels_shown, unsigned width, struct text *t);

#endif
