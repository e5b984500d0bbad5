/* ucow: fork with copy-on-write, made in user space.
 *
 * A region's pages are mappings of pages of a pool, a file that all processes share. The program keeps what a kernel would keep: which pool
 * page each of its pages is, and how many processes use each pool page. ufork() makes the region read-only and counts one more
 * user for every page; the new process gets the same mappings, read-only too. A write by anybody faults; the SIGSEGV
 * handler takes a free pool page, copies, and maps it in the old one's place. The last user of a page takes it back without copying.
 * The kernel's fork provides the process itself, but in this region it finds only shared mappings: it copies nothing there. */
#include <complain.h>
#include <demo.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define POOL_FILE "/tmp/ucow-pool"
#define PAGES 32u
#define SLOTS 128u

/* The pool's first page. The rest are slots, number 1 and up. */
static volatile struct pool { int users[SLOTS]; int copies, taken_back; uint32_t frames[PAGES]; } *pool;
static char *region;
static uint32_t slot_of[PAGES];        /* this process's "page table" */
static int pool_fd;

static char *slot_memory(uint32_t slot) { return (char *)pool + slot * PAGE_SIZE; }

static void map_slot(uint32_t page, uint32_t slot, int protection)
{
	char *at = region + page * PAGE_SIZE;

	if (mmap(at, PAGE_SIZE, protection, MAP_SHARED | MAP_FIXED, pool_fd, slot * PAGE_SIZE) != at)
		_exit(complain("mmap"));
	slot_of[page] = slot;
}

/* Processes share the counts, and may be interrupted anywhere: each change is one instruction. */
static uint32_t take_slot(void)
{
	for (uint32_t s = 1; s < SLOTS; s++)
		if (__sync_bool_compare_and_swap(&pool->users[s], 0, 1))
			return s;
	printf("   no free page in the pool\n");
	_exit(1);
}

static void release_slot(uint32_t slot) { __sync_sub_and_fetch(&pool->users[slot], 1); }

static void write_fault(int signal, siginfo_t *info, void *context)
{
	uint32_t page = ((char *)info->si_addr - region) / PAGE_SIZE, old;

	(void)signal;
	if (page >= PAGES || info->si_code != SEGV_ACCERR || !(context_of(context)->err & FAULT_WRITE)) {
		printf("   unexpected fault at %p, eip 0x%08x\n", info->si_addr, (unsigned)context_of(context)->eip);
		_exit(1);
	}
	old = slot_of[page];
	if (pool->users[old] == 1) {           /* nobody else can reach it any more */
		mprotect(region + page * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE);
		__sync_add_and_fetch(&pool->taken_back, 1);
		return;
	}
	uint32_t new = take_slot();
	memcpy(slot_memory(new), slot_memory(old), PAGE_SIZE);
	map_slot(page, new, PROT_READ | PROT_WRITE);
	release_slot(old);
	__sync_add_and_fetch(&pool->copies, 1);
}

static pid_t ufork(void)
{
	for (uint32_t i = 0; i < PAGES; i++)
		__sync_add_and_fetch(&pool->users[slot_of[i]], 1);
	if (mprotect(region, PAGES * PAGE_SIZE, PROT_READ) < 0)
		_exit(complain("mprotect"));
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		for (uint32_t i = 0; i < PAGES; i++)
			release_slot(slot_of[i]);
	return pid;
}

static _Noreturn void uexit(int status)
{
	for (uint32_t i = 0; i < PAGES; i++)
		release_slot(slot_of[i]);
	fflush(stdout);
	_exit(status);
}

static volatile uint32_t *word(uint32_t page) { return (uint32_t *)(region + page * PAGE_SIZE + page * 4); }

static void fill(uint32_t who)
{
	for (uint32_t i = 0; i < PAGES; i++)
		*word(i) = who * 1000 + i;
}

static bool holds(uint32_t first, uint32_t end, uint32_t who)
{
	for (uint32_t i = first; i < end; i++)
		if (*word(i) != who * 1000 + i)
			return false;
	return true;
}

static void note_frames(void)
{
	for (uint32_t i = 0; i < PAGES; i++)
		pool->frames[i] = *word(i) ? demo_page((void *)word(i)).frame : 0;
}

