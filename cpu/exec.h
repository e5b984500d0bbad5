/* cpu/exec.h: what instruction handlers are written with. Internal to cpu/.
 *
 * Open, compute, commit: a handler first opens every operand in memory (each check that can fail happens there), then
 * computes, then stores. After the last open nothing can fail, so a fault leaves the guest exactly as it was.
 *
 *   static enum exec op_add_Ed_Gd(struct cpu *cpu, const struct insn *in)
 *   {
 *           struct ref dst;
 *           TRY(open_rm(cpu, in, 4, OPEN_RW, &dst));
 *           ...ref_get32(cpu, &dst)... ref_set32(cpu, &dst, sum);
 *           NEXT(cpu, in);
 *   }
 */
#ifndef CPU_EXEC_H
#define CPU_EXEC_H

#include <string.h>

#include "cpu/cpu.h"
#include "cpu/insn.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define TRY(call) do { enum exec try_ = (call); if (unlikely(try_ != EXEC_OK)) return try_; } while (0)

/* The end of a handler that falls through to the next instruction. In release builds a tail call, so that each handler
 * has its own indirect branch; in debug builds a plain return to the loop in run.c. */
#ifdef CPU_TAIL_CALLS
#define NEXT(cpu, in) return (in)[1].handler((cpu), (in) + 1)
#else
#define NEXT(cpu, in) do { (void)(cpu); (void)(in); return EXEC_NEXT; } while (0)
#endif

/* EIP of the instruction, and of the one after it. */
static inline uint32_t insn_eip(const struct cpu *cpu, const struct insn *in) { return cpu->page_eip + in->offset; }
static inline uint32_t insn_next_eip(const struct cpu *cpu, const struct insn *in) { return cpu->page_eip + in->offset + in->len; }

enum open_mode { OPEN_READ = 1, OPEN_WRITE = 2, OPEN_RW = 3 };     /* OPEN_RW checks as a write, as hardware does */

/* An operand that has passed every check. host is set when it is a register or lies in RAM within one page; otherwise
 * pieces tell where its bytes are. */
struct ref {
	void *host;
	struct { uint8_t *host; paddr_t pa; } piece[2];
	uint16_t first;            /* bytes in piece[0] */
	uint16_t size;             /* up to 512 */
	bool write;
};

/* --- faults: record and return EXEC_FAULT --- */
enum exec raise_fault(struct cpu *cpu, const struct insn *in, enum vector v);                  /* no error code */
enum exec raise_error(struct cpu *cpu, const struct insn *in, enum vector v, uint32_t error);  /* with error code */
enum exec raise_page_fault(struct cpu *cpu, const struct insn *in, laddr_t la);                /* mmu_translate has just said no */

/* --- memory through a segment register (slow parts in access.c) --- */
enum exec open_slow(struct cpu *cpu, const struct insn *in, unsigned seg, uint32_t offset, unsigned size, enum open_mode mode, struct ref *ref);
/* ... and by linear address. user: rights of CPL 3; descriptor-table and TSS accesses pass false. */
enum exec open_linear(struct cpu *cpu, const struct insn *in, laddr_t la, unsigned size, enum open_mode mode, bool user, struct ref *ref);

static inline enum exec open_mem(struct cpu *cpu, const struct insn *in, unsigned seg, uint32_t offset, unsigned size, enum open_mode mode, struct ref *ref)
{
	const struct segment *s = &cpu->seg[seg];
	laddr_t la = s->base + offset;
	uintptr_t addend = cpu->tables[mode & OPEN_WRITE ? ACCESS_WRITE : ACCESS_READ][la >> 12];

	if (likely((s->ok & mode) == mode && addend && (la & 0xfff) + size <= 4096)) {
		ref->host = (void *)(addend + la);
		return EXEC_OK;
	}
	/* Through a copy, so that on the fast path the caller's ref lives in registers and its handler can end in a tail call. */
	struct ref slow;
	enum exec result = open_slow(cpu, in, seg, offset, size, mode, &slow);
	*ref = slow;
	return result;
}

static inline uint32_t effective_address(const struct cpu *cpu, const struct insn *in)
{
	uint32_t ea = cpu->r[in->base] + (cpu->r[in->index] << in->scale) + in->disp;
	return in->addrsize == 2 ? ea & 0xffff : ea;
}

static inline uint8_t *reg8(struct cpu *cpu, unsigned n) { return (uint8_t *)&cpu->r[n & 3] + (n >> 2 & 1); }

/* The ModRM r/m operand, register or memory. */
static inline enum exec open_rm(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *ref)
{
	if (in->mod == 3) {
		ref->host = size == 1 ? (void *)reg8(cpu, in->rm) : (void *)&cpu->r[in->rm];
		return EXEC_OK;
	}
	return open_mem(cpu, in, in->seg, effective_address(cpu, in), size, mode, ref);
}

uint32_t ref_get_slow(struct cpu *cpu, const struct ref *ref);
void ref_set_slow(struct cpu *cpu, const struct ref *ref, uint32_t value);

