/* emu/debug/guest/source_unwind.c: who called whom, from the call frame information of the code, else from the chain of frame pointers.
 *
 * A frame is where its caller's stack pointer stood before the call pushed the return address (the canonical frame address). Stacks
 * are guest memory: each frame must lie above the one before, so that a damaged chain ends.
 * References: [DWARF 2.5 "DWARF Expressions"], [DWARF 6.4 "Call Frame Information"].
 * Where frame information says that a frame is a trap's, its EIP and, when it came from user mode, its ESP are where the processor pushed them:
 * [SDM3A 6.12.1 "Exception- or Interrupt-Handler Procedures"].
 */
#include "emu/debug/guest/source_private.h"

#include <stdlib.h>

#define STACK_DEPTH 16
/* Numbers of registers in i386 DWARF. */
enum { UNWIND_ESP = 4, UNWIND_EBP = 5, UNWIND_EIP = 8, UNWIND_REGS = 9 };

struct unwind {
	const struct debugger *d;
	uint32_t reg[UNWIND_REGS];     /* of the frame being looked at */
	uint32_t cfa;
	bool trap;                     /* this frame is a trap's: what it interrupted was not calling */
};

static bool read32(const struct debugger *d, uint32_t address, uint32_t *value)
{
	uint8_t b[4];

	if (debugger_read_linear(d, d->m->cpu.seg[SEG_SS].base + address, b, sizeof(b)) != sizeof(b))
		return false;
	*value = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
	return true;
}

/* --- call frame information ----------------------------------------------------------------------------------------- */

struct machine_stack { uint32_t value[STACK_DEPTH]; unsigned depth; };

static bool push(struct machine_stack *s, uint64_t value)
{
	if (s->depth == STACK_DEPTH)
		return false;
	s->value[s->depth++] = (uint32_t)value;
	return true;
}

static bool two_operands(struct machine_stack *s, unsigned atom)
{
	if (s->depth < 2)
		return false;
	uint32_t b = s->value[--s->depth], *a = &s->value[s->depth - 1];
	*a = atom == DW_OP_plus ? *a + b : atom == DW_OP_minus ? *a - b : *a & b;
	return true;
}

/* One operation; false: one that compilers do not write into frame information, or a register that has none. */
static bool step(const struct unwind *u, struct machine_stack *s, const Dwarf_Op *op)
{
	uint32_t *top = s->depth ? &s->value[s->depth - 1] : NULL;
	unsigned reg = op->atom == DW_OP_bregx ? (unsigned)op->number : op->atom - (unsigned)DW_OP_breg0;

	if (op->atom == DW_OP_bregx || (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31))
		return reg < UNWIND_REGS && push(s, u->reg[reg] + (op->atom == DW_OP_bregx ? op->number2 : op->number));
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(s, op->atom - DW_OP_lit0);
	switch (op->atom) {
	case DW_OP_call_frame_cfa:
		return push(s, u->cfa);
	case DW_OP_const1u: case DW_OP_const1s: case DW_OP_const2u: case DW_OP_const2s: case DW_OP_const4u: case DW_OP_const4s:
	case DW_OP_constu: case DW_OP_consts:
		return push(s, op->number);
	case DW_OP_plus_uconst:
		if (top)
			*top += (uint32_t)op->number;
		return top != NULL;
	case DW_OP_deref:
		return top && read32(u->d, *top, top);
	case DW_OP_plus: case DW_OP_minus: case DW_OP_and:
		return two_operands(s, op->atom);
	case DW_OP_stack_value:
		return true;
	}
	return false;
}

static bool evaluate(const struct unwind *u, const Dwarf_Op *ops, size_t count, uint32_t *value)
{
	struct machine_stack s = { .depth = 0 };

	if (!count || count > 64)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!step(u, &s, &ops[i]))
			return false;
	*value = s.depth ? s.value[s.depth - 1] : 0;
	return s.depth > 0;
}

/* What a register was in the caller. */
static bool caller_register(const struct unwind *u, Dwarf_Frame *frame, int reg, uint32_t *value)
{
	Dwarf_Op mem[3], *ops;
	size_t count;

	if (dwarf_frame_register(frame, reg, mem, &ops, &count))
		return false;
	if (!count) {                          /* unchanged, or lost */
		*value = u->reg[reg];
		return ops == NULL || reg == UNWIND_ESP;
	}
	if (!evaluate(u, ops, count, value))
		return false;
	return ops[count - 1].atom == DW_OP_stack_value || read32(u->d, *value, value);
}

static Dwarf_Frame *frame_information(struct module *m, uint32_t at)
{
	Dwarf_Frame *frame;
	Dwarf_CFI *cfi = m->dwarf ? dwarf_getcfi(m->dwarf) : NULL;

	if (cfi && dwarf_cfi_addrframe(cfi, at, &frame) == 0)
		return frame;
	if (!m->eh_read) {
		m->eh_read = true;
		m->eh = dwarf_getcfi_elf(m->elf);
	}
	return m->eh && dwarf_cfi_addrframe(m->eh, at, &frame) == 0 ? frame : NULL;
}

