/* devices/pci.c: configuration space of the i440FX and PIIX3 functions. The map is in pci.h. */
#include "devices/pci.h"

#include <errno.h>
#include <string.h>

/* --- what the functions are ------------------------------------------------------------------------------------- */

/* One register: its value after reset and the bits software can write. What has no row reads as zero, for good. */
struct pci_reg {
	uint8_t offset, bytes;
	uint32_t value, writable;
};

struct pci_function {
	uint8_t devfn;                 /* device << 3 | function */
	const struct pci_reg *regs;    /* end with bytes 0 */
};

#define DEVFN(device, function) ((device) << 3 | (function))
#define IDS(device) {0x00, 4, (uint32_t)(device) << 16 | 0x8086, 0}

static const struct pci_reg host_regs[] = {
	IDS(0x1237),
	{0x04, 2, 0x0006, 0x0140},     /* memory and bus master are always on; PERRE, SERRE */
	{0x06, 2, 0x0280, 0},
	{0x08, 4, 0x06000002, 0},      /* host bridge, revision 2 */
	{0x0d, 1, 0, 0xf8},
	{0x50, 4, 0, 0xffffffff},      /* PMCCFG, DETURBO, DBC */
	{0x54, 4, 0, 0xffffffff},
	{0x58, 4, 0, 0xffffffff},      /* DRT; PAM0-2 */
	{0x5c, 4, 0, 0xffffffff},      /* PAM3-6. Simplified: what they say does not matter, shadow RAM is always on */
	{0x60, 4, 0x01010101, 0xffffffff},     /* DRB */
	{0x64, 4, 0x01010101, 0xffffffff},
	{0x72, 1, 0x02, 0x7f},         /* SMRAM */
	{0}
};

static const struct pci_reg isa_regs[] = {
	IDS(0x7000),
	{0x04, 2, 0x0007, 0x0108},
	{0x06, 2, 0x0200, 0},
	{0x08, 4, 0x06010000, 0},      /* ISA bridge */
	{0x0c, 4, 0x00800000, 0},      /* header type: more functions */
	{0x4c, 1, 0x4d, 0xff},
	{0x4e, 2, 0x0003, 0xffff},     /* XBCS */
	{0x60, 4, 0x80808080, 0x8f8f8f8f},     /* PIRQRC[A:D]: bit 7 not routed, 3:0 which IRQ */
	{0x69, 1, 0x02, 0xfe},
	{0x6a, 2, 0, 0xffff},
	{0x70, 1, 0x80, 0xef},
	{0x76, 2, 0x0c0c, 0x8f8f},
	{0x78, 2, 0x0002, 0xffff},
	{0x80, 1, 0, 0x7f},
	{0x82, 1, 0, 0x0f},
	{0xa0, 1, 0x08, 0xff},
	{0xa2, 2, 0, 0xffff},
	{0xa4, 4, 0, 0xffffffff},
	{0xaa, 2, 0, 0xffff},
	{0xac, 1, 0, 0xff},
	{0xae, 1, 0, 0xff},
	{0}
};

static const struct pci_reg ide_function_regs[] = {
	IDS(0x7010),
	{0x04, 2, 0, 0x0005},          /* I/O, bus master */
	{0x06, 2, 0x0280, 0},
	{0x08, 4, 0x01018000, 0},      /* IDE, bus master, legacy ports */
	{0x0d, 1, 0, 0xf0},
	{0x20, 4, 0x00000001, 0xfffffff0},     /* BMIBA: 16 ports */
	{0x40, 2, 0x8000, 0xffff},     /* IDETIM: 15 decode. Simplified: on from the start */
	{0x42, 2, 0x8000, 0xffff},
	{0x44, 1, 0, 0xff},            /* SIDETIM */
	{0}
};

static const struct pci_reg pm_regs[] = {
	IDS(0x7113),
	{0x04, 2, 0, 0x0001},
	{0x06, 2, 0x0280, 0},
	{0x08, 4, 0x06800003, 0},      /* other bridge, revision 3 */
	{0x3c, 2, 0x0100, 0x00ff},     /* interrupt line; pin A */
	{0x40, 4, 0x00000001, 0x0000ffc0},     /* PMBA: 64 ports */
	{0x58, 4, 0, 0xffffffff},
	{0x80, 1, 0, 0x01},            /* PMREGMISC: 0 PMBA decodes */
	{0x90, 4, 0x00000001, 0x0000fff0},
	{0xd2, 1, 0, 0xff},
	{0}
};

enum { FN_HOST, FN_ISA, FN_IDE, FN_PM };

static const struct pci_function functions[PCI_FUNCTIONS] = {
	[FN_HOST] = {DEVFN(0, 0), host_regs},
	[FN_ISA] = {DEVFN(1, 0), isa_regs},
	[FN_IDE] = {DEVFN(1, 1), ide_function_regs},
	[FN_PM] = {DEVFN(1, 3), pm_regs},
};

