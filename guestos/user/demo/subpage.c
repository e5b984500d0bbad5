/* subpage: protection finer than a page.
 *
 * The processor protects pages of 4 KB. This program protects pieces of 1 KB: a page with a protected piece is made PROT_NONE, so that
 * every access to it faults, and the SIGSEGV handler decides. If the piece may be used, the page is opened for one instruction: the
 * handler sets TF in the saved EFLAGS, the instruction runs, and the SIGTRAP after it closes the page again. If not, the
 * access is reported and skipped. Pages without protected pieces cost nothing. */
#include "instruction.h"

#include <complain.h>
#include <demo.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIECE 1024u
#define PAGES 4u
#define PIECES (PAGES * PAGE_SIZE / PIECE)

enum rights { ALL, READ_ONLY, NOTHING };
static const char *const rights_names[] = {"all", "read-only", "nothing"};

static char *area;
static enum rights rights[PIECES];
static char *open_page;                /* open for the instruction being stepped */
static volatile int stepped, refused;
static volatile uint32_t refused_at;

/* A page is as open as its most protected piece. */
static int page_rights(uint32_t page)
{
	enum rights worst = ALL;

	for (uint32_t i = 0; i < PAGE_SIZE / PIECE; i++)
		if (rights[page * (PAGE_SIZE / PIECE) + i] > worst)
			worst = rights[page * (PAGE_SIZE / PIECE) + i];
	return worst == ALL ? PROT_READ | PROT_WRITE : worst == READ_ONLY ? PROT_READ : PROT_NONE;
}

static void close_page(uint32_t page)
{
	if (mprotect(area + page * PAGE_SIZE, PAGE_SIZE, page_rights(page)) < 0)
		exit(complain("mprotect"));
}

static void protect(char *start, uint32_t n, enum rights r)
{
	for (uint32_t at = start - area; at < (uint32_t)(start - area) + n; at += PIECE) {
		rights[at / PIECE] = r;
		close_page(at / PAGE_SIZE);
	}
}

/* Every piece that the operand lies in must allow it. */
static bool allowed(uint32_t address, uint32_t size, bool write)
{
	for (uint32_t a = address; a < address + size; a++) {
		uint32_t piece = (a - (uint32_t)area) / PIECE;
		if (piece < PIECES && rights[piece] > (write ? ALL : READ_ONLY))
			return false;
	}
	return true;
}

static void fault(int signal, siginfo_t *info, void *context)
{
	mcontext_t *regs = context_of(context);
	struct instruction in = instruction_at(regs);
	bool write = regs->err & FAULT_WRITE;
	uint32_t page = ((char *)info->si_addr - area) / PAGE_SIZE;

	(void)signal;
	if (!in.length || page >= PAGES) {
		printf("   unexpected fault at %p, eip 0x%08x\n", info->si_addr, (unsigned)regs->eip);
		exit(1);
	}
	if (!allowed(in.address, in.size, write)) {
		refused++;
		refused_at = in.address;
		regs->eip += in.length;
		return;
	}
	stepped++;
	open_page = area + page * PAGE_SIZE;
	mprotect(open_page, PAGE_SIZE, PROT_READ | PROT_WRITE);
	regs->eflags |= EFLAGS_TF;
}

static void after_step(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	context_of(context)->eflags &= ~EFLAGS_TF;
	close_page((open_page - area) / PAGE_SIZE);
}

/* What is in memory now, not what the compiler thinks a refused write has left there. */
static char byte_at(const volatile char *p) { return *p; }

static void show_area(void)
{
	for (uint32_t i = 0; i < PIECES; i++)
		printf("%s%-9s%s", i % 4 ? " " : "   page: ", rights_names[rights[i]], i % 4 == 3 ? "\n" : " |");
}

/* Byte by byte, as a program does that does not look where its buffer ends. */
static int careless_copy(volatile char *to, int n)
{
	int i;
	for (i = 0; i < n && !refused; i++)
		to[i] = 'x';
	return i;
}

static void read_only_piece(void)
{
	volatile uint32_t *word = (uint32_t *)(area + 9 * PIECE);

	demo_step("The read-only piece");
	stepped = refused = 0;
	uint32_t value = *word;
	*word = 1;
	printf("   read 0x%08x; %d stepped, %d refused; the word is 0x%08x\n", (unsigned)value, stepped, refused, (unsigned)*word);
	demo_check(value == 0x07070707 && *word == value && stepped == 0 && refused == 1, "it can be read at full speed and not written");
	*(volatile char *)(area + 8 * PIECE) = 1;
	demo_check(stepped == 1, "its neighbours in the page can be written, one step each");
}

static void pages_without_pieces(void)
{
	demo_step("Pages without protected pieces");
	stepped = 0;
	for (uint32_t i = 0; i < PAGE_SIZE; i++)
		area[i] = area[3 * PAGE_SIZE + i] = i;
	printf("   8192 writes, %d faults\n", stepped);
	demo_check(stepped == 0, "they cost nothing");
	protect(area + 4 * PIECE, 6 * PIECE, ALL);
	for (uint32_t i = 0; i < PIECE; i++)
		if (byte_at(area + 4 * PIECE + i) != 7 || byte_at(area + 6 * PIECE + i) != 7 || byte_at(area + 9 * PIECE + i) != 7)
			refused = 100;
	demo_check(refused == 1 && stepped == 0, "no protected byte has changed");
}

int main(void)
{
	volatile uint32_t *word;

	area = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return complain("mmap");
	catch_signal(SIGSEGV, fault, 0);
	catch_signal(SIGTRAP, after_step, 0);
	memset(area, 7, PAGES * PAGE_SIZE);

	demo_step("Four pages in pieces of 1 KB: a buffer and guards in page 1, constants in 2");
	protect(area + 4 * PIECE, PIECE, NOTHING);
	protect(area + 6 * PIECE, PIECE, NOTHING);
	protect(area + 9 * PIECE, PIECE, READ_ONLY);
	show_area();

	demo_step("Use all of the buffer, which shares its page with the guards");
	for (uint32_t i = 0; i < PIECE; i += 64)
		*(volatile char *)(area + 5 * PIECE + i) = i;
	printf("   %d accesses faulted and were stepped, %d refused\n", stepped, refused);
	demo_check(stepped == 16 && refused == 0, "sixteen writes in a protected page, all allowed");

	demo_step("Copy 2000 bytes into the buffer of 1024");
	int copied = careless_copy(area + 5 * PIECE, 2000);
	printf("   refused at byte %d, address 0x%08x; the guard begins at 0x%08x\n", copied - 1, (unsigned)refused_at,
		(unsigned)(area + 6 * PIECE));
	demo_check(copied == 1025 && refused_at == (uint32_t)area + 6 * PIECE, "the first byte too many was caught, 3 KB before the page's end");

	demo_step("A word that begins in the buffer and ends in the guard");
	word = (uint32_t *)(area + 6 * PIECE - 2);
	refused = 0;
	*word = 0xffffffff;
	printf("   %d refused; the last byte of the buffer is '%c'\n", refused, byte_at(area + 6 * PIECE - 1));
	demo_check(refused == 1 && byte_at(area + 6 * PIECE - 1) == 'x', "refused, and nothing of it was written");

	read_only_piece();
	pages_without_pieces();
	return 0;
}
