/* devices/disk.c: the host side of a drive: raw image files, the in-memory overlay of --snapshot, and RAM disks.
 *
 *   struct image                 read:  overlay cluster if it has the sector, else the file, else zeros
 *     fd       the file, or -1   write: the file; with an overlay always there
 *     overlay  clusters by index, made when first written
 *
 * A write is in the file (pwrite) before the guest is told so, and nothing is kept back, so that an image is what its guest
 * last wrote however the emulator ends. A writer holds an exclusive lock on the file, a snapshot a shared one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/device.h"
#include "devices/host_io.h"

#define CLUSTER_SECTORS 8u
#define CLUSTER_BYTES (CLUSTER_SECTORS * SECTOR_SIZE)

struct cluster {
	struct cluster *next;          /* in its bucket */
	uint64_t index;                /* first sector / CLUSTER_SECTORS */
	uint8_t bytes[CLUSTER_BYTES];
};

struct overlay {
	struct cluster **bucket;       /* NULL until the first write */
	size_t buckets;                /* a power of two */
	size_t clusters;
};

struct image {
	struct disk disk;
	int fd;
	bool has_overlay;
	struct overlay overlay;
};

/* --- the file --------------------------------------------------------------------------------------------------- */

/* Reads all of len bytes; a file that has become shorter is an I/O error. */
static int file_read(int fd, void *buf, size_t len, uint64_t offset)
{
	ssize_t n = host_read(fd, buf, len, offset);

	return n < 0 ? (int)n : (size_t)n < len ? -EIO : 0;
}

/* --- the overlay ------------------------------------------------------------------------------------------------ */

static size_t bucket_of(const struct overlay *o, uint64_t index)
{
	return (size_t)(index * 0x9e3779b97f4a7c15ull >> 32) & (o->buckets - 1);
}

static struct cluster *overlay_find(const struct overlay *o, uint64_t index)
{
	struct cluster *c = o->bucket ? o->bucket[bucket_of(o, index)] : NULL;

	while (c && c->index != index)
		c = c->next;
	return c;
}

static int overlay_grow(struct overlay *o)
{
	struct overlay bigger = {.buckets = o->buckets ? 2 * o->buckets : 64, .clusters = o->clusters};

	bigger.bucket = calloc(bigger.buckets, sizeof(*bigger.bucket));
	if (!bigger.bucket)
		return -ENOMEM;
	for (size_t i = 0; i < o->buckets; i++) {
		for (struct cluster *c = o->bucket[i], *next; c; c = next) {
			size_t b = bucket_of(&bigger, c->index);

			next = c->next;
			c->next = bigger.bucket[b];
			bigger.bucket[b] = c;
		}
	}
	free(o->bucket);
	*o = bigger;
	return 0;
}

/* What lies under the overlay; the end of the disk may fall inside the cluster, the rest is zeros. */
static int base_read_cluster(const struct image *im, uint64_t index, uint8_t *bytes)
{
	uint64_t first = index * CLUSTER_SECTORS, n = im->disk.sectors - first;

	memset(bytes, 0, CLUSTER_BYTES);
	if (im->fd < 0)
		return 0;
	return file_read(im->fd, bytes, (n < CLUSTER_SECTORS ? n : CLUSTER_SECTORS) * SECTOR_SIZE, first * SECTOR_SIZE);
}

/* Adds a cluster with what the base holds. On failure nothing has changed. */
static int overlay_add(struct image *im, uint64_t index, struct cluster **out)
{
	struct overlay *o = &im->overlay;
	struct cluster *c;
	int err = 0;

	if (o->clusters >= o->buckets)
		err = overlay_grow(o);
	if (err)
		return err;
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	err = base_read_cluster(im, index, c->bytes);
	if (err) {
		free(c);
		return err;
	}
	c->index = index;
	c->next = o->bucket[bucket_of(o, index)];
	o->bucket[bucket_of(o, index)] = c;
	o->clusters++;
	*out = c;
	return 0;
}

static void overlay_free(struct overlay *o)
{
	for (size_t i = 0; i < o->buckets; i++) {
		for (struct cluster *c = o->bucket[i], *next; c; c = next) {
			next = c->next;
			free(c);
		}
	}
	free(o->bucket);
}

/* --- struct disk ------------------------------------------------------------------------------------------------ */

/* Sectors from lba to the end of its cluster, count at most. */
static uint32_t cluster_run(uint64_t lba, uint32_t count)
{
	uint32_t n = CLUSTER_SECTORS - lba % CLUSTER_SECTORS;

	return n < count ? n : count;
}

static int image_read(struct disk *d, uint64_t lba, void *buf, uint32_t count)
{
	struct image *im = (struct image *)d;
	uint8_t *p = buf;

	if (!disk_in_range(d, lba, count))
		return -EINVAL;
	if (!im->has_overlay)
		return file_read(im->fd, buf, (size_t)count * SECTOR_SIZE, lba * SECTOR_SIZE);
	while (count) {
		uint32_t n = cluster_run(lba, count);
		const struct cluster *c = overlay_find(&im->overlay, lba / CLUSTER_SECTORS);
		int err = 0;

		if (c)
			memcpy(p, c->bytes + lba % CLUSTER_SECTORS * SECTOR_SIZE, n * SECTOR_SIZE);
		else if (im->fd < 0)
			memset(p, 0, n * SECTOR_SIZE);
		else
			err = file_read(im->fd, p, n * SECTOR_SIZE, lba * SECTOR_SIZE);
		if (err)
			return err;
		p += n * SECTOR_SIZE;
		lba += n;
		count -= n;
	}
	return 0;
}

