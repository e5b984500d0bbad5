/* tests/emu/device_fuzz_test.c: a guest that does anything to any device: random port and MMIO accesses of every size, with disk
 * transfers under way and time passing. Nothing may crash, hang or stop, and the same accesses must give the same machine, whatever
 * memory the host's allocator hands out. DEVICE_FUZZ_ACCESSES asks for more than the test run does. */
#include "emu/machine.h"

#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCESSES 300000u
#define DISK_SECTORS 2048u
#define VGA_WINDOW 0xa0000u

static uint64_t state;
static uint64_t printed;

static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % n;
}

/* Where devices answer; the windows of PCI devices move. */
static uint16_t some_port(void)
{
	static const struct { uint16_t first, count; } ranges[] = {
		{ 0x1f0, 8 }, { 0x1f0, 8 }, { 0x1f0, 8 }, { 0x170, 8 }, { 0x3f6, 1 }, { 0x20, 2 }, { 0xa0, 2 }, { 0x4d0, 2 }, { 0x40, 4 }, { 0x61, 1 },
		{ 0x70, 2 }, { 0x60, 5 }, { 0x92, 1 }, { 0xf0, 2 }, { 0x3f8, 8 }, { 0x3f8, 8 }, { 0x3b0, 48 }, { 0xcf8, 8 }, { 0x501, 2 }, { 0xe9, 1 }, { 0x600, 64 },
		{ 0xb004, 2 }, { 0x8900, 1 }, { 0xc000, 16 }, { 0xc000, 16 },
	};
	unsigned i = below(sizeof(ranges) / sizeof(ranges[0]) + 1);

	return i < sizeof(ranges) / sizeof(ranges[0]) ? (uint16_t)(ranges[i].first + below(ranges[i].count)) : (uint16_t)below(0x10000);
}

static void out(struct machine *m, uint16_t port, unsigned size, uint32_t value)
{
	m->cpu.bus.out(m, port, size, value);
}

/* A whole disk command, so that transfers get under way: descriptor table in RAM, registers, command, bus master. */
static void disk_command(struct machine *m)
{
	static const uint8_t commands[] = { 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x40, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xe7, 0xea, 0xec, 0xef, 0xf8, 0x91 };
	uint16_t base = below(2) ? 0x1f0 : 0x170;
	uint32_t table = below(0x8000) & ~3u;

	for (unsigned i = 0; i < 4; i++) {
		phys_write(&m->phys, table + 8 * i, 4, below(8) ? 0x10000 + (below(0x80000) & ~1u) : below(UINT32_MAX));
		phys_write(&m->phys, table + 8 * i + 4, 4, (below(8) ? 512 * (1 + below(8)) : below(0x10000)) | (below(3) ? 0 : 0x80000000u));
	}
	out(m, base + 6, 1, 0xe0 | (below(4) ? 0 : 0x10) | below(2));
	for (unsigned twice = 0; twice < 2; twice++)
		for (unsigned i = 2; i <= 5; i++)
			out(m, base + i, 1, below(4) ? below(8) : below(256));
	out(m, base + 7, 1, below(8) ? commands[below(sizeof(commands))] : below(256));
	uint16_t master = 0xc000 + (base == 0x170 ? 8 : 0);
	out(m, master + 4, 4, table);
	out(m, master, 1, below(16) ? 1 | (below(2) << 3) : below(256));
}

static void access_something(struct machine *m)
{
	unsigned size = 1u << below(3);
	paddr_t pa = below(8) ? VGA_WINDOW + below(0x20000) : below(UINT32_MAX);

	switch (below(10)) {
	case 0: case 1: case 2:
		m->cpu.bus.in(m, some_port(), size);
		break;
	case 3: case 4: case 5: case 6:
		out(m, some_port(), size, below(2) ? below(UINT32_MAX) : below(256));
		break;
	case 7:
		if (!below(4))
			disk_command(m);
		break;
	case 8:
		phys_write(&m->phys, pa, size, below(UINT32_MAX));
		phys_write(&m->phys, pa + 1, 1, below(256));
		break;
	default:
		phys_read(&m->phys, pa, size);
		if (!below(16))
			m->cpu.bus.acknowledge(m);
	}
}

/* Time passes; whatever ended the guest, it goes on. */
static void run_on(struct machine *m)
{
	static char err[ERROR_LINE];

	enum machine_stop stop = machine_run(m, below(64) ? below(3000) : below(1000000));
	m->want_power_off = m->want_debug_exit = false;
	if (stop == MACHINE_TRIPLE_FAULT || stop == MACHINE_HALTED_FOREVER)
		ck_assert_msg(!machine_reset(m, err), "%s", err);
}

static void count_byte(void *owner, uint8_t byte)
{
	(void)owner;
	printed = printed * 31 + byte;
}

static uint64_t one_run(uint64_t seed, unsigned accesses, int perturb)
{
	struct kernel kernel;
	struct machine_config config = { .memory = 4u << 20, .kernel = &kernel, .serial = { count_byte, NULL }, .debug = { count_byte, NULL } };
	char err[ERROR_LINE];

	mallopt(M_PERTURB, perturb);               /* new memory holds this */
	ck_assert_msg(!kernel_open(&kernel, GUEST_DIR "/spin.elf", err), "%s", err);
	for (unsigned i = 0; i < 2; i++) {
		config.disk[i] = disk_memory(DISK_SECTORS);
		config.disk_name[i] = "memory";
	}
	struct machine *m = machine_create(&config, err);
	ck_assert_msg(m, "%s", err);
	state = seed;
	printed = 0;
	for (unsigned i = 0; i < accesses; i++) {
		access_something(m);
		if (!below(32))
			run_on(m);
	}
	uint64_t hash = machine_hash(m) ^ printed;
	machine_free(m);
	kernel_close(&kernel);
	for (unsigned i = 0; i < 2; i++)
		config.disk[i]->close(config.disk[i]);
	return hash;
}

START_TEST(any_accesses_are_survived_and_give_the_same_machine_again)
{
	const char *asked = getenv("DEVICE_FUZZ_ACCESSES");
	unsigned accesses = asked ? (unsigned)strtoul(asked, NULL, 10) : ACCESSES;
	uint64_t seed = 88172645463325252ull + (unsigned)_i;

	uint64_t first = one_run(seed, accesses, 0x55), second = one_run(seed, accesses, 0xaa);
	ck_assert_msg(first == second, "seed %d: two runs differ", _i);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("device fuzz");
	TCase *t = tcase_create("accesses");
	SRunner *r = srunner_create(s);

	tcase_add_loop_test(t, any_accesses_are_survived_and_give_the_same_machine_again, 0, 2);
	tcase_set_timeout(t, 300);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
