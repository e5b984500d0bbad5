/* demo-demand: pages arrive when they are first touched, not before.
 *
 * The program carries 16 pages of constants in its file and 16 pages of bss. It touches some of them, and after each
 * touch asks the kernel what is there and how many faults there have been. Pages beside one that is used may be mapped along with it
 * (see demo-prefetch); so the program starts itself again with that switched off. */
#include <demo.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 16
#define AT(array, page) ((array) + (page) * PAGE_SIZE)

static const char constants[PAGES * PAGE_SIZE] __attribute__((aligned(4096))) = {
	[3 * PAGE_SIZE] = 'd', [7 * PAGE_SIZE] = 'i', [11 * PAGE_SIZE] = 's', [15 * PAGE_SIZE] = 'k'};
static char zeroes[PAGES * PAGE_SIZE] __attribute__((aligned(4096)));

static int present(const volatile char *array)
{
	int n = 0;

	for (int i = 0; i < PAGES; i++)
		n += demo_page(AT(array, i)).present;
	return n;
}

static void show(const char *name, const volatile char *array)
{
	printf("   %-9s ", name);
	for (int i = 0; i < PAGES; i++)
		putchar(demo_page(AT(array, i)).present ? '#' : '.');
	printf("  %d of %d pages present\n", present(array), PAGES);
}

static void show_both(void)
{
	show("constants", constants);
	show("bss", zeroes);
}

/* Touch one byte and return how many faults that took. */
static long faults_to_read(const volatile char *p, char *value)
{
	long before = vm_faults();
	*value = *p;
	return vm_faults() - before;
}

static long faults_to_write(volatile char *p, char value)
{
	long before = vm_faults();
	*p = value;
	return vm_faults() - before;
}

static void read_constants(void)
{
	char got[5] = {0};
	long faults = 0;

	demo_step("Read one byte in four of the pages that come from the program's file");
	for (int i = 0; i < 4; i++)
		faults += faults_to_read(AT(constants, 3 + 4 * i), &got[i]);
	show_both();
	printf("   the bytes spell '%s'; %ld faults\n", got, faults);
	demo_check(faults == 4 && present(constants) == 4, "four touches, four faults, four pages");
	faults = faults_to_read(AT(constants, 3), got);
	demo_check(faults == 0, "the second touch of a page costs no fault");
}

static void read_zeroes(void)
{
	char a, b;
	char text[80];

	demo_step("Read two pages of bss: nothing was ever written there");
	faults_to_read(AT(zeroes, 2), &a);
	faults_to_read(AT(zeroes, 9), &b);
	show_both();
	printf("   page 2 of bss: %s\n", vm_describe(AT(zeroes, 2), text, sizeof(text)));
	printf("   page 9 of bss: %s\n", vm_describe(AT(zeroes, 9), text, sizeof(text)));
	demo_check(a == 0 && b == 0 && demo_page(AT(zeroes, 2)).frame == demo_page(AT(zeroes, 9)).frame,
		"both are the same frame: one frame of zeroes serves every reader");
}

static void write_zeroes(void)
{
	uint32_t shared = demo_page(AT(zeroes, 2)).frame;
	long fills = vm_counter("zero_fills");
	char text[80];

	demo_step("Write to the first of them");
	long faults = faults_to_write(AT(zeroes, 2), 'x');
	printf("   page 2 of bss: %s\n", vm_describe(AT(zeroes, 2), text, sizeof(text)));
	printf("   %ld fault, %ld frame filled with zeroes by the kernel\n", faults, vm_counter("zero_fills") - fills);
	demo_check(demo_page(AT(zeroes, 2)).frame != shared && demo_page(AT(zeroes, 9)).frame == shared && faults == 1,
		"now it has a frame of its own, and the other page still shares");
}

static int again_without_prefetching(char **argv)
{
	char before[8], *args[] = {argv[0], "again", NULL};
	int status = 1;

	if (vm_setting("/proc/prefetch", before, sizeof(before)) < 0 || vm_switch("/proc/prefetch", "off") < 0) {
		puts("/proc/prefetch cannot be read and written");
		return 1;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execve(argv[0], args, environ);
		execve("/bin/demo-demand", args, environ);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	vm_switch("/proc/prefetch", before);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	demo_needs_pagoda();
	if (argc < 2)
		return again_without_prefetching(argv);
	puts("demo-demand: a page is brought in by the first touch.\n   '#' is a page in memory, '.' one that is not.");
	demo_step("Before anything is touched");
	show_both();
	demo_check(present(constants) == 0 && present(zeroes) == 0, "exec loaded none of these pages");
	read_constants();
	read_zeroes();
	write_zeroes();
	printf("\ndemo-demand: done. This process took %ld faults in all.\n", vm_faults());
	return 0;
}
