/* devices/vga.h: VGA in text mode: ports 0x3b0-0x3df, memory 0xa0000-0xbffff.
 *
 *   offset 0x10  port 0x3c0  attribute index, then data (a flip-flop, reset by reading 0x3da)   0x11  attribute data, read
 *   offset 0x12  port 0x3c2  write: miscellaneous output     read: input status 0               0x1c  misc. output, read
 *   offset 0x14  port 0x3c4  sequencer index                 0x15  sequencer data
 *   offset 0x16  port 0x3c6  DAC mask   0x17 read index, state   0x18 write index   0x19 DAC data: red, green, blue
 *   offset 0x1e  port 0x3ce  graphics index                  0x1f  graphics data
 *   offset 0x24  port 0x3d4  CRTC index                      0x25  CRTC data            (0x04, 0x05 while misc. bit 0 is 0)
 *   offset 0x2a  port 0x3da  read: input status 1: 3 vertical retrace, 0 no pixel is shown       (0x0a while bit 0 is 0)
 *
 *   a text cell is two bytes: the character, then the colours 7 blink, 6-4 background, 3-0 foreground
 *
 * References: [IBM-VGA] "Video Subsystem: Registers".
 * Not implemented: the graphics modes, planes, latches and write modes (memory is as in text mode: bytes), fonts in plane 2, the
 * vertical retrace interrupt. Simplified: the frame is 1/70 s whatever the CRTC says.
 */
#ifndef DEVICES_VGA_H
#define DEVICES_VGA_H

#include "devices/device.h"
#include "mmu/phys.h"

#define VGA_PORT_BASE 0x3b0
#define VGA_PORTS     0x30
#define VGA_MEMORY    0xa0000
#define VGA_MEMORY_SIZE 0x20000
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
	uint8_t memory[VGA_MEMORY_SIZE];
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
