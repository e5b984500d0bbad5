/* devices/ide_command.c: what an ATA disk does with each command.
 *
 *   command -> checks -> [READING -> DATA_IN]...            PIO in:  INTRQ before each block
 *                        [DATA_OUT -> WRITING]...           PIO out: INTRQ after each block
 *                        DMA_WAIT -> [DMA_IN | DMA_OUT]...  DMA:     INTRQ at the end (ide_dma.c)
 *                        [VERIFYING]..., FLUSHING, FINISHING         INTRQ at the end
 *
 * References: [ATA6 8 "Command descriptions"], [ATA6 9 "Protocol"]. */
#include "devices/ide.h"

#include <stdio.h>
#include <string.h>

#include "devices/ide_private.h"

#define IDE_DIAGNOSTIC 0x90
#define IDE_IDENTIFY   0xec


/* Flags of a command row. */
#define F_EXT      1               /* 48-bit address and 16-bit count */
#define F_WRITE    2
#define F_MULTIPLE 4

struct ide_command_row {
	uint8_t opcode;
	const char *name;
	void (*start)(struct ide_channel *ch, unsigned flags);
	unsigned flags;
};

/* --- translation and addresses ---------------------------------------------------------------------------------- */

static void set_translation(struct ide_drive *d, unsigned heads, unsigned sectors)
{
	uint64_t capacity = d->disk->sectors < CHS_CAPACITY_MAX ? d->disk->sectors : CHS_CAPACITY_MAX;
	uint64_t cylinders = capacity / (heads * sectors);

	d->heads = heads;
	d->sectors = sectors;
	d->cylinders = cylinders > 65535 ? 65535 : cylinders ? cylinders : 1;
}

void ide_drive_defaults(struct ide_drive *d)
{
	d->cylinders = d->heads = d->sectors = 0;
	d->multiple = 0;
	d->dma_mode = 0x04;
	d->write_cache = d->look_ahead = 1;
	if (d->disk)
		set_translation(d, 16, 63);
}

bool ide_drive_valid(const struct ide_drive *d)
{
	if (!d->disk)
		return true;
	return d->heads >= 1 && d->heads <= 16 && d->sectors >= 1 && d->sectors <= 255 && d->multiple <= IDE_MULTIPLE_MAX
		&& !(d->multiple & (d->multiple - 1));
}

/* The first sector and the number of sectors a command names. False for a CHS address outside the translation. */
static bool take_address(struct ide_channel *ch, unsigned flags)
{
	const struct ide_drive *d = ide_selected(ch);
	const uint8_t *r = d->reg, *h = d->hob;
	uint32_t low = r[IDE_LBA_LOW] | (uint32_t)r[IDE_LBA_MID] << 8 | (uint32_t)r[IDE_LBA_HIGH] << 16;

	if (flags & F_EXT) {
		uint64_t high = h[IDE_LBA_LOW] | (uint32_t)h[IDE_LBA_MID] << 8 | (uint32_t)h[IDE_LBA_HIGH] << 16;
		uint32_t count = r[IDE_COUNT] | (uint32_t)h[IDE_COUNT] << 8;

		ch->lba = high << 24 | low;
		ch->left = count ? count : 65536;
		return true;
	}
	ch->left = r[IDE_COUNT] ? r[IDE_COUNT] : 256;
	if (ch->device & 0x40) {
		ch->lba = (uint64_t)(ch->device & 0xf) << 24 | low;
		return true;
	}
	uint32_t sector = r[IDE_LBA_LOW], cylinder = low >> 8, head = ch->device & 0xf;

	if (sector == 0 || sector > d->sectors || head >= d->heads || cylinder >= d->cylinders)
		return false;
	ch->lba = ((uint64_t)cylinder * d->heads + head) * d->sectors + sector - 1;
	return true;
}

static void put_count(struct ide_drive *d, uint32_t count, bool ext)
{
	d->reg[IDE_COUNT] = count;
	if (ext)
		d->hob[IDE_COUNT] = count >> 8;
}

