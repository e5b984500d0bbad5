/* tests/emu/loader_test.c: kernels, good and broken, from files written by the test; where their bytes land in RAM. */
#include "emu/loader.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/multiboot.h"

#define TEXT_AT 0x100u                     /* offset of the only segment in the file */
#define TEXT_BYTES 0x40u
#define FILE_BYTES (TEXT_AT + TEXT_BYTES)
#define KERNEL_PA 0x200000u

static struct { Elf32_Ehdr eh; Elf32_Phdr ph; uint8_t rest[FILE_BYTES]; } image;
static uint8_t *const bytes = (uint8_t *)&image;
static char err[ERROR_LINE];
static struct kernel kernel;

static void put32(size_t at, uint32_t value) { memcpy(bytes + at, &value, 4); }

static void setup(void)
{
	memset(&image, 0, sizeof(image));
	memcpy(image.eh.e_ident, ELFMAG, SELFMAG);
	image.eh.e_ident[EI_CLASS] = ELFCLASS32;
	image.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	image.eh.e_ident[EI_VERSION] = EV_CURRENT;
	image.eh.e_type = ET_EXEC;
	image.eh.e_machine = EM_386;
	image.eh.e_version = EV_CURRENT;
	image.eh.e_entry = 0xc0000010;             /* a virtual address of the segment */
	image.eh.e_phoff = sizeof(image.eh);
	image.eh.e_ehsize = sizeof(image.eh);
	image.eh.e_phentsize = sizeof(image.ph);
	image.eh.e_phnum = 1;
	image.ph = (Elf32_Phdr){ .p_type = PT_LOAD, .p_offset = TEXT_AT, .p_vaddr = 0xc0000000, .p_paddr = KERNEL_PA,
		.p_filesz = TEXT_BYTES, .p_memsz = 0x3000 };
	for (unsigned i = 0; i < TEXT_BYTES; i++)
		bytes[TEXT_AT + i] = (uint8_t)(i + 1);
	put32(TEXT_AT, MULTIBOOT_HEADER_MAGIC);
	put32(TEXT_AT + 4, MULTIBOOT_ALIGN);
	put32(TEXT_AT + 8, -(MULTIBOOT_HEADER_MAGIC + MULTIBOOT_ALIGN));
}

static int open_bytes(size_t size)
{
	*err = 0;
	return kernel_from_memory(&kernel, "test.elf", bytes, size, err);
}

/* Refused with one line that names the file and says this. */
static void refused(size_t size, const char *says)
{
	ck_assert_int_eq(open_bytes(size), -1);
	ck_assert_msg(strstr(err, "test.elf") && strstr(err, says), "wanted '%s', got '%s'", says, err);
	ck_assert_ptr_null(strchr(err, '\n'));
}

START_TEST(a_good_kernel_opens_and_its_entry_is_physical)
{
	ck_assert_int_eq(open_bytes(FILE_BYTES), 0);
	ck_assert_uint_eq(kernel.segments, 1);
	ck_assert_uint_eq(kernel.entry, KERNEL_PA + 0x10);
	ck_assert_int_eq(kernel_check(&kernel, 4u << 20, err), 0);
	kernel_close(&kernel);
}
END_TEST

/* A copy in a block of exactly that size lets the sanitizer see a read beyond it. */
START_TEST(a_kernel_cut_at_any_byte_is_refused)
{
	for (size_t size = 1; size < FILE_BYTES; size++) {
		ck_assert_msg(open_bytes(size) == -1, "cut at %zu", size);
		ck_assert_ptr_nonnull(strstr(err, "test.elf"));
	}
	refused(FILE_BYTES - 1, "truncated");
	refused(20, "truncated");
}
END_TEST

START_TEST(a_kernel_for_another_machine_is_refused)
{
	image.eh.e_machine = EM_ARM;
	refused(FILE_BYTES, "another machine");
	image.eh.e_machine = EM_X86_64;
	image.eh.e_ident[EI_CLASS] = ELFCLASS64;
	refused(FILE_BYTES, "64-bit");
	image.eh.e_ident[EI_CLASS] = ELFCLASS32;
	image.eh.e_machine = EM_386;
	image.eh.e_ident[EI_DATA] = ELFDATA2MSB;
	refused(FILE_BYTES, "another machine");
}
END_TEST

