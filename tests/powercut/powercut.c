/* tests/powercut/powercut.c: the power goes at every write of the standard workload (ops.h), and what is left is judged.
 *
 *   powercut [--sample | --find] [--redo | --undo] [--break] [--seed N] [--boot-every N] [--only CUT,WAY] KERNEL DISK
 *
 * The workload runs once, and every write and flush of the disk is recorded together with what the guest said on its console ("<N",
 * "=N"). A cut is a place in that recording. What was flushed before it is on the disk. Of the writes since, any part may be: WAY says which.
 *
 *   0   all, in order        1   none        2, 6, ...   whole writes at random
 *   3, 7, ...   sectors at random        4, 8, ...   all but one        5, 9, ...   the last write only, and torn
 *
 * Each resulting disk must be consistent after its log has been used (pfs_verify), hold exactly the tree that the operations before some
 * point make, and that point lies not before the last one declared durable nor after the last one begun. That is judged on the
 * host, with the host's recovery; and by booting Pagoda on the disk, whose own recovery must come to the same tree, also if the power
 * goes again at any of its writes, and, after switching off in an orderly way, leave a clean disk. --sample takes every second write and
 * boots a few of the disks; --find ends at the first failure and boots none, for kernels that have a fault planted; --boot-every changes
 * that. With --break the power stays on and the log cannot be written from some point on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "emu/machine.h"
#include "model.h"
#include "ops.h"

#define SECTOR 512u
#define PARTITION (1u << 20)           /* where mkimage puts the file system */
#define MILLION 1000000u
#define MOST_MILLIONS 4000             /* of ticks: far more than the workload takes */

enum event_kind { EVENT_WRITE, EVENT_FLUSH, EVENT_BEGIN, EVENT_DURABLE };
struct event {
	enum event_kind kind;
	uint64_t lba;
	uint32_t count;
	uint8_t *data;
	unsigned op;
};

struct memory_disk {
	struct disk disk;
	uint8_t *bytes;
	struct run *recorder;          /* NULL: nobody */
	uint64_t log, log_end;         /* sectors of the log */
	unsigned log_writes;           /* so many of them can be written; 0: all */
};

struct run {
	struct event *event;
	size_t events, room;
	char console[65536];
	size_t printed, line;          /* start of the line that is being printed */
};

struct harness {
	const char *kernel;
	unsigned log_writes;           /* of the next boot: how many the log takes before it breaks; 0: it does not */
	bool undo, once;               /* once: recoveries are not cut again */
	uint8_t *base, *solid, *disk;  /* as built; with all that is flushed before the cut; with one way of losing the rest */
	size_t size;
	struct run run;
	struct op ops[MOST_OPS];
	unsigned nr_ops;
	char **model;
	unsigned cuts, disks, boots, again, failures;
};

