/* emu/hash.c: see hash.h. */
#include "emu/hash.h"

#include <string.h>

#define ODD_A 0x9e3779b97f4a7c15ull        /* 2^64 / golden ratio, made odd */
#define ODD_B 0xc2b2ae3d27d4eb4full

static inline uint64_t mix(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * ODD_A;
	return lane ^ lane >> 32;
}

void hash_init(struct hash *h)
{
	*h = (struct hash){ .lane = { 1, ODD_A, ODD_B, ODD_A ^ ODD_B } };
}

void hash_u64(struct hash *h, uint64_t value)
{
	unsigned lane = h->length++ & 3;

	h->lane[lane] = mix(h->lane[lane], value);
}

void hash_bytes(struct hash *h, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t word[4];

	for (; size >= 32; size -= 32, p += 32) {
		memcpy(word, p, 32);
		for (unsigned i = 0; i < 4; i++)
			h->lane[i] = mix(h->lane[i], word[i]);
		h->length += 4;
	}
	for (; size; size -= size < 8 ? size : 8, p += 8) {
		uint64_t tail = 0;
		memcpy(&tail, p, size < 8 ? size : 8);
		hash_u64(h, tail);
	}
}

uint64_t hash_result(const struct hash *h)
{
	uint64_t r = h->length * ODD_B;

	for (unsigned i = 0; i < 4; i++)
		r = mix(r, h->lane[i]) * ODD_B;
	return r ^ r >> 29;
}
