/* cpu/system.h: what the files of the protected-mode machinery share. Internal to cpu/.
 *
 *   segment.c    descriptors and segment registers        stack.c      frames pushed on this or an inner stack
 *   transfer.c   far JMP, CALL, gates                     return.c     far RET, IRET
 *   exception.c  how an event finds its handler           task.c       the task switch
 *   control.c    control registers                        debug.c      breakpoints and single steps
 *   vme.c        virtual interrupts, INT n in virtual-8086 mode        msr.c, cpuid.c   RDMSR, WRMSR, CPUID
 *
 * Everything works in two steps: the open step reads, checks and opens each byte it will write; the commit step only
 * stores. A function that returns EXEC_FAULT has changed nothing, so the instruction can be started again.
 *
 *   descriptor   hi  31     24 23 22 21 20 19   16 15 14 13 12 11   8 7      0
 *                    |base 31:24| G |D/B| 0|AVL|lim 19:16| P| DPL | S| type | base 23:16|
 *                lo  |        base 15:0         |            limit 15:0                 |
 *
 * References: [SDM3A 3.4.5 "Segment Descriptors"], [SDM3A 5.8 "Privilege Level Checking When Transferring Program
 * Control Between Code Segments"].
 */
#ifndef CPU_SYSTEM_H
#define CPU_SYSTEM_H

#include "cpu/exec.h"

/* Bits of descriptor byte 5. */
#define ACC_P        0x80u
#define ACC_S        0x10u          /* code or data; 0: system */
#define ACC_CODE     0x08u          /* with ACC_S */
#define ACC_CONFORM  0x04u          /* code: conforming; data: expand-down */
#define ACC_EXPDOWN  0x04u
#define ACC_RW       0x02u          /* code: readable; data: writable */
#define ACC_ACCESSED 0x01u
#define ACC_DPL(a)   ((unsigned)(a) >> 5 & 3)
#define TSS_BUSY     0x02u

/* System types, [SDM3A 3.5 "System Descriptor Types"]. Bit 3: the 32-bit variant. */
enum system_type {
	SYS_TSS16 = 1, SYS_LDT = 2, SYS_TSS16_BUSY = 3, SYS_CALL16 = 4, SYS_TASK_GATE = 5, SYS_INT16 = 6, SYS_TRAP16 = 7,
	SYS_TSS32 = 9, SYS_TSS32_BUSY = 11, SYS_CALL32 = 12, SYS_INT32 = 14, SYS_TRAP32 = 15,
};

static inline uint8_t desc_access(const struct descriptor *d) { return (uint8_t)(d->hi >> 8); }
static inline unsigned desc_dpl(const struct descriptor *d) { return d->hi >> 13 & 3; }
static inline bool desc_present(const struct descriptor *d) { return d->hi & 0x8000; }
static inline bool desc_code(const struct descriptor *d) { return (d->hi >> 8 & 0x18) == 0x18; }
static inline bool desc_conforming(const struct descriptor *d) { return d->hi >> 8 & ACC_CONFORM; }
/* Writable data: what SS may hold. */
static inline bool desc_stack(const struct descriptor *d) { return (d->hi >> 8 & 0x1a) == 0x12; }
/* The type of a system descriptor, or 0 (which is reserved) for code and data. */
static inline unsigned desc_system(const struct descriptor *d) { return d->hi >> 8 & ACC_S ? 0 : d->hi >> 8 & 15; }
static inline uint32_t desc_base(const struct descriptor *d) { return d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000); }
static inline uint32_t desc_limit(const struct descriptor *d)
{
	uint32_t limit = (d->lo & 0xffff) | (d->hi & 0xf0000);
	return d->hi >> 23 & 1 ? limit << 12 | 0xfff : limit;
}
static inline bool selector_null(uint16_t selector) { return !(selector & 0xfffc); }
static inline uint16_t gate_selector(const struct descriptor *d) { return d->lo >> 16; }
/* The entry point of a call, interrupt or trap gate. */
static inline uint32_t gate_offset(const struct descriptor *d)
{
	return (d->lo & 0xffff) | (desc_system(d) & 8 ? d->hi & 0xffff0000 : 0);
}

/* read_descriptor with the EXT bit for the error code: 1 while an external event is being delivered. */
enum exec fetch_descriptor(struct cpu *cpu, const struct insn *in, uint16_t selector, enum vector v, unsigned ext, struct descriptor *d);
/* Error code of a selector: index and TI, with EXT below. */
static inline uint32_t selector_error(uint16_t selector, unsigned ext) { return (selector & 0xfffcu) | ext; }

