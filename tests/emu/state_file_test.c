/* tests/emu/state_file_test.c: a machine saved into a file and loaded again goes on as the saved one did; a file that is damaged, of another
 * version, or about a disk that has changed since is refused in one line, and what was at its path before is never half a file. */
#include "emu/state/state_file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/hash.h"
#include "emu/state/machine_state.h"
#include "tests/emu/state_parts.h"

#ifdef __SANITIZE_ADDRESS__
#define POINTS 2
#define FLIPS 150
#else
#define POINTS 8
#define FLIPS 1500
#endif
#define ON 200000u
#define DISK_BYTES (3u * 4096 + 512)

static char err[ERROR_LINE];
static char folder[] = "/tmp/state_file_XXXXXX", path[64], image[64];
static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % below);
}

static void setup(void)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/saved", folder);
	snprintf(image, sizeof(image), "%s/disk.img", folder);
}

static void teardown(void)
{
	unlink(path);
	unlink(image);
	ck_assert_msg(!rmdir(folder), "something is left in %s", folder);
}

static void spit(const char *name, const void *data, size_t size)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, size, f), size);
	ck_assert_int_eq(fclose(f), 0);
}

static struct bytes slurp(const char *name)
{
	struct stat st;
	struct bytes b = { 0 };
	FILE *f = fopen(name, "r");

	ck_assert_msg(f && !stat(name, &st), "%s", name);
	b.size = b.capacity = (size_t)st.st_size;
	b.data = malloc(b.size + 1);
	ck_assert_uint_eq(fread(b.data, 1, b.size, f), b.size);
	fclose(f);
	return b;
}

/* --- machines ------------------------------------------------------------------------------------------------------ */

struct rig { struct kernel kernel; struct disk *disk; struct machine *m; const char *input; };

static int next(void *owner)
{
	struct rig *r = owner;

	return *r->input ? (unsigned char)*r->input++ : -1;
}

static void start(struct rig *r, const char *kernel, const char *disk, bool snapshot, uint64_t memory)
{
	struct machine_config config = { .memory = memory, .disk_name = { disk }, .kernel = &r->kernel, .seed = 7 };

	*r = (struct rig){ .input = "demo-swap\nls /bin | sort > /x\n" };
	ck_assert_msg(!kernel_open(&r->kernel, kernel, err), "%s", err);
	ck_assert_msg(!kernel_set_command_line(&r->kernel, "a line", err), "%s", err);
	if (disk) {
		config.disk[0] = r->disk = disk_open(disk, snapshot, err, sizeof(err));
		ck_assert_msg(r->disk, "%s", err);
	}
	config.input = (struct input_source){ next, r };
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
}

static void start_pagoda(struct rig *r) { start(r, PAGODA_DIR "/pagoda.elf", PAGODA_DIR "/pagoda.img", true, 4u << 20); }

static void end(struct rig *r)
{
	machine_free(r->m);
	if (r->disk)
		r->disk->close(r->disk);
	kernel_close(&r->kernel);
}

/* A machine from a file. */
struct loaded { struct state_file f; struct machine *m; };

static int load(struct loaded *l)
{
	if (state_open(&l->f, path, err))
		return -1;
	l->m = machine_create(&l->f.config, err);
	if (l->m && !state_apply(&l->f, l->m, err))
		return 0;
	machine_free(l->m);
	state_close(&l->f);
	return -1;
}

static void unload(struct loaded *l)
{
	machine_free(l->m);
	state_close(&l->f);
}

static void save(struct rig *r)
{
	ck_assert_msg(!state_save(r->m, path, err), "%s", err);
}

static void check_equal(struct machine *a, struct machine *b, const char *when)
{
	struct bytes x = { 0 }, y = { 0 };
	char field[256];

	ck_assert_int_eq(machine_state_save(a, &x), 0);
	ck_assert_int_eq(machine_state_save(b, &y), 0);
	const char *name = machine_state_compare(&x, &y, field, sizeof(field));
	ck_assert_msg(!name, "%s: %s differs", when, name);
	ck_assert_msg(machine_hash(a) == machine_hash(b), "%s: memory differs", when);
	free(x.data);
	free(y.data);
}

