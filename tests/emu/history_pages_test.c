/* tests/emu/history_pages_test.c: versions of pages, and a disk with a past, against plain copies of everything. */
#include "emu/history/history_disk.h"
#include "emu/history/history_pages.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/emu/spill_file.h"

#define PAGES 300u
#define VERSIONS 40u

static uint8_t buf[HISTORY_PAGE], other[HISTORY_PAGE];

/* Kinds of pages: zeros, one byte in zeros, the same all over, noise, half and half. */
static void fill(uint8_t *p, unsigned *seed)
{
	unsigned kind = (unsigned)rand_r(seed) % 5;

	memset(p, kind == 2 ? rand_r(seed) : 0, HISTORY_PAGE);
	if (kind == 1)
		p[(unsigned)rand_r(seed) % HISTORY_PAGE] = 1;
	for (unsigned i = 0; kind >= 3 && i < (kind == 3 ? HISTORY_PAGE : HISTORY_PAGE / 2); i++)
		p[i] = (uint8_t)rand_r(seed);
}

static void check_page(struct page_store *s, const struct page_tree *t, unsigned index, const uint8_t *want)
{
	memset(buf, 0xee, sizeof(buf));
	if (!page_tree_get(s, t, index, buf))
		memset(buf, 0, sizeof(buf));
	ck_assert_msg(!memcmp(buf, want, HISTORY_PAGE), "page %u", index);
	ck_assert_uint_eq(page_tree_hash(t, index), page_hash(want));
}

static uint8_t copy[VERSIONS][PAGES][HISTORY_PAGE];

START_TEST(every_version_keeps_its_bytes)
{
	struct page_store *s = page_store_new(0);
	struct page_tree now, version[VERSIONS];
	unsigned seed = 1;

	page_tree_init(&now, PAGES);
	for (unsigned v = 0; v < VERSIONS; v++) {
		if (v)
			memcpy(copy[v], copy[v - 1], sizeof(copy[v]));
		for (unsigned n = 0; n < 20; n++) {
			unsigned i = (unsigned)rand_r(&seed) % PAGES;
			fill(copy[v][i], &seed);
			ck_assert_int_ge(page_tree_set(s, &now, i, copy[v][i]), 0);
			ck_assert_int_eq(page_tree_set(s, &now, i, copy[v][i]), 0);
		}
		version[v] = page_tree_share(&now);
		if (v % 8 == 7)
			page_store_compress(s, page_store_bytes(s) / 2);
	}
	for (unsigned v = 0; v < VERSIONS; v++)
		for (unsigned i = 0; i < PAGES; i++)
			check_page(s, &version[v], i, copy[v][i]);
	/* Every other one goes; the rest is as it was, also compressed. */
	for (unsigned v = 0; v < VERSIONS; v += 2)
		page_tree_drop(s, &version[v]);
	page_store_compress(s, 0);
	for (unsigned v = 1; v < VERSIONS; v += 2)
		for (unsigned i = 0; i < PAGES; i++)
			check_page(s, &version[v], i, copy[v][i]);
	for (unsigned v = 1; v < VERSIONS; v += 2)
		page_tree_drop(s, &version[v]);
	page_tree_drop(s, &now);
	ck_assert_uint_eq(page_store_bytes(s), 0);
	ck_assert_uint_eq(page_store_pages(s), 0);
	page_store_free(s);
}
END_TEST

/* --- the file -------------------------------------------------------------------------------------------------------- */

#define SPILLED 300u

/* Half of the pages are random bytes, the others get much smaller. */
static struct page_tree fill_tree(struct page_store *s, unsigned *seed)
{
	struct page_tree t;

	page_tree_init(&t, SPILLED);
	for (unsigned i = 0; i < SPILLED; i++) {
		for (unsigned k = 0; k < HISTORY_PAGE; k++)
			copy[0][i][k] = i % 2 ? (uint8_t)rand_r(seed) : (uint8_t)(i + k / 100);
		ck_assert_int_eq(page_tree_set(s, &t, i, copy[0][i]), 1);
	}
	page_store_compress(s, 0);
	return t;
}

