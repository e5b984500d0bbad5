/* emu/state/chunks.h: the container of state files: compressed, checksummed, written whole or not at all.
 *
 *   +0 "PagodaEmu state\n" | +16 u32 version | +20 u32 0 | +24 one zstd frame | u64 checksum of everything before
 *   in the frame: chunks { tag[8], u64 length, bytes }
 *
 * Reading is in two passes: the checksum first, so that a damaged file is called one, whatever is damaged in it; then the chunks. The
 * checksum is no protection from malice, so the readers of chunks check what they find.
 */
#ifndef EMU_CHUNKS_H
#define EMU_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/state/machine_state.h"

#define CHUNK_TAG 8

/* --- writing ----------------------------------------------------------------------------------------------------- */

/* Compresses into memory: what a recording begins with is kept until it ends. */
struct chunk_writer {
	void *zstd;
	struct bytes out;              /* compressed; may be taken away between chunks */
	bool failed;                   /* out of memory */
};

/* level: of compression, 1 is quickest. 0 or -ENOMEM. */
int chunks_begin(struct chunk_writer *w, int level);
/* tag: at most 8 characters. Errors are found at the end. */
void chunks_put(struct chunk_writer *w, const char *tag, const void *data, size_t size);
/* Ends the frame. 0 or -ENOMEM. */
int chunks_end(struct chunk_writer *w);
void chunks_free(struct chunk_writer *w);

struct state_output;
/* A temporary file beside path. NULL with a line in err. */
struct state_output *state_output_begin(const char *path, char *err);
/* Appends what w has compressed so far, and takes it away from there. Errors are found at the end. */
void state_output_take(struct state_output *o, struct chunk_writer *w);
/* The file is path now, on the disk to stay. 0, or -1 with a line in err, and path is as it was. Frees o. */
int state_output_end(struct state_output *o, char *err);
void state_output_abandon(struct state_output *o);

/* --- reading ----------------------------------------------------------------------------------------------------- */

struct chunk_reader;
/* Checks beginning, version and checksum. NULL with a line in err. */
struct chunk_reader *chunks_open(const char *path, char *err);
/* The first chunk again. */
void chunks_rewind(struct chunk_reader *r);
/* 1: the next chunk, until the next call; 0: there are no more; -1 with a line in err. */
int chunks_next(struct chunk_reader *r, char tag[CHUNK_TAG + 1], struct bytes *chunk, char *err);
void chunks_close(struct chunk_reader *r);
bool chunks_recognise(const char *path);

/* --- what chunks are made of ------------------------------------------------------------------------------------- */

/* Appends. False: out of memory; b is as it was. */
bool bytes_put(struct bytes *b, const void *data, size_t size);
bool bytes_put_number(struct bytes *b, uint64_t n, unsigned size);
bool bytes_put_text(struct bytes *b, const char *text);            /* u32 length, then the bytes */

/* Reading stops at the end: then and for ever after, bad is set and everything is 0. */
struct cursor { const uint8_t *at, *end; bool bad; };
const uint8_t *cursor_take(struct cursor *c, size_t size);         /* NULL when bad */
uint64_t cursor_number(struct cursor *c, unsigned size);
/* A copy, the caller's; NULL when bad, too long, with a NUL in it, or out of memory. */
char *cursor_text(struct cursor *c, size_t most);

#endif
