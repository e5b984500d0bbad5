/* guestos/fs/txn.c: transactions that programs name: begin, commit and abort by ioctl on an open file.
 *
 * The journal makes each operation whole. This makes several writes whole, with an undo log, and shows what goes wrong when transactions see each
 * other's unfinished work. An open file is in at most one transaction; what is read and written through it belongs to that. Before
 * bytes of a file change, their old contents go to the end of /txn.log, which is itself a file of PFS: its records are operations
 * earlier than the changes they are about, so after a crash no change is there without its record. Whatever did not
 * commit is then undone at mount, the last change first.
 *
 *   not strict   bytes that another running transaction has written can be read and written; the reader then depends on the
 *                writer: it cannot commit before it, and if the writer aborts it is aborted too, and so on (cascading abort)
 *   strict       such bytes, and for a writer those that others have read, are refused with EAGAIN until the other has ended
 *
 * Simplified: a refused access is not waited for, so there is no deadlock to find. A transaction changes bytes within a file, and does not
 * make it longer. Reading and writing through other open files and mappings is not looked at. */
#include "pfs_private.h"
#include "pfs_txn.h"

#define LOG_RECORDS 256u

struct txn {
	struct file *file;             /* NULL: unused */
	uint32_t id, depends;          /* a bit for each transaction (by place in the table) whose unfinished work it has seen */
	bool strict, cancelled;        /* cancelled: aborted because of another; its program has not been told yet */
};

static struct mutex lock;              /* taken before fs_lock */
static struct txn txns[TXN_RUNNING_MAX];
static uint32_t last_id, in_use;
static struct inode *log;

bool txn_any(void) { return in_use; }

static uint32_t bit(const struct txn *t) { return 1u << (t - txns); }
static uint32_t records(void) { return log->d.size / sizeof(struct txn_record); }

static struct txn *txn_of(const struct file *f)
{
	for (uint32_t i = 0; i < TXN_RUNNING_MAX; i++)
		if (txns[i].file == f)
			return &txns[i];
	return NULL;
}

static struct txn *running_by_id(uint32_t id)
{
	for (uint32_t i = 0; i < TXN_RUNNING_MAX; i++)
		if (txns[i].file && !txns[i].cancelled && txns[i].id == id)
			return &txns[i];
	return NULL;
}

static int append(const struct txn_record *r)
{
	bool ends = r->kind == TXN_REC_COMMIT || r->kind == TXN_REC_ABORT;     /* for those there is always room */
	if (records() >= LOG_RECORDS - (ends ? 0 : 2 * TXN_RUNNING_MAX))
		return -ENOSPC;
	int n = pfs_write_kernel(log, r, sizeof *r, log->d.size);
	return n < 0 ? n : 0;
}

static int read_record(uint32_t i, struct txn_record *r)
{
	int n = pfs_read_kernel(log, r, sizeof *r, i * sizeof *r);
	return n == sizeof *r ? 0 : n < 0 ? n : -EIO;
}

static int note(const struct txn *t, enum txn_kind kind, uint32_t n)
{
	struct txn_record r = { .txn = t->id, .kind = kind, .ino = t->file->inode->ino, .n = n };
	return append(&r);
}

/* Which other running transactions have written these bytes, or also read them? A bit for each. */
static int others(const struct txn *t, uint32_t at, uint32_t n, bool readers, uint32_t *who)
{
	struct txn_record r;
	*who = 0;
	for (uint32_t i = 0; i < records(); i++) {
		int err = read_record(i, &r);
		if (err)
			return err;
		const struct txn *other = running_by_id(r.txn);
		bool counts = r.kind == TXN_REC_WRITE || (readers && r.kind == TXN_REC_READ);
		if (counts && other && other != t && r.ino == t->file->inode->ino && r.at < at + n && at < r.at + r.n)
			*who |= bit(other);
	}
	return 0;
}

static int depend(struct txn *t, uint32_t who)
{
	int err = 0;
	who &= ~t->depends;
	for (uint32_t i = 0; !err && i < TXN_RUNNING_MAX; i++)
		if (who & 1u << i)
			err = note(t, TXN_REC_DEPENDS, txns[i].id);
	t->depends |= who;
	return err;
}

static int save_old(const struct txn *t, uint32_t at, uint32_t n)
{
	struct inode *ip = t->file->inode;
	int err = n > TXN_WRITE_MAX || at > ip->d.size || n > ip->d.size - at ? -EINVAL : 0;
	for (uint32_t done = 0; !err && done < n;) {
		struct txn_record r = { .txn = t->id, .kind = TXN_REC_WRITE, .ino = ip->ino, .at = at + done, .n = min(n - done, TXN_OLD) };
		err = pfs_read_kernel(ip, r.old, r.n, r.at);
		if (err >= 0)
			err = append(&r);
		done += r.n;
	}
	return err;
}

/* Before the file is read or written. May sleep. -EAGAIN, -ECANCELED, or an error of the log. */
int txn_access(struct file *f, uint32_t n, uint32_t at, bool write)
{
	uint32_t who;
	mutex_lock(&lock);
	struct txn *t = txn_of(f);
	int err = !t ? 0 : t->cancelled ? -ECANCELED : others(t, at, n, write && t->strict, &who);
	if (!err && t && who)
		err = t->strict ? -EAGAIN : depend(t, who);
	if (!err && t && write)
		err = save_old(t, at, n);
	else if (!err && t && t->strict) {
		struct txn_record r = { .txn = t->id, .kind = TXN_REC_READ, .ino = f->inode->ino, .at = at, .n = n };
		err = append(&r);
	}
	mutex_unlock(&lock);
	return err;
}

