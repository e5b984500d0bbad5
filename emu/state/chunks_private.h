/* emu/state/chunks_private.h: what chunks.c and state_output.c share. */
#ifndef EMU_CHUNKS_PRIVATE_H
#define EMU_CHUNKS_PRIVATE_H

#include "emu/state/chunks.h"

#define STATE_MAGIC "PagodaEmu state\n"
#define STATE_HEADER 24u               /* magic, version, 0 */
#define STATE_CHECKSUM 8u

/* Room for size more bytes. False: out of memory. */
bool bytes_room(struct bytes *b, size_t size);
/* size: of the compressed part. Owns fd, unless NULL is returned. */
struct chunk_reader *chunk_reader_new(int fd, const char *path, uint64_t size);

#endif
