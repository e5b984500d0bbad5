/* tests/devices/disk_test.c: image files: what is refused and how, what is written, what --snapshot leaves alone. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/device.h"

static char dir[] = P_tmpdir "/disk_test.XXXXXX";
static char path[100], err[300];
static uint8_t a[64 * SECTOR_SIZE], b[64 * SECTOR_SIZE];

static void setup(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/a.img", dir);
	err[0] = 0;
}

static void teardown(void)
{
	unlink(path);
	rmdir(path);
	rmdir(dir);
}

static void fill(uint8_t *p, size_t n, unsigned salt)
{
	for (size_t i = 0; i < n; i++)
		p[i] = i * 7 + i / 512 * 31 + salt;
}

static void make_file(size_t bytes, unsigned salt)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	ck_assert_int_ge(fd, 0);
	for (size_t done = 0; done < bytes;) {
		size_t n = bytes - done < sizeof(a) ? bytes - done : sizeof(a);

		fill(a, n, salt);
		ck_assert_int_eq(write(fd, a, n), (ssize_t)n);
		done += n;
	}
	close(fd);
}

static void file_has(uint64_t lba, const uint8_t *bytes, size_t n)
{
	int fd = open(path, O_RDONLY);

	ck_assert_int_eq(pread(fd, b, n, (off_t)(lba * SECTOR_SIZE)), (ssize_t)n);
	ck_assert_mem_eq(b, bytes, n);
	close(fd);
}

/* One line, that begins with the name. */
static void assert_refused(bool snapshot, const char *why)
{
	ck_assert_ptr_null(disk_open(path, snapshot, err, sizeof(err)));
	ck_assert_int_eq(strncmp(err, path, strlen(path)), 0);
	ck_assert_ptr_null(strchr(err, '\n'));
	if (!strstr(err, why))
		ck_abort_msg("expected \"%s\" in: %s", why, err);
}

START_TEST(a_missing_file_is_refused)
{
	assert_refused(_i, "No such file");
	ck_assert_int_eq(access(path, F_OK), -1);
}

START_TEST(a_directory_is_refused)
{
	mkdir(path, 0755);
	assert_refused(_i, "is a directory");
}

START_TEST(an_empty_file_is_refused)
{
	make_file(0, 0);
	assert_refused(_i, "is empty");
}

START_TEST(a_file_of_3_bytes_is_refused)
{
	make_file(3, 0);
	assert_refused(_i, "3 bytes");
	make_file(1025, 0);
	assert_refused(_i, "not a multiple of 512");
}

START_TEST(a_fifo_is_refused_without_waiting)
{
	ck_assert_int_eq(mkfifo(path, 0644), 0);
	assert_refused(_i, "neither a file nor a block device");
}

/* Root may read anything, so these run as somebody else. */
static void become_nobody(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
}

START_TEST(an_unreadable_file_is_refused)
{
	make_file(1024, 0);
	chmod(path, 0);
	become_nobody();
	assert_refused(_i, "Permission denied");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}

START_TEST(a_read_only_file_wants_snapshot)
{
	struct disk *d;

	make_file(1024, 0);
	chmod(path, 0444);
	become_nobody();
	assert_refused(false, "--snapshot");
	d = disk_open(path, true, err, sizeof(err));
	ck_assert_ptr_nonnull(d);
	ck_assert_int_eq(d->write(d, 0, a, 2), 0);
	d->close(d);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}

START_TEST(a_write_is_in_the_file_when_it_returns)
{
	struct disk *d;

	make_file(100 * SECTOR_SIZE, 1);
	d = disk_open(path, false, err, sizeof(err));
	ck_assert_ptr_nonnull(d);
	ck_assert_uint_eq(d->sectors, 100);
	fill(a, sizeof(a), 77);
	ck_assert_int_eq(d->write(d, 36, a, 64), 0);
	file_has(36, a, sizeof(a));
	ck_assert_int_eq(d->read(d, 36, b, 64), 0);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_int_eq(d->flush(d), 0);
	d->close(d);
}

START_TEST(sectors_outside_the_disk_are_refused)
{
	struct disk *d;

	if (_i == 2) {
		d = disk_memory(100);
	} else {
		make_file(100 * SECTOR_SIZE, 1);
		d = disk_open(path, _i, err, sizeof(err));
	}
	ck_assert_ptr_nonnull(d);
	ck_assert_int_eq(d->read(d, 100, b, 1), -EINVAL);
	ck_assert_int_eq(d->read(d, 99, b, 2), -EINVAL);
	ck_assert_int_eq(d->write(d, UINT64_MAX, b, 2), -EINVAL);
	ck_assert_int_eq(d->write(d, 99, b, 2), -EINVAL);
	ck_assert_int_eq(d->read(d, 99, b, 1), 0);
	d->close(d);
}