/* A segment register about to be loaded: everything checked and opened, nothing stored. */
struct segment_load {
	struct segment s;
	struct ref accessed;       /* descriptor byte 5, when mark is set */
	bool mark;
};
/* Fills load from a descriptor that has passed its checks; opens its Accessed bit. selector is what the register will show. */
enum exec segment_open(struct cpu *cpu, const struct insn *in, const struct descriptor *d, uint16_t selector, struct segment_load *load);
void segment_commit(struct cpu *cpu, unsigned seg, struct segment_load *load);
/* Loads with the rules of real mode (limit kept) or virtual-8086 mode (64 KB, DPL 3). Cannot fail. */
void segment_load_real(struct cpu *cpu, unsigned seg, uint16_t selector);
void segment_load_v86(struct cpu *cpu, unsigned seg, uint16_t selector);
void segment_load_null(struct cpu *cpu, unsigned seg, uint16_t selector);
/* Whether [offset, offset + size) lies in the segment; says nothing about types. */
bool segment_covers(const struct segment *s, uint32_t offset, unsigned size);
void segment_update_all(struct cpu *cpu);
/* What DS, ES, FS and GS may hold at this CPL, presence aside. */
bool data_loadable(const struct cpu *cpu, const struct descriptor *d, uint16_t selector);
/* Checks that a data segment register may keep its value at a new CPL; if not, clears it: [SDM2B] "RET". */
void segment_drop_inner(struct cpu *cpu, unsigned seg);
/* Installs CS and the privilege it implies. */
void commit_code(struct cpu *cpu, struct segment_load *cs, unsigned cpl);

/* --- stack.c --- */

#define FRAME_SLOTS 36             /* a call gate with 31 parameters needs 35 */
struct frame {
	struct ref slot[FRAME_SLOTS];
	uint32_t at[FRAME_SLOTS], value[FRAME_SLOTS];
	laddr_t base;              /* of the stack segment */
	unsigned room, count, size;        /* slots, and how many are pushed */
	uint32_t esp;              /* after the pushes */
};
/* Makes count slots of size bytes below esp in segment ss, checking the limits only: #SS with error. */
enum exec frame_room(struct cpu *cpu, const struct insn *in, const struct segment *ss, uint32_t esp, unsigned count, unsigned size, uint32_t error, struct frame *f);
/* Opens the slots' pages: after every other check of the transfer, since a page fault comes with the push itself. */
enum exec frame_open(struct cpu *cpu, const struct insn *in, bool user, struct frame *f);
/* Adds a value, in push order. */
static inline void frame_push(struct frame *f, uint32_t value) { f->value[f->count++] = value; }
void frame_commit(struct cpu *cpu, struct frame *f);
/* SS:ESP of a ring from the TSS, all checks of [SDM3A 5.8.5 "Stack Switching"]. */
enum exec inner_stack(struct cpu *cpu, const struct insn *in, unsigned cpl, unsigned ext, struct segment_load *ss, uint32_t *esp);
/* A slot to pop, at ESP + delta, as a value. */
enum exec pop_read(struct cpu *cpu, const struct insn *in, int32_t delta, unsigned size, uint32_t *value);
/* ESP, or SP in a 16-bit stack segment, after it was loaded with esp. */
static inline uint32_t esp_in(const struct segment *ss, uint32_t old, uint32_t esp)
{
	return ss->flags & SEG_FLAG_DB ? esp : (old & 0xffff0000u) | (esp & 0xffff);
}
static inline uint32_t esp_plus(const struct segment *ss, uint32_t esp, int32_t delta) { return esp_in(ss, esp, esp + (uint32_t)delta); }

enum exec linear_read(struct cpu *cpu, const struct insn *in, laddr_t la, unsigned size, uint32_t *value);

/* --- vme.c --- */

/* Whether VIF stands for IF now. */
bool virtual_if(const struct cpu *cpu);
/* A virtual interrupt waits and may come: #GP(0) before the next instruction. */
static inline bool virtual_interrupt_due(const struct cpu *cpu)
{
	return (cpu->eflags & (F_VIF | F_VIP)) == (F_VIF | F_VIP) && virtual_if(cpu);
}
/* FLAGS as PUSHF and INT n push them in virtual-8086 mode with VME, and as POPF and IRET take them: the check, the commit. */
uint16_t virtual_flags(const struct cpu *cpu);
enum exec virtual_flags_check(struct cpu *cpu, const struct insn *in, uint32_t popped);
void virtual_flags_load(struct cpu *cpu, uint32_t popped);
/* INT n in virtual-8086 mode. *redirected: the 8086 handler has been entered; else it is for the IDT. */
enum exec redirect_interrupt(struct cpu *cpu, const struct insn *in, uint8_t vector, bool *redirected);

