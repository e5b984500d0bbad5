/* emu/debug/text.c: see text.h.
 *
 * Whatever a guest or a file put into a text, what comes out is harmless: to a terminal no control characters, to an SVG only what
 * XML allows. Both go character by character through next_char(), which gives '?' for everything that is not fit to be shown.
 */
#include "emu/debug/text.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TAB 8

/* --- writing into a text ---------------------------------------------------------------------------------------------- */

void text_free(struct text *t)
{
	free(t->byte);
	free(t->style);
	*t = (struct text){ 0 };
}

void text_clear(struct text *t)
{
	t->size = 0;
	t->failed = 0;
	if (t->byte)
		t->byte[0] = 0;
}

/* Room for n more bytes and the NUL that is kept behind the last. */
static bool make_room(struct text *t, size_t n)
{
	if (t->failed)
		return false;
	if (t->capacity - t->size > n)
		return true;
	size_t capacity = t->capacity ? t->capacity : 1024;
	while (capacity - t->size <= n)
		capacity *= 2;
	char *byte = realloc(t->byte, capacity);
	if (byte)
		t->byte = byte;
	uint8_t *style = realloc(t->style, capacity);
	if (style)
		t->style = style;
	if (!byte || !style) {
		t->failed = 1;
		return false;
	}
	t->capacity = capacity;
	return true;
}

static void put_bytes(struct text *t, enum style style, const char *bytes, size_t n)
{
	if (!make_room(t, n))
		return;
	memcpy(t->byte + t->size, bytes, n);
	memset(t->style + t->size, style, n);
	t->size += n;
	t->byte[t->size] = 0;
}

static void put_format(struct text *t, enum style style, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n > 0 && (size_t)n < sizeof(small)) {
		put_bytes(t, style, small, (size_t)n);
	} else if (n > 0 && make_room(t, (size_t)n)) {
		vsnprintf(t->byte + t->size, (size_t)n + 1, fmt, again);
		memset(t->style + t->size, style, (size_t)n);
		t->size += (size_t)n;
	}
	va_end(again);
}

void text_put(struct text *t, enum style style, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_format(t, style, fmt, ap);
	va_end(ap);
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_format(t, STYLE_PLAIN, fmt, ap);
	va_end(ap);
}

/* --- characters ------------------------------------------------------------------------------------------------------- */

