/* tests/powercut/model.c: the judge's own file system: an array of names and bytes. */
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ops.h"

#define NODES 32
#define LISTING 8192

struct node {
	char path[64];                 /* empty: unused */
	bool directory;
	unsigned size;
	unsigned char data[128 << 10];
};

static void __attribute__((format(printf, 2, 3))) add_line(char *text, const char *format, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + n, LISTING - n, format, ap);
	va_end(ap);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

char *sort_lines(char *text)
{
	char *line[256], *copy = strdup(text), *save = NULL;
	int n = 0;

	for (char *p = strtok_r(copy, "\r\n", &save); p && n < 256; p = strtok_r(NULL, "\r\n", &save))
		line[n++] = p;
	qsort(line, n, sizeof(*line), by_text);
	*text = 0;
	for (int i = 0; i < n; i++) {
		strcat(text, line[i]);
		strcat(text, "\n");
	}
	free(copy);
	return text;
}

static unsigned sum_bytes(unsigned sum, const unsigned char *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sum = sum_step(sum, p[i]);
	return sum;
}

static struct node *find(struct node *nodes, const char *path)
{
	for (int i = 0; i < NODES; i++)
		if (strcmp(nodes[i].path, path) == 0)
			return &nodes[i];
	return NULL;
}

static void write_node(struct node *f, unsigned op, unsigned at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		f->data[at + i] = op_byte(op, i);
	f->size = at + n > f->size ? at + n : f->size;
}

/* Everything below from is called something below to; an empty `to` removes it. */
static void move(struct node *nodes, const char *from, const char *to)
{
	size_t n = strlen(from);

	for (int i = 0; i < NODES; i++) {
		struct node *f = &nodes[i];
		char rest[64];
		if (strncmp(f->path, from, n) != 0 || (f->path[n] && f->path[n] != '/'))
			continue;
		strcpy(rest, f->path + n);
		if (*to)
			snprintf(f->path, sizeof(f->path), "%.30s%.30s", to, rest);
		else
			memset(f, 0, sizeof(*f));
	}
}

static void imagine(struct node *nodes, const struct op *op, unsigned n)
{
	char path[64], to[64];

	snprintf(path, sizeof(path), "/w%s", op->path ? op->path : "");
	snprintf(to, sizeof(to), "/w%s", op->to ? op->to : "");
	struct node *f = find(nodes, op->kind == MKDIR || op->kind == CREATE ? "" : path);
	switch (op->kind) {
	case MKDIR: case CREATE:
		strcpy(f->path, path);
		f->directory = op->kind == MKDIR;
		break;
	case RMDIR: case UNLINK: case UNLINK_OPEN:
		move(nodes, path, "");
		break;
	case RENAME:
		move(nodes, to, "");
		move(nodes, path, to);
		break;
	case WRITE: write_node(f, n, op->at, op->n); break;
	case APPEND: write_node(f, n, f->size, op->n); break;
	case TRUNCATE:
		if (op->n < f->size)
			memset(f->data + op->n, 0, f->size - op->n);
		f->size = op->n;
		break;
	case FSYNC: case SYNC: case PAUSE: break;
	}
}

static char *list(const struct node *nodes)
{
	char *text = calloc(1, LISTING);

	for (int i = 0; i < NODES; i++) {
		const struct node *f = &nodes[i];
		if (f->path[0] && f->directory)
			add_line(text, "D %s\n", f->path);
		else if (f->path[0])
			add_line(text, "F %s %u %x\n", f->path, f->size, sum_bytes(SUM_START, f->data, f->size));
	}
	return sort_lines(text);
}

char **model_listings(const struct op *ops, unsigned count)
{
	char **all = calloc(count + 1, sizeof(*all));
	struct node *nodes = calloc(NODES, sizeof(*nodes));

	all[0] = list(nodes);
	for (unsigned n = 0; n < count; n++) {
		imagine(nodes, &ops[n], n);
		all[n + 1] = list(nodes);
	}
	free(nodes);
	return all;
}

static unsigned sum_file(const struct pfs_image *img, const struct pfs_inode *n)
{
	static const unsigned char hole[PFS_BLOCK_SIZE];
	unsigned sum = SUM_START;

	for (uint32_t at = 0; at < n->size; at += PFS_BLOCK_SIZE) {
		uint32_t block = pfs_bmap(img, n, at / PFS_BLOCK_SIZE), left = n->size - at;
		const uint8_t *p = block ? pfs_block(img, block) : hole;
		sum = sum_bytes(sum, p ? p : hole, left < PFS_BLOCK_SIZE ? left : PFS_BLOCK_SIZE);
	}
	return sum;
}

static void list_inode(const struct pfs_image *img, uint32_t ino, const char *path, char *text, int depth)
{
	const struct pfs_inode *n = pfs_inode(img, ino);

	if (!n || depth > 8)
		return;
	if (!S_ISDIR(n->mode)) {
		add_line(text, "F %s %u %x\n", path, n->size, sum_file(img, n));
		return;
	}
	add_line(text, "D %s\n", path);
	for (uint32_t i = 0; i < n->size / sizeof(struct pfs_dirent); i++) {
		uint32_t per = PFS_BLOCK_SIZE / sizeof(struct pfs_dirent), block = pfs_bmap(img, n, i / per);
		const struct pfs_dirent *e = (const struct pfs_dirent *)pfs_block(img, block);
		char below[160];
		if (!block || !e || !e[i % per].ino || e[i % per].name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%.90s/%.59s", path, e[i % per].name);
		list_inode(img, e[i % per].ino, below, text, depth + 1);
	}
}

char *image_listing(const struct pfs_image *img)
{
	char *text = calloc(1, LISTING);
	uint32_t ino = pfs_lookup(img, PFS_ROOT_INO, "w", 1);

	if (ino)
		list_inode(img, ino, "/w", text, 0);
	return sort_lines(text);
}
