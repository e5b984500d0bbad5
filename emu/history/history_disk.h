/* emu/history/history_disk.h: a disk whose earlier contents can be gone to, between a drive and its host's file.
 *
 *              in the present                          in the past
 *   read       the file                                written since the beginning? else before? else the file
 *   write      before it, the block's first content    memory; the file is left alone
 *              is kept; then the file
 *
 * Blocks are of 4 KB. "now" holds those written since the beginning as they are at this moment, "before" the same blocks as they
 * were at the beginning. In the present now is up to date only after history_disk_gather(): until then it has marks.
 */
#ifndef EMU_HISTORY_DISK_H
#define EMU_HISTORY_DISK_H

#include "devices/device.h"
#include "emu/history/history_pages.h"

struct history_disk {
	struct disk disk;              /* what the drive gets */
	struct disk *file;
	struct page_store *store;
	struct page_tree now, before;
	uint64_t *written;             /* blocks marked in now */
	size_t writes, capacity;
	bool past;
	int error;                     /* negative errno: contents were lost, and the past with them */
};

/* 0 or -ENOMEM. The file stays the caller's. */
int history_disk_open(struct history_disk *d, struct disk *file, struct page_store *store);
void history_disk_close(struct history_disk *d);
/* In the present: now gets what was written. 0 or a negative errno. */
int history_disk_gather(struct history_disk *d);
/* In the present: what has been gathered since this version is let go, to be gathered again. 0 or -ENOMEM. */
int history_disk_rebase(struct history_disk *d, const struct page_tree *now);
/* What the guest finds in a block, as page_hash(), were now this version. */
uint64_t history_disk_hash(const struct history_disk *d, const struct page_tree *now, uint64_t block);
/* Takes a version that now had. */
void history_disk_restore(struct history_disk *d, const struct page_tree *now, bool past);
/* The file becomes what the guest sees now; from here on it is the present. 0 or a negative errno. */
int history_disk_rewrite(struct history_disk *d);

#endif
