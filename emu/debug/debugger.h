/* emu/debug/debugger.h: the debugger's core. One for each machine, under every face (TUI, GDB, monitor, scripts) at the same time.
 *
 *   run control:  debugger_go(d, how) ... -> struct stop      forwards and backwards, at once or until interrupted
 *   inspection:   views (view.h), expressions (expr.h), walk step (micro.h), story (why.h), guest's own tables (guest.h)
 *
 * Going backwards is: to an earlier checkpoint, forwards again with the breakpoints armed, the last hit before here wins (history.h).
 * Reading order: breakpoint.h, debugger.h, debugger.c, going.h, break.c (the list), arm.c, notice.c, settle.c (hitting), go.c, step.c,
 * back.c, back_step.c, last_write.c.
 */
#ifndef EMU_DEBUG_DEBUGGER_H
#define EMU_DEBUG_DEBUGGER_H

#include "emu/debug/breakpoint.h"
#include "emu/history/history.h"
#include "emu/machine.h"
#include "emu/observer.h"

enum stop_kind {
	STOP_NONE,                     /* has not run yet */
	STOP_STEP,                     /* did what was asked */
	STOP_BREAK,                    /* breakpoint */
	STOP_MACHINE,                  /* the machine ended: ended says how */
	STOP_PRESENT,                  /* forwards from the past: nothing later has been run yet; going on goes on living */
	STOP_BEGINNING,                /* backwards: nothing earlier is known */
	STOP_INTERRUPTED,              /* by a face */
	STOP_CHECK,                    /* the paging checker found something; text says what */
	STOP_SCRIPT,                   /* a Lua hook asked */
	STOP_ERROR,                    /* divergence, out of memory; text */
};

struct stop {
	enum stop_kind kind;
	unsigned breakpoint;           /* id of the first that hit */
	const struct breakpoint *hit;  /* valid until breakpoints change; NULL when temporary and gone */
	enum machine_stop ended;
	struct moment at;
	struct fault_record fault;     /* BREAK_EXCEPTION, BREAK_INTERRUPT, BREAK_RESUME */
	struct phys_access access;     /* BREAK_READ, WRITE, ACCESS, MAPPING */
	uint32_t la;                   /* ... the linear address that was watched */
	uint64_t old_value, value;     /* ... as far as 8 bytes go; port, register writes too */
	uint32_t insn_eip;             /* the instruction that did it, when it is not the next one */
	char text[160];                /* one line for people: "breakpoint 2: write of 0x1f at 0xc0105000 (was 0x0)" */
};

/* "breakpoint", "present" ...: the words of JSON and scripts. */
const char *stop_kind_name(enum stop_kind kind);

/* STEP    one instruction (of a repeated string instruction: one iteration). Its fault enters the handler. An interrupt accepted instead of it
 *         runs until its handler has come back, and then the instruction is executed; step_into_interrupts: the handler is entered
 * OVER    as STEP, but a call, INT n or repeated string instruction until it has come back, and a fault until the instruction was resumed
 *         and has completed
 * OUT     until the current function has returned
 * UNTIL   to the instruction at la
 * BACK_   the ways back of the same: from where a step ended to where it began; OUT: to the call
 * All stop at breakpoints on the way, also at one that stands where they end. One that stands where they begin does not hit again. */
enum go {
	GO_CONTINUE, GO_STEP, GO_OVER, GO_OUT, GO_UNTIL,
	GO_BACK_CONTINUE, GO_BACK_STEP, GO_BACK_OVER, GO_BACK_OUT, GO_BACK_UNTIL,
};

/* What a face must be able to do while the guest runs. */
struct face {
	const char *name;
	void *owner;
	/* About 50 times a second while running; true asks to stop (STOP_INTERRUPTED). NULL: never. */
	bool (*poll)(void *owner);
	/* The machine stopped, for whichever face's request. NULL: does not care. */
	void (*stopped)(void *owner, const struct stop *s);
	/* The guest wrote to its console, in the present: what the past writes has been told before. NULL: does not care. */
	void (*output)(void *owner, uint8_t byte);
	/* Long work (going back). NULL: none. Returning false interrupts. */
	bool (*progress)(void *owner, const char *what, uint64_t done, uint64_t total);
	/* A line from a script or the checker, without its end, while the machine runs. NULL: does not care. */
	void (*say)(void *owner, const char *line);
	/* About 20 times a second while other faces wait for somebody to do something: they call debugger_idle(). NULL: does not care. */
	void (*idle)(void *owner);
	struct face *next;             /* private */
};

struct guest;                          /* guest.h */
struct source;                         /* source.h */
struct checker;                        /* checker.h */
struct script;                         /* emu/script/script.h */
struct notebook;                       /* notebook.h */
struct console;                        /* emu/console.h */