static unsigned next_random(unsigned *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* --- recording ---------------------------------------------------------------------------------------------------- */

static void record(struct run *r, struct event e)
{
	if (r->events == r->room) {
		r->room = r->room ? 2 * r->room : 1024;
		r->event = realloc(r->event, r->room * sizeof(*r->event));
		if (!r->event)
			abort();
	}
	r->event[r->events++] = e;
}

static int disk_read(struct disk *disk, uint64_t lba, void *buf, uint32_t count)
{
	memcpy(buf, ((struct memory_disk *)disk)->bytes + lba * SECTOR, (size_t)count * SECTOR);
	return 0;
}

static int disk_write(struct disk *disk, uint64_t lba, const void *buf, uint32_t count)
{
	struct memory_disk *d = (struct memory_disk *)disk;

	if (d->log_writes && lba >= d->log && lba < d->log_end && --d->log_writes == 0) {
		d->log_writes = 1;
		return -EIO;
	}
	memcpy(d->bytes + lba * SECTOR, buf, (size_t)count * SECTOR);
	if (d->recorder) {
		struct event e = { .kind = EVENT_WRITE, .lba = lba, .count = count, .data = malloc((size_t)count * SECTOR) };
		memcpy(e.data, buf, (size_t)count * SECTOR);
		record(d->recorder, e);
	}
	return 0;
}

static int disk_flush(struct disk *disk)
{
	struct memory_disk *d = (struct memory_disk *)disk;

	if (d->recorder)
		record(d->recorder, (struct event){ .kind = EVENT_FLUSH });
	return 0;
}

static void disk_close(struct disk *disk) { (void)disk; }

static void console(void *owner, uint8_t byte)
{
	struct run *r = owner;
	char *line = r->console + r->line;

	if (r->printed + 1 == sizeof(r->console))
		return;
	r->console[r->printed++] = byte;
	r->console[r->printed] = 0;
	if (byte != '\n')
		return;
	if (strncmp(line, "begin", 5) == 0)
		record(r, (struct event){ .kind = EVENT_BEGIN });
	else if (*line == '<' || *line == '=')
		record(r, (struct event){ .kind = *line == '<' ? EVENT_BEGIN : EVENT_DURABLE, .op = strtoul(line + 1, NULL, 10) });
	r->line = r->printed;
}

static int no_input(void *owner)
{
	(void)owner;
	return -1;
}

/* Pagoda with a program in place of init, until it switches off. */
static bool boot(struct harness *h, uint8_t *bytes, const char *init, bool recording, struct run *r)
{
	char err[ERROR_LINE], line[80];
	struct kernel kernel;
	struct memory_disk disk = { .disk = { h->size / SECTOR, false, disk_read, disk_write, disk_flush, disk_close }, .bytes = bytes,
		.recorder = recording ? r : NULL, .log_writes = h->log_writes };
	const struct pfs_super *super = (const struct pfs_super *)(h->base + PARTITION);
	disk.log = PARTITION / SECTOR + (uint64_t)super->journal * PFS_SECTORS_PER_BLOCK;
	disk.log_end = disk.log + (uint64_t)super->journal_blocks * PFS_SECTORS_PER_BLOCK;
	struct machine_config config = { .memory = 4u << 20, .disk = { &disk.disk }, .disk_name = { "disk" }, .kernel = &kernel,
		.serial = { console, r }, .input = { no_input, r } };
	struct machine *m = NULL;

	snprintf(line, sizeof(line), "pagoda quiet init=%s%s", init, h->undo ? " journal=undo" : "");
	if (kernel_open(&kernel, h->kernel, err) || kernel_set_command_line(&kernel, line, err) || !(m = machine_create(&config, err))) {
		fprintf(stderr, "powercut: %s\n", err);
		exit(2);
	}
	enum machine_stop stop = MACHINE_RAN;
	for (int i = 0; i < MOST_MILLIONS && stop == MACHINE_RAN; i++)
		stop = machine_run(m, MILLION);
	machine_free(m);
	kernel_close(&kernel);
	return stop == MACHINE_POWER_OFF;
}

static void apply(uint8_t *disk, const struct event *e, uint32_t first, uint32_t count)
{
	memcpy(disk + (e->lba + first) * SECTOR, e->data + (size_t)first * SECTOR, (size_t)count * SECTOR);
}

static void apply_some(uint8_t *disk, const struct event *e, unsigned way, unsigned *seed, bool chosen, bool last)
{
	switch (way < 2 ? way : 2 + way % 4) {
	case 0: apply(disk, e, 0, e->count); return;
	case 1: return;
	case 4: if (next_random(seed) & 1) apply(disk, e, 0, e->count); return;
	case 5:
		for (uint32_t i = 0; i < e->count; i++)
			if (next_random(seed) & 1)
				apply(disk, e, i, 1);
		return;
	case 2: if (!chosen) apply(disk, e, 0, e->count); return;
	case 3: if (last) apply(disk, e, 0, 1 + next_random(seed) % e->count); return;
	}
}

/* --- judging ------------------------------------------------------------------------------------------------------ */

struct cut { size_t event; unsigned way; unsigned durable, begun; };

static void fail(struct harness *h, const struct cut *c, const char *what, const char *more)
{
	if (++h->failures > 5)
		return;
	printf("FAIL cut %zu,%u (operation %u begun, before %u durable): %s\n%s", c->event, c->way, c->begun, c->durable, what, more);
	if (*more && more[strlen(more) - 1] != '\n')
		putchar('\n');
}

struct reports { char text[512]; };

static void report(void *owner, const char *line)
{
	struct reports *r = owner;
	size_t n = strlen(r->text);
	snprintf(r->text + n, sizeof(r->text) - n, "   %s\n", line);
}

/* The tree must be that of some number of operations between the two. */
static bool judge_tree(struct harness *h, const struct cut *c, const char *tree)
{
	for (unsigned i = c->durable; i <= c->begun + 1 && i <= h->nr_ops; i++)
		if (strcmp(tree, h->model[i]) == 0)
			return true;
	for (unsigned i = 0; i <= h->nr_ops; i++)
		if (strcmp(tree, h->model[i]) == 0) {
			char text[80];
			snprintf(text, sizeof(text), "the tree is that after %u operations", i);
			fail(h, c, text, tree);
			return false;
		}
	fail(h, c, "the tree is not that after any number of operations", tree);
	return false;
}

/* Recovers the copy in h->disk. Its tree, or NULL. */
static char *judge_on_host(struct harness *h, const struct cut *c)
{
	struct pfs_image img = { .base = h->disk + PARTITION, .blocks = (h->size - PARTITION) / PFS_BLOCK_SIZE };
	struct pfs_verdict v;
	struct reports reports = { "" };

	if (!pfs_verify(&img, true, report, &reports, &v))
		abort();
	if (v.problems) {
		fail(h, c, "not consistent", reports.text);
		return NULL;
	}
	char *tree = image_listing(&img);
	if (!judge_tree(h, c, tree)) {
		free(tree);
		return NULL;
	}
	return tree;
}

/* The power goes again while Pagoda recovers from the first cut (h->disk is as it was then): after a write, and some of those since the last
 * flush are lost. The tree must still be the same. */
static void judge_recovery(struct harness *h, const struct cut *c, const struct run *r, const char *tree)
{
	uint8_t *solid = malloc(h->size);
	unsigned seed = (unsigned)c->event * 31 + c->way + 1;
	size_t flushed = 0;

	memcpy(solid, h->disk, h->size);
	for (size_t i = 0; i < r->events && r->event[i].kind != EVENT_BEGIN; i++) {
		if (r->event[i].kind == EVENT_FLUSH)
			for (; flushed < i; flushed++)
				if (r->event[flushed].kind == EVENT_WRITE)
					apply(solid, &r->event[flushed], 0, r->event[flushed].count);
		if (r->event[i].kind != EVENT_WRITE)
			continue;
		memcpy(h->disk, solid, h->size);
		for (size_t k = flushed; k <= i; k++)
			if (r->event[k].kind == EVENT_WRITE)
				apply_some(h->disk, &r->event[k], 5, &seed, false, false);
		struct pfs_image img = { .base = h->disk + PARTITION, .blocks = (h->size - PARTITION) / PFS_BLOCK_SIZE };
		struct pfs_verdict v;
		struct reports reports = { "" };
		if (!pfs_verify(&img, true, report, &reports, &v))
			abort();
		char *now = image_listing(&img);
		if (v.problems || strcmp(now, tree) != 0)
			fail(h, c, "not the same if the power goes again while Pagoda recovers", v.problems ? reports.text : now);
		free(now);
		h->again++;
	}
	free(solid);
}

static void judge_boot(struct harness *h, const struct cut *c, uint8_t *bytes, const char *tree, struct run *r)
{
	struct pfs_image img = { .base = bytes + PARTITION, .blocks = (h->size - PARTITION) / PFS_BLOCK_SIZE };
	struct pfs_verdict v;
	struct reports reports = { "" };
	memcpy(h->disk, bytes, h->size);
	bool off = boot(h, bytes, "/bin/look", true, r);
	char *begin = strstr(r->console, "begin\r\n"), *end = begin ? strstr(begin, "end\r\n") : NULL;

	h->boots++;
	if (!off || !end) {
		fail(h, c, "Pagoda does not come up", r->console);
		return;
	}
	*end = 0;
	if (strcmp(sort_lines(begin + strlen("begin\r\n")), tree) != 0) {
		fail(h, c, "Pagoda finds another tree than the host", begin + strlen("begin\r\n"));
		return;
	}
	if (!pfs_verify(&img, true, report, &reports, &v))
		abort();
	if (v.problems || v.replay.in_use)
		fail(h, c, "Pagoda leaves a disk that is not clean", reports.text);
	if (!h->once)
		judge_recovery(h, c, r, tree);
}

static void judge_by_boot(struct harness *h, const struct cut *c, uint8_t *bytes, const char *tree)
{
	struct run r = { 0 };

	judge_boot(h, c, bytes, tree, &r);
	for (size_t i = 0; i < r.events; i++)
		free(r.event[i].data);
	free(r.event);
}

/* --- cutting ------------------------------------------------------------------------------------------------------ */

/* h->disk: what is flushed, and of the writes in (flushed, cut] what this way keeps. */
static void lose(struct harness *h, size_t flushed, size_t cut, unsigned way)
{
	unsigned seed = (unsigned)cut * 2654435761u + way * 40503u + 1, writes = 0, n = 0;

	memcpy(h->disk, h->solid, h->size);
	for (size_t i = flushed; i <= cut; i++)
		writes += h->run.event[i].kind == EVENT_WRITE;
	unsigned chosen = writes ? next_random(&seed) % writes : 0;
	for (size_t i = flushed; i <= cut; i++)
		if (h->run.event[i].kind == EVENT_WRITE) {
			apply_some(h->disk, &h->run.event[i], way, &seed, n == chosen, n == writes - 1);
			n++;
		}
}

struct plan { unsigned stride, ways, boot_every; long only_cut; unsigned only_way; bool find; };

static void cut_here(struct harness *h, const struct plan *p, struct cut c, size_t flushed)
{
	uint8_t *copy = malloc(h->size);

	h->cuts++;
	for (c.way = 0; c.way < p->ways; c.way++) {
		if (p->only_cut >= 0 && c.way != p->only_way)
			continue;
		lose(h, flushed, c.event, c.way);
		memcpy(copy, h->disk, h->size);
		char *tree = judge_on_host(h, &c);
		if (tree && h->disks % p->boot_every == 0)
			judge_by_boot(h, &c, copy, tree);
		h->disks++;
		free(tree);
	}
	free(copy);
}

static void cut_everywhere(struct harness *h, const struct plan *p)
{
	struct cut c = { 0 };
	size_t flushed = 0, writes = 0;

	memcpy(h->solid, h->base, h->size);
	for (size_t i = 0; i < h->run.events && !(p->find && h->failures); i++) {
		const struct event *e = &h->run.event[i];
		c.event = i;
		c.begun = e->kind == EVENT_BEGIN ? e->op : c.begun;
		c.durable = e->kind == EVENT_DURABLE ? e->op : c.durable;
		if (e->kind == EVENT_FLUSH) {
			for (; flushed < i; flushed++)
				if (h->run.event[flushed].kind == EVENT_WRITE)
					apply(h->solid, &h->run.event[flushed], 0, h->run.event[flushed].count);
		}
		if (e->kind == EVENT_BEGIN || (e->kind == EVENT_WRITE && writes++ % p->stride))
			continue;
		if (p->only_cut < 0 || (size_t)p->only_cut == i)
			cut_here(h, p, c, flushed);
	}
}

/* Not the power goes but the log: from some write on all writes to it fail. Then nothing may change any more, and what is there must be whole. */
static void break_log(struct harness *h, unsigned stride)
{
	uint8_t *copy = malloc(h->size);
	bool broken = true;

	for (unsigned writes = 1; broken; writes += stride) {
		struct run r = { 0 };
		struct cut c = { .event = writes };
		memcpy(h->disk, h->base, h->size);
		h->log_writes = writes;
		bool off = boot(h, h->disk, "/bin/work", true, &r);
		h->log_writes = 0;
		broken = strstr(r.console, "read-only from now on") != NULL;
		for (size_t i = 0; i < r.events; i++) {
			c.begun = r.event[i].kind == EVENT_BEGIN ? r.event[i].op : c.begun;
			c.durable = r.event[i].kind == EVENT_DURABLE ? r.event[i].op : c.durable;
			free(r.event[i].data);
		}
		free(r.event);
		if (!off || (!broken && strstr(r.console, "read-only file system")))
			fail(h, &c, "the guest did not take it well", r.console);
		memcpy(copy, h->disk, h->size);
		char *tree = judge_on_host(h, &c);
		if (tree && broken)
			judge_by_boot(h, &c, copy, tree);
		free(tree);
		h->cuts++;
		h->disks++;
	}
	free(copy);
}

static void load(struct harness *h, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= (off_t)PARTITION) {
		perror(path);
		exit(2);
	}
	h->size = st.st_size;
	h->base = malloc(h->size);
	h->solid = malloc(h->size);
	h->disk = malloc(h->size);
	if (!h->base || !h->solid || !h->disk || read(fd, h->base, h->size) != (ssize_t)h->size) {
		perror(path);
		exit(2);
	}
	close(fd);
}