/* Where a window's base and enable bit are. */
struct pci_window_model {
	unsigned fn;
	uint8_t base_reg;
	uint32_t base_mask;
	uint8_t enable_reg, enable_bit;
};

static const struct pci_window_model window_models[PCI_WINDOWS] = {
	[PCI_WINDOW_IDE] = {FN_IDE, 0x20, 0xfffffff0, 0x04, 0x01},
	[PCI_WINDOW_PM] = {FN_PM, 0x40, 0x0000ffc0, 0x80, 0x01},
};

/* --- windows ---------------------------------------------------------------------------------------------------- */

static uint32_t config_get32(const struct pci *pci, unsigned fn, unsigned reg)
{
	const uint8_t *c = &pci->config[fn][reg];

	return c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[2] << 16 | (uint32_t)c[3] << 24;
}

/* Where the registers put a window; 0: nowhere. No window may begin at port 0, nor reach past port FFFF. */
static uint16_t window_base(const struct pci *pci, const struct pci_window_model *m)
{
	uint32_t base = config_get32(pci, m->fn, m->base_reg) & m->base_mask;

	if (!(pci->config[m->fn][m->enable_reg] & m->enable_bit) || base > 0xffff)
		return 0;
	return base;
}

static void window_unmap(struct pci *pci, struct pci_window *w)
{
	for (unsigned i = 0; w->base && i < w->parts; i++)
		ports_remove(pci->ports, w->part[i].dev, w->base + w->part[i].offset);
	w->base = 0;
}

/* All parts or none; ports somebody else has stay theirs. */
static void window_map(struct pci *pci, struct pci_window *w, uint16_t base)
{
	const char *clash = "?";

	for (unsigned i = 0; i < w->parts; i++) {
		const struct pci_part *p = &w->part[i];

		if (!ports_add(pci->ports, p->dev, base + p->offset, p->count, p->first_offset, &clash))
			continue;
		device_log(&pci->dev, LOG_GUEST, "ports %04x of %s are those of %s", base + p->offset, p->dev->ops->name, clash);
		while (i--)
			ports_remove(pci->ports, w->part[i].dev, base + w->part[i].offset);
		return;
	}
	w->base = base;
}

static void pci_remap(struct pci *pci)
{
	for (unsigned i = 0; i < PCI_WINDOWS; i++) {
		uint16_t base = window_base(pci, &window_models[i]);

		if (base == pci->window[i].base)
			continue;
		window_unmap(pci, &pci->window[i]);
		if (base)
			window_map(pci, &pci->window[i], base);
	}
}

int pci_attach(struct pci *pci, enum pci_window_id id, struct device *dev, uint16_t offset, uint16_t count, uint16_t first_offset)
{
	struct pci_window *w = &pci->window[id];

	if (w->parts == PCI_WINDOW_PARTS)
		return -ENOSPC;
	window_unmap(pci, w);
	w->part[w->parts++] = (struct pci_part){dev, offset, count, first_offset};
	pci_remap(pci);
	return 0;
}

/* --- configuration space ---------------------------------------------------------------------------------------- */

/* The function CF8 selects, or -1. */
static int selected_function(const struct pci *pci)
{
	if (!(pci->address & 0x80000000u) || pci->address & 0x00ff0000u)
		return -1;
	for (int i = 0; i < PCI_FUNCTIONS; i++)
		if (functions[i].devfn == (pci->address >> 8 & 0xff))
			return i;
	return -1;
}

static uint8_t config_read(const struct pci *pci, unsigned lane)
{
	int fn = selected_function(pci);

	return fn < 0 ? 0xff : pci->config[fn][(pci->address & 0xfc) + lane];
}

static uint8_t writable_bits(unsigned fn, unsigned offset)
{
	for (const struct pci_reg *r = functions[fn].regs; r->bytes; r++)
		if (offset >= r->offset && offset < (unsigned)r->offset + r->bytes)
			return r->writable >> 8 * (offset - r->offset);
	return 0;
}

/* Changes the writable bits of one byte. */
static void config_store(struct pci *pci, unsigned fn, unsigned offset, uint8_t value)
{
	uint8_t mask = writable_bits(fn, offset), *cell = &pci->config[fn][offset];

	*cell = (*cell & ~mask) | (value & mask);
}

static void config_write(struct pci *pci, unsigned lane, uint8_t value)
{
	int fn = selected_function(pci);
	unsigned offset = (pci->address & 0xfc) + lane;

	if (fn >= 0)
		config_store(pci, fn, offset, value);
}

