/* guestos/include/pfs_private.h: what the files of the PFS implementation share. fs_lock is held for all of these. */
#ifndef PFS_PRIVATE_H
#define PFS_PRIVATE_H

#include "fs.h"
#include "mm.h"
#include "proc.h"

extern struct mutex fs_lock;
extern struct pfs_super super;

/* Every change of the file system is an operation: from fs_begin() to fs_end(), all of it in one transaction. Both may sleep. */
int fs_begin(void);                    /* 0 with fs_lock held, or -EROFS without */
void fs_end(void);
bool commit_makes_room(int err);       /* err is -ENOSPC, and blocks that were waiting for a commit can be used now: try again. Without fs_lock */

#define BITS_PER_BLOCK (PFS_BLOCK_SIZE * 8)    /* of a bitmap */

/* pfs.c: the metadata buffer cache (frames of the page cache, pinned while held) and the bitmaps */
int block_read(uint32_t block, struct frame **out);
int block_zeroed(uint32_t block, struct frame **out);
void block_write(struct frame *f);     /* the only way metadata becomes dirty: it joins the running transaction */
void block_put(struct frame *f);
int block_alloc(uint32_t *out);        /* 0, -ENOSPC, -EIO */
void block_release(uint32_t block);
bool block_valid(uint32_t block);

/* pfs_inode.c */
int inode_load(uint32_t ino, struct inode **out);
int inode_named(uint32_t ino, struct inode **out);          /* the same for one that a name leads to: -EIO if it has no links */
int inode_alloc(uint32_t mode, struct inode **out);
int inode_write(struct inode *ip);
int inode_map(struct inode *ip, uint32_t index, bool alloc, uint32_t *block);
void inode_release(struct inode *ip);
int inode_free_nameless(bool on_disk);

/* pfs_file.c; all may sleep */
int page_get(struct inode *ip, uint32_t index, uint32_t block, struct frame **f);
int zero_tail(struct inode *ip, uint32_t size, bool shrinking);

/* txn.c; all but txn_any() may sleep */
bool txn_any(void);
int txn_access(struct file *f, uint32_t n, uint32_t at, bool write);
int txn_ioctl(struct file *f, uint32_t request, uaddr_t arg);
void txn_close(struct file *f);

/* pfs_dir.c; all may sleep */
int dir_next(struct inode *dp, uint32_t *pos, struct pfs_dirent *e);   /* the next entry in use at or after *pos: 1, 0 at the end, or -error */
int dir_find(struct inode *dp, const char *name, uint32_t *ino, uint32_t *where);      /* inode number and, unless NULL, where the entry is */
int dir_put(struct inode *dp, uint32_t where, const struct pfs_dirent *e);
int dir_add(struct inode *dp, const char *name, uint32_t ino);
int dir_remove(struct inode *dp, uint32_t where);
int dir_check_empty(struct inode *dp);                 /* 0, -ENOTEMPTY */
int dir_walk(const char *path, struct inode **out, char *last);        /* the inode of path or, unless last is NULL, its directory; last: the final name */

#endif