/* Puts an address into the registers, in the form the command used. */
static void put_address(struct ide_channel *ch, uint64_t lba, bool ext)
{
	struct ide_drive *d = ide_selected(ch);
	uint64_t value = lba;

	if (ext) {
		d->hob[IDE_LBA_LOW] = lba >> 24;
		d->hob[IDE_LBA_MID] = lba >> 32;
		d->hob[IDE_LBA_HIGH] = lba >> 40;
	} else if (ch->device & 0x40) {
		ch->device = (ch->device & 0xf0) | (lba >> 24 & 0xf);
	} else {
		uint64_t track = lba / d->sectors;

		value = (lba % d->sectors + 1) | track / d->heads << 8;
		ch->device = (ch->device & 0xf0) | track % d->heads;
	}
	d->reg[IDE_LBA_LOW] = value;
	d->reg[IDE_LBA_MID] = value >> 8;
	d->reg[IDE_LBA_HIGH] = value >> 16;
}

/* --- ends of commands ------------------------------------------------------------------------------------------- */

static void end(struct ide_channel *ch, uint8_t status, uint8_t error)
{
	struct ide_drive *d = ide_selected(ch);

	ch->phase = IDE_IDLE;
	ch->pos = ch->len = 0;
	d->status = status;
	d->error = error;
	ide_raise(ch);
}

void ide_finish(struct ide_channel *ch)
{
	end(ch, IDE_ST_DRDY | IDE_ST_DSC, 0);
}

void ide_fail(struct ide_channel *ch, uint8_t error)
{
	end(ch, IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_ERR, error);
}

static bool is_ext(const struct ide_channel *ch);

/* A transfer ended early at ch->lba: the registers say where, and how much was left. */
static void fail_here(struct ide_channel *ch, uint8_t status, uint8_t error)
{
	put_address(ch, ch->lba, is_ext(ch));
	put_count(ide_selected(ch), ch->left, is_ext(ch));
	end(ch, IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_ERR | status, error);
}

/* The host's file let us down. The guest gets an error as from a bad drive, the machine a message. */
static void host_failed(struct ide_channel *ch, const char *what, int err)
{
	const struct ide_drive *d = ide_selected(ch);

	snprintf(ch->host_error, sizeof(ch->host_error), "%s: %s failed: %s", d->image ? d->image : "disk", what, strerror(-err));
	device_log(&ch->dev, LOG_INFO, "%s", ch->host_error);
}

static void host_failed_at(struct ide_channel *ch, const char *doing, int err)
{
	char what[60];

	snprintf(what, sizeof(what), "%s sector %llu", doing, (unsigned long long)ch->lba);
	host_failed(ch, what, err);
}

static uint32_t block_sectors(const struct ide_channel *ch)
{
	return ch->left < ch->block ? ch->left : ch->block;
}

bool ide_disk_read(struct ide_channel *ch)
{
	struct ide_drive *d = ide_selected(ch);
	int err = d->disk->read(d->disk, ch->lba, ch->buffer, block_sectors(ch));

	if (!err)
		return true;
	host_failed_at(ch, "reading", err);
	fail_here(ch, 0, IDE_ERR_UNC);
	return false;
}

bool ide_disk_write(struct ide_channel *ch)
{
	struct ide_drive *d = ide_selected(ch);
	int err = d->disk->write(d->disk, ch->lba, ch->buffer, block_sectors(ch));

	if (!err)
		return true;
	host_failed_at(ch, "writing", err);
	fail_here(ch, IDE_ST_DF, IDE_ERR_ABRT);
	return false;
}

/* --- starting transfers ----------------------------------------------------------------------------------------- */

