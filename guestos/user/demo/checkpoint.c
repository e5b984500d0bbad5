/* checkpoint: a computation that is killed again and again, and goes on each time where its last checkpoint was.
 *
 * All that the computation owns, its data and its stack, lies in an arena of pages at a fixed address. After a checkpoint the arena is
 * read-only. The first write to a page faults: the SIGSEGV handler notes that the page is dirty and opens it. At the next
 * checkpoint only those pages are appended to a log, then a record that holds the registers: without it, pages behind the
 * last such record do not count. Checkpoints come from SIGALRM, between any two instructions: the handler's context is the
 * registers. To restore, the pages are read back, and a handler returns into the registers of the log instead of its own.
 *
 * The handlers run on a stack of their own, so that the arena stands still while it is saved. */
#include <complain.h>
#include <demo.h>
#include <fcntl.h>
#include <random.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define LOG "/tmp/checkpoint.log"
#define PAGES 64u
#define STACK_PAGES 4u                 /* of them, at the end */
#define NUMBERS ((PAGES - STACK_PAGES - 1) * PAGE_SIZE / 4)
#define LONG_ENOUGH_MS 800             /* the computation is made so long, on this machine, that it can be killed a few times */
#define PERIOD_US 30000
#define MOVES 64u                      /* to another neighbourhood */
#define COMMIT 0xffffffffu             /* a log record: a page's number, or this; then a page of data */

struct state {                         /* the arena's first page */
	uint32_t round, end, random;
	uint32_t sum;
};
static struct state *const state = (struct state *)0x20000000;
static uint32_t *const numbers = (uint32_t *)(0x20000000 + PAGE_SIZE);

struct commit { mcontext_t registers; uint32_t round, pages; };

/* What follows is the machinery's, outside of the arena: it begins anew in each process. */
static bool dirty[PAGES];
static char handler_stack[4 * PAGE_SIZE];
static int log_fd;
static uint32_t restored_round;
static mcontext_t restored;
static volatile struct shared { long checkpoints, saved, restores, faults; uint32_t rounds, result; } *shared;

static char *page(uint32_t n) { return (char *)state + n * PAGE_SIZE; }

/* The computation: a walk through the numbers that moves to another neighbourhood now and then. Any lost or repeated step shows in the sum. */
static void compute(struct state *s, uint32_t *n)
{
	for (; s->round < s->end; s->round++) {
		next_linear(&s->random);
		uint32_t near = s->round / (s->end / MOVES) * 7919 + (s->random >> 8) % 1500;
		n[near % NUMBERS] += s->random ^ s->sum;
		s->sum = s->sum * 31 + n[(near + 13) % NUMBERS];
	}
}

static void append(uint32_t what, const void *data, uint32_t size)
{
	static char record[PAGE_SIZE];

	memset(record, 0, sizeof(record));
	memcpy(record, data, size);
	if (write_full(log_fd, &what, 4) < 0 || write_full(log_fd, record, sizeof(record)) < 0)
		_exit(complain(LOG));
}

static void protect_arena(void)
{
	memset(dirty, 0, sizeof(dirty));
	if (mprotect(state, PAGES * PAGE_SIZE, PROT_READ) < 0)
		_exit(complain("mprotect"));
}

