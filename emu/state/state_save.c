/* emu/state/state_save.c: a machine as chunks. state_open.c reads them.
 *
 *   machine   u8 recording | u8 stop at reset | u64 memory | u32 TLB entries | u32 ways | u64 seed | u8 drives, then for each
 *             u8 number | u8 read-only | u8 whole | u64 sectors | name as given | path | u64 hash of the image
 *   kernel    name | u64 size | bytes | command line | u8 modules, each: name | u64 size | bytes
 *   state     of machine_state.h
 *   ram       u32 page | 4096 bytes, again and again; pages that are not there are zeros
 *   disk N    u64 block | 4096 bytes, again and again; blocks that are not there are the image's, or of a whole drive zeros
 *
 * A drive is whole when its image cannot be read (it may come from a recording and have none), and always in a recording.
 */
#define _GNU_SOURCE
#include "emu/state/state_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/hash.h"
#include "devices/host_io.h"

struct saved_drive {
	struct disk *disk;
	const char *name;
	char *path;                    /* of the image; NULL: whole */
	int fd;
	uint64_t hash;
};

struct saving {
	struct state_sink *to;
	struct machine *m;
	struct saved_drive drive[MACHINE_DISKS];
	bool whole;
	bool failed;                   /* out of memory */
	char *err;
};

static int fail(struct saving *s, const char *what, int error)
{
	return loader_fail(s->err, "cannot save the machine: %s: %s", what, strerror(-error));
}

void state_put(struct state_sink *to, const char *tag, const struct bytes *b)
{
	chunks_put(to->w, tag, b->data, b->size);
	if (to->o)
		state_output_take(to->o, to->w);
}

static int put_bytes(struct saving *s, const char *tag, struct bytes *b, bool good)
{
	if (good)
		state_put(s->to, tag, b);
	b->size = 0;
	return good ? 0 : fail(s, tag, -ENOMEM);
}

/* --- images ---------------------------------------------------------------------------------------------------------- */

static bool block_is_zero(const uint8_t *block)
{
	uint64_t first;

	memcpy(&first, block, sizeof(first));
	return !first && !memcmp(block, block + 8, STATE_BLOCK - 8);
}

/* A block of an image; the end of the disk may fall inside it, the rest is zeros. 0 or a negative errno. */
static int image_block(int fd, uint64_t sectors, uint64_t block, uint8_t *buf)
{
	uint64_t left = sectors * SECTOR_SIZE - block * STATE_BLOCK;
	size_t size = left < STATE_BLOCK ? (size_t)left : STATE_BLOCK;

	memset(buf + size, 0, STATE_BLOCK - size);
	ssize_t n = host_read(fd, buf, size, block * STATE_BLOCK);
	return n < 0 ? (int)n : (size_t)n < size ? -EIO : 0;
}

/* The first block at or after this one in which the file may have data; where it cannot tell, every block may. */
static uint64_t next_data(int fd, uint64_t block, uint64_t blocks)
{
	off_t at = lseek(fd, (off_t)(block * STATE_BLOCK), SEEK_DATA);

	if (at < 0)
		return errno == ENXIO ? blocks : block;
	return (uint64_t)at / STATE_BLOCK;
}

int state_image_hash(int fd, uint64_t sectors, uint64_t *hash)
{
	uint64_t blocks = (sectors + STATE_BLOCK_SECTORS - 1) / STATE_BLOCK_SECTORS;
	uint8_t buf[STATE_BLOCK];
	struct hash h;

	hash_init(&h);
	hash_u64(&h, sectors);
	for (uint64_t b = next_data(fd, 0, blocks); b < blocks; b++) {
		if (b % 16 == 0 && (b = next_data(fd, b, blocks)) >= blocks)
			break;
		int r = image_block(fd, sectors, b, buf);
		if (r)
			return r;
		if (block_is_zero(buf))
			continue;
		hash_u64(&h, b);
		hash_bytes(&h, buf, sizeof(buf));
	}
	*hash = hash_result(&h);
	return 0;
}

static int open_image(struct saving *s, struct saved_drive *d)
{
	struct stat st;

	d->fd = -1;
	if (s->whole || !d->name || !(d->path = realpath(d->name, NULL)))
		return 0;
	d->fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool same = d->fd >= 0 && !fstat(d->fd, &st) && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) &&
		lseek(d->fd, 0, SEEK_END) == (off_t)(d->disk->sectors * SECTOR_SIZE);
	int r = same ? state_image_hash(d->fd, d->disk->sectors, &d->hash) : 0;
	if (r)
		return fail(s, d->path, r);
	if (same)
		return 0;
	free(d->path);
	d->path = NULL;
	return 0;
}

/* --- chunks ---------------------------------------------------------------------------------------------------------- */

static int find_drives(struct saving *s)
{
	for (unsigned i = 0; i < MACHINE_DISKS; i++) {
		const struct ide_drive *d = &s->m->ide[i / 2].drive[i % 2];
		s->drive[i] = (struct saved_drive){ .disk = d->disk, .name = d->image, .fd = -1 };
		if (d->disk && open_image(s, &s->drive[i]))
			return -1;
	}
	return 0;
}

static void leave_drives(struct saving *s)
{
	for (unsigned i = 0; i < MACHINE_DISKS; i++) {
		if (s->drive[i].fd >= 0)
			close(s->drive[i].fd);
		free(s->drive[i].path);
	}
}

static bool put_drive(struct bytes *b, unsigned n, const struct saved_drive *d)
{
	return bytes_put_number(b, n, 1) && bytes_put_number(b, d->disk->read_only, 1) && bytes_put_number(b, !d->path, 1) &&
		bytes_put_number(b, d->disk->sectors, 8) && bytes_put_text(b, d->name ? d->name : "disk") &&
		bytes_put_text(b, d->path ? d->path : "") && bytes_put_number(b, d->hash, 8);
}

