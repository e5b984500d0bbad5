/* cpu/op_segment.c: segment registers and questions about selectors.
 *
 * References: [SDM2A] "ARPL", "LAR", "LLDT", "LSL", "LTR", "MOV", [SDM2B] "POP", "SLDT", "STR", "VERR/VERW".
 */
#include "cpu/system.h"
#include "cpu/ops.h"

/* After a load of SS no interrupt and no debug trap comes before the next instruction has set ESP. */
static enum exec after_load(struct cpu *cpu, const struct insn *in, unsigned seg)
{
	if (seg != SEG_SS)
		NEXT(cpu, in);
	cpu->shadow = true;
	cpu->shadow_debug = true;
	cpu->attention = true;
	return finish(cpu, in);
}

static enum exec read_ew(struct cpu *cpu, const struct insn *in, uint16_t *value)
{
	struct ref src;

	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	*value = ref_get16(cpu, &src);
	return EXEC_OK;
}

/* Stores a selector or machine status: a 32-bit register is zero-extended, memory always gets 16 bits. */
static enum exec store_word(struct cpu *cpu, const struct insn *in, uint16_t value)
{
	struct ref dst;

	if (in->mod == 3 && in->opsize == 4) {
		cpu->r[in->rm] = value;
		NEXT(cpu, in);
	}
	TRY(open_rm(cpu, in, 2, OPEN_WRITE, &dst));
	ref_set16(cpu, &dst, value);
	NEXT(cpu, in);
}

enum exec op_mov_Ew_Sw(struct cpu *cpu, const struct insn *in)
{
	if (in->reg > SEG_GS)
		return raise_fault(cpu, in, VEC_UD);
	return store_word(cpu, in, cpu->seg[in->reg].selector);
}

enum exec op_mov_Sw_Ew(struct cpu *cpu, const struct insn *in)
{
	uint16_t selector = 0;

	if (in->reg > SEG_GS || in->reg == SEG_CS)
		return raise_fault(cpu, in, VEC_UD);
	TRY(read_ew(cpu, in, &selector));
	TRY(load_segment(cpu, in, in->reg, selector));
	return after_load(cpu, in, in->reg);
}

static enum exec pop_segment(struct cpu *cpu, const struct insn *in, unsigned seg)
{
	uint32_t value = 0, esp = stack_moved(cpu, cpu->r[R_ESP], in->opsize);

	TRY(pop_read(cpu, in, 0, in->opsize, &value));
	TRY(load_segment(cpu, in, seg, (uint16_t)value));
	cpu->r[R_ESP] = esp;
	return after_load(cpu, in, seg);
}

enum exec op_pop_ES(struct cpu *cpu, const struct insn *in) { return pop_segment(cpu, in, SEG_ES); }
enum exec op_pop_SS(struct cpu *cpu, const struct insn *in) { return pop_segment(cpu, in, SEG_SS); }
enum exec op_pop_DS(struct cpu *cpu, const struct insn *in) { return pop_segment(cpu, in, SEG_DS); }
enum exec op_pop_FS(struct cpu *cpu, const struct insn *in) { return pop_segment(cpu, in, SEG_FS); }
enum exec op_pop_GS(struct cpu *cpu, const struct insn *in) { return pop_segment(cpu, in, SEG_GS); }

/* --- LDTR and TR ---------------------------------------------------------------------------------------------- */

/* These, and the questions below, exist in protected mode only. */
static enum exec protected_only(struct cpu *cpu, const struct insn *in)
{
	return protected_mode(cpu) && !v86_mode(cpu) ? EXEC_OK : raise_fault(cpu, in, VEC_UD);
}

static enum exec ring0_only(struct cpu *cpu, const struct insn *in)
{
	return cpu->cpl == 0 ? EXEC_OK : raise_error(cpu, in, VEC_GP, 0);
}

enum exec op_sldt_Ew(struct cpu *cpu, const struct insn *in)
{
	TRY(protected_only(cpu, in));
	return store_word(cpu, in, cpu->seg[SEG_LDTR].selector);
}

enum exec op_str_Ew(struct cpu *cpu, const struct insn *in)
{
	TRY(protected_only(cpu, in));
	return store_word(cpu, in, cpu->seg[SEG_TR].selector);
}

static void set_system_segment(struct cpu *cpu, unsigned seg, uint16_t selector, const struct descriptor *d, uint8_t access)
{
	cpu->seg[seg] = (struct segment) {
		.selector = selector, .access = access, .flags = d->hi >> 20 & 15, .base = desc_base(d), .limit = desc_limit(d),
	};
}

enum exec op_lldt_Ew(struct cpu *cpu, const struct insn *in)
{
	uint16_t selector = 0;
	struct descriptor d;

	TRY(protected_only(cpu, in));
	TRY(ring0_only(cpu, in));
	TRY(read_ew(cpu, in, &selector));
	if (selector_null(selector)) {
		segment_load_null(cpu, SEG_LDTR, selector);
		NEXT(cpu, in);
	}
	if (selector & 4)
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	TRY(read_descriptor(cpu, in, selector, VEC_GP, &d));
	if (desc_system(&d) != SYS_LDT)
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	if (!desc_present(&d))
		return raise_error(cpu, in, VEC_NP, selector_error(selector, 0));
	set_system_segment(cpu, SEG_LDTR, selector, &d, desc_access(&d));
	NEXT(cpu, in);
}

enum exec op_ltr_Ew(struct cpu *cpu, const struct insn *in)
{
	uint16_t selector = 0;
	struct descriptor d;
	struct ref busy;