static void forget(struct txn *t)
{
	for (uint32_t i = 0; i < TXN_RUNNING_MAX; i++)
		txns[i].depends &= ~bit(t);
	t->file = NULL;
	in_use--;
}

static int begin(struct file *f, bool strict)
{
	struct txn *t = txn_of(NULL);
	if (txn_of(f) || !t)
		return txn_of(f) ? -EBUSY : -EAGAIN;
	int err = log ? 0 : pfs_create(TXN_LOG, 0600, false, &log);
	if (!err && (f->inode == log || !S_ISREG(log->d.mode)))
		err = -EINVAL;
	if (!err && !in_use)
		err = pfs_truncate(log, 0);
	if (err)
		return err;
	*t = (struct txn){ .file = f, .id = ++last_id, .strict = strict };
	in_use++;
	err = note(t, TXN_REC_BEGIN, 0);
	if (err)
		forget(t);
	return err ? err : (int)t->id;
}

static int commit(struct txn *t)
{
	if (t->cancelled) {
		forget(t);
		return -ECANCELED;
	}
	if (t->depends)
		return -EBUSY;
	int err = note(t, TXN_REC_COMMIT, 0);
	if (err)
		return err;
	forget(t);
	return pfs_sync();
}

/* Those who have seen what one of them did, and those who have seen what these did, ... */
static uint32_t closure(uint32_t set)
{
	for (uint32_t before = 0; before != set;) {
		before = set;
		for (uint32_t i = 0; i < TXN_RUNNING_MAX; i++)
			if (txns[i].file && !txns[i].cancelled && txns[i].depends & set)
				set |= 1u << i;
	}
	return set;
}

/* The log is a file, in which everybody may write; and a file may have become shorter since. What a record says is put back only where that
 * makes sense. */
static bool sound(const struct txn_record *r, const struct inode *ip)
{
	return S_ISREG(ip->d.mode) && ip != log && r->n <= TXN_OLD && r->at <= ip->d.size && r->n <= ip->d.size - r->at;
}

/* Everything any of them wrote is put back, the newest first: that is right even where one overwrote another. */
static int undo(uint32_t set)
{
	struct txn_record r;
	for (uint32_t i = records(); i--;) {
		int err = read_record(i, &r);
		const struct txn *t = err ? NULL : running_by_id(r.txn);
		if (t && set & bit(t) && r.kind == TXN_REC_WRITE && sound(&r, t->file->inode))
			err = pfs_write_kernel(t->file->inode, r.old, r.n, r.at);
		if (err < 0)
			return err;
	}
	return 0;
}

static int abort_with_followers(struct txn *t)
{
	if (t->cancelled) {
		forget(t);
		return 0;
	}
	uint32_t set = closure(bit(t));
	int err = undo(set);
	for (uint32_t i = 0; i < TXN_RUNNING_MAX; i++)
		if (set & 1u << i) {
			int e = err ? 0 : note(&txns[i], TXN_REC_ABORT, 0);
			err = err ? err : e;
			txns[i].cancelled = true;
		}
	for (uint32_t i = 0; i < TXN_RUNNING_MAX; i++)
		if (set & 1u << i)
			for (uint32_t k = 0; k < TXN_RUNNING_MAX; k++)
				txns[k].depends &= ~(1u << i);
	forget(t);
	return err;
}

int txn_ioctl(struct file *f, uint32_t request, uaddr_t arg)
{
	if (request != TXN_BEGIN && request != TXN_COMMIT && request != TXN_ABORT)
		return -ENOTTY;
	if (!S_ISREG(f->inode->d.mode) || (f->flags & O_ACCMODE) != O_RDWR)
		return -EINVAL;
	mutex_lock(&lock);
	struct txn *t = txn_of(f);
	int r = request == TXN_BEGIN ? begin(f, arg) : !t ? -EINVAL : request == TXN_COMMIT ? commit(t) : abort_with_followers(t);
	mutex_unlock(&lock);
	return r;
}

/* A program that ends in the middle of a transaction has not committed it. */
void txn_close(struct file *f)
{
	mutex_lock(&lock);
	struct txn *t = txn_of(f);
	if (t)
		abort_with_followers(t);
	mutex_unlock(&lock);
}

static int put_back(const struct txn_record *r)
{
	struct inode *ip;
	mutex_lock(&fs_lock);
	int err = inode_load(r->ino, &ip);
	mutex_unlock(&fs_lock);
	if (err)
		return err;
	err = sound(r, ip) ? pfs_write_kernel(ip, r->old, r->n, r->at) : 0;
	inode_put(ip);
	return err;
}

/* At mount: undo what was running when the power went. Going backwards, the end of a transaction is seen before its writes. */
int txn_recover(void)
{
	static uint32_t ended[LOG_RECORDS];
	uint32_t nr_ended = 0, undone = 0;
	struct txn_record r;
	if (pfs_lookup(TXN_LOG, &log))
		return 0;                      /* no transaction ever ran here */
	int err = S_ISREG(log->d.mode) && records() <= LOG_RECORDS ? 0 : -EEXIST;      /* it is something else */
	for (uint32_t i = err ? 0 : records(); err >= 0 && i--;) {
		bool over = false;
		err = read_record(i, &r);
		for (uint32_t k = 0; k < nr_ended; k++)
			over |= ended[k] == r.txn;
		if (!err && (r.kind == TXN_REC_COMMIT || r.kind == TXN_REC_ABORT))
			ended[nr_ended++] = r.txn;
		else if (!err && r.kind == TXN_REC_WRITE && !over && ++undone)
			err = put_back(&r);
	}
	if (undone)
		printk("%s: %u changes of unfinished transactions undone\n", TXN_LOG, undone);
	if (err == -EEXIST)
		return 0;
	return err < 0 ? err : undone ? pfs_truncate(log, 0) : 0;
}
