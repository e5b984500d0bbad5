/* guestos/mm/check.c: do all the books of memory management agree?
 *
 * Whatever holds a frame or a swap slot is also counted where the thing is: in frame->refs, in frame->pins, in the slot's count. So the
 * check counts down: it walks over all holders there are and takes away what each of them holds; then every count must be
 * zero, or somebody holds what he did not count, or something is counted that nobody holds. Counting up again puts everything back.
 *
 *   holder                          holds
 *   page-table entry, present       a reference to the frame; with PG_LOCKED also a pin
 *   page-table entry, swapped       a reference to the slot
 *   frame named (OBJECT_SWAP, n)    a reference to slot n
 *   process                         the pins in its list, its kernel stack
 *   space                           its directory, tables and local descriptor table
 *   pipe, open text of /proc        a kernel frame
 *   swap                            the frames of its tables
 *   memory object                   the frames of its tables, a reference to each slot in them
 *   FRAME_STUCK, FRAME_LOGGED       a pin
 *   the file system's log           the frames of its tables
 *
 * A new kind of holder is a new row in holders[]. A kernel frame is counted nowhere, so it is taken to exactly -1 by the one
 * that owns it; if nobody does, the process that asked for it must still be in the call that did (see frame_alloc()).
 * Other rules are compared the plain way, in check_rules.c. The rules hold whenever a process may sleep, since
 * then another one sees the books. Nothing here sleeps or changes anything. */
#include "mm.h"
#include "fs.h"
#include "proc.h"
#include "check.h"

#define MOST_LINES 24u

static struct {
	char *at, *end;                /* NULL: the console */
	uint32_t violations;
} report;

static void put(const char *line)
{
	uint32_t n = strlen(line);
	if (!report.at) {
		printk("%s", line);
	} else if ((uint32_t)(report.end - report.at) > n) {
		memcpy(report.at, line, n + 1);
		report.at += n;
	}
}

void wrong(const char *format, ...)
{
	char line[120];
	va_list args;
	if (++report.violations > MOST_LINES)
		return;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line - 1, format, args);
	va_end(args);
	strlcpy(line + min(n, (int)sizeof line - 2), "\n", 2);
	put(line);
}

/* ---- who holds what ---- */

static void own(struct frame *f, int by) { f->refs += by; }

/* The same by each of several who share it. */
static void own_once(struct frame *f, int by) { f->refs = by < 0 ? -1u : 0; }

static void entry_holds(pte_t pte, int by)
{
	if (pte & PG_P) {
		if (PTE_FRAME(pte) >> PAGE_SHIFT >= nr_frames)
			return;                /* said by check_entry() */
		frame_of(PTE_FRAME(pte))->refs += by;
		if (pte & PG_LOCKED)
			frame_of(PTE_FRAME(pte))->pins += by;
	} else if (pte_swapped(pte) && PTE_SLOT(pte) && PTE_SLOT(pte) <= swap_total) {
		swap_count(PTE_SLOT(pte), by);
	}
}

static void spaces_hold(int by)
{
	for (struct space *s = all_spaces; s; s = s->next) {
		own(frame_of(virt_to_phys(s->dir)), by);
		if (s->ldt)
			own(frame_of(virt_to_phys(s->ldt)), by);
		for (uint32_t i = 0; i < KERNEL_BASE >> 22; i++) {
			if (!(s->dir[i] & PG_P))
				continue;
			const pte_t *table = phys_to_virt(PTE_FRAME(s->dir[i]));
			own(frame_of(PTE_FRAME(s->dir[i])), by);
			for (uint32_t j = 0; j < 1024; j++)
				entry_holds(table[j], by);
		}
	}
}

static void names_hold(int by)
{
	for (uint32_t n = 0; n < cache_buckets(); n++)
		for (struct frame *f = cache_chain(n); f; f = f->next)
			if (f->object == OBJECT_SWAP && f->index && f->index <= swap_total)
				swap_count(f->index, by);
}

static void processes_hold(int by)
{
	for (struct proc *p = all_procs; p; p = p->next) {
		own(frame_of(virt_to_phys(p->kstack)), by);
		for (int i = 0; i < MAX_PINS; i++)
			if (p->pins[i])
				p->pins[i]->pins += by;
	}
}

