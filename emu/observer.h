/* emu/observer.h: who watches a machine, and what they are told.
 *
 *   processor, MMU, memory, ports --their one watcher each--> observer.c --to every observer that asks--> trace, debugger,
 *                                                                                                         checker, scripts
 *
 * A callback may be NULL: what nobody asks for costs nothing. Callbacks only look, promise 3: they may not change anything the guest
 * can notice. Any of them may end the run with machine_stop_soon(). While the machine is quiet (history runs it again to reach a moment
 * that has been seen before) nobody is told anything but who says even_quiet.
 */
#ifndef EMU_OBSERVER_H
#define EMU_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpu.h"
#include "mmu/mmu.h"

struct machine;

struct observer {
	const char *name;
	void *owner;
	bool even_quiet;
	/* Before each instruction; forces single steps. */
	void (*instruction)(void *owner, struct machine *m);
	/* Before delivery, everything as the instruction found it. True: stop (MACHINE_REQUESTED) instead of delivering; running on
	 * executes the instruction again. */
	bool (*exception)(void *owner, struct machine *m, const struct fault_record *r);
	void (*delivered)(void *owner, struct machine *m, const struct fault_record *r);   /* at the handler's first instruction */
	void (*iret)(void *owner, struct machine *m);                                      /* an IRET has completed */
	void (*control)(void *owner, struct machine *m, const struct register_write *w);   /* CRn, DRn, MSR written, also by a task switch */
	void (*port)(void *owner, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value);
	/* A walk made for a real access, before A and D are stored. */
	void (*walked)(void *owner, struct machine *m, const struct walk *w);
	/* An access that reached mmu_translate: those to pages in watch_vpn(), and everything while fast tables are suspended. */
	void (*translated)(void *owner, struct machine *m, const struct access *a, const struct tlb_entry *e, bool hit);
	/* An entry of the TLB comes (old NULL), changes, or goes (new NULL). A flush tells of each entry. */
	void (*tlb_changed)(void *owner, struct machine *m, const struct tlb_entry *old, const struct tlb_entry *new);
	/* Memory in a watched physical page was read or written; after the bytes are stored. */
	void (*accessed)(void *owner, struct machine *m, const struct phys_access *a);
	/* Should instructions on this page be announced to alone()? Asked once for a page; machine_watch_code() asks anew. */
	bool (*guarded)(void *owner, struct machine *m, uint32_t vpn, uint32_t frame);
	/* Before an instruction on a guarded page (and before some others): calling machine_stop_soon() stops before it. */
	void (*alone)(void *owner, struct machine *m);
	/* The machine has jumped to another moment (history, a loaded state): what the observer remembers may be wrong. */
	void (*jumped)(void *owner, struct machine *m);
	struct observer *next;         /* private to observer.c */
};

/* o is the caller's and must live until it is taken out. Between runs only. In the order of joining. */
void machine_observe(struct machine *m, struct observer *o);
void machine_unobserve(struct machine *m, struct observer *o);
/* Ends machine_run with MACHINE_REQUESTED: before the instruction in progress if called from alone() or instruction(), else after
 * it. */
void machine_stop_soon(struct machine *m);
/* The set of guarded pages has changed. */
void machine_watch_code(struct machine *m);
/* Counted: every call with true wants one with false. Accesses to the physical page are told to accessed(). 0 or a negative errno. */
int machine_watch_frame(struct machine *m, uint32_t frame, bool on);
/* Counted too. Accesses to the linear page are told to translated(). */
int machine_watch_vpn(struct machine *m, uint32_t vpn, bool on);
/* Counted too. While on, every access goes through mmu_translate: slow, and complete. */
void machine_watch_all(struct machine *m, bool on);
/* Counted too. What only those watch who are not told meanwhile costs nothing meanwhile. */
void machine_quiet(struct machine *m, bool quiet);
/* Tells jumped(), also while the machine is quiet. For who moves the machine. */
void machine_jumped(struct machine *m);

/* For machine.c: an IN or OUT, while m->ports_observed; the end of the machine, whose observers need not live any more. */
void observer_port(struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value);
void observers_forget(struct machine *m);

#endif
