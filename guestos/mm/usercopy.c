/* guestos/mm/usercopy.c: the only code that touches user addresses.
 *
 * A range is checked against the kernel's half first, and for regions that nobody may touch: their pages can be present, closed
 * to the user only (U clear), which does not stop the kernel. Then user_copy (boot/traps.S) just copies: an absent page faults and
 * is brought in like any other, with CR0.WP making the kernel's writes respect read-only pages and so copy-on-write; an address that
 * means nothing makes page_fault() continue at user_copy_failed, and the caller sees EFAULT.
 * Invariant: all of this may sleep, so no caller holds fs_lock or has interrupts off. */
#include "mm.h"
#include "proc.h"

uint32_t user_copy(void *to, const void *from, uint32_t n);

bool in_user_half(uaddr_t start, uint32_t n)
{
	return start < KERNEL_BASE && n <= KERNEL_BASE - start;
}

static bool may_copy(uaddr_t start, uint32_t n)
{
	if (!in_user_half(start, n))
		return false;
	for (struct region *r = region_after(current->space, start); r && r->start < start + n; r = r->next)
		if (!r->prot)
			return false;
	return true;
}

int copy_from_user(void *to, uaddr_t from, uint32_t n)
{
	if (!n)
		return 0;
	may_sleep();
	return may_copy(from, n) && !user_copy(to, (const void *)from, n) ? 0 : -EFAULT;
}

int copy_to_user(uaddr_t to, const void *from, uint32_t n)
{
	if (!n)
		return 0;
	may_sleep();
	return may_copy(to, n) && !user_copy((void *)to, from, n) ? 0 : -EFAULT;
}

int clear_user(uaddr_t to, uint32_t n)
{
	static const char zeroes[64];
	for (uint32_t done = 0; done < n; done += sizeof zeroes)
		if (copy_to_user(to + done, zeroes, min(n - done, (uint32_t)sizeof zeroes)))
			return -EFAULT;
	return 0;
}

/* Copies piecewise, never reading a page beyond the one the terminating zero is in. */
int copy_string_from_user(char *to, uaddr_t from, uint32_t room)
{
	for (uint32_t n = 0; n < room;) {
		uint32_t piece = min(min(room - n, PAGE_SIZE - (from + n) % PAGE_SIZE), 64u);
		if (copy_from_user(to + n, from + n, piece))
			return -EFAULT;
		for (uint32_t i = 0; i < piece; i++, n++)
			if (!to[n])
				return n;
	}
	return -ENAMETOOLONG;
}