static void check_disks_equal(struct machine *a, struct machine *b)
{
	struct disk *x = a->ide[0].drive[0].disk, *y = b->ide[0].drive[0].disk;
	uint8_t p[64 * SECTOR_SIZE], q[64 * SECTOR_SIZE];

	ck_assert_uint_eq(x->sectors, y->sectors);
	for (uint64_t at = 0; at < x->sectors; at += 64) {
		uint32_t n = x->sectors - at < 64 ? (uint32_t)(x->sectors - at) : 64;
		ck_assert_int_eq(x->read(x, at, p, n), 0);
		ck_assert_int_eq(y->read(y, at, q, n), 0);
		ck_assert_msg(!memcmp(p, q, n * SECTOR_SIZE), "sector %llu or one after it", (unsigned long long)at);
	}
}

START_TEST(a_machine_from_a_file_goes_on_as_the_saved_one)
{
	struct rig r;

	seed = 3;
	start_pagoda(&r);
	for (unsigned i = 0; i < POINTS; i++) {
		struct loaded l;

		machine_run(r.m, rnd(20000000));
		save(&r);
		ck_assert(state_file_is(path));
		ck_assert_msg(!load(&l), "%s", err);
		ck_assert(!l.f.recording);
		ck_assert_str_eq(l.f.kernel.command_line, "a line");
		check_equal(r.m, l.m, "loaded");
		check_disks_equal(r.m, l.m);
		r.m->input.source.next = NULL;
		machine_run(r.m, ON);
		machine_run(l.m, ON);
		r.m->input.source.next = next;
		check_equal(r.m, l.m, "run on");
		unload(&l);
	}
	end(&r);
}
END_TEST

START_TEST(the_same_machine_makes_the_same_file)
{
	struct rig r;
	struct loaded l;
	struct bytes a, b;

	start_pagoda(&r);
	machine_run(r.m, 5000000);
	save(&r);
	a = slurp(path);
	ck_assert_msg(!load(&l), "%s", err);
	ck_assert_msg(!state_save(l.m, path, err), "%s", err);
	b = slurp(path);
	ck_assert_uint_eq(a.size, b.size);
	ck_assert(!memcmp(a.data, b.data, a.size));
	free(a.data);
	free(b.data);
	unload(&l);
	end(&r);
}
END_TEST

/* Also where the kernel was put at power-on. */
START_TEST(pages_that_are_zero_now_are_zero_when_loaded)
{
	struct rig r;
	struct loaded l;

	start(&r, GUEST_DIR "/timer.elf", NULL, false, 2u << 20);
	memset(r.m->phys.ram + 0x100000, 0, 4096);
	save(&r);
	ck_assert_msg(!load(&l), "%s", err);
	check_equal(r.m, l.m, "a page of zeros");
	unload(&l);
	end(&r);
}
END_TEST

/* --- disks --------------------------------------------------------------------------------------------------------- */

static void make_image(uint8_t fill)
{
	uint8_t data[DISK_BYTES];

	memset(data, fill, sizeof(data));
	memset(data + 4096, 0, 4096);
	spit(image, data, sizeof(data));
}

START_TEST(what_a_snapshot_has_written_is_in_the_file)
{
	struct rig r;
	struct loaded l;
	uint8_t sector[SECTOR_SIZE];

	make_image(0x11);
	start(&r, GUEST_DIR "/timer.elf", image, true, 2u << 20);
	memset(sector, 0x77, sizeof(sector));
	ck_assert_int_eq(r.disk->write(r.disk, 24, sector, 1), 0);        /* the last, in a block of its own */
	ck_assert_int_eq(r.disk->write(r.disk, 9, sector, 1), 0);
	save(&r);
	ck_assert_msg(!load(&l), "%s", err);
	check_disks_equal(r.m, l.m);
	ck_assert_str_eq(l.m->ide[0].drive[0].image, image);
	unload(&l);
	end(&r);
}
END_TEST

START_TEST(writes_after_loading_leave_the_image_alone)
{
	struct rig r;
	struct loaded l;
	struct bytes before, after;
	uint8_t sector[SECTOR_SIZE] = { 1, 2, 3 };

	make_image(0x22);
	start(&r, GUEST_DIR "/timer.elf", image, false, 2u << 20);
	save(&r);
	end(&r);
	before = slurp(image);
	ck_assert_msg(!load(&l), "%s", err);
	ck_assert_int_eq(l.f.config.disk[0]->write(l.f.config.disk[0], 3, sector, 1), 0);
	unload(&l);
	after = slurp(image);
	ck_assert(before.size == after.size && !memcmp(before.data, after.data, after.size));
	free(before.data);
	free(after.data);
}
END_TEST

