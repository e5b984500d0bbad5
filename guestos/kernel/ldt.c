/* guestos/kernel/ldt.c: segments of a program's own: the local descriptor table, and modify_ldt.
 *
 * A segment is a base and a limit: an address in it is an offset, refused beyond the limit and moved by the base. The result is a linear
 * address like any other, so paging still decides: whatever base and limit a program chooses, it never reaches more than its
 * own pages. The kernel therefore checks only two things, and user_segment() does both by construction: that a descriptor is a data or code
 * segment (never a gate or another system descriptor, which could lead into ring 0), and that its privilege level is 3.
 *
 * The table belongs to the space: made at the first use, copied by fork, gone after exec. It is one frame, reached through the
 * direct map; LDTR points at it while the space is active, with a limit that ends after the last descriptor ever written.
 * A descriptor may change while a segment register of a saved frame names it: see the way back in kernel/trap.c.
 *
 * Simplified: one page, 512 descriptors, where Linux has 8192. A 16-bit stack segment gets only the lower half of ESP from IRET;
 * the upper half is then the kernel's. [SDM2A "IRET"]
 *
 * References: [SDM3A 3.4.5 "Segment Descriptors"], [SDM3A 3.5.1 "Segment Descriptor Tables"]. */
#include "mm.h"
#include "syscalls.h"

#define LDT_ENTRIES (PAGE_SIZE / sizeof(uint64_t))
#define LINUX_LDT_ENTRIES 8192u        /* all that a selector can name */
#define LINUX_DEFAULT_LDT 40u          /* bytes: the table of a program that has none, all zeroes */

#define ACCESS_ACCESSED 0x01u
#define ACCESS_WRITABLE 0x02u          /* data: writable; code: readable */
#define ACCESS_CONTENTS 2              /* shift: expand-down or conforming, code */
#define ACCESS_SEGMENT 0x10u           /* code or data, not a system descriptor */
#define ACCESS_RING3 0x60u
#define ACCESS_PRESENT 0x80u
#define FLAG_AVL 1u
#define FLAG_32BIT 4u
#define FLAG_PAGES 8u                  /* the limit counts pages, not bytes */

/* The one way to say "no segment". */
bool user_segment_empty(const struct linux_user_desc *u)
{
	return !u->base_addr && !u->limit && !u->contents && u->read_exec_only && !u->seg_32bit && !u->limit_in_pages &&
		u->seg_not_present && !u->useable;
}

/* Accessed is set from the start, as Linux does: the processor would set it at the first load. */
uint64_t user_segment(const struct linux_user_desc *u)
{
	uint32_t access = ACCESS_SEGMENT | ACCESS_RING3 | ACCESS_ACCESSED | u->contents << ACCESS_CONTENTS;
	if (!u->read_exec_only)
		access |= ACCESS_WRITABLE;
	if (!u->seg_not_present)
		access |= ACCESS_PRESENT;
	uint32_t flags = (u->useable ? FLAG_AVL : 0) | (u->seg_32bit ? FLAG_32BIT : 0) | (u->limit_in_pages ? FLAG_PAGES : 0);
	return segment_descriptor(u->base_addr, u->limit, access, flags);
}

void ldt_activate(const struct space *s)
{
	gdt_set_ldt(s ? s->ldt : NULL, s ? s->ldt_entries * sizeof(uint64_t) : 0);
}

void ldt_free(struct space *s)
{
	if (s->ldt)
		frame_free(frame_of(virt_to_phys(s->ldt)));
	s->ldt = NULL;
}

static int ldt_make(struct space *s)
{
	struct frame *f = s->ldt ? NULL : frame_alloc(ALLOC_KERNEL);
	if (f)
		s->ldt = memset(frame_va(f), 0, PAGE_SIZE);
	return s->ldt ? 0 : -ENOMEM;
}

int ldt_copy(struct space *to, const struct space *from)
{
	if (!from->ldt)
		return 0;
	if (ldt_make(to))
		return -ENOMEM;
	to->ldt_entries = from->ldt_entries;
	memcpy(to->ldt, from->ldt, PAGE_SIZE);
	return 0;
}

/* The table as the processor has it; what the caller's buffer has room for beyond it is filled with zeroes. */
static int read_ldt(uaddr_t to, uint32_t room)
{
	const struct space *s = current->space;
	if (!s->ldt)
		return 0;
	room = min(room, LINUX_LDT_ENTRIES * (uint32_t)sizeof(uint64_t));
	uint32_t have = min(room, s->ldt_entries * (uint32_t)sizeof(uint64_t));
	if (copy_to_user(to, s->ldt, have) || clear_user(to + have, room - have))
		return -EFAULT;
	return room;
}

static int read_default_ldt(uaddr_t to, uint32_t room)
{
	room = min(room, LINUX_DEFAULT_LDT);
	return clear_user(to, room) ? -EFAULT : (int)room;
}

/* func 1 is the older form (old), which knows no useable bit, and takes base and limit 0 alone for "none". */
static int write_ldt(uaddr_t from, uint32_t bytes, bool old)
{
	struct linux_user_desc u;
	struct space *s = current->space;
	if (bytes != sizeof u)
		return -EINVAL;
	if (copy_from_user(&u, from, sizeof u))
		return -EFAULT;
	if (u.entry_number >= LINUX_LDT_ENTRIES)
		return -EINVAL;
	if (u.contents == SEGMENT_CONFORMING && (old || !u.seg_not_present))
		return -EINVAL;
	if (u.entry_number >= LDT_ENTRIES || ldt_make(s))
		return -ENOMEM;
	if (old)
		u.useable = 0;
	bool none = user_segment_empty(&u) || (old && !u.base_addr && !u.limit);
	s->ldt[u.entry_number] = none ? 0 : user_segment(&u);
	s->ldt_entries = max(s->ldt_entries, u.entry_number + 1);
	ldt_activate(s);
	return 0;
}

int sys_modify_ldt(struct trapframe *tf)
{
	switch (ARG0(tf)) {
	case 0:
		return read_ldt(ARG1(tf), ARG2(tf));
	case 1:
		return write_ldt(ARG1(tf), ARG2(tf), true);
	case 2:
		return read_default_ldt(ARG1(tf), ARG2(tf));
	case 0x11:
		return write_ldt(ARG1(tf), ARG2(tf), false);
	}
	return -ENOSYS;
}
