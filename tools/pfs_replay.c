/* tools/pfs_replay.c: what mounting does with the log of a PFS file system, done to an image in memory; the rules are in pfs.h.
 *
 * Written from the format, not from the kernel's recovery, so that the two can be held against each other: where that reads a block
 * at a time through one frame and keeps lists, this has the whole image and an array for all blocks. */
#include <stdlib.h>
#include <string.h>

#include "pfs_image.h"

static uint8_t *log_block(const struct pfs_image *img, uint32_t at)
{
	const struct pfs_super *s = pfs_super(img);
	return at < s->journal_blocks ? pfs_block(img, s->journal + at) : NULL;
}

/* The block as one of the log, if it is that: whole in the log with what follows it. */
static struct pfs_log *log_at(const struct pfs_image *img, uint32_t at, enum pfs_log_kind kind, uint32_t sequence)
{
	struct pfs_log *log = (struct pfs_log *)log_block(img, at);

	if (!log || log->magic != PFS_JOURNAL_MAGIC || log->kind != kind || log->sequence != sequence)
		return NULL;
	uint32_t room = pfs_super(img)->journal_blocks - at - 1;
	return log->images <= room && log->images <= PFS_LOG_BLOCKS && log->revoked <= PFS_LOG_BLOCKS - log->images ? log : NULL;
}

static bool same_sum(struct pfs_sum a, struct pfs_sum b) { return a.a == b.a && a.b == b.b; }

static struct pfs_sum sum_of(const struct pfs_image *img, uint32_t at, const struct pfs_log *descriptor)
{
	uint32_t copy[PFS_BLOCK_SIZE / 4];
	struct pfs_sum sum = pfs_sum_start(descriptor->sequence);

	memcpy(copy, descriptor, sizeof(copy));
	memset((char *)copy + offsetof(struct pfs_log, sum), 0, sizeof(sum));
	pfs_sum(&sum, copy);
	for (uint32_t i = 0; i < descriptor->images; i++)
		pfs_sum(&sum, log_block(img, at + 1 + i));
	return sum;
}

static bool put_home(struct pfs_image *img, const struct pfs_log *descriptor, uint32_t at, uint32_t i)
{
	const struct pfs_super *s = pfs_super(img);
	uint32_t home = descriptor->blocks[i];

	if (!home || home >= s->blocks || (home >= s->journal && home < s->journal + s->journal_blocks))
		return false;
	memcpy(pfs_block(img, home), log_block(img, at + 1 + i), PFS_BLOCK_SIZE);
	return true;
}

/* void_before[block]: images of transactions before that one are not to be used. */
static int redo(struct pfs_image *img, uint32_t first, struct pfs_replay *r)
{
	uint32_t *void_before = calloc(img->blocks, sizeof(*void_before));
	struct pfs_log *d, *commit;
	bool ok = void_before != NULL;

	for (uint32_t at = 1; ok && (d = log_at(img, at, PFS_LOG_DESCRIPTOR, first + r->transactions)); at += d->images + 2) {
		commit = log_at(img, at + 1 + d->images, PFS_LOG_COMMIT, d->sequence);
		if (!commit || !same_sum(commit->sum, sum_of(img, at, d)))
			break;
		for (uint32_t i = 0; i < d->revoked; i++)
			if (d->blocks[d->images + i] < img->blocks)
				void_before[d->blocks[d->images + i]] = r->transactions;
		r->transactions++;
	}
	for (uint32_t at = 1, n = 0; ok && n < r->transactions; n++, at += d->images + 2) {
		d = log_at(img, at, PFS_LOG_DESCRIPTOR, first + n);
		for (uint32_t i = 0; ok && i < d->images; i++) {
			if (d->blocks[i] < img->blocks && n < void_before[d->blocks[i]])
				continue;
			ok = put_home(img, d, at, i);
			r->images++;
		}
	}
	free(void_before);
	return ok ? 0 : -1;
}

static int undo(struct pfs_image *img, uint32_t sequence, struct pfs_replay *r)
{
	struct pfs_log *d;
	bool ok = true;

	for (uint32_t at = 1; ok && (d = log_at(img, at, PFS_LOG_DESCRIPTOR, sequence)); at += d->images + 1) {
		if (!same_sum(d->sum, sum_of(img, at, d)))
			break;
		for (uint32_t i = 0; ok && i < d->images; i++, r->images++)
			ok = put_home(img, d, at, i);
	}
	return ok ? 0 : -1;
}

const char *pfs_recover(struct pfs_image *img, struct pfs_replay *r)
{
	const struct pfs_super *s = pfs_super(img);
	const struct pfs_log *header = (const struct pfs_log *)log_block(img, 0);

	*r = (struct pfs_replay){0};
	if (s->version < 2)
		return NULL;
	if (!header || header->magic != PFS_JOURNAL_MAGIC || header->kind != PFS_LOG_HEADER)
		return "the log has no header";
	if (header->mode != PFS_JOURNAL_REDO && header->mode != PFS_JOURNAL_UNDO)
		return "the log is of an unknown kind";
	r->in_use = header->in_use != 0;
	r->undo = header->mode == PFS_JOURNAL_UNDO;
	if (r->in_use && (r->undo ? undo : redo)(img, header->sequence, r) < 0)
		return "the log has an image of a block that cannot have one";
	return NULL;
}
