/* emu/state/state_output.c: state files as files: the checksum, and a new file in place of the old one in one step.
 *
 * The new one is written under a temporary name in the same folder, synced, and renamed; then the folder is synced, so that after a loss of
 * power there is one or the other. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/state/chunks_private.h"
#include "emu/hash.h"
#include "emu/state/state_file.h"
#include "devices/host_io.h"

#define STEP 65536u                    /* bytes hashed at a time: a multiple of what the hash takes at once */

struct state_output {
	char *path, *temporary;
	int fd;
	int error;                     /* negative errno */
	struct hash hash;
	size_t used;
	uint8_t buffer[STEP];
};

/* --- writing --------------------------------------------------------------------------------------------------------- */

static void write_all(struct state_output *o, const uint8_t *data, size_t size)
{
	if (!o->error)
		o->error = host_write(o->fd, data, size, HOST_IO_ON);
}

static void flush(struct state_output *o)
{
	hash_bytes(&o->hash, o->buffer, o->used);
	write_all(o, o->buffer, o->used);
	o->used = 0;
}

static void put(struct state_output *o, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size) {
		size_t n = STEP - o->used < size ? STEP - o->used : size;
		memcpy(o->buffer + o->used, p, n);
		o->used += n;
		p += n;
		size -= n;
		if (o->used == STEP)
			flush(o);
	}
}

static void free_output(struct state_output *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free(o->path);
	free(o->temporary);
	free(o);
}

struct state_output *state_output_begin(const char *path, char *err)
{
	struct state_output *o = calloc(1, sizeof(*o));
	uint8_t header[STATE_HEADER] = STATE_MAGIC;

	if (!o || !(o->path = strdup(path)) || asprintf(&o->temporary, "%s.XXXXXX", path) < 0) {
		if (o)
			free(o->path);
		free(o);
		loader_fail(err, "out of memory");
		return NULL;
	}
	o->fd = mkostemp(o->temporary, O_CLOEXEC);
	if (o->fd < 0) {
		loader_fail(err, "cannot write '%s': %s", path, strerror(errno));
		free_output(o);
		return NULL;
	}
	hash_init(&o->hash);
	header[16] = STATE_FILE_VERSION;
	put(o, header, sizeof(header));
	return o;
}

void state_output_take(struct state_output *o, struct chunk_writer *w)
{
	if (w->failed && !o->error)
		o->error = -ENOMEM;
	put(o, w->out.data, w->out.size);
	w->out.size = 0;
}

/* mkstemp makes a file for nobody else; this one is like any other the user makes. */
static int usual_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask) ? -errno : 0;
}

static void sync_folder(const char *path)
{
	char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;

	if (slash)
		slash[1] = 0;
	int fd = folder ? open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

int state_output_end(struct state_output *o, char *err)
{
	uint8_t sum[STATE_CHECKSUM];

	flush(o);
	uint64_t checksum = hash_result(&o->hash);
	for (unsigned i = 0; i < sizeof(sum); i++)
		sum[i] = (uint8_t)(checksum >> 8 * i);
	write_all(o, sum, sizeof(sum));
	if (!o->error)
		o->error = usual_mode(o->fd);
	if (!o->error && fsync(o->fd))
		o->error = -errno;
	if (!o->error && rename(o->temporary, o->path))
		o->error = -errno;
	int error = o->error;
	if (error) {
		loader_fail(err, "cannot write '%s': %s", o->path, strerror(-error));
		state_output_abandon(o);
		return -1;
	}
	sync_folder(o->path);
	free_output(o);
	return 0;
}

void state_output_abandon(struct state_output *o)
{
	if (!o)
		return;
	unlink(o->temporary);
	free_output(o);
}

/* --- opening --------------------------------------------------------------------------------------------------------- */

bool chunks_recognise(const char *path)
{
	char magic[16];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool same = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && !memcmp(magic, STATE_MAGIC, sizeof(magic));

	if (fd >= 0)
		close(fd);
	return same;
}

static int check_header(int fd, const char *path, char *err)
{
	uint8_t header[STATE_HEADER];
	ssize_t n = host_read(fd, header, sizeof(header), HOST_IO_ON);

	if (n < 0)
		return loader_fail(err, "cannot read '%s': %s", path, strerror((int)-n));
	if (n < 16 || memcmp(header, STATE_MAGIC, 16))
		return loader_fail(err, "'%s' is neither a snapshot nor a recording", path);
	if (n != sizeof(header))
		return loader_fail(err, "'%s' is damaged: it ends after %zd bytes", path, n);
	uint32_t version = header[16] | header[17] << 8 | header[18] << 16 | (uint32_t)header[19] << 24;
	if (version == 0 || version > STATE_FILE_VERSION)
		return loader_fail(err, "'%s' is of version %u; this program reads version %u", path, version, STATE_FILE_VERSION);
	return 0;
}

/* Does the file end with the hash of what is before? size: of the whole file. */
static int check_sum(int fd, const char *path, uint64_t size, char *err)
{
	uint8_t *buf = malloc(STEP), sum[STATE_CHECKSUM];
	struct hash hash;
	ssize_t n = 0;

	if (!buf || lseek(fd, 0, SEEK_SET)) {
		free(buf);
		return loader_fail(err, "out of memory");
	}
	hash_init(&hash);
	for (uint64_t left = size - sizeof(sum); left && n >= 0; left -= (uint64_t)n) {
		n = host_read(fd, buf, left < STEP ? (size_t)left : STEP, HOST_IO_ON);
		if (n == 0)
			n = -EIO;
		if (n > 0)
			hash_bytes(&hash, buf, (size_t)n);
		if (n < 0)
			break;
	}
	if (n >= 0)
		n = host_read(fd, sum, sizeof(sum), HOST_IO_ON);
	free(buf);
	if (n < 0)
		return loader_fail(err, "cannot read '%s': %s", path, strerror((int)-n));
	uint64_t is = hash_result(&hash), said = 0;
	for (unsigned i = 0; i < sizeof(sum); i++)
		said |= (uint64_t)sum[i] << 8 * i;
	return is == said ? 0 : loader_fail(err, "'%s' is damaged: its checksum is wrong", path);
}

struct chunk_reader *chunks_open(const char *path, char *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st)) {
		loader_fail(err, "cannot open '%s': %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		loader_fail(err, "'%s' is not a regular file", path);
	} else if (!check_header(fd, path, err)) {
		if ((uint64_t)st.st_size < STATE_HEADER + STATE_CHECKSUM)
			loader_fail(err, "'%s' is damaged: it ends after %lld bytes", path, (long long)st.st_size);
		else if (!check_sum(fd, path, (uint64_t)st.st_size, err)) {
			struct chunk_reader *r = chunk_reader_new(fd, path, (uint64_t)st.st_size - STATE_HEADER - STATE_CHECKSUM);
			if (r)
				return r;
			loader_fail(err, "out of memory");
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}
