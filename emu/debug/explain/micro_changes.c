/* emu/debug/explain/micro_changes.c: the list of events, and what is different after the instruction: the frame that was pushed, registers, memory.
 * Memory is compared page by page: with those that were opened for writing, as they were before. */
#include <stdlib.h>
#include <string.h>

#include "emu/debug/explain/micro_private.h"

#define MOST_EVENTS 4096u              /* a flush of a large TLB is one event, so that nothing real comes near */
#define MEMORY_PIECE 8u

struct micro_event *micro_add(struct micro_recorder *r, enum micro_kind kind)
{
	struct micro *u = r->u;

	if (u->count == r->capacity) {
		size_t capacity = r->capacity ? 2 * r->capacity : 64;
		struct micro_event *more = capacity <= MOST_EVENTS ? reallocarray(u->event, capacity, sizeof(*more)) : NULL;
		if (!more) {
			r->failed = true;
			return NULL;
		}
		u->event = more;
		r->capacity = capacity;
	}
	struct micro_event *e = &u->event[u->count++];
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->access = r->walk.access;
	e->walk = r->walk;
	return e;
}

void micro_name(struct micro_event *e, const char *name)
{
	snprintf(e->name, sizeof(e->name), "%s", name);
}

void micro_tell_pushes(struct micro_recorder *r)
{
	const struct delivery_plan *p = &r->plan;

	for (unsigned i = 0; i < p->names && i < p->opened; i++) {
		uint32_t value = 0;
		struct micro_event *e = micro_add(r, MICRO_PUSH);
		if (!e)
			return;
		peek_bytes(&r->m->cpu, p->slot[i], &value, p->size);
		e->address = p->slot[i];
		e->value = value;
		e->size = p->size;
		micro_name(e, p->name[i]);
	}
}

static void changed(struct micro_recorder *r, const char *name, uint64_t old, uint64_t value, unsigned size)
{
	struct micro_event *e = old != value ? micro_add(r, MICRO_REGISTER) : NULL;

	if (!e)
		return;
	micro_name(e, name);
	e->old = old;
	e->value = value;
	e->size = size;
}

static void tell_fpu(struct micro_recorder *r)
{
	const struct fpu *a = &r->before.fpu, *b = &r->m->cpu.fpu;
	char name[16];

	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "x87 R%u", i);
		changed(r, name, a->r[i].mantissa, b->r[i].mantissa, 8);
		for (unsigned half = 0; half < 2; half++) {
			snprintf(name, sizeof(name), "XMM%u %s", i, half ? "high" : "low");
			changed(r, name, a->xmm[i].u64[half], b->xmm[i].u64[half], 8);
		}
	}
	changed(r, "x87 status", a->status, b->status, 2);
	changed(r, "x87 control", a->control, b->control, 2);
	changed(r, "MXCSR", a->mxcsr, b->mxcsr, 4);
}

void micro_tell_registers(struct micro_recorder *r)
{
	static const char *const general[] = { "EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI" };
	const struct cpu *a = &r->before, *b = &r->m->cpu;

	for (unsigned i = 0; i < 8; i++)
		changed(r, general[i], a->r[i], b->r[i], 4);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		changed(r, cpu_segment_names[i], a->seg[i].selector, b->seg[i].selector, 2);
	changed(r, "CPL", a->cpl, b->cpl, 1);
	changed(r, "CR0", a->cr0, b->cr0, 4);
	changed(r, "CR2", a->cr2, b->cr2, 4);
	changed(r, "CR3", a->cr3, b->cr3, 4);
	changed(r, "CR4", a->cr4, b->cr4, 4);
	changed(r, "EFER", a->efer, b->efer, 4);
	changed(r, "DR6", a->dr[6], b->dr[6], 4);
	changed(r, "DR7", a->dr[7], b->dr[7], 4);
	changed(r, "GDTR base", a->gdtr.base, b->gdtr.base, 4);
	changed(r, "IDTR base", a->idtr.base, b->idtr.base, 4);
	tell_fpu(r);
	changed(r, "EFLAGS", cpu_eflags(a), cpu_eflags(b), 4);
	changed(r, "EIP", a->eip, b->eip, 4);
}

/* The frame has been told, push by push; Accessed and Dirty bits were told at their walks. */
static bool already_told(const struct micro_recorder *r, paddr_t pa, laddr_t la)
{
	for (unsigned i = 0; i < r->plan.opened; i++)
		if (la - r->plan.slot[i] < r->plan.size)
			return true;
	for (size_t i = 0; i < r->u->count; i++)
		if (r->u->event[i].kind == MICRO_SET_BITS && pa - r->u->event[i].address < 4)
			return true;
	return false;
}

static bool tell_byte(const struct micro_recorder *r, const struct page_before *p, const uint8_t *now, unsigned at)
{
	return now[at] != p->byte[at] && !already_told(r, p->pa + at, p->la + at);
}

/* To the whole doubleword around what changed, so that a value reads as one. */
static void tell_piece(struct micro_recorder *r, const struct page_before *p, const uint8_t *now, unsigned *at)
{
	unsigned n = 0, start = *at & ~3u, size;
	struct micro_event *e;

	while (*at + n < PAGE_SIZE && n < MEMORY_PIECE && tell_byte(r, p, now, *at + n))
		n++;
	size = (*at + n - start + 3) & ~3u;
	size = size > MEMORY_PIECE ? MEMORY_PIECE : size;
	*at = start + size - 1;
	e = micro_add(r, MICRO_MEMORY);
	if (!e)
		return;
	e->address = p->la + start;
	e->size = size;
	memcpy(&e->old, p->byte + start, e->size);
	memcpy(&e->value, now + start, e->size);
}

void micro_tell_memory(struct micro_recorder *r)
{
	uint8_t now[PAGE_SIZE];

	for (const struct page_before *p = r->pages; p; p = p->next) {
		phys_copy_out(&r->m->phys, p->pa, now, PAGE_SIZE);
		for (unsigned at = 0; at < PAGE_SIZE; at++)
			if (tell_byte(r, p, now, at))
				tell_piece(r, p, now, &at);
	}
}
