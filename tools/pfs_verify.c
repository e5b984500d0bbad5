/* tools/pfs_verify.c: is a PFS file system consistent?
 *
 * Walks the tree from the root, counting for every inode the names that lead to it
 * and for every block the inodes that own it, and then compares:
 *   inode bitmap   set exactly for the inodes that were reached (and number 0)
 *   block bitmap   set exactly for metadata and owned blocks; no block owned twice
 *   links          names found; for a directory ".", and ".." of its children, count
 *   blocks, size   what the pointers say */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pfs_image.h"

#define DIRENTS_PER_BLOCK (PFS_BLOCK_SIZE / sizeof(struct pfs_dirent))

struct check {
	struct pfs_image *img;
	void (*report)(void *owner, const char *line);
	void *owner;
	struct pfs_verdict *v;
	uint32_t *links;               /* [inodes]: names found for it */
	uint32_t *queue, queued;       /* directories found; each is in it once */
	uint8_t *owned;                /* [blocks]: 1 once an inode points to it */
};

static void __attribute__((format(printf, 2, 3))) problem(struct check *c, const char *format, ...)
{
	char line[256];
	va_list ap;

	c->v->problems++;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	c->report(c->owner, line);
}

/* Take one block for an inode. False if its content must not be looked at. */
static bool own(struct check *c, uint32_t ino, uint32_t block)
{
	const struct pfs_super *s = pfs_super(c->img);

	if (block < s->first_data || block >= s->blocks) {
		problem(c, "inode %" PRIu32 ": block %" PRIu32 " is outside the data area", ino, block);
		return false;
	}
	if (c->owned[block]) {
		problem(c, "inode %" PRIu32 ": block %" PRIu32 " is owned twice", ino, block);
		return false;
	}
	c->owned[block] = 1;
	c->v->used++;
	return true;
}

/* The blocks below one pointer; level 0 is data. Returns how many; *last becomes the highest data index + 1. */
static uint32_t own_tree(struct check *c, uint32_t ino, uint32_t block, int level, uint32_t first, uint32_t *last)
{
	uint32_t count = 1, span = level == 2 ? PFS_PER_INDIRECT : 1;

	if (!block || !own(c, ino, block))
		return 0;
	if (level == 0) {
		*last = first + 1 > *last ? first + 1 : *last;
		return 1;
	}
	const uint32_t *entry = (const uint32_t *)pfs_block(c->img, block);
	for (uint32_t i = 0; i < PFS_PER_INDIRECT; i++)
		count += own_tree(c, ino, entry[i], level - 1, first + i * span, last);
	return count;
}

static void check_blocks(struct check *c, uint32_t ino, const struct pfs_inode *n)
{
	uint32_t count = 0, last = 0, size_blocks = n->size / PFS_BLOCK_SIZE + (n->size % PFS_BLOCK_SIZE != 0);

	for (uint32_t i = 0; i < PFS_DIRECT; i++)
		count += own_tree(c, ino, n->direct[i], 0, i, &last);
	count += own_tree(c, ino, n->indirect, 1, PFS_DIRECT, &last);
	count += own_tree(c, ino, n->double_indirect, 2, PFS_DIRECT + PFS_PER_INDIRECT, &last);
	if (count != n->blocks)
		problem(c, "inode %" PRIu32 ": says %" PRIu32 " blocks, has %" PRIu32, ino, n->blocks, count);
	if (last > size_blocks)
		problem(c, "inode %" PRIu32 ": has a block beyond its size of %" PRIu32 " bytes", ino, n->size);
}

/* An inode that a name leads to: count the name, and on the first one look at the inode itself. */
static void reach(struct check *c, uint32_t from, const char *name, uint32_t ino)
{
	const struct pfs_inode *n = pfs_inode(c->img, ino);

	if (!n) {
		problem(c, "directory %" PRIu32 ": '%s' names inode %" PRIu32 ", which does not exist", from, name, ino);
		return;
	}
	if (c->links[ino]++ > 0) {
		if (S_ISDIR(n->mode))
			problem(c, "directory %" PRIu32 ": '%s' is a second name of directory %" PRIu32, from, name, ino);
		return;
	}
	if (!S_ISDIR(n->mode) && !S_ISREG(n->mode)) {
		problem(c, "directory %" PRIu32 ": '%s' has the unknown mode 0%o", from, name, n->mode);
		return;
	}
	check_blocks(c, ino, n);
	if (S_ISDIR(n->mode)) {
		c->queue[c->queued++] = ino;
		c->v->directories++;
	} else {
		c->v->files++;
	}
}

