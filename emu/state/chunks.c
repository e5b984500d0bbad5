/* emu/state/chunks.c: the compressing and decompressing half of chunks.h; state_output.c puts it into files. */
#include "emu/state/chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "emu/state/chunks_private.h"
#include "emu/hash.h"
#include "devices/host_io.h"

#define STEP 65536u

/* --- bytes ----------------------------------------------------------------------------------------------------------- */

bool bytes_room(struct bytes *b, size_t size)
{
	if (b->capacity - b->size >= size)
		return true;
	if (size > SIZE_MAX / 4 || b->capacity > SIZE_MAX / 4)
		return false;
	size_t capacity = b->capacity + b->capacity / 2 + size;
	uint8_t *grown = realloc(b->data, capacity);
	if (!grown)
		return false;
	b->data = grown;
	b->capacity = capacity;
	return true;
}

bool bytes_put(struct bytes *b, const void *data, size_t size)
{
	if (!bytes_room(b, size))
		return false;
	if (size)
		memcpy(b->data + b->size, data, size);
	b->size += size;
	return true;
}

bool bytes_put_number(struct bytes *b, uint64_t n, unsigned size)
{
	uint8_t le[8];

	for (unsigned i = 0; i < size; i++)
		le[i] = (uint8_t)(n >> 8 * i);
	return bytes_put(b, le, size);
}

bool bytes_put_text(struct bytes *b, const char *text)
{
	size_t length = strlen(text);

	return bytes_put_number(b, length, 4) && bytes_put(b, text, length);
}

const uint8_t *cursor_take(struct cursor *c, size_t size)
{
	const uint8_t *at = c->at;

	if (c->bad || (size_t)(c->end - c->at) < size) {
		c->bad = true;
		return NULL;
	}
	c->at += size;
	return at;
}

uint64_t cursor_number(struct cursor *c, unsigned size)
{
	const uint8_t *p = cursor_take(c, size);
	uint64_t n = 0;

	for (unsigned i = 0; p && i < size; i++)
		n |= (uint64_t)p[i] << 8 * i;
	return n;
}

