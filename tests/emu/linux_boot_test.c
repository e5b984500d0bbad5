/* tests/emu/linux_boot_test.c: Linux images, good and broken, and what a kernel finds at its 32-bit entry point. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/loader.h"
#include "tests/emu/linux_image.h"

#define MB (1u << 20)

static uint8_t image[IMAGE_BYTES];
static struct kernel kernel;
static struct phys phys;
static struct mmu mmu;
static struct cpu cpu;
static char err[ERROR_LINE];

static void setup(void) { image_make(image); }

static int open_bytes(size_t size)
{
	*err = 0;
	return kernel_from_memory(&kernel, "vmlinuz", image, size, err);
}

static void open_good(void) { ck_assert_msg(!open_bytes(IMAGE_BYTES), "%s", err); }

/* Refused with one line that names the file and says this. */
static void refused(size_t size, const char *says)
{
	ck_assert_int_eq(open_bytes(size), -1);
	ck_assert_msg(strstr(err, "'vmlinuz'") && strstr(err, says), "wanted '%s', got '%s'", says, err);
	ck_assert_ptr_null(strchr(err, '\n'));
	setup();
}

static void power(uint64_t ram)
{
	static const struct cpu_bus bus;

	ck_assert_int_eq(phys_init(&phys, ram), 0);
	ck_assert_int_eq(mmu_init(&mmu, &phys, (struct tlb_geometry){ 0, 0 }), 0);
	ck_assert_int_eq(cpu_init(&cpu, &mmu, &bus), 0);
}

static void unpower(void)
{
	cpu_free(&cpu);
	mmu_free(&mmu);
	phys_free(&phys);
	kernel_close(&kernel);
}

static uint32_t zero_page(uint32_t offset, unsigned size) { return phys_read(&phys, LINUX_BOOT_PARAMS + offset, size); }

/* A module of this many bytes, each of them value; the file is gone again when this returns. */
static void add_initrd(size_t size, int value)
{
	char path[] = "linux-boot-test-XXXXXX";
	int fd = mkstemp(path);
	uint8_t *bytes = malloc(size);

	ck_assert(fd >= 0 && bytes);
	memset(bytes, value, size);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_msg(!kernel_add_module(&kernel, path, err), "%s", err);
	close(fd);
	unlink(path);
	free(bytes);
}

START_TEST(a_linux_image_opens_as_one_segment_with_room_to_unpack)
{
	open_good();
	ck_assert_int_eq(kernel.kind, KERNEL_LINUX);
	ck_assert_uint_eq(kernel.entry, 0x100000);
	ck_assert_uint_eq(kernel.segments, 1);
	ck_assert_uint_eq(kernel.segment[0].offset, IMAGE_CODE);
	ck_assert_uint_eq(kernel.segment[0].filled, IMAGE_CODE_BYTES);
	ck_assert_uint_eq(kernel.segment[0].pa + kernel.segment[0].size, IMAGE_PREF + IMAGE_INIT);
	ck_assert_int_eq(kernel_check(&kernel, IMAGE_PREF + IMAGE_INIT, err), 0);
	ck_assert_int_eq(kernel_check(&kernel, IMAGE_PREF + IMAGE_INIT - 4096, err), -1);
	ck_assert_ptr_nonnull(strstr(err, "'vmlinuz'"));
	kernel_close(&kernel);
}
END_TEST

/* [LINUXBOOT "Details of Header Fields"]: a kernel that cannot be moved unpacks itself to pref_address, whatever kernel_alignment says;
 * before 2.10 nothing is known but the file. */
START_TEST(room_to_unpack_follows_the_protocol_version)
{
	image_put(image, LINUX_ALIGNMENT, 4 * MB, 4);
	open_good();
	ck_assert_uint_eq(kernel.segment[0].pa + kernel.segment[0].size, 4 * MB + IMAGE_INIT);
	kernel_close(&kernel);
	image_put(image, LINUX_RELOCATABLE, 0, 1);
	open_good();
	ck_assert_uint_eq(kernel.segment[0].pa + kernel.segment[0].size, IMAGE_PREF + IMAGE_INIT);
	kernel_close(&kernel);
	image_put(image, LINUX_VERSION, 0x0209, 2);
	open_good();
	ck_assert_uint_eq(kernel.segment[0].size, IMAGE_CODE_BYTES);
	kernel_close(&kernel);
}
END_TEST

