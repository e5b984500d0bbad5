/* cpu/op_string.c: MOVS CMPS SCAS STOS LODS INS OUTS, alone and repeated.
 *
 *   source       DS (or the override) : ESI or SI       destination  ES : EDI or DI, no override
 *
 * A repeated instruction is a run of iterations, and each is an instruction of its own: it counts as one, registers are up
 * to date after it, and the run can stop behind it for an interrupt, a fault in the next one or the end of the budget;
 * EIP then still points at the instruction. MOVS and STOS move whole stretches within a page at once where
 * nothing can happen in between.
 * References: [SDM2A] "CMPS/CMPSB/CMPSW/CMPSD", "INS/INSB/INSW/INSD", "LODS/LODSB/LODSW/LODSD", [SDM2B] "MOVS/MOVSB/MOVSW/MOVSD",
 * "OUTS/OUTSB/OUTSW/OUTSD", "REP/REPE/REPZ/REPNE/REPNZ", "SCAS/SCASB/SCASW/SCASD", "STOS/STOSB/STOSW/STOSD".
 */
#include "cpu/code.h"
#include "cpu/flags.h"

/* SI, DI or CX, by address size. */
static inline uint32_t address_reg(const struct cpu *cpu, const struct insn *in, unsigned n)
{
	return in->addrsize == 2 ? cpu->r[n] & 0xffff : cpu->r[n];
}

static inline void address_reg_add(struct cpu *cpu, const struct insn *in, unsigned n, uint32_t delta)
{
	if (in->addrsize == 2)
		set_reg16(cpu, n, (uint16_t)(cpu->r[n] + delta));
	else
		cpu->r[n] += delta;
}

static inline uint32_t step(const struct cpu *cpu, unsigned size) { return cpu->eflags & F_DF ? 0u - size : size; }

static inline enum exec open_source(struct cpu *cpu, const struct insn *in, unsigned size, struct ref *ref)
{
	return open_mem(cpu, in, in->seg, address_reg(cpu, in, R_ESI), size, OPEN_READ, ref);
}

static inline enum exec open_destination(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *ref)
{
	return open_mem(cpu, in, SEG_ES, address_reg(cpu, in, R_EDI), size, mode, ref);
}

static inline uint32_t get(struct cpu *cpu, const struct ref *ref, unsigned size)
{
	return size == 1 ? ref_get8(cpu, ref) : size == 2 ? ref_get16(cpu, ref) : ref_get32(cpu, ref);
}

static inline void set(struct cpu *cpu, const struct ref *ref, unsigned size, uint32_t v)
{
	if (size == 1)
		ref_set8(cpu, ref, (uint8_t)v);
	else if (size == 2)
		ref_set16(cpu, ref, (uint16_t)v);
	else
		ref_set32(cpu, ref, v);
}

/* --- one iteration of each -------------------------------------------------------------------------------------------- */

typedef enum exec iteration(struct cpu *cpu, const struct insn *in, unsigned size);

static enum exec movs(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref src, dst;

	TRY(open_source(cpu, in, size, &src));
	TRY(open_destination(cpu, in, size, OPEN_WRITE, &dst));
	set(cpu, &dst, size, get(cpu, &src, size));
	address_reg_add(cpu, in, R_ESI, step(cpu, size));
	address_reg_add(cpu, in, R_EDI, step(cpu, size));
	return EXEC_OK;
}

static enum exec stos(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref dst;

	TRY(open_destination(cpu, in, size, OPEN_WRITE, &dst));
	set(cpu, &dst, size, cpu->r[R_EAX]);
	address_reg_add(cpu, in, R_EDI, step(cpu, size));
	return EXEC_OK;
}

static enum exec lods(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref src;
	uint32_t v;

	TRY(open_source(cpu, in, size, &src));
	v = get(cpu, &src, size);
	memcpy(&cpu->r[R_EAX], &v, size);
	address_reg_add(cpu, in, R_ESI, step(cpu, size));
	return EXEC_OK;
}

static inline void compare(struct cpu *cpu, unsigned size, uint32_t a, uint32_t b)
{
	if (size == 1)
		alu_cmp8(cpu, (uint8_t)a, (uint8_t)b);
	else if (size == 2)
		alu_cmp16(cpu, (uint16_t)a, (uint16_t)b);
	else
		alu_cmp32(cpu, a, b);
}