/* Against a plain array, at random; 1003 sectors, so that the last cluster is not whole. */
START_TEST(a_snapshot_behaves_as_a_disk_and_leaves_the_file_alone)
{
	enum { N = 1003 };
	static uint8_t model[N * SECTOR_SIZE], before[N * SECTOR_SIZE];
	uint32_t x = 4711;
	struct disk *d;

	make_file(N * SECTOR_SIZE, 3);
	d = disk_open(path, true, err, sizeof(err));
	ck_assert_ptr_nonnull(d);
	for (unsigned i = 0; i < N; i++)
		ck_assert_int_eq(d->read(d, i, model + i * SECTOR_SIZE, 1), 0);
	memcpy(before, model, sizeof(model));
	for (unsigned i = 0; i < 3000; i++) {
		x = x * 1664525 + 1013904223;
		unsigned lba = (x >> 8) % N, n = (x >> 20) % 40 + 1;

		n = n > N - lba ? N - lba : n;
		fill(a, n * SECTOR_SIZE, x >> 24);
		if (x & 0x80) {
			memcpy(model + lba * SECTOR_SIZE, a, n * SECTOR_SIZE);
			ck_assert_int_eq(d->write(d, lba, a, n), 0);
		} else {
			ck_assert_int_eq(d->read(d, lba, b, n), 0);
			ck_assert_mem_eq(b, model + lba * SECTOR_SIZE, n * SECTOR_SIZE);
		}
	}
	ck_assert_int_eq(d->flush(d), 0);
	d->close(d);
	for (unsigned i = 0; i < N; i += 17)
		file_has(i, before + i * SECTOR_SIZE, SECTOR_SIZE);
}

START_TEST(a_memory_disk_is_as_large_as_a_drive_can_be)
{
	struct disk *d = disk_memory(1ull << 48);

	fill(a, sizeof(a), 5);
	ck_assert_int_eq(d->write(d, (1ull << 48) - 64, a, 64), 0);
	ck_assert_int_eq(d->read(d, (1ull << 48) - 64, b, 64), 0);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_int_eq(d->read(d, 1ull << 32, b, 1), 0);
	ck_assert_uint_eq(b[0] | b[511], 0);
	d->close(d);
}

START_TEST(two_writers_or_a_writer_and_a_snapshot_are_refused)
{
	struct disk *d, *e;

	make_file(1024, 0);
	d = disk_open(path, false, err, sizeof(err));
	ck_assert_ptr_nonnull(d);
	assert_refused(false, "in use by another emulator");
	assert_refused(true, "in use by another emulator");
	d->close(d);
	d = disk_open(path, true, err, sizeof(err));
	e = disk_open(path, true, err, sizeof(err));
	ck_assert(d && e);
	assert_refused(false, "in use");
	d->close(d);
	e->close(e);
}

START_TEST(a_file_cut_short_meanwhile_is_an_io_error)
{
	struct disk *d;

	make_file(20 * SECTOR_SIZE, 0);
	d = disk_open(path, _i, err, sizeof(err));
	ck_assert_int_eq(truncate(path, 10 * SECTOR_SIZE + 100), 0);
	ck_assert_int_eq(d->read(d, 9, b, 1), 0);
	ck_assert_int_eq(d->read(d, 10, b, 1), -EIO);
	ck_assert_int_eq(d->read(d, 8, b, 12), -EIO);
	if (_i)
		ck_assert_int_eq(d->write(d, 15, b, 1), -EIO);         /* its cluster cannot be filled */
	d->close(d);
}

/* A limit on file size stands for a full disk: both stop the write in the middle. */
START_TEST(a_write_the_host_cannot_finish_is_an_error)
{
	struct rlimit limit = {10 * SECTOR_SIZE + 100, RLIM_INFINITY}, none;
	struct disk *d;

	make_file(20 * SECTOR_SIZE, 0);
	d = disk_open(path, false, err, sizeof(err));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &none);
	limit.rlim_max = none.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int in = d->write(d, 9, a, 1), across = d->write(d, 8, a, 8), past = d->write(d, 15, a, 1);

	setrlimit(RLIMIT_FSIZE, &none);
	ck_assert_int_eq(in, 0);
	ck_assert_int_eq(across, -EFBIG);
	ck_assert_int_eq(past, -EFBIG);
	d->close(d);
}

int main(void)
{
	Suite *s = suite_create("disk");
	TCase *tc = tcase_create("images");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_missing_file_is_refused, 0, 2);
	tcase_add_loop_test(tc, a_directory_is_refused, 0, 2);
	tcase_add_loop_test(tc, an_empty_file_is_refused, 0, 2);
	tcase_add_loop_test(tc, a_file_of_3_bytes_is_refused, 0, 2);
	tcase_add_loop_test(tc, a_fifo_is_refused_without_waiting, 0, 2);
	tcase_add_loop_test(tc, an_unreadable_file_is_refused, 0, 2);
	tcase_add_test(tc, a_read_only_file_wants_snapshot);
	tcase_add_test(tc, a_write_is_in_the_file_when_it_returns);
	tcase_add_loop_test(tc, sectors_outside_the_disk_are_refused, 0, 3);
	tcase_add_test(tc, a_snapshot_behaves_as_a_disk_and_leaves_the_file_alone);
	tcase_add_test(tc, a_memory_disk_is_as_large_as_a_drive_can_be);
	tcase_add_test(tc, two_writers_or_a_writer_and_a_snapshot_are_refused);
	tcase_add_loop_test(tc, a_file_cut_short_meanwhile_is_an_io_error, 0, 2);
	tcase_add_test(tc, a_write_the_host_cannot_finish_is_an_error);
	suite_add_tcase(s, tc);

	SRunner *runner = srunner_create(s);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