START_TEST(a_page_that_went_to_the_file_is_as_it_was)
{
	struct page_store *s = page_store_new(64 << 20);
	unsigned seed = 3;

	for (unsigned round = 0; round < 3; round++) {
		struct page_tree t = fill_tree(s, &seed);
		ck_assert_uint_gt(page_store_bytes(s), SPILLED / 2 * HISTORY_PAGE);
		page_store_spill(s, 0);
		ck_assert_uint_lt(page_store_bytes(s), SPILLED * 200);
		ck_assert_uint_gt(page_store_spilled(s), SPILLED / 2 * HISTORY_PAGE);
		for (unsigned i = 0; i < SPILLED; i++) {
			check_page(s, &t, i, copy[0][i]);
			ck_assert_int_eq(page_tree_set(s, &t, i, copy[0][i]), 0);
		}
		off_t size = lseek(spill_file(), 0, SEEK_END);
		ck_assert_msg(size < (off_t)(SPILLED * HISTORY_PAGE), "round %u: slots are not used again, %ld bytes", round, (long)size);
		page_tree_drop(s, &t);
		ck_assert_uint_eq(page_store_spilled(s), 0);
		ck_assert_uint_eq(page_store_bytes(s), 0);
	}
	ck_assert_int_eq(page_store_spill_error(s), 0);
	page_store_free(s);
	ck_assert_int_eq(spill_file(), -1);
}
END_TEST

/* First its own bound, then one that comes from outside: what does not fit stays in memory. */
START_TEST(a_file_that_is_full_takes_no_more)
{
	unsigned seed = 4;

	for (unsigned outside = 0; outside < 2; outside++) {
		uint64_t most = 100 * HISTORY_PAGE;
		struct page_store *s = page_store_new(outside ? 64 << 20 : most);
		struct page_tree t = fill_tree(s, &seed);
		if (outside)
			files_most(most);
		page_store_spill(s, 0);
		page_store_spill(s, 0);
		files_most(RLIM_INFINITY);
		ck_assert_int_eq(page_store_spill_error(s), outside ? -EFBIG : 0);
		ck_assert_uint_le(page_store_spilled(s), most);
		ck_assert_uint_gt(page_store_spilled(s), most / 2);
		for (unsigned i = 0; i < SPILLED; i++)
			check_page(s, &t, i, copy[0][i]);
		page_tree_drop(s, &t);
		page_store_free(s);
	}
}
END_TEST

START_TEST(a_file_that_loses_bytes_is_found_out)
{
	struct page_store *s = page_store_new(64 << 20);
	unsigned seed = 5, lost = 0;
	struct page_tree t = fill_tree(s, &seed);

	page_store_spill(s, 0);
	ck_assert_int_eq(pwrite(spill_file(), "?", 1, 5 * HISTORY_PAGE), 1);
	for (unsigned i = 0; i < SPILLED; i++)
		lost += page_tree_get(s, &t, i, buf) == -EIO;
	ck_assert_uint_eq(lost, 1);
	ck_assert_int_eq(ftruncate(spill_file(), 0), 0);
	for (unsigned i = 0; i < SPILLED; i++)
		ck_assert_int_eq(page_tree_get(s, &t, i, buf), -EIO);
	page_tree_drop(s, &t);
	page_store_free(s);
}
END_TEST

static int note(void *ctx, uint64_t index)
{
	((uint8_t *)ctx)[index] = 1;
	return 0;
}

