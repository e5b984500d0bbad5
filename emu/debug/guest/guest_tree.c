/* emu/debug/guest/guest_tree.c: Linux's maple trees, in which version 6.1 and later keep a process's regions.
 *
 *   ma_root   0: empty; low bits 10: a node; else the only entry
 *   pointer to a node   node's address (256-byte aligned) | type << 3 | low bits
 *   type      1: leaf, 2: range, 3: range with gaps; 0: dense, leaf without pivots
 *
 *   range64    parent, pivot[31], slot[32]          of 4 bytes each on a 32-bit machine; leaf has the same shape
 *   arange64   parent, pivot[20], slot[21], gap[21], metadata
 *
 * A slot's pivot is the last index it covers; a pivot of 0 after the first, or one at the maximum, ends the node. The tree is untrusted: depth and the
 * number of nodes are bounded.
 */
#include "emu/debug/guest/guest_private.h"

#define DEPTH_MAX 16
#define NODES_MAX 100000u
enum { MAPLE_DENSE, MAPLE_LEAF, MAPLE_RANGE, MAPLE_ARANGE };

struct tree { const struct debugger *d; bool (*fn)(void *ctx, uint32_t entry); void *ctx; unsigned nodes; };

/* Linux keeps values, not pointers, with these low bits: they are the tree's own (XArray's "internal" entries). */
static bool is_entry(uint32_t slot) { return slot && (slot & 3) != 2 && slot > 4096; }

static bool each_in_node(struct tree *t, uint32_t node, uint32_t max, unsigned depth)
{
	uint32_t word[64];
	unsigned type = node >> 3 & 15;
	unsigned pivots = type == MAPLE_ARANGE ? 20 : 31;

	if (depth > DEPTH_MAX || ++t->nodes > NODES_MAX || type > MAPLE_ARANGE || type == MAPLE_DENSE)
		return true;
	if (debugger_read_linear(t->d, node & ~0xffu, word, sizeof(word)) != sizeof(word))
		return true;
	const uint32_t *pivot = word + 1, *slot = pivot + pivots;
	for (unsigned i = 0; i <= pivots; i++) {
		uint32_t last = i < pivots && (pivot[i] || i == 0) ? pivot[i] : max;
		if (type == MAPLE_LEAF ? is_entry(slot[i]) && !t->fn(t->ctx, slot[i]) : slot[i] && !each_in_node(t, slot[i], last, depth + 1))
			return false;
		if (last >= max)
			break;
	}
	return true;
}

void maple_each(const struct debugger *d, uint32_t root, bool (*fn)(void *ctx, uint32_t entry), void *ctx)
{
	struct tree t = { d, fn, ctx, 0 };

	if ((root & 3) == 2 && root > 4096)
		each_in_node(&t, root, UINT32_MAX, 0);
	else if (is_entry(root))
		fn(ctx, root);
}
