/* guestos/mm/fault.c: a page fault turns what an address means (its region) into a mapping.
 *
 *   what is found                      what it is          what is done                                     counted as
 *   no region, near ESP                stack growth        the stack's region begins lower                  stack_growths
 *   no region, or no right             violation           SIGSEGV, or EFAULT of a system call              violations
 *   entry present, write, private      copy on write       cow.c: copy, or take the frame back              cow_copies, cow_reuses
 *   entry present, write, shared       first write         the page becomes dirty, then writable            shared_writes
 *   beyond the end of the file         violation           SIGBUS                                           bus_errors
 *   entry names a swap slot            swap                read it, or share the frame that has it          swap_ins
 *   entry empty, file's bytes          file                map the page-cache frame, read if need be        file_maps, file_fills
 *   entry empty, memory object         shared memory       map the object's frame, which is in the cache too  object_maps
 *   entry empty, nothing behind it     zero fill           read: the one zero frame; write: a new one       zero_shares, zero_fills
 *
 * Whatever was read from a disk makes the fault a major one (pgmajfault).
 * Each step may sleep, and eviction may undo what an earlier step did, so fault_in() loops until the entry allows the access:
 * every pass looks at the entry afresh. Only the process that owns the space adds mappings to it.
 * An instruction needs all its pages at once. With too few frames left they push each other out, or others' pages push them: each fault
 * finds a victim and succeeds, and the instruction never does. That is out of memory too, though frame_alloc() cannot see it (headway()). */
#include "mm.h"
#include "fs.h"
#include "proc.h"
#include "signal.h"

#define PUSHA_BYTES 32u        /* the furthest below ESP that an instruction writes before ESP moves [SDM2B "PUSHA"] */

extern char user_copy_words[], user_copy_bytes[], user_copy_failed[];

static struct region *grow_stack(struct space *s, uint32_t la, uint32_t esp, enum fault_result *why)
{
	*why = FAULT_BAD;
	if (la >= STACK_TOP || la < esp - min(esp, PUSHA_BYTES))
		return NULL;
	for (struct region *r = s->regions; r; r = r->next) {
		if (r->kind != REGION_STACK || la >= r->start)
			continue;
		if (la < STACK_LOWEST) {
			/* The guard page, or a frame so big that it jumped over it. */
			if (esp >= STACK_LOWEST - (STACK_LIMIT / 8) && esp < STACK_TOP)
				*why = FAULT_OVERFLOW;
			return NULL;
		}
		if (STACK_TOP - la > current->rlimits[RLIMIT_STACK].soft) {
			*why = FAULT_OVERFLOW;
			return NULL;
		}
		struct region *below = region_after(s, page_down(la) - min(page_down(la), STACK_GUARD));
		if (below != r)
			return NULL;           /* a mapping is in the way: a guard page stays between */
		r->start = page_down(la);
		vm.stack_growths++;
		return r;
	}
	return NULL;
}

/* Enter a frame, read-only: whether writing may be allowed at once is cow_write()'s decision. */
static void map(struct space *s, uint32_t la, pte_t *pte, struct frame *f, struct rmap *m, uint32_t flags)
{
	KASSERT(!(*pte & PG_P));
	f->refs++;
	if (m)
		rmap_add(f, m, s, la);
	pte_set(s, la, pte, frame_pa(f) | PG_P | PG_U | PG_A | flags);
}

static void count_major(void)
{
	vm.pgmajfault++;
	current->space->vtime++;
	current->majflt++;
	current->minflt--;
}

/* The page is in swap: the page cache has the slot's frame, or reads it. */
static enum fault_result swap_in(struct space *s, uint32_t la, pte_t *pte)
{
	uint32_t slot = PTE_SLOT(*pte);
	struct rmap *m = kmalloc(sizeof *m);
	struct frame *f;
	if (!m)
		return FAULT_NOMEM;
	int got = cache_get(OBJECT_SWAP, slot, 0, &f);
	if (got < 0) {
		kfree(m);
		return got == -ENOMEM ? FAULT_NOMEM : FAULT_IO;
	}
	if (got) {
		vm.swap_ins++;
		count_major();
	}
	pte_set(s, la, pte, 0);
	map(s, la, pte, f, m, 0);
	swap_put(slot);                /* the entry's reference; the frame's name has its own */
	frame_unpin(f);
	return FAULT_DONE;
}

