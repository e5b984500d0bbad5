/* tests/devices/pci_test.c: configuration space through ports CF8-CFF, and the windows that follow it. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/pci.h"

/* A device of 16 or 64 ports that answers with its offset. */
struct stub {
	struct device dev;
	uint16_t last_offset;
	uint32_t last_value;
};

static uint32_t stub_read(struct device *dev, uint16_t offset, unsigned size)
{
	(void)dev;
	(void)size;
	return offset;
}

static void stub_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	struct stub *s = (struct stub *)dev;

	(void)size;
	s->last_offset = offset;
	s->last_value = value;
}

static const struct device_ops stub_ops = {.name = "stub", .io_read = stub_read, .io_write = stub_write};

static struct ports ports;
static struct pci pci;
static struct stub first = {.dev.ops = &stub_ops}, second = {.dev.ops = &stub_ops}, pm = {.dev.ops = &stub_ops};
static struct device_log log_sink;
static unsigned logged, resets;
static char last_log[200];

static void sink(void *owner, enum log_level level, const char *device, const char *text)
{
	(void)owner;
	(void)level;
	(void)device;
	logged++;
	strncpy(last_log, text, sizeof(last_log) - 1);
}

static void reset_wire(void *owner, unsigned line, int level)
{
	(void)owner;
	(void)line;
	resets += level;
}

static void setup(void)
{
	const char *clash;

	logged = resets = 0;
	log_sink.write = sink;
	ports_init(&ports);
	pci_init(&pci, &ports, &log_sink);
	pci.reset_line.set = reset_wire;
	ck_assert_int_eq(ports_add(&ports, &pci.dev, PCI_PORT_BASE, PCI_PORT_COUNT, 0, &clash), 0);
	ck_assert_int_eq(pci_attach(&pci, PCI_WINDOW_IDE, &first.dev, 0, 8, 16), 0);
	ck_assert_int_eq(pci_attach(&pci, PCI_WINDOW_IDE, &second.dev, 8, 8, 16), 0);
	ck_assert_int_eq(pci_attach(&pci, PCI_WINDOW_PM, &pm.dev, 0, 64, 0), 0);
}

static void teardown(void)
{
}

#define FN(device, function) ((device) << 11 | (function) << 8)
#define HOST FN(0, 0)
#define ISA  FN(1, 0)
#define IDE  FN(1, 1)
#define PM   FN(1, 3)

static uint32_t config_in(unsigned fn, unsigned reg, unsigned size)
{
	ports_write(&ports, 0xcf8, 4, 0x80000000u | fn | (reg & 0xfc));
	return ports_read(&ports, 0xcfc + (reg & 3), size);
}

static void config_out(unsigned fn, unsigned reg, unsigned size, uint32_t value)
{
	ports_write(&ports, 0xcf8, 4, 0x80000000u | fn | (reg & 0xfc));
	ports_write(&ports, 0xcfc + (reg & 3), size, value);
}

START_TEST(the_four_functions_have_their_ids_and_classes)
{
	static const struct { unsigned fn; uint32_t id, class; } rows[] = {
		{HOST, 0x12378086, 0x060000}, {ISA, 0x70008086, 0x060100}, {IDE, 0x70108086, 0x010180}, {PM, 0x71138086, 0x068000},
	};

	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(config_in(rows[i].fn, 0, 4), rows[i].id);
		ck_assert_uint_eq(config_in(rows[i].fn, 0, 2), 0x8086);
		ck_assert_uint_eq(config_in(rows[i].fn, 3, 1), rows[i].id >> 24);
		ck_assert_uint_eq(config_in(rows[i].fn, 8, 4) >> 8, rows[i].class);
	}
	ck_assert_uint_eq(config_in(ISA, 0x0e, 1), 0x80);      /* more functions */
	ck_assert_uint_eq(config_in(IDE, 0x0e, 1), 0);
}

START_TEST(all_other_functions_read_as_ones_and_swallow_writes)
{
	for (unsigned bdf = 0; bdf < 0x10000; bdf++) {
		bool there = bdf == 0 || bdf == 8 || bdf == 9 || bdf == 11;

		ports_write(&ports, 0xcf8, 4, 0x80000000u | bdf << 8);
		if ((ports_read(&ports, 0xcfc, 4) == 0xffffffff) == there)
			ck_abort_msg("bus/device/function %04x", bdf);
	}
	config_out(FN(2, 0), 4, 2, 5);
	ck_assert_uint_eq(config_in(FN(2, 0), 4, 2), 0xffff);
}

