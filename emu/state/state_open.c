/* emu/state/state_open.c: from a state file to a machine: everything that reads untrusted chunks. The layouts are in state_save.c and record.c.
 *
 *   state_open    reads all chunks and checks them; keeps the small ones; opens the drives' disks
 *   state_apply   reads them again, and puts RAM, disks and state into the machine
 *
 * RAM and disks are not kept in between: they may be larger than this program should be.
 */
#define _GNU_SOURCE                        /* fallocate */
#include "emu/state/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/state/state_private.h"

#define TEXT_MOST 65536u
#define SECTORS_MOST (1ull << 40)
#define RECORDS_ENDED MACHINE_REQUESTED    /* the last of enum machine_stop */

struct state_parts {
	struct chunk_reader *reader;
	char *path;
	struct {
		bool whole, read_only;
		uint64_t sectors, hash;
		char *name, *image;
	} drive[MACHINE_DISKS];
	struct bytes state;
	bool has_machine, has_state, has_kernel, has_marks;
};

static int damaged(const struct state_file *f, const char *what, char *err)
{
	return loader_fail(err, "'%s' is damaged: its %s makes no sense", f->parts->path, what);
}

static int no_memory(char *err) { return loader_fail(err, "out of memory"); }

/* --- machine --------------------------------------------------------------------------------------------------------- */

static int read_drive(struct state_file *f, struct cursor *c, char *err)
{
	unsigned n = (unsigned)cursor_number(c, 1);

	if (n >= MACHINE_DISKS || f->parts->drive[n].name)
		return damaged(f, "list of drives", err);
	f->parts->drive[n].read_only = cursor_number(c, 1) != 0;
	f->parts->drive[n].whole = cursor_number(c, 1) != 0;
	f->parts->drive[n].sectors = cursor_number(c, 8);
	f->parts->drive[n].name = cursor_text(c, TEXT_MOST);
	f->parts->drive[n].image = cursor_text(c, TEXT_MOST);
	f->parts->drive[n].hash = cursor_number(c, 8);
	uint64_t sectors = f->parts->drive[n].sectors;
	if (c->bad || !sectors || sectors > SECTORS_MOST)
		return damaged(f, "list of drives", err);
	return 0;
}

static bool geometry_fits(struct tlb_geometry g)
{
	if (!g.entries || !g.ways)
		return !g.entries && !g.ways;
	unsigned sets = g.entries / g.ways;
	return g.entries <= 65536 && g.entries % g.ways == 0 && !(sets & (sets - 1));
}

static int read_machine(struct state_file *f, struct cursor *c, char *err)
{
	struct machine_config *m = &f->config;

	if (f->parts->has_machine)
		return damaged(f, "description", err);
	f->parts->has_machine = true;
	f->recording = cursor_number(c, 1) != 0;
	m->stop_at_reset = cursor_number(c, 1) != 0;
	m->memory = cursor_number(c, 8);
	m->tlb.entries = (unsigned)cursor_number(c, 4);
	m->tlb.ways = (unsigned)cursor_number(c, 4);
	m->seed = cursor_number(c, 8);
	if (c->bad || m->memory < 1u << 20 || m->memory > PHYS_MAX_RAM || m->memory % PAGE_SIZE || !geometry_fits(m->tlb))
		return damaged(f, "description of the machine", err);
	for (unsigned drives = (unsigned)cursor_number(c, 1); drives; drives--)
		if (read_drive(f, c, err))
			return -1;
	return c->bad ? damaged(f, "description of the machine", err) : 0;
}

/* --- kernel ---------------------------------------------------------------------------------------------------------- */

/* Name and contents; the contents stay where they are. The name is the caller's. */
static const uint8_t *read_host_file(struct cursor *c, char **name, size_t *size)
{
	*name = cursor_text(c, TEXT_MOST);
	*size = (size_t)cursor_number(c, 8);
	return cursor_take(c, *size);
}

static int read_module(struct state_file *f, struct cursor *c, char *err)
{
	char *name;
	size_t size;
	const uint8_t *data = read_host_file(c, &name, &size);
	int r = c->bad ? damaged(f, "kernel", err) : kernel_add_module_from_memory(&f->kernel, name, data, size, err);

	free(name);
	return r;
}

static int read_kernel(struct state_file *f, struct cursor *c, char *err)
{
	char *name, *line;
	size_t size;

	if (f->parts->has_kernel)
		return damaged(f, "kernel", err);
	f->parts->has_kernel = true;
	const uint8_t *data = read_host_file(c, &name, &size);
	int r = c->bad ? damaged(f, "kernel", err) : kernel_from_memory(&f->kernel, name, data, size, err);
	free(name);
	if (r)
		return -1;
	f->config.kernel = &f->kernel;
	line = cursor_text(c, TEXT_MOST);
	r = c->bad ? damaged(f, "kernel", err) : kernel_set_command_line(&f->kernel, line, err);
	free(line);
	for (unsigned modules = r ? 0 : (unsigned)cursor_number(c, 1); modules && !r; modules--)
		r = read_module(f, c, err);
	return r;
}

