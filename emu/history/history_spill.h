/* emu/history/history_spill.h: pages that memory has no room for, in a file that has no name.
 *
 *   slots of 512, 1024 ... 4096 bytes, one after the other; one that was let go is used again for the next of its size
 *
 * The file is made when the first page comes, in $TMPDIR, else /var/tmp, else /tmp, and goes with the process. A write that fails (no room on the
 * disk, a quota) leaves everything as it was; the file does not grow any more then. Whoever reads checks what came: a file's disk may fail.
 * Writing beyond RLIMIT_FSIZE is an error here only where SIGXFSZ is ignored, as main() does.
 */
#ifndef EMU_HISTORY_SPILL_H
#define EMU_HISTORY_SPILL_H

#include <stddef.h>
#include <stdint.h>

#define SPILL_UNIT 512u
#define SPILL_SIZES 8u                 /* a page is the greatest */

struct spill_slots { uint32_t *slot; size_t count, capacity; };

struct spill {
	int fd;                        /* -1: not made yet */
	uint64_t most, end, used;      /* bytes: the file's bound, its size, in slots that hold something */
	int error;                     /* negative errno: why the file did not grow, the first time; 0: it always has */
	struct spill_slots free[SPILL_SIZES];
};

/* most: bytes; 0: nothing is ever kept here. */
void spill_init(struct spill *s, uint64_t most);
void spill_close(struct spill *s);
/* 0 and the slot, or a negative errno; -ENOSPC without s->error: the bound is reached. */
int spill_put(struct spill *s, const void *bytes, unsigned size, uint32_t *slot);
/* size as it was put. 0 or a negative errno. */
int spill_get(const struct spill *s, uint32_t slot, void *bytes, unsigned size);
void spill_drop(struct spill *s, uint32_t slot, unsigned size);

#endif
