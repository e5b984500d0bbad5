/* emu/hash.h: a 64-bit hash of a machine's state, for comparing runs. Not for adversaries.
 *
 * Four independent lanes take 8 bytes each in turn (so that the multiplications overlap), and are folded at the end together
 * with the length. Feeding the same bytes in other pieces gives another hash: callers feed fixed fields in a fixed order.
 */
#ifndef EMU_HASH_H
#define EMU_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash { uint64_t lane[4]; uint64_t length; };

void hash_init(struct hash *h);
void hash_bytes(struct hash *h, const void *data, size_t size);
void hash_u64(struct hash *h, uint64_t value);
uint64_t hash_result(const struct hash *h);

#endif