/* --- recordings ------------------------------------------------------------------------------------------------------ */

static int read_input(struct state_file *f, struct cursor *c, char *err)
{
	size_t more = (size_t)(c->end - c->at) / 9;
	struct input_event *grown = realloc(f->input, (f->inputs + more + 1) * sizeof(*grown));

	if (!grown)
		return no_memory(err);
	f->input = grown;
	while (more--) {
		struct input_event e = { .tick = cursor_number(c, 8), .byte = (uint8_t)cursor_number(c, 1) };
		if (f->inputs && e.tick < f->input[f->inputs - 1].tick)
			return damaged(f, "input", err);
		f->input[f->inputs++] = e;
	}
	return 0;
}

static struct moment read_moment(struct cursor *c)
{
	struct moment at = { .icount = cursor_number(c, 8) };

	at.tick = cursor_number(c, 8);
	return at;
}

static int read_marks(struct state_file *f, struct cursor *c, char *err)
{
	if (f->parts->has_marks)
		return damaged(f, "list of moments", err);
	f->parts->has_marks = true;
	f->end = read_moment(c);
	uint32_t ended = (uint32_t)cursor_number(c, 4);
	f->end_hash = cursor_number(c, 8);
	size_t count = (size_t)(c->end - c->at) / 24;
	if (c->bad || ended > RECORDS_ENDED)
		return damaged(f, "list of moments", err);
	f->ended = (enum machine_stop)ended;
	if (!(f->mark = calloc(count + 1, sizeof(*f->mark))))
		return no_memory(err);
	for (; f->marks < count; f->marks++) {
		struct record_mark *k = &f->mark[f->marks];
		k->at = read_moment(c);
		k->hash = cursor_number(c, 8);
		if (k->at.tick > f->end.tick || (f->marks && k->at.tick < k[-1].at.tick))
			return damaged(f, "list of moments", err);
	}
	return 0;
}

/* --- RAM and disks: checked the first time, stored the second, when there is a machine ------------------------------------- */

static int read_end(struct state_file *f, struct cursor *c, char *err)
{
	f->end_state.size = 0;
	return bytes_put(&f->end_state, c->at, (size_t)(c->end - c->at)) ? 0 : no_memory(err);
}

static int read_state(struct state_file *f, struct cursor *c, char *err)
{
	if (f->parts->has_state)
		return damaged(f, "state", err);
	f->parts->has_state = true;
	return bytes_put(&f->parts->state, c->at, (size_t)(c->end - c->at)) ? 0 : no_memory(err);
}

static int read_ram(struct state_file *f, struct cursor *c, struct machine *m, char *err)
{
	while (c->at < c->end) {
		uint64_t page = cursor_number(c, 4);
		const uint8_t *data = cursor_take(c, STATE_BLOCK);
		if (!data || page >= f->config.memory / STATE_BLOCK)
			return damaged(f, "memory", err);
		if (m)
			memcpy(m->phys.ram + page * STATE_BLOCK, data, STATE_BLOCK);
	}
	return 0;
}

static int store_block(struct disk *d, uint64_t block, const uint8_t *data)
{
	uint64_t left = d->sectors - block * STATE_BLOCK_SECTORS;

	return d->write(d, block * STATE_BLOCK_SECTORS, data, left < STATE_BLOCK_SECTORS ? (uint32_t)left : STATE_BLOCK_SECTORS);
}

static int read_disk(struct state_file *f, unsigned n, struct cursor *c, struct machine *m, char *err)
{
	uint64_t blocks = (f->parts->drive[n].sectors + STATE_BLOCK_SECTORS - 1) / STATE_BLOCK_SECTORS;

	if (!f->parts->drive[n].name)
		return damaged(f, "disk", err);
	while (c->at < c->end) {
		uint64_t block = cursor_number(c, 8);
		const uint8_t *data = cursor_take(c, STATE_BLOCK);
		if (!data || block >= blocks)
			return damaged(f, "disk", err);
		int r = m ? store_block(f->config.disk[n], block, data) : 0;
		if (r)
			return loader_fail(err, "'%s': disk %u: %s", f->parts->path, n, strerror(-r));
	}
	return 0;
}

/* --- all chunks ------------------------------------------------------------------------------------------------------ */

static int read_chunk(struct state_file *f, const char *tag, struct cursor *c, struct machine *m, char *err)
{
	static const struct { const char *tag; int (*read)(struct state_file *f, struct cursor *c, char *err); } once[] = {
		{ "kernel", read_kernel }, { "state", read_state }, { "input", read_input }, { "marks", read_marks }, { "end", read_end },
	};

	if (!strcmp(tag, "machine"))
		return m ? 0 : read_machine(f, c, err);
	if (!f->parts->has_machine)
		return damaged(f, "beginning", err);
	if (!strcmp(tag, "ram"))
		return read_ram(f, c, m, err);
	if (!strncmp(tag, "disk ", 5) && tag[5] >= '0' && tag[5] < '0' + MACHINE_DISKS && !tag[6])
		return read_disk(f, (unsigned)(tag[5] - '0'), c, m, err);
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		if (!strcmp(tag, once[i].tag))
			return m ? 0 : once[i].read(f, c, err);
	return loader_fail(err, "'%s' has a part '%s', which this program does not know", f->parts->path, tag);
}

