/* guestos/kernel/sys_mem.c: system calls on memory: brk, mmap and its family, madvise, msync, mincore, mlock.
 *
 * The checks and the errors they give are Linux's, in Linux's order, since programs probe for them; the work is in mm/mmap.c, mremap.c,
 * advice.c and mlock.c. */
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

/* Flags from before MAP_SHARED_VALIDATE was there, which it takes like MAP_SHARED. Simplified: those that are not in abi.h
 * (MAP_GROWSDOWN, MAP_STACK, MAP_HUGETLB and others) change nothing. */
#define MAP_KNOWN (MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | 0x100u | 0xf800u | 0x70000u | MAP_FIXED_NOREPLACE)

/* May this file be mapped like this? */
static int check_file(const struct request *q, struct region *r)
{
	uint32_t type = q->flags & MAP_TYPE, access = q->file->flags & O_ACCMODE;
	if (type == MAP_SHARED_VALIDATE && q->flags & ~MAP_KNOWN)
		return -EOPNOTSUPP;
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
		.prot = q->prot & (PROT_READ | PROT_WRITE | PROT_EXEC), .may_write = true,
		.locked = s->lock_future ? s->lock_future : q->flags & MAP_LOCKED ? LOCKED_ALL : NOT_LOCKED };
	if (q->file)
		err = check_file(q, &r);
	else if ((q->flags & MAP_TYPE) == MAP_SHARED)
		r.shared = true;
	else if ((q->flags & MAP_TYPE) != MAP_PRIVATE)
		err = -EINVAL;
	bool takes_memory = !r.inode ? r.shared || r.prot & PROT_WRITE : !r.shared && r.prot & PROT_WRITE;
	if (!err && takes_memory && !(q->flags & MAP_NORESERVE) && !space_affordable(region_pages(&r)))
		err = -ENOMEM;
	if (!err && !space_may_grow(s, region_pages(&r)))
		err = -ENOMEM;
	if (!err && r.shared && !r.inode && !(r.object = object_new(region_pages(&r))))
		err = -ENOMEM;
	if (!err)
		err = space_map(s, &r);
	if (r.object)
		object_put(r.object);          /* the region has a reference of its own */
	if (!err && (r.locked == LOCKED_ALL || q->flags & MAP_POPULATE))
		space_populate(s, r.start, r.end);
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

int sys_mremap(struct trapframe *tf)
{
	struct space *s = current->space;
	uint32_t from = ARG0(tf), length = page_up(ARG1(tf)), new_length = page_up(ARG2(tf)), flags = ARG3(tf), to = ARG4(tf);
	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED) || (flags & MREMAP_FIXED && !(flags & MREMAP_MAYMOVE)) || from % PAGE_SIZE || !new_length)
		return -EINVAL;
	if (!(flags & MREMAP_FIXED))
		return space_remap(s, from, length, new_length, flags & MREMAP_MAYMOVE, 0);
	if (to % PAGE_SIZE || new_length > KERNEL_BASE || to > KERNEL_BASE - new_length)
		return -EINVAL;
	if (from + length > to && to + new_length > from)
		return -EINVAL;
	if (to < USER_START)
		return -EPERM;
	struct region *r = region_find(s, from);
	if (!r || length > r->end - from)
		return -EFAULT;
	int err = space_unmap(s, to, to + new_length);
	return err ? err : space_remap(s, from, length, new_length, true, to);
}

/* A range that msync or madvise is given: its end, or an error; start itself if there is nothing to do. */
static int range_end(uint32_t start, uint32_t n, int error, uint32_t *end)
{
	*end = start + page_up(n);
	if (start % PAGE_SIZE)
		return -EINVAL;
	return (n && !page_up(n)) || *end < start ? error : 0;
}

int sys_msync(struct trapframe *tf)
{
	uint32_t flags = ARG2(tf), end;
	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	int err = range_end(ARG0(tf), ARG1(tf), -ENOMEM, &end);
	return err ? err : space_sync(current->space, ARG0(tf), end, flags);
}

int sys_madvise(struct trapframe *tf)
{
	uint32_t end;
	if (ARG2(tf) > MADV_DONTNEED)
		return -EINVAL;
	int err = range_end(ARG0(tf), ARG1(tf), -EINVAL, &end);
	return err ? err : space_advise(current->space, ARG0(tf), end, ARG2(tf));
}

int sys_mincore(struct trapframe *tf)
{
	uint32_t start = ARG0(tf), n = ARG1(tf), pages = n / PAGE_SIZE + (n % PAGE_SIZE != 0);
	if (start % PAGE_SIZE)
		return -EINVAL;
	if (!in_user_half(start, n))
		return -ENOMEM;
	if (!in_user_half(ARG2(tf), pages))
		return -EFAULT;
	return space_in_core(current->space, start, pages, ARG2(tf));
}

static int lock_range(struct trapframe *tf, enum locked how)
{
	uint32_t start = ARG0(tf), n = ARG1(tf);
	if (start >= KERNEL_BASE || n > KERNEL_BASE - start)
		return -ENOMEM;
	return space_lock_range(current->space, page_down(start), page_up(start + n), how);
}

int sys_mlock(struct trapframe *tf) { return lock_range(tf, LOCKED_ALL); }
int sys_munlock(struct trapframe *tf) { return lock_range(tf, NOT_LOCKED); }

int sys_mlock2(struct trapframe *tf)
{
	if (ARG2(tf) & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(tf, ARG2(tf) ? LOCKED_ON_FAULT : LOCKED_ALL);
}

int sys_mlockall(struct trapframe *tf)
{
	enum locked how = ARG0(tf) & MCL_ONFAULT ? LOCKED_ON_FAULT : LOCKED_ALL;
	if (!(ARG0(tf) & (MCL_CURRENT | MCL_FUTURE)) || ARG0(tf) & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return -EINVAL;
	current->space->lock_future = ARG0(tf) & MCL_FUTURE ? how : NOT_LOCKED;
	return ARG0(tf) & MCL_CURRENT ? space_lock_all(current->space, how) : 0;
}

int sys_munlockall(struct trapframe *tf)
{
	(void)tf;
	current->space->lock_future = NOT_LOCKED;
	return space_lock_all(current->space, NOT_LOCKED);
}
