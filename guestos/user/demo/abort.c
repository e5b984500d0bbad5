/* demo-abort: why databases lock. Two transactions on one file; the second sees what the first has not finished.
 *
 * A file holds two accounts. Transaction 1 changes the first, transaction 2 reads it and changes the second by what it saw. Then 1 aborts. Once
 * without locking, once with; the evidence is the file, what the calls return, and the kernel's undo log. */
#include <demo.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <sys/wait.h>
#include <txn.h>
#include <unistd.h>

#define NAME "/tmp/accounts"
#define ANNA 0
#define BERT 8

static int file_of[2];                 /* an open file for each transaction */

static int open_accounts(void)
{
	int fd = open(NAME, O_RDWR);
	demo_check(fd >= 0, "the file of accounts can be opened");
	return fd;
}

static int amount(int fd, int account)
{
	char text[9] = {0};
	return pread(fd, text, 8, account) == 8 ? atoi(text) : -errno;
}

static bool set_amount(int fd, int account, int to)
{
	char text[9];

	snprintf(text, sizeof(text), "%7d\n", to);
	return lseek(fd, account, SEEK_SET) == account && write(fd, text, 8) == 8;
}

static void show_accounts(void)
{
	int fd = open(NAME, O_RDONLY);
	printf("   the file: Anna has %d, Bert has %d\n", amount(fd, ANNA), amount(fd, BERT));
	close(fd);
}

static int start(int which, int strict)
{
	int number = ioctl(file_of[which], TXN_BEGIN, (void *)(long)strict);
	printf("   transaction %d begins\n", number);
	demo_check(number > 0, "the kernel gave it a number");
	return number;
}

/* Every record that the log has now. */
static void show_log(void)
{
	static const char *const kinds[] = {"?", "begins", "reads", "writes", "depends on", "commits", "aborts"};
	struct txn_record r;
	int fd = open(TXN_LOG, O_RDONLY);

	printf("   " TXN_LOG ":\n");
	while (fd >= 0 && read(fd, &r, sizeof(r)) == sizeof(r)) {
		printf("     T%u %s", (unsigned)r.txn, kinds[r.kind < 7 ? r.kind : 0]);
		if (r.kind == TXN_REC_DEPENDS)
			printf(" T%u", (unsigned)r.n);
		if (r.kind == TXN_REC_READ || r.kind == TXN_REC_WRITE)
			printf(" bytes %u to %u", (unsigned)r.at, (unsigned)(r.at + r.n - 1));
		if (r.kind == TXN_REC_WRITE)
			printf(", which were '%.7s'", r.old);
		putchar('\n');
	}
	close(fd);
}

static bool log_has(uint32_t txn, uint32_t kind)
{
	struct txn_record r;
	bool found = false;
	int fd = open(TXN_LOG, O_RDONLY);

	while (fd >= 0 && read(fd, &r, sizeof(r)) == sizeof(r))
		found |= r.txn == txn && r.kind == kind;
	close(fd);
	return found;
}

static void make_accounts(void)
{
	int fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
	demo_check(fd >= 0 && write(fd, "    100\n     50\n", 16) == 16, "a file of two accounts was made");
	close(fd);
	show_accounts();
}

static void cascade(void)
{
	demo_step("Without locking");
	int one = start(0, 0), two = start(1, 0);
	demo_check(set_amount(file_of[0], ANNA, 900), "transaction 1 writes 900 to Anna's account");
	int seen = amount(file_of[1], ANNA);
	printf("   transaction 2 reads Anna's account: %d, which nobody has committed\n", seen);
	demo_check(seen == 900, "it saw unfinished work");
	demo_check(set_amount(file_of[1], BERT, seen + 50), "transaction 2 writes to Bert's account what follows from that");
	show_accounts();
	demo_check(ioctl(file_of[1], TXN_COMMIT, 0) < 0 && errno == EBUSY, "transaction 2 cannot commit before transaction 1 (EBUSY)");

	demo_step("Transaction 1 aborts");
	demo_check(ioctl(file_of[0], TXN_ABORT, 0) == 0, "it could");
	show_accounts();
	demo_check(log_has(one, TXN_REC_ABORT) && log_has(two, TXN_REC_ABORT),
		"both were aborted: one by its program, the other because of it");
	demo_check(ioctl(file_of[1], TXN_COMMIT, 0) < 0 && errno == ECANCELED, "that is what transaction 2 hears when it wants to commit (ECANCELED)");
	show_log();
}

static void strict(void)
{
	demo_step("With strict locking: what is written is locked until its transaction ends");
	int one = start(0, 1), two = start(1, 1);
	demo_check(set_amount(file_of[0], ANNA, 900), "the first writes 900 to Anna's account");
	int seen = amount(file_of[1], ANNA);
	demo_check(seen == -EAGAIN, "the second may not read it (EAGAIN)");
	demo_check(ioctl(file_of[0], TXN_ABORT, 0) == 0, "the first aborts");
	seen = amount(file_of[1], ANNA);
	printf("   the second reads Anna's account: %d\n", seen);
	demo_check(seen == 100, "now it may, and sees the old amount");
	demo_check(set_amount(file_of[1], BERT, seen + 50), "it writes to Bert's account what follows from that");
	demo_check(ioctl(file_of[1], TXN_COMMIT, 0) == 0, "and commits");
	show_accounts();
	demo_check(log_has(one, TXN_REC_ABORT) && !log_has(two, TXN_REC_ABORT) && log_has(two, TXN_REC_COMMIT),
		"only the first was aborted");
	show_log();
}

static void must_be(int anna, int bert, const char *claim)
{
	int fd = open(NAME, O_RDONLY);
	bool so = amount(fd, ANNA) == anna && amount(fd, BERT) == bert;
	close(fd);
	demo_check(so, claim);
}

/* A program that ends in the middle. */
static void die(void)
{
	demo_step("A program writes within a transaction and ends without a word");
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(NAME, O_RDWR);
		ioctl(fd, TXN_BEGIN, 0);
		set_amount(fd, ANNA, 0);
		show_accounts();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	show_accounts();
	must_be(100, 150, "what it wrote was undone");
}

/* For the reader with a finger on the power switch: the change is on the disk, its transaction is not finished. */
static _Noreturn void leave_unfinished(void)
{
	make_accounts();
	int fd = open_accounts();
	demo_check(ioctl(fd, TXN_BEGIN, 0) > 0 && set_amount(fd, ANNA, 900), "a transaction has written 900 to Anna's account");
	sync();
	show_accounts();
	puts("   Pull the plug. After the next start Anna has 100: cat " NAME);
	fflush(stdout);
	for (;;)
		sleep(1000);
}

int main(int argc, char **argv)
{
	demo_needs_pagoda();
	if (argc > 1 && strcmp(argv[1], "--unfinished") == 0)
		leave_unfinished();
	puts("demo-abort: a transaction aborts; what of those that have seen its work?");
	demo_step("Two accounts");
	make_accounts();
	file_of[0] = open_accounts();
	file_of[1] = open_accounts();
	cascade();
	must_be(100, 50, "the file is as it was");
	strict();
	must_be(100, 150, "the file has what the second of these committed");
	die();
	unlink(NAME);
	puts("\ndemo-abort: done.");
	return 0;
}