/* m: where RAM and disks go; NULL: everything else is read. */
static int read_chunks(struct state_file *f, struct machine *m, char *err)
{
	char tag[CHUNK_TAG + 1];
	struct bytes b;
	int more;

	chunks_rewind(f->parts->reader);
	while ((more = chunks_next(f->parts->reader, tag, &b, err)) > 0) {
		const uint8_t *data = b.size ? b.data : (const uint8_t *)"";
		struct cursor c = { data, data + b.size, false };
		if (read_chunk(f, tag, &c, m, err))
			return -1;
	}
	return more;
}

/* --- drives ---------------------------------------------------------------------------------------------------------- */

static int check_image(struct state_file *f, unsigned n, char *err)
{
	const char *image = f->parts->drive[n].image;
	uint64_t hash;
	int fd = open(image, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r = fd < 0 ? -errno : state_image_hash(fd, f->parts->drive[n].sectors, &hash);

	if (fd >= 0)
		close(fd);
	if (r)
		return loader_fail(err, "disk image '%s', which '%s' goes with: %s", image, f->parts->path, strerror(-r));
	if (hash == f->parts->drive[n].hash)
		return 0;
	return loader_fail(err, "disk image '%s' has changed since '%s' was saved, so its disk cannot be put together again; put a copy of the image as it was "
		"in its place, and next time save a machine run with --snapshot", image, f->parts->path);
}

static int open_drive(struct state_file *f, unsigned n, char *err)
{
	struct disk *d;

	if (f->parts->drive[n].whole) {
		d = disk_memory(f->parts->drive[n].sectors);
		if (!d)
			return no_memory(err);
	} else {
		d = disk_open(f->parts->drive[n].image, true, err, ERROR_LINE);
		if (!d)
			return -1;
	}
	f->config.disk[n] = d;
	f->config.disk_name[n] = f->parts->drive[n].name;
	if (d->sectors != f->parts->drive[n].sectors)
		return loader_fail(err, "disk image '%s' has %llu sectors, not %llu as when '%s' was saved", f->parts->drive[n].image,
			(unsigned long long)d->sectors, (unsigned long long)f->parts->drive[n].sectors, f->parts->path);
	return f->parts->drive[n].whole ? 0 : check_image(f, n, err);
}

/* --- the interface --------------------------------------------------------------------------------------------------- */

bool state_file_is(const char *path)
{
	return chunks_recognise(path);
}

static int open_parts(struct state_file *f, const char *path, char *err)
{
	if (!(f->parts = calloc(1, sizeof(*f->parts))) || !(f->parts->path = strdup(path)))
		return no_memory(err);
	if (!(f->parts->reader = chunks_open(path, err)) || read_chunks(f, NULL, err))
		return -1;
	if (!f->parts->has_machine || !f->parts->has_state || (f->recording && !f->parts->has_marks))
		return loader_fail(err, "'%s' is damaged: a part is missing", path);
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (f->parts->drive[i].name && open_drive(f, i, err))
			return -1;
	return 0;
}

int state_open(struct state_file *f, const char *path, char *err)
{
	*f = (struct state_file){ 0 };
	if (!open_parts(f, path, err))
		return 0;
	state_close(f);
	return -1;
}

/* Pages that the file does not have are zeros, whatever the kernel has put there at power-on. */
static void clear_ram(struct phys *phys)
{
	if (fallocate(phys->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)phys->ram_size))
		memset(phys->ram, 0, phys->ram_size);
}

int state_apply(struct state_file *f, struct machine *m, char *err)
{
	char why[ERROR_LINE];

	clear_ram(&m->phys);
	if (read_chunks(f, m, err))
		return -1;
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (f->config.disk[i])
			f->config.disk[i]->read_only = f->parts->drive[i].read_only;
	if (!machine_state_load(m, f->parts->state.data, f->parts->state.size, why))
		return 0;
	return loader_fail(err, "'%.200s': %s", f->parts->path, why);
}

void state_close(struct state_file *f)
{
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (f->config.disk[i])
			f->config.disk[i]->close(f->config.disk[i]);
	kernel_close(&f->kernel);
	free(f->input);
	free(f->mark);
	free(f->end_state.data);
	if (f->parts) {
		for (unsigned i = 0; i < MACHINE_DISKS; i++) {
			free(f->parts->drive[i].name);
			free(f->parts->drive[i].image);
		}
		chunks_close(f->parts->reader);
		free(f->parts->state.data);
		free(f->parts->path);
		free(f->parts);
	}
	*f = (struct state_file){ 0 };
}
