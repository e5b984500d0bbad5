/* devices/vga.c: VGA text mode; the data sheet is in the header. What the screen shows is in vga_text.c. */
#include "devices/vga.h"
#include "devices/bytewise.h"

#include <string.h>

#define MISC_COLOUR   0x01         /* CRTC at 0x3d4, else at 0x3b4 */
#define CRTC_PROTECT  0x80         /* register 0x11: registers 0-7 are read only */
#define FRAME_TICKS   (CLOCK_HZ / 70)
#define LINES         449u         /* 400 of them shown */
#define TEXT_BASE     0x18000u     /* 0xb8000 in the window */

/* Register values of mode 3: 80 x 25 text, 16 colours. [VGA] "Mode 3" */
static const uint8_t mode3_crtc[25] = {
	0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00,
	0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff };
static const uint8_t mode3_seq[5] = { 0x03, 0x00, 0x03, 0x00, 0x02 };
static const uint8_t mode3_gfx[9] = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff };
static const uint8_t mode3_attr[21] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
	0x0c, 0x00, 0x0f, 0x08, 0x00 };

/* --- ports ---------------------------------------------------------------------------------------------------------- */

static uint8_t input_status(const struct vga *vga)
{
	uint64_t in_frame = clock_now(vga->dev.clock) % FRAME_TICKS;
	uint64_t line = in_frame * LINES / FRAME_TICKS, in_line = in_frame * LINES % FRAME_TICKS;
	bool vertical = line >= 412 && line < 414;
	bool blank = line >= 400 || in_line > FRAME_TICKS / 5 * 4;

	return (uint8_t)((vertical ? 8 : 0) | (blank ? 1 : 0));
}

static uint8_t read_dac(struct vga *vga)
{
	uint8_t value = vga->dac[vga->dac_read_index * 3u + vga->dac_component % 3];

	if (++vga->dac_component >= 3) {
		vga->dac_component = 0;
		vga->dac_read_index++;
	}
	return value;
}

static void write_dac(struct vga *vga, uint8_t value)
{
	vga->dac[vga->dac_write_index * 3u + vga->dac_component % 3] = value & 0x3f;
	if (++vga->dac_component >= 3) {
		vga->dac_component = 0;
		vga->dac_write_index++;
	}
}

/* Both CRTC places, 0x3b4 and 0x3d4, as one; the one MISC does not choose is nobody's. */
static bool crtc_place(const struct vga *vga, uint16_t *offset)
{
	bool colour = vga->misc & MISC_COLOUR;

	if (*offset < 0x10)
		return true;
	if (*offset < 0x20)
		return colour;
	if (*offset < VGA_MONO_OFFSET || *offset >= VGA_MONO_OFFSET + 0x10 || colour)
		return false;
	*offset -= VGA_MONO_OFFSET - 0x10;
	return true;
}

static uint8_t vga_read(struct device *dev, uint16_t offset)
{
	struct vga *vga = (struct vga *)dev;

	if (!crtc_place(vga, &offset))
		return 0xff;
	switch (offset) {
	case 0x00: return vga->attr_index;
	case 0x01: return vga->attr[vga->attr_index & 31];
	case 0x02: return 0x10;                            /* input status 0: a monitor is there */
	case 0x04: return vga->seq_index;
	case 0x05: return vga->seq[vga->seq_index & 7];
	case 0x06: return vga->dac_mask;
	case 0x07: return vga->dac_reading ? 3 : 0;
	case 0x08: return vga->dac_write_index;
	case 0x09: return read_dac(vga);
	case 0x0a: return vga->feature;
	case 0x0c: return vga->misc;
	case 0x0e: return vga->gfx_index;
	case 0x0f: return vga->gfx[vga->gfx_index & 15];
	case 0x14: return vga->crtc_index;
	case 0x15: return vga->crtc[vga->crtc_index & 31];
	case 0x1a:
		vga->attr_data_next = 0;
		return input_status(vga);
	default: return 0xff;
	}
}

static void write_crtc(struct vga *vga, uint8_t value)
{
	unsigned i = vga->crtc_index & 31;

	if (i <= 7 && vga->crtc[0x11] & CRTC_PROTECT) {
		/* Only the line compare bit of the overflow register stays writable. */
		if (i == 7)
			vga->crtc[7] = (vga->crtc[7] & ~0x10) | (value & 0x10);
		return;
	}
	vga->crtc[i] = value;
}

static void write_attr(struct vga *vga, uint8_t value)
{
	if (vga->attr_data_next && (vga->attr_index & 31) < sizeof mode3_attr)
		vga->attr[vga->attr_index & 31] = value;
	else if (!vga->attr_data_next)
		vga->attr_index = value & 0x3f;            /* bit 5 lets the screen be shown */
	vga->attr_data_next = !vga->attr_data_next;
}