START_TEST(headers_that_lie_are_refused)
{
	put32(TEXT_AT + 8, 0);
	refused(FILE_BYTES, "no Multiboot header");
	setup();
	put32(TEXT_AT + 4, 1u << 5);
	put32(TEXT_AT + 8, -(MULTIBOOT_HEADER_MAGIC + (1u << 5)));
	refused(FILE_BYTES, "features");
	setup();
	image.ph.p_filesz = 0x4000;
	refused(FILE_BYTES, "truncated");
	setup();
	image.ph.p_memsz = TEXT_BYTES - 1;
	refused(FILE_BYTES, "more bytes in the file");
	setup();
	image.ph.p_paddr = 0xffffff00;
	refused(FILE_BYTES, "4G");
	setup();
	image.eh.e_entry = 0x12345678;
	refused(FILE_BYTES, "entry point");
	setup();
	image.ph.p_type = PT_NOTE;
	refused(FILE_BYTES, "no segment");
	setup();
	image.eh.e_phnum = 2000;
	refused(FILE_BYTES, "truncated");
	setup();
	image.eh.e_type = ET_REL;
	refused(FILE_BYTES, "not an executable");
}
END_TEST

/* Any bytes at all: no crash, and an error or a kernel whose segments lie in the file. */
START_TEST(random_changes_never_break_the_loader)
{
	uint32_t seed = 12345;

	for (unsigned round = 0; round < 20000; round++) {
		setup();
		for (unsigned n = 0; n < 1 + round % 4; n++) {
			seed = seed * 1103515245 + 12345;
			bytes[(seed >> 8) % (round & 1 ? sizeof(image.eh) + sizeof(image.ph) : FILE_BYTES)] = (uint8_t)(seed >> 24);
		}
		if (open_bytes(FILE_BYTES)) {
			ck_assert(*err);
			continue;
		}
		for (unsigned i = 0; i < kernel.segments; i++)
			ck_assert_uint_le(kernel.segment[i].offset + kernel.segment[i].filled, FILE_BYTES);
		kernel_check(&kernel, 4u << 20, err);
		kernel_close(&kernel);
	}
}
END_TEST

START_TEST(a_segment_outside_memory_is_refused_and_named)
{
	static const uint32_t outside[] = { 0x3ffff000, 0x3fe000, 0x9f000, 0xa0000, 0xff000 };

	for (unsigned i = 0; i < 5; i++) {
		setup();
		image.ph.p_paddr = outside[i];
		ck_assert_int_eq(open_bytes(FILE_BYTES), 0);
		ck_assert_msg(kernel_check(&kernel, 4u << 20, err) == -1, "%08x", outside[i]);
		ck_assert_ptr_nonnull(strstr(err, "outside memory"));
		kernel_close(&kernel);
	}
}
END_TEST

START_TEST(the_address_fields_of_the_header_place_a_flat_kernel)
{
	uint32_t flags = MULTIBOOT_ADDRESSES;

	memset(bytes, 0, TEXT_AT);
	put32(TEXT_AT + 4, flags);
	put32(TEXT_AT + 8, -(MULTIBOOT_HEADER_MAGIC + flags));
	put32(TEXT_AT + 12, KERNEL_PA + 0x20);     /* where the header goes: 0x20 bytes of the file precede it */
	put32(TEXT_AT + 16, KERNEL_PA);
	put32(TEXT_AT + 20, 0);
	put32(TEXT_AT + 24, KERNEL_PA + 0x1000);
	put32(TEXT_AT + 28, KERNEL_PA + 0x30);
	ck_assert_int_eq(open_bytes(FILE_BYTES), 0);
	ck_assert_uint_eq(kernel.segment[0].offset, TEXT_AT - 0x20);
	ck_assert_uint_eq(kernel.segment[0].filled, TEXT_BYTES + 0x20);
	ck_assert_uint_eq(kernel.segment[0].size, 0x1000);
	ck_assert_uint_eq(kernel.entry, KERNEL_PA + 0x30);
	kernel_close(&kernel);
	put32(TEXT_AT + 16, KERNEL_PA - 0x1000);   /* ... 0x1020 bytes would have to */
	refused(FILE_BYTES, "before the file");
	put32(TEXT_AT + 16, KERNEL_PA);
	put32(TEXT_AT + 20, KERNEL_PA + 0x5000);
	refused(FILE_BYTES, "truncated");
}
END_TEST