static int put_machine(struct saving *s, struct bytes *b)
{
	const struct machine *m = s->m;
	unsigned drives = 0;

	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		drives += s->drive[i].disk != NULL;
	bool good = bytes_put_number(b, s->whole, 1) && bytes_put_number(b, m->stop_at_reset, 1) && bytes_put_number(b, m->phys.ram_size, 8) &&
		bytes_put_number(b, m->mmu.geometry.entries, 4) && bytes_put_number(b, m->mmu.geometry.ways, 4) &&
		bytes_put_number(b, m->seed, 8) && bytes_put_number(b, drives, 1);
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (s->drive[i].disk)
			good = good && put_drive(b, i, &s->drive[i]);
	return put_bytes(s, "machine", b, good);
}

static bool put_host_file(struct bytes *b, const struct host_file *f)
{
	return bytes_put_text(b, f->path) && bytes_put_number(b, f->size, 8) && bytes_put(b, f->data, f->size);
}

static int put_kernel(struct saving *s, struct bytes *b)
{
	const struct kernel *k = s->m->kernel;

	if (!k)
		return 0;
	bool good = put_host_file(b, &k->file) && bytes_put_text(b, k->command_line) && bytes_put_number(b, k->modules, 1);
	for (unsigned i = 0; i < k->modules; i++)
		good = good && put_host_file(b, &k->module[i]);
	return put_bytes(s, "kernel", b, good);
}

static int put_state(struct saving *s, struct bytes *b)
{
	return put_bytes(s, "state", b, !machine_state_save(s->m, b));
}

static int put_ram(struct saving *s, struct bytes *b)
{
	const struct phys *phys = &s->m->phys;
	uint64_t pages = phys->ram_size / STATE_BLOCK;

	for (uint64_t p = next_data(phys->memfd, 0, pages); p < pages; p++) {
		if (p % 16 == 0 && (p = next_data(phys->memfd, p, pages)) >= pages)
			break;
		const uint8_t *page = phys->ram + p * STATE_BLOCK;
		if (block_is_zero(page))
			continue;
		if (!bytes_put_number(b, p, 4) || !bytes_put(b, page, STATE_BLOCK))
			return fail(s, "memory", -ENOMEM);
		if (b->size >= STATE_BATCH * STATE_BLOCK)
			put_bytes(s, "ram", b, true);
	}
	return b->size ? put_bytes(s, "ram", b, true) : 0;
}

/* What the guest would read. 0 or a negative errno. */
static int disk_block(struct disk *d, uint64_t block, uint8_t *buf)
{
	uint64_t left = d->sectors - block * STATE_BLOCK_SECTORS;
	uint32_t count = left < STATE_BLOCK_SECTORS ? (uint32_t)left : STATE_BLOCK_SECTORS;

	memset(buf + count * SECTOR_SIZE, 0, (STATE_BLOCK_SECTORS - count) * SECTOR_SIZE);
	return d->read(d, block * STATE_BLOCK_SECTORS, buf, count);
}

static int put_disk(struct saving *s, unsigned n, struct bytes *b)
{
	const struct saved_drive *d = &s->drive[n];
	uint64_t blocks = (d->disk->sectors + STATE_BLOCK_SECTORS - 1) / STATE_BLOCK_SECTORS;
	const char tag[] = { 'd', 'i', 's', 'k', ' ', (char)('0' + n), 0 };
	uint8_t now[STATE_BLOCK], image[STATE_BLOCK];

	for (uint64_t k = 0; k < blocks; k++) {
		int r = disk_block(d->disk, k, now);
		if (!r && d->path)
			r = image_block(d->fd, d->disk->sectors, k, image);
		if (r)
			return fail(s, d->name ? d->name : "a disk", r);
		if (d->path ? !memcmp(now, image, STATE_BLOCK) : block_is_zero(now))
			continue;
		if (!bytes_put_number(b, k, 8) || !bytes_put(b, now, STATE_BLOCK))
			return fail(s, "a disk", -ENOMEM);
		if (b->size >= STATE_BATCH * STATE_BLOCK)
			put_bytes(s, tag, b, true);
	}
	return b->size ? put_bytes(s, tag, b, true) : 0;
}

int state_put_machine(struct state_sink *to, struct machine *m, bool whole, char *err)
{
	struct saving s = { .to = to, .m = m, .whole = whole, .err = err };
	struct bytes b = { 0 };
	int r = find_drives(&s);

	if (!r)
		r = put_machine(&s, &b) || put_kernel(&s, &b) || put_state(&s, &b) || put_ram(&s, &b) ? -1 : 0;
	for (unsigned i = 0; i < MACHINE_DISKS && !r; i++)
		if (s.drive[i].disk)
			r = put_disk(&s, i, &b);
	leave_drives(&s);
	free(b.data);
	return r;
}

int state_save(struct machine *m, const char *path, char *err)
{
	struct state_output *o = state_output_begin(path, err);
	struct chunk_writer w = { 0 };
	struct state_sink to = { &w, o };
	int r = -1;

	if (!o)
		return -1;
	if (chunks_begin(&w, 3))
		loader_fail(err, "out of memory");
	else
		r = state_put_machine(&to, m, false, err);
	if (!r && chunks_end(&w))
		r = loader_fail(err, "out of memory");
	if (r) {
		state_output_abandon(o);
	} else {
		state_output_take(o, &w);
		r = state_output_end(o, err);
	}
	chunks_free(&w);
	return r;
}
