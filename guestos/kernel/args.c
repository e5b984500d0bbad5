/* guestos/kernel/args.c: arguments, environment and auxiliary vector of a new program.
 *
 * exec collects the strings in kernel frames, because the space they live in is about to go, and lays them out on the new stack:
 *
 *   0xC0000000  strings: argv, envp, random bytes, platform, path
 *               auxv: pairs (type, value), the last of type 0
 *               envp[] NULL
 *               argv[] NULL
 *               argc       <- ESP, 16-byte aligned
 *
 * This is what Linux gives an i386 program, without a vDSO: programs then enter the kernel by INT 0x80.
 * The random bytes come from random.c, so the same boot gives the same ones. */
#include "args.h"
#include "mm.h"
#include "proc.h"

/* auxv types */
enum {
	AT_NULL, AT_PHDR = 3, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY, AT_UID = 11, AT_EUID, AT_GID, AT_EGID,
	AT_PLATFORM, AT_HWCAP, AT_CLKTCK, AT_SECURE = 23, AT_RANDOM = 25, AT_EXECFN = 31,
};
#define RANDOM_BYTES 16u
#define LINE_MAX 255u

void args_free(struct arguments *a)
{
	for (uint32_t i = 0; i < ARG_PAGES; i++)
		if (a->pages[i])
			frame_free(a->pages[i]);
	kfree(a);
}

static int args_add_char(struct arguments *a, char c)
{
	uint32_t page = a->bytes / PAGE_SIZE;
	if (page >= ARG_PAGES)
		return -E2BIG;
	if (!a->pages[page] && !(a->pages[page] = frame_alloc(ALLOC_KERNEL)))
		return -ENOMEM;
	((char *)frame_va(a->pages[page]))[a->bytes++ % PAGE_SIZE] = c;
	return 0;
}

static char args_char(const struct arguments *a, uint32_t offset)
{
	return ((const char *)frame_va(a->pages[offset / PAGE_SIZE]))[offset % PAGE_SIZE];
}

int args_add(struct arguments *a, const char *s)
{
	int err;
	do
		err = args_add_char(a, *s);
	while (!err && *s++);
	return err;
}

static int args_add_user_string(struct arguments *a, uaddr_t from)
{
	char part[64];
	for (;;) {
		uint32_t n = min((uint32_t)sizeof part, PAGE_SIZE - from % PAGE_SIZE);
		if (copy_from_user(part, from, n))
			return -EFAULT;
		for (uint32_t i = 0; i < n; i++) {
			int err = args_add_char(a, part[i]);
			if (err || !part[i])
				return err;
		}
		from += n;
	}
}

int args_add_user(struct arguments *a, uaddr_t vector, uint32_t *count)
{
	for (; vector; vector += 4) {
		uaddr_t s;
		if (copy_from_user(&s, vector, 4))
			return -EFAULT;
		if (!s)
			break;
		int err = args_add_user_string(a, s);
		if (err)
			return err;
		++*count;
	}
	return 0;
}

int args_add_auxiliary(struct arguments *a, const char *name)
{
	int err = 0;
	a->random = a->bytes;
	for (uint32_t i = 0; !err && i < RANDOM_BYTES; i++)
		err = args_add_char(a, random_u32() >> 24);
	a->platform = a->bytes;
	if (!err)
		err = args_add(a, "i686");
	a->execfn = a->bytes;
	return err ? err : args_add(a, name);
}

char *args_line(const struct arguments *a, uint32_t *bytes)
{
	uint32_t n = 0;
	for (uint32_t strings = 0; n < LINE_MAX && strings < a->argc; n++)
		strings += !args_char(a, n);
	char *line = kmalloc(n);
	for (uint32_t i = 0; line && i < n; i++)
		line[i] = args_char(a, i);
	*bytes = n;
	return line;
}

/* A pointer to each of count strings, the first at offset *offset and address strings + *offset, then NULL. */
static int put_vector(const struct arguments *a, uaddr_t *at, uaddr_t strings, uint32_t *offset, uint32_t count)
{
	uint32_t zero = 0;
	for (uint32_t i = 0; i < count; i++, *at += 4) {
		uaddr_t s = strings + *offset;
		if (copy_to_user(*at, &s, sizeof s))
			return -EFAULT;
		while (args_char(a, (*offset)++))
			;
	}
	*at += 4;
	return copy_to_user(*at - 4, &zero, sizeof zero);
}

/* The pages of the new stack are mapped by the faults of this very copying. */
int args_to_stack(struct arguments *a, const struct program *p, uint32_t *esp)
{
	uaddr_t strings = (STACK_TOP - a->bytes) & ~3u;
	const uint32_t auxv[][2] = {
		{ AT_HWCAP, cpu_features() }, { AT_PAGESZ, PAGE_SIZE }, { AT_CLKTCK, HZ },
		{ AT_PHDR, p->phdr }, { AT_PHENT, p->phent }, { AT_PHNUM, p->phnum }, { AT_BASE, 0 }, { AT_FLAGS, 0 }, { AT_ENTRY, p->entry },
		{ AT_UID, 0 }, { AT_EUID, 0 }, { AT_GID, 0 }, { AT_EGID, 0 }, { AT_SECURE, 0 },
		{ AT_RANDOM, strings + a->random }, { AT_EXECFN, strings + a->execfn }, { AT_PLATFORM, strings + a->platform },
		{ AT_NULL, 0 },
	};
	uint32_t words = 1 + a->argc + 1 + a->envc + 1 + sizeof auxv / 4, offset = 0;
	uaddr_t sp = (strings - words * 4) & ~15u, at = sp;
	current->tf->user_esp = sp;            /* so that the stack may grow to here */
	for (uint32_t done = 0; done < a->bytes; done += PAGE_SIZE)
		if (copy_to_user(strings + done, frame_va(a->pages[done / PAGE_SIZE]), min(PAGE_SIZE, a->bytes - done)))
			return -EFAULT;
	int err = copy_to_user(at, &a->argc, 4);
	at += 4;
	if (!err)
		err = put_vector(a, &at, strings, &offset, a->argc);
	if (!err)
		err = put_vector(a, &at, strings, &offset, a->envc);
	if (!err)
		err = copy_to_user(at, auxv, sizeof auxv);
	*esp = sp;
	return err;
}
