/* devices/ide_dma.c: the PIIX3 bus master of one channel.
 *
 *   region descriptor, 8 bytes:   31:0 address, bit 0 is 0 | 47:33 bytes, even, 0 means 64 KB | 63 end of table
 *
 *   status after a DMA command    interrupt  active
 *     going on, or stuck              0        1
 *     regions and sectors fit         1        0
 *     regions longer than sectors     1        1
 *     regions too short               0        0     the drive keeps waiting: start again, or reset it
 *
 * Descriptors and data are read and written through struct dma, which is safe for any address. The drive moves
 * IDE_MULTIPLE_MAX sectors at a time, so that one step has a bound whatever the guest put in the table.
 *
 * References: [PIIX4 5.2 "IDE Controller IO Space Registers"], [PIIX3 "Bus Master Function"], [BMIDE 3 "Operation"].
 * Undefined there: a region that crosses 64 KB goes on linearly here; so does the table. */
#include "devices/ide.h"

#include <string.h>

#include "devices/ide_private.h"

#define PRD_END 0x8000

void ide_bm_reset(struct ide_channel *ch)
{
	ch->bm_command = ch->bm_status = 0;
	ch->bm_prdt = 0;
	ch->prd_next = ch->prd_addr = ch->prd_left = 0;
	ch->prd_last = 0;
}

/* --- regions ---------------------------------------------------------------------------------------------------- */

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Makes prd_addr and prd_left name a region with bytes left. False at the end of the table. */
static bool next_region(struct ide_channel *ch)
{
	uint8_t prd[8];

	if (ch->prd_left)
		return true;
	if (ch->prd_last)
		return false;
	ch->dma.read(ch->dma.owner, ch->prd_next, prd, sizeof(prd));
	ch->prd_next += sizeof(prd);
	ch->prd_addr = get32(prd) & ~1u;
	ch->prd_left = (prd[4] | prd[5] << 8) & ~1u;
	if (!ch->prd_left)
		ch->prd_left = 0x10000;
	ch->prd_last = !!(prd[7] & PRD_END >> 8);
	if ((ch->prd_addr & 0xffff) + ch->prd_left > 0x10000)
		device_log(&ch->dev, LOG_GUEST, "DMA region %08x + %x crosses 64 KB", ch->prd_addr, ch->prd_left);
	return true;
}

/* Moves what is left of the block between buffer and memory. False when the regions end first. */
static bool move_block(struct ide_channel *ch, bool to_memory)
{
	while (ch->pos < ch->len) {
		uint32_t n = ch->len - ch->pos;

		if (!next_region(ch))
			return false;
		if (n > ch->prd_left)
			n = ch->prd_left;
		if (to_memory)
			ch->dma.write(ch->dma.owner, ch->prd_addr, ch->buffer + ch->pos, n);
		else
			ch->dma.read(ch->dma.owner, ch->prd_addr, ch->buffer + ch->pos, n);
		ch->pos += n;
		ch->prd_addr += n;
		ch->prd_left -= n;
	}
	return true;
}

/* --- transfers -------------------------------------------------------------------------------------------------- */

static bool direction_matches(const struct ide_channel *ch)
{
	return !!(ch->bm_command & IDE_BM_TO_MEMORY) == !ch->to_disk;
}

static void wait_for_bus_master(struct ide_channel *ch)
{
	timer_cancel(ch->dev.clock, &ch->timer);
	ch->phase = IDE_DMA_WAIT;
	ide_selected(ch)->status = IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_DRQ;
}

static void next_step(struct ide_channel *ch, uint32_t extra)
{
	ide_wait(ch, ch->to_disk ? IDE_DMA_OUT : IDE_DMA_IN, extra + ch->len / SECTOR_SIZE * IDE_SECTOR_TICKS);
}

/* Called when a DMA command is accepted and when the bus master starts: the transfer runs once both have happened. */
void ide_dma_begin(struct ide_channel *ch)
{
	if (ch->phase != IDE_DMA_WAIT || !(ch->bm_status & IDE_BM_ST_ACTIVE))
		return;
	if (!direction_matches(ch)) {
		device_log(&ch->dev, LOG_GUEST, "bus master direction is not that of command %02x", ch->opcode);
		return;
	}
	next_step(ch, IDE_COMMAND_TICKS);
}

/* The bus master stays active when regions are left over. */
static void transfer_ended(struct ide_channel *ch)
{
	if (ch->prd_last && !ch->prd_left)
		ch->bm_status &= ~IDE_BM_ST_ACTIVE;
}

static void regions_ended(struct ide_channel *ch)
{
	device_log(&ch->dev, LOG_GUEST, "DMA regions end %u sectors before command %02x does", ch->left, ch->opcode);
	ch->bm_status &= ~IDE_BM_ST_ACTIVE;
	wait_for_bus_master(ch);
}

/* pos is 0 when a block begins; a block continued after the regions ended has been read already. */
void ide_dma_step(struct ide_channel *ch)
{
	bool in = !ch->to_disk;

	if (in && ch->pos == 0 && !ide_disk_read(ch))
		return;
	if (!move_block(ch, in)) {
		regions_ended(ch);
		return;
	}
	if (!in && !ide_disk_write(ch))
		return;
	if (ide_advance(ch)) {
		next_step(ch, 0);
		return;
	}
	transfer_ended(ch);
	ide_finish(ch);
}

/* --- registers -------------------------------------------------------------------------------------------------- */

uint32_t ide_bm_read(struct ide_channel *ch, unsigned offset)
{
	switch (offset) {
	case IDE_BM_COMMAND:
		return ch->bm_command;
	case IDE_BM_STATUS:
		return ch->bm_status;
	case IDE_BM_PRDT ... IDE_BM_PRDT + 3:
		return ch->bm_prdt >> 8 * (offset - IDE_BM_PRDT) & 0xff;
	default:
		return 0;
	}
}

/* Start rising loads the table's address; falling stops at once, and what the drive had not moved yet waits. */
static void write_command(struct ide_channel *ch, uint8_t value)
{
	bool was = ch->bm_command & IDE_BM_START;

	ch->bm_command = value & (IDE_BM_START | IDE_BM_TO_MEMORY);
	if (value & IDE_BM_START && !was) {
		ch->bm_status |= IDE_BM_ST_ACTIVE;
		ch->prd_next = ch->bm_prdt;
		ch->prd_left = 0;
		ch->prd_last = 0;
		ide_dma_begin(ch);
	} else if (!(value & IDE_BM_START) && was) {
		ch->bm_status &= ~IDE_BM_ST_ACTIVE;
		if (ch->phase == IDE_DMA_IN || ch->phase == IDE_DMA_OUT)
			wait_for_bus_master(ch);
	}
}

void ide_bm_write(struct ide_channel *ch, unsigned offset, uint8_t value)
{
	switch (offset) {
	case IDE_BM_COMMAND:
		write_command(ch, value);
		break;
	case IDE_BM_STATUS:
		ch->bm_status &= ~(value & (IDE_BM_ST_ERROR | IDE_BM_ST_INT));
		ch->bm_status = (ch->bm_status & ~IDE_BM_ST_CAN_DMA) | (value & IDE_BM_ST_CAN_DMA);
		break;
	case IDE_BM_PRDT ... IDE_BM_PRDT + 3:
		ch->bm_prdt &= ~(0xffu << 8 * (offset - IDE_BM_PRDT));
		ch->bm_prdt |= (uint32_t)value << 8 * (offset - IDE_BM_PRDT);
		ch->bm_prdt &= ~3u;
		break;
	}
}
