/* tests/powercut/ops.h: the standard workload, as the guest does it and as the judge on the host imagines it. Everything happens in /w.
 *
 * Each row is one operation that must be there wholly or not at all; a write is of at most 28 KB, which is what PFS promises. SYNC and FSYNC
 * say that everything so far must survive. */
#ifndef POWERCUT_OPS_H
#define POWERCUT_OPS_H

enum op_kind { MKDIR, RMDIR, CREATE, WRITE, APPEND, TRUNCATE, RENAME, UNLINK, UNLINK_OPEN, FSYNC, SYNC, PAUSE };

struct op {
	enum op_kind kind;
	const char *path, *to;         /* below /w */
	unsigned n, at;                /* bytes; TRUNCATE: the new size */
};

static const struct op standard_ops[] = {
	{MKDIR, "", 0, 0, 0},
	{CREATE, "/a", 0, 0, 0},
	{APPEND, "/a", 0, 100, 0},
	{FSYNC, "/a", 0, 0, 0},
	{APPEND, "/a", 0, 5000, 0},
	{APPEND, "/a", 0, 28000, 0},
	{WRITE, "/a", 0, 3000, 1000},
	{FSYNC, "/a", 0, 0, 0},
	{WRITE, "/a", 0, 20000, 2000},         /* over five pages */
	{RENAME, "/a", "/b", 0, 0},
	{CREATE, "/c", 0, 0, 0},
	{APPEND, "/c", 0, 20000, 0},
	{RENAME, "/c", "/b", 0, 0},            /* over an existing file, whose blocks become free */
	{CREATE, "/n", 0, 0, 0},
	{APPEND, "/n", 0, 28000, 0},           /* might be given them */
	{SYNC, 0, 0, 0, 0},
	{TRUNCATE, "/b", 0, 5000, 0},
	{APPEND, "/b", 0, 2000, 0},            /* where the truncated bytes were */
	{TRUNCATE, "/b", 0, 9000, 0},          /* longer: a hole */
	{FSYNC, "/b", 0, 0, 0},
	{APPEND, "/b", 0, 700, 0},
	{MKDIR, "/d", 0, 0, 0},
	{RENAME, "/b", "/d/b", 0, 0},
	{MKDIR, "/d/e", 0, 0, 0},
	{CREATE, "/d/e/f", 0, 0, 0},
	{WRITE, "/d/e/f", 0, 5000, 47000},     /* behind a hole, with an indirect block */
	{WRITE, "/d/e/f", 0, 6000, 20000},     /* into the hole */
	{FSYNC, "/d/e/f", 0, 0, 0},
	{RENAME, "/d/e", "/e", 0, 0},          /* a directory changes its parent */
	{APPEND, "/n", 0, 28000, 0},
	{APPEND, "/n", 0, 28000, 0},
	{PAUSE, 0, 0, 0, 0},                   /* syncd commits */
	{WRITE, "/n", 0, 28000, 4096},
	{WRITE, "/n", 0, 28000, 40000},
	{UNLINK, "/n", 0, 0, 0},               /* an indirect block is freed */
	{CREATE, "/m", 0, 0, 0},
	{APPEND, "/m", 0, 28000, 0},
	{APPEND, "/m", 0, 28000, 0},
	{FSYNC, "/m", 0, 0, 0},
	{UNLINK_OPEN, "/m", 0, 0, 0},
	{CREATE, "/g", 0, 0, 0},
	{APPEND, "/g", 0, 10, 0},
	{APPEND, "/g", 0, 10, 0},
	{FSYNC, "/g", 0, 0, 0},
	{APPEND, "/g", 0, 10, 0},
	{WRITE, "/g", 0, 600, 200},
	{FSYNC, "/g", 0, 0, 0},
	{WRITE, "/g", 0, 4000, 300},
	{TRUNCATE, "/e/f", 0, 100, 0},
	{APPEND, "/e/f", 0, 9000, 0},
	{UNLINK, "/d/b", 0, 0, 0},
	{RMDIR, "/d", 0, 0, 0},
	{SYNC, 0, 0, 0, 0},
	{MKDIR, "/x", 0, 0, 0},
	{FSYNC, "/x", 0, 0, 0},                /* its block is in the log ... */
	{RMDIR, "/x", 0, 0, 0},
	{SYNC, 0, 0, 0, 0},                    /* ... and free ... */
	{CREATE, "/y", 0, 0, 0},
	{APPEND, "/y", 0, 28000, 0},           /* ... and has a file's bytes, which the log must not overwrite */
	{FSYNC, "/y", 0, 0, 0},
	{RENAME, "/y", "/z", 0, 0},
	{FSYNC, "/z", 0, 0, 0},                /* a commit without data */
	{MKDIR, "/d", 0, 0, 0},
	{SYNC, 0, 0, 0, 0},
	{CREATE, "/d/1", 0, 0, 0},
	{APPEND, "/d/1", 0, 8192, 0},
	{RENAME, "/d/1", "/g", 0, 0},          /* over a file in another directory */
	{FSYNC, "/g", 0, 0, 0},
	{UNLINK, "/g", 0, 0, 0},
	{RMDIR, "/d", 0, 0, 0},
};

