/* devices/vga_text.c: what a VGA text screen shows: cells, cursor, UTF-8. Looking changes nothing. */
#include "devices/vga.h"

#define TEXT_BASE  0x18000u
#define TEXT_CELLS 0x4000u         /* 32 KB of two bytes; addresses wrap */

/* Code page 437, the characters in a VGA's ROM, as Unicode. */
static const uint16_t low_glyphs[32] = {
	0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a, 0x266b, 0x263c,
	0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8, 0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc };
static const uint16_t high_glyphs[129] = {
	0x2302,
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5,
	0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
	0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
	0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
	0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
	0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229,
	0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0 };

static unsigned glyph(uint8_t ch)
{
	if (ch < 32)
		return low_glyphs[ch];
	return ch < 127 ? ch : high_glyphs[ch - 127];
}

static unsigned crtc16(const struct vga *vga, unsigned high)
{
	return (unsigned)vga->crtc[high] << 8 | vga->crtc[high + 1];
}

/* CRTC 0x13 counts a row in words of the unit text mode uses: two cells. */
static unsigned cell_index(const struct vga *vga, unsigned row, unsigned column)
{
	return (crtc16(vga, 0x0c) + row * vga->crtc[0x13] * 2u + column) % TEXT_CELLS;
}

uint16_t vga_cell(const struct vga *vga, unsigned row, unsigned column)
{
	unsigned at = TEXT_BASE + 2 * cell_index(vga, row % VGA_ROWS, column % VGA_COLUMNS);

	return (uint16_t)(vga->memory[at] | vga->memory[at + 1] << 8);
}

struct vga_cursor vga_cursor(const struct vga *vga)
{
	unsigned at = crtc16(vga, 0x0e) - crtc16(vga, 0x0c), pitch = vga->crtc[0x13] * 2u;
	struct vga_cursor c = {0};

	at %= TEXT_CELLS;
	if (!pitch || vga->crtc[0x0a] & 0x20)
		return c;
	c.row = at / pitch;
	c.column = at % pitch;
	c.visible = c.row < VGA_ROWS && c.column < VGA_COLUMNS;
	return c;
}

static size_t put_utf8(char *out, unsigned u)
{
	if (u < 0x80) {
		out[0] = (char)u;
		return 1;
	}
	if (u < 0x800) {
		out[0] = (char)(0xc0 | u >> 6);
		out[1] = (char)(0x80 | (u & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | u >> 12);
	out[1] = (char)(0x80 | (u >> 6 & 0x3f));
	out[2] = (char)(0x80 | (u & 0x3f));
	return 3;
}

static bool blank(uint16_t cell)
{
	uint8_t ch = (uint8_t)cell;

	return ch == 0 || ch == ' ' || ch == 0xff;
}

size_t vga_text(const struct vga *vga, char *text, size_t size)
{
	size_t n = 0;

	if (!size)
		return 0;
	for (unsigned row = 0; row < VGA_ROWS; row++) {
		unsigned columns = VGA_COLUMNS;

		while (columns && blank(vga_cell(vga, row, columns - 1)))
			columns--;
		for (unsigned i = 0; i < columns && n + 4 < size; i++)
			n += put_utf8(text + n, glyph((uint8_t)vga_cell(vga, row, i)));
		if (n + 1 < size)
			text[n++] = '\n';
	}
	text[n] = '\0';
	return n;
}
