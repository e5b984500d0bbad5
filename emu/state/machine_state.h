/* emu/state/machine_state.h: a machine's state as bytes: everything but RAM and disks, which are too big to copy whole each time.
 *
 *   header | processor's fields by name | each device: name, version, fields by name | timers in their order | TLB | rest
 *
 * One description serves checkpoints in memory, snapshots on disk and comparison: cpu_visit_state() and the devices' reg tables. Fields are
 * found by name and size, so that a file written before a field was added loads (the field keeps its value after reset), and one that
 * holds a field nobody knows is refused by that name. Bytes are untrusted: loading checks everything and changes nothing when it
 * fails; what fits its field but no machine could hold is brought within bounds by the devices' restored().
 */
#ifndef EMU_MACHINE_STATE_H
#define EMU_MACHINE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "emu/machine.h"

struct bytes { uint8_t *data; size_t size, capacity; };

/* Between runs. 0 or -ENOMEM. Appends. What a run goes on from: also TLB, order of timers, input not yet taken by the UART,
 * fault and control histories, requests. Loading it at once would change nothing. */
int machine_state_save(struct machine *m, struct bytes *out);
/* RAM must have been put in place before (it is not looked at, but decoded code is forgotten). 0, or -1 with a line in err. Tells nobody:
 * the caller calls machine_jumped(). */
int machine_state_load(struct machine *m, const uint8_t *data, size_t size, char *err);
/* The name of the first field in which two saved states differ ("cpu.eax", "cmos.cell[3]", "tlb.vpn[7]"), or NULL. name lives in buf. */
const char *machine_state_compare(const struct bytes *a, const struct bytes *b, char *buf, size_t size);

#endif