START_TEST(differences_are_what_was_stored_between)
{
	struct page_store *s = page_store_new(0);
	struct page_tree now, then;
	uint8_t differs[PAGES] = { 0 };

	page_tree_init(&now, PAGES);
	for (unsigned i = 0; i < PAGES; i++) {
		memset(buf, (int)i, sizeof(buf));
		page_tree_set(s, &now, i, buf);
	}
	then = page_tree_share(&now);
	ck_assert_uint_eq(page_tree_own_bytes(&then, NULL), 0);
	for (unsigned i = 0; i < PAGES; i += 50) {
		memset(buf, (int)i + 1, sizeof(buf));
		ck_assert_int_eq(page_tree_set(s, &now, i, buf), 1);
	}
	ck_assert_int_eq(page_tree_mark(s, &now, 8), 0);
	page_tree_diff(&then, &now, note, differs);
	for (unsigned i = 0; i < PAGES; i++)
		ck_assert_int_eq(differs[i], i % 50 == 0 || i == 8);
	ck_assert_int_eq(page_tree_kind(&now, 8), PAGE_MARKED);
	ck_assert_int_eq(page_tree_kind(&now, 9), PAGE_STORED);
	ck_assert_int_eq(page_tree_kind(&now, PAGES + 5000), PAGE_ABSENT);
	ck_assert(!page_tree_get(s, &now, 8, buf));
	uint64_t before = page_store_bytes(s), own = page_tree_own_bytes(&then, NULL);
	page_tree_drop(s, &then);
	ck_assert_uint_gt(own, 0);
	ck_assert_uint_eq(before - page_store_bytes(s), own);
	page_tree_drop(s, &now);
	page_store_free(s);
}
END_TEST

START_TEST(what_does_not_change_costs_next_to_nothing)
{
	struct page_store *s = page_store_new(0);
	struct page_tree now, version[100];
	unsigned seed = 3;

	page_tree_init(&now, 1u << 20);
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned k = 0; k < HISTORY_PAGE; k++)
			buf[k] = (uint8_t)rand_r(&seed);
		page_tree_set(s, &now, i * 37, buf);
	}
	uint64_t one = page_store_bytes(s);
	for (unsigned v = 0; v < 100; v++) {
		buf[0]++;
		page_tree_set(s, &now, 37, buf);
		version[v] = page_tree_share(&now);
	}
	ck_assert_uint_lt(page_store_bytes(s) - one, 100 * 6000);
	for (unsigned v = 0; v < 100; v++)
		page_tree_drop(s, &version[v]);
	page_tree_drop(s, &now);
	page_store_free(s);
}
END_TEST

/* As when a guest swaps: what was in memory is on the disk, and the other way round. */
START_TEST(the_same_bytes_are_kept_once)
{
	struct page_store *s = page_store_new(0);
	struct page_tree memory, disk;
	unsigned seed = 4;

	page_tree_init(&memory, PAGES);
	page_tree_init(&disk, 1u << 20);
	for (unsigned i = 0; i < PAGES; i++) {
		for (unsigned k = 0; k < HISTORY_PAGE; k++)
			copy[0][i][k] = (uint8_t)rand_r(&seed);
		ck_assert_int_eq(page_tree_set(s, &memory, i, copy[0][i]), 1);
		ck_assert_int_eq(page_tree_set(s, &disk, 5000 + i, copy[0][i]), 1);
	}
	ck_assert_uint_eq(page_store_pages(s), PAGES);
	page_tree_drop(s, &memory);
	ck_assert_uint_eq(page_store_pages(s), PAGES);
	for (unsigned i = 0; i < PAGES; i++)
		check_page(s, &disk, 5000 + i, copy[0][i]);
	page_tree_drop(s, &disk);
	ck_assert_uint_eq(page_store_bytes(s), 0);
	page_store_free(s);
}
END_TEST

/* --- disk -------------------------------------------------------------------------------------------------------------- */

#define SECTORS 203u                   /* the last block is not whole */

static void write_random(struct disk *d, struct disk *mirror, unsigned *seed)
{
	uint8_t bytes[20 * SECTOR_SIZE];
	uint32_t count = 1 + (uint32_t)rand_r(seed) % 20;
	uint64_t lba = (uint64_t)rand_r(seed) % (SECTORS - count + 1);

	for (unsigned i = 0; i < count * SECTOR_SIZE; i++)
		bytes[i] = (uint8_t)rand_r(seed);
	ck_assert_int_eq(d->write(d, lba, bytes, count), 0);
	if (mirror)
		ck_assert_int_eq(mirror->write(mirror, lba, bytes, count), 0);
}