/* A new private frame holding the first n bytes of source (which may be NULL), then zeroes. If its file lost the source while we slept
 * nothing is mapped, and the caller looks again. */
static enum fault_result fill_private(struct space *s, uint32_t la, pte_t *pte, const struct frame *source, uint32_t n, bool writable)
{
	struct rmap *m = kmalloc(sizeof *m);
	struct frame *f = m ? frame_alloc(ALLOC_USER) : NULL;
	if (!f) {
		kfree(m);
		return FAULT_NOMEM;
	}
	if (source && source->flags & FRAME_ORPHAN) {
		frame_free(f);
		kfree(m);
		return FAULT_DONE;
	}
	frame_set_state(f, FRAME_ANON);
	if (source)
		memcpy(frame_va(f), frame_va(source), n);
	memset((char *)frame_va(f) + n, 0, PAGE_SIZE - n);
	map(s, la, pte, f, m, writable ? PG_W : 0);
	return FAULT_DONE;
}

static enum fault_result failure(int error)
{
	switch (error) {
	case -ENOMEM:
		return FAULT_NOMEM;
	case -EINVAL:
		return FAULT_BEYOND;           /* the file, or the object, ends before this page */
	case -ENOSPC:
		return FAULT_NOSPACE;
	default:
		return FAULT_IO;
	}
}

/* Also if the process has a private copy from before the file became shorter. */
static bool beyond_file(const struct region *r, uint32_t la)
{
	return region_from_file(r, la) && region_page_at(r, la) >= page_up(r->inode->d.size) >> PAGE_SHIFT;
}

/* Map the page-cache frame f, which is pinned. If the file lost it while we slept nothing is mapped, and the caller looks again. */
static enum fault_result map_cached(struct space *s, uint32_t la, pte_t *pte, struct frame *f)
{
	struct rmap *m = kmalloc(sizeof *m);
	if (m && !(f->flags & FRAME_ORPHAN))
		map(s, la, pte, f, m, 0);
	else
		kfree(m);
	return m ? FAULT_DONE : FAULT_NOMEM;
}

/* The page comes from a file. Where the file's bytes end within a page of a data segment, zeroes begin that the file
 * does not have: such a page is private from the start. */
static enum fault_result fill_from_file(struct space *s, struct region *r, uint32_t la, pte_t *pte)
{
	uint32_t bytes = min(r->file_bytes - (la - r->start), PAGE_SIZE);
	struct frame *f;
	enum fault_result result;
	int got = pfs_page(r->inode, region_page_at(r, la), &f);
	if (got < 0)
		return failure(got);
	if (got) {
		vm.file_fills++;
		count_major();
	}
	if (bytes < PAGE_SIZE && region_writable(r))
		result = fill_private(s, la, pte, f, bytes, true);
	else
		result = map_cached(s, la, pte, f);
	vm.file_maps += bytes == PAGE_SIZE || !region_writable(r);
	frame_unpin(f);
	return result;
}

/* The page belongs to a memory object, whose other users must find the same frame, even if it is still all zeroes. */
static enum fault_result fill_from_object(struct space *s, struct region *r, uint32_t la, pte_t *pte)
{
	struct frame *f;
	int got = object_page(r->object, region_page_at(r, la), &f);
	if (got < 0)
		return failure(got);
	if (got) {
		vm.swap_ins++;
		count_major();
	}
	vm.object_maps++;
	enum fault_result result = map_cached(s, la, pte, f);
	frame_unpin(f);
	return result;
}

/* Nothing is behind the page. Until it is written, one frame of zeroes will do for everybody. */
static enum fault_result fill_with_zeroes(struct space *s, uint32_t la, pte_t *pte, bool write)
{
	if (write) {
		vm.zero_fills++;
		return fill_private(s, la, pte, NULL, 0, true);
	}
	vm.zero_shares++;
	map(s, la, pte, zero_frame, NULL, 0);
	return FAULT_DONE;
}

/* The first write to a clean shared page. A hole of the file gets its block now, while the program can still be told that the disk
 * is full; then the page is dirty, and only then writable (see pagecache.c). */
