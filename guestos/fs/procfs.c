/* guestos/fs/procfs.c: /proc: what the kernel knows, in the formats Linux programs expect.
 *
 * A text file is made when it is read at offset 0 and kept, up to a page, until it is closed, so that reading it in pieces gives one
 * consistent text. pagemap and kpagecount are binary, big and cheap, and made for exactly the range that is read.
 * pagemap: 8 bytes a page: bits 0-54 frame number (or, if swapped, slot << 5), 62 swapped, 63 present.
 * kpagecount: 8 bytes a frame: how many page-table entries map it.
 * A file that switches something takes one word: `echo off > /proc/NAME`. Reading it tells the present setting. */
#include "fs.h"
#include "mm.h"
#include "proc.h"
#include "dev.h"

void print(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->at, t->end - t->at, format, args);
	va_end(args);
	t->at = n < t->end - t->at ? t->at + n : t->end - 1;
}

#define KB(pages) ((pages) * 4)

static void show_meminfo(struct text *t, struct proc *p)
{
	(void)p;
	uint32_t cached = nr_in_state[FRAME_CACHE];
	print(t, "MemTotal:       %8u kB\nMemFree:        %8u kB\nMemAvailable:   %8u kB\n", KB(nr_usable), KB(nr_free), KB(nr_free + cached));
	print(t, "Buffers:        %8u kB\nCached:         %8u kB\n", 0, KB(cached));
	print(t, "AnonPages:      %8u kB\nSlab:           %8u kB\nPageTables:     %8u kB\n", KB(nr_in_state[FRAME_ANON]),
		KB(nr_in_state[FRAME_HEAP]), KB(nr_in_state[FRAME_TABLE]));
	print(t, "SwapTotal:      %8u kB\nSwapFree:       %8u kB\nMlocked:        %8u kB\n", KB(swap_total), KB(swap_total - swap_used),
		KB(nr_pinned));
}

static void show_vmstat(struct text *t, struct proc *p)
{
	(void)p;
	prefetch_find_uses();
#define X(name) print(t, #name " %u\n", vm.name);
	VM_COUNTERS(X)
#undef X
	print(t, "nr_free_frames %u\nnr_frames %u\nnr_pinned %u\nswap_total %u\nswap_used %u\n", nr_free, nr_usable, nr_pinned,
		swap_total, swap_used);
	for (unsigned s = FRAME_KERNEL; s < FRAME_STATES; s++)
		print(t, "nr_%s_frames %u\n", frame_state_name(s), nr_in_state[s]);
}

static void show_frames(struct text *t, struct proc *p)
{
	(void)p;
	uint32_t shared = 0, dirty = 0, slots = 0;
	for (uint32_t i = 0; i < nr_frames; i++) {
		const struct frame *f = &frames[i];
		bool pages = f->state == FRAME_ANON || f->state == FRAME_CACHE;
		shared += pages && f->refs > 1;
		dirty += pages && f->flags & FRAME_DIRTY;
		slots += f->state == FRAME_ANON && f->object == OBJECT_SWAP;
	}
	for (unsigned s = 0; s < FRAME_STATES; s++)
		print(t, "%-9s %8u\n", frame_state_name(s), nr_in_state[s]);
	print(t, "%-9s %8u\n%-9s %8u\n%-9s %8u\n%-9s %8u\n", "shared", shared, "dirty", dirty, "inslot", slots, "pinned", nr_pinned);
}

static void show_check(struct text *t, struct proc *p)
{
	uint32_t length;
	(void)p;
	memory_check(t->at, t->end - t->at, &length);
	t->at += length;
}

static void show_stat(struct text *t, struct proc *p)
{
	uint32_t user = 0, system = 0, n = 0;
	for (p = all_procs; p; p = p->next, n++) {
		user += p->utime;
		system += p->stime;
	}
	print(t, "cpu  %u 0 %u %u 0 0 0 0 0 0\nctxt %u\nbtime %u\nprocesses %u\n", user, system, ticks - min(ticks, user + system), vm.ctxt,
		boot_time, n);
}

static void show_uptime(struct text *t, struct proc *p)
{
	(void)p;
	print(t, "%u.%02u 0.00\n", ticks / HZ, ticks % HZ * 100 / HZ);
}

static void show_loadavg(struct text *t, struct proc *p)
{
	uint32_t running = 0, all = 0;
	for (int i = 0; i < 3; i++)
		print(t, "%u.%02u ", load_average[i] >> LOAD_SHIFT, ((load_average[i] & ((1u << LOAD_SHIFT) - 1)) * 100) >> LOAD_SHIFT);
	for (p = all_procs; p; p = p->next, all++)
		running += p->state == PROC_RUNNABLE;
	print(t, "%u/%u %d\n", running, all, current->pid);
}

