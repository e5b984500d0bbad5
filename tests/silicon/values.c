/* tests/silicon/values.c: see values.h. */
#include "values.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x7fb5d329728ea185ull;
	x = (x ^ x >> 27) * 0x81dadef4bc2dd44dull;
	return x ^ x >> 33;
}

struct sil_random sil_random_for(uint64_t seed, uint64_t k)
{
	return (struct sil_random) { mix(mix(seed + 0x9e3779b97f4a7c15ull) + k * 0xd1342543de82ef95ull) };
}

uint64_t sil_u64(struct sil_random *r)
{
	r->state += 0x9e3779b97f4a7c15ull;
	return mix(r->state);
}

uint32_t sil_u32(struct sil_random *r) { return (uint32_t)(sil_u64(r) >> 32); }
uint32_t sil_below(struct sil_random *r, uint32_t n) { return (uint32_t)((uint64_t)sil_u32(r) * n >> 32); }

uint32_t sil_integer(struct sil_random *r)
{
	static const uint32_t edge[] = { 0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 0x7e, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff,
		0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0xfffffffe, 0x99, 0x9a, 0x90, 0x0a, 0xa0, 0xfa, 0x09, 0x0f, 0xf9, 0x99999999,
		0xffffff80, 0xffffff7f, 0xffff8000, 0xffff7fff, 0x55555555, 0xaaaaaaaa, 0x0000ff00, 0x00ff00ff, 0x7f7f7f7f, 0x80808080, 0x80008000, 0x7fff7fff };

	switch (sil_below(r, 6)) {
	case 0: case 1: return edge[sil_below(r, COUNT(edge))];
	case 2: return 1u << sil_below(r, 32);
	case 3: return sil_u32(r) >> sil_below(r, 32);
	default: return sil_u32(r);
	}
}

/* A float with the given field widths: exponent from the interesting ones, fraction from the interesting ones. */
static uint64_t float_of(struct sil_random *r, unsigned exponent_bits, unsigned fraction_bits)
{
	uint64_t bias = (1ull << (exponent_bits - 1)) - 1, top = 2 * bias + 1, e, f, quiet = 1ull << (fraction_bits - 1), mask = 2 * quiet - 1;

	switch (sil_below(r, 16)) {
	case 0: e = 0; break;
	case 1: e = 1; break;
	case 2: e = top; break;
	case 3: e = top - 1; break;
	case 4: e = sil_below(r, fraction_bits + 3); break;
	case 5: e = top - sil_below(r, fraction_bits + 3); break;
	case 6: e = bias + 15 + sil_below(r, 3); break;
	case 7: e = bias + 30 + sil_below(r, 4); break;
	case 8: e = bias + 61 + sil_below(r, 4); break;
	case 9: case 10: e = bias - fraction_bits - 2 + sil_below(r, 2 * fraction_bits); break;
	case 11: e = bias / 2 + sil_below(r, 8); break;
	case 12: e = sil_u64(r) & top; break;
	default: e = bias - 2 + sil_below(r, 5); break;
	}
	switch (sil_below(r, 8)) {
	case 0: f = 0; break;
	case 1: f = mask; break;
	case 2: f = quiet; break;
	case 3: f = 1; break;
	case 4: f = mask << sil_below(r, fraction_bits); break;
	case 5: f = mask >> sil_below(r, fraction_bits); break;
	default: f = sil_u64(r); break;
	}
	e = e > top ? top : e;
	return (uint64_t)sil_below(r, 2) << (exponent_bits + fraction_bits) | e << fraction_bits | (f & mask);
}

uint32_t sil_float32(struct sil_random *r) { return (uint32_t)float_of(r, 8, 23); }
uint64_t sil_float64(struct sil_random *r) { return float_of(r, 11, 52); }

