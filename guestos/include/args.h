/* guestos/include/args.h: what exec hands to a new program on its stack. */
#ifndef ARGS_H
#define ARGS_H

#include "kernel.h"

#define ARG_PAGES 16u

/* The strings of a program that is about to begin, in frames: argc of argv, then envc of envp, then what the auxiliary vector points to. */
struct frame;
struct arguments {
	struct frame *pages[ARG_PAGES];
	uint32_t bytes, argc, envc;
	uint32_t execfn, platform, random;     /* offsets of the last three */
};

/* What the C library asks the auxiliary vector for. */
struct program {
	uint32_t entry, phdr, phent, phnum;    /* phdr: where the program headers are in memory, or 0 */
};

/* All may sleep and return 0 or -E2BIG, -ENOMEM, -EFAULT. */
int args_add(struct arguments *a, const char *s);
int args_add_user(struct arguments *a, uaddr_t vector, uint32_t *count);
int args_add_auxiliary(struct arguments *a, const char *name); /* after argv and envp */
int args_to_stack(struct arguments *a, const struct program *p, uint32_t *esp);
char *args_line(const struct arguments *a, uint32_t *bytes);  /* argv's strings for /proc/PID/cmdline; to be kfree'd */
void args_free(struct arguments *a);

#endif
