/* tests/emu/pagoda_slices_test.c: Pagoda, paging and swapping in 4 MB, run whole and run in pieces of random length: the same state at
 * every million ticks. Whatever can depend on where a run was cut (blocks of instructions, interrupts, DMA, Accessed bits,
 * device deadlines) would show here. */
#include "emu/machine.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MILLION 1000000u
#ifdef __SANITIZE_ADDRESS__
#define FLAT_MILLIONS 12
#define MODELLED_MILLIONS 3
#else
#define FLAT_MILLIONS 400
#define MODELLED_MILLIONS 15
#endif

static char err[ERROR_LINE];
static const char script[] = "demo-cow | wc ; demo-swap\nls /bin | sort > /x ; cat /x /x | wc\nvmtest\n";

struct rig {
	struct kernel kernel;
	struct disk *disk;
	struct machine *m;
	const char *input;
	size_t printed;
};

static void put(void *owner, uint8_t byte)
{
	(void)byte;
	((struct rig *)owner)->printed++;
}

static int next(void *owner)
{
	struct rig *r = owner;

	return *r->input ? (unsigned char)*r->input++ : -1;
}

static void start(struct rig *r, struct tlb_geometry tlb)
{
	struct machine_config config = { .memory = 4u << 20, .tlb = tlb, .disk_name = { "pagoda.img" } };

	*r = (struct rig){ .input = script };
	ck_assert_msg(!kernel_open(&r->kernel, PAGODA_DIR "/pagoda.elf", err), "%s", err);
	r->disk = disk_open(PAGODA_DIR "/pagoda.img", true, err, sizeof(err));
	ck_assert_msg(r->disk, "%s", err);
	config.disk[0] = r->disk;
	config.kernel = &r->kernel;
	config.serial = config.debug = (struct char_out){ put, r };
	config.input = (struct input_source){ next, r };
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
}

static void end(struct rig *r)
{
	machine_free(r->m);
	kernel_close(&r->kernel);
	r->disk->close(r->disk);
}

/* Mostly long pieces, sometimes a stretch of very short ones. */
static uint64_t piece(unsigned *seed)
{
	unsigned kind = (unsigned)rand_r(seed) % 16, length = (unsigned)rand_r(seed);

	return 1 + (kind == 0 ? length % 40 : kind < 4 ? length % 3000 : length % 60000);
}

static void compare(struct tlb_geometry tlb, unsigned millions, unsigned seed)
{
	struct rig whole, cut;

	start(&whole, tlb);
	start(&cut, tlb);
	for (unsigned i = 1; i <= millions; i++) {
		ck_assert_int_eq(machine_run(whole.m, MILLION), MACHINE_RAN);
		for (uint64_t left = MILLION; left; ) {
			uint64_t n = piece(&seed);

			n = n < left ? n : left;
			ck_assert_int_eq(machine_run(cut.m, n), MACHINE_RAN);
			left -= n;
		}
		ck_assert_msg(machine_hash(whole.m) == machine_hash(cut.m), "state differs after %u million ticks", i);
	}
	ck_assert_uint_eq(whole.printed, cut.printed);
	ck_assert_uint_gt(whole.printed, 100);
	end(&whole);
	end(&cut);
}

START_TEST(pagoda_in_pieces_is_pagoda_whole)
{
	compare((struct tlb_geometry){ 0, 0 }, FLAT_MILLIONS, 1);
}
END_TEST

START_TEST(so_it_is_with_a_modelled_tlb)
{
	compare((struct tlb_geometry){ 64, 4 }, MODELLED_MILLIONS, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slices");
	TCase *t = tcase_create("slices");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_add_test(t, pagoda_in_pieces_is_pagoda_whole);
	tcase_add_test(t, so_it_is_with_a_modelled_tlb);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
