/* guestos/fs/proc_show.c: what the files of /proc say, in the formats Linux programs expect. The tables at the end name them all.
 *
 * pagemap and kpagecount are tables of 8-byte entries, everything else is text.
 * pagemap: 8 bytes a page: bits 0-54 frame number (or, if swapped, slot << 5), 62 swapped, 63 present.
 * kpagecount: 8 bytes a frame: how many page-table entries map it.
 * A file that switches something takes one word: `echo off > /proc/NAME`. Reading it tells the present setting. */
#include "procfs.h"
#include "mm.h"
#include "proc.h"
#include "dev.h"

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
	print(t, "/dev/hda%u / pfs rw 0 0\nproc /proc proc rw 0 0\ndev /dev devtmpfs rw 0 0\n", boot_options.root);
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

static const struct proc_entry system_rows[] = {
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
static const struct proc_entry process_rows[] = {
	{ "stat", .show = show_pid_stat },
	{ "status", .show = show_pid_status },
	{ "maps", .show = show_pid_maps },
	{ "cmdline", .show = show_pid_cmdline },
	{ .name = "exe" },                           /* a symbolic link, see procfs_link() */
	{ "pagemap", .entry = pagemap_entry },
};

const struct proc_table proc_system = { system_rows, ARRAY_SIZE(system_rows) }, proc_process = { process_rows, ARRAY_SIZE(process_rows) };