static void files_hold(int by)
{
	for (struct proc *p = all_procs; p; p = p->next)
		for (int i = 0; i < MAX_FILES; i++) {
			struct file *f = p->files[i];
			struct frame *frame = f && f->ops->frame ? f->ops->frame(f) : NULL;
			if (frame)
				own_once(frame, by);
		}
}

static void stuck_hold(int by)
{
	for (uint32_t i = 0; i < nr_frames; i++)
		if ((frames[i].state == FRAME_ANON && frames[i].flags & FRAME_STUCK)
		    || (frames[i].state == FRAME_CACHE && frames[i].flags & FRAME_LOGGED))
			frames[i].pins += by;
}

static void swap_holds(int by)
{
	swap_each_table(own, by);
}

static void log_holds(int by)
{
	journal_each_table(own, by);
}

static void objects_hold(int by)
{
	objects_each(own, swap_count, by);
}

static void (*const holders[])(int by) = {
	spaces_hold,
	names_hold,
	processes_hold,
	files_hold,
	stuck_hold,
	log_holds,
	swap_holds,
	objects_hold,
};

static void holders_count(int by)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(holders); i++)
		holders[i](by);
}

/* ---- what must be left when everybody's share is taken away ---- */

static bool in_use_by_its_maker(const struct frame *f)
{
	const struct proc *p = proc_find(f->block);
	return p && p->entries == f->index && !p->at_rest;
}

static void check_remainder(const struct frame *f)
{
	int refs = f->refs, pins = (int16_t)f->pins;
	const char *state = frame_state_name(f->state);
	if (pins)
		wrong("frame %u (%s): %d pins too %s", number(f), state, pins < 0 ? -pins : pins, pins < 0 ? "few" : "many: nobody holds them");
	if (f->state == FRAME_KERNEL || f->state == FRAME_TABLE) {
		if (refs < -1)
			wrong("frame %u (%s): has %d owners", number(f), state, -refs);
		else if (refs > -1 && !(f->state == FRAME_KERNEL && in_use_by_its_maker(f)))
			wrong("frame %u (%s): has no owner; allocated by process %u", number(f), state, f->block);
	} else if (refs) {
		wrong("frame %u (%s): %d references too %s", number(f), state, refs < 0 ? -refs : refs, refs < 0 ? "few" : "many: nothing maps it");
	}
}

static void check_remainders(void)
{
	for (uint32_t i = 0; i < nr_frames; i++)
		check_remainder(&frames[i]);
	for (uint32_t slot = 1; slot <= swap_total; slot++) {
		int left = (int16_t)swap_refs(slot);
		if (left)
			wrong("slot %u: %d references too %s", slot, left < 0 ? -left : left, left < 0 ? "few" : "many: nobody names it");
	}
}

uint32_t memory_check(char *to, uint32_t room, uint32_t *length)
{
	uint32_t flags = irq_save();
	report.at = to;
	report.end = to + room;
	report.violations = 0;
	holders_count(-1);
	check_remainders();
	holders_count(1);
	check_rules();
	char line[120];
	if (report.violations > MOST_LINES) {
		snprintf(line, sizeof line, "and %u more\n", report.violations - MOST_LINES);
		put(line);
	} else if (!report.violations && to) {
		snprintf(line, sizeof line, "ok: %u frames, %u private, %u cached, %u in page tables, %u slots, %u pinned\n", nr_frames,
			nr_in_state[FRAME_ANON], nr_in_state[FRAME_CACHE], nr_in_state[FRAME_TABLE], swap_used, nr_pinned);
		put(line);
	}
	if (to)
		*length = report.at - to;
	irq_restore(flags);
	return report.violations;
}

void memory_check_now_and_then(void)
{
	static uint32_t last;
	uint32_t now = vm.pgfault + ticks;
	if (!boot_options.check || now - last < boot_options.check)
		return;
	last = now;
	uint32_t n = memory_check(NULL, 0, NULL);
	if (n)
		panic("memory management contradicts itself in %u places", n);
}
