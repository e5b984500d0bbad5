/* guestos/fs/disk.c: the partitions: where PFS blocks and swap slots are on the disk.
 *
 * The MBR's four entries start at byte 446: byte 4 is the type, bytes 8-11 the first sector, bytes 12-15 the length.
 * Entries that do not fit on the disk are ignored with a message: a partition table is input, not truth. */
#include "fs.h"
#include "dev.h"
#include "mm.h"

static uint32_t fs_start, fs_blocks;

static uint32_t le32(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }

static void use_partition(const uint8_t *entry, uint32_t number)
{
	uint32_t start = le32(entry + 8), length = le32(entry + 12);
	uint8_t type = entry[4];
	if (type != PFS_PARTITION_TYPE && type != SWAP_PARTITION_TYPE)
		return;
	if (!start || start >= ide_sectors() || length > ide_sectors() - start) {
		printk("hda%u: partition lies outside the disk, ignored\n", number);
		return;
	}
	if (type == SWAP_PARTITION_TYPE) {
		if (!swap_total)
			swap_init(start, length);
	} else if (number == boot_options.root) {
		fs_start = start;
		fs_blocks = length / PFS_SECTORS_PER_BLOCK;
	}
}

int disk_init(void)
{
	if (ide_init()) {
		printk("no disk hda\n");
		return -ENODEV;
	}
	struct frame *f = frame_alloc(ALLOC_KERNEL);
	if (!f)
		return -ENOMEM;
	int err = ide_transfer(0, 1, frame_pa(f), false);
	const uint8_t *mbr = frame_va(f);
	if (!err && mbr[510] == 0x55 && mbr[511] == 0xaa)
		for (uint32_t i = 0; i < 4; i++)
			use_partition(mbr + 446 + 16 * i, i + 1);
	frame_free(f);
	if (!err && !fs_blocks) {
		printk("hda%u: no PFS partition\n", boot_options.root);
		err = -ENODEV;
	}
	return err;
}

uint32_t disk_fs_blocks(void) { return fs_blocks; }

int disk_block(uint32_t block, paddr_t pa, bool write)
{
	if (block >= fs_blocks)
		return -EIO;
	return ide_transfer(fs_start + block * PFS_SECTORS_PER_BLOCK, PFS_SECTORS_PER_BLOCK, pa, write);
}

int disk_swap(uint32_t slot, paddr_t pa, bool write)
{
	return ide_transfer(swap_sector(slot), PFS_SECTORS_PER_BLOCK, pa, write);
}