static enum fault_result shared_write(struct space *s, struct region *r, uint32_t la, pte_t *pte)
{
	struct frame *f = frame_of(PTE_FRAME(*pte));
	int err = 0;
	frame_pin(f);
	while (f->flags & FRAME_BUSY)
		frame_wait(f);                 /* what is on its way to the disk stays as it is */
	if (r->inode && !f->block && !(f->flags & FRAME_ORPHAN))
		err = pfs_page_give_block(r->inode, region_page_at(r, la), f);
	if (!err && *pte & PG_P && PTE_FRAME(*pte) == frame_pa(f) && !(f->flags & FRAME_BUSY)) {
		f->flags |= FRAME_DIRTY;
		pte_set(s, la, pte, *pte | PG_W);
		vm.shared_writes++;
	}
	frame_unpin(f);
	return err ? failure(err) : FAULT_DONE;
}

/* One step towards an entry that allows the access: what kind of fault is it? */
static enum fault_result step(struct space *s, struct region *r, uint32_t la, pte_t *pte, bool write)
{
	if (*pte & PG_P)
		return r->shared ? shared_write(s, r, la, pte) : cow_write(s, r, la, pte);
	if (beyond_file(r, la))
		return FAULT_BEYOND;
	if (pte_swapped(*pte))
		return swap_in(s, la, pte);
	if (r->object)
		return fill_from_object(s, r, la, pte);
	if (region_from_file(r, la))
		return fill_from_file(s, r, la, pte);
	return fill_with_zeroes(s, la, pte, write);
}

/* Make the page at la usable for a read or a write by the user. May sleep. */
enum fault_result fault_in(struct space *s, uint32_t la, bool write, uint32_t user_esp)
{
	enum fault_result result = FAULT_BAD;
	if (la < USER_START || la >= KERNEL_BASE)
		return FAULT_BAD;
	struct region *r = region_find(s, la);
	if (!r && !(r = grow_stack(s, la, user_esp, &result)))
		return result;
	if (!r->prot || (write && !region_writable(r)))
		return FAULT_BAD;
	la = page_down(la);
	rss_make_room(s, la);
	do {
		pte_t *pte = pte_make(s, la);
		if (!pte)
			return FAULT_NOMEM;
		if ((*pte & PG_P) && (!write || (*pte & PG_W))) {
			lock_entry(r, pte);
			return FAULT_DONE;
		}
		bool absent = !(*pte & PG_P);
		result = step(s, r, la, pte, write);
		if (absent && result == FAULT_DONE)
			prefetch_fault(s, r, la, write);
	} while (result == FAULT_DONE);
	return result;
}

/* What a handler is told. Addresses of the kernel always look mapped and protected: what lies there is nobody's business. */
static void signal_bad_access(const struct trapframe *tf, uint32_t la, int sig)
{
	struct trapframe told = { .vector = tf->vector, .error = tf->error | (la >= KERNEL_BASE ? PF_P : 0) };
	int code = sig == SIGBUS ? BUS_ADRERR : region_find(current->space, la) ? SEGV_ACCERR : SEGV_MAPERR;
	signal_force(sig, code, la, &told);
}

/* The one place where an access that cannot be helped is reported: to the user's handler, or in a line before the end. */
static void report_bad_access(const struct trapframe *tf, uint32_t la, enum fault_result why)
{
	int sig = why == FAULT_IO || why == FAULT_BEYOND || why == FAULT_NOSPACE ? SIGBUS : SIGSEGV;
	if (current->killed)
		return;                        /* the out-of-memory killer, or somebody's kill, was first */
	if (why == FAULT_NOMEM && current->pid == 1)
		return;                        /* its end would be the machine's: it tries again */
	if (why != FAULT_NOMEM && signal_caught(sig)) {
		signal_bad_access(tf, la, sig);
		return;
	}
	switch (why) {
	case FAULT_OVERFLOW:
		printk("%s[%d]: stack overflow at 0x%08x (limit %u KB), eip 0x%08x\n", current->name, current->pid, la,
			min(STACK_LIMIT, current->rlimits[RLIMIT_STACK].soft) >> 10, tf->eip);
		break;
	case FAULT_NOMEM:
		printk("%s[%d]: killed: out of memory and swap\n", current->name, current->pid);
		proc_signal(current, SIGKILL);
		return;
	case FAULT_BEYOND:
		printk("%s[%d]: bus error at 0x%08x (beyond the end of the mapped file), eip 0x%08x\n", current->name, current->pid, la, tf->eip);
		break;
	case FAULT_NOSPACE:
		printk("%s[%d]: bus error at 0x%08x (no space on the disk for the page), eip 0x%08x\n", current->name, current->pid, la, tf->eip);
		break;
	case FAULT_IO:
		printk("%s[%d]: bus error at 0x%08x (page could not be read), eip 0x%08x\n", current->name, current->pid, la, tf->eip);
		break;
	default:
		printk("%s[%d]: segmentation fault at 0x%08x (%s %s, %s), eip 0x%08x\n", current->name, current->pid, la,
			from_user(tf) ? "user" : "kernel", tf->error & PF_W ? "write" : "read",
			tf->error & PF_P ? "protection violation" : "page not present", tf->eip);
	}
	signal_bad_access(tf, la, sig);
}