START_TEST(fields_newer_than_the_protocol_are_not_read)
{
	image_put(image, LINUX_VERSION, 0x0202, 2);
	image_put(image, LINUX_SYSSIZE, 0xffffffff, 4);
	image_put(image, LINUX_XLOADFLAGS, LINUX_KERNEL_64, 2);
	image_put(image, LINUX_ALIGNMENT, 3, 4);
	open_good();
	ck_assert_uint_eq(kernel.setup.line_max, 255);
	ck_assert_uint_eq(kernel.setup.initrd_end, 0x38000000);
	ck_assert_uint_eq(kernel.segment[0].filled, IMAGE_CODE_BYTES);
	kernel_close(&kernel);
}
END_TEST

START_TEST(no_setup_sectors_means_four)
{
	image_put(image, LINUX_SETUP_SECTS, 0, 1);
	image_put(image, LINUX_SYSSIZE, 1, 4);
	open_good();
	ck_assert_uint_eq(kernel.segment[0].offset, 5 * 512);
	kernel_close(&kernel);
}
END_TEST

START_TEST(what_follows_the_code_is_not_loaded)
{
	image_put(image, LINUX_SYSSIZE, 0x80, 4);
	open_good();
	ck_assert_uint_eq(kernel.segment[0].filled, 0x800);
	kernel_close(&kernel);
}
END_TEST

/* A copy in a block of exactly that size lets the sanitizer see a read beyond it. */
START_TEST(an_image_cut_at_any_byte_is_refused)
{
	for (size_t size = 1; size < IMAGE_BYTES - 15; size++) {
		ck_assert_msg(open_bytes(size) == -1, "cut at %zu", size);
		ck_assert_ptr_nonnull(strstr(err, "'vmlinuz'"));
	}
	refused(LINUX_MAGIC + 4, "setup header is cut off");
	refused(0x260, "setup header is cut off");
	refused(IMAGE_CODE, "fills the file");
	refused(IMAGE_CODE + 1, "syssize");
}
END_TEST

START_TEST(headers_that_lie_or_ask_too_much_are_refused)
{
	image_put(image, LINUX_VERSION, 0x0201, 2);
	refused(IMAGE_BYTES, "protocol 2.01");
	image_put(image, LINUX_VERSION, 0x0300, 2);
	refused(IMAGE_BYTES, "protocol 3.00");
	image_put(image, LINUX_LOADFLAGS, 0, 1);
	refused(IMAGE_BYTES, "zImage");
	image_put(image, LINUX_XLOADFLAGS, 0x3f, 2);
	refused(IMAGE_BYTES, "64-bit");
	image_put(image, LINUX_JUMP, 0x20eb, 2);
	refused(IMAGE_BYTES, "jump");
	image_put(image, LINUX_JUMP, 0xffeb, 2);
	refused(IMAGE_BYTES, "jump");
	image_put(image, LINUX_JUMP, 0x6ae9, 2);
	refused(IMAGE_BYTES, "jump");
	image_put(image, LINUX_SETUP_SECTS, 0xff, 1);
	refused(IMAGE_BYTES, "255 sectors");
	image_put(image, LINUX_SYSSIZE, 0xffffffff, 4);
	refused(IMAGE_BYTES, "syssize");
	image_put(image, LINUX_ALIGNMENT, 0x300000, 4);
	refused(IMAGE_BYTES, "kernel_alignment");
	image_put(image, LINUX_ALIGNMENT, 0, 4);
	refused(IMAGE_BYTES, "kernel_alignment");
	image_put(image, LINUX_PREF_ADDRESS, UINT64_MAX - 4095, 8);
	refused(IMAGE_BYTES, "init_size");
	image_put(image, LINUX_INIT_SIZE, 0xffffffff, 4);
	refused(IMAGE_BYTES, "init_size");
}
END_TEST

START_TEST(the_command_line_has_the_kernels_own_limit)
{
	char line[IMAGE_LINE + 2];

	memset(line, 'x', sizeof(line));
	line[IMAGE_LINE + 1] = 0;
	open_good();
	ck_assert_int_eq(kernel_set_command_line(&kernel, line, err), -1);
	ck_assert_ptr_nonnull(strstr(err, "100 bytes"));
	line[IMAGE_LINE] = 0;
	ck_assert_int_eq(kernel_set_command_line(&kernel, line, err), 0);
	kernel_close(&kernel);
	image_put(image, LINUX_CMDLINE_SIZE, 0xffffffff, 4);
	open_good();
	ck_assert_uint_eq(kernel.setup.line_max, LINUX_LINE_LIMIT);
	kernel_close(&kernel);
}
END_TEST