static enum exec cmps(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref src, dst;

	TRY(open_source(cpu, in, size, &src));
	TRY(open_destination(cpu, in, size, OPEN_READ, &dst));
	compare(cpu, size, get(cpu, &src, size), get(cpu, &dst, size));
	address_reg_add(cpu, in, R_ESI, step(cpu, size));
	address_reg_add(cpu, in, R_EDI, step(cpu, size));
	return EXEC_OK;
}

static enum exec scas(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref dst;

	TRY(open_destination(cpu, in, size, OPEN_READ, &dst));
	compare(cpu, size, cpu->r[R_EAX], get(cpu, &dst, size));
	address_reg_add(cpu, in, R_EDI, step(cpu, size));
	return EXEC_OK;
}

/* The port is read only when the destination can take what it gives. */
static enum exec ins(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint16_t port = (uint16_t)cpu->r[R_EDX];
	struct ref dst;

	TRY(io_check(cpu, in, port, size));
	TRY(open_destination(cpu, in, size, OPEN_WRITE, &dst));
	set(cpu, &dst, size, cpu->bus.in(cpu->bus.owner, port, size));
	address_reg_add(cpu, in, R_EDI, step(cpu, size));
	return EXEC_OK;
}

static enum exec outs(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint16_t port = (uint16_t)cpu->r[R_EDX];
	struct ref src;

	TRY(io_check(cpu, in, port, size));
	TRY(open_source(cpu, in, size, &src));
	cpu->bus.out(cpu->bus.owner, port, size, get(cpu, &src, size));
	address_reg_add(cpu, in, R_ESI, step(cpu, size));
	return EXEC_OK;
}

/* --- stretches ---------------------------------------------------------------------------------------------------------- */

/* How many iterations up to max stay within the page of la, going forwards. */
static uint32_t within_page(laddr_t la, unsigned size, uint32_t max)
{
	uint32_t n = (PAGE_SIZE - (la & PG_OFFSET)) / size;

	return n < max ? n : max;
}

/* The host bytes of a flat segment's offset, or NULL. */
static uint8_t *fast_host(struct cpu *cpu, unsigned seg, uint32_t offset, enum access_kind kind)
{
	const struct segment *s = &cpu->seg[seg];
	laddr_t la = s->base + offset;
	uintptr_t addend = cpu->tables[kind][la >> 12];

	return addend && s->ok & (kind == ACCESS_WRITE ? SEG_OK_WRITE : SEG_OK_READ) ? (uint8_t *)(addend + la) : NULL;
}

/* Does up to max iterations of STOS at once; returns how many, 0 when it has to go one by one. */
static uint32_t stos_stretch(struct cpu *cpu, const struct insn *in, unsigned size, uint32_t max)
{
	uint32_t offset = cpu->r[R_EDI], n;
	uint8_t *host = fast_host(cpu, SEG_ES, offset, ACCESS_WRITE);

	if (!host || in->addrsize == 2 || cpu->eflags & F_DF)
		return 0;
	n = within_page(cpu->seg[SEG_ES].base + offset, size, max);
	if (size == 1)
		memset(host, (int)(cpu->r[R_EAX] & 0xff), n);
	else
		for (uint32_t i = 0; i < n; i++)
			memcpy(host + i * size, &cpu->r[R_EAX], size);
	cpu->r[R_EDI] += n * size;
	return n;
}

static uint32_t movs_stretch(struct cpu *cpu, const struct insn *in, unsigned size, uint32_t max)
{
	uint32_t from = cpu->r[R_ESI], to = cpu->r[R_EDI], n;
	const uint8_t *src = fast_host(cpu, in->seg, from, ACCESS_READ);
	uint8_t *dst = fast_host(cpu, SEG_ES, to, ACCESS_WRITE);

	if (!src || !dst || in->addrsize == 2 || cpu->eflags & F_DF)
		return 0;
	n = within_page(cpu->seg[in->seg].base + from, size, max);
	n = within_page(cpu->seg[SEG_ES].base + to, size, n);
	/* Overlapping ones copy what they have just written. */
	if (dst + n * size <= src || src + n * size <= dst)
		memcpy(dst, src, n * size);
	else
		for (uint32_t i = 0; i < n; i++)
			memmove(dst + i * size, src + i * size, size);
	cpu->r[R_ESI] += n * size;
	cpu->r[R_EDI] += n * size;
	return n;
}

