/* devices/ide_identify.c: the 256 words in which a disk describes itself. Words not set here are zero.
 *
 * References: [ATA6 8.15 "IDENTIFY DEVICE"]. */
#include "devices/ide.h"

#include <string.h>

#include "devices/ide_private.h"

static void put_word(uint8_t *id, unsigned word, uint32_t value)
{
	id[2 * word] = value;
	id[2 * word + 1] = value >> 8;
}

static void put_words(uint8_t *id, unsigned word, unsigned count, uint64_t value)
{
	for (unsigned i = 0; i < count; i++)
		put_word(id, word + i, value >> 16 * i & 0xffff);
}

/* Strings are padded with blanks, and the first character of each pair is the high byte. [ATA6 8.15.8 "Word 10-19"] */
static void put_text(uint8_t *id, unsigned word, unsigned words, const char *text)
{
	size_t len = strlen(text);

	for (unsigned i = 0; i < 2 * words; i++)
		id[2 * word + (i ^ 1)] = i < len ? text[i] : ' ';
}

static void identify_capacity(uint8_t *id, const struct ide_drive *d)
{
	uint64_t n = d->disk->sectors, current = (uint64_t)d->cylinders * d->heads * d->sectors;
	uint64_t cylinders = (n < CHS_CAPACITY_MAX ? n : CHS_CAPACITY_MAX) / (16 * 63);

	put_word(id, 1, cylinders ? cylinders : 1);
	put_word(id, 3, 16);
	put_word(id, 6, 63);
	put_word(id, 54, d->cylinders);
	put_word(id, 55, d->heads);
	put_word(id, 56, d->sectors);
	put_words(id, 57, 2, current);
	put_words(id, 60, 2, n < LBA28_LIMIT ? n : LBA28_LIMIT);
	put_words(id, 100, 4, n);
}

void ide_identify(struct ide_channel *ch)
{
	const struct ide_drive *d = ide_selected(ch);
	uint8_t *id = ch->buffer, sum = 0;

	memset(id, 0, SECTOR_SIZE);
	put_word(id, 0, 0x0040);                       /* a fixed disk */
	put_text(id, 10, 10, ch->device & 0x10 ? "PG00000002" : "PG00000001");
	put_text(id, 23, 4, "1.0");
	put_text(id, 27, 20, "PAGODA ATA DISK");
	put_word(id, 47, 0x8000 | IDE_MULTIPLE_MAX);
	put_word(id, 49, 0x0b00);                      /* IORDY, LBA, DMA */
	put_word(id, 50, 0x4000);
	put_word(id, 53, 0x0003);                      /* words 54-58 and 64-70 are valid */
	put_word(id, 59, d->multiple ? 0x100 | d->multiple : 0);
	put_word(id, 63, 0x0007 | d->dma_mode << 8);   /* multiword DMA 0-2, and which is selected */
	put_word(id, 64, 0x0003);                      /* PIO 3 and 4 */
	put_words(id, 65, 4, 0x0078007800780078);      /* cycle times: 120 ns */
	put_word(id, 80, 0x007e);                      /* up to ATA-6 */
	put_word(id, 82, 0x4068);                      /* NOP, look-ahead, write cache, power management */
	put_word(id, 83, 0x7400);                      /* FLUSH CACHE EXT, FLUSH CACHE, 48-bit */
	put_word(id, 84, 0x4000);
	put_word(id, 85, 0x4008 | d->look_ahead << 6 | d->write_cache << 5);
	put_word(id, 86, 0x3400);
	put_word(id, 87, 0x4000);
	identify_capacity(id, d);
	id[510] = 0xa5;                                /* integrity word: all 512 bytes add up to zero */
	for (unsigned i = 0; i < 511; i++)
		sum += id[i];
	id[511] = -sum;
}
