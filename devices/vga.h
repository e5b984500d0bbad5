/* devices/vga.h: VGA in text mode: ports 0x3c0-0x3df and 0x3b0-0x3bf, memory 0xa0000-0xbffff.
 *
 *   offset 0x00  port 0x3c0  attribute index, then data (a flip-flop, reset by reading 0x3da)   0x01  attribute data, read
 *   offset 0x02  port 0x3c2  write: miscellaneous output     read: input status 0               0x0c  misc. output, read
 *   offset 0x04  port 0x3c4  sequencer index                 0x05  sequencer data
 *   offset 0x06  port 0x3c6  DAC mask   0x07 read index, state   0x08 write index   0x09 DAC data: red, green, blue
 *   offset 0x0e  port 0x3ce  graphics index                  0x0f  graphics data
 *   offset 0x14  port 0x3d4  CRTC index                      0x15  CRTC data            (misc. bit 0 is 1)
 *   offset 0x1a  port 0x3da  read: input status 1: 3 vertical retrace, 0 no pixel is shown
 *   offset 0x30-0x3f  ports 0x3b0-0x3bf            0x3b4, 0x3b5, 0x3ba instead of 0x3d4, 0x3d5, 0x3da while misc. bit 0 is 0
 *
 *   a text cell is two bytes: the character, then the colours 7 blink, 6-4 background, 3-0 foreground
 *
 * References: [VGA] "Video Subsystem: Registers".
 * Not implemented: the graphics modes, planes, latches and write modes (memory is as in text mode: bytes), fonts in plane 2, the
 * vertical retrace interrupt. Simplified: the frame is 1/70 s whatever the CRTC says.
 */
#ifndef DEVICES_VGA_H
#define DEVICES_VGA_H

#include "devices/device.h"
#include "mmu/phys.h"

#define VGA_PORT_BASE 0x3c0
#define VGA_PORTS     0x20
#define VGA_MONO_BASE 0x3b0        /* 16 ports at offset 0x30 */
#define VGA_MONO_OFFSET 0x30
#define VGA_WINDOW_START 0xa0000
#define VGA_WINDOW_SIZE 0x20000
#define VGA_COLUMNS 80
#define VGA_ROWS 25
#define VGA_TEXT_BYTES (VGA_ROWS * (VGA_COLUMNS * 3 + 1) + 1)      /* enough for any screen in UTF-8 */

struct vga {
	struct device dev;
	uint8_t misc;
	uint8_t feature;
	uint8_t crtc_index, crtc[32];
	uint8_t seq_index, seq[8];
	uint8_t gfx_index, gfx[16];
	uint8_t attr_index, attr[32];
	uint8_t attr_data_next;            /* the flip-flop */
	uint8_t dac_mask, dac_read_index, dac_write_index, dac_component, dac_reading;
	uint8_t dac[768];
	uint8_t memory[VGA_WINDOW_SIZE];
};

struct vga_cursor { bool visible; unsigned row, column; };

extern const struct mmio_ops vga_mmio_ops;         /* owner is the struct vga */

void vga_init(struct vga *vga, struct clock *clock);
/* The screen as lines of UTF-8, each ended by '\n', blanks at the end of lines left out, cut to size and always terminated. */
size_t vga_text(const struct vga *vga, char *text, size_t size);
struct vga_cursor vga_cursor(const struct vga *vga);
/* One cell, for displays with colours: attribute << 8 | character. */
uint16_t vga_cell(const struct vga *vga, unsigned row, unsigned column);

#endif
