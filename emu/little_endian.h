/* emu/little_endian.h: numbers in bytes, as x86 and its file formats keep them. The caller has checked that the bytes are there. */
#ifndef EMU_LITTLE_ENDIAN_H
#define EMU_LITTLE_ENDIAN_H

#include <stddef.h>
#include <stdint.h>

/* The number in the first n bytes, 8 at most. */
static inline uint64_t get_number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n && i < 8; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static inline uint16_t get16(const uint8_t *p) { return (uint16_t)get_number(p, 2); }
static inline uint32_t get32(const uint8_t *p) { return (uint32_t)get_number(p, 4); }
static inline uint64_t get64(const uint8_t *p) { return get_number(p, 8); }

#endif