static void show_swaps(struct text *t, struct proc *p)
{
	(void)p;
	print(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	if (swap_total)
		print(t, "/dev/hda2                               partition\t%u\t\t%u\t\t-2\n", KB(swap_total), KB(swap_used));
}

static void show_mounts(struct text *t, struct proc *p)
{
	(void)p;
	print(t, "/dev/%s / pfs rw 0 0\nproc /proc proc rw 0 0\ndev /dev devtmpfs rw 0 0\n", boot_options.root);
}

static void show_version(struct text *t, struct proc *p)
{
	(void)p;
	print(t, "Pagoda version 0.1\n");
}

static char state_letter(const struct proc *p)
{
	return p->state == PROC_ZOMBIE ? 'Z' : p->suspended ? 'W' : p->state == PROC_STOPPED ? 'T' : p->state == PROC_RUNNABLE ? 'R'
		: p->uninterruptible ? 'D' : 'S';
}

static uint32_t vm_pages(const struct space *s)
{
	uint32_t pages = 0;
	for (struct region *r = s ? s->regions : NULL; r; r = r->next)
		pages += (r->end - r->start) / PAGE_SIZE;
	return pages;
}

static void show_pid_stat(struct text *t, struct proc *p)
{
	struct space *s = p->space;
	print(t, "%d (%s) %c %d %d %d 1281 %d 0 %u %u %u %u %u %u %u %u 20 0 1 0 %u %u %u\n", p->pid, p->name, state_letter(p),
		p->parent ? p->parent->pid : 0, p->pgid, p->pgid, p->pgid, p->minflt, p->child_minflt, p->majflt, p->child_majflt,
		p->utime, p->stime, p->child_utime, p->child_stime, p->start_tick, vm_pages(s) * PAGE_SIZE, s ? s->rss : 0);
}

static void show_pid_status(struct text *t, struct proc *p)
{
	static const char *const words[] = { ['R'] = "running", ['S'] = "sleeping", ['D'] = "disk sleep", ['W'] = "suspended",
		['T'] = "stopped", ['Z'] = "zombie" };
	char c = state_letter(p);
	print(t, "Name:\t%s\nState:\t%c (%s)\nPid:\t%d\nPPid:\t%d\n", p->name, c, words[(int)c], p->pid, p->parent ? p->parent->pid : 0);
	if (p->space)
		print(t, "VmSize:\t%8u kB\nVmHWM:\t%8u kB\nVmRSS:\t%8u kB\nVmPTE:\t%8u kB\nVmSwap:\t%8u kB\nVmWSet:\t%8u kB\n", KB(vm_pages(p->space)),
			KB(max(p->maxrss, p->space->rss)), KB(p->space->rss), KB(p->space->tables), KB(p->space->swapped), KB(p->space->working_set));
}

/* The arguments, each with the zero that ends it. Simplified: as exec was given them; what the program has changed since is not seen. */
static void show_pid_cmdline(struct text *t, struct proc *p)
{
	uint32_t n = p->space && p->space->cmdline ? min(p->space->cmdline_bytes, (uint32_t)(t->end - t->at)) : 0;
	memcpy(t->at, n ? p->space->cmdline : NULL, n);
	t->at += n;
}

static const char *region_name(const struct region *r)
{
	if (r->inode)
		return r->inode->path ? r->inode->path : "";
	return r->kind == REGION_HEAP ? "[heap]" : r->kind == REGION_STACK ? "[stack]" : r->object ? "[shared]" : "";
}

static void show_pid_maps(struct text *t, struct proc *p)
{
	for (struct region *r = p->space ? p->space->regions : NULL; r; r = r->next) {
		char head[64];
		snprintf(head, sizeof head, "%08x-%08x %c%c%c%c %08x %s %u ", r->start, r->end, r->prot & PROT_READ ? 'r' : '-',
			region_writable(r) ? 'w' : '-', r->prot & PROT_EXEC ? 'x' : '-', r->shared ? 's' : 'p', r->file_page * PAGE_SIZE,
			r->inode ? "03:01" : "00:00", r->inode ? r->inode->ino : 0);
		print(t, "%-49s%s%s\n", head, region_name(r), r->inode && !r->inode->d.links ? " (deleted)" : "");
	}
}

static uint64_t pagemap_entry(struct proc *p, uint32_t page)
{
	pte_t *pte = p->space && page < KERNEL_BASE / PAGE_SIZE ? pte_find(p->space, page << PAGE_SHIFT) : NULL;
	if (!pte)
		return 0;
	if (*pte & PG_P)
		return 1ull << 63 | *pte >> PAGE_SHIFT;
	return pte_swapped(*pte) ? 1ull << 62 | (uint64_t)PTE_SLOT(*pte) << 5 : 0;
}

static uint64_t kpagecount_entry(struct proc *p, uint32_t frame)
{
	(void)p;
	return frames[frame].refs;
}

struct proc_entry {
	const char *name;
	void (*show)(struct text *t, struct proc *p);          /* text, or */
	uint64_t (*entry)(struct proc *p, uint32_t index);     /* table of 8-byte entries */
	int (*write)(const char *word);                        /* NULL: read only. 0 or -error; may sleep */
};
static const struct proc_entry top_files[] = {
	{ "meminfo", .show = show_meminfo },
	{ "vmstat", .show = show_vmstat },
	{ "frames", .show = show_frames },
	{ "check", .show = show_check },
	{ "stat", .show = show_stat },
	{ "uptime", .show = show_uptime },
	{ "loadavg", .show = show_loadavg },
	{ "journal", .show = journal_show },
	{ "swaps", .show = show_swaps },
	{ "mounts", .show = show_mounts },
	{ "loadcontrol", .show = loadcontrol_show, .write = loadcontrol_switch },
	{ "policy", .show = policy_show, .write = policy_select },
	{ "prefetch", .show = prefetch_show, .write = prefetch_switch },
	{ "version", .show = show_version },
	{ "kpagecount", .entry = kpagecount_entry },
};
static const struct proc_entry pid_files[] = {
	{ "stat", .show = show_pid_stat },
	{ "status", .show = show_pid_status },
	{ "maps", .show = show_pid_maps },
	{ "cmdline", .show = show_pid_cmdline },
	{ .name = "exe" },                           /* a symbolic link, see procfs_link() */
	{ "pagemap", .entry = pagemap_entry },
};
#define DIRECTORY 99u

static const struct proc_entry *entry_of(const struct file *f) { return f->pid ? &pid_files[f->number] : &top_files[f->number]; }

static int read_text(struct file *f, uaddr_t to, uint32_t n, uint32_t pos)
{
	struct proc *p = f->pid ? proc_find(f->pid) : current;
	if (!p)
		return -ESRCH;
	if (!f->text || pos == 0) {
		struct frame *page = f->text ? frame_of(virt_to_phys(f->text)) : frame_alloc(ALLOC_KERNEL);
		if (!page)
			return -ENOMEM;
		p = f->pid ? proc_find(f->pid) : current;      /* it may be gone after the sleep */
		f->text = frame_va(page);
		struct text t = { f->text, f->text + PAGE_SIZE };
		if (p)
			entry_of(f)->show(&t, p);
		f->text_len = t.at - f->text;
	}
	if (pos >= f->text_len)
		return 0;
	n = min(n, f->text_len - pos);
	int err = copy_to_user(to, f->text + pos, n);
	return err ? err : (int)n;
}

static int read_table(struct file *f, uaddr_t to, uint32_t n, uint32_t pos)
{
	uint32_t entries = f->pid ? KERNEL_BASE / PAGE_SIZE : nr_frames, done = 0;
	if (pos % 8 || n % 8)
		return -EINVAL;
	while (done < n && (pos + done) / 8 < entries) {
		uint64_t values[16];
		uint32_t count = min(min((n - done) / 8, 16u), entries - (pos + done) / 8);
		struct proc *p = f->pid ? proc_find(f->pid) : current;
		if (!p)
			return -ESRCH;
		for (uint32_t i = 0; i < count; i++)
			values[i] = entry_of(f)->entry(p, (pos + done) / 8 + i);
		if (copy_to_user(to + done, values, count * 8))
			return done ? (int)done : -EFAULT;
		done += count * 8;
	}
	return done;
}

static int proc_read(struct file *f, uaddr_t to, uint32_t n, uint32_t pos)
{
	if (f->number == DIRECTORY)
		return -EISDIR;
	if (!entry_of(f)->show && !entry_of(f)->entry)
		return -EINVAL;                /* the exe of a process that has none */
	return (entry_of(f)->show ? read_text : read_table)(f, to, n, pos);
}

/* The whole word comes in one write, with or without a newline after it. */
static int proc_write(struct file *f, uaddr_t from, uint32_t n, uint32_t pos)
{
	char word[32];
	uint32_t all = n;
	if (f->number == DIRECTORY || !entry_of(f)->write)
		return -EINVAL;
	if (pos || n >= sizeof word)
		return -EINVAL;
	if (copy_from_user(word, from, n))
		return -EFAULT;
	while (n && (word[n - 1] == '\n' || word[n - 1] == ' '))
		n--;
	word[n] = 0;
	int err = entry_of(f)->write(word);
	return err ? err : (int)all;
}

static uint32_t entry_mode(const struct proc_entry *e)
{
	return !e->show && !e->entry ? S_IFLNK | 0777 : S_IFREG | (e->write ? 0644 : 0444);
}

static void fill_entry(struct dir_entry *e, const char *name, uint32_t ino, uint32_t mode)
{
	e->ino = ino;
	e->type = DT_OF(mode);
	strlcpy(e->name, name, sizeof e->name);
}

/* Positions: 0 ".", 1 "..", then the table, then "self", then 1000 + pid. */
static int proc_next(struct file *f, uint32_t *pos, struct dir_entry *e)
{
	const struct proc_entry *table = f->pid ? pid_files : top_files;
	uint32_t n = f->pid ? ARRAY_SIZE(pid_files) : ARRAY_SIZE(top_files), at = *pos;
	char number[12];
	if (f->number != DIRECTORY)
		return -ENOTDIR;
	if (at < n + 2) {
		if (at < 2)
			fill_entry(e, at ? ".." : ".", at + 1, S_IFDIR);
		else
			fill_entry(e, table[at - 2].name, at + 1, entry_mode(&table[at - 2]));
		*pos = at + 1;
		return 1;
	}
	if (f->pid)
		return 0;
	if (at < 1000) {
		fill_entry(e, "self", 999, S_IFDIR);
		*pos = 1000;
		return 1;
	}
	struct proc *next = NULL;
	for (struct proc *p = all_procs; p; p = p->next)
		if (p->pid > (int)(at - 1000) && (!next || p->pid < next->pid))
			next = p;
	if (!next)
		return 0;
	snprintf(number, sizeof number, "%d", next->pid);
	fill_entry(e, number, 1000 + next->pid, S_IFDIR);
	*pos = 1000 + next->pid;
	return 1;
}

/* PID, or "self", at the beginning of *path: its number, and *path moves behind it; 0 if there is none. */
static int pid_of(const char **path)
{
	int pid = 0;
	if (!strncmp(*path, "self", 4) && (!(*path)[4] || (*path)[4] == '/')) {
		*path += 4;
		return current->pid;
	}
	while (**path >= '0' && **path <= '9' && pid < 1000000)
		pid = pid * 10 + *(*path)++ - '0';
	return pid;
}

/* /proc/PID/exe is a symbolic link to the program. */
int procfs_link(const char *path, char *target, uint32_t room)
{
	if (strncmp(path, "/proc/", 6))
		return -EINVAL;
	const char *p = path + 6;
	struct proc *found = proc_find(pid_of(&p));
	if (!found || !found->space || strcmp(p, "/exe") || !found->space->exe)
		return -EINVAL;
	strlcpy(target, found->space->exe, room);
	return strlen(target);
}

static int proc_stat(struct file *f, struct stat_info *st)
{
	uint32_t mode = f->number == DIRECTORY ? S_IFDIR | 0555 : entry_mode(entry_of(f));
	*st = (struct stat_info){ .dev = DEV_PROC, .ino = 1 + f->number + f->pid * 1000, .mode = mode, .nlink = 1,
		.mtime = boot_time + ticks / HZ };
	return 0;
}

static void proc_close(struct file *f)
{
	if (f->text)
		frame_free(frame_of(virt_to_phys(f->text)));
}

static struct frame *proc_frame(const struct file *f) { return f->text ? frame_of(virt_to_phys(f->text)) : NULL; }

static const struct file_ops proc_ops = {
	.read = proc_read, .write = proc_write, .next_entry = proc_next, .stat = proc_stat, .close = proc_close, .frame = proc_frame,
	.seekable = true,
};

static int number_of(const char *name, uint32_t len, const struct proc_entry *table, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (strlen(table[i].name) == len && !strncmp(name, table[i].name, len))
			return i;
	return -ENOENT;
}

/* path is "", "/NAME", "/PID", "/PID/NAME"; "self" is the caller's PID. */
int procfs_open(const char *path, struct file **out)
{
	int number = DIRECTORY;
	const char *p = path + (*path == '/');
	int pid = pid_of(&p);
	if (pid && !proc_find(pid))
		return -ENOENT;
	if (pid && *p && *p++ != '/')
		return -ENOENT;
	if (*p) {
		number = pid ? number_of(p, strlen(p), pid_files, ARRAY_SIZE(pid_files))
			: number_of(p, strlen(p), top_files, ARRAY_SIZE(top_files));
		if (number < 0)
			return number;
	}
	if (!(*out = file_new(&proc_ops, O_RDONLY)))
		return -ENOMEM;
	(*out)->pid = pid;
	(*out)->number = number;
	return 0;
}
