/* tests/silicon/layout.c: see layout.h. */
#include "layout.h"

#include <string.h>

const struct sil_segment sil_ldt[SIL_SEGMENTS] = {
	{ SIL_DATA, 0x2fff, 0xf3, SEG_FLAG_DB },               /* 07: all the data */
	{ SIL_DATA + 0x800, 0x1233, 0xf3, SEG_FLAG_DB },       /* 0f: some of it */
	{ SIL_DATA, 0x1fff, 0xf1, SEG_FLAG_DB },               /* 17: read-only */
	{ SIL_DATA, 0x7ff, 0xf7, SEG_FLAG_DB },                /* 1f: expand-down, from 800 to 4 GB */
	{ SIL_DATA, 0x7ff, 0xf7, 0 },                          /* 27: expand-down, from 800 to FFFF */
	{ SIL_STACK, 0xfff, 0xf3, 0 },                         /* 2f: a 16-bit stack */
	{ SIL_DATA, 2, 0xf9, SEG_FLAG_DB | SEG_FLAG_G },       /* 37: execute-only */
	{ SIL_DATA, 0x2fff, 0x73, SEG_FLAG_DB },               /* 3f: not present */
	{ SIL_CODE, 0xfff, 0xfb, 0 },                          /* 47: 16-bit code */
};

const struct sil_segment *sil_segment(uint16_t selector)
{
	static const struct sil_segment null = { 0, 0, 0, 0 }, data = { 0, 0xfffff, 0xf3, SEG_FLAG_DB | SEG_FLAG_G },
	                                code = { 0, 0xfffff, 0xfb, SEG_FLAG_DB | SEG_FLAG_G };

	if (selector < 4)
		return &null;
	if (selector & 4)
		return &sil_ldt[selector / 8 % SIL_SEGMENTS];
	return (selector & ~3u) == (SIL_CS & ~3u) ? &code : &data;
}

unsigned sil_end(const struct sil_case *c, uint8_t bytes[SIL_END_MAX])
{
	static const uint8_t end[SIL_END_MAX] = { 0x66, 0xea, SIL_PAD & 0xff, SIL_PAD >> 8 & 0xff, SIL_PAD >> 16 & 0xff, SIL_PAD >> 24, 0x33, 0 };
	unsigned skip = sil_code32(&c->in);    /* the operand size prefix */

	memcpy(bytes, end + skip, SIL_END_MAX - skip);
	return SIL_END_MAX - skip;
}

bool sil_code32(const struct sil_state *s) { return sil_segment(s->seg[SEG_CS])->flags & SEG_FLAG_DB; }
uint32_t sil_code_address(const struct sil_state *s, uint32_t eip) { return sil_segment(s->seg[SEG_CS])->base + eip; }

bool sil_insn(const struct sil_case *c, unsigned at, struct insn *in)
{
	return at < c->len && decode(c->code + at, c->len - at, sil_code32(&c->in), in) == DECODE_OK;
}

static const uint32_t address[SIL_PAGES] = { SIL_CODE, SIL_DATA, SIL_DATA + SIL_PAGE, SIL_DATA + 2 * SIL_PAGE, SIL_STACK };

unsigned sil_page_of(uint32_t at)
{
	unsigned page = 0;

	while (page < SIL_PAGES && at - address[page] >= SIL_PAGE)
		page++;
	return page;
}

uint32_t sil_page_address(unsigned page) { return address[page]; }

/* Recorded cases depend on this: it stays as it is. */
void sil_background(uint8_t *page, unsigned number)
{
	for (unsigned i = 0; i < SIL_PAGE; i++)
		page[i] = number == PAGE_CODE ? 0xcc : (uint8_t)((i + number) * 0x9e3779b1u >> 24);
}
