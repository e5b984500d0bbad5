/* guestos/drivers/vga.c: the 80x25 colour text screen at physical 0xB8000; each cell is a character and an attribute.
 *
 * Understands the few ANSI sequences the shell's line editor sends: ESC [ n A B C D, ESC [ K, ESC [ J, ESC [ H; others are swallowed.
 * References: [VGA] "CRT Controller Registers" (index 0x3D4, data 0x3D5; 14 and 15 are the cursor address). */
#include "dev.h"
#include "x86.h"

#define COLUMNS 80
#define ROWS 25
#define BLANK (0x07 << 8 | ' ')

static volatile uint16_t *cells;
static uint32_t row, column, escape, argument;

static void clear(uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		cells[from] = BLANK;
}

static void show_cursor(void)
{
	uint32_t at = row * COLUMNS + column;
	outb(0x3d4, 14);
	outb(0x3d5, at >> 8);
	outb(0x3d4, 15);
	outb(0x3d5, at);
}

static void new_line(void)
{
	if (++row < ROWS)
		return;
	row = ROWS - 1;
	for (uint32_t i = 0; i < COLUMNS * (ROWS - 1); i++)
		cells[i] = cells[i + COLUMNS];
	clear(COLUMNS * (ROWS - 1), COLUMNS * ROWS);
}

static void escape_char(char c)
{
	if (escape == 1) {
		escape = c == '[' ? 2 : 0;
		argument = 0;
		return;
	}
	if (c >= '0' && c <= '9') {
		argument = min(argument * 10 + (c - '0'), 1000u);
		return;
	}
	if (c < '@')
		return;
	escape = 0;
	uint32_t n = argument ? argument : 1, at = row * COLUMNS + column;
	switch (c) {
	case 'A': row -= min(n, row); break;
	case 'B': row = min(row + n, ROWS - 1u); break;
	case 'C': column = min(column + n, COLUMNS - 1u); break;
	case 'D': column -= min(n, column); break;
	case 'H': row = column = 0; break;
	case 'J': argument == 2 ? clear(0, COLUMNS * ROWS) : clear(at, COLUMNS * ROWS); break;
	case 'K': clear(at, (row + 1) * COLUMNS); break;
	}
}

void vga_putc(char c)
{
	if (!cells)
		return;
	if (escape) {
		escape_char(c);
	} else if (c == 27) {
		escape = 1;
	} else if (c == '\n') {
		new_line();
	} else if (c == '\r') {
		column = 0;
	} else if (c == '\b') {
		column -= column > 0;
	} else if (c == '\t') {
		column = min((column + 8) & ~7u, COLUMNS - 1u);
	} else if (c >= ' ' || c < 0) {
		if (column == COLUMNS) {
			column = 0;
			new_line();
		}
		cells[row * COLUMNS + column++] = 0x07 << 8 | (uint8_t)c;
	}
	show_cursor();
}

void vga_init(void)
{
	cells = phys_to_virt(0xb8000);
	clear(0, COLUMNS * ROWS);
	show_cursor();
}