START_TEST(without_the_enable_bit_nothing_answers)
{
	ports_write(&ports, 0xcf8, 4, HOST);
	ck_assert_uint_eq(ports_read(&ports, 0xcfc, 4), 0xffffffff);
	ports_write(&ports, 0xcf8, 4, ISA | 0x60);
	ports_write(&ports, 0xcfc, 1, 0x05);
	ck_assert_uint_eq(config_in(ISA, 0x60, 1), 0x80);
}

START_TEST(the_address_register_is_a_doubleword_only)
{
	ports_write(&ports, 0xcf8, 4, 0xffffffff);
	ck_assert_uint_eq(ports_read(&ports, 0xcf8, 4), 0x80fffffc);
	ports_write(&ports, 0xcf8, 2, 0);
	ports_write(&ports, 0xcfb, 1, 0);
	ck_assert_uint_eq(ports_read(&ports, 0xcf8, 4), 0x80fffffc);
	ck_assert_uint_eq(ports_read(&ports, 0xcf8, 1), 0xff);
}

START_TEST(read_only_bits_stay)
{
	static const unsigned fns[] = {HOST, ISA, IDE, PM};
	unsigned fn = fns[_i];
	uint32_t id = config_in(fn, 0, 4), class = config_in(fn, 8, 4), status = config_in(fn, 6, 2);

	for (unsigned reg = 0; reg < 256; reg += 4)
		config_out(fn, reg, 4, 0xffffffff);
	ck_assert_uint_eq(config_in(fn, 0, 4), id);
	ck_assert_uint_eq(config_in(fn, 8, 4), class);
	ck_assert_uint_eq(config_in(fn, 6, 2), status);
	ck_assert_uint_eq(config_in(fn, 0x10, 4), 0);          /* no BAR0 */
	ck_assert_uint_eq(config_in(fn, 0x30, 4), 0);          /* no ROM */
	pci_ops.reset(&pci.dev);
	ck_assert_uint_eq(config_in(fn, 4, 2), fn == HOST ? 6 : fn == ISA ? 7 : 0);
}

START_TEST(registers_are_written_by_byte_word_and_doubleword)
{
	config_out(ISA, 0x60, 4, 0x04030201);
	ck_assert_uint_eq(config_in(ISA, 0x60, 4), 0x04030201);
	config_out(ISA, 0x62, 2, 0x8b0a);
	ck_assert_uint_eq(config_in(ISA, 0x60, 4), 0x8b0a0201);
	config_out(ISA, 0x61, 1, 0xff);
	ck_assert_uint_eq(config_in(ISA, 0x60, 4), 0x8b0a8f01);
	ck_assert_uint_eq(config_in(ISA, 0x61, 1), 0x8f);
}

START_TEST(sizing_bar4_finds_16_ports)
{
	config_out(IDE, 0x20, 4, 0xffffffff);
	ck_assert_uint_eq(config_in(IDE, 0x20, 4), 0xfffffff1);
	config_out(IDE, 0x20, 4, 0xd000);
	ck_assert_uint_eq(config_in(IDE, 0x20, 4), 0xd001);
}