START_TEST(an_image_that_has_changed_is_refused_by_name)
{
	struct rig r;
	struct loaded l;

	make_image(0x22);
	start(&r, GUEST_DIR "/timer.elf", image, true, 2u << 20);
	save(&r);
	end(&r);
	make_image(0x23);
	ck_assert_int_eq(load(&l), -1);
	ck_assert_msg(strstr(err, image) && strstr(err, "has changed") && strstr(err, "--snapshot"), "%s", err);
	ck_assert_int_eq(truncate(image, 512), 0);
	ck_assert_int_eq(load(&l), -1);
	ck_assert_msg(strstr(err, image) && strstr(err, "sectors"), "%s", err);
	ck_assert_int_eq(unlink(image), 0);
	ck_assert_int_eq(load(&l), -1);
	ck_assert_msg(strstr(err, image), "%s", err);
}
END_TEST

/* Of a machine whose disk is nowhere else, all of it is in the file. */
START_TEST(a_disk_without_an_image_is_saved_whole)
{
	struct rig r;
	struct loaded l;

	make_image(0x55);
	start(&r, GUEST_DIR "/timer.elf", image, true, 2u << 20);
	ck_assert_int_eq(unlink(image), 0);
	save(&r);
	ck_assert_msg(!load(&l), "%s", err);
	check_disks_equal(r.m, l.m);
	unload(&l);
	end(&r);
	make_image(0);                 /* for teardown */
}
END_TEST

/* --- bad files ----------------------------------------------------------------------------------------------------- */

/* Puts the right checksum at the end, so that what is before is what is judged. */
static void seal(struct bytes *b)
{
	struct hash h;

	hash_init(&h);
	hash_bytes(&h, b->data, b->size - 8);
	uint64_t sum = hash_result(&h);
	memcpy(b->data + b->size - 8, &sum, 8);
}

static void check_refused(const struct bytes *b, const char *why)
{
	struct loaded l;

	spit(path, b->data, b->size);
	err[0] = 0;
	ck_assert_msg(load(&l) == -1, "loaded although: %s", why);
	ck_assert_msg(*err && !strchr(err, '\n') && strstr(err, path), "%s: '%s'", why, err);
}

static struct bytes saved_bytes(void)
{
	struct rig r;

	start(&r, GUEST_DIR "/v86.elf", NULL, false, 2u << 20);
	machine_run(r.m, 300000);
	save(&r);
	end(&r);
	return slurp(path);
}

START_TEST(other_versions_are_refused_by_number)
{
	struct bytes b = saved_bytes();

	for (unsigned version = 0; version < 4; version++) {
		char name[32];
		b.data[16] = (uint8_t)version;
		seal(&b);
		if (version == STATE_FILE_VERSION)
			continue;
		check_refused(&b, "its version");
		snprintf(name, sizeof(name), "of version %u", version);
		ck_assert_msg(strstr(err, name), "%s", err);
	}
	free(b.data);
}
END_TEST

START_TEST(a_file_cut_anywhere_is_refused)
{
	struct bytes b = saved_bytes();
	size_t whole = b.size;

	seed = 8;
	for (unsigned i = 0; i < FLIPS; i++) {
		b.size = i < 40 ? i : rnd((uint32_t)whole);
		check_refused(&b, "it was cut");
		if (b.size < 40)
			continue;
		/* Also with a good checksum: then zstd notices. */
		uint8_t kept[8];
		memcpy(kept, b.data + b.size - 8, 8);
		seal(&b);
		check_refused(&b, "it was cut and sealed");
		memcpy(b.data + b.size - 8, kept, 8);
	}
	free(b.data);
}
END_TEST

START_TEST(a_flipped_bit_is_refused)
{
	struct bytes b = saved_bytes();

	seed = 9;
	for (unsigned i = 0; i < FLIPS; i++) {
		size_t at = i < 24 ? i : rnd((uint32_t)b.size);
		uint8_t bit = (uint8_t)(1u << rnd(8));
		b.data[at] ^= bit;
		check_refused(&b, "a bit was flipped");
		b.data[at] ^= bit;
	}
	free(b.data);
}
END_TEST

START_TEST(another_file_is_refused_as_what_it_is)
{
	struct loaded l;

	spit(path, "PagodaEmu stats\n and so on, for some more bytes", 47);
	ck_assert(!state_file_is(path));
	ck_assert_int_eq(load(&l), -1);
	ck_assert_msg(strstr(err, "neither a snapshot nor a recording"), "%s", err);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(!state_file_is(path));
	ck_assert_int_eq(load(&l), -1);
	ck_assert_msg(strstr(err, strerror(ENOENT)), "%s", err);
	spit(path, "", 0);
}
END_TEST

