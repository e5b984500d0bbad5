/* tests/silicon/vectors.c: see vectors.h. */
#include "vectors.h"

#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The fields of a state, in the order of their mask bits. */
#define FIELD(member) { offsetof(struct sil_state, member), sizeof(((struct sil_state *)0)->member) }
static const struct { uint16_t offset, size; } field[] = {
	FIELD(r[0]), FIELD(r[1]), FIELD(r[2]), FIELD(r[3]), FIELD(r[4]), FIELD(r[5]), FIELD(r[6]), FIELD(r[7]), FIELD(eip), FIELD(eflags),
	FIELD(seg), FIELD(fpu.control), FIELD(fpu.status), FIELD(fpu.valid), FIELD(fpu.mxcsr),
	FIELD(fpu.st[0]), FIELD(fpu.st[1]), FIELD(fpu.st[2]), FIELD(fpu.st[3]), FIELD(fpu.st[4]), FIELD(fpu.st[5]), FIELD(fpu.st[6]), FIELD(fpu.st[7]),
	FIELD(fpu.xmm[0]), FIELD(fpu.xmm[1]), FIELD(fpu.xmm[2]), FIELD(fpu.xmm[3]), FIELD(fpu.xmm[4]), FIELD(fpu.xmm[5]), FIELD(fpu.xmm[6]), FIELD(fpu.xmm[7]),
	{ offsetof(struct sil_state, fpu.opcode), offsetof(struct sil_fpu, ds) - offsetof(struct sil_fpu, opcode) },  /* FOP, FIP, FDP */
};

void sil_plain_state(struct sil_state *s)
{
	static const uint16_t seg[6] = { SIL_DS, SIL_CS, SIL_DS, SIL_DS, 0, 0 };

	memset(s, 0, sizeof(*s));
	memcpy(s->seg, seg, sizeof(seg));
	s->eip = SIL_CODE + 0x400;
	s->eflags = F_ONE | F_IF;
	s->r[R_ESP] = SIL_STACK + 0x800;
	s->fpu.control = 0x37f;
	s->fpu.mxcsr = 0x1f80;
}

/* --- writing -------------------------------------------------------------------------------------------------------------- */

void sil_append(struct sil_buffer *to, const void *bytes, size_t n)
{
	if (to->size + n > to->capacity) {
		to->capacity = 2 * (to->size + n);
		to->data = realloc(to->data, to->capacity);
		if (!to->data)
			abort();
	}
	if (n)
		memcpy(to->data + to->size, bytes, n);
	to->size += n;
}

static void put(struct sil_buffer *to, uint32_t v, unsigned n)
{
	uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	sil_append(to, bytes, n);
}

static void put_state(struct sil_buffer *to, const struct sil_state *s, const struct sil_state *base)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < COUNT(field); i++)
		if (memcmp((const char *)s + field[i].offset, (const char *)base + field[i].offset, field[i].size))
			mask |= 1u << i;
	put(to, mask, 4);
	for (unsigned i = 0; i < COUNT(field); i++)
		if (mask >> i & 1)
			sil_append(to, (const char *)s + field[i].offset, field[i].size);
}

static void put_bytes(struct sil_buffer *to, unsigned page, unsigned offset, const uint8_t *bytes, unsigned n)
{
	put(to, page, 1);
	put(to, offset, 2);
	put(to, n, 1);
	sil_append(to, bytes, n);
}

/* The host's memory where it is not what the case began with. */
static void put_changes(struct sil_buffer *to, const struct sil_bench *b, const struct sil_case *c)
{
	static uint8_t before[SIL_PAGES][SIL_PAGE];
	size_t count_at = to->size;
	unsigned count = 0;

	memcpy(before, b->background, sizeof(before));
	for (unsigned i = 0; i < c->patches; i++)
		memcpy(before[sil_page_of(c->patch[i].at)] + (c->patch[i].at & 0xfff), c->patch[i].byte, c->patch[i].len);
	put(to, 0, 2);
	for (unsigned page = PAGE_DATA0; page < SIL_PAGES; page++)
		for (unsigned at = 0; at < SIL_PAGE; at++) {
			unsigned n = 0;
			while (n < 255 && at + n < SIL_PAGE && b->host_page[page][at + n] != before[page][at + n])
				n++;
			if (!n)
				continue;
			put_bytes(to, page, at, b->host_page[page] + at, n);
			count++;
			at += n - 1;
		}
	to->data[count_at] = (uint8_t)count;
	to->data[count_at + 1] = (uint8_t)(count >> 8);
}

void sil_encode(struct sil_buffer *to, const struct sil_bench *b, const struct sil_case *c)
{
	size_t start = to->size, length;
	struct sil_state plain, answer;

	put(to, 0, 2);
	put(to, c->insns, 1);
	sil_append(to, c->start, c->insns);
	put(to, c->len, 1);
	sil_append(to, c->code, c->len);
	sil_plain_state(&plain);
	put_state(to, &c->in, &plain);
	put(to, c->patches, 1);
	for (unsigned i = 0; i < c->patches; i++)
		put_bytes(to, sil_page_of(c->patch[i].at), c->patch[i].at & 0xfff, c->patch[i].byte, c->patch[i].len);
	put(to, (uint32_t)b->host.vector, 1);
	if (b->host.vector >= 0) {
		put(to, b->host.error, 4);
		put(to, b->host.cr2, 4);
	}
	answer = b->host.state;
	answer.fpu.cs = answer.fpu.reserved2 = 0;
	if (!(answer.fpu.status & 0x80) || c->in.fpu.status & 0x80)
		answer.fpu.opcode = 0, answer.fpu.ip = answer.fpu.dp = 0;      /* not compared: see undefined.c */
	put_state(to, &answer, &c->in);
	put_changes(to, b, c);
	length = to->size - start - 2;
	to->data[start] = (uint8_t)length;
	to->data[start + 1] = (uint8_t)(length >> 8);
}

