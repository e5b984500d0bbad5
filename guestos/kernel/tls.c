/* guestos/kernel/tls.c: thread-local storage: three GDT descriptors that belong to the process that runs.
 *
 * A C library keeps its per-thread variables behind %gs. set_thread_area() gives a process a data segment with a base of its choice in
 * one of the GDT's slots 6 to 8; the selector is 8 * slot + 3. The slots are rewritten on every switch; a segment register that is
 * loaded keeps its hidden copy until it is loaded again, which happens on the way back to user mode.
 * References: [SDM3A 3.4.5 "Segment Descriptors"]. */
#include "syscalls.h"
#include "mm.h"
#include "segment.h"

#define TLS_FIRST 6u                   /* the numbers Linux gives them on i386 */

static uint32_t word_of(const struct user_desc *d, unsigned bit, unsigned width) { return d->bits >> bit & ((1u << width) - 1); }

bool user_desc_empty(const struct user_desc *d)
{
	return !d->base && !d->limit && d->bits == (DESC_READ_ONLY | DESC_NOT_PRESENT);
}

/* Always DPL 3 and never a system segment, whatever d says. */
uint64_t user_descriptor(const struct user_desc *d)
{
	uint32_t contents = word_of(d, 1, 2);
	uint32_t type = contents << 2 | (d->bits & DESC_READ_ONLY ? 0 : 2) | 1;        /* code or data, direction, W or R, accessed */
	uint32_t access = 0x70 | type | (d->bits & DESC_NOT_PRESENT ? 0 : 0x80);
	uint32_t flags = (d->bits & DESC_PAGES ? 8 : 0) | (d->bits & DESC_32BIT ? 4 : 0) | (d->bits & DESC_USEABLE ? 1 : 0);
	return segment_descriptor(d->base, d->limit, access, flags);
}

/* The inverse, for get_thread_area(). */
static void describe(uint64_t descriptor, struct user_desc *d)
{
	uint32_t low = descriptor, high = descriptor >> 32;
	d->base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
	d->limit = (low & 0xffff) | (high & 0xf0000);
	d->bits = descriptor ? (high >> 22 & 1) | (high >> 10 & 3) << 1 | !(high >> 9 & 1) << 3 | (high >> 23 & 1) << 4
		| !(high >> 15 & 1) << 5 | (high >> 20 & 1) << 6 : DESC_READ_ONLY | DESC_NOT_PRESENT;
}

void tls_load(const struct proc *p)
{
	for (uint32_t i = 0; i < TLS_SLOTS; i++)
		gdt_set(TLS_FIRST + i, p->tls[i]);
}

/* entry -1 asks for a free one and learns which. Only data segments: a code segment would need none of this. */
int sys_set_thread_area(struct trapframe *tf)
{
	struct user_desc d;
	if (copy_from_user(&d, ARG0(tf), sizeof d))
		return -EFAULT;
	uint32_t slot = d.entry - TLS_FIRST;
	if (d.entry == -1u)
		for (slot = 0; slot < TLS_SLOTS && current->tls[slot]; slot++)
			;
	if (slot >= TLS_SLOTS)
		return d.entry == -1u ? -ESRCH : -EINVAL;
	if (!user_desc_empty(&d) && (word_of(&d, 1, 2) > 1 || !(d.bits & DESC_32BIT) || d.bits & DESC_NOT_PRESENT))
		return -EINVAL;
	uint32_t number = TLS_FIRST + slot;
	if (d.entry == -1u && copy_to_user(ARG0(tf), &number, sizeof number))
		return -EFAULT;
	current->tls[slot] = user_desc_empty(&d) ? 0 : user_descriptor(&d);
	tls_load(current);
	return 0;
}

int sys_get_thread_area(struct trapframe *tf)
{
	struct user_desc d;
	if (copy_from_user(&d.entry, ARG0(tf), sizeof d.entry))
		return -EFAULT;
	if (d.entry - TLS_FIRST >= TLS_SLOTS)
		return -EINVAL;
	describe(current->tls[d.entry - TLS_FIRST], &d);
	return copy_to_user(ARG0(tf), &d, sizeof d);
}
