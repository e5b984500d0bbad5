/* emu/state/machine_fields.h: what a machine's state consists of, as a list of named fields. For machine_state.c.
 *
 *   machine.*   memory and TLB geometry (which must be the same to load), time, requests, gates
 *   cpu.*       cpu_visit_state(), the histories of faults and of control registers
 *   DEVICE.*    its version and its table of registers; a second device of one name is DEVICE[1]
 *   mmu.*       the walk of the last fault and the counters
 *
 * What follows from these is not among them: hidden parts of the processor, the paging unit's view of its registers, decoded code. Nor are RAM,
 * disks, the log of input, and what the host set (limits, watchers).
 */
#ifndef EMU_MACHINE_FIELDS_H
#define EMU_MACHINE_FIELDS_H

#include "emu/machine.h"

#define FIELD_NAME 64

struct machine_field {
	char name[FIELD_NAME];
	uint8_t *data;
	uint32_t size, count, stride;      /* of one element, how many, from one to the next */
	uint64_t most;                     /* a number greater than that is refused; UINT64_MAX: none is */
	bool fixed;                        /* only the value that is there already may be loaded */
	bool late;                         /* changed by what loading the others causes: stored last */
};

struct machine_fields {
	struct machine *machine;
	struct machine_field *field;
	unsigned count, capacity;
	bool failed;                       /* out of memory */
	const char *device;                /* while collecting: prefix of its names */
	/* Copies of what has no home of its own in the machine. */
	uint32_t eflags, tlb_entries, tlb_ways;
	uint16_t version[MACHINE_DEVICES];
};

/* 0 or -ENOMEM. Fields point into the machine and into f. */
int machine_fields_collect(struct machine_fields *f, struct machine *m);
void machine_fields_free(struct machine_fields *f);
/* Everything as after RESET, but memory: for fields a file does not have. */
void machine_fields_reset(struct machine *m);
/* After the fields have been stored: makes what follows from them. The TLB is empty then. */
void machine_fields_stored(struct machine_fields *f);
/* "pit", or "ide[1]" for the second of a name. */
void machine_device_label(const struct machine *m, unsigned device, char *buf, size_t size);

#endif
