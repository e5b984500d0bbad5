/* random.h: numbers to draw lots with, the same ones in every run. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

/* Marsaglia's xorshift: any state but 0, and all others come in turn. */
static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

/* Linear congruential, full period for any state, 0 too; the lower bits repeat soon, so use the upper ones. The multiplier is Knuth's and Lewis'. */
static inline uint32_t next_linear(uint32_t *state) { return *state = *state * 1664525 + 1013904223; }

#endif