/* Other workloads, made from a number: operations on a few files that exist when they must. */
#define RANDOM_FILES 6
#define RANDOM_OPS 60
#define MOST_OPS 100
#define BIGGEST 100000u

static inline unsigned op_random(unsigned *state, unsigned below)
{
	*state = *state * 1103515245u + 12345u;
	return (*state >> 8) % below;
}

static inline struct op random_op(unsigned *seed, unsigned sizes[RANDOM_FILES], _Bool there[RANDOM_FILES])
{
	static const char *const names[RANDOM_FILES] = {"/0", "/1", "/2", "/3", "/4", "/5"};
	unsigned i = op_random(seed, RANDOM_FILES), to = op_random(seed, RANDOM_FILES), n = 1 + op_random(seed, 28000), what = op_random(seed, 16);
	struct op op = {CREATE, names[i], 0, 0, 0};

	if (!there[i]) {
		there[i] = 1;
		sizes[i] = 0;
		return op;
	}
	if (what < 4 && sizes[i] + n < BIGGEST) {
		op = (struct op){APPEND, names[i], 0, n, 0};
		sizes[i] += n;
	} else if (what < 8 && sizes[i] + n + 5000 < BIGGEST) {
		op = (struct op){WRITE, names[i], 0, n, op_random(seed, sizes[i] + 5000)};
		sizes[i] = op.at + n > sizes[i] ? op.at + n : sizes[i];
	} else if (what < 10) {
		op = (struct op){TRUNCATE, names[i], 0, op_random(seed, sizes[i] + 2000), 0};
		sizes[i] = op.n;
	} else if (what < 12 && i != to) {
		op = (struct op){RENAME, names[i], names[to], 0, 0};
		there[i] = 0;
		there[to] = 1;
		sizes[to] = sizes[i];
	} else if (what < 14) {
		op.kind = what < 13 ? UNLINK : UNLINK_OPEN;
		there[i] = 0;
	} else {
		op.kind = FSYNC;
	}
	return op;
}

/* Seed 0 is the standard workload. How many. */
static inline unsigned make_ops(unsigned seed, struct op *ops)
{
	unsigned sizes[RANDOM_FILES] = {0}, n = 0, state = seed * 2654435761u;
	_Bool there[RANDOM_FILES] = {0};

	if (!seed) {
		for (; n < sizeof(standard_ops) / sizeof(standard_ops[0]); n++)
			ops[n] = standard_ops[n];
		return n;
	}
	ops[n++] = (struct op){MKDIR, "", 0, 0, 0};
	while (n < RANDOM_OPS)
		ops[n++] = random_op(&state, sizes, there);
	return n;
}

/* The disk has a file /seed that begins so, and then the number in 8 digits. The harness puts it there. */
#define SEED_MARK "powercut seed "

/* Byte i of what operation number op writes. Never 0, so that it is told from a hole. */
static inline unsigned char op_byte(unsigned op, unsigned i) { return 1 + (op * 37 + i * 11 + i / 251) % 255; }

static inline unsigned sum_step(unsigned sum, unsigned char byte) { return (sum ^ byte) * 16777619u; }
#define SUM_START 2166136261u

#endif
