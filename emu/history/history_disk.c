/* emu/history/history_disk.c: see history_disk.h. */
#include "emu/history/history_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SECTORS (HISTORY_PAGE / SECTOR_SIZE)

/* --- blocks ------------------------------------------------------------------------------------------------------ */

static uint32_t sectors_in_block(const struct history_disk *d, uint64_t block)
{
	uint64_t left = d->disk.sectors - block * BLOCK_SECTORS;

	return left < BLOCK_SECTORS ? (uint32_t)left : BLOCK_SECTORS;
}

/* What lies beyond the end of the disk in its last block is zeros. */
static int file_block(struct history_disk *d, uint64_t block, uint8_t *bytes)
{
	memset(bytes, 0, HISTORY_PAGE);
	return d->file->read(d->file, block * BLOCK_SECTORS, bytes, sectors_in_block(d, block));
}

static int past_block(struct history_disk *d, uint64_t block, uint8_t *bytes)
{
	int r = page_tree_get(d->store, &d->now, block, bytes);

	if (!r)
		r = page_tree_get(d->store, &d->before, block, bytes);
	if (!r)
		return file_block(d, block, bytes);
	return r < 0 ? r : 0;
}

/* Sectors from lba to the end of its block, count at most. */
static uint32_t run_in_block(uint64_t lba, uint32_t count)
{
	uint32_t n = BLOCK_SECTORS - lba % BLOCK_SECTORS;

	return n < count ? n : count;
}

/* --- the past ---------------------------------------------------------------------------------------------------- */

static int past_read(struct history_disk *d, uint64_t lba, uint8_t *buf, uint32_t count)
{
	uint8_t block[HISTORY_PAGE];

	for (uint32_t n; count; buf += n * SECTOR_SIZE, lba += n, count -= n) {
		n = run_in_block(lba, count);
		int err = past_block(d, lba / BLOCK_SECTORS, block);
		if (err)
			return err;
		memcpy(buf, block + lba % BLOCK_SECTORS * SECTOR_SIZE, n * SECTOR_SIZE);
	}
	return 0;
}

static int past_write(struct history_disk *d, uint64_t lba, const uint8_t *buf, uint32_t count)
{
	uint8_t block[HISTORY_PAGE];

	for (uint32_t n; count; buf += n * SECTOR_SIZE, lba += n, count -= n) {
		n = run_in_block(lba, count);
		int err = past_block(d, lba / BLOCK_SECTORS, block);
		if (err)
			return err;
		memcpy(block + lba % BLOCK_SECTORS * SECTOR_SIZE, buf, n * SECTOR_SIZE);
		err = page_tree_set(d->store, &d->now, lba / BLOCK_SECTORS, block);
		if (err < 0)
			return err;
	}
	return 0;
}

/* --- the present ------------------------------------------------------------------------------------------------- */