/* --- reading -------------------------------------------------------------------------------------------------------------- */

struct reader {
	const uint8_t *p;
	size_t left;
	bool broken;
};

static void take_bytes(struct reader *r, void *to, size_t n)
{
	if (n > r->left) {
		r->broken = true;
		memset(to, 0, n);
		return;
	}
	memcpy(to, r->p, n);
	r->p += n;
	r->left -= n;
}

static uint32_t take(struct reader *r, unsigned n)
{
	uint8_t b[4] = { 0 };

	take_bytes(r, b, n);
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void take_state(struct reader *r, struct sil_state *s)
{
	uint32_t mask = take(r, 4);

	for (unsigned i = 0; i < COUNT(field); i++)
		if (mask >> i & 1)
			take_bytes(r, (char *)s + field[i].offset, field[i].size);
}

static void take_case(struct reader *r, struct sil_case *c)
{
	memset(c, 0, sizeof(*c));
	c->insns = (uint8_t)take(r, 1);
	r->broken |= !c->insns || c->insns > SIL_INSNS;
	take_bytes(r, c->start, r->broken ? 0 : c->insns);
	c->len = (uint8_t)take(r, 1);
	r->broken |= c->len > SIL_CODE_MAX;
	take_bytes(r, c->code, r->broken ? 0 : c->len);
	sil_plain_state(&c->in);
	take_state(r, &c->in);
	c->patches = (uint8_t)take(r, 1);
	r->broken |= c->patches > SIL_PATCHES;
	for (unsigned i = 0; !r->broken && i < c->patches; i++) {
		struct sil_patch *p = &c->patch[i];
		unsigned page = take(r, 1);
		p->at = (page < SIL_PAGES ? sil_page_address(page) : 0) + take(r, 2);
		p->len = (uint8_t)take(r, 1);
		r->broken |= p->len > SIL_PATCH;
		take_bytes(r, p->byte, r->broken ? 0 : p->len);
	}
	for (unsigned i = 0; !r->broken && i < c->insns; i++)
		r->broken |= c->start[i] >= c->len;
}

static void take_answer(struct reader *r, struct sil_bench *b, const struct sil_case *c)
{
	unsigned count;

	b->host.vector = (int8_t)take(r, 1);
	b->host.error = b->host.vector >= 0 ? take(r, 4) : 0;
	b->host.cr2 = b->host.vector >= 0 ? take(r, 4) : 0;
	b->host.state = c->in;
	take_state(r, &b->host.state);
	count = take(r, 2);
	for (unsigned i = 0; !r->broken && i < count; i++) {
		unsigned page = take(r, 1), offset = take(r, 2), n = take(r, 1);
		r->broken |= page >= SIL_PAGES || offset + n > SIL_PAGE;
		if (!r->broken)
			take_bytes(r, b->host_page[page] + offset, n);
	}
}

bool sil_decode(const struct sil_buffer *from, size_t *at, struct sil_bench *b, struct sil_case *c)
{
	struct reader r = { from->data + *at, from->size - *at, false };
	unsigned length = take(&r, 2);

	if (r.broken || length > r.left)
		return false;
	r.left = length;
	*at += 2 + length;
	take_case(&r, c);
	if (r.broken)
		return false;
	sil_prepare(b, c);
	take_answer(&r, b, c);
	return !r.broken && !r.left;
}

/* --- files ---------------------------------------------------------------------------------------------------------------- */

bool sil_may_write(const char *path)
{
	FILE *f = fopen(path, "ab");

	if (f && !fclose(f))
		return true;
	perror(path);
	return false;
}

bool sil_write_file(const char *path, const struct sil_buffer *unpacked)
{
	size_t bound = lzma_stream_buffer_bound(unpacked->size), size = 0;
	uint8_t *packed = malloc(bound);
	FILE *f = fopen(path, "wb");
	bool ok = packed && f && lzma_easy_buffer_encode(9 | LZMA_PRESET_EXTREME, LZMA_CHECK_CRC64, NULL, unpacked->data, unpacked->size, packed, &size, bound) == LZMA_OK &&
	          fwrite(packed, 1, size, f) == size;

	if (f && fclose(f))
		ok = false;
	if (!ok)
		fprintf(stderr, "%s: cannot be written\n", path);
	free(packed);
	return ok;
}

static bool unpack(const struct sil_buffer *packed, struct sil_buffer *to)
{
	uint64_t limit = 256 << 20;
	size_t in = 0, out = 0;
	lzma_ret result;

	do {
		to->capacity = to->capacity ? 2 * to->capacity : 16 << 20;
		to->data = realloc(to->data, to->capacity);
		if (!to->data)
			return false;
		in = out = 0;
		result = lzma_stream_buffer_decode(&limit, 0, NULL, packed->data, &in, packed->size, to->data, &out, to->capacity);
	} while (result == LZMA_BUF_ERROR && to->capacity < 256 << 20);
	to->size = out;
	return result == LZMA_OK;
}

bool sil_read_file(const char *path, struct sil_buffer *unpacked)
{
	struct sil_buffer packed = { 0 };
	FILE *f = fopen(path, "rb");
	char block[65536];
	size_t n;
	bool ok;

	if (!f) {
		perror(path);
		return false;
	}
	while ((n = fread(block, 1, sizeof(block), f)))
		sil_append(&packed, block, n);
	fclose(f);
	ok = unpack(&packed, unpacked);
	if (!ok)
		fprintf(stderr, "%s: not a file of vectors\n", path);
	free(packed.data);
	return ok;
}