/* Common checks of everything that names sectors. Out of range is refused as a whole, before any data moves. */
static bool open_range(struct ide_channel *ch, unsigned flags)
{
	const struct disk *disk = ide_selected(ch)->disk;

	ch->to_disk = !!(flags & F_WRITE);
	if (!take_address(ch, flags)) {
		ide_fail(ch, IDE_ERR_IDNF);
		return false;
	}
	if (ch->lba >= disk->sectors || ch->left > disk->sectors - ch->lba) {
		ide_fail(ch, IDE_ERR_IDNF);
		return false;
	}
	if (ch->to_disk && disk->read_only) {
		device_log(&ch->dev, LOG_GUEST, "write to a write-protected disk");
		ide_fail(ch, IDE_ERR_ABRT);
		return false;
	}
	return true;
}

void ide_block_start(struct ide_channel *ch)
{
	ch->pos = 0;
	ch->len = block_sectors(ch) * SECTOR_SIZE;
}

static void data_request(struct ide_channel *ch, enum ide_phase phase)
{
	ch->phase = phase;
	ide_selected(ch)->status = IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_DRQ;
}

static void start_pio(struct ide_channel *ch, unsigned flags)
{
	uint8_t multiple = ide_selected(ch)->multiple;

	if (flags & F_MULTIPLE && !multiple) {
		ide_fail(ch, IDE_ERR_ABRT);
		return;
	}
	if (!open_range(ch, flags))
		return;
	ch->block = flags & F_MULTIPLE ? multiple : 1;
	ide_block_start(ch);
	if (ch->to_disk)
		data_request(ch, IDE_DATA_OUT);        /* the first block is asked for without an interrupt */
	else
		ide_wait(ch, IDE_READING, IDE_COMMAND_TICKS + block_sectors(ch) * IDE_SECTOR_TICKS);
}

static void start_dma(struct ide_channel *ch, unsigned flags)
{
	if (!ide_selected(ch)->dma_mode) {
		ide_fail(ch, IDE_ERR_ABRT);
		return;
	}
	if (!open_range(ch, flags))
		return;
	ch->block = IDE_MULTIPLE_MAX;
	ide_block_start(ch);
	data_request(ch, IDE_DMA_WAIT);
	ide_dma_begin(ch);
}

static void start_verify(struct ide_channel *ch, unsigned flags)
{
	if (!open_range(ch, flags))
		return;
	ch->block = IDE_MULTIPLE_MAX;
	ide_wait(ch, IDE_VERIFYING, IDE_COMMAND_TICKS + block_sectors(ch) * IDE_SECTOR_TICKS);
}

static void start_seek(struct ide_channel *ch, unsigned flags)
{
	ide_selected(ch)->reg[IDE_COUNT] = 1;          /* a seek names no count; one sector must exist */
	if (open_range(ch, flags))
		ide_wait(ch, IDE_FINISHING, IDE_COMMAND_TICKS);
}

/* --- commands without data from the disk -------------------------------------------------------------------- */

/* The block is ready already; READING delivers it without asking the disk. */
static void start_identify(struct ide_channel *ch, unsigned flags)
{
	(void)flags;
	ch->left = ch->block = 1;
	ide_block_start(ch);
	ide_identify(ch);
	ide_wait(ch, IDE_READING, IDE_COMMAND_TICKS);
}

static void start_finish(struct ide_channel *ch, unsigned flags)
{
	(void)flags;
	ide_wait(ch, IDE_FINISHING, IDE_COMMAND_TICKS);
}

static void start_abort(struct ide_channel *ch, unsigned flags)
{
	(void)flags;
	ide_fail(ch, IDE_ERR_ABRT);
}

static void start_flush(struct ide_channel *ch, unsigned flags)
{
	(void)flags;
	ide_wait(ch, IDE_FLUSHING, IDE_COMMAND_TICKS);
}

static void start_set_multiple(struct ide_channel *ch, unsigned flags)
{
	struct ide_drive *d = ide_selected(ch);
	uint8_t n = d->reg[IDE_COUNT];

	(void)flags;
	if (n > IDE_MULTIPLE_MAX || n & (n - 1)) {
		d->multiple = 0;
		ide_fail(ch, IDE_ERR_ABRT);
		return;
	}
	d->multiple = n;
	ide_wait(ch, IDE_FINISHING, IDE_COMMAND_TICKS);
}

