/* tests/fuzz/fuzz_state.c: any bytes are a state file: it is refused with a line, or gives a machine that runs.
 *
 *   byte 0 odd    the rest are chunks as they stand
 *   byte 0 even   the rest changes the file of a machine that has run for a while, in steps of four bytes:
 *                 which chunk, or for 3 and more which field of its state | where (two bytes) | what is put there
 *
 * Compression and checksum are made good, since nobody who means harm would leave them bad. What is loaded runs for 10000 ticks, is hashed and
 * saved again; the sanitizers are the judges.
 *
 * LLVMFuzzerTestOneInput() is libFuzzer's entry; fuzz_driver.c calls it without libFuzzer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/state/chunks.h"
#include "emu/state/state_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS 16
#define TICKS 10000u
#define MEMORY (2u << 20)

struct part { char tag[CHUNK_TAG + 1]; struct bytes data; };

static struct part base[PARTS];
static unsigned parts;
static char path[64];
static char err[ERROR_LINE];

static void broken(const char *what)
{
	fprintf(stderr, "fuzz_state: %s: %s\n", what, err);
	abort();
}

static void remove_file(void)
{
	unlink(path);
}

/* A machine in the middle of things: paging, a virtual-8086 task, the timer, a disk without an image. */
static void save_base(void)
{
	struct kernel kernel;
	struct disk *disk = disk_memory(64);
	uint8_t sector[SECTOR_SIZE] = { 1, 2, 3 };
	struct machine_config config = { .memory = MEMORY, .kernel = &kernel, .disk = { disk }, .disk_name = { "fuzz" } };

	if (kernel_open(&kernel, GUEST_DIR "/v86.elf", err))
		broken("the guest");
	disk->write(disk, 5, sector, 1);
	struct machine *m = machine_create(&config, err);
	if (!m)
		broken("the machine");
	machine_run(m, 60000);
	if (state_save(m, path, err))
		broken("saving");
	machine_free(m);
	disk->close(disk);
	kernel_close(&kernel);
}

static void prepare(void)
{
	struct bytes b;
	int more;

	if (parts)
		return;
	/* In memory, if that can be: each file is synced. */
	snprintf(path, sizeof(path), "%s/fuzz_state_%ld", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (long)getpid());
	atexit(remove_file);
	save_base();
	struct chunk_reader *r = chunks_open(path, err);
	if (!r)
		broken("reading");
	while ((more = chunks_next(r, base[parts].tag, &b, err)) > 0 && parts + 1 < PARTS)
		if (!bytes_put(&base[parts++].data, b.data, b.size))
			broken("memory");
	if (more)
		broken("reading");
	chunks_close(r);
}

/* --- making the file ------------------------------------------------------------------------------------------------- */

/* The nth record of a state, from 0 again after the last: where its name begins, and its end. */
static size_t find_record(const struct bytes *state, unsigned n, size_t *end)
{
	enum { HEADER = 20 };
	size_t at = HEADER, last = HEADER;

	for (unsigned i = 0; i <= n; i++) {
		uint32_t bytes, count;
		if (at >= state->size)
			at = HEADER;
		last = at;
		uint8_t length = state->data[at];
		memcpy(&bytes, state->data + at + 1 + length, 4);
		memcpy(&count, state->data + at + 5 + length, 4);
		at += 9 + length + (size_t)bytes * count;
	}
	*end = at;
	return last + 1;
}

static void change(struct part *part, const uint8_t *step)
{
	unsigned where = step[1] | step[2] << 8;
	struct bytes *b = &part[step[0] < 3 ? step[0] : 2].data;
	size_t start = 0, end = b->size;

	if (step[0] >= 3)
		start = find_record(&base[2].data, (step[0] - 3u) * 3 + where % 3, &end);
	if (end > start)
		b->data[start + where / 3 % (end - start)] = step[3];
}

static void write_file(const struct part *part, unsigned n, const uint8_t *raw, size_t size)
{
	struct chunk_writer w;
	struct state_output *o = state_output_begin(path, err);

	if (!o || chunks_begin(&w, 1))
		broken("writing");
	for (unsigned i = 0; i < n; i++)
		chunks_put(&w, part[i].tag, part[i].data.data, part[i].data.size);
	for (size_t at = 0, length; at + CHUNK_TAG + 2 <= size; at += length) {
		char tag[CHUNK_TAG + 1] = { 0 };
		memcpy(tag, raw + at, CHUNK_TAG);
		at += CHUNK_TAG + 2;
		length = raw[at - 2] | raw[at - 1] << 8;
		length = length < size - at ? length : size - at;
		chunks_put(&w, tag, raw + at, length);
	}
	if (chunks_end(&w))
		broken("writing");
	state_output_take(o, &w);
	chunks_free(&w);
	if (state_output_end(o, err))
		broken("writing");
}

/* --- what it is for -------------------------------------------------------------------------------------------------- */

static void use(struct state_file *f)
{
	struct machine *m = machine_create(&f->config, err);
	struct bytes state = { 0 };

	if (m && !state_apply(f, m, err)) {
		machine_run(m, TICKS);
		machine_hash(m);
		if (machine_state_save(m, &state) || machine_state_load(m, state.data, state.size, err))
			broken("what was loaded cannot be saved and loaded again");
	}
	free(state.data);
	machine_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part part[PARTS];
	struct state_file f;

	prepare();
	if (!size)
		return 0;
	for (unsigned i = 0; i < parts; i++) {
		part[i] = base[i];
		part[i].data = (struct bytes){ 0 };
		if (!bytes_put(&part[i].data, base[i].data.data, base[i].data.size))
			broken("memory");
	}
	for (size_t at = 1; !(data[0] & 1) && at + 4 <= size; at += 4)
		change(part, data + at);
	write_file(part, data[0] & 1 ? 0 : parts, data + 1, data[0] & 1 ? size - 1 : 0);
	err[0] = 0;
	if (!state_open(&f, path, err)) {
		if (f.config.memory <= 16 * MEMORY)                /* more is allowed, and takes long */
			use(&f);
		state_close(&f);
	}
	if (strchr(err, '\n'))
		broken("more than a line");
	for (unsigned i = 0; i < parts; i++)
		free(part[i].data.data);
	return 0;
}