	TRY(protected_only(cpu, in));
	TRY(ring0_only(cpu, in));
	TRY(read_ew(cpu, in, &selector));
	if (selector_null(selector))
		return raise_error(cpu, in, VEC_GP, 0);
	if (selector & 4)
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	TRY(read_descriptor(cpu, in, selector, VEC_GP, &d));
	if (desc_system(&d) != SYS_TSS16 && desc_system(&d) != SYS_TSS32)
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	if (!desc_present(&d))
		return raise_error(cpu, in, VEC_NP, selector_error(selector, 0));
	TRY(open_linear(cpu, in, d.la + 5, 1, OPEN_RW, false, &busy));
	ref_set8(cpu, &busy, desc_access(&d) | TSS_BUSY);
	set_system_segment(cpu, SEG_TR, selector, &d, desc_access(&d) | TSS_BUSY);
	NEXT(cpu, in);
}

/* --- LAR, LSL, VERR, VERW, ARPL: answers in ZF, never a protection fault for what they ask about -------------------- */

static void set_zf(struct cpu *cpu, bool zf)
{
	cpu_set_eflags(cpu, (cpu_eflags(cpu) & ~F_ZF) | (zf ? F_ZF : 0));
}

/* Reads the descriptor asked about. *found: it exists. A page fault is still a fault. */
static enum exec ask_descriptor(struct cpu *cpu, const struct insn *in, uint16_t selector, struct descriptor *d, bool *found)
{
	enum exec result;

	*found = false;
	if (selector_null(selector))
		return EXEC_OK;
	result = read_descriptor(cpu, in, selector, VEC_GP, d);
	if (result == EXEC_FAULT && cpu->fault.vector == VEC_GP)
		return EXEC_OK;
	*found = result == EXEC_OK;
	return result;
}

/* Whether this privilege and RPL may see the descriptor: conforming code shows itself to all. */
static bool visible(const struct cpu *cpu, const struct descriptor *d, uint16_t selector)
{
	if (desc_code(d) && desc_conforming(d))
		return true;
	return cpu->cpl <= desc_dpl(d) && (selector & 3u) <= desc_dpl(d);
}

/* Bit n: LAR (LSL) accepts system type n. [SDM2A] table 3-53 "Segment and Gate Types". */
#define LAR_TYPES 0x1a3eu
#define LSL_TYPES 0x0a0eu

static enum exec ask(struct cpu *cpu, const struct insn *in, unsigned types, struct descriptor *d, bool *ok)
{
	uint16_t selector = 0;
	bool found = false;

	TRY(protected_only(cpu, in));
	TRY(read_ew(cpu, in, &selector));
	TRY(ask_descriptor(cpu, in, selector, d, &found));
	*ok = found && visible(cpu, d, selector) && (desc_access(d) & ACC_S || types >> desc_system(d) & 1);
	return EXEC_OK;
}

static void set_gv(struct cpu *cpu, const struct insn *in, uint32_t value)
{
	if (in->opsize == 4)
		cpu->r[in->reg] = value;
	else
		memcpy(&cpu->r[in->reg], &(uint16_t) { (uint16_t)value }, 2);
}

enum exec op_lar_Gv_Ew(struct cpu *cpu, const struct insn *in)
{
	struct descriptor d = { 0 };
	bool ok = false;

	TRY(ask(cpu, in, LAR_TYPES, &d, &ok));
	if (ok)
		set_gv(cpu, in, d.hi & (in->opsize == 4 ? 0x00ffff00 : 0xff00));
	set_zf(cpu, ok);
	NEXT(cpu, in);
}

enum exec op_lsl_Gv_Ew(struct cpu *cpu, const struct insn *in)
{
	struct descriptor d = { 0 };
	bool ok = false;

	TRY(ask(cpu, in, LSL_TYPES, &d, &ok));
	if (ok)
		set_gv(cpu, in, desc_limit(&d));
	set_zf(cpu, ok);
	NEXT(cpu, in);
}

enum exec op_verr_Ew(struct cpu *cpu, const struct insn *in)
{
	struct descriptor d = { 0 };
	bool ok = false;

	TRY(ask(cpu, in, 0, &d, &ok));
	set_zf(cpu, ok && (!desc_code(&d) || desc_access(&d) & ACC_RW));
	NEXT(cpu, in);
}

enum exec op_verw_Ew(struct cpu *cpu, const struct insn *in)
{
	struct descriptor d = { 0 };
	bool ok = false;

	TRY(ask(cpu, in, 0, &d, &ok));
	set_zf(cpu, ok && !desc_code(&d) && desc_access(&d) & ACC_RW);
	NEXT(cpu, in);
}

/* Memory is written only when the selector changes, so a read-only one with a high RPL is no fault: "ARPL" in [SDM2A]. */
enum exec op_arpl_Ew_Gw(struct cpu *cpu, const struct insn *in)
{
	uint16_t value, rpl = cpu->r[in->reg] & 3;
	struct ref dst;

	TRY(protected_only(cpu, in));
	TRY(open_rm(cpu, in, 2, OPEN_READ, &dst));
	value = ref_get16(cpu, &dst);
	if ((value & 3) < rpl) {
		TRY(open_rm(cpu, in, 2, OPEN_WRITE, &dst));
		ref_set16(cpu, &dst, (uint16_t)((value & ~3u) | rpl));
	}
	set_zf(cpu, (value & 3) < rpl);
	NEXT(cpu, in);
}