/* Count 00-01: default PIO; 08-0C: PIO 0-4; 20-22: multiword DMA 0-2. [ATA6 8.46 "SET FEATURES"] */
static bool set_transfer_mode(struct ide_drive *d, uint8_t mode)
{
	if (mode >= 0x20 && mode <= 0x22) {
		d->dma_mode = 1 << (mode - 0x20);
		return true;
	}
	return mode <= 1 || (mode >= 0x08 && mode <= 0x0c);
}

static void start_set_features(struct ide_channel *ch, unsigned flags)
{
	struct ide_drive *d = ide_selected(ch);
	bool ok = true;

	(void)flags;
	switch (d->reg[IDE_FEATURES]) {
	case 0x02: d->write_cache = 1; break;
	case 0x82: d->write_cache = 0; break;
	case 0xaa: d->look_ahead = 1; break;
	case 0x55: d->look_ahead = 0; break;
	case 0x66: case 0xcc: break;                   /* settings always survive a software reset */
	case 0x03: ok = set_transfer_mode(d, d->reg[IDE_COUNT]); break;
	default: ok = false;
	}
	if (ok)
		ide_wait(ch, IDE_FINISHING, IDE_COMMAND_TICKS);
	else
		ide_fail(ch, IDE_ERR_ABRT);
}

static void start_set_translation(struct ide_channel *ch, unsigned flags)
{
	struct ide_drive *d = ide_selected(ch);

	(void)flags;
	if (!d->reg[IDE_COUNT]) {
		ide_fail(ch, IDE_ERR_ABRT);
		return;
	}
	set_translation(d, (ch->device & 0xf) + 1, d->reg[IDE_COUNT]);
	ide_wait(ch, IDE_FINISHING, IDE_COMMAND_TICKS);
}

static void start_native_max(struct ide_channel *ch, unsigned flags)
{
	uint64_t n = ide_selected(ch)->disk->sectors;

	if (!(flags & F_EXT) && n > LBA28_LIMIT)
		n = LBA28_LIMIT;
	put_address(ch, n - 1, flags & F_EXT);
	ide_wait(ch, IDE_FINISHING, IDE_COMMAND_TICKS);
}

static void start_check_power(struct ide_channel *ch, unsigned flags)
{
	(void)flags;
	ide_selected(ch)->reg[IDE_COUNT] = 0xff;       /* active or idle */
	ide_wait(ch, IDE_FINISHING, IDE_COMMAND_TICKS);
}

/* --- the table -------------------------------------------------------------------------------------------------- */

