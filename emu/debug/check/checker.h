/* emu/debug/check/checker.h: the paging checker: what hardware lets pass in silence.
 *
 *   error    stale-translation     the TLB answered an access that the tables forbid, or lead elsewhere: INVLPG or a load of CR3 is missing
 *            global-translation    ... because it is global, and the tables of the new CR3 say otherwise
 *            reserved-bit          a walk met a present entry with a reserved bit set
 *            user-writable-table   a frame that the present walks pass through is mapped for users to write
 *   warning  lost-dirty            Dirty was cleared in a PTE without INVLPG, and a write through the TLB did not set it again
 *            user-accessible-...   gdt, idt, tss, or code that ring 0 executes (code) lies in a page with U = 1; only once ring 3 has run
 *   note     legal laziness: not-present made present; and, counted for checker_summary, rights raised, Accessed cleared, rights lowered but not
 *            missed, kernel PDEs copied late into a directory, a frame one user may write and another may read
 *
 * Notes are what cannot be told from a mistake without false alarms. Systems clear Accessed without INVLPG and live with losing some. Two
 * rights on one frame are shared memory, or the last user of a copy-on-write page, or a lost reference: only the kernel's books say which.
 *
 * It costs something where translations enter and leave the TLB and where page tables are written; nothing for each instruction.
 */
#ifndef EMU_DEBUG_CHECKER_H
#define EMU_DEBUG_CHECKER_H

#include "emu/debug/debugger.h"
#include "emu/debug/text.h"

enum finding_severity { FINDING_NOTE, FINDING_WARNING, FINDING_ERROR };
enum check_action { CHECK_WARN, CHECK_STOP };

struct finding {
	enum finding_severity severity;
	const char *kind;              /* "stale-translation", "reserved-bit", ... */
	struct moment at;
	uint32_t eip, cr3, la;
	enum access_kind access;       /* that was made, by a user or not, to this physical page */
	bool user;
	uint32_t frame;
	paddr_t entry;                 /* the PTE or PDE concerned */
	const char *entry_name;        /* "PTE", "PDE" */
	uint64_t cached, now;          /* what the TLB used, what the entry says */
	struct moment written_at;      /* the entry's last write, icount 0 if unknown */
	uint32_t written_by;           /* eip */
	uint64_t times;                /* the same again is counted, not told again */
};

struct checker;

/* NULL with a line in err. tell is called for each new finding (not for notes). d->checker is set. */
struct checker *checker_start(struct machine *m, enum check_action action, void (*tell)(void *owner, const struct finding *f), void *owner, char *err);
void checker_stop(struct checker *c);
enum check_action checker_action(const struct checker *c);
/* With CHECK_STOP: something was found, and machine_stop_soon() called. */
bool checker_wants_stop(const struct checker *c);
size_t checker_findings(const struct checker *c, const struct finding **f);
/* One line, or several with symbols: "stale translation: 0xb7f03000 was read through the TLB's frame 0x1234, but its PTE at ..., written at
 * instruction N by 0xc0101234 (unmap_page+0x31, vm.c:88), says not present, and was never invalidated". d may be NULL (no symbols). */
void finding_describe(const struct debugger *d, const struct finding *f, struct text *t);
void checker_summary(const struct checker *c, struct text *t);
/* A debugger's checker, told through its faces. 0, or -1 with a line in err. */
int checker_attach(struct debugger *d, enum check_action action, char *err);
/* Whether the TLB's entry for this page disagrees with the tables now: for the TLB view's mark. Works without a checker. */
bool translation_is_stale(const struct machine *m, const struct tlb_entry *e, struct walk *now);

#endif
