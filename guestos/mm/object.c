/* guestos/mm/object.c: memory objects: memory that several processes share and that has no file.
 *
 * MAP_SHARED | MAP_ANONYMOUS makes one. It is what a file is to the page cache, without a name and an inode: pages are frames
 * named (object, page), found by whoever faults on them; where a file has blocks, an object has swap slots. So fork shares the
 * region and nothing else, and eviction treats such a page like a dirty page of a file that is written to swap.
 * An object's number has its top bit set, which no inode's has. A page has a slot from the first time it is written out;
 * 0 means that it never was: if it is not in memory either, it is all zeroes.
 * Invariant: slots[page] is the block of the frame named (object, page), if there is one. The slot's one reference is the object's. */
#include "mm.h"

#define SLOTS_PER_FRAME (PAGE_SIZE / sizeof(uint32_t))
#define MOST_FRAMES 512u               /* of slots, so that kmalloc can hold the table: 2 GB */

static struct memory_object *objects;
static uint32_t last_id;

static struct memory_object *find(uint32_t id)
{
	struct memory_object *o = objects;
	while (o && o->id != id)
		o = o->next;
	return o;
}

struct memory_object *object_new(uint32_t pages)
{
	uint32_t tables = (pages + SLOTS_PER_FRAME - 1) / SLOTS_PER_FRAME;
	struct memory_object *o = tables <= MOST_FRAMES ? kzalloc(sizeof *o) : NULL;
	if (!o || !(o->slots = kzalloc(tables * sizeof *o->slots))) {
		kfree(o);
		return NULL;
	}
	do
		last_id = (last_id + 1) & ~OBJECT_MEMORY;
	while (find(OBJECT_MEMORY | last_id) || (OBJECT_MEMORY | last_id) == OBJECT_SWAP);
	o->id = OBJECT_MEMORY | last_id;
	o->pages = pages;
	o->refs = 1;
	o->next = objects;
	objects = o;
	return o;
}

void object_get(struct memory_object *o) { o->refs++; }

void object_put(struct memory_object *o)
{
	if (--o->refs)
		return;
	cache_remove_from(o->id, 0);
	struct memory_object **link = &objects;
	while (*link != o)
		link = &(*link)->next;
	*link = o->next;
	for (uint32_t i = 0; i * SLOTS_PER_FRAME < o->pages; i++) {
		for (uint32_t j = 0; o->slots[i] && j < SLOTS_PER_FRAME; j++)
			if (o->slots[i][j])
				swap_put(o->slots[i][j]);
		if (o->slots[i])
			frame_free(frame_of(virt_to_phys(o->slots[i])));
	}
	kfree(o->slots);
	kfree(o);
}

bool object_exists(uint32_t id) { return find(id); }

/* For pages that had their first fault, when the table was made. */
uint32_t object_slot(uint32_t id, uint32_t index)
{
	return find(id)->slots[index / SLOTS_PER_FRAME][index % SLOTS_PER_FRAME];
}

uint32_t object_give_slot(uint32_t id, uint32_t index)
{
	struct memory_object *o = find(id);
	uint32_t slot = swap_alloc();
	o->slots[index / SLOTS_PER_FRAME][index % SLOTS_PER_FRAME] = slot;
	o->swapped += slot > 0;
	return slot;
}

bool object_in_swap(const struct memory_object *o, uint32_t index)
{
	const uint32_t *table = index < o->pages ? o->slots[index / SLOTS_PER_FRAME] : NULL;
	return table && table[index % SLOTS_PER_FRAME];
}

/* The frame with a page of the object, pinned: 1 if it came from swap, 0 if it was in memory or is new, or a negative error. */
int object_page(struct memory_object *o, uint32_t index, struct frame **out)
{
	if (index >= o->pages)
		return -EINVAL;
	uint32_t **table = &o->slots[index / SLOTS_PER_FRAME];
	struct frame *f = *table ? NULL : frame_alloc(ALLOC_USER);
	if (f && *table) {
		frame_free(f);                 /* somebody made it while we slept */
	} else if (f) {
		*table = memset(frame_va(f), 0, PAGE_SIZE);
		frame_set_state(f, FRAME_TABLE);
	}
	return *table ? cache_get(o->id, index, 0, out) : -ENOMEM;
}

/* For check.c: what all objects hold. */
void objects_each(void (*table)(struct frame *f, int by), void (*slot)(uint32_t slot, int by), int by)
{
	for (struct memory_object *o = objects; o; o = o->next)
		for (uint32_t i = 0; i * SLOTS_PER_FRAME < o->pages; i++) {
			for (uint32_t j = 0; o->slots[i] && j < SLOTS_PER_FRAME; j++)
				if (o->slots[i][j])
					slot(o->slots[i][j], by);
			if (o->slots[i])
				table(frame_of(virt_to_phys(o->slots[i])), by);
		}
}
