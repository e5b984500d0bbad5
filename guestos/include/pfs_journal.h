/* guestos/include/pfs_journal.h: transactions: changes of many blocks that reach the disk together or not at all.
 *
 * An operation (one mkdir, one write of up to eight pages) is what happens between journal_begin() and the release of fs_lock. Operations
 * join the running transaction; journal_commit() makes all of them durable at once. There are two ways to do that:
 *
 *          at commit                                          until then            after a crash
 *   redo   new contents to the log, then a commit record      blocks stay in memory  committed images are copied home
 *   undo   old contents to the log, new contents home, then   blocks may go home,    images of what was not committed
 *          the header goes on to the next number              old contents first     are put back
 *
 * Invariants, which make one log enough for metadata and data:
 *   - A block in the running transaction is FRAME_LOGGED and pinned: nothing writes it home. At most TXN_MAX are.
 *   - A new block of a file is written in place, before the commit that makes it reachable. A block that the file had already is
 *     changed through the transaction, so an overwrite is whole as well.
 *   - A block freed by the running transaction is not used again before it has committed.
 *   - When a block that the log holds has been written in place as a file's data, or was freed, the next commit revokes its images.
 *   - Committing allocates no memory and waits for nothing but the disk.
 * fs_lock is held for all of these; those that say so may sleep. */
#ifndef PFS_JOURNAL_H
#define PFS_JOURNAL_H

#include "pfs_private.h"

#define TXN_MAX 64u            /* frames in the running transaction */
#define OPERATION_MAX 32u      /* blocks that one operation changes at most: bitmaps (PFS_BITMAP_MAX), inodes, entries, pointers, 8 pages */
#define PFS_BITMAP_MAX 16u     /* block bitmaps of a file system with a log: 2 GB */

struct block_set { struct frame *part[PFS_BITMAP_MAX]; };      /* a bit for each block */

struct journal {
	bool on, failed;               /* failed: the log could not be written; nothing changes any more */
	bool undo;
	bool begun;                    /* between journal_begin() and fs_end() */
	uint32_t start, size;          /* blocks; start has the header */
	uint32_t head;                 /* next free block of the log, counted from start */
	uint32_t sequence;             /* of the running transaction */
	bool in_use;                   /* the header says so */
	struct frame *txn[TXN_MAX];
	uint32_t in_txn;
	uint32_t revoked[PFS_JOURNAL_MAX];     /* by the running transaction */
	uint32_t nr_revoked;
	bool data_written;             /* a file's data went to the disk since the last flush */
	bool freed_any;
	struct block_set held;         /* redo: the log has an image that would be replayed; undo: has the old contents already */
	struct block_set freed;        /* by the running transaction */
	struct frame *descriptor, *copy;
	uint32_t commits, images, revokes, checkpoints, flushes, replayed, undone;     /* for /proc/journal */
};
extern struct journal journal;

/* journal.c */
int journal_mount(void);                       /* may sleep; recovers; 0 too if there is no log */
int journal_begin(void);                       /* may sleep: commits what is there if one more operation might not fit; 0 or -EROFS */
void journal_add(struct frame *f);             /* its block is changed now */
void journal_free(uint32_t block);
bool journal_may_use(uint32_t block);
bool journal_could_free(void);                 /* a commit would make blocks usable */
int journal_commit(void);                      /* may sleep */
void journal_unmount(void);                    /* may sleep */

/* journal_log.c: blocks of the log; all may sleep */
int log_write(uint32_t at, struct frame *f);
int log_read(uint32_t at, struct frame *f);
int log_header(bool in_use);                   /* and flushes */
int log_flush(void);
struct pfs_log *log_descriptor(struct frame *f, enum pfs_log_kind kind);
bool log_valid(const struct pfs_log *log, enum pfs_log_kind kind, uint32_t sequence);
bool set_has(const struct block_set *s, uint32_t block);
void set_add(struct block_set *s, uint32_t block);
void set_remove(struct block_set *s, uint32_t block);
void set_clear(struct block_set *s);
int set_new(struct block_set *s);

/* journal_undo.c, journal_recover.c; all may sleep */
void journal_drop_orphans(void);
void journal_release_frames(void);
int undo_steal(void);                          /* all that the running transaction changed goes home, old contents to the log */
int undo_commit(void);
int journal_recover(const struct pfs_log *header);

#endif
