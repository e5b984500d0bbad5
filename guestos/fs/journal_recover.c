/* guestos/fs/journal_recover.c: what mounting does with the log of a machine that lost power. The format is in include/pfs.h.
 *
 * Redo takes two passes over the transactions that count: the first finds where they end and what they revoke, the second copies the
 * images home. Both recoveries can be interrupted at any point and begun again: they only write what is in the log, which stays as it is until
 * everything is home and flushed. Afterwards the number goes on by more than the log can hold, so that nothing left in it can ever be
 * taken for new. */
#include "pfs_journal.h"

#define REVOCATIONS (PAGE_SIZE / sizeof(struct revocation))

struct revocation { uint32_t block, sequence; };       /* images of block in transactions before this one are void */
static struct { struct revocation *at; uint32_t n; } revocations;

/* Sum over the images behind the descriptor that is in journal.descriptor; sum has the descriptor in it or not. */
static int sum_images(uint32_t at, struct pfs_sum *sum)
{
	const struct pfs_log *log = frame_va(journal.descriptor);
	int err = 0;
	for (uint32_t i = 0; !err && i < log->images; i++) {
		err = log_read(at + 1 + i, journal.copy);
		if (!err)
			pfs_sum(sum, frame_va(journal.copy));
	}
	return err;
}

/* Is there a whole transaction of this number? 1, 0 or an error. Its descriptor is left in journal.descriptor. */
static int redo_counts(uint32_t at, uint32_t sequence)
{
	const struct pfs_log *log = frame_va(journal.descriptor), *commit = frame_va(journal.copy);
	struct pfs_sum sum = pfs_sum_start(sequence);
	if (at + 2 > journal.size)
		return 0;
	int err = log_read(at, journal.descriptor);
	if (err || !log_valid(log, PFS_LOG_DESCRIPTOR, sequence) || at + log->images + 2 > journal.size)
		return err;
	pfs_sum(&sum, log);
	err = sum_images(at, &sum);
	if (!err)
		err = log_read(at + 1 + log->images, journal.copy);
	return err ? err : log_valid(commit, PFS_LOG_COMMIT, sequence) && commit->sum.a == sum.a && commit->sum.b == sum.b;
}

static int note_revocations(const struct pfs_log *log)
{
	for (uint32_t i = 0; i < log->revoked; i++) {
		if (revocations.n == REVOCATIONS)
			return -EINVAL;
		revocations.at[revocations.n++] = (struct revocation){ log->blocks[log->images + i], log->sequence };
	}
	return 0;
}

static bool revoked(uint32_t block, uint32_t sequence)
{
	for (uint32_t i = 0; i < revocations.n; i++)
		if (revocations.at[i].block == block && sequence < revocations.at[i].sequence)
			return true;
	return false;
}

/* A block of the file system that a transaction can have changed: not the superblock, not the log. */
static bool loggable(uint32_t block)
{
	return block && block < super.blocks && !(block >= journal.start && block < journal.start + journal.size);
}

static int copy_home(uint32_t at, bool redo, uint32_t *copied)
{
	const struct pfs_log *log = frame_va(journal.descriptor);
	int err = 0;
	for (uint32_t i = 0; !err && i < log->images; i++) {
		uint32_t block = log->blocks[i];
		if (redo && revoked(block, log->sequence))
			continue;
		err = loggable(block) ? log_read(at + 1 + i, journal.copy) : -EINVAL;
		if (!err)
			err = disk_block(block, frame_pa(journal.copy), true);
		++*copied;
	}
	return err;
}

static int recover_redo(uint32_t sequence)
{
	const struct pfs_log *log = frame_va(journal.descriptor);
	uint32_t at = 1, end = sequence;
	int r;
	while ((r = redo_counts(at, end)) == 1 && !(r = note_revocations(log))) {
		at += log->images + 2;
		end++;
	}
	at = 1;
	for (; r >= 0 && sequence != end; sequence++) {
		r = log_read(at, journal.descriptor);
		if (r >= 0)
			r = copy_home(at, true, &journal.replayed);
		at += log->images + 2;
	}
	return r;
}

static bool undo_counts(uint32_t at, uint32_t sequence)
{
	struct pfs_log *log = frame_va(journal.descriptor);
	if (at + 1 > journal.size || log_read(at, journal.descriptor) || !log_valid(log, PFS_LOG_DESCRIPTOR, sequence)
	    || at + log->images + 1 > journal.size)
		return false;
	struct pfs_sum sum = pfs_sum_start(sequence), wanted = log->sum;
	log->sum = (struct pfs_sum){ 0 };
	pfs_sum(&sum, log);
	return !sum_images(at, &sum) && sum.a == wanted.a && sum.b == wanted.b;
}

/* Old contents were logged once for each block, so the order does not matter; it is the last that was begun whose blocks cannot have
 * gone home, if its sum is wrong. */
static int recover_undo(uint32_t sequence)
{
	const struct pfs_log *log = frame_va(journal.descriptor);
	int err = 0;
	for (uint32_t at = 1; !err && undo_counts(at, sequence); at += log->images + 1)
		err = copy_home(at, false, &journal.undone);
	return err;
}

/* journal.sequence is the header's. */
int journal_recover(const struct pfs_log *header)
{
	struct frame *f = frame_alloc(ALLOC_KERNEL);
	if (!f)
		return -ENOMEM;
	revocations.at = frame_va(f);
	revocations.n = 0;
	int err = (header->mode == PFS_JOURNAL_UNDO ? recover_undo : recover_redo)(header->sequence);
	frame_free(f);
	if (err) {
		printk("hda: the file system's log cannot be used (error %d)\n", -err);
		return err;
	}
	if (!boot_options.quiet)
		printk("hda1: not unmounted: %u blocks %s\n", journal.replayed + journal.undone, journal.undone ? "undone" : "replayed");
	journal.sequence += journal.size;
	return log_header(true);
}
