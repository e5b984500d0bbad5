/* tests/powercut/work.c: in the guest, in place of init: does the standard workload and says how far it is.
 *
 *   "<N"   operation N begins: before this is on the console nothing of it may be on the disk
 *   "=N"   operations before N are durable: a sync has returned */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops.h"

static unsigned char bytes[28000];
static struct op ops[MOST_OPS];

static void say(const char *kind, unsigned n)
{
	printf("%s%u\n", kind, n);
	fflush(stdout);
}

static int on_file(const struct op *op, unsigned n, const char *path)
{
	int fd = open(path, op->kind == FSYNC ? O_RDONLY : O_WRONLY | (op->kind == CREATE ? O_CREAT | O_EXCL : 0), 0644), r = 0;
	struct stat st;

	if (fd < 0)
		return -1;
	if (op->kind == WRITE || op->kind == APPEND) {
		for (unsigned i = 0; i < op->n; i++)
			bytes[i] = op_byte(n, i);
		if (fstat(fd, &st) < 0 || lseek(fd, op->kind == APPEND ? st.st_size : (long)op->at, SEEK_SET) < 0)
			return -1;
		r = write(fd, bytes, op->n) == (ssize_t)op->n ? 0 : -1;
	} else if (op->kind == TRUNCATE) {
		r = ftruncate(fd, op->n);
	} else if (op->kind == FSYNC) {
		r = fsync(fd);
	} else if (op->kind == UNLINK_OPEN) {
		return unlink(path);           /* and it stays open */
	}
	return close(fd) < 0 ? -1 : r;
}

/* sync() has no result; this finds nothing left to do, or that it cannot be done. */
static int sync_root(void)
{
	int fd = open("/", O_RDONLY), r = fsync(fd);
	close(fd);
	return r;
}

static int do_op(const struct op *op, unsigned n)
{
	char path[80], to[80];

	snprintf(path, sizeof(path), "/w%s", op->path ? op->path : "");
	snprintf(to, sizeof(to), "/w%s", op->to ? op->to : "");
	switch (op->kind) {
	case MKDIR: return mkdir(path, 0755);
	case RMDIR: return rmdir(path);
	case RENAME: return rename(path, to);
	case UNLINK: return unlink(path);
	case SYNC: sync(); return sync_root();
	case PAUSE: sleep(6); return 0;
	default: return on_file(op, n, path);
	}
}

static unsigned read_seed(void)
{
	char text[40] = {0};
	int fd = open("/seed", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < (ssize_t)sizeof(SEED_MARK))
		printf("!no seed\n");
	close(fd);
	return strtoul(text + sizeof(SEED_MARK) - 1, NULL, 10);
}

int main(void)
{
	unsigned count = make_ops(read_seed(), ops);

	for (unsigned n = 0; n < count; n++) {
		say("<", n);
		int r = do_op(&ops[n], n);
		if (r < 0)
			printf("!%u: %s\n", n, strerror(errno));
		else if (ops[n].kind == FSYNC || ops[n].kind == SYNC)
			say("=", n + 1);
	}
	puts("end");
	fflush(stdout);
	poweroff();
	return 1;
}
