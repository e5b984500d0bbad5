/* guestos/mm/heap.c: kmalloc for small kernel objects.
 *
 * A frame is cut into objects of one size (16 to 2048 bytes, powers of two). The frame's descriptor holds the
 * list of its free objects and how many are in use, so a page with none left goes back to the frame allocator and leak
 * checks come out even. kfree() finds the descriptor from the address. Bigger things take whole frames.
 * Invariant: a heap page is on its class's list exactly if it has at least one free object. */
#include "mm.h"
#include "proc.h"

#define MIN_SHIFT 4
#define CLASSES 8

static struct frame *with_room[CLASSES];

static void unlink(struct frame *f, unsigned class)
{
	struct frame **link = &with_room[class];
	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
}

static struct frame *new_page(unsigned class)
{
	struct frame *f = frame_alloc(ALLOC_KERNEL);
	if (!f)
		return NULL;
	frame_set_state(f, FRAME_HEAP);
	char *page = frame_va(f);
	void *list = NULL;
	for (uint32_t at = 0; at < PAGE_SIZE; at += 1u << (class + MIN_SHIFT)) {
		*(void **)(page + at) = list;
		list = page + at;
	}
	f->free_objects = list;
	f->object = class;
	f->index = 0;
	f->next = with_room[class];
	return with_room[class] = f;
}

void *kmalloc(size_t n)
{
	unsigned class = 0;
	may_sleep();
	while ((1u << (class + MIN_SHIFT)) < n)
		class++;
	KASSERT(class < CLASSES);
	struct frame *f = with_room[class];
	if (!f && !(f = new_page(class)))
		return NULL;
	void *p = f->free_objects;
	f->free_objects = *(void **)p;
	f->index++;
	if (!f->free_objects)
		unlink(f, class);
	return p;
}

void *kzalloc(size_t n)
{
	void *p = kmalloc(n);
	return p ? memset(p, 0, n) : NULL;
}

char *kstrdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = kmalloc(n);
	return p ? memcpy(p, s, n) : NULL;
}

/* For check.c: every object is either in use or on the page's list, and lies where an object may. */
bool heap_page_sound(const struct frame *f)
{
	uint32_t size = 1u << (f->object + MIN_SHIFT), free = 0;
	if (f->object >= CLASSES || !f->index)
		return false;
	for (const void *p = f->free_objects; p && free <= PAGE_SIZE / size; p = *(void *const *)p, free++)
		if (page_down(p) != (uint32_t)frame_va(f) || (uint32_t)p % size)
			return false;
	return free + f->index == PAGE_SIZE / size;
}

void kfree(void *p)
{
	if (!p)
		return;
	struct frame *f = frame_of(virt_to_phys(p));
	unsigned class = f->object;
	KASSERT(f->state == FRAME_HEAP && f->index);
	if (!f->free_objects) {
		f->next = with_room[class];
		with_room[class] = f;
	}
	*(void **)p = f->free_objects;
	f->free_objects = p;
	if (--f->index == 0) {
		unlink(f, class);
		f->free_objects = NULL;
		frame_free(f);
	}
}