typedef uint32_t stretch(struct cpu *cpu, const struct insn *in, unsigned size, uint32_t max);

/* --- repetition ---------------------------------------------------------------------------------------------------------- */

/* CMPS and SCAS end on ZF too. */
static inline bool goes_on(const struct cpu *cpu, const struct insn *in, bool compares)
{
	return !compares || flag_zf(cpu) == (in->rep == REP_F3);
}

/* How many iterations may still be done: the first one was charged with the block. */
static inline uint64_t allowed(const struct cpu *cpu, uint64_t done)
{
	if (cpu->single)
		return !done;
	return cpu->run_end - cpu->icount + !done;
}

/* Iterations have been done, others are left: interrupts and traps come now, and will know that they do [SDM3B 17.3.1.1]. */
static enum exec pause_repeating(struct cpu *cpu, const struct insn *in)
{
	cpu->eip = insn_eip(cpu, in);
	cpu->repeating = true;
	cpu->attention = true;
	return EXEC_STOP;
}

static enum exec finish_repeating(struct cpu *cpu)
{
	cpu->repeating = false;
	return EXEC_OK;
}

/* One more iteration by itself. Its charge comes first, so that a port reads the right time. */
static inline enum exec once_more(struct cpu *cpu, const struct insn *in, unsigned size, iteration *once, uint64_t done)
{
	enum exec result;

	cpu->icount += done != 0;
	result = once(cpu, in, size);
	if (result == EXEC_SINGLE && done) {
		cpu->icount--;
		return pause_repeating(cpu, in);
	}
	cpu->repeating |= result == EXEC_FAULT && done;
	return result;
}

static inline enum exec repeat(struct cpu *cpu, const struct insn *in, unsigned size, iteration *once, stretch *many, bool compares)
{
	uint64_t done = 0, room;

	while (address_reg(cpu, in, R_ECX) && (room = allowed(cpu, done)) != 0) {
		uint32_t left = address_reg(cpu, in, R_ECX), n;

		n = many && !cpu->single ? many(cpu, in, size, room < left ? (uint32_t)room : left) : 0;
		if (n)
			cpu->icount += n - !done;
		else
			TRY(once_more(cpu, in, size, once, done));
		n += !n;
		address_reg_add(cpu, in, R_ECX, 0u - n);
		done += n;
		if (!goes_on(cpu, in, compares))
			return finish_repeating(cpu);
		if (cpu->attention)
			break;
	}
	return address_reg(cpu, in, R_ECX) ? pause_repeating(cpu, in) : finish_repeating(cpu);
}

static inline enum exec string(struct cpu *cpu, const struct insn *in, unsigned size, iteration *once, stretch *many, bool compares)
{
	return in->rep ? repeat(cpu, in, size, once, many, compares) : once(cpu, in, size);
}

#define STRING(name, size, once, many, compares) \
enum exec op_##name(struct cpu *cpu, const struct insn *in) \
{ \
	TRY(string(cpu, in, size, once, many, compares)); \
	NEXT(cpu, in); \
}
STRING(movs_Yb_Xb, 1, movs, movs_stretch, false)
STRING(movs_Yw_Xw, 2, movs, movs_stretch, false)
STRING(movs_Yd_Xd, 4, movs, movs_stretch, false)
STRING(cmps_Xb_Yb, 1, cmps, NULL, true)
STRING(cmps_Xw_Yw, 2, cmps, NULL, true)
STRING(cmps_Xd_Yd, 4, cmps, NULL, true)
STRING(stos_Yb, 1, stos, stos_stretch, false)
STRING(stos_Yw, 2, stos, stos_stretch, false)
STRING(stos_Yd, 4, stos, stos_stretch, false)
STRING(lods_Xb, 1, lods, NULL, false)
STRING(lods_Xw, 2, lods, NULL, false)
STRING(lods_Xd, 4, lods, NULL, false)
STRING(scas_Yb, 1, scas, NULL, true)
STRING(scas_Yw, 2, scas, NULL, true)
STRING(scas_Yd, 4, scas, NULL, true)
STRING(ins_Yb, 1, ins, NULL, false)
STRING(ins_Yv, in->opsize == 2 ? 2 : 4, ins, NULL, false)
STRING(outs_Xb, 1, outs, NULL, false)
STRING(outs_Xv, in->opsize == 2 ? 2 : 4, outs, NULL, false)