/* How many of the region's pages are in the frames they were in when note_frames() ran, in whatever process. */
static int same_frames(void)
{
	int same = 0;

	for (uint32_t i = 0; i < PAGES; i++)
		same += *word(i) && demo_page((void *)word(i)).frame == pool->frames[i];
	return same;
}

static int used_slots(void)
{
	int n = 0;

	for (uint32_t i = 1; i < SLOTS; i++)
		n += pool->users[i] != 0;
	return n;
}

static void must_end_well(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		demo_check(false, "the other process ended well");
}

static _Noreturn void grandchild(void)
{
	bool ok = holds(0, 8, 2) && holds(8, PAGES, 1);

	*word(0) = 3000;
	*word(31) = 3031;
	uexit(ok && *word(0) == 3000 && *word(31) == 3031 && *word(1) == 2001 ? 0 : 1);
}

static _Noreturn void child(void)
{
	int same = same_frames(), before = pool->copies;

	printf("   child: %d of %u pages are in the same frames as the parent's\n", same, PAGES);
	bool ok = same == (int)PAGES && holds(0, PAGES, 1);
	for (uint32_t i = 0; i < 8; i++)
		*word(i) = 2000 + i;
	printf("   child: wrote to 8 pages; %d copies; %d pages are still in the same frames\n", pool->copies - before, same_frames());
	ok = ok && pool->copies - before == 8 && same_frames() == (int)PAGES - 8;
	pid_t pid = ufork();
	if (pid == 0)
		grandchild();
	must_end_well(pid);
	printf("   grandchild: saw the child's 8 and the parent's 24, wrote to 2, and has ended\n");
	ok = ok && holds(0, 8, 2) && holds(8, PAGES, 1);
	uexit(ok ? 0 : 1);
}

static void start(void)
{
	pool_fd = open(POOL_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (pool_fd < 0 || ftruncate(pool_fd, SLOTS * PAGE_SIZE) < 0)
		exit(complain(POOL_FILE));
	unlink(POOL_FILE);
	pool = mmap(NULL, SLOTS * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, pool_fd, 0);
	region = mmap(NULL, PAGES * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((void *)pool == MAP_FAILED || region == MAP_FAILED)
		exit(complain("mmap"));
	for (uint32_t i = 0; i < PAGES; i++)
		map_slot(i, take_slot(), PROT_READ | PROT_WRITE);
	catch_signal(SIGSEGV, write_fault, 0);
}

int main(void)
{
	demo_needs_pagoda();
	demo_step("A region of 32 pages, each a mapping of a page of the pool");
	start();
	fill(1);
	printf("   %d pages of the pool in use\n", used_slots());

	demo_step("ufork: the child looks, writes to 8 pages, and uforks itself");
	note_frames();
	pid_t pid = ufork();
	if (pid == 0)
		child();
	must_end_well(pid);
	demo_check(pool->copies == 10 && holds(0, PAGES, 1), "ten pages were copied, 8 and 2; the parent's are as they were");
	demo_check(used_slots() == (int)PAGES, "what the others used is free again");

	demo_step("The parent is alone again, and writes to all pages");
	fill(4);
	printf("   %d copies, %d pages taken back without copying\n", pool->copies - 10, pool->taken_back);
	demo_check(pool->copies == 10 && pool->taken_back == (int)PAGES && holds(0, PAGES, 4), "the last user of a page takes it as it is");

	demo_step("Both write to the same pages");
	pid = ufork();
	if (pid == 0) {
		fill(5);
		usleep(50000);
		uexit(holds(0, PAGES, 5) ? 0 : 1);
	}
	fill(6);
	must_end_well(pid);
	printf("   %d copies, %d more taken back\n", pool->copies - 10, pool->taken_back - (int)PAGES);
	demo_check(holds(0, PAGES, 6), "each has its own");
	demo_check(pool->copies - 10 + pool->taken_back - (int)PAGES == 2 * (int)PAGES && pool->copies - 10 >= (int)PAGES,
		"the first writer of a page copies; the second takes it back, or copies");
	demo_check(used_slots() == (int)PAGES, "no page of the pool was lost");
	return 0;
}