/* Registers in one number. If it is the same at two faults in a row, the instruction was begun again and has come no further: all it
 * changes before a fault is what it does to memory, and a repeated string instruction counts in ECX. Another instruction with the same
 * number would only be taken for one that needs another page. */
static uint32_t fingerprint(const struct trapframe *tf)
{
	const uint32_t words[] = { tf->edi, tf->esi, tf->ebp, tf->ebx, tf->edx, tf->ecx, tf->eax, from_user(tf) ? tf->user_esp : 0 };
	uint32_t n = tf->eip;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		n = n * 31 + words[i];
	return n;
}

/* A program is in the kernel for another reason than a page fault. With other registers than at its last one, it has got on since: a loop
 * that faults at the same place in each round, with the same registers, would otherwise look like an instruction that does not. */
void fault_got_on(const struct trapframe *tf)
{
	if (current->fault_repeats && fingerprint(tf) != current->fault_registers)
		current->fault_repeats = 0;
}

/* Is this the instruction of the last fault, begun again? */
static bool begun_again(const struct trapframe *tf)
{
	uint32_t before = current->fault_registers;
	current->fault_registers = fingerprint(tf);
	return current->fault_registers == before;
}

/* The instructions that were slowest to get on and did so had been begun again some 40 times; those that never did, for as long as
 * one looked. */
#define MOST_REPEATS 200u

/* The fault was helped. Was the same instruction's last one, too? After many such faults, between which pages were taken from somebody, memory
 * has to be made. One that gets on, however slowly, is not meant: that is thrashing (loadcontrol.c). Nor is one that others starve, where
 * most of memory is pages that go to whoever the policy favours: it is not for want of memory that somebody would have to go. */
static void headway(void)
{
	if (!current->faults_again)
		current->fault_repeats = 0;
	else if (vm.evictions != current->fault_evictions && memory_crowded())
		current->fault_repeats++;
	current->fault_evictions = vm.evictions;
	if (current->fault_repeats < MOST_REPEATS)
		return;
	current->fault_repeats = 0;
	proc_oom_kill();
}

/* Vector 14. CR2 is read before interrupts are allowed, since another fault would overwrite it. Kernel code may fault on user
 * addresses only inside user_copy; anything else is a kernel bug. */
void page_fault(struct trapframe *tf)
{
	uint32_t la = read_cr2();
	bool user = from_user(tf);
	bool copying = tf->eip == (uint32_t)user_copy_words || tf->eip == (uint32_t)user_copy_bytes;
	if (!user && (!copying || la >= KERNEL_BASE || !current || !current->space))
		panic_trap(tf, tf->error & PF_P ? "kernel page fault: protection violation" : "kernel page fault: page not present");
	if (tf->eflags & EFLAGS_IF)
		sti();
	vm.pgfault++;
	current->minflt++;
	current->faults_again = begun_again(tf);
	enum fault_result result = fault_in(current->space, la, tf->error & PF_W, user ? tf->user_esp : current->tf->user_esp);
	if (result == FAULT_DONE)
		headway();
	current->faults_again = false;
	current->maxrss = max(current->maxrss, current->space->rss);
	if (result == FAULT_DONE)
		return;
	current->fault_repeats = 0;
	vm.violations += result == FAULT_BAD || result == FAULT_OVERFLOW;
	vm.bus_errors += result == FAULT_IO || result == FAULT_BEYOND || result == FAULT_NOSPACE;
	if (user || result == FAULT_NOMEM)
		report_bad_access(tf, la, result);
	if (!user)
		tf->eip = (uint32_t)user_copy_failed;  /* the system call returns EFAULT */
}