static void assert_flat(unsigned seg, uint16_t selector, uint8_t access)
{
	ck_assert_uint_eq(cpu.seg[seg].selector, selector);
	ck_assert_uint_eq(cpu.seg[seg].base, 0);
	ck_assert_uint_eq(cpu.seg[seg].limit, 0xffffffff);
	ck_assert_uint_eq(cpu.seg[seg].access, access);
	/* The descriptor in memory says the same, for a kernel that loads the segment again. */
	uint32_t low = phys_read(&phys, cpu.gdtr.base + selector, 4), high = phys_read(&phys, cpu.gdtr.base + selector + 4, 4);
	ck_assert_uint_eq(low, 0x0000ffff);
	ck_assert_uint_eq(high, 0x00cf0000u | (uint32_t)access << 8);
}

/* [LINUXBOOT "32-bit Boot Protocol"] */
START_TEST(the_processor_is_as_the_entry_point_expects)
{
	power(16 * MB);
	open_good();
	cpu.r[R_EBX] = cpu.r[R_EBP] = cpu.r[R_EDI] = 0x1234;
	ck_assert_msg(!kernel_place(&kernel, &phys, &cpu, err), "%s", err);
	ck_assert_uint_eq(cpu.cr0 & (CR0_PE | CR0_PG), CR0_PE);
	ck_assert_uint_eq(cpu_eflags(&cpu) & (F_IF | F_VM), 0);
	ck_assert_uint_eq(cpu.fpu.control, 0x37f);
	ck_assert_uint_eq(cpu.fpu.valid, 0);
	ck_assert_uint_eq(cpu.eip, 0x100000);
	ck_assert_uint_eq(cpu.r[R_ESI], LINUX_BOOT_PARAMS);
	ck_assert_uint_eq(cpu.r[R_EBX] | cpu.r[R_EBP] | cpu.r[R_EDI], 0);
	ck_assert_uint_ge(cpu.gdtr.limit, 0x1f);
	assert_flat(SEG_CS, 0x10, 0x9b);
	assert_flat(SEG_DS, 0x18, 0x93);
	assert_flat(SEG_ES, 0x18, 0x93);
	assert_flat(SEG_SS, 0x18, 0x93);
	for (unsigned i = 0; i < IMAGE_CODE_BYTES; i++)
		ck_assert_uint_eq(phys_read(&phys, 0x100000 + i, 1), (uint8_t)(i * 7 + 1));
	unpower();
}
END_TEST

START_TEST(boot_params_hold_the_header_the_screen_and_the_line)
{
	char line[32];

	power(16 * MB);
	phys_write(&phys, LINUX_BOOT_PARAMS + 0x1ef, 1, 0xff);     /* the sentinel, which must be zero */
	open_good();
	ck_assert_int_eq(kernel_set_command_line(&kernel, "console=ttyS0 quiet", err), 0);
	ck_assert_msg(!kernel_place(&kernel, &phys, &cpu, err), "%s", err);
	ck_assert_uint_eq(zero_page(0x1ef, 1), 0);
	for (uint32_t at = LINUX_SETUP_SECTS; at < IMAGE_HEADER_END; at++)
		if (at != LINUX_LOADER_TYPE && (at < LINUX_CMD_LINE_PTR || at >= LINUX_CMD_LINE_PTR + 4))
			ck_assert_msg(zero_page(at, 1) == image[at], "byte %x of the header", at);
	ck_assert_uint_eq(zero_page(LINUX_LOADER_TYPE, 1), 0xff);
	phys_copy_out(&phys, zero_page(LINUX_CMD_LINE_PTR, 4), line, sizeof(line));
	ck_assert_str_eq(line, "console=ttyS0 quiet");
	ck_assert_uint_eq(zero_page(BP_VIDEO_COLS, 1), 80);
	ck_assert_uint_eq(zero_page(BP_VIDEO_LINES, 1), 25);
	ck_assert_uint_eq(zero_page(BP_VIDEO_MODE, 1), 3);
	ck_assert_uint_eq(zero_page(BP_VIDEO_IS_VGA, 1), 1);
	ck_assert_uint_eq(zero_page(BP_VIDEO_POINTS, 2), 16);
	ck_assert_uint_eq(zero_page(LINUX_RAMDISK_IMAGE, 4) | zero_page(LINUX_RAMDISK_SIZE, 4), 0);
	unpower();
}
END_TEST

