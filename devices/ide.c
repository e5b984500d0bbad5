/* devices/ide.c: registers, interrupt line, reset and PIO data of an IDE channel. The register map is in ide.h. */
#include "devices/ide.h"

#include <string.h>

#include "devices/ide_private.h"

/* --- interrupt and time ----------------------------------------------------------------------------------------- */

/* INTRQ reaches the pin unless nIEN holds it off. A rising pin also sets the bus master's interrupt bit, whatever
 * command it belongs to. [PIIX4 5.2.2 "BMISX"] */
static void ide_update_pin(struct ide_channel *ch, bool was)
{
	bool now = ch->intrq && !(ch->control & IDE_CTL_NIEN);

	if (now && !was)
		ch->bm_status |= IDE_BM_ST_INT;
	irq_set(&ch->dev.irq, now);
}

static bool ide_pin(const struct ide_channel *ch)
{
	return ch->intrq && !(ch->control & IDE_CTL_NIEN);
}

void ide_raise(struct ide_channel *ch)
{
	bool was = ide_pin(ch);

	ch->intrq = 1;
	ide_update_pin(ch, was);
}

void ide_lower(struct ide_channel *ch)
{
	bool was = ide_pin(ch);

	ch->intrq = 0;
	ide_update_pin(ch, was);
}

void ide_wait(struct ide_channel *ch, enum ide_phase phase, uint64_t ticks)
{
	ide_selected(ch)->status = IDE_ST_BSY;
	ch->phase = phase;
	ch->due = clock_now(ch->dev.clock) + ticks;
	timer_arm(ch->dev.clock, &ch->timer, ch->due);
}

static void ide_timer(void *owner)
{
	ide_step(owner);
}

/* --- reset ------------------------------------------------------------------------------------------------------ */

/* [ATA6 9.12 "Signature and persistence"]: a disk shows 01 01 00 00. Error 01: the drive passed its diagnostic. */
void ide_signature(struct ide_channel *ch)
{
	ch->device = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct ide_drive *d = &ch->drive[i];

		memset(d->reg, 0, sizeof(d->reg));
		memset(d->hob, 0, sizeof(d->hob));
		d->reg[IDE_COUNT] = d->reg[IDE_LBA_LOW] = 1;
		d->error = 1;
		d->status = d->disk ? IDE_ST_DRDY | IDE_ST_DSC : 0;
	}
}

/* Drops whatever a command was doing. */
static void ide_abandon(struct ide_channel *ch)
{
	timer_cancel(ch->dev.clock, &ch->timer);
	ch->phase = IDE_IDLE;
	ch->left = ch->pos = ch->len = 0;
	ide_lower(ch);
}

static void ide_reset(struct device *dev)
{
	struct ide_channel *ch = (struct ide_channel *)dev;

	ide_abandon(ch);
	ch->control = 0;
	ch->opcode = ch->to_disk = 0;
	ch->lba = ch->due = 0;
	ch->block = 0;
	memset(ch->buffer, 0, sizeof(ch->buffer));
	for (unsigned i = 0; i < 2; i++)
		ide_drive_defaults(&ch->drive[i]);
	ide_signature(ch);
	ide_bm_reset(ch);
}

/* SRST holds both drives busy while it is set; some time after it falls they show the signature. No interrupt.
 * [ATA6 9.2 "Software reset protocol"]. Settings of SET FEATURES, SET MULTIPLE and the translation survive. */
static void ide_write_control(struct ide_channel *ch, uint8_t value)
{
	bool was = ide_pin(ch), srst = ch->control & IDE_CTL_SRST;

	ch->control = value & (IDE_CTL_HOB | IDE_CTL_SRST | IDE_CTL_NIEN);
	ide_update_pin(ch, was);
	if (value & IDE_CTL_SRST && !srst) {
		ide_abandon(ch);
		ch->drive[0].status = ch->drive[1].status = IDE_ST_BSY;
	} else if (!(value & IDE_CTL_SRST) && srst) {
		ch->device = ch->opcode = 0;
		ide_wait(ch, IDE_RESETTING, IDE_COMMAND_TICKS);
	}
}

/* --- data port -------------------------------------------------------------------------------------------------- */

static uint32_t ide_read_data(struct ide_channel *ch, unsigned size)
{
	uint32_t value = 0;

	if (ch->phase != IDE_DATA_IN) {
		device_log(&ch->dev, LOG_GUEST, "read of the data port without DRQ");
		return 0xffffffffu >> (32 - 8 * size);
	}
	for (unsigned i = 0; i < size; i++, ch->pos += ch->pos < ch->len)
		value |= (uint32_t)(ch->pos < ch->len ? ch->buffer[ch->pos] : 0xff) << 8 * i;
	if (ch->pos == ch->len)
		ide_block_done(ch);
	return value;
}

