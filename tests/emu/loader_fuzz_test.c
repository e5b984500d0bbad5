/* tests/emu/loader_fuzz_test.c: kernels with random damage. Whatever the bytes, they are refused with one line that names the file, or
 * every segment lies in the file and in RAM and the kernel is placed there. LOADER_FUZZ_CASES asks for more than the test run does. */
#include "emu/loader.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/multiboot.h"
#include "emu/symbols.h"
#include "tests/emu/linux_image.h"

#define CASES 24000u
#define RAM_BYTES (4u << 20)
#define FLAT_BYTES 256u

struct seed_file { uint8_t *data; size_t size; void (*damage)(struct seed_file *f); };

static struct phys phys;
static struct mmu mmu;
static struct cpu cpu;
static uint64_t state = 88172645463325252ull;

static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? (uint32_t)(state >> 20) % n : 0;
}

/* Numbers at which sums wrap and comparisons turn over. */
static uint32_t edge(void)
{
	static const uint32_t edges[] = { 0, 1, 3, 4, 31, 32, 52, 0xff, 0x1000, 0x8000, 0x9fc00, 0xa0000, 0x100000, RAM_BYTES - 1, RAM_BYTES,
		0x7fffffff, 0x80000000, 0xc0000000, 0xfffff000, 0xfffffffc, 0xffffffff };

	return edges[below(sizeof(edges) / sizeof(edges[0]))] + below(3) - 1;
}

static void put(struct seed_file *f, uint32_t at, uint32_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes && at + i < f->size; i++)
		f->data[at + i] = (uint8_t)(value >> 8 * i);
}

/* In a Linux image the header has a place of its own. */
static void damage_linux(struct seed_file *f)
{
	for (unsigned n = 1 + below(3); n; n--) {
		uint32_t width = 1u << below(4);
		uint32_t at = (LINUX_SETUP_SECTS + below(IMAGE_HEADER_END - LINUX_SETUP_SECTS)) & ~(width - 1);
		put(f, at, below(2) ? edge() : below(UINT32_MAX), width < 4 ? width : 4);
	}
	if (!below(5))
		f->size = below(2) ? below(0x280) : below((uint32_t)f->size);
}

/* The headers lie at the front and, in an ELF file, the sections at the back: most of the damage goes there. */
static void damage(struct seed_file *f)
{
	uint32_t size = (uint32_t)f->size;

	for (unsigned n = 1 + below(4); n; n--) {
		uint32_t width = 1u << below(3);
		uint32_t at = below(4) ? below(size < 160 ? size : 160) : below(size);
		if (!below(3))
			at = size - 1 - below(size < 640 ? size : 640);
		put(f, at & ~(width - 1), below(2) ? edge() : below(UINT32_MAX), width);
	}
	if (!below(5))
		f->size = below(size);
}

static void check_placed(const struct kernel *k)
{
	for (unsigned i = 0; i < k->segments; i++) {
		const struct kernel_segment *s = &k->segment[i];
		ck_assert_uint_le(s->filled, s->size);
		ck_assert_uint_le((uint64_t)s->offset + s->filled, k->file.size);
		ck_assert_uint_le((uint64_t)s->pa + s->size, RAM_BYTES);
	}
}

/* A copy in a block of exactly its size lets the sanitizer see a read beyond it. */
static void try(const struct seed_file *seed, unsigned number)
{
	struct seed_file f = { malloc(seed->size), seed->size, NULL };
	struct kernel k;
	struct symbols symbols;
	char err[ERROR_LINE] = "", name[64];

	memcpy(f.data, seed->data, seed->size);
	seed->damage(&f);
	int opened = kernel_from_memory(&k, "fuzz.elf", f.data, f.size, err);
	if (!opened && !kernel_place(&k, &phys, &cpu, err)) {
		check_placed(&k);
		symbols_load(&symbols, &k);
		symbols_name(&symbols, k.entry, name, sizeof(name));
		symbols_free(&symbols);
	} else {
		ck_assert_msg(strstr(err, "fuzz.elf") && !strchr(err, '\n'), "case %u: '%s'", number, err);
	}
	if (!opened)
		kernel_close(&k);
	free(f.data);
}

static struct seed_file read_seed(const char *path)
{
	struct host_file h;
	char err[ERROR_LINE];

	ck_assert_msg(!host_file_read(&h, path, "seed", err), "%s", err);
	struct seed_file f = { malloc(h.size), h.size, damage };
	memcpy(f.data, h.data, h.size);
	host_file_free(&h);
	return f;
}

/* The other kind: no ELF header, load addresses in the Multiboot header. */
static struct seed_file flat_seed(void)
{
	struct seed_file f = { calloc(1, FLAT_BYTES), FLAT_BYTES, damage };
	uint32_t flags = 1u << 16;
	const uint32_t header[] = { MULTIBOOT_HEADER_MAGIC, flags, -(MULTIBOOT_HEADER_MAGIC + flags), 0x100010, 0x100000, 0x100000 + FLAT_BYTES,
		0x101000, 0x100040 };

	memcpy(f.data + 16, header, sizeof(header));
	return f;
}

static struct seed_file linux_seed(void)
{
	struct seed_file f = { malloc(IMAGE_BYTES), IMAGE_BYTES, damage_linux };

	image_make(f.data);
	return f;
}

START_TEST(damaged_kernels_are_refused_or_lie_within_file_and_memory)
{
	struct seed_file seeds[] = { read_seed(GUEST_DIR "/triple.elf"), read_seed(GUEST_DIR "/poweroff.elf"), flat_seed(), linux_seed() };
	const unsigned count = sizeof(seeds) / sizeof(seeds[0]);
	const char *asked = getenv("LOADER_FUZZ_CASES");
	unsigned cases = asked ? (unsigned)strtoul(asked, NULL, 10) : CASES;
	struct cpu_bus bus = { 0 };

	ck_assert_int_eq(phys_init(&phys, RAM_BYTES), 0);
	ck_assert_int_eq(mmu_init(&mmu, &phys, (struct tlb_geometry){ 0, 0 }), 0);
	ck_assert_int_eq(cpu_init(&cpu, &mmu, &bus), 0);
	for (unsigned i = 0; i < cases; i++)
		try(&seeds[i % count], i);
	for (unsigned i = 0; i < count; i++)
		free(seeds[i].data);
	cpu_free(&cpu);
	mmu_free(&mmu);
	phys_free(&phys);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loader fuzz");
	TCase *t = tcase_create("damage");

	tcase_add_test(t, damaged_kernels_are_refused_or_lie_within_file_and_memory);
	tcase_set_timeout(t, 600);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