static const struct ide_command_row ide_commands[] = {
	{0x00, "NOP", start_abort, 0},
	{0x08, "DEVICE RESET", start_abort, 0},        /* for packet devices only */
	{0x20, "READ SECTORS", start_pio, 0},
	{0x21, "READ SECTORS", start_pio, 0},          /* the obsolete "without retries" twins */
	{0x24, "READ SECTORS EXT", start_pio, F_EXT},
	{0x25, "READ DMA EXT", start_dma, F_EXT},
	{0x27, "READ NATIVE MAX ADDRESS EXT", start_native_max, F_EXT},
	{0x29, "READ MULTIPLE EXT", start_pio, F_EXT | F_MULTIPLE},
	{0x30, "WRITE SECTORS", start_pio, F_WRITE},
	{0x31, "WRITE SECTORS", start_pio, F_WRITE},
	{0x34, "WRITE SECTORS EXT", start_pio, F_WRITE | F_EXT},
	{0x35, "WRITE DMA EXT", start_dma, F_WRITE | F_EXT},
	{0x39, "WRITE MULTIPLE EXT", start_pio, F_WRITE | F_EXT | F_MULTIPLE},
	{0x40, "READ VERIFY SECTORS", start_verify, 0},
	{0x41, "READ VERIFY SECTORS", start_verify, 0},
	{0x42, "READ VERIFY SECTORS EXT", start_verify, F_EXT},
	{0x70, "SEEK", start_seek, 0},
	{0x91, "INITIALIZE DEVICE PARAMETERS", start_set_translation, 0},
	{0xc4, "READ MULTIPLE", start_pio, F_MULTIPLE},
	{0xc5, "WRITE MULTIPLE", start_pio, F_WRITE | F_MULTIPLE},
	{0xc6, "SET MULTIPLE MODE", start_set_multiple, 0},
	{0xc8, "READ DMA", start_dma, 0},
	{0xc9, "READ DMA", start_dma, 0},
	{0xca, "WRITE DMA", start_dma, F_WRITE},
	{0xcb, "WRITE DMA", start_dma, F_WRITE},
	{0xe0, "STANDBY IMMEDIATE", start_finish, 0},
	{0xe1, "IDLE IMMEDIATE", start_finish, 0},
	{0xe2, "STANDBY", start_finish, 0},
	{0xe3, "IDLE", start_finish, 0},
	{0xe5, "CHECK POWER MODE", start_check_power, 0},
	{0xe6, "SLEEP", start_finish, 0},              /* Simplified: it stays awake */
	{0xe7, "FLUSH CACHE", start_flush, 0},
	{0xea, "FLUSH CACHE EXT", start_flush, F_EXT},
	{IDE_IDENTIFY, "IDENTIFY DEVICE", start_identify, 0},
	{0xef, "SET FEATURES", start_set_features, 0},
	{0xf8, "READ NATIVE MAX ADDRESS", start_native_max, 0},
};

static const struct ide_command_row *find_command(uint8_t opcode)
{
	static const struct ide_command_row recalibrate = {0x10, "RECALIBRATE", start_finish, 0};

	if ((opcode & 0xf0) == 0x10)                   /* all of 10-1F in the oldest drives */
		return &recalibrate;
	for (size_t i = 0; i < sizeof(ide_commands) / sizeof(ide_commands[0]); i++)
		if (ide_commands[i].opcode == opcode)
			return &ide_commands[i];
	return NULL;
}

static bool is_ext(const struct ide_channel *ch)
{
	const struct ide_command_row *row = find_command(ch->opcode);

	return row && row->flags & F_EXT;
}

static bool is_transfer(enum ide_phase phase)
{
	return phase >= IDE_VERIFYING && phase <= IDE_DMA_OUT;
}

bool ide_transfer_valid(const struct ide_channel *ch)
{
	const struct disk *disk = ch->drive[ch->device >> 4 & 1].disk;

	if (ch->pos > ch->len || ch->len > IDE_BUFFER || ch->left > 65536)
		return false;
	if (ch->phase == IDE_IDLE)
		return true;
	if (ch->phase > IDE_DMA_OUT || (!disk && ch->phase != IDE_RESETTING))
		return false;
	if (!is_transfer(ch->phase))
		return true;
	if (ch->left == 0 || ch->block == 0 || ch->block > IDE_MULTIPLE_MAX)
		return false;
	if (ch->phase != IDE_VERIFYING && ch->len != block_sectors(ch) * SECTOR_SIZE)
		return false;
	if ((ch->phase == IDE_DATA_IN || ch->phase == IDE_DATA_OUT) && ch->pos == ch->len)
		return false;                          /* the port would never finish the block */
	if (ch->opcode == IDE_IDENTIFY)
		return ch->phase == IDE_READING || ch->phase == IDE_DATA_IN;
	return ch->lba < disk->sectors && ch->left <= disk->sectors - ch->lba && (!ch->to_disk || !disk->read_only);
}

/* Both drives run it, whichever is selected; drive 0 answers for both. [ATA6 9.10 "EXECUTE DEVICE DIAGNOSTIC command protocol"] */
static void diagnostic(struct ide_channel *ch)
{
	ch->device = 0;
	ch->drive[0].status = ch->drive[1].status = IDE_ST_BSY;
	ide_wait(ch, IDE_RESETTING, IDE_COMMAND_TICKS);
}

