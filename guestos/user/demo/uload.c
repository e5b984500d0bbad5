/* uload: a program that loads itself, page by page, as it needs them.
 *
 * Some of its functions and a table of constants lie on pages of their own. It unmaps them all. From then on the kernel knows nothing of
 * these addresses; every first access is a SIGSEGV, and the handler does what the kernel does for the rest of the program: finds
 * the page in the executable by its program headers, makes a page of memory there, reads it, and returns, so that the
 * instruction is tried again. No more than six pages are kept: the oldest goes, as under FIFO replacement. */
#include <complain.h>
#include <demo.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define KEPT 6u
#define ROOMS 5
#define TABLE_PAGES 8u
#define WORDS (PAGE_SIZE / 4)

/* Functions on a page each. The last only marks the end. */
#define ROOM static uint32_t __attribute__((section(".text.overlay"), aligned(4096), noinline, no_reorder))
ROOM room_0(uint32_t x) { return x * 3 + 1; }
ROOM room_1(uint32_t x) { return x ^ x >> 7 ^ 0x5555; }
ROOM room_2(uint32_t x) { uint32_t sum = 0; for (uint32_t i = 0; i < x % 100; i++) sum += i * x; return sum; }
ROOM room_3(uint32_t x) { return x % 2 ? x * 5 : x / 2; }
ROOM room_4(uint32_t x) { return x << 5 | x >> 27; }
ROOM rooms_end(uint32_t x) { return x; }
static uint32_t (*volatile const rooms[ROOMS + 1])(uint32_t) = {room_0, room_1, room_2, room_3, room_4, rooms_end};

/* Eight pages of constants: word i is i * 2654435761. */
__asm__(".section .rodata.overlay, \"a\", @progbits\n\t.balign 4096\ntable:\n\t.set i, 0\n\t.rept 8 * 1024\n\t.long (i * 2654435761) & 0xffffffff\n\t"
	".set i, i + 1\n\t.endr\ntable_end:\n\t.balign 4096\n\t.text");
extern const volatile uint32_t table[], table_end[];


static int program_fd;
static struct elf_segment segments[8];
static int nr_segments;
static char *kept[KEPT];               /* pages here now, in a circle */
static uint32_t oldest;
static volatile long loads, drops;
static bool tell = true;

static void read_program_headers(const char *path)
{
	struct elf_header h;

	program_fd = open(path, O_RDONLY);
	if (program_fd < 0 || pread(program_fd, &h, sizeof(h), 0) != sizeof(h) || h.phnum > 8)
		exit(complain(path));
	nr_segments = h.phnum;
	if (pread(program_fd, segments, sizeof(segments[0]) * h.phnum, h.phoff) < 0)
		exit(complain(path));
}

/* Where the page's bytes are in the file, or -1. */
static off_t offset_of(uint32_t page)
{
	for (int i = 0; i < nr_segments; i++)
		if (segments[i].type == PT_LOAD && page >= segments[i].vaddr && page < segments[i].vaddr + segments[i].filesz)
			return segments[i].offset + (page - segments[i].vaddr);
	return -1;
}

static bool in_overlay(uint32_t a)
{
	return (a >= (uint32_t)rooms[0] && a < (uint32_t)rooms[ROOMS]) || (a >= (uint32_t)table && a < (uint32_t)table_end);
}