struct debugger {
	struct machine *m;
	struct history *h;
	struct observer observer;      /* notice.c's: in the machine while it runs */
	struct breakpoint *breaks;
	unsigned next_id;
	struct stop stop;              /* the last */
	struct face *faces;
	struct source *source;         /* symbols and lines of kernel and programs */
	struct guest *guest;           /* NULL: no description fits this guest */
	struct checker *checker;       /* NULL: off */
	struct script *script;         /* NULL: none loaded */
	struct console *console;       /* where one types for the guest (console_type); NULL: nowhere */
	struct notebook *notes;        /* what views and commands remember; NULL: nothing yet. debugger_free calls notebook_free */
	bool step_into_interrupts;     /* a step stops in interrupt handlers too (off: timers do not hijack it) */
	bool intel;                    /* disassembly: Intel syntax; default AT&T */
	struct go_state *going;        /* private to the core: going.h */
};

/* 0, or -1 with a line in err. m has a history. */
int debugger_init(struct debugger *d, struct machine *m, struct history *h, char *err);
void debugger_free(struct debugger *d);
void debugger_attach(struct debugger *d, struct face *f);
void debugger_detach(struct debugger *d, struct face *f);

/* Copies *spec (id is given; condition and commands are taken over). The id, or -1 with a line in err (bad condition, bad range). */
int debugger_break_add(struct debugger *d, const struct breakpoint *spec, char *err);
/* NULL: there is none. Between runs enabled, ignore, hits and commands may be changed, and the condition if expr_check() likes it. */
struct breakpoint *debugger_break_find(struct debugger *d, unsigned id);
/* 0, or -1: there is none. */
int debugger_break_delete(struct debugger *d, unsigned id);
/* "watch write 0xc0105000, 4 bytes, in the address space of CR3 0x3fc7000 if eax == 1"; BREAK_TEXT is room enough. */
#define BREAK_TEXT 1024
void break_describe(const struct debugger *d, const struct breakpoint *b, char *buf, size_t size);

/* Runs until something stops it; count repeats GO_STEP, GO_OVER and their backs (at least 1). la: GO_UNTIL's goal. The result is also d->stop. */
const struct stop *debugger_go(struct debugger *d, enum go how, uint64_t count, uint32_t la);
/* For faces that wait for a key or a line: lets the others (gdb's link) do their work, which may run the machine. */
void debugger_idle(struct debugger *d);
/* From an observer's callback: the machine is to stop, as a breakpoint stops it (checker, scripts). */
void debugger_request_stop(struct debugger *d, enum stop_kind kind, const char *text);
/* The guest wrote to its console: tells the faces. */
void debugger_output(struct debugger *d, uint8_t byte);
/* To a moment, without stopping at breakpoints. STOP_STEP, or STOP_ERROR, STOP_INTERRUPTED. */
const struct stop *debugger_goto(struct debugger *d, uint64_t icount);
/* Tells every face that listens. */
void debugger_say(struct debugger *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Changes by hand: they fork history. -1 with a line in err. */
int debugger_write_memory(struct debugger *d, bool physical, uint64_t address, const void *bytes, size_t size, char *err);
int debugger_write_register(struct debugger *d, const char *name, uint64_t value, char *err);

/* Who wrote these bytes last before now. Physical range; len up to 8. False: not since the beginning (or interrupted: d->stop). */
struct last_write { struct moment at; uint32_t eip, cr3; uint8_t cpl; struct phys_access access; uint64_t old_value, value; };
bool debugger_last_write(struct debugger *d, paddr_t pa, unsigned len, struct last_write *w);
/* ... a register by its name in expr.h ("eax", "cr3"). By searching backwards: slow for registers that seldom change. */
bool debugger_last_register_write(struct debugger *d, const char *name, struct last_write *w);

/* Reads as a debugger: no A/D, no TLB. Returns how many bytes from the start could be read. */
size_t debugger_read_linear(const struct debugger *d, uint32_t la, void *buf, size_t size);
size_t debugger_read_physical(const struct debugger *d, paddr_t pa, void *buf, size_t size);
/* ... in another address space: page tables at cr3 with the present mode bits. */
size_t debugger_read_space(const struct debugger *d, uint32_t cr3, uint32_t la, void *buf, size_t size);
/* Is what comes next known already? Not where only the debugger itself has run ahead, to look into an instruction or to stop before an
 * exception: for people that is the present. */
bool debugger_in_past(const struct debugger *d);
/* CS.base + EIP: the next instruction. */
uint32_t debugger_pc(const struct debugger *d);

#endif
