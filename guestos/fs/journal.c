/* guestos/fs/journal.c: the running transaction and its commit by write-ahead (redo) log. The rules are in include/pfs_journal.h.
 *
 * A commit, and what each step waits for:
 *
 *   1  dirty data of files goes home              in place, since nothing that counts leads to it yet
 *   2  descriptor and images go to the log
 *   3  flush, if there was data                   the sum shows missing images, but says nothing about the data
 *   4  commit record
 *   5  flush                                      now it counts; after this the blocks may go home
 *
 * They go home when they are evicted, or all at once (checkpoint) when the log has no room for another transaction; then the log is empty
 * again. Since a checkpoint comes right after a commit, nothing is in the running transaction then, and there is always room for one more.
 * syncd commits every few seconds, so that many operations share one commit; fsync() and sync() do it at once.
 * Simplified: fsync() of one file commits everything and writes the data of all files. */
#include "pfs_journal.h"
#include "dev.h"

struct journal journal;

/* A file system whose log cannot be written changes no more: half an operation must not go home. */
static int fail(int err)
{
	if (err && !journal.failed) {
		journal.failed = true;
		printk("hda: the log cannot be written (error %d): the file system is read-only from now on\n", -err);
	}
	return err;
}

/* With fs_lock held and no operation begun. */
int journal_begin(void)
{
	if (!journal.on)
		return 0;
	if (!journal.failed && journal.in_txn + OPERATION_MAX > TXN_MAX) {
		bool room = journal.head + journal.in_txn + 1 + TXN_MAX + 1 <= journal.size;
		if (journal.undo && room)
			fail(undo_steal());
		else
			journal_commit();
	}
	journal.begun = !journal.failed;
	return journal.failed ? -EROFS : 0;
}

void journal_add(struct frame *f)
{
	if (journal.failed)
		return;                        /* seen in memory for a while, but not on the disk */
	f->flags |= FRAME_DIRTY;
	if (!journal.on || f->flags & FRAME_LOGGED)
		return;
	KASSERT(journal.begun && journal.in_txn < TXN_MAX);
	frame_lock(f);
	f->flags |= FRAME_LOGGED;
	journal.txn[journal.in_txn++] = f;
}

static void revoke(uint32_t block)
{
	if (journal.undo || !set_has(&journal.held, block))
		return;
	set_remove(&journal.held, block);
	KASSERT(journal.nr_revoked < PFS_JOURNAL_MAX);
	journal.revoked[journal.nr_revoked++] = block;
}

/* Its frame, if it is in the running transaction, has become an orphan by now and is left out at the commit. */
void journal_free(uint32_t block)
{
	if (!journal.on)
		return;
	revoke(block);
	set_add(&journal.freed, block);
	journal.freed_any = true;
}

bool journal_may_use(uint32_t block) { return !journal.on || !set_has(&journal.freed, block); }
bool journal_could_free(void) { return journal.on && journal.freed_any; }

/* Eviction comes here without the lock, perhaps during a commit: what it adds then belongs to the next one. It comes after the write, so that
 * the flush before a commit record covers every write whose revocation the commit has. */
void journal_in_place(uint32_t block)
{
	if (!journal.on)
		return;
	journal.data_written = true;
	revoke(block);
}

/* The frames whose file has lost them need not be written; the others move together. */
void journal_drop_orphans(void)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < journal.in_txn; i++) {
		struct frame *f = journal.txn[i];
		if (!(f->flags & FRAME_ORPHAN)) {
			journal.txn[n++] = f;
			continue;
		}
		f->flags &= ~FRAME_LOGGED;
		frame_unlock(f);
	}
	journal.in_txn = n;
}

/* Processes may write to a page of a file while it is on its way, so the log gets a copy, which agrees with the sum. */
static int write_image(uint32_t at, struct frame *f, struct pfs_sum *sum)
{
	if (f->object != OBJECT_DEVICE) {
		memcpy(frame_va(journal.copy), frame_va(f), PAGE_SIZE);
		f = journal.copy;
	}
	pfs_sum(sum, frame_va(f));
	return log_write(at, f);
}

static int write_images(uint32_t at, struct pfs_sum *sum)
{
	struct pfs_log *log = log_descriptor(journal.descriptor, PFS_LOG_DESCRIPTOR);
	log->images = journal.in_txn;
	log->revoked = journal.nr_revoked;
	for (uint32_t i = 0; i < journal.in_txn; i++)
		log->blocks[i] = journal.txn[i]->block;
	memcpy(&log->blocks[log->images], journal.revoked, log->revoked * 4);
	journal.revokes += log->revoked;
	journal.nr_revoked = 0;
	pfs_sum(sum, log);
	int err = log_write(at++, journal.descriptor);
	for (uint32_t i = 0; !err && i < journal.in_txn; i++)
		err = write_image(at++, journal.txn[i], sum);
	return err;
}

