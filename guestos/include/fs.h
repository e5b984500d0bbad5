/* guestos/include/fs.h: open files, the PFS file system, pipes, /proc and /dev.
 *
 * Locking: fs_lock (inside pfs.c) covers all metadata: inodes, bitmaps, directories, block pointers. It is never
 * held while user memory is touched, because a page fault may need it to find the page in a file. */
#ifndef FS_H
#define FS_H

#include "kernel.h"
#include "mm.h"
#include "pfs.h"

struct inode {                         /* an inode in memory; one per number */
	struct inode *next;
	uint32_t ino, refs;
	char *path;                    /* a name by which it was opened, for /proc/PID/maps; NULL: never. Simplified: a rename is not followed */
	struct pfs_inode d;
};

struct file;
struct frame;
#define DEV_PFS  0x0301u               /* stat_info.dev: which file system */
#define DEV_PROC 4u
#define DEV_DEV  5u
#define FILE_SIZE_MAX 0x7fffffffu       /* bytes: what lseek() can express */
struct stat_info { uint32_t dev, ino, mode, nlink, size, blocks, mtime, rdev; };
struct dir_entry { uint32_t ino; uint8_t type; char name[PFS_NAME_MAX + 1]; };
struct file_ops {
	int (*read)(struct file *f, uaddr_t to, uint32_t n, uint32_t pos);     /* bytes or -error */
	int (*write)(struct file *f, uaddr_t from, uint32_t n, uint32_t pos);
	int (*next_entry)(struct file *f, uint32_t *pos, struct dir_entry *e); /* 1, 0 at the end, -error */
	int (*stat)(struct file *f, struct stat_info *st);
	int (*ioctl)(struct file *f, uint32_t request, uaddr_t arg);
	uint32_t (*ready)(struct file *f);      /* POLLIN...: what would not wait now; NULL: nothing ever waits. Does not sleep */
	void (*close)(struct file *f);
	struct frame *(*frame)(const struct file *f);  /* the kernel frame it keeps, or NULL */
	bool seekable;
};
struct file {
	const struct file_ops *ops;
	uint32_t refs, flags, pos;
	struct ahead ahead;            /* PFS: its read()s */
	struct inode *inode;           /* PFS */
	struct pipe *pipe;
	uint32_t number;               /* /proc and /dev: which file */
	int pid;                       /* /proc/PID */
	char *path;                    /* of a directory, as it was opened */
	char *text;                    /* /proc: contents made at offset 0 */
	uint32_t text_len;
};

/* file.c; all may sleep */
struct file *file_new(const struct file_ops *ops, uint32_t flags);
void file_put(struct file *f);
int file_open(const char *path, uint32_t flags, uint32_t mode, struct file **out);
int path_from(const char *base, const char *path, char *out);  /* out has PATH_MAX bytes */
int path_absolute(const char *path, char *out);                /* from the current directory */
bool path_below(const char *path, const char *top);            /* top or something in it; does not sleep */
int path_stat(const char *path, struct stat_info *st);
#define PATH_MAX 256u

/* disk.c */
int disk_init(void);                                           /* may sleep; finds the partitions */
int disk_block(uint32_t block, paddr_t pa, bool write);        /* may sleep */
int disk_swap(uint32_t slot, paddr_t pa, bool write);          /* may sleep */
uint32_t disk_fs_blocks(void);

/* pfs.c, pfs_inode.c, pfs_dir.c, pfs_name.c; all may sleep */
int pfs_mount(void);
void pfs_unmount(void);                                        /* nothing can use the file system afterwards */
int pfs_lookup(const char *path, struct inode **out);          /* absolute path; inode with a reference */
int pfs_create(const char *path, uint32_t mode, bool exclusive, struct inode **out);
int pfs_mkdir(const char *path, uint32_t mode);
int pfs_rmdir(const char *path);
int pfs_unlink(const char *path);
int pfs_rename(const char *from, const char *to);
int pfs_link(const char *from, const char *to);
int pfs_set_attributes(struct inode *ip, const uint32_t *mode, const uint32_t *mtime);        /* NULL: as it is */
struct pfs_usage { uint32_t blocks, free_blocks, inodes, free_inodes; };
int pfs_usage(struct pfs_usage *u);
int pfs_truncate(struct inode *ip, uint32_t size);
void inode_get(struct inode *ip);
void inode_put(struct inode *ip);
void inode_remember_path(struct inode *ip, const char *path);
int pfs_page(struct inode *ip, uint32_t index, struct frame **out);    /* pinned */
int pfs_page_ahead(struct inode *ip, uint32_t index);          /* into the page cache, if it is not a hole; 0 or -error */
int pfs_page_give_block(struct inode *ip, uint32_t index, struct frame *f);
int pfs_write_kernel(struct inode *ip, const void *from, uint32_t n, uint32_t pos);
int txn_recover(void);                                         /* undo what programs' transactions had not finished */
int pfs_read_kernel(struct inode *ip, void *to, uint32_t n, uint32_t pos);
extern const struct file_ops pfs_file_ops;
int pfs_sync(void);
void journal_each_table(void (*fn)(struct frame *f, int by), int by); /* for check.c */
void journal_in_place(uint32_t block);                         /* a file's data has been written to this block; does not sleep */

/* sys_poll.c: woken whenever a file may have become ready */
extern const char poll_channel;

/* pipe.c */
int pipe_new(struct file **read_end, struct file **write_end);
/* procfs.c, devfs.c */
struct proc;
struct text { char *at, *end; };                               /* a /proc file being written: show functions print into it */
void journal_show(struct text *t, struct proc *p);
void print(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
int procfs_open(const char *path, struct file **out);          /* path after "/proc" */
int devfs_open(const char *path, struct file **out);           /* path after "/dev" */
int procfs_link(const char *path, char *target, uint32_t room);       /* length, or -EINVAL: not a link */
struct file *console_open(void);

#endif