static int image_write(struct disk *d, uint64_t lba, const void *buf, uint32_t count)
{
	struct image *im = (struct image *)d;
	const uint8_t *p = buf;

	if (!disk_in_range(d, lba, count))
		return -EINVAL;
	if (d->read_only)
		return -EROFS;
	if (!im->has_overlay)
		return host_write(im->fd, buf, (size_t)count * SECTOR_SIZE, lba * SECTOR_SIZE);
	while (count) {
		uint32_t n = cluster_run(lba, count);
		struct cluster *c = overlay_find(&im->overlay, lba / CLUSTER_SECTORS);
		int err = c ? 0 : overlay_add(im, lba / CLUSTER_SECTORS, &c);

		if (err)
			return err;
		memcpy(c->bytes + lba % CLUSTER_SECTORS * SECTOR_SIZE, p, n * SECTOR_SIZE);
		p += n * SECTOR_SIZE;
		lba += n;
		count -= n;
	}
	return 0;
}

static int image_flush(struct disk *d)
{
	struct image *im = (struct image *)d;

	if (im->has_overlay)
		return 0;
	return fdatasync(im->fd) ? -errno : 0;
}

static void image_close(struct disk *d)
{
	struct image *im = (struct image *)d;

	overlay_free(&im->overlay);
	if (im->fd >= 0)
		close(im->fd);
	free(im);
}

static struct disk *image_new(int fd, uint64_t sectors, bool overlay)
{
	struct image *im = calloc(1, sizeof(*im));

	if (!im)
		return NULL;
	im->fd = fd;
	im->has_overlay = overlay;
	im->disk = (struct disk){.sectors = sectors, .read = image_read, .write = image_write, .flush = image_flush, .close = image_close};
	return &im->disk;
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

static int refuse(int fd, char *err, size_t size, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int refuse(int fd, char *err, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, size, fmt, ap);
	va_end(ap);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* O_NONBLOCK, so that a FIFO given by mistake is refused and not waited for. */
static int open_file(const char *path, bool snapshot, char *err, size_t size)
{
	int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;
	int fd;

	if (stat(path, &st))
		return refuse(-1, err, size, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return refuse(-1, err, size, "%s: is a directory, not a disk image", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return refuse(-1, err, size, "%s: is neither a file nor a block device", path);
	fd = open(path, flags | (snapshot ? O_RDONLY : O_RDWR));
	if (fd >= 0)
		return fd;
	int why = errno;

	if (!snapshot && (why == EACCES || why == EROFS || why == EPERM)) {
		fd = open(path, flags | O_RDONLY);
		if (fd >= 0)
			return refuse(fd, err, size, "%s: is read-only; use --snapshot to run it and discard what is written", path);
	}
	return refuse(-1, err, size, "%s: %s", path, strerror(why));
}

/* Some file systems know no locks; there the user is trusted. */
static int lock_file(int fd, const char *path, bool snapshot, char *err, size_t size)
{
	if (!flock(fd, (snapshot ? LOCK_SH : LOCK_EX) | LOCK_NB) || errno != EWOULDBLOCK)
		return fd;
	return refuse(fd, err, size, "%s: is in use by another emulator%s", path,
		snapshot ? " that writes to it" : "; use --snapshot on both, or a copy");
}

static int check_size(int fd, const char *path, uint64_t *sectors, char *err, size_t size)
{
	off_t bytes = lseek(fd, 0, SEEK_END);

	if (bytes < 0)
		return refuse(fd, err, size, "%s: %s", path, strerror(errno));
	if (bytes == 0)
		return refuse(fd, err, size, "%s: is empty, not a disk image", path);
	if (bytes % SECTOR_SIZE)
		return refuse(fd, err, size, "%s: its size, %lld byte%s, is not a multiple of %u, so it is no disk image", path, (long long)bytes,
			bytes == 1 ? "" : "s", SECTOR_SIZE);
	*sectors = (uint64_t)bytes / SECTOR_SIZE;
	return fd;
}

struct disk *disk_open(const char *path, bool snapshot, char *err, size_t errsize)
{
	uint64_t sectors = 0;
	struct disk *disk;
	int fd = open_file(path, snapshot, err, errsize);

	if (fd >= 0)
		fd = lock_file(fd, path, snapshot, err, errsize);
	if (fd >= 0)
		fd = check_size(fd, path, &sectors, err, errsize);
	if (fd < 0)
		return NULL;
	disk = image_new(fd, sectors, snapshot);
	if (!disk)
		refuse(fd, err, errsize, "%s: out of memory", path);
	return disk;
}

struct disk *disk_memory(uint64_t sectors)
{
	return image_new(-1, sectors, true);
}