static void config_defaults(struct pci *pci, unsigned fn)
{
	memset(pci->config[fn], 0, sizeof(pci->config[fn]));
	for (const struct pci_reg *r = functions[fn].regs; r->bytes; r++)
		for (unsigned i = 0; i < r->bytes; i++)
			pci->config[fn][r->offset + i] = r->value >> 8 * i;
}

/* --- ports ------------------------------------------------------------------------------------------------------ */

static void pci_reset(struct device *dev)
{
	struct pci *pci = (struct pci *)dev;

	pci->address = 0;
	pci->reset_control = 0;
	for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
		config_defaults(pci, i);
	pci_remap(pci);
}

/* [PIIX3 "RC--Reset Control Register"]: bit 2 rising resets, bit 1 says how much. */
static void write_reset_control(struct pci *pci, uint8_t value)
{
	bool rises = value & 4 && !(pci->reset_control & 4);

	pci->reset_control = value & 6;
	if (!rises)
		return;
	irq_set(&pci->reset_line, 1);
	irq_set(&pci->reset_line, 0);
}

/* A loaded state may not change what is read-only. */
static void pci_restored(struct device *dev)
{
	struct pci *pci = (struct pci *)dev;

	pci->address &= 0x80fffffc;
	pci->reset_control &= 6;
	for (unsigned fn = 0; fn < PCI_FUNCTIONS; fn++) {
		uint8_t loaded[256];

		memcpy(loaded, pci->config[fn], sizeof(loaded));
		config_defaults(pci, fn);
		for (unsigned reg = 0; reg < sizeof(loaded); reg++)
			config_store(pci, fn, reg, loaded[reg]);
	}
	pci_remap(pci);
}

/* The address answers to a doubleword only; anything smaller belongs to whoever else decodes there. */
static uint32_t pci_read(struct device *dev, uint16_t offset, unsigned size)
{
	struct pci *pci = (struct pci *)dev;
	uint32_t value = 0;

	if (offset == PCI_ADDRESS && size == 4)
		return pci->address;
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = 0xff;

		if (offset + i >= PCI_DATA && offset + i < PCI_DATA + 4)
			byte = config_read(pci, offset + i - PCI_DATA);
		else if (offset + i == PCI_RESET_CONTROL)
			byte = pci->reset_control;
		value |= (uint32_t)byte << 8 * i;
	}
	return value;
}

static void pci_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	struct pci *pci = (struct pci *)dev;

	if (offset == PCI_ADDRESS && size == 4) {
		pci->address = value & 0x80fffffc;
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		if (offset + i >= PCI_DATA && offset + i < PCI_DATA + 4)
			config_write(pci, offset + i - PCI_DATA, value >> 8 * i);
		else if (offset + i == PCI_RESET_CONTROL)
			write_reset_control(pci, value >> 8 * i);
	}
	pci_remap(pci);
}

static const struct reg_desc pci_regs[] = {
	REG(struct pci, address, "configuration address, port CF8"),
	REG(struct pci, reset_control, "port CF9"),
	REG_ARRAY(struct pci, config[FN_HOST], "configuration space of 00:00.0, host bridge"),
	REG_ARRAY(struct pci, config[FN_ISA], "configuration space of 00:01.0, ISA bridge"),
	REG_ARRAY(struct pci, config[FN_IDE], "configuration space of 00:01.1, IDE"),
	REG_ARRAY(struct pci, config[FN_PM], "configuration space of 00:01.3, power management"),
	{0}
};

const struct device_ops pci_ops = {
	.name = "pci",
	.state_version = 1,
	.regs = pci_regs,
	.reset = pci_reset,
	.io_read = pci_read,
	.io_write = pci_write,
	.restored = pci_restored,
};

void pci_init(struct pci *pci, struct ports *ports, struct device_log *log)
{
	memset(pci, 0, sizeof(*pci));
	pci->dev.ops = &pci_ops;
	pci->dev.log = log;
	pci->ports = ports;
	pci_reset(&pci->dev);
}

static void poke(struct pci *pci, unsigned fn, unsigned reg, unsigned bytes, uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		config_store(pci, fn, reg + i, value >> 8 * i);
}

void pci_firmware_setup(struct pci *pci)
{
	poke(pci, FN_ISA, 0x60, 4, 0x0b0b0a0a);        /* PIRQ A, B: IRQ 10; C, D: IRQ 11 */
	poke(pci, FN_IDE, 0x20, 4, 0xc000);
	poke(pci, FN_IDE, 0x04, 2, 0x0005);
	poke(pci, FN_PM, 0x40, 4, 0x600);
	poke(pci, FN_PM, 0x80, 1, 1);
	poke(pci, FN_PM, 0x04, 2, 1);
	poke(pci, FN_PM, 0x3c, 1, 9);
	pci_remap(pci);
}