char *cursor_text(struct cursor *c, size_t most)
{
	size_t length = (size_t)cursor_number(c, 4);

	if (length > most)
		c->bad = true;
	const uint8_t *p = cursor_take(c, c->bad ? 0 : length);
	if (!p || memchr(p, 0, length)) {
		c->bad = true;
		return NULL;
	}
	char *text = malloc(length + 1);
	if (!text) {
		c->bad = true;
		return NULL;
	}
	memcpy(text, p, length);
	text[length] = 0;
	return text;
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

int chunks_begin(struct chunk_writer *w, int level)
{
	*w = (struct chunk_writer){ .zstd = ZSTD_createCCtx() };
	if (!w->zstd)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

static void compress(struct chunk_writer *w, const void *data, size_t size, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { data, size, 0 };
	size_t left;

	do {
		if (w->failed || !bytes_room(&w->out, STEP)) {
			w->failed = true;
			return;
		}
		ZSTD_outBuffer out = { w->out.data + w->out.size, w->out.capacity - w->out.size, 0 };
		left = ZSTD_compressStream2(w->zstd, &out, &in, end);
		w->failed = ZSTD_isError(left);
		w->out.size += out.pos;
	} while (in.pos < in.size || (end == ZSTD_e_end && left));
}

void chunks_put(struct chunk_writer *w, const char *tag, const void *data, size_t size)
{
	uint8_t header[CHUNK_TAG + 8] = { 0 };

	memcpy(header, tag, strnlen(tag, CHUNK_TAG));
	for (unsigned i = 0; i < 8; i++)
		header[CHUNK_TAG + i] = (uint8_t)((uint64_t)size >> 8 * i);
	compress(w, header, sizeof(header), ZSTD_e_continue);
	compress(w, data, size, ZSTD_e_continue);
}

int chunks_end(struct chunk_writer *w)
{
	compress(w, NULL, 0, ZSTD_e_end);
	return w->failed ? -ENOMEM : 0;
}

void chunks_free(struct chunk_writer *w)
{
	ZSTD_freeCCtx(w->zstd);
	free(w->out.data);
	*w = (struct chunk_writer){ 0 };
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

struct chunk_reader {
	int fd;
	char *path;
	uint64_t size;                 /* of the compressed part */
	uint64_t at;                   /* of it, given to zstd */
	ZSTD_DCtx *zstd;
	ZSTD_inBuffer in;
	bool ended;                    /* the frame has */
	struct bytes chunk;
	uint8_t buffer[STEP];
};

static int damaged(const struct chunk_reader *r, char *err)
{
	return loader_fail(err, "'%s' is damaged: what it holds is not what this program writes", r->path);
}

struct chunk_reader *chunk_reader_new(int fd, const char *path, uint64_t size)
{
	struct chunk_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fd = fd;
	r->size = size;
	r->path = strdup(path);
	r->zstd = ZSTD_createDCtx();
	if (r->path && r->zstd)
		return r;
	r->fd = -1;
	chunks_close(r);
	return NULL;
}

void chunks_rewind(struct chunk_reader *r)
{
	ZSTD_DCtx_reset(r->zstd, ZSTD_reset_session_only);
	r->at = 0;
	r->in = (ZSTD_inBuffer){ 0 };
	r->ended = false;
}

/* The next size decompressed bytes. How many there were, or -1 with a line in err. */
static ssize_t decompress(struct chunk_reader *r, void *buf, size_t size, char *err)
{
	ZSTD_outBuffer out = { buf, size, 0 };

	while (out.pos < out.size && !r->ended) {
		if (r->in.pos == r->in.size) {
			size_t want = r->size - r->at < STEP ? (size_t)(r->size - r->at) : STEP;
			ssize_t n = want ? host_read(r->fd, r->buffer, want, STATE_HEADER + r->at) : 0;
			if (n < 0)
				return loader_fail(err, "cannot read '%s': %s", r->path, strerror((int)-n));
			r->at += (uint64_t)n;
			r->in = (ZSTD_inBuffer){ r->buffer, (size_t)n, 0 };
		}
		size_t before = out.pos, left = ZSTD_decompressStream(r->zstd, &out, &r->in);
		/* Without input it may still have output; with neither the file has been cut. */
		if (ZSTD_isError(left) || (left && !r->in.size && out.pos == before))
			return damaged(r, err);
		r->ended = !left;
	}
	return (ssize_t)out.pos;
}

int chunks_next(struct chunk_reader *r, char tag[CHUNK_TAG + 1], struct bytes *chunk, char *err)
{
	uint8_t header[CHUNK_TAG + 8];
	ssize_t n = decompress(r, header, sizeof(header), err);

	if (n < 0)
		return -1;
	if (!n)
		return r->in.pos == r->in.size && r->at == r->size ? 0 : damaged(r, err);
	if (n != sizeof(header) || !memchr("abcdefghijklmnopqrstuvwxyz", header[0] ? header[0] : '?', 26))
		return damaged(r, err);
	memcpy(tag, header, CHUNK_TAG);
	tag[CHUNK_TAG] = 0;
	uint64_t length = 0;
	for (unsigned i = 0; i < 8; i++)
		length |= (uint64_t)header[CHUNK_TAG + i] << 8 * i;
	/* Memory is taken as the bytes come: a length alone costs nothing. */
	r->chunk.size = 0;
	while (r->chunk.size < length) {
		size_t step = length - r->chunk.size < 16 * STEP ? (size_t)(length - r->chunk.size) : 16 * STEP;
		if (!bytes_room(&r->chunk, step))
			return loader_fail(err, "'%s': not enough memory for what it holds", r->path);
		n = decompress(r, r->chunk.data + r->chunk.size, step, err);
		if (n < 0)
			return -1;
		if ((size_t)n != step)
			return damaged(r, err);
		r->chunk.size += step;
	}
	*chunk = r->chunk;
	return 1;
}

void chunks_close(struct chunk_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	ZSTD_freeDCtx(r->zstd);
	free(r->chunk.data);
	free(r->path);
	free(r);
}