/* --- chunks -------------------------------------------------------------------------------------------------------- */

static void expect(int status, const char *line)
{
	struct loaded l;
	int r = load(&l);

	ck_assert_msg(r == status, "%s: %s", line, err);
	if (!r)
		unload(&l);
	else
		ck_assert_msg(strstr(err, line), "'%s' does not say '%s'", err, line);
}

START_TEST(chunks_that_make_no_sense_are_refused)
{
	struct part part[PARTS_MOST], spare;
	struct bytes b = saved_bytes();
	unsigned n = read_parts(path, part);

	free(b.data);
	ck_assert_str_eq(part[0].tag, "machine");
	ck_assert_str_eq(part[2].tag, "state");
	ck_assert_str_eq(part[3].tag, "ram");
	write_parts(path, part, n);
	expect(0, "");
	for (unsigned i = 0; i < 3; i++) {
		/* Without it, and cut short everywhere. A kernel may be missing. */
		struct part without[PARTS_MOST];
		memcpy(without, part, i * sizeof(*part));
		memcpy(without + i, part + i + 1, (n - i - 1) * sizeof(*part));
		write_parts(path, without, n - 1);
		expect(i == 1 ? 0 : -1, path);
		size_t size = part[i].data.size;
		for (unsigned k = 0; k < 24; k++) {
			part[i].data.size = k < 12 ? k : size * k / 24;
			write_parts(path, part, n);
			expect(-1, "");
		}
		part[i].data.size = size;
	}
	spare = part[3];
	strcpy(part[3].tag, "sounds");
	write_parts(path, part, n);
	expect(-1, "'sounds', which this program does not know");
	strcpy(part[3].tag, "disk 0");
	write_parts(path, part, n);
	expect(-1, "disk makes no sense");
	strcpy(part[3].tag, "disk 7");
	write_parts(path, part, n);
	expect(-1, "disk 7");
	part[3] = spare;
	memset(part[3].data.data, 0xff, 4);
	write_parts(path, part, n);
	expect(-1, "memory makes no sense");
	memset(part[0].data.data + 2, 0xff, 8);
	write_parts(path, part, n);
	expect(-1, "description of the machine");
	for (unsigned i = 0; i < n; i++)
		free(part[i].data.data);
}
END_TEST

/* --- writing ------------------------------------------------------------------------------------------------------- */

START_TEST(a_file_that_cannot_be_written_leaves_the_old_one)
{
	struct rig r;
	struct bytes before, after;

	start(&r, GUEST_DIR "/timer.elf", NULL, false, 2u << 20);
	save(&r);
	before = slurp(path);
	ck_assert_int_eq(state_save(r.m, "/nowhere/at/all", err), -1);
	ck_assert_msg(strstr(err, "/nowhere/at/all"), "%s", err);
	/* A folder is in the way of the rename. */
	ck_assert_int_eq(mkdir(image, 0777), 0);
	ck_assert_int_eq(state_save(r.m, image, err), -1);
	ck_assert_int_eq(rmdir(image), 0);
	ck_assert_int_eq(state_save(r.m, "/dev/full/x", err), -1);
	after = slurp(path);
	ck_assert(before.size == after.size && !memcmp(before.data, after.data, after.size));
	free(before.data);
	free(after.data);
	end(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("state files");
	TCase *t = tcase_create("state files");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(t, 0);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_machine_from_a_file_goes_on_as_the_saved_one);
	tcase_add_test(t, the_same_machine_makes_the_same_file);
	tcase_add_test(t, pages_that_are_zero_now_are_zero_when_loaded);
	tcase_add_test(t, what_a_snapshot_has_written_is_in_the_file);
	tcase_add_test(t, writes_after_loading_leave_the_image_alone);
	tcase_add_test(t, an_image_that_has_changed_is_refused_by_name);
	tcase_add_test(t, a_disk_without_an_image_is_saved_whole);
	tcase_add_test(t, other_versions_are_refused_by_number);
	tcase_add_test(t, a_file_cut_anywhere_is_refused);
	tcase_add_test(t, a_flipped_bit_is_refused);
	tcase_add_test(t, another_file_is_refused_as_what_it_is);
	tcase_add_test(t, chunks_that_make_no_sense_are_refused);
	tcase_add_test(t, a_file_that_cannot_be_written_leaves_the_old_one);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