START_TEST(segments_are_copied_and_zero_filled)
{
	struct phys phys;
	struct mmu mmu;
	struct cpu cpu;
	struct cpu_bus bus = { 0 };

	ck_assert_int_eq(phys_init(&phys, 4u << 20), 0);
	ck_assert_int_eq(mmu_init(&mmu, &phys, (struct tlb_geometry){ 0, 0 }), 0);
	ck_assert_int_eq(cpu_init(&cpu, &mmu, &bus), 0);
	ck_assert_int_eq(open_bytes(FILE_BYTES), 0);
	ck_assert_int_eq(kernel_set_command_line(&kernel, "root=hda1", err), 0);
	phys_write(&phys, KERNEL_PA + 0x2ffc, 4, 0xdeadbeef);
	ck_assert_int_eq(kernel_place(&kernel, &phys, &cpu, err), 0);
	ck_assert_uint_eq(phys_read(&phys, KERNEL_PA + 0x20, 1), 0x21);
	ck_assert_uint_eq(phys_read(&phys, KERNEL_PA + 0x2ffc, 4), 0);
	/* [Multiboot 3.2] */
	ck_assert_uint_eq(cpu.r[R_EAX], MULTIBOOT_LOADED_MAGIC);
	ck_assert_uint_eq(cpu.eip, KERNEL_PA + 0x10);
	ck_assert_uint_eq(cpu.cr0 & (CR0_PE | CR0_PG), CR0_PE);
	ck_assert_uint_eq(cpu_eflags(&cpu) & (F_IF | F_VM), 0);
	ck_assert_uint_eq(cpu.fpu.control, 0x37f);
	ck_assert_uint_eq(cpu.fpu.valid, 0);
	uint32_t info = cpu.r[R_EBX];
	ck_assert_uint_eq(phys_read(&phys, info + MBI_MEM_UPPER, 4), 3072);
	uint32_t line = phys_read(&phys, info + MBI_CMDLINE, 4);
	char text[10];
	phys_copy_out(&phys, line, text, 10);
	ck_assert_str_eq(text, "root=hda1");
	uint32_t map = phys_read(&phys, info + MBI_MMAP_ADDR, 4), length = phys_read(&phys, info + MBI_MMAP_LENGTH, 4);
	ck_assert_uint_eq(length, 4 * 24);
	ck_assert_uint_eq(phys_read(&phys, map + 3 * 24 + 4, 4), 0x100000);
	ck_assert_uint_eq(phys_read(&phys, map + 3 * 24 + 12, 4), 0x300000);
	kernel_close(&kernel);
	cpu_free(&cpu);
	mmu_free(&mmu);
	phys_free(&phys);
}
END_TEST

START_TEST(a_module_must_fit_behind_the_kernel)
{
	char path[] = "loader-test-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 2 << 20), 0);
	close(fd);
	ck_assert_int_eq(open_bytes(FILE_BYTES), 0);
	ck_assert_int_eq(kernel_add_module(&kernel, path, err), 0);
	ck_assert_int_eq(kernel_check(&kernel, 8u << 20, err), 0);
	ck_assert_int_eq(kernel_check(&kernel, 4u << 20, err), -1);
	ck_assert_ptr_nonnull(strstr(err, path));
	kernel_close(&kernel);
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loader");
	TCase *t = tcase_create("loader");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_good_kernel_opens_and_its_entry_is_physical);
	tcase_add_test(t, a_kernel_cut_at_any_byte_is_refused);
	tcase_add_test(t, a_kernel_for_another_machine_is_refused);
	tcase_add_test(t, headers_that_lie_are_refused);
	tcase_add_test(t, random_changes_never_break_the_loader);
	tcase_add_test(t, a_segment_outside_memory_is_refused_and_named);
	tcase_add_test(t, the_address_fields_of_the_header_place_a_flat_kernel);
	tcase_add_test(t, segments_are_copied_and_zero_filled);
	tcase_add_test(t, a_module_must_fit_behind_the_kernel);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