START_TEST(the_bus_master_ports_follow_bar4_and_the_command_register)
{
	ck_assert_uint_eq(ports_read(&ports, 0xd000, 1), 0xff);
	config_out(IDE, 0x20, 4, 0xd000);
	ck_assert_uint_eq(ports_read(&ports, 0xd000, 1), 0xff);
	config_out(IDE, 4, 2, 1);
	ck_assert_uint_eq(ports_read(&ports, 0xd002, 1), 18);
	ck_assert_uint_eq(ports_read(&ports, 0xd00a, 1), 18);
	ports_write(&ports, 0xd00c, 4, 0x1234);
	ck_assert_uint_eq(second.last_offset, 20);
	ck_assert_uint_eq(second.last_value, 0x1234);
	ck_assert_uint_eq(ports_read(&ports, 0xd010, 1), 0xff);
	config_out(IDE, 0x20, 4, 0xe000);
	ck_assert_uint_eq(ports_read(&ports, 0xd002, 1), 0xff);
	ck_assert_uint_eq(ports_read(&ports, 0xe002, 1), 18);
	config_out(IDE, 4, 2, 0);
	ck_assert_uint_eq(ports_read(&ports, 0xe002, 1), 0xff);
	config_out(IDE, 4, 2, 5);
	config_out(IDE, 0x20, 4, 0xffffffff);                  /* while a BAR is sized its ports are nowhere */
	ck_assert_uint_eq(ports_read(&ports, 0xe002, 1), 0xff);
	ck_assert_uint_eq(ports_read(&ports, 0xfff2, 1), 0xff);
	config_out(IDE, 0x20, 4, 0xfff0);
	ck_assert_uint_eq(ports_read(&ports, 0xfffa, 1), 18);
}

START_TEST(a_window_over_other_ports_is_not_mapped_at_all)
{
	config_out(IDE, 4, 2, 1);
	config_out(IDE, 0x20, 4, 0x0cf0);                      /* its second half is our own ports */
	ck_assert_uint_eq(ports_read(&ports, 0xcf2, 1), 0xff);
	ck_assert_uint_ge(logged, 1);
	ck_assert_ptr_nonnull(strstr(last_log, "pci"));
	config_out(IDE, 0x20, 4, 0xc000);
	ck_assert_uint_eq(ports_read(&ports, 0xc002, 1), 18);
	ck_assert_uint_eq(config_in(HOST, 0, 4), 0x12378086);
}

START_TEST(power_management_ports_follow_pmba_and_pmregmisc)
{
	config_out(PM, 0x40, 4, 0xb000);
	ck_assert_uint_eq(config_in(PM, 0x40, 4), 0xb001);
	ck_assert_uint_eq(ports_read(&ports, 0xb004, 2), 0xffff);
	config_out(PM, 0x80, 1, 1);
	ck_assert_uint_eq(ports_read(&ports, 0xb004, 2), 4);
	config_out(PM, 0x40, 4, 0x4000);
	ck_assert_uint_eq(ports_read(&ports, 0xb004, 2), 0xffff);
	ck_assert_uint_eq(ports_read(&ports, 0x403f, 1), 63);
}

START_TEST(firmware_setup_puts_everything_in_place_and_reset_takes_it_away)
{
	pci_firmware_setup(&pci);
	ck_assert_uint_eq(config_in(IDE, 0x20, 4), 0xc001);
	ck_assert_uint_eq(config_in(IDE, 4, 2), 5);
	ck_assert_uint_eq(ports_read(&ports, 0xc002, 1), 18);
	ck_assert_uint_eq(ports_read(&ports, 0x604, 1), 4);
	ck_assert_uint_eq(config_in(PM, 0x3c, 2), 0x0109);
	pci_ops.reset(&pci.dev);
	ck_assert_uint_eq(ports_read(&ports, 0xc002, 1), 0xff);
	ck_assert_uint_eq(ports_read(&ports, 0x604, 1), 0xff);
	ck_assert_uint_eq(ports_read(&ports, 0xcf8, 4), 0);
}

START_TEST(port_cf9_resets_when_bit_2_rises)
{
	ports_write(&ports, 0xcf9, 1, 0x02);
	ck_assert_uint_eq(resets, 0);
	ports_write(&ports, 0xcf9, 1, 0x06);
	ck_assert_uint_eq(resets, 1);
	ports_write(&ports, 0xcf9, 1, 0x06);
	ck_assert_uint_eq(resets, 1);
	ck_assert_uint_eq(ports_read(&ports, 0xcf9, 1), 6);
}

START_TEST(a_window_takes_no_more_parts_than_it_has)
{
	ck_assert_int_eq(pci_attach(&pci, PCI_WINDOW_IDE, &pm.dev, 0, 1, 0), -ENOSPC);
}

static size_t copy_state(uint8_t *bytes, bool load)
{
	size_t at = 0;

	for (const struct reg_desc *r = pci_ops.regs; r->name; r++) {
		uint8_t *field = (uint8_t *)&pci + r->offset;
		size_t n = (size_t)r->bytes * r->count;

		memcpy(load ? field : bytes + at, load ? bytes + at : field, n);
		at += n;
	}
	return at;
}

