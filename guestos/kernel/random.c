/* guestos/kernel/random.c: numbers for programs that ask for random ones.
 *
 * Simplified: a fixed seed and xorshift, so that the same machine with the same input runs the same way again. Nothing secret can be
 * made from them. */
#include "signal.h"
#include "syscalls.h"
#include "mm.h"

static uint32_t state = 0x2545f491;

uint32_t random_u32(void) { return xorshift(&state); }

int random_to_user(uaddr_t to, uint32_t n)
{
	for (uint32_t done = 0, word; done < n; done += min(n - done, 4u)) {
		word = random_u32();
		if (copy_to_user(to + done, &word, min(n - done, 4u)))
			return done ? (int)done : -EFAULT;
		if (signals_pending(current))
			return done;
	}
	return n;
}

/* Flags (wait for entropy, from which pool) mean nothing here. */
int sys_getrandom(struct trapframe *tf) { return random_to_user(ARG0(tf), min(ARG1(tf), 0x1ffffffu)); }
