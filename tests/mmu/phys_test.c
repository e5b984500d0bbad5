/* tests/mmu/phys_test.c: the physical address space: what is where, what is refused, and that no address escapes. */
#include "space.h"

#include <errno.h>

static struct phys phys;

#define SIZE (4u << 20)

static void setup(void)
{
	ck_assert_int_eq(phys_init(&phys, SIZE), 0);
}

static void teardown(void)
{
	phys_free(&phys);
}

/* --- a device that notes what it sees ---------------------------------------------------------------------------- */

#define DEVICE 0x000a0000u

struct probe {
	unsigned n;
	bool write[8];
	uint32_t offset[8], value[8];
	unsigned size[8];
};

static void note(struct probe *p, bool write, uint32_t offset, unsigned size, uint32_t value)
{
	ck_assert_uint_lt(p->n, 8);
	p->write[p->n] = write;
	p->offset[p->n] = offset;
	p->size[p->n] = size;
	p->value[p->n++] = value;
}

/* Each byte reads as the low bits of its offset, and the unused high bytes are dirt. */
static uint32_t probe_read(void *owner, uint32_t offset, unsigned size)
{
	note(owner, false, offset, size, 0);
	return (offset & 0xff) * 0x01010101u + 0x03020100u;
}

static void probe_write(void *owner, uint32_t offset, unsigned size, uint32_t value)
{
	note(owner, true, offset, size, value);
}

static const struct mmio_ops probe_ops = {probe_read, probe_write};
static const struct mmio_ops silent_ops = {NULL, NULL};

static void add_probe(struct probe *p)
{
	*p = (struct probe){0};
	ck_assert_int_eq(phys_add_mmio(&phys, "probe", DEVICE, 0x20000, &probe_ops, p, NULL), 0);
}

/* --- the map ------------------------------------------------------------------------------------------------------ */

START_TEST(the_map_is_the_pcs)
{
	const struct { paddr_t pa; enum phys_kind kind; } want[] = {
		{0, PHYS_RAM}, {0x9ffff, PHYS_RAM}, {0xa0000, PHYS_HOLE}, {0xbffff, PHYS_HOLE}, {0xc0000, PHYS_RAM},
		{0xfffff, PHYS_RAM}, {0x100000, PHYS_RAM}, {SIZE - 1, PHYS_RAM}, {SIZE, PHYS_HOLE},
		{0xffffffff, PHYS_HOLE}, {1ull << 32, PHYS_HOLE}, {~0ull, PHYS_HOLE},
	};
	const char *name;

	for (unsigned i = 0; i < sizeof(want) / sizeof(*want); i++)
		ck_assert_msg(phys_kind_of(&phys, want[i].pa, &name) == want[i].kind && name, "at %#llx: %s",
		              (unsigned long long)want[i].pa, name);
}
END_TEST

START_TEST(ram_sizes_out_of_bounds_are_refused)
{
	const uint64_t bad[] = {0, 4096, (1 << 20) - 4096, (1 << 20) + 1, PHYS_MAX_RAM + 4096, ~0ull & ~4095ull};
	struct phys p;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(phys_init(&p, bad[i]), -EINVAL);
	ck_assert_int_eq(phys_init(&p, 1 << 20), 0);
	ck_assert_int_eq(phys_kind_of(&p, 1 << 20, NULL), PHYS_HOLE);
	phys_free(&p);
	ck_assert_int_eq(phys_init(&p, PHYS_MAX_RAM), 0);
	phys_write(&p, PHYS_MAX_RAM - 4, 4, 0x12345678);
	ck_assert_uint_eq(phys_read(&p, PHYS_MAX_RAM - 2, 2), 0x1234);
	phys_free(&p);
}
END_TEST

START_TEST(ram_starts_as_zeros_and_a_byte_is_little_endian)
{
	ck_assert_uint_eq(phys_read(&phys, 0x1000, 4), 0);
	phys_write(&phys, 0x1001, 4, 0x44332211);
	ck_assert_uint_eq(phys_read(&phys, 0x1000, 4), 0x33221100);
	ck_assert_uint_eq(phys_read(&phys, 0x1004, 1), 0x44);
	ck_assert_uint_eq(phys_read(&phys, 0x1003, 2), 0x4433);
	ck_assert_uint_eq(phys.ram[0x1001], 0x11);
	phys_write(&phys, 0x1002, 1, 0xffffff99);
	ck_assert_uint_eq(phys_read(&phys, 0x1001, 4), 0x44339911);
}
END_TEST