START_TEST(a_loaded_state_puts_the_windows_back)
{
	static uint8_t state[sizeof(struct pci)];

	config_out(IDE, 4, 2, 1);
	config_out(IDE, 0x20, 4, 0xd000);
	ports_write(&ports, 0xcf8, 4, 0x80000900);
	copy_state(state, false);
	pci_ops.reset(&pci.dev);
	ck_assert_uint_eq(ports_read(&ports, 0xd002, 1), 0xff);
	copy_state(state, true);
	pci_ops.restored(&pci.dev);
	ck_assert_uint_eq(ports_read(&ports, 0xd002, 1), 18);
	ck_assert_uint_eq(ports_read(&ports, 0xcfc, 4), 0x70108086);
}

START_TEST(a_loaded_state_cannot_change_what_is_read_only)
{
	memset(pci.config, 0xff, sizeof(pci.config));
	pci.address = 0xffffffff;
	pci_ops.restored(&pci.dev);
	ck_assert_uint_eq(ports_read(&ports, 0xcf8, 4), 0x80fffffc);
	ck_assert_uint_eq(config_in(IDE, 0, 4), 0x70108086);
	ck_assert_uint_eq(config_in(IDE, 0x20, 4), 0xfffffff1);
	ck_assert_uint_eq(config_in(IDE, 0x10, 4), 0);
}

START_TEST(random_traffic_leaves_the_functions_what_they_are)
{
	uint32_t x = 99 + _i;

	for (unsigned i = 0; i < 150000; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		unsigned size = 1 << x % 3, port = 0xcf8 + (x >> 4) % 8;

		if (x & 8)
			ports_write(&ports, 0xcf8, 4, 0x80000000u | (x >> 8 & 0x1ffc));
		if (x & 0x80)
			ports_write(&ports, port, size > 1 && port == 0xcff ? 1 : size, x * 2654435761u);
		else
			ports_read(&ports, port, size);
	}
	ck_assert_uint_eq(config_in(IDE, 0, 4), 0x70108086);
	pci_ops.reset(&pci.dev);
	pci_firmware_setup(&pci);
	ck_assert_uint_eq(ports_read(&ports, 0xc00a, 1), 18);
	for (unsigned port = 0; port < 0x10000; port++) {
		bool ours = (port >= 0xcf8 && port < 0xd00) || (port >= 0xc000 && port < 0xc010) || (port >= 0x600 && port < 0x640);

		if (!ports.owner[port] == ours)
			ck_abort_msg("port %04x", port);
	}
}

int main(void)
{
	Suite *s = suite_create("pci");
	TCase *tc = tcase_create("ports");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_four_functions_have_their_ids_and_classes);
	tcase_add_test(tc, all_other_functions_read_as_ones_and_swallow_writes);
	tcase_add_test(tc, without_the_enable_bit_nothing_answers);
	tcase_add_test(tc, the_address_register_is_a_doubleword_only);
	tcase_add_loop_test(tc, read_only_bits_stay, 0, 4);
	tcase_add_test(tc, registers_are_written_by_byte_word_and_doubleword);
	tcase_add_test(tc, sizing_bar4_finds_16_ports);
	tcase_add_test(tc, the_bus_master_ports_follow_bar4_and_the_command_register);
	tcase_add_test(tc, a_window_over_other_ports_is_not_mapped_at_all);
	tcase_add_test(tc, power_management_ports_follow_pmba_and_pmregmisc);
	tcase_add_test(tc, firmware_setup_puts_everything_in_place_and_reset_takes_it_away);
	tcase_add_test(tc, port_cf9_resets_when_bit_2_rises);
	tcase_add_test(tc, a_window_takes_no_more_parts_than_it_has);
	tcase_add_test(tc, a_loaded_state_puts_the_windows_back);
	tcase_add_test(tc, a_loaded_state_cannot_change_what_is_read_only);
	tcase_add_loop_test(tc, random_traffic_leaves_the_functions_what_they_are, 0, 3);
	suite_add_tcase(s, tc);

	SRunner *runner = srunner_create(s);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
