/* emu/state/state_private.h: what the files of state files share: how a machine becomes chunks. See state_file.h. */
#ifndef EMU_STATE_PRIVATE_H
#define EMU_STATE_PRIVATE_H

#include "emu/state/chunks.h"
#include "emu/state/state_file.h"

#define STATE_BLOCK 4096u              /* bytes of RAM and disks that are stored or not as one */
#define STATE_BLOCK_SECTORS (STATE_BLOCK / SECTOR_SIZE)
#define STATE_BATCH 256u               /* blocks in one chunk */

/* Where the chunks of a machine go: o may be NULL, then they stay in w. */
struct state_sink { struct chunk_writer *w; struct state_output *o; };

/* All of a machine, as it is now. whole: its disks' contents too, whatever their images hold. 0, or -1 with a line in err. */
int state_put_machine(struct state_sink *to, struct machine *m, bool whole, char *err);
void state_put(struct state_sink *to, const char *tag, const struct bytes *b);

/* What an image holds, for telling whether it is still the same one: of its size and its blocks that are not zeros. 0 or a negative errno. */
int state_image_hash(int fd, uint64_t sectors, uint64_t *hash);

#endif
