/* guestos/kernel/tls.c: thread-local storage: three GDT descriptors that belong to the process that runs.
 *
 * A C library keeps its per-thread variables behind %gs. set_thread_area() gives a process a data segment with a base of its choice in
 * one of the GDT's slots 6 to 8; the selector is 8 * slot + 3. The slots are rewritten on every switch; a segment register that is
 * loaded keeps its hidden copy until it is loaded again, which happens on the way back to user mode.
 * References: [SDM3A 3.4.5 "Segment Descriptors"]. */
#include "mm.h"
#include "syscalls.h"

/* The inverse of user_segment(), for get_thread_area(). */
static struct linux_user_desc describe(uint64_t segment)
{
	uint32_t low = segment, high = segment >> 32;
	if (!segment)
		return (struct linux_user_desc){ .read_exec_only = 1, .seg_not_present = 1 };
	return (struct linux_user_desc){
		.base_addr = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000), .limit = (low & 0xffff) | (high & 0xf0000),
		.read_exec_only = !(high >> 9 & 1), .contents = high >> 10 & 3, .seg_not_present = !(high >> 15 & 1),
		.useable = high >> 20 & 1, .seg_32bit = high >> 22 & 1, .limit_in_pages = high >> 23 & 1,
	};
}

void tls_load(const struct proc *p)
{
	for (uint32_t i = 0; i < TLS_SLOTS; i++)
		gdt_set(TLS_FIRST + i, p->tls[i]);
}

/* Only 32-bit data segments that are present: what Linux takes, too. */
static bool acceptable(const struct linux_user_desc *u)
{
	return user_segment_empty(u) || (u->seg_32bit && u->contents <= SEGMENT_STACK && !u->seg_not_present);
}

static uint32_t free_slot(void)
{
	uint32_t slot = 0;
	while (slot < TLS_SLOTS && current->tls[slot])
		slot++;
	return slot;
}

/* Entry -1 asks for a free one and learns which. */
int sys_set_thread_area(struct trapframe *tf)
{
	struct linux_user_desc u;
	if (copy_from_user(&u, ARG0(tf), sizeof u))
		return -EFAULT;
	bool any = u.entry_number == ~0u;
	uint32_t slot = any ? free_slot() : u.entry_number - TLS_FIRST, number = slot + TLS_FIRST;
	if (slot >= TLS_SLOTS)
		return any ? -ESRCH : -EINVAL;
	if (!acceptable(&u))
		return -EINVAL;
	if (any && copy_to_user(ARG0(tf), &number, sizeof number))
		return -EFAULT;
	current->tls[slot] = user_segment_empty(&u) ? 0 : user_segment(&u);
	tls_load(current);
	return 0;
}

int sys_get_thread_area(struct trapframe *tf)
{
	uint32_t entry;
	if (copy_from_user(&entry, ARG0(tf), sizeof entry))
		return -EFAULT;
	if (entry - TLS_FIRST >= TLS_SLOTS)
		return -EINVAL;
	struct linux_user_desc u = describe(current->tls[entry - TLS_FIRST]);
	u.entry_number = entry;
	return copy_to_user(ARG0(tf), &u, sizeof u);
}
