/* emu/tui/glyphs.c: see glyphs.h. */
#include "emu/tui/glyphs.h"

#define REPLACEMENT 0xfffdu

uint32_t glyph_next(const char **bytes, const char *end)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = (unsigned char)*(*bytes)++;
	unsigned more = lead < 0x80 ? 0 : lead >= 0xf0 && lead < 0xf8 ? 3 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xc0 && lead < 0xe0 ? 1 : 4;
	const char *p = *bytes;

	if (more == 0)
		return lead == '\t' ? ' ' : lead < ' ' || lead == 0x7f ? '?' : lead;
	if (more == 4)
		return REPLACEMENT;
	uint32_t c = lead & (0x3fu >> more);
	for (unsigned i = 0; i < more; i++, p++) {
		if (p >= end || ((unsigned char)*p & 0xc0) != 0x80)
			return REPLACEMENT;
		c = c << 6 | ((unsigned char)*p & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c >= 0x80 && c < 0xa0))
		return REPLACEMENT;
	*bytes = p;
	return c;
}

char glyph_ascii(uint32_t c)
{
	static const struct { uint16_t c; char ascii; } table[] = {
		{ 0x00b7, '.' }, { 0x00d7, 'x' }, { 0x2013, '-' }, { 0x2014, '-' }, { 0x2018, '\'' }, { 0x2019, '\'' }, { 0x201c, '"' }, { 0x201d, '"' },
		{ 0x2026, '.' }, { 0x2190, '<' }, { 0x2191, '^' }, { 0x2192, '>' }, { 0x2193, 'v' }, { 0x21d2, '>' }, { 0x2713, '+' }, { 0x2717, '!' },
		{ 0x25cf, 'O' }, { 0x25cb, 'o' }, { 0x25b2, '^' }, { 0x25b6, '>' }, { 0x25b8, '>' }, { 0x25ba, '>' }, { 0x25bc, 'v' }, { 0x25c0, '<' }, { 0x2022, '*' },
	};

	if (c < 0x80)
		return (char)c;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].c == c)
			return table[i].ascii;
	if (c >= 0x2580 && c <= 0x259f)                /* block elements */
		return '#';
	if (c < 0x2500 || c > 0x257f)
		return '?';
	/* Box drawing: lines across, lines upright (both sets come in fours), the rest meet. */
	if (c <= 0x2501 || c == 0x2504 || c == 0x2505 || c == 0x2508 || c == 0x2509 || c == 0x254c || c == 0x254d || c == 0x2550 || c == 0x2574 || c == 0x2576)
		return '-';
	if (c <= 0x250b || c == 0x254e || c == 0x254f || c == 0x2551 || c == 0x2575 || c == 0x2577)
		return '|';
	return '+';
}