/* Every byte the map calls usable is RAM, all RAM from 1 MB up is in it, and the ranges neither overlap nor go back. */
START_TEST(the_memory_map_is_the_memory)
{
	static const uint64_t sizes[] = { 4ull * MB, 96ull * MB, 256ull * MB, 3072ull * MB };
	uint64_t ram = sizes[_i], last = 0, high = 0;

	power(ram);
	open_good();
	ck_assert_msg(!kernel_place(&kernel, &phys, &cpu, err), "%s", err);
	unsigned count = zero_page(BP_E820_ENTRIES, 1);
	ck_assert_uint_gt(count, 0);
	for (unsigned i = 0; i < count; i++) {
		uint32_t at = BP_E820_TABLE + 20 * i, type = zero_page(at + 16, 4);
		uint64_t start = zero_page(at, 4) | (uint64_t)zero_page(at + 4, 4) << 32;
		uint64_t end = start + (zero_page(at + 8, 4) | (uint64_t)zero_page(at + 12, 4) << 32);
		ck_assert_uint_ge(start, last);
		ck_assert_uint_gt(end, start);
		last = end;
		ck_assert(type == 1 || type == 2);
		if (type != 1)
			continue;
		for (uint64_t pa = start & ~0xfffull; pa < end; pa += 4096)
			ck_assert_int_eq(phys_kind_of(&phys, pa, NULL), PHYS_RAM);
		if (start == MB)
			high = end;
		else
			ck_assert_uint_le(end, 0xa0000);
	}
	ck_assert_uint_eq(high, ram);
	ck_assert_uint_eq(zero_page(BP_ALT_MEM_K, 4), (ram - MB) / 1024);
	unpower();
}
END_TEST

START_TEST(initrds_lie_end_to_end_at_the_top_of_memory)
{
	power(16 * MB);
	open_good();
	add_initrd(5001, 'a');
	add_initrd(3, 'b');
	ck_assert_msg(!kernel_place(&kernel, &phys, &cpu, err), "%s", err);
	uint32_t pa = zero_page(LINUX_RAMDISK_IMAGE, 4), size = zero_page(LINUX_RAMDISK_SIZE, 4);
	ck_assert_uint_eq(size, 5004 + 3);
	ck_assert_uint_eq(pa, (16 * MB - size) & ~0xfffu);
	ck_assert_uint_eq(phys_read(&phys, pa, 4), 0x61616161);
	ck_assert_uint_eq(phys_read(&phys, pa + 5000, 4), 0x61);
	ck_assert_uint_eq(phys_read(&phys, pa + 5004, 4), 0x00626262);
	unpower();
}
END_TEST

START_TEST(an_initrd_stays_below_what_the_kernel_can_reach)
{
	power(64 * MB);
	image_put(image, LINUX_INITRD_MAX, 32 * MB - 1, 4);
	open_good();
	add_initrd(4096, 'a');
	ck_assert_msg(!kernel_place(&kernel, &phys, &cpu, err), "%s", err);
	ck_assert_uint_eq(zero_page(LINUX_RAMDISK_IMAGE, 4), 32 * MB - 4096);
	unpower();
}
END_TEST

START_TEST(an_initrd_that_does_not_fit_above_the_kernel_is_refused)
{
	uint64_t end = IMAGE_PREF + IMAGE_INIT;

	open_good();
	add_initrd(8000, 'a');
	ck_assert_int_eq(kernel_check(&kernel, end + 8192, err), 0);
	ck_assert_int_eq(kernel_check(&kernel, end + 4096, err), -1);
	ck_assert_msg(strstr(err, "initrd 'linux-boot-test-") && strstr(err, "does not fit"), "%s", err);
	kernel_close(&kernel);
	image_put(image, LINUX_INITRD_MAX, 0xfff, 4);
	open_good();
	add_initrd(8000, 'a');
	ck_assert_int_eq(kernel_check(&kernel, 64 * MB, err), -1);
	kernel_close(&kernel);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("Linux boot");
	TCase *t = tcase_create("Linux boot");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_linux_image_opens_as_one_segment_with_room_to_unpack);
	tcase_add_test(t, room_to_unpack_follows_the_protocol_version);
	tcase_add_test(t, fields_newer_than_the_protocol_are_not_read);
	tcase_add_test(t, no_setup_sectors_means_four);
	tcase_add_test(t, what_follows_the_code_is_not_loaded);
	tcase_add_test(t, an_image_cut_at_any_byte_is_refused);
	tcase_add_test(t, headers_that_lie_or_ask_too_much_are_refused);
	tcase_add_test(t, the_command_line_has_the_kernels_own_limit);
	tcase_add_test(t, the_processor_is_as_the_entry_point_expects);
	tcase_add_test(t, boot_params_hold_the_header_the_screen_and_the_line);
	tcase_add_loop_test(t, the_memory_map_is_the_memory, 0, 4);
	tcase_add_test(t, initrds_lie_end_to_end_at_the_top_of_memory);
	tcase_add_test(t, an_initrd_stays_below_what_the_kernel_can_reach);
	tcase_add_test(t, an_initrd_that_does_not_fit_above_the_kernel_is_refused);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
