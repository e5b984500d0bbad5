/* guestos/kernel/sys_mem.c: system calls on memory: brk, mmap and its family, mlock.
 *
 * The checks and the errors they give are Linux's, in Linux's order, since programs probe for them; the work is in mm/mmap.c. */
#include "syscalls.h"
#include "fs.h"
#include "mm.h"

/* Linux' convention: the break after the call; unchanged means refused. */
int sys_brk(struct trapframe *tf)
{
	if (ARG0(tf) >= current->space->brk_start)
		space_set_brk(current->space, ARG0(tf));
	return current->space->brk;
}

/* What mmap was asked for. */
struct request { uint32_t address, length, prot, flags, page; struct file *file; };

/* Where it goes: page-aligned start and length, or an error. */
static int place(struct request *q)
{
	struct space *s = current->space;
	if (!q->length)
		return -EINVAL;
	q->length = page_up(q->length);
	if (!q->length)
		return -ENOMEM;
	if (q->page + (q->length >> PAGE_SHIFT) < q->page)
		return -EOVERFLOW;
	if (q->length > KERNEL_BASE)
		return -ENOMEM;
	if (!(q->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
		uint32_t hint = page_down(q->address);
		q->address = space_find_gap(s, hint && hint < USER_START ? USER_START : hint, q->length);
		return q->address ? 0 : -ENOMEM;
	}
	if (q->address > KERNEL_BASE - q->length)
		return -ENOMEM;
	if (q->address % PAGE_SIZE)
		return -EINVAL;
	if (q->address < USER_START)
		return -EPERM;                 /* so that a null pointer always faults */
	struct region *r = region_after(s, q->address);
	return q->flags & MAP_FIXED_NOREPLACE && r && r->start < q->address + q->length ? -EEXIST : 0;
}

/* May this file be mapped like this? */
static int check_file(const struct request *q, struct region *r)
{
	uint32_t type = q->flags & MAP_TYPE, access = q->file->flags & O_ACCMODE;
	if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) {
		if (q->prot & PROT_WRITE && access == O_RDONLY)
			return -EACCES;
		r->shared = true;
		r->may_write = access == O_RDWR;
	} else if (type != MAP_PRIVATE) {
		return -EINVAL;
	}
	if (access == O_WRONLY)
		return -EACCES;
	if (!q->file->inode || !S_ISREG(q->file->inode->d.mode))
		return -ENODEV;
	r->kind = REGION_FILE;
	r->inode = q->file->inode;
	r->file_page = q->page;
	r->file_bytes = q->length;
	return 0;
}

static int map(struct request *q)
{
	struct space *s = current->space;
	int err = place(q);
	if (err)
		return err;
	struct region r = { .start = q->address, .end = q->address + q->length, .kind = REGION_ANON,
		.prot = q->prot & (PROT_READ | PROT_WRITE | PROT_EXEC), .may_write = true };
	if (q->file)
		err = check_file(q, &r);
	else if ((q->flags & MAP_TYPE) == MAP_SHARED)
		r.shared = true;
	else if ((q->flags & MAP_TYPE) != MAP_PRIVATE)
		err = -EINVAL;
	bool takes_memory = !r.inode ? r.shared || r.prot & PROT_WRITE : !r.shared && r.prot & PROT_WRITE;
	if (!err && takes_memory && !(q->flags & MAP_NORESERVE) && !space_affordable(region_pages(&r)))
		err = -ENOMEM;
	if (!err && r.shared && !r.inode && !(r.object = object_new(region_pages(&r))))
		err = -ENOMEM;
	if (!err)
		err = space_map(s, &r);
	if (r.object)
		object_put(r.object);          /* the region has a reference of its own */
	return err ? err : (int)q->address;
}

static int map_fd(struct request *q, uint32_t fd)
{
	if (!(q->flags & MAP_ANONYMOUS) && !(q->file = fd < MAX_FILES ? current->files[fd] : NULL))
		return -EBADF;
	return map(q);
}

int sys_mmap2(struct trapframe *tf)
{
	struct request q = { ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf), ARG5(tf), NULL };
	return map_fd(&q, ARG4(tf));
}

/* The old call: its six arguments are in memory, and the offset is in bytes. */
int sys_old_mmap(struct trapframe *tf)
{
	uint32_t a[6];
	if (copy_from_user(a, ARG0(tf), sizeof a))
		return -EFAULT;
	if (a[5] % PAGE_SIZE)
		return -EINVAL;
	struct request q = { a[0], a[1], a[2], a[3], a[5] >> PAGE_SHIFT, NULL };
	return map_fd(&q, a[4]);
}

int sys_munmap(struct trapframe *tf)
{
	uint32_t start = ARG0(tf), n = ARG1(tf);
	if (start % PAGE_SIZE || start > KERNEL_BASE || n > KERNEL_BASE - start || !n)
		return -EINVAL;
	return space_unmap(current->space, start, start + page_up(n));
}

int sys_mprotect(struct trapframe *tf)
{
	uint32_t start = ARG0(tf), n = page_up(ARG1(tf));
	if (start % PAGE_SIZE)
		return -EINVAL;
	if (!ARG1(tf))
		return 0;
	if (start + n <= start)
		return -ENOMEM;
	if (ARG2(tf) & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
		return -EINVAL;
	if (start >= KERNEL_BASE)
		return -ENOMEM;
	return space_protect(current->space, start, min(start + n, KERNEL_BASE), ARG2(tf) & ~PROT_SEM);
}

static int lock_range(struct trapframe *tf, bool lock)
{
	uint32_t start = ARG0(tf), n = ARG1(tf);
	if (start >= KERNEL_BASE || n > KERNEL_BASE - start)
		return -ENOMEM;
	return space_lock_range(current->space, page_down(start), page_up(start + n), lock);
}

int sys_mlock(struct trapframe *tf) { return lock_range(tf, true); }
int sys_munlock(struct trapframe *tf) { return lock_range(tf, false); }