static void load_page(int signal, siginfo_t *info, void *context)
{
	uint32_t address = (uint32_t)info->si_addr;
	char *page = (char *)PAGE_OF(address);
	mcontext_t *regs = context_of(context);

	(void)signal;
	if (!in_overlay(address) || info->si_code != SEGV_MAPERR || offset_of((uint32_t)page) < 0) {
		printf("   unexpected fault at 0x%08x, eip 0x%08x\n", (unsigned)address, (unsigned)regs->eip);
		exit(1);
	}
	if (kept[oldest]) {
		munmap(kept[oldest], PAGE_SIZE);
		drops++;
	}
	if (mmap(page, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page ||
		pread(program_fd, page, PAGE_SIZE, offset_of((uint32_t)page)) <= 0 || mprotect(page, PAGE_SIZE, PROT_READ | PROT_EXEC) < 0)
		exit(complain("loading a page"));
	if (tell)
		printf("   %s at 0x%08x by eip 0x%08x: page read from offset 0x%05x%s\n", regs->eip == address ? "call" : "read",
			(unsigned)address, (unsigned)regs->eip, (unsigned)offset_of((uint32_t)page), kept[oldest] ? ", the oldest one dropped" : "");
	kept[oldest] = page;
	oldest = (oldest + 1) % KEPT;
	loads++;
}

static uint32_t pages_present(void)
{
	uint32_t n = 0;

	for (uint32_t a = (uint32_t)rooms[0]; a < (uint32_t)rooms[ROOMS]; a += PAGE_SIZE)
		n += demo_page((void *)a).present;
	for (uint32_t i = 0; i < TABLE_PAGES; i++)
		n += demo_page(table + i * WORDS).present;
	return n;
}

static void unload(void)
{
	if (munmap((void *)rooms[0], (uint32_t)rooms[ROOMS] - (uint32_t)rooms[0]) < 0 || munmap((void *)table, TABLE_PAGES * PAGE_SIZE) < 0)
		exit(complain("munmap"));
}

/* How many loads FIFO needs for so many walks through the table, from what is kept now: counted on paper, as it were. */
static long fifo_loads(int walks)
{
	char *paper[KEPT];
	uint32_t next = oldest;
	long n = 0;

	memcpy(paper, kept, sizeof(paper));
	for (uint32_t i = 0; i < walks * TABLE_PAGES; i++) {
		char *page = (char *)(table + i % TABLE_PAGES * WORDS);
		bool here = false;
		for (uint32_t k = 0; k < KEPT; k++)
			here |= paper[k] == page;
		if (here)
			continue;
		paper[next] = page;
		next = (next + 1) % KEPT;
		n++;
	}
	return n;
}

/* The kernel's own loading must not have a part in it. */
static long kernel_fills(void) { return vm_counter("file_maps") + vm_counter("file_fills"); }

int main(int argc, char **argv)
{
	uint32_t expected[ROOMS], x = 12345;

	(void)argc;
	demo_needs_pagoda();
	read_program_headers(strchr(argv[0], '/') ? argv[0] : "/bin/uload");
	for (int i = 0; i < ROOMS; i++)
		expected[i] = rooms[i](x + i);
	demo_step("Unmap five functions and a table of eight pages");
	unload();
	printf("   %u of their 13 pages are present\n", (unsigned)pages_present());
	demo_check(pages_present() == 0, "they are gone");
	catch_signal(SIGSEGV, load_page, 0);

	demo_step("Call two of the functions, twice");
	bool right = rooms[1](x + 1) == expected[1] && rooms[4](x + 4) == expected[4] && rooms[1](x + 1) == expected[1];
	demo_check(right && loads == 2, "each was loaded once, on its first call, and computes as before");
	demo_check(pages_present() == 2, "the other eleven pages are not there");

	demo_step("Look up ten words of the table");
	for (uint32_t i = 0; i < 10; i++)
		right &= table[i * 400] == i * 400 * 2654435761u;
	demo_check(right && loads == 6, "four more pages were loaded, and the words are right");

	demo_step("One more page than are kept");
	right = rooms[3](x + 3) == expected[3];
	demo_check(right && drops == 1 && pages_present() == KEPT, "the oldest page went");

	demo_step("Walk through the table ten times: eight pages, room for six");
	tell = false;
	long before = loads, fills = kernel_fills(), wanted = fifo_loads(10);
	for (int pass = 0; pass < 10; pass++)
		for (uint32_t i = 0; i < TABLE_PAGES * WORDS; i += 16)
			right &= table[i] == i * 2654435761u;
	fills = kernel_fills() - fills;
	printf("   %ld loads; FIFO worked out on paper needs %ld;\n   %ld pages filled by the kernel from a file\n", loads - before, wanted, fills);
	demo_check(right, "every word was right");
	demo_check(loads - before == wanted && wanted > 70 && pages_present() == KEPT, "nearly every page was loaded every time: FIFO's worst case");
	demo_check(fills < 8, "and it was this program that did it, not the kernel");
	for (int i = 0; i < ROOMS; i++)
		right &= rooms[i](x + i) == expected[i];
	demo_check(right, "all five functions still compute the same");
	return 0;
}
