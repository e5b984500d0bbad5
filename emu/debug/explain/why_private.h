/* emu/debug/explain/why_private.h: what the story's parts share: why.c (telling), why_search.c (finding out), why_address.c (what an address is). */
#ifndef EMU_DEBUG_WHY_PRIVATE_H
#define EMU_DEBUG_WHY_PRIVATE_H

#include "emu/debug/guest/source.h"
#include "emu/debug/explain/why.h"

#define WALK_LEVELS 3
#define CALLERS 3

/* Who wrote an entry of the page tables last. */
struct entry_writer {
	bool looked;                   /* history was searched */
	bool known;
	struct last_write w;
	unsigned callers;
	uint32_t caller[CALLERS];      /* return addresses, the innermost first */
};

struct story {
	struct debugger *d;
	bool none;                     /* no fault is known */
	bool pending;                  /* about to be delivered: the machine stands before it */
	bool shut_down;
	struct fault_record chain[FAULT_HISTORY];      /* oldest first: the first is what the story is about */
	unsigned count, first;         /* first: its number in cpu->faults */
	struct moment now;

	unsigned blamed;               /* step of the walk that stopped it; >= levels: none */
	struct entry_writer before;    /* of that entry, before the fault */

	bool followed;                 /* what came after was looked at */
	bool resumed;
	struct moment resumed_at;
	struct walk then;              /* followed: the same access when it was resumed, or now */
	struct entry_writer after[WALK_LEVELS];        /* of entries that changed since */
	char trouble[ERROR_LINE];      /* history could not be searched */
};

/* Which fault, and its chain. */
void story_find(struct debugger *d, struct story *s);
/* Goes back in time and returns: writers, what came after. */
void story_search(struct story *s);

static inline const struct fault_record *story_fault(const struct story *s) { return &s->chain[0]; }
static inline bool story_has_walk(const struct story *s)
{
	return story_fault(s)->fault.vector == VEC_PF && !story_fault(s)->external && story_fault(s)->walk.levels;
}
/* Whether step i of the walk has another value since. */
bool story_entry_changed(const struct story *s, unsigned i);

/* What the fault may be good for, from the region that the address lies in: demand paging, copy-on-write, a mistake. One line without its end, or
 * nothing. */
void meaning_words(const struct debugger *d, const struct fault_record *r, struct text *t);
/* What an address is, as one or more short sentences on one line. */
void address_words(const struct debugger *d, uint32_t la, const struct fault_record *r, struct text *t);

#endif
