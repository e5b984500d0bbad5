/* tests/silicon/values.h: random values of the kinds that make a difference. */
#ifndef TESTS_SILICON_VALUES_H
#define TESTS_SILICON_VALUES_H

#include <stdbool.h>
#include <stdint.h>

struct sil_random { uint64_t state; };

/* The stream of case k under seed. */
struct sil_random sil_random_for(uint64_t seed, uint64_t k);
uint32_t sil_u32(struct sil_random *r);
uint64_t sil_u64(struct sil_random *r);
uint32_t sil_below(struct sil_random *r, uint32_t n);
static inline bool sil_one_in(struct sil_random *r, uint32_t n) { return !sil_below(r, n); }

uint32_t sil_integer(struct sil_random *r);            /* 0, 1, sign bits, all ones, shift counts, BCD ... or anything */
uint32_t sil_float32(struct sil_random *r);
uint64_t sil_float64(struct sil_random *r);
/* Denormals, pseudo-denormals, unnormals, NaNs of all kinds, numbers near the limits of the formats and of the integers. */
void sil_float80(struct sil_random *r, uint64_t *mantissa, uint16_t *exponent);
/* n bytes of one kind of data: integers, floats of one size, BCD, or noise. */
void sil_bytes(struct sil_random *r, uint8_t *to, unsigned n);

#endif