static void ide_write_data(struct ide_channel *ch, unsigned size, uint32_t value)
{
	if (ch->phase != IDE_DATA_OUT) {
		device_log(&ch->dev, LOG_GUEST, "write of the data port without DRQ");
		return;
	}
	for (unsigned i = 0; i < size && ch->pos < ch->len; i++)
		ch->buffer[ch->pos++] = value >> 8 * i;
	if (ch->pos == ch->len)
		ide_block_done(ch);
}

/* --- registers -------------------------------------------------------------------------------------------------- */

/* The drive that answers: the selected one, or drive 0 on behalf of an absent drive 1. [ATA6 9.16.1 "Device 0 only
 * configurations"]. NULL when nobody drives the bus. */
static struct ide_drive *ide_answering(struct ide_channel *ch)
{
	struct ide_drive *d = ide_selected(ch);

	if (d->disk)
		return d;
	return ch->drive[0].disk ? &ch->drive[0] : NULL;
}

static uint8_t ide_read_status(struct ide_channel *ch)
{
	if (!ide_answering(ch))
		return 0xff;
	return ide_selected(ch)->disk ? ide_selected(ch)->status : 0;
}

static uint8_t ide_read_register(struct ide_channel *ch, unsigned reg)
{
	const struct ide_drive *d = ide_answering(ch);

	if (!d)
		return 0xff;
	if (d->status & IDE_ST_BSY && reg != IDE_STATUS)
		return d->status;              /* while BSY every register reads as status */
	switch (reg) {
	case IDE_ERROR:
		return d->error;
	case IDE_DEVICE:
		return ch->device | 0xa0;
	case IDE_STATUS:
		if (ide_selected(ch)->disk)
			ide_lower(ch);
		return ide_read_status(ch);
	default:
		return ch->control & IDE_CTL_HOB ? d->hob[reg] : d->reg[reg];
	}
}

/* A busy drive ignores its registers, and while it moves data too; only SRST gets through. */
static bool ide_deaf(struct ide_channel *ch)
{
	return ch->phase != IDE_IDLE || ch->control & IDE_CTL_SRST;
}

static void ide_write_register(struct ide_channel *ch, unsigned reg, uint8_t value)
{
	if (ide_deaf(ch)) {
		device_log(&ch->dev, LOG_GUEST, "register %u written with %02x while command %02x is in progress", reg, value, ch->opcode);
		return;
	}
	ch->control &= ~IDE_CTL_HOB;
	if (reg == IDE_COMMAND) {
		ide_command(ch, value);
		return;
	}
	if (reg == IDE_DEVICE)
		ch->device = value;
	for (unsigned i = 0; i < 2; i++) {
		ch->drive[i].hob[reg] = ch->drive[i].reg[reg];
		ch->drive[i].reg[reg] = value;
	}
}

static uint32_t ide_read_byte(struct ide_channel *ch, uint16_t offset)
{
	if (offset < IDE_CONTROL)
		return ide_read_register(ch, offset);
	if (offset == IDE_CONTROL)
		return ide_read_status(ch);
	if (offset >= IDE_BM_COMMAND && offset < IDE_BM_COMMAND + 8)
		return ide_bm_read(ch, offset);
	return 0xff;
}

static uint32_t ide_read(struct device *dev, uint16_t offset, unsigned size)
{
	struct ide_channel *ch = (struct ide_channel *)dev;
	uint32_t value = 0;

	if (offset == IDE_DATA)
		return ide_answering(ch) ? ide_read_data(ch, size) : 0xffffffffu >> (32 - 8 * size);
	for (unsigned i = 0; i < size; i++)
		value |= ide_read_byte(ch, offset + i) << 8 * i;
	return value;
}

static void ide_write_byte(struct ide_channel *ch, uint16_t offset, uint8_t value)
{
	if (offset < IDE_CONTROL)
		ide_write_register(ch, offset, value);
	else if (offset == IDE_CONTROL)
		ide_write_control(ch, value);
	else if (offset >= IDE_BM_COMMAND && offset < IDE_BM_COMMAND + 8)
		ide_bm_write(ch, offset, value);
}

static void ide_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	struct ide_channel *ch = (struct ide_channel *)dev;

	if (offset == IDE_DATA) {
		ide_write_data(ch, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++)
		ide_write_byte(ch, offset + i, value >> 8 * i);
}