static void check_entry(struct check *c, uint32_t dir, uint32_t parent, const struct pfs_dirent *e)
{
	if (!memchr(e->name, 0, sizeof(e->name)) || !e->name[0]) {
		problem(c, "directory %" PRIu32 ": an entry's name is empty or does not end", dir);
		return;
	}
	bool self = strcmp(e->name, ".") == 0, up = strcmp(e->name, "..") == 0;
	if (!self && !up) {
		reach(c, dir, e->name, e->ino);
		return;
	}
	if (e->ino != (self ? dir : parent))
		problem(c, "directory %" PRIu32 ": '%s' leads to inode %" PRIu32, dir, e->name, e->ino);
	else
		c->links[e->ino]++;
}

static void check_directory(struct check *c, uint32_t dir, uint32_t *parent_of)
{
	const struct pfs_inode *d = pfs_inode(c->img, dir);

	if (d->size % sizeof(struct pfs_dirent))
		problem(c, "directory %" PRIu32 ": size %" PRIu32 " is not whole entries", dir, d->size);
	for (uint32_t i = 0; i < d->size / sizeof(struct pfs_dirent); i++) {
		uint32_t block = pfs_bmap(c->img, d, i / DIRENTS_PER_BLOCK);
		const struct pfs_dirent *e = block ? (const struct pfs_dirent *)pfs_block(c->img, block) : NULL;
		if (!e || !e[i % DIRENTS_PER_BLOCK].ino)
			continue;
		uint32_t before = c->queued;
		check_entry(c, dir, parent_of[dir], &e[i % DIRENTS_PER_BLOCK]);
		if (c->queued > before)
			parent_of[c->queue[before]] = dir;
	}
}

static void check_inodes(struct check *c)
{
	const struct pfs_super *s = pfs_super(c->img);

	for (uint32_t ino = 1; ino < s->inodes; ino++) {
		bool marked = pfs_bit(c->img, s->inode_bitmap, ino);
		const struct pfs_inode *n = pfs_inode(c->img, ino);
		if (c->links[ino] && !marked)
			problem(c, "inode %" PRIu32 ": in use but marked free", ino);
		if (!c->links[ino] && marked && c->v->replay.in_use && n->links == 0) {
			c->v->nameless++;
			check_blocks(c, ino, n);
			continue;
		}
		if (!c->links[ino] && marked)
			problem(c, "inode %" PRIu32 ": marked in use but has no name", ino);
		if (c->links[ino] && n->links != c->links[ino])
			problem(c, "inode %" PRIu32 ": says %u links, has %" PRIu32, ino, n->links, c->links[ino]);
	}
	if (!pfs_bit(c->img, s->inode_bitmap, 0))
		problem(c, "inode 0 is marked free");
	for (uint32_t b = 0; b < s->blocks; b++) {
		bool marked = pfs_bit(c->img, s->block_bitmap, b), wanted = b < s->first_data || c->owned[b];
		if (wanted && !marked)
			problem(c, "block %" PRIu32 ": in use but marked free", b);
		if (!wanted && marked)
			problem(c, "block %" PRIu32 ": marked in use but nothing owns it", b);
	}
}

bool pfs_verify(struct pfs_image *img, bool replay, void (*report)(void *owner, const char *line), void *owner, struct pfs_verdict *v)
{
	struct check all = {.img = img, .report = report, .owner = owner, .v = v}, *c = &all;
	const char *why = pfs_super_problem(img);

	*v = (struct pfs_verdict){0};
	if (!why && replay)
		why = pfs_recover(img, &v->replay);
	if (why) {
		problem(c, "%s", why);
		return true;
	}
	const struct pfs_super *s = pfs_super(c->img);
	uint32_t *parent_of = calloc(s->inodes, sizeof(*parent_of));
	c->links = calloc(s->inodes, sizeof(*c->links));
	c->queue = calloc(s->inodes, sizeof(*c->queue));
	c->owned = calloc(s->blocks, 1);
	bool ok = parent_of && c->links && c->queue && c->owned;
	if (ok) {
		parent_of[PFS_ROOT_INO] = PFS_ROOT_INO;
		reach(c, PFS_ROOT_INO, "/", PFS_ROOT_INO);
		c->links[PFS_ROOT_INO]--;      /* no directory names the root; its own ".." stands for that */
		if (!c->queued)
			problem(c, "inode %u: the root is not a directory", PFS_ROOT_INO);
		for (uint32_t i = 0; i < c->queued; i++)
			check_directory(c, c->queue[i], parent_of);
		check_inodes(c);
	}
	v->free = s->blocks - s->first_data - v->used;
	free(parent_of);
	free(c->links);
	free(c->queue);
	free(c->owned);
	return ok;
}
