/* tests/silicon/vectors.h: cases with the answers of a processor, recorded so that they can be asked for on any computer.
 *
 * A file of vectors is compressed (xz). Unpacked: the line "silicon 1 NAME OF THE PROCESSOR\n", then one record after another:
 *
 *   length     2 bytes, of what follows in the record
 *   code       count of instructions, offset of each, length, bytes
 *   state      fields that differ from sil_plain_state(): a mask of 4 bytes, then each field
 *   patches    count, then page, offset (2), length, bytes of each
 *   answer     vector (1, signed), error and CR2 (4 each, if there was an exception), fields that differ from the state before
 *   memory     count (2) of changed stretches, then page, offset (2), length, bytes of each
 *
 * Everything is spelled out, nothing follows from a seed: a record means the same whatever becomes of the generator. Numbers are
 * little-endian.
 */
#ifndef TESTS_SILICON_VECTORS_H
#define TESTS_SILICON_VECTORS_H

#include <stddef.h>

#include "compare.h"

struct sil_buffer {
	uint8_t *data;
	size_t size, capacity;
};

/* What most fields of a case are. */
void sil_plain_state(struct sil_state *s);
/* Appends one record: the case, and the answer in b->host and the host's memory, as the run left it. */
void sil_encode(struct sil_buffer *to, const struct sil_bench *b, const struct sil_case *c);
/* Reads the record at *at, moves *at on: the case, the answer into b->host; then its memory is prepared, and the host's made
 * what it was after the case. False when the record is broken. */
bool sil_decode(const struct sil_buffer *from, size_t *at, struct sil_bench *b, struct sil_case *c);

/* Whole files; false with a message on stderr. */
bool sil_may_write(const char *path);          /* creates an empty one */
bool sil_write_file(const char *path, const struct sil_buffer *unpacked);
bool sil_read_file(const char *path, struct sil_buffer *unpacked);
void sil_append(struct sil_buffer *to, const void *bytes, size_t n);

#endif