#define REF_ACCESSORS(bits, bytes) \
static inline uint##bits##_t ref_get##bits(struct cpu *cpu, const struct ref *ref) \
{ \
	uint##bits##_t v; \
	if (unlikely(!ref->host)) { \
		struct ref slow = *ref; \
		return (uint##bits##_t)ref_get_slow(cpu, &slow); \
	} \
	memcpy(&v, ref->host, bytes); \
	return v; \
} \
static inline void ref_set##bits(struct cpu *cpu, const struct ref *ref, uint##bits##_t v) \
{ \
	if (unlikely(!ref->host)) { \
		struct ref slow = *ref; \
		ref_set_slow(cpu, &slow, v); \
	} else { \
		memcpy(ref->host, &v, bytes); \
	} \
}
REF_ACCESSORS(8, 1)
REF_ACCESSORS(16, 2)
REF_ACCESSORS(32, 4)

/* Operands of any size: size must be that of the open. */
void ref_load_slow(struct cpu *cpu, const struct ref *ref, void *to);
void ref_store_slow(struct cpu *cpu, const struct ref *ref, const void *from);
static inline void ref_load(struct cpu *cpu, const struct ref *ref, void *to, unsigned size)
{
	if (likely(ref->host != NULL)) {
		memcpy(to, ref->host, size);
	} else {
		struct ref slow = *ref;
		ref_load_slow(cpu, &slow, to);
	}
}
static inline void ref_store(struct cpu *cpu, const struct ref *ref, const void *from, unsigned size)
{
	if (likely(ref->host != NULL)) {
		memcpy(ref->host, from, size);
	} else {
		struct ref slow = *ref;
		ref_store_slow(cpu, &slow, from);
	}
}

/* --- the stack --- */
static inline bool stack32(const struct cpu *cpu) { return cpu->seg[SEG_SS].flags & SEG_FLAG_DB; }
/* ESP or SP after adding delta, upper half kept when the stack is 16-bit. */
static inline uint32_t stack_moved(const struct cpu *cpu, uint32_t esp, int32_t delta)
{
	return stack32(cpu) ? esp + (uint32_t)delta : (esp & 0xffff0000u) | ((esp + (uint32_t)delta) & 0xffff);
}
/* The stack slot at ESP + delta (delta < 0 to push), in SS. A fault is #SS, or #PF. */
enum exec open_stack(struct cpu *cpu, const struct insn *in, uint32_t esp, int32_t delta, unsigned size, enum open_mode mode, struct ref *ref);

/* --- segments, segment.c --- */
/* Reads the 8-byte descriptor of a selector. On failure raises v with the selector as error code. */
struct descriptor { uint32_t lo, hi; laddr_t la; };
enum exec read_descriptor(struct cpu *cpu, const struct insn *in, uint16_t selector, enum vector v, struct descriptor *d);
/* MOV/POP/LES... to a segment register other than CS, with all checks of the current mode. A fault changes nothing. */
enum exec load_segment(struct cpu *cpu, const struct insn *in, unsigned seg, uint16_t selector);
/* Recomputes seg->ok from base, limit, access, mode. Call after any change. */
void segment_update(struct cpu *cpu, unsigned seg);
/* Segment limit and type check for one access of size bytes; raises #GP or #SS (or what the mode wants). */
enum exec segment_check(struct cpu *cpu, const struct insn *in, unsigned seg, uint32_t offset, unsigned size, enum open_mode mode);

/* --- control transfer --- */
/* Near: checks the new EIP against CS.limit (#GP(0)), then sets cpu->eip. The caller has committed nothing yet. */
enum exec branch_check(struct cpu *cpu, const struct insn *in, uint32_t eip);
/* Far JMP and CALL through any descriptor, far RET, IRET: transfer.c. All commit or none. */
enum exec far_jump(struct cpu *cpu, const struct insn *in, uint16_t selector, uint32_t offset, unsigned opsize);
enum exec far_call(struct cpu *cpu, const struct insn *in, uint16_t selector, uint32_t offset, unsigned opsize);
enum exec far_return(struct cpu *cpu, const struct insn *in, unsigned opsize, uint16_t release);
enum exec interrupt_return(struct cpu *cpu, const struct insn *in, unsigned opsize);
/* INT n, INT3, INTO, INT1: software interrupts; checks DPL of the gate, IOPL in V86 mode. */
enum exec software_interrupt(struct cpu *cpu, const struct insn *in, uint8_t vector);

/* --- exception.c --- */
enum event_source { EVENT_EXCEPTION, EVENT_HARDWARE, EVENT_SOFTWARE, EVENT_ICEBP };
/* Delivers cpu->fault (EVENT_EXCEPTION) or a vector; on a fault during delivery combines to #DF, then shutdown
 * [SDM3A 6.15 "Exception and Interrupt Reference"]. eip: the one to push. Returns EXEC_OK when a handler was entered, EXEC_STOP on shutdown. */
enum exec deliver_event(struct cpu *cpu, struct fault f, enum event_source source, uint32_t return_eip);

/* --- task.c --- */
enum task_cause { TASK_JUMP, TASK_CALL, TASK_IRET, TASK_GATE };
/* For instructions: JMP, CALL and IRET. EXEC_STOP when the switch has happened, also if the new task then faulted. */
enum exec switch_task(struct cpu *cpu, const struct insn *in, uint16_t tss_selector, enum task_cause cause);

/* --- privilege --- */
static inline bool protected_mode(const struct cpu *cpu) { return cpu->cr0 & CR0_PE; }
static inline bool v86_mode(const struct cpu *cpu) { return cpu->eflags & F_VM; }
static inline unsigned iopl(const struct cpu *cpu) { return cpu->eflags >> 12 & 3; }
/* CPL/IOPL/TSS bitmap check for port access [SDM1 19.5 "Protected-Mode I/O"]; #GP(0). */
enum exec io_check(struct cpu *cpu, const struct insn *in, uint16_t port, unsigned size);

/* --- code cache, code.c and run.c --- */
/* The end of a near branch to eip that has passed its checks: goes on there, or leaves the block. in is the branch; a direct
 * one is linked to its target's block. Tail call it. */
enum exec code_branch(struct cpu *cpu, const struct insn *in, uint32_t eip);

#endif