/* A trap's frame lies below the canonical frame address: EIP, CS, EFLAGS; above it ESP, SS if the privilege changed. */
static void caller_of_trap(const struct unwind *u, uint32_t caller[UNWIND_REGS])
{
	uint32_t cs, esp;

	if (read32(u->d, u->cfa - 8, &cs) && (cs & 3) == 3 && read32(u->d, u->cfa, &esp))
		caller[UNWIND_ESP] = esp;
}

/* Fills cfa and the caller's registers. */
static bool by_information(struct unwind *u, struct module *m, uint32_t at, uint32_t caller[UNWIND_REGS])
{
	Dwarf_Op *ops;
	size_t count;
	Dwarf_Frame *frame = frame_information(m, at);
	bool ok = frame && dwarf_frame_cfa(frame, &ops, &count) == 0 && evaluate(u, ops, count, &u->cfa);

	ok = ok && caller_register(u, frame, UNWIND_EIP, &caller[UNWIND_EIP]);
	for (int reg = 3; ok && reg < UNWIND_EIP; reg++)       /* ebx esp ebp esi edi: what a callee saves */
		if (!caller_register(u, frame, reg, &caller[reg]))
			caller[reg] = u->reg[reg];
	caller[UNWIND_ESP] = u->cfa;
	u->trap = false;
	if (ok && dwarf_frame_info(frame, NULL, NULL, &u->trap) >= 0 && u->trap)
		caller_of_trap(u, caller);
	free(frame);
	return ok;
}

/* --- frame pointers ------------------------------------------------------------------------------------------------- */

/* How many bytes lie between ESP and the return address before the function has its frame: at its first instruction and behind push %ebp. */
static int before_frame(const struct debugger *d, const struct module *m, uint32_t at, uint32_t la)
{
	const struct symbol *s = m ? symbols_covering(&m->symbols, at) : NULL;
	uint8_t byte;

	if (s && at == s->address)
		return 0;
	if (s && at == s->address + 1 && debugger_read_linear(d, la - 1, &byte, 1) == 1 && byte == 0x55)
		return 4;
	return -1;
}

static bool by_pointer(struct unwind *u, const struct module *m, uint32_t at, bool innermost, uint32_t caller[UNWIND_REGS])
{
	int depth = innermost ? before_frame(u->d, m, at, u->reg[UNWIND_EIP]) : -1;
	uint32_t saved = depth >= 0 ? u->reg[UNWIND_ESP] + (uint32_t)depth - 4 : u->reg[UNWIND_EBP];

	u->cfa = saved + 8;
	if (depth < 0 && !read32(u->d, saved, &caller[UNWIND_EBP]))
		return false;
	if (depth == 4 && !read32(u->d, u->reg[UNWIND_ESP], &caller[UNWIND_EBP]))
		return false;
	caller[UNWIND_ESP] = u->cfa;
	return read32(u->d, saved + 4, &caller[UNWIND_EIP]);
}

/* --- the chain ------------------------------------------------------------------------------------------------------ */

static void start(struct unwind *u, const struct debugger *d)
{
	static const uint8_t cpu_register[8] = { R_EAX, R_ECX, R_EDX, R_EBX, R_ESP, R_EBP, R_ESI, R_EDI };

	*u = (struct unwind){ .d = d };
	for (unsigned i = 0; i < 8; i++)
		u->reg[i] = d->m->cpu.r[cpu_register[i]];
	u->reg[UNWIND_EIP] = d->m->cpu.eip;
}

size_t source_backtrace(const struct debugger *d, struct source_frame *frames, size_t room)
{
	struct unwind u;
	size_t n = 0;

	start(&u, d);
	for (bool exact = true, user = false; n < room; exact = u.trap) {
		uint32_t caller[UNWIND_REGS], at, la = d->m->cpu.seg[SEG_CS].base + u.reg[UNWIND_EIP];
		/* A return address may be the first byte after the function: the call was before it. */
		struct module *m = source_module_at(d, d->m->cpu.cr3, exact ? la : la - 1, &at);
		for (unsigned i = 0; i < UNWIND_REGS; i++)
			caller[i] = u.reg[i];
		u.cfa = 0;
		u.trap = false;
		bool ok = (m && by_information(&u, m, at, caller)) || by_pointer(&u, m, at, exact, caller);
		bool higher = ok && (!n || u.cfa > frames[n - 1].cfa || user);
		frames[n++] = (struct source_frame){ la, higher ? u.cfa : 0, exact };
		user = u.trap && caller[UNWIND_ESP] != u.cfa;  /* on a stack of its own */
		if (!higher || !caller[UNWIND_EIP])
			break;
		for (unsigned i = 0; i < UNWIND_REGS; i++)
			u.reg[i] = caller[i];
	}
	return n;
}
