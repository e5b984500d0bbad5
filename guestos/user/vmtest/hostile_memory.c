/* vmtest/hostile_memory.c: programs that take away their own stack, their own memory, or the truth of a log, and what the kernel makes of it. */
#include "vmtest.h"
#include "mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <txn.h>
#include <unistd.h>

#define PLACE "/tmp/hostile-memory"
#define STACK_TOP 0xc0000000u

/* On a stack of its own, with nothing mapped where the first one was: no region is left below the kernel. Exit status: what went wrong. */
static void without_stack(int signal)
{
	char *top = (char *)(STACK_TOP - PAGE_SIZE);
	int wrong = munmap(top, PAGE_SIZE) != 0;

	(void)signal;
	wrong |= (mprotect(top, PAGE_SIZE, PROT_READ) != -1 || errno != ENOMEM) << 1;
	wrong |= (mlock(top, PAGE_SIZE) != -1 || errno != ENOMEM) << 2;
	wrong |= (madvise(top, PAGE_SIZE, MADV_RANDOM) != -1 || errno != ENOMEM) << 3;
	wrong |= (msync(top, PAGE_SIZE, MS_SYNC) != -1 || errno != ENOMEM) << 4;
	wrong |= (mremap(top, PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE) != MAP_FAILED || errno != EFAULT) << 5;
	_exit(wrong);
}

static void lose_stack(void *unused)
{
	static char stack[SIGSTKSZ];
	stack_t s = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction a = {.sa_handler = without_stack, .sa_flags = SA_ONSTACK};

	(void)unused;
	sigaltstack(&s, NULL);
	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
}

static void stack_gone(void) { CHECK_EQ(child_status(lose_stack, NULL), 0); }

/* Source and destination, each across a page boundary, stack and code, with no page allowed to be resident; and the same for a child. */
static void copy_across(void *unused)
{
	static const struct rlimit none = {0, 0};
	char *p = map_anonymous(4);

	(void)unused;
	CHECK_EQ(setrlimit(RLIMIT_RSS, &none), 0);
	for (int i = 0; i < 4; i++)
		p[i * PAGE_SIZE] = 'a' + i;
	memcpy(p + PAGE_SIZE - 100, p + 3 * PAGE_SIZE - 50, 200);
	CHECK_EQ(p[PAGE_SIZE - 50], 'd');
	pid_t pid = fork();
	if (pid == 0)
		_exit(p[3 * PAGE_SIZE]);
	int status;
	CHECK(waitpid(pid, &status, 0) == pid && status == 'd' << 8, "the child's wait status is 0x%x", status);
}