static int write_commit(uint32_t at, const struct pfs_sum *sum)
{
	struct pfs_log *log = log_descriptor(journal.copy, PFS_LOG_COMMIT);
	log->sum = *sum;
	return log_write(at, journal.copy);
}

/* The transaction counts: its blocks may go home from now on. */
void journal_release_frames(void)
{
	for (uint32_t i = 0; i < journal.in_txn; i++) {
		struct frame *f = journal.txn[i];
		if (!journal.undo)
			set_add(&journal.held, f->block);
		f->flags &= ~FRAME_LOGGED;
		frame_unlock(f);
	}
	journal.in_txn = 0;
}

static int checkpoint(void)
{
	int err = cache_sync(true);
	if (!err) {
		journal.checkpoints++;
		journal.nr_revoked = 0;
		set_clear(&journal.held);
		err = log_header(true);
	}
	return err;
}

static int redo_commit(void)
{
	struct pfs_sum sum = pfs_sum_start(journal.sequence);
	uint32_t at = journal.head, n = journal.in_txn;
	int err = journal.in_use ? 0 : log_header(true);
	if (!err)
		err = write_images(at, &sum);
	if (!err && journal.data_written)
		err = log_flush();
	if (!err)
		err = write_commit(at + 1 + n, &sum);
	if (!err)
		err = log_flush();
	if (err)
		return err;
	journal_release_frames();
	journal.head = at + n + 2;
	journal.sequence++;
	if (journal.head + TXN_MAX + 2 > journal.size)
		err = checkpoint();
	return err;
}

int journal_commit(void)
{
	int err = cache_sync(!journal.on), err2 = 0;
	if (!journal.on)
		return err | ide_flush() ? -EIO : 0;
	if (journal.failed)
		return -EROFS;
	journal_drop_orphans();
	if (journal.in_txn || journal.nr_revoked) {
		journal.commits++;
		journal.images += journal.in_txn;
		err2 = fail(journal.undo ? undo_commit() : redo_commit());
		if (!err2 && journal.freed_any) {
			set_clear(&journal.freed);
			journal.freed_any = false;
		}
	} else if (journal.data_written) {
		err2 = log_flush();
	}
	return err ? err : err2;
}

/* A clean end: the log is empty, and the next mount need not look for files without names. */
void journal_unmount(void)
{
	if (!journal.on || journal.failed || !journal.in_use)
		return;
	if (!fail(cache_sync(true)))
		fail(log_header(false));
}

void journal_each_table(void (*fn)(struct frame *f, int by), int by)
{
	struct frame *const ends[] = { journal.descriptor, journal.copy };
	for (uint32_t i = 0; i < 2; i++)
		if (ends[i])
			fn(ends[i], by);
	for (uint32_t i = 0; i < PFS_BITMAP_MAX; i++) {
		if (journal.held.part[i])
			fn(journal.held.part[i], by);
		if (journal.freed.part[i])
			fn(journal.freed.part[i], by);
	}
}

static const char *refuse(void)
{
	if (super.journal_blocks < PFS_JOURNAL_MIN || super.journal_blocks > PFS_JOURNAL_MAX)
		return "has an impossible size";
	if (super.journal < super.inode_table + super.inode_table_blocks || super.journal > super.first_data
	    || super.journal_blocks > super.first_data - super.journal)
		return "lies outside its place";
	if (super.block_bitmap_blocks > PFS_BITMAP_MAX)
		return "is for a smaller file system";
	return NULL;
}

/* Version 1 has no log: blocks go home when they like, and a crash leaves what it leaves. */
int journal_mount(void)
{
	struct pfs_log header;
	if (super.version < 2)
		return 0;
	const char *why = refuse();
	if (why) {
		printk("hda: the file system's log %s\n", why);
		return -EINVAL;
	}
	journal.start = super.journal;
	journal.size = super.journal_blocks;
	journal.undo = boot_options.undo;
	if (set_new(&journal.held) || set_new(&journal.freed) || !(journal.descriptor = frame_alloc(ALLOC_KERNEL))
	    || !(journal.copy = frame_alloc(ALLOC_KERNEL)))
		return -ENOMEM;
	int err = log_read(0, journal.copy);
	if (err)
		return err;
	memcpy(&header, frame_va(journal.copy), sizeof header);
	if (!log_valid(&header, PFS_LOG_HEADER, header.sequence) || header.mode - PFS_JOURNAL_REDO > 1) {
		printk("hda: the file system's log is damaged\n");
		return -EINVAL;
	}
	journal.sequence = header.sequence;
	journal.head = 1;
	if (header.in_use)
		err = journal_recover(&header);
	journal.on = !err;
	return err;
}