static void plant_seed(struct harness *h, unsigned seed)
{
	char text[9];
	uint8_t *mark = memmem(h->base, h->size, SEED_MARK "00000000", strlen(SEED_MARK) + 8);

	if (!mark) {
		fprintf(stderr, "powercut: the disk has no file /seed\n");
		exit(2);
	}
	snprintf(text, sizeof(text), "%08u", seed % 100000000);
	memcpy(mark + strlen(SEED_MARK), text, 8);
}

/* The whole workload, with nothing lost, must end in the last tree of the model: else the judge is wrong. */
static bool record_workload(struct harness *h)
{
	memcpy(h->disk, h->base, h->size);
	bool off = boot(h, h->disk, "/bin/work", true, &h->run);
	struct pfs_image img = { .base = h->disk + PARTITION, .blocks = (h->size - PARTITION) / PFS_BLOCK_SIZE };
	char *tree = image_listing(&img);
	bool ok = off && strstr(h->run.console, "end\r\n") && !strchr(h->run.console, '!') && strcmp(tree, h->model[h->nr_ops]) == 0;

	if (!ok)
		printf("FAIL the workload does not do what it should\n%s%s", h->run.console, tree);
	free(tree);
	return ok;
}

static void summarize(const struct harness *h, double seconds)
{
	unsigned count[4] = { 0 }, sectors = 0, headers = 0;

	for (size_t i = 0; i < h->run.events; i++) {
		count[h->run.event[i].kind]++;
		sectors += h->run.event[i].count;
		const struct pfs_log *log = (const struct pfs_log *)h->run.event[i].data;
		headers += log && log->magic == PFS_JOURNAL_MAGIC && log->kind == PFS_LOG_HEADER;
	}
	printf("%s log: %u operations, %u writes of %u sectors in all, %u flushes; the log was begun anew %u times\n",
		h->undo ? "undo" : "redo", h->nr_ops, count[EVENT_WRITE], sectors, count[EVENT_FLUSH], headers);
	printf("%u places where the power goes or the log breaks, %u disks judged, %u of them by booting Pagoda too, which was cut again %u times: %u failures (%.1f s)\n",
		h->cuts, h->disks, h->boots, h->again, h->failures, seconds);
}

