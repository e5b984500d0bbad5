/* guestos/fs/journal_log.c: reading and writing blocks of the log, and sets of blocks. The format is in include/pfs.h.
 *
 * Everything that is read is judged before it is believed: the log is written by machines that lose power. */
#include "pfs_journal.h"
#include "dev.h"

#define BITS_PER_PART (PAGE_SIZE * 8)

int log_write(uint32_t at, struct frame *f)
{
	KASSERT(at < journal.size);
	return disk_block(journal.start + at, frame_pa(f), true);
}

int log_read(uint32_t at, struct frame *f)
{
	return at < journal.size ? disk_block(journal.start + at, frame_pa(f), false) : -EIO;
}

int log_flush(void)
{
	journal.flushes++;
	journal.data_written = false;
	return ide_flush();
}

struct pfs_log *log_descriptor(struct frame *f, enum pfs_log_kind kind)
{
	struct pfs_log *log = frame_va(f);
	memset(log, 0, PAGE_SIZE);
	log->magic = PFS_JOURNAL_MAGIC;
	log->kind = kind;
	log->sequence = journal.sequence;
	log->mode = journal.undo ? PFS_JOURNAL_UNDO : PFS_JOURNAL_REDO;
	return log;
}

bool log_valid(const struct pfs_log *log, enum pfs_log_kind kind, uint32_t sequence)
{
	return log->magic == PFS_JOURNAL_MAGIC && log->kind == (uint32_t)kind && log->sequence == sequence
		&& log->images <= journal.size - 2 && log->revoked <= PFS_LOG_BLOCKS - log->images;
}

/* From here on the log is empty and begins with the running transaction. The flush before makes sure that nothing in it is needed any
 * more, the one after that no block of the new log is there before it. */
int log_header(bool in_use)
{
	int err = log_flush();
	struct pfs_log *log = log_descriptor(journal.copy, PFS_LOG_HEADER);
	log->in_use = in_use;
	if (!err)
		err = log_write(0, journal.copy);
	if (!err)
		err = log_flush();
	journal.head = 1;
	journal.in_use = in_use;
	return err;
}

/* /proc/journal */
void journal_show(struct text *t, struct proc *p)
{
	const struct { const char *name; uint32_t value; } rows[] = {
		{ "sequence", journal.sequence }, { "running", journal.in_txn }, { "log_blocks", journal.size }, { "log_used", journal.head },
		{ "commits", journal.commits }, { "images", journal.images }, { "revoked", journal.revokes },
		{ "checkpoints", journal.checkpoints }, { "flushes", journal.flushes }, { "replayed", journal.replayed }, { "undone", journal.undone },
	};
	(void)p;
	print(t, "mode %s\n", journal.failed ? "failed" : !journal.on ? "none" : journal.undo ? "undo" : "redo");
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++)
		print(t, "%s %u\n", rows[i].name, rows[i].value);
}

static uint32_t *word_of(const struct block_set *s, uint32_t block)
{
	return (uint32_t *)frame_va(s->part[block / BITS_PER_PART]) + block % BITS_PER_PART / 32;
}

bool set_has(const struct block_set *s, uint32_t block) { return *word_of(s, block) & 1u << block % 32; }
void set_add(struct block_set *s, uint32_t block) { *word_of(s, block) |= 1u << block % 32; }
void set_remove(struct block_set *s, uint32_t block) { *word_of(s, block) &= ~(1u << block % 32); }

void set_clear(struct block_set *s)
{
	for (uint32_t i = 0; i < PFS_BITMAP_MAX && s->part[i]; i++)
		memset(frame_va(s->part[i]), 0, PAGE_SIZE);
}

/* An empty set that has room for every block of the file system. */
int set_new(struct block_set *s)
{
	for (uint32_t i = 0; i * BITS_PER_PART < super.blocks; i++)
		if (!(s->part[i] = frame_alloc(ALLOC_KERNEL)))
			return -ENOMEM;
	set_clear(s);
	return 0;
}
