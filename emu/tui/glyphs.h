/* emu/tui/glyphs.h: characters from UTF-8, and what stands for them on a terminal that has only ASCII. Pure. */
#ifndef EMU_TUI_GLYPHS_H
#define EMU_TUI_GLYPHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at *bytes, which moves on; U+FFFD for what is no UTF-8, '?' for control characters. Never reads beyond end. */
uint32_t glyph_next(const char **bytes, const char *end);
/* One ASCII character that looks like it; '?' when there is none. */
char glyph_ascii(uint32_t c);

#endif
