/* emu/debug/breakpoint.h: what the debugger can stop for. Nothing is ever written into the guest.
 *
 * Going backwards, what is marked "after" stops before the instruction that did it: the last boundary at which it had not happened yet, as
 * gdb does. The others stop where they do forwards. An instruction that is repeated (REP) is come to once, and again after
 * each interrupt.
 */
#ifndef EMU_DEBUG_BREAKPOINT_H
#define EMU_DEBUG_BREAKPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum break_kind {
	BREAK_EXECUTE,                 /* before the instruction at address */
	BREAK_READ, BREAK_WRITE, BREAK_ACCESS,     /* after an instruction (or DMA) touched [address, address + length) */
	BREAK_PORT,                    /* ports [address, address + length); after */
	BREAK_MSR,                     /* written; address is its number; after */
	BREAK_CONTROL,                 /* CR<address> written; after */
	BREAK_EXCEPTION,               /* before delivery; vector (or any), error code & mask == value, CR2 in [address, +length) if length */
	BREAK_INTERRUPT,               /* at the handler's first instruction; vector or any */
	BREAK_SPACE,                   /* CR3 becomes address, or any other if any; after */
	BREAK_MAPPING,                 /* the PDPTE, PDE or PTE that maps the linear address changed (Accessed and Dirty aside), or its TLB
	                                * entry came, changed or went (not: with a switch of address spaces); after */
	BREAK_RESUME,                  /* before a faulted instruction runs again; address: of the instruction, if length */
	BREAK_COUNT,                   /* before instruction number address */
	BREAK_KINDS
};
enum break_space {
	SPACE_LINEAR,                  /* in every address space */
	SPACE_VIRTUAL,                 /* only while CR3 is cr3 */
	SPACE_PHYSICAL,
};

struct breakpoint {
	unsigned id;                   /* from 1; given by debugger_break_add */
	enum break_kind kind;
	enum break_space space;
	uint32_t cr3;
	uint64_t address;
	uint32_t length;               /* at least 1 where it says a range */
	int vector;                    /* -1: any */
	uint32_t error_mask, error_value;
	bool any;
	bool enabled;
	bool temporary;                /* gone after its first stop */
	bool silent;                   /* a face's own (gdb's, a step's): not listed unless asked */
	char *condition;               /* expression (expr.h), or NULL; owned */
	uint64_t ignore;               /* hits still to pass by */
	uint64_t hits;
	char *commands;                /* lines for the monitor to run at a stop, or NULL; owned */
	struct breakpoint *next;
};

#endif
