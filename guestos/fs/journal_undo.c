/* guestos/fs/journal_undo.c: the other way to commit, for comparison: write-behind, with an undo log. Chosen by the kernel option journal=undo.
 *
 * The log gets the old contents of a block, and they are flushed, before the new ones overwrite them at home. So blocks of a transaction
 * that is still running may go home (a "steal", which bounds memory without ending the transaction), but all of them must be
 * there before it commits (a "force"); with the redo log it is the other way round. A commit writes as many blocks as redo, reads them as
 * well, waits for three flushes, and leaves an empty log: recovery has little to do. */
#include "pfs_journal.h"

/* Which blocks of the transaction are not in the log yet; their old contents are what lies at home. */
static struct pfs_log *describe(void)
{
	struct pfs_log *log = log_descriptor(journal.descriptor, PFS_LOG_DESCRIPTOR);
	for (uint32_t i = 0; i < journal.in_txn; i++) {
		uint32_t block = journal.txn[i]->block;
		if (set_has(&journal.held, block))
			continue;
		set_add(&journal.held, block);
		log->blocks[log->images++] = block;
	}
	return log;
}

static int log_old_contents(void)
{
	struct pfs_log *log = describe();
	struct pfs_sum sum = pfs_sum_start(journal.sequence);
	uint32_t at = journal.head;
	int err = 0;
	if (!log->images)
		return 0;
	pfs_sum(&sum, log);
	for (uint32_t i = 0; !err && i < log->images; i++) {
		err = disk_block(log->blocks[i], frame_pa(journal.copy), false);
		if (!err)
			err = log_write(at + 1 + i, journal.copy);
		pfs_sum(&sum, frame_va(journal.copy));
	}
	log->sum = sum;
	if (!err)
		err = log_write(at, journal.descriptor);
	journal.head = at + 1 + log->images;
	return err ? err : log_flush();
}

/* The transaction's frames go home and leave it; it goes on running. */
int undo_steal(void)
{
	int err = journal.in_use ? 0 : log_header(true);
	journal_drop_orphans();
	if (!err)
		err = log_old_contents();
	for (uint32_t i = 0; !err && i < journal.in_txn; i++) {
		journal.txn[i]->flags |= FRAME_BUSY;
		err = cache_write(journal.txn[i]);
	}
	if (!err)
		journal_release_frames();
	return err;
}

/* Once the header has gone on to the next number, the old contents in the log are nobody's any more. */
int undo_commit(void)
{
	int err = undo_steal();
	if (err)
		return err;
	journal.sequence++;
	journal.checkpoints++;
	set_clear(&journal.held);
	return log_header(true);
}