static int list_written(struct history_disk *d, uint64_t block)
{
	if (d->writes == d->capacity) {
		size_t capacity = d->capacity ? 2 * d->capacity : 64;
		uint64_t *grown = realloc(d->written, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		d->written = grown;
		d->capacity = capacity;
	}
	d->written[d->writes++] = block;
	return 0;
}

/* Before a block is written. */
static int keep_block(struct history_disk *d, uint64_t block)
{
	uint8_t bytes[HISTORY_PAGE];
	int err = 0;

	if (page_tree_kind(&d->before, block) == PAGE_ABSENT) {
		err = file_block(d, block, bytes);
		if (!err)
			err = page_tree_set(d->store, &d->before, block, bytes);
	}
	if (err < 0 || page_tree_kind(&d->now, block) == PAGE_MARKED)
		return err < 0 ? err : 0;
	err = list_written(d, block);
	return err ? err : page_tree_mark(d->store, &d->now, block);
}

/* The guest's write does not fail because history has trouble: the past is lost then, and the drive works on. */
static int present_write(struct history_disk *d, uint64_t lba, const void *buf, uint32_t count)
{
	uint64_t last = (lba + count - 1) / BLOCK_SECTORS;

	for (uint64_t block = lba / BLOCK_SECTORS; count && block <= last && !d->error; block++)
		d->error = keep_block(d, block);
	return d->file->write(d->file, lba, buf, count);
}

/* --- struct disk --------------------------------------------------------------------------------------------------- */

static int disk_read(struct disk *disk, uint64_t lba, void *buf, uint32_t count)
{
	struct history_disk *d = (struct history_disk *)disk;

	if (!disk_in_range(disk, lba, count))
		return -EINVAL;
	return d->past ? past_read(d, lba, buf, count) : d->file->read(d->file, lba, buf, count);
}

static int disk_write(struct disk *disk, uint64_t lba, const void *buf, uint32_t count)
{
	struct history_disk *d = (struct history_disk *)disk;

	if (!disk_in_range(disk, lba, count))
		return -EINVAL;
	if (disk->read_only)
		return -EROFS;
	return d->past ? past_write(d, lba, buf, count) : present_write(d, lba, buf, count);
}

static int disk_flush(struct disk *disk)
{
	struct history_disk *d = (struct history_disk *)disk;

	return d->past ? 0 : d->file->flush(d->file);
}

static void disk_close(struct disk *disk)
{
	history_disk_close((struct history_disk *)disk);
}

int history_disk_open(struct history_disk *d, struct disk *file, struct page_store *store)
{
	uint64_t blocks = (file->sectors + BLOCK_SECTORS - 1) / BLOCK_SECTORS;

	*d = (struct history_disk){ .file = file, .store = store };
	d->disk = (struct disk){ .sectors = file->sectors, .read_only = file->read_only,
		.read = disk_read, .write = disk_write, .flush = disk_flush, .close = disk_close };
	page_tree_init(&d->now, blocks);
	page_tree_init(&d->before, blocks);
	return 0;
}

void history_disk_close(struct history_disk *d)
{
	if (!d->file)
		return;
	page_tree_drop(d->store, &d->now);
	page_tree_drop(d->store, &d->before);
	free(d->written);
	*d = (struct history_disk){ 0 };
}

/* --- moving in time -------------------------------------------------------------------------------------------------- */

int history_disk_gather(struct history_disk *d)
{
	uint8_t bytes[HISTORY_PAGE];

	while (d->writes && !d->error) {
		uint64_t block = d->written[d->writes - 1];
		int err = file_block(d, block, bytes);
		if (!err)
			err = page_tree_set(d->store, &d->now, block, bytes);
		if (err < 0)
			d->error = err;
		else
			d->writes--;
	}
	return d->error;
}

void history_disk_restore(struct history_disk *d, const struct page_tree *now, bool past)
{
	struct page_tree taken = page_tree_share(now);

	page_tree_drop(d->store, &d->now);
	d->now = taken;
	d->writes = 0;
	d->past = past;
}

static int list_differing(void *owner, uint64_t block)
{
	return list_written(owner, block);
}

int history_disk_rebase(struct history_disk *d, const struct page_tree *now)
{
	size_t marked = d->writes;
	int err = page_tree_diff(&d->now, now, list_differing, d);

	/* Those marked already are in the difference too. */
	if (err) {
		d->writes = marked;
		return err;
	}
	if (d->writes == marked)
		return 0;
	memmove(d->written, d->written + marked, (d->writes - marked) * sizeof(*d->written));
	d->writes -= marked;
	struct page_tree taken = page_tree_share(now);
	for (size_t i = 0; i < d->writes && !err; i++)
		err = page_tree_mark(d->store, &taken, d->written[i]);
	if (err) {
		page_tree_drop(d->store, &taken);
		d->error = err;
		return err;
	}
	page_tree_drop(d->store, &d->now);
	d->now = taken;
	return 0;
}

uint64_t history_disk_hash(const struct history_disk *d, const struct page_tree *now, uint64_t block)
{
	return page_tree_hash(page_tree_kind(now, block) == PAGE_ABSENT ? &d->before : now, block);
}

static int rewrite_block(void *owner, uint64_t block)
{
	struct history_disk *d = owner;
	uint8_t wanted[HISTORY_PAGE], found[HISTORY_PAGE];
	int err = past_block(d, block, wanted);

	if (!err)
		err = file_block(d, block, found);
	if (err || !memcmp(wanted, found, HISTORY_PAGE))
		return err;
	return d->file->write(d->file, block * BLOCK_SECTORS, wanted, sectors_in_block(d, block));
}

/* Every block ever written is in before: nothing else can differ from the file. */
int history_disk_rewrite(struct history_disk *d)
{
	struct page_tree none = { 0 };
	int err = d->past ? page_tree_diff(&none, &d->before, rewrite_block, d) : 0;

	if (!err)
		d->past = false;
	return err;
}