static void first_write(int signal, siginfo_t *info, void *context)
{
	uint32_t n = ((char *)info->si_addr - (char *)state) / PAGE_SIZE;

	(void)signal;
	if (n >= PAGES || dirty[n]) {
		printf("   stray access to %p, eip 0x%08x\n", info->si_addr, (unsigned)context_of(context)->eip);
		_exit(1);
	}
	dirty[n] = true;
	shared->faults++;
	mprotect(page(n), PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static void save(int signal, siginfo_t *info, void *context)
{
	struct commit c = {*context_of(context), state->round, 0};

	(void)signal, (void)info;
	for (uint32_t n = 0; n < PAGES; n++)
		if (dirty[n]) {
			append(n, page(n), PAGE_SIZE);
			c.pages++;
		}
	append(COMMIT, &c, sizeof(c));
	shared->checkpoints++;
	shared->saved += c.pages;
	protect_arena();
}

static void go_back(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	*context_of(context) = restored;
	((ucontext_t *)context)->uc_sigmask = 0;
}

/* Pages count once their commit record is there: first find the last of those, then read up to it. */
static bool read_log(void)
{
	static struct { uint32_t what; char data[PAGE_SIZE]; } record;
	uint32_t records = 0, valid = 0;

	while (read_full(log_fd, &record, sizeof(record)) == (ssize_t)sizeof(record)) {
		records++;
		if (record.what == COMMIT)
			valid = records;
	}
	lseek(log_fd, 0, SEEK_SET);
	for (uint32_t i = 0; i < valid; i++) {
		if (read_full(log_fd, &record, sizeof(record)) < 0)
			_exit(complain(LOG));
		if (record.what != COMMIT) {
			memcpy(page(record.what), record.data, PAGE_SIZE);
			continue;
		}
		struct commit *c = (struct commit *)record.data;
		restored = c->registers;
		restored_round = c->round;
	}
	ftruncate(log_fd, valid * sizeof(record));
	lseek(log_fd, 0, SEEK_END);
	return valid;
}

static _Noreturn void finish(void)
{
	shared->result = state->sum;
	_exit(0);
}

/* On the stack in the arena. */
static _Noreturn void begin(void)
{
	sigset_t none = 0;

	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!state->end)
		state->end = shared->rounds;
	compute(state, numbers);
	finish();
}

static _Noreturn void run(void)
{
	stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)};
	/* Neither handler may be interrupted by the other: what is saved is the computation, never a handler. */
	struct sigaction on_alarm = {.sa_sigaction = save, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction on_fault = {.sa_sigaction = first_write, .sa_flags = SA_SIGINFO | SA_ONSTACK, .sa_mask = sigmask(SIGALRM)};
	struct itimerval timer = {{0, PERIOD_US}, {0, PERIOD_US}};

	sigset_t alarm = sigmask(SIGALRM);     /* until the stack is the arena's */

	sigprocmask(SIG_BLOCK, &alarm, NULL);
	log_fd = open(LOG, O_RDWR | O_CREAT, 0600);
	if (log_fd < 0 || mmap(state, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != (void *)state)
		_exit(complain("arena"));
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &on_fault, NULL);
	catch_signal(SIGUSR1, go_back, SA_ONSTACK);
	sigaction(SIGALRM, &on_alarm, NULL);
	bool again = read_log();
	protect_arena();
	setitimer(ITIMER_REAL, &timer, NULL);
	if (again) {
		shared->restores++;
		printf("   process %d goes on at round %u, eip 0x%08x, esp 0x%08x\n", (int)getpid(), (unsigned)restored_round,
			(unsigned)restored.eip, (unsigned)restored.esp);
		fflush(stdout);
		raise(SIGUSR1);                /* does not return here */
	}
	__asm__ volatile("movl %0, %%esp\n\tjmp *%1" : : "r"(page(PAGES) - 16), "r"(begin));
	__builtin_unreachable();
}

static uint32_t without_interruption(uint32_t rounds, long *ms)
{
	uint32_t *n = calloc(NUMBERS, 4);
	struct state s = {.end = rounds};
	struct timespec a, b;

	if (!n)
		exit(complain("calloc"));
	clock_gettime(CLOCK_MONOTONIC, &a);
	compute(&s, n);
	clock_gettime(CLOCK_MONOTONIC, &b);
	*ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	free(n);
	return s.sum;
}

int main(void)
{
	int status = -1, kills = 0;

	unlink(LOG);
	shared = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return complain("mmap");
	demo_step("The computation without interruption");
	uint32_t expected = 0;
	long ms = 0;
	for (shared->rounds = 25000; ms < LONG_ENOUGH_MS;) {
		shared->rounds *= 2;
		expected = without_interruption(shared->rounds, &ms);
	}
	printf("   after %u rounds the sum is 0x%08x\n", (unsigned)shared->rounds, (unsigned)expected);

	demo_step("The same, checkpointed at every alarm, killed, and started again");
	for (; kills < 100; kills++) {
		long before = shared->checkpoints;
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0)
			run();
		/* Not before it has made progress; then at any moment. */
		while (waitpid(pid, &status, WNOHANG) == 0 && shared->checkpoints < before + 3)
			usleep(10000);
		if (status == 0 || kill(pid, SIGKILL) < 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			break;
		printf("   killed process %d after checkpoint %ld\n", (int)pid, shared->checkpoints);
		status = -1;
	}
	unlink(LOG);
	demo_check(status == 0, "the last process came to the end");
	printf("   sum 0x%08x after %d kills and %ld restores\n", (unsigned)shared->result, kills, shared->restores);
	demo_check(shared->result == expected, "the sum is the same");
	demo_check(kills >= 2 && shared->restores == kills, "it went on from a checkpoint after each kill");
	printf("   %ld checkpoints, %ld pages saved, %ld write faults;\n   whole checkpoints would have been %ld pages\n", shared->checkpoints,
		shared->saved, shared->faults, shared->checkpoints * PAGES);
	demo_check(shared->saved <= shared->faults && shared->saved < shared->checkpoints * (long)PAGES / 2,
		"only pages written since the last checkpoint were saved: under half");
	return 0;
}