START_TEST(overlaps_are_refused_by_name)
{
	static const uint8_t rom[0x2000];
	struct probe p;
	const char *clash = "unset";

	add_probe(&p);
	ck_assert_int_eq(phys_add_mmio(&phys, "b", DEVICE + 0x1f000, 0x2000, &probe_ops, &p, &clash), -EEXIST);
	ck_assert_str_eq(clash, "probe");
	ck_assert_int_eq(phys_add_rom(&phys, "bios", 0xfe000, rom, sizeof(rom), &clash), 0);
	ck_assert_ptr_null(clash);
	ck_assert_int_eq(phys_add_mmio(&phys, "c", 0xff000, 0x1000, &probe_ops, &p, &clash), -EEXIST);
	ck_assert_str_eq(clash, "bios");
	ck_assert_int_eq(phys_add_rom(&phys, "d", 0xfd000, rom, sizeof(rom), NULL), -EEXIST);
	ck_assert_int_eq(phys_kind_of(&phys, 0xfd000, NULL), PHYS_RAM);     /* a refusal changes nothing */
	ck_assert_int_eq(phys_add_rom(&phys, "d", 0xfc000, rom, sizeof(rom), NULL), 0);
}
END_TEST

START_TEST(ranges_that_are_no_ranges_are_refused)
{
	const struct { paddr_t start; uint64_t size; } bad[] = {
		{DEVICE, 0}, {DEVICE + 1, 4096}, {DEVICE, 4095}, {0xfffff000, 8192}, {1ull << 32, 4096}, {~4095ull, 8192}, {4096, ~4095ull},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(phys_add_mmio(&phys, "bad", bad[i].start, bad[i].size, &probe_ops, NULL, NULL), -EINVAL);
	ck_assert_int_eq(phys_add_mmio(&phys, "top", 0xfffff000, 4096, &silent_ops, NULL, NULL), 0);
}
END_TEST

START_TEST(the_table_of_ranges_can_be_full)
{
	unsigned added = 0;
	int err;

	while (!(err = phys_add_mmio(&phys, "one", 0xe0000000 + added * 4096, 4096, &silent_ops, NULL, NULL)))
		ck_assert_uint_lt(++added, PHYS_RANGES);
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_uint_ge(added, 50);
	ck_assert_int_eq(phys_kind_of(&phys, 0xe0000000 + added * 4096, NULL), PHYS_HOLE);
	ck_assert_int_eq(phys_kind_of(&phys, 0, NULL), PHYS_RAM);
}
END_TEST

/* --- holes, ROM, devices ------------------------------------------------------------------------------------------ */

START_TEST(holes_read_as_ones_and_lose_writes)
{
	const paddr_t hole[] = {0xa0000, SIZE, 0xfffffffc, 0xfffffffd, 0xffffffff, 1ull << 32, 1ull << 40, ~0ull, ~0ull - 3};

	for (unsigned i = 0; i < sizeof(hole) / sizeof(*hole); i++) {
		phys_write(&phys, hole[i], 4, 0x5a5a5a5a);
		ck_assert_uint_eq(phys_read(&phys, hole[i], 1), 0xff);
		ck_assert_uint_eq(phys_read(&phys, hole[i], 2), 0xffff);
		ck_assert_uint_eq(phys_peek32(&phys, hole[i]), 0xffffffff);
	}
	ck_assert_uint_eq(phys_read(&phys, 0, 4), 0);      /* none of them wrapped around */
}
END_TEST

START_TEST(an_access_may_straddle_ram_and_a_hole)
{
	phys_write(&phys, SIZE - 2, 4, 0x44332211);
	ck_assert_uint_eq(phys_read(&phys, SIZE - 2, 4), 0xffff2211);
	ck_assert_uint_eq(phys_read(&phys, SIZE - 1, 4), 0xffffff22);
	ck_assert_uint_eq(phys_peek32(&phys, SIZE - 1), 0xffffff22);
	phys_write(&phys, 0xbffff, 2, 0x5566);             /* hole, then shadow RAM */
	ck_assert_uint_eq(phys_read(&phys, 0xbffff, 2), 0x55ff);
	phys_write(&phys, 0x1ffd, 4, 0xddccbbaa);          /* two pages of RAM */
	ck_assert_uint_eq(phys_read(&phys, 0x1ffd, 4), 0xddccbbaa);
	ck_assert_uint_eq(phys.ram[0x2000], 0xdd);
}
END_TEST

START_TEST(rom_is_a_copy_that_cannot_be_written)
{
	uint8_t image[4096] = {0x11, 0x22, 0x33, 0x44};
	const uint8_t zero = 0;

	phys_write(&phys, 0xf0000, 4, 0x99999999);         /* shadow RAM gives way */
	ck_assert_int_eq(phys_add_rom(&phys, "bios", 0xf0000, image, sizeof(image), NULL), 0);
	image[0] = 0x77;
	phys_write(&phys, 0xf0000, 4, 0);
	phys_copy_in(&phys, 0xf0000, &zero, 1);
	ck_assert_uint_eq(phys_read(&phys, 0xf0000, 4), 0x44332211);
	ck_assert_uint_eq(phys_peek32(&phys, 0xf0000), 0x44332211);
	ck_assert_ptr_nonnull(phys_host(&phys, 0xf0000, 4096, false));
	ck_assert_ptr_null(phys_host(&phys, 0xf0000, 4, true));
	ck_assert_ptr_null(phys_host(&phys, 0xeffff, 2, false));   /* RAM and ROM are not neighbours in the host */
}
END_TEST

START_TEST(a_device_sees_aligned_pieces)
{
	struct probe p;

	add_probe(&p);
	ck_assert_uint_eq(phys_read(&phys, DEVICE + 4, 4), 0x07060504);
	ck_assert_uint_eq(phys_read(&phys, DEVICE + 4, 1), 0x04);
	ck_assert_uint_eq(p.n, 2);
	p.n = 0;
	ck_assert_uint_eq(phys_read(&phys, DEVICE + 1, 4), 0x04030201);
	ck_assert_uint_eq(p.n, 3);
	ck_assert_uint_eq(p.size[0], 1);
	ck_assert_uint_eq(p.size[1], 2);
	ck_assert_uint_eq(p.size[2], 1);
	ck_assert_uint_eq(p.offset[2], 4);
	p.n = 0;
	phys_write(&phys, DEVICE + 2, 4, 0x44332211);
	ck_assert_uint_eq(p.n, 2);
	ck_assert_uint_eq(p.value[0], 0x2211);
	ck_assert_uint_eq(p.value[1], 0x4433);
	ck_assert_uint_eq(p.offset[1], 4);
}
END_TEST

START_TEST(an_access_may_straddle_ram_and_a_device)
{
	struct probe p;

	add_probe(&p);
	phys_write(&phys, DEVICE - 2, 4, 0x44332211);
	ck_assert_uint_eq(p.n, 1);
	ck_assert_uint_eq(p.offset[0], 0);
	ck_assert_uint_eq(p.value[0], 0x4433);
	ck_assert_uint_eq(phys.ram[DEVICE - 1], 0x22);
	ck_assert_uint_eq(phys_read(&phys, DEVICE - 2, 4), 0x01002211);
}
END_TEST

START_TEST(page_tables_and_copies_touch_no_device)
{
	struct probe p;
	uint8_t buf[8192];

	add_probe(&p);
	ck_assert_uint_eq(phys_peek32(&phys, DEVICE), 0xffffffff);
	phys_copy_out(&phys, DEVICE - 4096, buf, sizeof(buf));
	phys_copy_in(&phys, DEVICE - 4096, buf, sizeof(buf));
	ck_assert_uint_eq(buf[4095], 0);
	ck_assert_uint_eq(buf[4096], 0xff);
	ck_assert_ptr_null(phys_host(&phys, DEVICE, 1, false));
	ck_assert_uint_eq(p.n, 0);
	ck_assert_int_eq(phys_add_mmio(&phys, "silent", 0xe0000000, 4096, &silent_ops, NULL, NULL), 0);
	phys_write(&phys, 0xe0000000, 4, 1);
	ck_assert_uint_eq(phys_read(&phys, 0xe0000000, 2), 0xffff);
}
END_TEST

/* --- host pointers, dirt and code ---------------------------------------------------------------------------------- */

START_TEST(a_host_range_must_be_ram_to_its_end)
{
	ck_assert_ptr_eq(phys_host(&phys, 0x100000 - 16, 32, true), phys.ram + 0x100000 - 16);
	ck_assert_ptr_nonnull(phys_host(&phys, SIZE - 4096, 4096, false));
	ck_assert_ptr_null(phys_host(&phys, SIZE - 4096, 4097, false));
	ck_assert_ptr_null(phys_host(&phys, 0x9fffe, 4, false));
	ck_assert_ptr_null(phys_host(&phys, 0x90000, 0x40000, false));      /* RAM at both ends, a hole between */
	ck_assert_ptr_null(phys_host(&phys, 0, ~(size_t)0, false));
	ck_assert_ptr_null(phys_host(&phys, 0x1000, ~(size_t)0 - 0x800, false));
	ck_assert_ptr_null(phys_host(&phys, 1ull << 40, 1, false));
	ck_assert_ptr_null(phys_host(&phys, SIZE, 0, false));
	ck_assert_ptr_eq(phys_host(&phys, 0x2000, 0, true), phys.ram + 0x2000);
}
END_TEST

static bool dirty(paddr_t pa)
{
	return phys.attr[pa >> 12] & PHYS_DIRTY;
}

START_TEST(every_way_of_writing_marks_the_page)
{
	const uint8_t bytes[0x1800] = {0};

	phys_host(&phys, 0x1000, 0x3000, false);
	phys_read(&phys, 0x1000, 4);
	ck_assert(!dirty(0x1000));
	phys_host(&phys, 0x1fff, 2, true);
	ck_assert(dirty(0x1000) && dirty(0x2000) && !dirty(0x3000));
	phys_write(&phys, 0x4fff, 2, 0);
	ck_assert(dirty(0x4000) && dirty(0x5000));
	phys_copy_in(&phys, 0x7800, bytes, sizeof(bytes));
	ck_assert(!dirty(0x6000) && dirty(0x7000) && dirty(0x8000) && !dirty(0x9000));
	phys_host(&phys, SIZE - 4096, 4097, true);         /* refused: nothing is marked */
	ck_assert(!dirty(SIZE - 4096));
}
END_TEST

struct stores {
	unsigned n, len;
	paddr_t pa;
	uint8_t seen;
};

static void code_written(void *owner, paddr_t pa, unsigned len)
{
	struct stores *s = owner;

	s->n++;
	s->pa = pa;
	s->len += len;
	s->seen = phys.ram[pa];
}

START_TEST(writes_to_code_are_told_after_the_bytes_are_stored)
{
	struct stores s = {0};
	const uint8_t bytes[0x1800] = {1};

	phys.code_written = code_written;
	phys.code_owner = &s;
	phys.attr[2] |= PHYS_CODE;
	phys_write(&phys, 0x2003, 4, 0x44332211);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_uint_eq(s.pa, 0x2003);
	ck_assert_uint_eq(s.len, 4);
	ck_assert_uint_eq(s.seen, 0x11);
	phys_write(&phys, 0x3000, 4, 0);
	ck_assert_uint_eq(s.n, 1);
	s = (struct stores){0};
	phys_write(&phys, 0x1fff, 4, 0x44332211);          /* the last three bytes are code */
	ck_assert_uint_ge(s.n, 1);
	ck_assert_uint_eq(s.len, 3);
	s = (struct stores){0};
	phys_copy_in(&phys, 0x1800, bytes, sizeof(bytes));
	ck_assert_uint_eq(s.n, 1);
	ck_assert_uint_eq(s.pa, 0x2000);
	ck_assert_uint_eq(s.len, 0x1000);
}
END_TEST

/* --- any address at all -------------------------------------------------------------------------------------------- */

START_TEST(no_address_and_length_escapes)
{
	uint32_t seed = 0x12345 + (uint32_t)_i;
	static uint8_t buf[3 * 4096];

	for (unsigned i = 0; i < 20000; i++) {
		static const paddr_t near[] = {0, 0xa0000, 0xc0000, 1 << 20, SIZE, 1ull << 32, 1ull << 40, 0x80000000};
		uint32_t r = next_random(&seed), len = next_random(&seed) % sizeof(buf);
		paddr_t pa = near[r & 7] + (r >> 8 & 0x3fff) - 0x2000;
		phys_copy_out(&phys, pa, buf, len);
		phys_copy_in(&phys, pa, buf, len);
		uint8_t *host = phys_host(&phys, pa, len, r & 64);
		if (host) {
			ck_assert(host >= phys.ram && host + len <= phys.ram + SIZE);
			ck_assert_ptr_eq(host, phys.ram + pa);
		}
		phys_write(&phys, pa, 1u << (r >> 3) % 3, r);
		uint32_t v = phys_read(&phys, pa, 4);
		ck_assert(pa < SIZE || v == 0xffffffff);
		ck_assert_uint_eq(v & 0xff, phys_read(&phys, pa, 1));
		ck_assert_uint_eq(v, phys_peek32(&phys, pa));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("physical memory");
	TCase *t = tcase_create("phys");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_map_is_the_pcs);
	tcase_add_test(t, ram_sizes_out_of_bounds_are_refused);
	tcase_add_test(t, ram_starts_as_zeros_and_a_byte_is_little_endian);
	tcase_add_test(t, overlaps_are_refused_by_name);
	tcase_add_test(t, ranges_that_are_no_ranges_are_refused);
	tcase_add_test(t, the_table_of_ranges_can_be_full);
	tcase_add_test(t, holes_read_as_ones_and_lose_writes);
	tcase_add_test(t, an_access_may_straddle_ram_and_a_hole);
	tcase_add_test(t, rom_is_a_copy_that_cannot_be_written);
	tcase_add_test(t, a_device_sees_aligned_pieces);
	tcase_add_test(t, an_access_may_straddle_ram_and_a_device);
	tcase_add_test(t, page_tables_and_copies_touch_no_device);
	tcase_add_test(t, a_host_range_must_be_ram_to_its_end);
	tcase_add_test(t, every_way_of_writing_marks_the_page);
	tcase_add_test(t, writes_to_code_are_told_after_the_bytes_are_stored);
	tcase_add_loop_test(t, no_address_and_length_escapes, 0, 4);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