int main(int argc, char **argv)
{
	static struct harness h;               /* what it holds, it holds to the end */
	struct plan p = { .stride = 1, .ways = 14, .boot_every = 1, .only_cut = -1 };
	struct timespec from, to;
	unsigned seed = 0;
	bool broken = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--sample") == 0)
			p = (struct plan){ .stride = 2, .ways = 6, .boot_every = 11, .only_cut = -1 };
		else if (strcmp(argv[i], "--find") == 0)
			p = (struct plan){ .stride = 1, .ways = 10, .boot_every = 100000, .only_cut = -1, .find = true };
		else if (strcmp(argv[i], "--undo") == 0)
			h.undo = true;
		else if (strcmp(argv[i], "--break") == 0)
			broken = true;
		else if (strcmp(argv[i], "--boot-every") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0)
			p.boot_every = atoi(argv[++i]);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			sscanf(argv[++i], "%ld,%u", &p.only_cut, &p.only_way);
	}
	if (argc - i != 2) {
		fprintf(stderr, "Usage: powercut [--sample | --find] [--redo | --undo] [--break] [--seed N] [--boot-every N] [--only CUT,WAY] KERNEL DISK\n");
		return 2;
	}
	h.once = p.find;
	clock_gettime(CLOCK_MONOTONIC, &from);
	h.kernel = argv[i];
	load(&h, argv[i + 1]);
	plant_seed(&h, seed);
	h.nr_ops = make_ops(seed, h.ops);
	h.model = model_listings(h.ops, h.nr_ops);
	if (!record_workload(&h))
		return 1;
	if (broken)
		break_log(&h, p.stride * 4);
	else
		cut_everywhere(&h, &p);
	clock_gettime(CLOCK_MONOTONIC, &to);
	summarize(&h, to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
	return h.failures != 0 || h.disks == 0;
}