/* --- wiring ----------------------------------------------------------------------------------------------------- */

#define DRIVE_REGS(n) \
	REG_ARRAY(struct ide_channel, drive[n].reg, "registers of drive " #n " as last written"), \
	REG_ARRAY(struct ide_channel, drive[n].hob, "the bytes written before those"), \
	REG(struct ide_channel, drive[n].status, "status register"), \
	REG(struct ide_channel, drive[n].error, "error register"), \
	REG(struct ide_channel, drive[n].cylinders, "current translation: cylinders"), \
	REG(struct ide_channel, drive[n].heads, "current translation: heads"), \
	REG(struct ide_channel, drive[n].sectors, "current translation: sectors of a track"), \
	REG(struct ide_channel, drive[n].multiple, "sectors in a block of READ MULTIPLE"), \
	REG(struct ide_channel, drive[n].dma_mode, "selected multiword DMA mode, one bit"), \
	REG(struct ide_channel, drive[n].write_cache, "write cache enabled"), \
	REG(struct ide_channel, drive[n].look_ahead, "read look-ahead enabled")

static bool waits_for_timer(const struct ide_channel *ch)
{
	return ch->phase != IDE_IDLE && ch->phase != IDE_DATA_IN && ch->phase != IDE_DATA_OUT && ch->phase != IDE_DMA_WAIT;
}

/* A state that could never have been saved ends its command as a reset would. The pin's level comes back with INTRQ. */
static void ide_restored(struct device *dev)
{
	struct ide_channel *ch = (struct ide_channel *)dev;

	timer_cancel(dev->clock, &ch->timer);
	for (unsigned i = 0; i < 2; i++)
		if (!ide_drive_valid(&ch->drive[i]))
			ide_drive_defaults(&ch->drive[i]);
	if (!ide_transfer_valid(ch)) {
		ide_abandon(ch);
		ide_signature(ch);
	}
	if (waits_for_timer(ch)) {
		ide_selected(ch)->status = IDE_ST_BSY;
		timer_arm(dev->clock, &ch->timer, ch->due);
	}
	irq_set(&dev->irq, ide_pin(ch));
}

static const struct reg_desc ide_regs[] = {
	DRIVE_REGS(0),
	DRIVE_REGS(1),
	REG(struct ide_channel, device, "device register"),
	REG(struct ide_channel, control, "device control register"),
	REG(struct ide_channel, intrq, "interrupt wanted"),
	REG(struct ide_channel, phase, "what the channel waits for"),
	REG(struct ide_channel, due, "when the next step is due"),
	REG(struct ide_channel, opcode, "command in progress, or the last"),
	REG(struct ide_channel, to_disk, "the command writes"),
	REG(struct ide_channel, lba, "next sector of the command"),
	REG(struct ide_channel, left, "sectors left"),
	REG(struct ide_channel, block, "sectors for each block"),
	REG(struct ide_channel, pos, "bytes of the block moved"),
	REG(struct ide_channel, len, "bytes in the block"),
	REG_ARRAY(struct ide_channel, buffer, "the block"),
	REG(struct ide_channel, bm_command, "bus master command"),
	REG(struct ide_channel, bm_status, "bus master status"),
	REG(struct ide_channel, bm_prdt, "bus master descriptor table"),
	REG(struct ide_channel, prd_next, "next descriptor"),
	REG(struct ide_channel, prd_addr, "rest of the region: address"),
	REG(struct ide_channel, prd_left, "rest of the region: bytes"),
	REG(struct ide_channel, prd_last, "the region is the table's last"),
	{0}
};

const struct device_ops ide_ops = {
	.name = "ide",
	.state_version = 1,
	.regs = ide_regs,
	.reset = ide_reset,
	.io_read = ide_read,
	.io_write = ide_write,
	.restored = ide_restored,
};

void ide_init(struct ide_channel *ch, struct clock *clock, struct device_log *log, struct dma dma)
{
	memset(ch, 0, sizeof(*ch));
	ch->dev.ops = &ide_ops;
	ch->dev.clock = clock;
	ch->dev.log = log;
	ch->dma = dma;
	timer_init(&ch->timer, "ide", ide_timer, ch);
	ide_reset(&ch->dev);
}

void ide_attach(struct ide_channel *ch, unsigned unit, struct disk *disk, const char *image)
{
	ch->drive[unit & 1].disk = disk;
	ch->drive[unit & 1].image = image;
	ide_reset(&ch->dev);
}
