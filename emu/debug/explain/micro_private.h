/* emu/debug/explain/micro_private.h: what micro.c (running and recording), micro_roles.c (what an access is for) and micro_changes.c (what is
 * different afterwards) share. */
#ifndef EMU_DEBUG_MICRO_PRIVATE_H
#define EMU_DEBUG_MICRO_PRIVATE_H

#include "emu/debug/explain/micro.h"
#include "emu/debug/explain/system_tables.h"
#include "emu/observer.h"

#define FRAME_SLOTS 10

/* What the processor is doing with a linear address. */
enum role {
	ROLE_PLAIN,                    /* instruction or operand */
	ROLE_GATE,                     /* of the IDT */
	ROLE_DESCRIPTOR,               /* of the GDT or LDT */
	ROLE_TSS,
	ROLE_PUSH,                     /* a slot of the frame for a handler */
};

/* The delivery of one event, from its gate on. */
struct delivery_plan {
	bool active;
	bool task;                     /* through a task gate */
	bool inner;                    /* to another stack, */
	unsigned ring;                 /* ... this ring's */
	bool told_stack;
	unsigned names, size;          /* slots the frame will have, bytes of each */
	const char *name[FRAME_SLOTS];
	unsigned opened;               /* slots whose address is known */
	laddr_t slot[FRAME_SLOTS];
	laddr_t new_tss;
	uint32_t new_tss_limit;
	bool new_wide;
};

/* A page that was opened for writing, as it was before. */
struct page_before { struct page_before *next; paddr_t pa; laddr_t la; bool written; uint8_t byte[PAGE_SIZE]; };

struct micro_recorder {
	struct debugger *d;
	struct machine *m;
	struct micro *u;
	size_t capacity;
	bool failed;                   /* out of memory */
	struct cpu before;
	bool began;                    /* an instruction, not an interrupt */
	bool software;                 /* ... that is INT n, INT3, INTO or INT1 */
	bool delivering, delivered;
	struct fault_record fault;     /* being delivered, when delivering */
	struct delivery_plan plan;
	bool walking;                  /* walked() told of the access that translated() will end */
	struct walk walk;
	enum role role;                /* of the access in progress */
	char name[16];                 /* ... in words */
	laddr_t entry_done;            /* 8-byte entry whose first half has been told */
	laddr_t tss_page;              /* last page of a TSS that was told in full */
	struct page_before *pages, **last_page;        /* in the order they were touched */
};

/* One more event, of the access in progress. NULL: out of memory. */
struct micro_event *micro_add(struct micro_recorder *r, enum micro_kind kind);
void micro_name(struct micro_event *e, const char *name);
void micro_tell_pushes(struct micro_recorder *r);
void micro_tell_registers(struct micro_recorder *r);
void micro_tell_memory(struct micro_recorder *r);

/* Plans the frame from the gate at la: called when the gate is read. */
void plan_delivery(struct micro_recorder *r, laddr_t gate);
void plan_real_mode(struct micro_recorder *r);
/* What an access is for; name (16 bytes) says it in words. Counts frame slots. */
enum role access_role(struct micro_recorder *r, const struct access *a, char name[16]);

#endif