static void read_all(struct disk *d, uint8_t *bytes)
{
	ck_assert_int_eq(d->read(d, 0, bytes, 100), 0);
	ck_assert_int_eq(d->read(d, 100, bytes + 100 * SECTOR_SIZE, SECTORS - 100), 0);
}

START_TEST(a_disk_is_what_it_was)
{
	static uint8_t content[30][SECTORS * SECTOR_SIZE], found[SECTORS * SECTOR_SIZE], file[SECTORS * SECTOR_SIZE];
	struct page_store *s = page_store_new(0);
	struct disk *real = disk_memory(SECTORS), *mirror = disk_memory(SECTORS);
	struct history_disk d;
	struct page_tree version[30];
	unsigned seed = 5;

	for (unsigned i = 0; i < 3; i++)
		write_random(real, NULL, &seed);
	ck_assert_int_eq(history_disk_open(&d, real, s), 0);
	for (unsigned v = 0; v < 30; v++) {
		for (unsigned i = 0; i < 4 && v; i++)
			write_random(&d.disk, NULL, &seed);
		ck_assert_int_eq(history_disk_gather(&d), 0);
		read_all(&d.disk, content[v]);
		version[v] = page_tree_share(&d.now);
		if (v == 20)
			ck_assert_int_eq(history_disk_rebase(&d, &version[18]), 0);
	}
	read_all(real, file);
	ck_assert(!memcmp(file, content[29], sizeof(file)));
	/* In the past: each version, and other writes there, and the file as it is in the present all the time. */
	for (unsigned k = 0; k < 60; k++) {
		unsigned v = (unsigned)rand_r(&seed) % 30;
		history_disk_restore(&d, &version[v], true);
		read_all(&d.disk, found);
		ck_assert_msg(!memcmp(found, content[v], sizeof(found)), "version %u", v);
		ck_assert_int_eq(mirror->write(mirror, 0, found, SECTORS), 0);
		for (unsigned i = 0; i < 3; i++)
			write_random(&d.disk, mirror, &seed);
		read_all(&d.disk, found);
		uint8_t want[SECTORS * SECTOR_SIZE];
		read_all(mirror, want);
		ck_assert(!memcmp(found, want, sizeof(found)));
		ck_assert_int_eq(d.disk.flush(&d.disk), 0);
		read_all(real, found);
		ck_assert(!memcmp(found, file, sizeof(found)));
	}
	/* The past becomes the present: the file with it. */
	history_disk_restore(&d, &version[7], true);
	ck_assert_int_eq(history_disk_rewrite(&d), 0);
	read_all(real, found);
	ck_assert(!memcmp(found, content[7], sizeof(found)));
	ck_assert_int_eq(d.disk.write(&d.disk, SECTORS, other, 1), -22);
	for (unsigned v = 0; v < 30; v++)
		page_tree_drop(s, &version[v]);
	history_disk_close(&d);
	ck_assert_uint_eq(page_store_bytes(s), 0);
	page_store_free(s);
	real->close(real);
	mirror->close(mirror);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("history_pages");
	TCase *t = tcase_create("history_pages");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_add_test(t, every_version_keeps_its_bytes);
	tcase_add_test(t, differences_are_what_was_stored_between);
	tcase_add_test(t, what_does_not_change_costs_next_to_nothing);
	tcase_add_test(t, the_same_bytes_are_kept_once);
	tcase_add_test(t, a_disk_is_what_it_was);
	tcase_add_test(t, a_page_that_went_to_the_file_is_as_it_was);
	tcase_add_test(t, a_file_that_is_full_takes_no_more);
	tcase_add_test(t, a_file_that_loses_bytes_is_found_out);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