static void vga_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct vga *vga = (struct vga *)dev;

	if (!crtc_place(vga, &offset))
		return;
	switch (offset) {
	case 0x00: write_attr(vga, value); break;
	case 0x02: vga->misc = value; break;
	case 0x04: vga->seq_index = value & 7; break;
	case 0x05: vga->seq[vga->seq_index & 7] = value; break;
	case 0x06: vga->dac_mask = value; break;
	case 0x07: vga->dac_read_index = value; vga->dac_component = 0; vga->dac_reading = 1; break;
	case 0x08: vga->dac_write_index = value; vga->dac_component = 0; vga->dac_reading = 0; break;
	case 0x09: write_dac(vga, value); break;
	case 0x0e: vga->gfx_index = value & 15; break;
	case 0x0f: vga->gfx[vga->gfx_index & 15] = value; break;
	case 0x14: vga->crtc_index = value & 31; break;
	case 0x15: write_crtc(vga, value); break;
	case 0x1a: vga->feature = value; break;
	default: break;
	}
}

static uint32_t vga_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, vga_read);
}

static void vga_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, vga_write);
}

/* --- memory --------------------------------------------------------------------------------------------------------- */

/* Which part of the window answers: graphics register 6, bits 3-2. MISC bit 1 switches all of it off. */
static bool mapped(const struct vga *vga, uint32_t offset)
{
	static const struct { uint32_t start, end; } map[4] = {
		{ 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x18000 }, { 0x18000, 0x20000 } };
	unsigned which = vga->gfx[6] >> 2 & 3;

	return (vga->misc & 2) && offset >= map[which].start && offset < map[which].end;
}

static uint32_t vga_mem_read(void *owner, uint32_t offset, unsigned size)
{
	const struct vga *vga = owner;
	uint32_t value = 0;

	for (unsigned i = 0; i < size && i < 4; i++) {
		uint32_t at = offset + i;

		value |= (mapped(vga, at) ? (uint32_t)vga->memory[at % VGA_WINDOW_SIZE] : 0xffu) << 8 * i;
	}
	return value;
}

static void vga_mem_write(void *owner, uint32_t offset, unsigned size, uint32_t value)
{
	struct vga *vga = owner;

	for (unsigned i = 0; i < size && i < 4; i++)
		if (mapped(vga, offset + i))
			vga->memory[(offset + i) % VGA_WINDOW_SIZE] = (uint8_t)(value >> 8 * i);
}

const struct mmio_ops vga_mmio_ops = { .read = vga_mem_read, .write = vga_mem_write };

/* --- reset ---------------------------------------------------------------------------------------------------------- */

/* The 64 colours of the attribute controller: two bits of each of red, green, blue. */
static void default_palette(struct vga *vga)
{
	for (unsigned i = 0; i < 64; i++) {
		vga->dac[i * 3 + 0] = (uint8_t)((i & 4 ? 42 : 0) + (i & 32 ? 21 : 0));
		vga->dac[i * 3 + 1] = (uint8_t)((i & 2 ? 42 : 0) + (i & 16 ? 21 : 0));
		vga->dac[i * 3 + 2] = (uint8_t)((i & 1 ? 42 : 0) + (i & 8 ? 21 : 0));
	}
}

/* As the video BIOS leaves it: mode 3, an empty screen. */
static void vga_reset(struct device *dev)
{
	struct vga *vga = (struct vga *)dev;
	struct device keep = vga->dev;

	memset(vga, 0, sizeof *vga);
	vga->dev = keep;
	vga->misc = 0x67;
	vga->attr_index = 0x20;
	vga->dac_mask = 0xff;
	memcpy(vga->crtc, mode3_crtc, sizeof mode3_crtc);
	memcpy(vga->seq, mode3_seq, sizeof mode3_seq);
	memcpy(vga->gfx, mode3_gfx, sizeof mode3_gfx);
	memcpy(vga->attr, mode3_attr, sizeof mode3_attr);
	default_palette(vga);
	for (unsigned i = TEXT_BASE; i < VGA_WINDOW_SIZE; i += 2) {
		vga->memory[i] = ' ';
		vga->memory[i + 1] = 0x07;
	}
}

static void vga_restored(struct device *dev)
{
	struct vga *vga = (struct vga *)dev;

	vga->dac_component %= 3;
}

#define R(field, help) REG(struct vga, field, help)
#define A(field, help) REG_ARRAY(struct vga, field, help)
static const struct reg_desc vga_regs[] = {
	R(misc, "miscellaneous output"), R(feature, "feature control"),
	R(crtc_index, "CRTC index"), A(crtc, "CRTC"), R(seq_index, "sequencer index"), A(seq, "sequencer"),
	R(gfx_index, "graphics index"), A(gfx, "graphics controller"), R(attr_index, "attribute index"),
	A(attr, "attribute controller"), R(attr_data_next, "attribute data comes next"),
	R(dac_mask, "DAC mask"), R(dac_read_index, "DAC colour read"), R(dac_write_index, "DAC colour written"),
	R(dac_component, "red, green or blue"), R(dac_reading, "the DAC was last set to read"), A(dac, "DAC colours"),
	A(memory, "0xa0000-0xbffff"), {0} };

static const struct device_ops vga_ops = { .name = "vga", .state_version = 1, .regs = vga_regs, .reset = vga_reset,
	.io_read = vga_io_read, .io_write = vga_io_write, .restored = vga_restored };

void vga_init(struct vga *vga, struct clock *clock)
{
	memset(vga, 0, sizeof *vga);
	vga->dev = (struct device){ .ops = &vga_ops, .clock = clock };
	vga_reset(&vga->dev);
}