/* A float or double as an 80-bit number: what rounds to those formats exactly, and its neighbours. */
static void widened(struct sil_random *r, uint64_t *mantissa, uint16_t *exponent)
{
	uint64_t v = sil_float64(r);
	unsigned e = v >> 52 & 0x7ff;

	*mantissa = 1ull << 63 | v << 11;
	*exponent = (uint16_t)((v >> 63) << 15 | (e + 0x3fff - 0x3ff));
	if (sil_one_in(r, 2))
		*mantissa ^= sil_below(r, 3) + (sil_one_in(r, 2) ? 0x3ff : 0);
	if (sil_one_in(r, 4))
		*mantissa &= ~0xffffffffffull;
}

static void whole_number(struct sil_random *r, uint64_t *mantissa, uint16_t *exponent)
{
	uint64_t v = sil_u64(r) >> sil_below(r, 64);
	unsigned shift = 0;

	v += !v;
	while (!(v >> 63))
		v <<= 1, shift++;
	*mantissa = v;
	*exponent = (uint16_t)(sil_below(r, 2) << 15 | (0x3fff + 63 - shift));
}

void sil_float80(struct sil_random *r, uint64_t *mantissa, uint16_t *exponent)
{
	static const uint64_t special[] = { 0, 1ull << 63, 3ull << 62, (1ull << 63) + 1, 1, 1ull << 62, ~0ull, ~0ull >> 1, 0xc90fdaa22168c235ull,
		0xb8aa3b295c17f0bcull, 0xb504f333f9de6485ull, 0xb504f333f9de6484ull };
	uint16_t sign = (uint16_t)(sil_below(r, 2) << 15);

	switch (sil_below(r, 8)) {
	case 0: widened(r, mantissa, exponent); return;
	case 1: whole_number(r, mantissa, exponent); return;
	case 2: case 3:
		*mantissa = special[sil_below(r, COUNT(special))];
		break;
	default:
		*mantissa = sil_u64(r) >> (sil_one_in(r, 8) ? sil_below(r, 64) : 0);
		if (!sil_one_in(r, 16))
			*mantissa |= 1ull << 63;
		if (sil_one_in(r, 4))
			*mantissa &= ~0ull << sil_below(r, 63);
		break;
	}
	switch (sil_below(r, 10)) {
	case 0: *exponent = 0; break;
	case 1: *exponent = 0x7fff; break;
	case 2: *exponent = (uint16_t)(1 + sil_below(r, 70)); break;
	case 3: *exponent = (uint16_t)(0x7ffe - sil_below(r, 70)); break;
	case 4: *exponent = (uint16_t)sil_below(r, 0x8000); break;
	case 5: *exponent = (uint16_t)(0x3fff + 62 + sil_below(r, 4)); break;
	default: *exponent = (uint16_t)(0x3fff - 68 + sil_below(r, 136)); break;
	}
	if (sil_one_in(r, 3))
		*exponent = (uint16_t)(0x3fff - 3 + sil_below(r, 6));
	*exponent |= sign;
}

static void bcd(struct sil_random *r, uint8_t *to, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = (uint8_t)(sil_below(r, 10) << 4 | sil_below(r, 10));
	if (n > 9)
		to[9] = sil_one_in(r, 4) ? (uint8_t)sil_u32(r) : (uint8_t)(to[9] & 0x80);
	if (sil_one_in(r, 3))
		memset(to, 0, sil_below(r, n));
}

void sil_bytes(struct sil_random *r, uint8_t *to, unsigned n)
{
	unsigned kind = sil_below(r, 8);
	uint64_t v[66];
	uint16_t exponent;

	if (kind == 0 && n <= 16) {
		bcd(r, to, n);
		return;
	}
	for (unsigned i = 0; i < (n + 7) / 8; i++) {
		switch (kind) {
		case 1: case 2: v[i] = sil_float32(r) | (uint64_t)sil_float32(r) << 32; break;
		case 3: case 4: v[i] = sil_float64(r); break;
		case 5:
			sil_float80(r, &v[i], &exponent);
			v[++i] = exponent;
			break;
		case 6: v[i] = sil_u64(r); break;
		default: v[i] = sil_integer(r) | (uint64_t)sil_integer(r) << 32; break;
		}
	}
	memcpy(to, v, n);
}