bool locale_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static unsigned sequence_length(uint8_t lead)
{
	return lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/* The character at p; *used says of how many bytes. What is no character, or one that orders a terminal about, is a '?'. */
static uint32_t next_char(const char *p, size_t left, size_t *used)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *b = (const uint8_t *)p;
	unsigned n = sequence_length(b[0]);

	*used = 1;
	if (!n || n > left)
		return '?';
	uint32_t c = n == 1 ? b[0] : b[0] & (0x7fu >> n);
	for (unsigned i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return '?';
		c = c << 6 | (b[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return '?';
	*used = n;
	bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
	bool unfit = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || (c & 0xfffe) == 0xfffe;   /* right-to-left games, non-characters */
	return control || unfit ? '?' : c;
}

/* How many columns these bytes take. Simplified: every character takes one. */
static unsigned columns_of(const char *p, size_t n)
{
	unsigned column = 0;

	for (size_t i = 0, used; i < n; i += used)
		column = next_char(p + i, n - i, &used) == '\t' ? (column / TAB + 1) * TAB : column + 1;
	return column;
}

void text_column(struct text *t, unsigned column)
{
	size_t start = t->size;

	while (start && t->byte[start - 1] != '\n')
		start--;
	for (unsigned at = columns_of(t->byte + start, t->size - start); at < column; at++)
		put_bytes(t, STYLE_PLAIN, " ", 1);
}

/* --- lines ------------------------------------------------------------------------------------------------------------ */

size_t text_lines(const struct text *t)
{
	size_t lines = t->size && t->byte[t->size - 1] != '\n';

	for (size_t i = 0; i < t->size; i++)
		lines += t->byte[i] == '\n';
	return lines;
}

const char *text_line(const struct text *t, size_t n, size_t *length, const uint8_t **style)
{
	size_t at = 0;

	for (; n && at < t->size; n--) {
		const char *end = memchr(t->byte + at, '\n', t->size - at);
		at = end ? (size_t)(end - t->byte) + 1 : t->size;
	}
	const char *end = at < t->size ? memchr(t->byte + at, '\n', t->size - at) : NULL;
	*length = (end ? (size_t)(end - t->byte) : t->size) - at;
	if (style)
		*style = t->style ? t->style + at : NULL;
	return t->byte ? t->byte + at : "";
}

const char *text_plain(struct text *t)
{
	return t->byte ? t->byte : "";
}

/* --- to a file -------------------------------------------------------------------------------------------------------- */

static int write_result(const struct text *t, FILE *out)
{
	if (t->failed)
		return -ENOMEM;
	return ferror(out) ? -EIO : 0;
}

static void write_char(const char *p, size_t n, uint32_t c, FILE *out)
{
	if (c == '?')
		fputc('?', out);
	else
		fwrite(p, 1, n, out);
}

int text_write_plain(const struct text *t, FILE *out)
{
	for (size_t i = 0, used; i < t->size; i += used) {
		uint32_t c = next_char(t->byte + i, t->size - i, &used);
		write_char(t->byte + i, used, c, out);
	}
	return write_result(t, out);
}

/* How each style looks. Colours after Okabe and Ito, told apart by people who see fewer: blue, vermilion, green, orange. On a terminal those of
 * the 256 that come near; background only where something stands out from the whole screen. */
static const struct look { const char *ansi, *svg; } looks[STYLE_COUNT] = {
	[STYLE_PLAIN]   = { "", "" },
	[STYLE_DIM]     = { "\033[2m", "fill=\"#666666\"" },
	[STYLE_BOLD]    = { "\033[1m", "font-weight=\"bold\"" },
	[STYLE_TITLE]   = { "\033[1;4m", "font-weight=\"bold\" text-decoration=\"underline\"" },
	[STYLE_ADDRESS] = { "\033[38;5;74m", "fill=\"#0060a0\"" },
	[STYLE_NAME]    = { "\033[38;5;179m", "fill=\"#7a4b00\"" },
	[STYLE_CHANGED] = { "\033[1;38;5;215m", "fill=\"#a04000\" font-weight=\"bold\"" },
	[STYLE_GOOD]    = { "\033[38;5;36m", "fill=\"#006b50\"" },
	[STYLE_BAD]     = { "\033[1;38;5;209m", "fill=\"#b03a00\" font-weight=\"bold\" text-decoration=\"underline\"" },
	[STYLE_WARN]    = { "\033[1;38;5;220m", "fill=\"#7a5c00\" font-weight=\"bold\"" },
	[STYLE_HERE]    = { "\033[7m", "font-weight=\"bold\"" },
};

static const struct look *look_of(uint8_t style)
{
	return &looks[style < STYLE_COUNT ? style : STYLE_PLAIN];
}

/* A style ends at the end of its line, so that a background does not run to the screen's edge. */
int text_write_ansi(const struct text *t, FILE *out)
{
	uint8_t style = STYLE_PLAIN;

	for (size_t i = 0, used; i < t->size; i += used) {
		uint32_t c = next_char(t->byte + i, t->size - i, &used);
		uint8_t wanted = c == '\n' ? STYLE_PLAIN : t->style[i];
		if (wanted != style)
			fprintf(out, "\033[0m%s", look_of(wanted)->ansi);
		style = wanted;
		write_char(t->byte + i, used, c, out);
	}
	if (style != STYLE_PLAIN)
		fputs("\033[0m", out);
	return write_result(t, out);
}

/* --- SVG -------------------------------------------------------------------------------------------------------------- */

#define CHAR_WIDTH 8.4             /* of a fixed-width letter of 14 units */
#define LINE_HEIGHT 18
#define MARGIN 12

static void write_escaped(const char *p, size_t n, FILE *out)
{
	for (size_t i = 0, used; i < n; i += used) {
		uint32_t c = next_char(p + i, n - i, &used);
		switch (c) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\n': case '\t': fputc(' ', out); break;
		default: write_char(p + i, used, c, out);
		}
	}
}

/* A run of one style, from a column on. textLength keeps the columns apart even in a viewer without this font. */
static void write_run(const char *p, size_t n, uint8_t style, unsigned column, unsigned line, FILE *out)
{
	unsigned width = columns_of(p, n);
	double x = MARGIN + column * CHAR_WIDTH;
	int y = MARGIN + (int)line * LINE_HEIGHT;

	if (style == STYLE_HERE)
		fprintf(out, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#f0e442\"/>\n", x, y, width * CHAR_WIDTH, LINE_HEIGHT);
	if (strspn(p, " ") >= n)
		return;
	fprintf(out, "<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" xml:space=\"preserve\"%s%s>", x, y + LINE_HEIGHT - 4, width * CHAR_WIDTH,
		*look_of(style)->svg ? " " : "", look_of(style)->svg);
	write_escaped(p, n, out);
	fputs("</text>\n", out);
}

static void write_svg_line(const struct text *t, unsigned n, FILE *out)
{
	size_t length;
	const uint8_t *style;
	const char *p = text_line(t, n, &length, &style);
	unsigned column = 0;

	for (size_t i = 0, end; i < length; i = end) {
		for (end = i + 1; end < length && style[end] == style[i] && p[end] != '\t' && p[end - 1] != '\t'; end++)
			;
		if (p[i] == '\t') {
			column = (column / TAB + 1) * TAB;
			continue;
		}
		write_run(p + i, end - i, style[i], column, n, out);
		column += columns_of(p + i, end - i);
	}
}

int text_write_svg(const struct text *t, const char *title, FILE *out)
{
	unsigned lines = (unsigned)text_lines(t), widest = 20;
	size_t length;

	for (unsigned i = 0; i < lines; i++) {
		const char *p = text_line(t, i, &length, NULL);
		unsigned width = columns_of(p, length);
		widest = width > widest ? width : widest;
	}
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %u\" font-family=\"'DejaVu Sans Mono', Consolas, Menlo, monospace\" "
		"font-size=\"14\">\n<title>", 2 * MARGIN + widest * CHAR_WIDTH, 2 * MARGIN + lines * LINE_HEIGHT);
	write_escaped(title, strlen(title), out);
	fputs("</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n", out);
	for (unsigned i = 0; i < lines; i++)
		write_svg_line(t, i, out);
	fputs("</svg>\n", out);
	return write_result(t, out);
}