/* --- transfer.c, exception.c, task.c --- */

/* Flags that were loaded may ask for a look before the next instruction. */
static inline void flags_changed(struct cpu *cpu)
{
	if (cpu->eflags & (F_TF | F_RF) || cpu->nmi_pending || (cpu->intr && cpu->eflags & F_IF))
		cpu->attention = true;
	if (cpu->cr0 & CR0_AM)
		segment_update_all(cpu);       /* AC may have changed */
}
/* A task switch and what is to be saved of the old task. */
struct task_event {
	uint16_t selector;
	enum task_cause cause;
	unsigned ext;
	bool push_error;
	uint32_t error, eip, flags;
};
/* The switch itself. *switched is set when it has happened: a fault then belongs to the new task, at cpu->eip. */
enum exec task_enter(struct cpu *cpu, const struct insn *in, const struct task_event *e, bool *switched);
/* Finds and enters a handler: everything of an event but the double faults. */
enum exec enter_handler(struct cpu *cpu, const struct insn *in, const struct fault *f, enum event_source source, uint32_t return_eip, bool *switched);

/* An instruction that ends its block and goes on behind itself. */
static inline enum exec finish(struct cpu *cpu, const struct insn *in)
{
	cpu->eip = insn_next_eip(cpu, in);
	return EXEC_STOP;
}

/* --- control.c --- */
/* Tells the mmu what CR0, CR3, CR4, EFER and the PDPTEs say now; nothing is flushed when that is what it knew. */
void control_update_paging(struct cpu *cpu);
/* False when the change would load PDPTEs of which a present one has a reserved bit set: #GP(0), and nothing changes. */
bool control_mode_allowed(const struct cpu *cpu, uint32_t cr0, uint32_t cr4);
bool control_cr3_allowed(const struct cpu *cpu, uint32_t cr3);
void control_set_efer(struct cpu *cpu, uint32_t value);
/* Tells the watcher. */
static inline void control_written(struct cpu *cpu, const struct register_write *w)
{
	if (cpu->watch.control)
		cpu->watch.control(cpu->watch.owner, cpu, w);
}
/* Before anything of the instruction is committed: whether it must run alone, because a watcher hears of what it does to the MMU or to
 * the control registers, and is to find its EIP and count, and may stop the run behind it. */
static inline enum exec alone_when_heard(struct cpu *cpu, const struct insn *in)
{
	if (likely(cpu->single || !(cpu->watch.control || mmu_heard(cpu->mmu))))
		return EXEC_OK;
	cpu->insn = in;
	return EXEC_SINGLE;
}

/* --- run.c: x87 errors while CR0.NE is 0 [SDM1 8.7.2 "MS-DOS* Compatibility Sub-mode"] --- */
/* Drives the FERR# pin. */
void cpu_ferr(struct cpu *cpu, bool level);
/* Stops before the x87 or WAIT instruction in, which finds an error waiting and IGNNE# low, until an interrupt comes; the
 * instruction then runs anew. Nothing of it may have been committed. Return what this returns. */
enum exec ferr_freeze(struct cpu *cpu, const struct insn *in);

/* --- debug.c --- */
#define DR6_B  0x000fu             /* B0..B3: which breakpoint */
#define DR6_BD 0x2000u             /* a debug register was touched under GD */
#define DR6_BS 0x4000u             /* single step */
#define DR6_BT 0x8000u             /* task switch */
#define DR7_GD 0x2000u
#define DEBUGCTL_LBR 1u            /* record branches: kept, but nothing is recorded */
#define DEBUGCTL_BTF 2u            /* TF traps after branches only */
/* Before the instruction at eip: EXEC_FAULT with a #DB in cpu->fault when a fetch breakpoint stands there and RF is clear. */
enum exec debug_fetch(struct cpu *cpu, uint32_t eip);
/* Delivers the traps collected in pending_dr6, of which there is at least one. */
void debug_boundary(struct cpu *cpu);
/* Called for each data access while debug_watches_data(), and for each port access. */
void debug_access(struct cpu *cpu, laddr_t la, unsigned size, bool write);
void debug_io(struct cpu *cpu, uint16_t port, unsigned size);
bool debug_watches_data(const struct cpu *cpu);
/* Whether any breakpoint is enabled: the loop then steps singly. */
bool debug_armed(const struct cpu *cpu);

/* --- cpuid.c, msr.c --- */
#define CPU_SIGNATURE 0x6d8u       /* family 6, model 13, stepping 8: what CPUID gives in EAX and RESET leaves in EDX */
void msr_reset(struct cpu *cpu);

#endif