static void rss_zero(void)
{
	pid_t pid = start_child(copy_across, NULL);
	int status;

	for (int i = 0; i < 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			CHECK_EQ(status, 0);
			return;
		}
		usleep(50000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	CHECK(false, "it does not go on");
}

/* Records that no kernel wrote, about bytes that are not there: an abort puts back what makes sense, and nothing else. */
static void forged_log(void)
{
	struct stat st;
	int fd = open(PLACE, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK_EQ(write(fd, "0123456789", 10), 10);
	int id = syscall(SYS_ioctl, fd, TXN_BEGIN, 0);
	CHECK(id > 0, "begin: errno %d", errno);
	CHECK_EQ(pwrite(fd, "xy", 2, 4), 2);
	int log = open(TXN_LOG, O_WRONLY | O_APPEND);
	const struct txn_record forged[] = {{.txn = id, .kind = TXN_REC_WRITE, .at = 0, .n = 1 << 24},
		{.txn = id, .kind = TXN_REC_WRITE, .at = 0, .n = 45}, {.txn = id, .kind = TXN_REC_WRITE, .at = 8, .n = 4, .old = "abcd"},
		{.txn = id, .kind = TXN_REC_WRITE, .at = 0xfffffffe, .n = 4}, {.txn = id, .kind = TXN_REC_READ, .at = 0, .n = 0xffffffff}};
	CHECK_EQ(write(log, forged, sizeof(forged)), (long)sizeof(forged));
	close(log);
	CHECK_EQ(syscall(SYS_ioctl, fd, TXN_ABORT, 0), 0);
	char got[11] = "";
	CHECK_EQ(pread(fd, got, 10, 0), 10);
	CHECK(!strcmp(got, "0123456789"), "the file has '%s'", got);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 10);
	close(fd);
	unlink(PLACE);
}

#define TABLES_FIRST 0x10000000u
#define TABLES_BYTES 0xa0000000u

/* One page in each 4 MB, used and given up at once: page tables remain. */
static void make_tables(void *go)
{
	int *fd = go;
	char c;

	close(fd[1]);
	read(fd[0], &c, 1);                    /* all begin together: with memory short there would be no more forks */
	for (uint32_t at = TABLES_FIRST; at - TABLES_FIRST < TABLES_BYTES; at += 4 << 20) {
		touch_read((void *)at);
		madvise((void *)at, PAGE_SIZE, MADV_DONTNEED);
	}
	pause();
}

static void use_some(void *unused)
{
	char *p = map_anonymous(100);

	(void)unused;
	stamp_pages(p, 100, 1);
	pause();
}

static void page_tables_only(void)
{
	enum { MOST = 48 };
	pid_t pids[MOST];
	int n = memory_pages() / 600 + 2, fd[2], status;
	long kills = vm_counter("oom_kills");

	pid_t bystander = start_child(use_some, NULL);
	n = n < MOST ? n : MOST;
	CHECK_EQ(pipe(fd), 0);
	/* Mapped here, for all of them: as soon as one has filled three quarters of memory the kernel refuses further mappings, and if it gets
	 * that far within its first time slice the others would have nothing to touch, and what there is would be enough for one. */
	CHECK(mmap((void *)TABLES_FIRST, TABLES_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0)
		!= MAP_FAILED, "mmap: errno %d", errno);
	for (int i = 0; i < n; i++)
		pids[i] = start_child(make_tables, fd);
	close(fd[1]);
	for (int i = 0; i < 200 && vm_counter("oom_kills") == kills; i++)
		usleep(50000);
	long killed = vm_counter("oom_kills") - kills;
	pid_t gone = waitpid(bystander, &status, WNOHANG);
	for (int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	kill(bystander, SIGKILL);
	CHECK(killed > 0, "%d processes full of page tables, and memory was enough", n);
	CHECK(gone == 0, "the one that was killed had 100 pages: wait status 0x%x", status);
	while (waitpid(-1, &status, 0) > 0)
		;
}

/* How many it makes it is told by the pipe, when it is known how much memory there is besides. */
static void make_some_tables(void *pipe_end)
{
	uint32_t n;

	if (read((int)pipe_end, &n, sizeof(n)) == sizeof(n))
		for (uint32_t i = 0; i < n; i++) {
			touch_read((void *)(TABLES_FIRST + (i << 22)));
			madvise((void *)(TABLES_FIRST + (i << 22)), PAGE_SIZE, MADV_DONTNEED);
		}
	pause();
}

/* Few pages, but five for one instruction, which reads and writes across page boundaries: until the tables are there for certain, and then a
 * little more. */
static void work(void *unused)
{
	static char p[4 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));     /* not mapped now: the kernel might refuse */

	(void)unused;
	long full = now_ms() + 1000;
	for (int more = 0; more < 5; more += now_ms() > full) {
		char *from = p + PAGE_SIZE - 2, *to = p + 3 * PAGE_SIZE - 2;
		__asm__ volatile("movsl" : "+S"(from), "+D"(to) : : "memory");
	}
}

/* Which child does so within 20 seconds? A counter is read meanwhile because that needs many pages of the program and the kernel; it may
 * well fail. */
static pid_t first_to_end(int *status)
{
	pid_t pid = 0;

	for (long end = now_ms() + 20000; !pid && now_ms() < end; usleep(50000)) {
		vm_counter("oom_kills");
		pid = waitpid(-1, status, WNOHANG);
	}
	return pid;
}

/* All but left frames, of those that pages of processes could have, become page tables. True if somebody was killed for it; otherwise the worker
 * has got on with what was left. */
static bool killed_with_left(int left)
{
	enum { MOST = 48, EACH = TABLES_BYTES >> 22 };
	pid_t makers[MOST];
	int n = memory_pages() / (EACH - 40) + 1, fd[2], status, i;
	long kills = vm_counter("oom_kills");
	CHECK_EQ(pipe(fd), 0);
	for (i = 0; i < n; i++)
		makers[i] = start_child(make_some_tables, (void *)fd[0]);
	pid_t worker = start_child(work, NULL);
	uint32_t tables = vm_counter("nr_free_frames") + vm_counter("nr_anon_frames") + vm_counter("nr_cache_frames") - vm_counter("nr_pinned") - left;
	for (i = 0; i < n; i++) {
		uint32_t share = tables / n + (i < (int)(tables % n));
		CHECK_EQ(write(fd[1], &share, sizeof(share)), (long)sizeof(share));
	}
	pid_t first = first_to_end(&status);
	for (i = 0; i < n; i++)
		kill(makers[i], SIGKILL);
	kill(worker, SIGKILL);
	for (int rest; waitpid(-1, &rest, 0) > 0;)
		;
	close(fd[0]);
	close(fd[1]);
	kills = vm_counter("oom_kills") - kills;
	CHECK(first, "with %d frames left nobody gets on, and nobody is killed", left);
	CHECK(first == worker ? status == 0 : kills > 0, "with %d frames left, wait status 0x%x, %ld kills", left, status, kills);
	return first != worker;
}

/* From enough to less than nothing: somewhere in between an instruction's pages find no room side by side, though each finds a victim. */
static void too_few_frames(void)
{
	int left = 18;

	CHECK(mmap((void *)TABLES_FIRST, TABLES_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0)
		!= MAP_FAILED, "mmap: errno %d", errno);
	while (left > -30 && !killed_with_left(left))
		left -= 4;
	CHECK(left > -30, "memory full of page tables was enough");
	note("with %d frames left for pages somebody had to go", left);
}

/* Reads and writes across page boundaries, at random, all over its memory. */
static void work_at_random(void *bytes)
{
	uint32_t seed = getpid(), pages = (uint32_t)bytes / PAGE_SIZE - 1;
	char *p = map((uint32_t)bytes / PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	for (long end = now_ms() + 5000; now_ms() < end;) {
		char *from = p + (next_linear(&seed) >> 8) % pages * PAGE_SIZE + PAGE_SIZE - 2;
		char *to = p + (next_linear(&seed) >> 8) % pages * PAGE_SIZE + PAGE_SIZE - 2;
		__asm__ volatile("movsl" : "+S"(from), "+D"(to) : : "memory");
	}
}

static void watch(void *flag)
{
	while (!*(volatile char *)flag)
		;
}

/* Memory holds what two workers need. Under this policy new pages go first; who is not among the two waits, and one that wants a single page
 * hardly ever has it. */
static void starved(void)
{
	enum { WORKERS = 7, MOST_MEMORY = 5000 };
	char policy[32], control[32];
	pid_t pids[WORKERS + 1];
	int status[WORKERS + 1];

	if (memory_pages() > MOST_MEMORY) {
		note("more memory than it could fill in time: not tried");
		return;
	}
	CHECK(vm_setting("/proc/policy", policy, sizeof(policy)) == 0 && vm_setting("/proc/loadcontrol", control, sizeof(control)) == 0, "no settings");
	vm_switch("/proc/loadcontrol", "off");
	vm_switch("/proc/policy", "aging");
	char *flag = map(1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pids[WORKERS] = start_child(watch, flag);
	for (int i = 0; i < WORKERS; i++)
		pids[i] = start_child(work_at_random, (void *)(memory_pages() * 43 / 100 * PAGE_SIZE));
	for (int i = 0; i <= WORKERS; i++) {
		if (i == WORKERS)
			*flag = 1;
		waitpid(pids[i], &status[i], 0);
	}
	vm_switch("/proc/policy", policy);
	vm_switch("/proc/loadcontrol", control);
	for (int i = 0; i <= WORKERS; i++)
		CHECK(status[i] == 0, "worker %d: wait status 0x%x", i, status[i]);
}

/* More pages than it may have resident: each use takes one of its own away. */
static void push_out_own(void *unused)
{
	static const struct rlimit few = {10 * PAGE_SIZE, 10 * PAGE_SIZE};
	char *p = map_anonymous(40);

	(void)unused;
	CHECK_EQ(setrlimit(RLIMIT_RSS, &few), 0);
	for (int i = 0;; i = (i + 1) % 40)
		touch_write(p + i * PAGE_SIZE);
}

/* The same fault, at the same instruction with the same registers, again and again, and meanwhile pages go: but the program gets on. */
static void round_and_round(void)
{
	char *p = map_anonymous(1);
	pid_t pid = start_child(push_out_own, NULL);
	long kills = vm_counter("oom_kills"), evictions = vm_counter("evictions");
	int status;

	for (volatile int i = 0; i < 400; i++) {
		touch_write(p);
		madvise(p, PAGE_SIZE, MADV_DONTNEED);
		usleep(1);
	}
	CHECK(vm_counter("evictions") - evictions > 250, "only %ld evictions", vm_counter("evictions") - evictions);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid && vm_counter("oom_kills") == kills, "%ld were killed", vm_counter("oom_kills") - kills);
}

/* The last page that a number of 32 bits can name, and no further: the next would be the file's first. */
static void remap_wraps(void)
{
	int fd = mapped_file(4, 1);
	void *p = (void *)syscall(SYS_mmap2, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0xfffffffe);

	CHECK(p != MAP_FAILED, "mmap2: errno %d", errno);
	CHECK_ERROR(mremap(p, PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERROR(mremap(p, 0, 8 * PAGE_SIZE, MREMAP_MAYMOVE), EINVAL);
	must_be_killed(touch_read, p, SIGBUS);
	close(fd);
	unlink(MAPPED);
}

const struct test hostile_memory_tests[] = {
	{"mremap-wrap", "a mapping does not grow beyond the last page that can be counted", remap_wraps, NULL},
	{"stack-gone", "calls on memory above the last region, which is the stack's place, are ENOMEM", stack_gone, NULL},
	{"rss-zero", "a process that may have no page resident goes on all the same", rss_zero, NULL},
	{"oom-page-tables", "when page tables have used up memory, whose they are has to go, and nobody else", page_tables_only, NULL},
	{"oom-livelock", "when an instruction's pages push each other out for ever, somebody has to go", too_few_frames, NULL},
	{"oom-loop", "a loop that faults in each round, while memory is used elsewhere, is no reason to kill anybody", round_and_round, NULL},
	{"oom-starved", "processes that a policy starves, while swap has room, are slow, and nobody is killed", starved, NULL},
	{"txn-forged", "an abort puts back nothing that its log cannot have been told", forged_log, NULL},
	{0}};