void ide_command(struct ide_channel *ch, uint8_t opcode)
{
	const struct ide_command_row *row = find_command(opcode);

	if (!ide_selected(ch)->disk && !(opcode == IDE_DIAGNOSTIC && ch->drive[0].disk))
		return;                                /* nobody hears it */
	ide_lower(ch);
	ch->opcode = opcode;
	if (opcode == IDE_DIAGNOSTIC) {
		diagnostic(ch);
		return;
	}
	ide_selected(ch)->error = 0;
	if (row) {
		row->start(ch, row->flags);
		return;
	}
	device_log(&ch->dev, LOG_UNIMPL, "command %02x", opcode);
	ide_fail(ch, IDE_ERR_ABRT);
}

/* --- going on --------------------------------------------------------------------------------------------------- */

/* One block is done: the command moves to the next. False when that was the last one. */
bool ide_advance(struct ide_channel *ch)
{
	uint32_t n = block_sectors(ch);

	ch->left -= n;
	if (ch->left == 0) {
		put_address(ch, ch->lba + n - 1, is_ext(ch));
		put_count(ide_selected(ch), 0, is_ext(ch));
		return false;
	}
	ch->lba += n;
	ide_block_start(ch);
	return true;
}

void ide_block_done(struct ide_channel *ch)
{
	if (ch->phase == IDE_DATA_OUT) {
		ide_wait(ch, IDE_WRITING, IDE_COMMAND_TICKS + block_sectors(ch) * IDE_SECTOR_TICKS);
	} else if (ch->opcode == IDE_IDENTIFY || !ide_advance(ch)) {
		ch->phase = IDE_IDLE;                  /* a read ends with its last word, without another interrupt */
		ch->pos = ch->len = 0;
		ide_selected(ch)->status = IDE_ST_DRDY | IDE_ST_DSC;
	} else {
		ide_wait(ch, IDE_READING, block_sectors(ch) * IDE_SECTOR_TICKS);
	}
}

static void step_reading(struct ide_channel *ch)
{
	if (ch->opcode != IDE_IDENTIFY && !ide_disk_read(ch))
		return;
	data_request(ch, IDE_DATA_IN);
	ide_raise(ch);
}

static void step_writing(struct ide_channel *ch)
{
	if (!ide_disk_write(ch))
		return;
	if (!ide_advance(ch)) {
		ide_finish(ch);
		return;
	}
	data_request(ch, IDE_DATA_OUT);
	ide_raise(ch);
}

static void step_verifying(struct ide_channel *ch)
{
	if (!ide_disk_read(ch))
		return;
	if (ide_advance(ch))
		ide_wait(ch, IDE_VERIFYING, block_sectors(ch) * IDE_SECTOR_TICKS);
	else
		ide_finish(ch);
}

static void step_flushing(struct ide_channel *ch)
{
	struct disk *disk = ide_selected(ch)->disk;
	int err = disk->flush(disk);

	if (!err) {
		ide_finish(ch);
		return;
	}
	host_failed(ch, "flushing", err);
	end(ch, IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_DF | IDE_ST_ERR, IDE_ERR_ABRT);
}

static void step_resetting(struct ide_channel *ch)
{
	ch->phase = IDE_IDLE;
	ide_signature(ch);
	if (ch->opcode == IDE_DIAGNOSTIC)              /* a software reset ends silently */
		ide_raise(ch);
}

void ide_step(struct ide_channel *ch)
{
	switch ((enum ide_phase)ch->phase) {
	case IDE_RESETTING: step_resetting(ch); break;
	case IDE_FINISHING: ide_finish(ch); break;
	case IDE_FLUSHING: step_flushing(ch); break;
	case IDE_VERIFYING: step_verifying(ch); break;
	case IDE_READING: step_reading(ch); break;
	case IDE_WRITING: step_writing(ch); break;
	case IDE_DMA_IN: case IDE_DMA_OUT: ide_dma_step(ch); break;
	case IDE_IDLE: case IDE_DATA_IN: case IDE_DATA_OUT: case IDE_DMA_WAIT: break;
	}
}
