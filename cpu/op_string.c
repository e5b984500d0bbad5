/* cpu/op_string.c: MOVS, CMPS, SCAS, LODS, STOS, INS, OUTS, alone and repeated.
 *
 * Each iteration of REP is an instruction of its own as far as time, faults and interrupts go: registers are stored after
 * every one, EIP stays on the instruction until the last, and a fault leaves exactly the iterations before it.
 * References: [SDM1 7.3.9.3 "Fast-String Operation"], [SDM2B] "REP/REPE/REPZ/REPNE/REPNZ", "MOVS/MOVSB/MOVSW/MOVSD/MOVSQ".
 */
#include "cpu/exec.h"
#include "cpu/flags.h"

/* --- indices ------------------------------------------------------------------------------------------------------ */

static inline uint32_t index_of(const struct cpu *cpu, const struct insn *in, unsigned reg)
{
	return in->addrsize == 2 ? cpu->r[reg] & 0xffff : cpu->r[reg];
}

static inline void index_set(struct cpu *cpu, const struct insn *in, unsigned reg, uint32_t value)
{
	cpu->r[reg] = in->addrsize == 2 ? (cpu->r[reg] & 0xffff0000u) | (value & 0xffff) : value;
}

static inline void advance(struct cpu *cpu, const struct insn *in, unsigned reg, unsigned size)
{
	index_set(cpu, in, reg, cpu->r[reg] + (cpu->eflags & F_DF ? 0u - size : size));
}

static inline uint32_t get(struct cpu *cpu, const struct ref *ref, unsigned size)
{
	return size == 1 ? ref_get8(cpu, ref) : size == 2 ? ref_get16(cpu, ref) : ref_get32(cpu, ref);
}

static inline void set(struct cpu *cpu, const struct ref *ref, uint32_t value, unsigned size)
{
	if (size == 1)
		ref_set8(cpu, ref, (uint8_t)value);
	else if (size == 2)
		ref_set16(cpu, ref, (uint16_t)value);
	else
		ref_set32(cpu, ref, value);
}

static inline enum exec open_source(struct cpu *cpu, const struct insn *in, unsigned size, struct ref *src)
{
	return open_mem(cpu, in, in->seg, index_of(cpu, in, R_ESI), size, OPEN_READ, src);
}

static inline enum exec open_destination(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *dst)
{
	return open_mem(cpu, in, SEG_ES, index_of(cpu, in, R_EDI), size, mode, dst);
}

static inline void compare(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size)
{
	unsigned shift = 32 - 8 * size;

	flags_sub(cpu, a, b, (int32_t)((a - b) << shift) >> shift, 8 * size);
}

/* --- one iteration of each ------------------------------------------------------------------------------------------ */

typedef enum exec iteration_fn(struct cpu *cpu, const struct insn *in, unsigned size);

static inline enum exec movs(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref src, dst;

	TRY(open_source(cpu, in, size, &src));
	TRY(open_destination(cpu, in, size, OPEN_WRITE, &dst));
	set(cpu, &dst, get(cpu, &src, size), size);
	advance(cpu, in, R_ESI, size);
	advance(cpu, in, R_EDI, size);
	return EXEC_OK;
}

static inline enum exec stos(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref dst;

	TRY(open_destination(cpu, in, size, OPEN_WRITE, &dst));
	set(cpu, &dst, cpu->r[R_EAX], size);
	advance(cpu, in, R_EDI, size);
	return EXEC_OK;
}

static inline enum exec lods(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref src;
	uint32_t value;

	TRY(open_source(cpu, in, size, &src));
	value = get(cpu, &src, size);
	memcpy(&cpu->r[R_EAX], &value, size);
	advance(cpu, in, R_ESI, size);
	return EXEC_OK;
}

static inline enum exec cmps(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref a, b;

	TRY(open_source(cpu, in, size, &a));
	TRY(open_destination(cpu, in, size, OPEN_READ, &b));
	compare(cpu, get(cpu, &a, size), get(cpu, &b, size), size);
	advance(cpu, in, R_ESI, size);
	advance(cpu, in, R_EDI, size);
	return EXEC_OK;
}

static inline enum exec scas(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref b;
	uint32_t a = cpu->r[R_EAX] & (0xffffffffu >> (32 - 8 * size));

	TRY(open_destination(cpu, in, size, OPEN_READ, &b));
	compare(cpu, a, get(cpu, &b, size), size);
	advance(cpu, in, R_EDI, size);
	return EXEC_OK;
}

/* INS: the destination is opened before the port is read, since reading it may change the device. */
static inline enum exec ins(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref dst;
	uint16_t port = (uint16_t)cpu->r[R_EDX];

	TRY(io_check(cpu, in, port, size));
	TRY(open_destination(cpu, in, size, OPEN_WRITE, &dst));
	set(cpu, &dst, cpu->bus.in(cpu->bus.owner, port, size), size);
	advance(cpu, in, R_EDI, size);
	return EXEC_OK;
}

static inline enum exec outs(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref src;
	uint16_t port = (uint16_t)cpu->r[R_EDX];

	TRY(io_check(cpu, in, port, size));
	TRY(open_source(cpu, in, size, &src));
	cpu->bus.out(cpu->bus.owner, port, size, get(cpu, &src, size));
	advance(cpu, in, R_ESI, size);
	return EXEC_OK;
}

/* --- long runs: whole pieces of pages of flat segments, upwards ------------------------------------------------------ */

/* Iterations that may run now: by the count, by the budget (one is charged already), and inside the page at la. */
static inline uint32_t run_length(const struct cpu *cpu, uint32_t limit, laddr_t la, unsigned size)
{
	uint32_t in_page = (4096 - (la & 0xfff)) / size;
	uint64_t budget = cpu->run_end - cpu->icount + 1;

	if (cpu->icount > cpu->run_end)
		return 0;
	if (limit > in_page)
		limit = in_page;
	return limit < budget ? limit : (uint32_t)budget;
}

static inline bool flat(const struct cpu *cpu, unsigned seg, unsigned need)
{
	return (cpu->seg[seg].ok & need) == need;
}

/* A forward copy element by element: what MOVS does even when the areas overlap. */
static inline void copy_up(uint8_t *dst, const uint8_t *src, size_t bytes, unsigned size)
{
	if (dst <= src || dst >= src + bytes) {
		memmove(dst, src, bytes);
		return;
	}
	for (size_t i = 0; i < bytes; i += size) {
		uint32_t element;

		memcpy(&element, src + i, size);
		memcpy(dst + i, &element, size);
	}
}

/* Each returns how many iterations it did; 0: none, take the ordinary way. Registers but ECX are stored. */
static inline uint32_t movs_run(struct cpu *cpu, const struct insn *in, uint32_t count, unsigned size)
{
	laddr_t from = cpu->seg[in->seg].base + cpu->r[R_ESI], to = cpu->seg[SEG_ES].base + cpu->r[R_EDI];
	uintptr_t r = cpu->tables[ACCESS_READ][from >> 12], w = cpu->tables[ACCESS_WRITE][to >> 12];
	uint32_t n = run_length(cpu, count, from, size);

	if (!flat(cpu, in->seg, SEG_OK_READ) || !flat(cpu, SEG_ES, SEG_OK_WRITE) || !r || !w)
		return 0;
	n = run_length(cpu, n, to, size);
	copy_up((uint8_t *)(w + to), (const uint8_t *)(r + from), (size_t)n * size, size);
	cpu->r[R_ESI] += n * size;
	cpu->r[R_EDI] += n * size;
	return n;
}

static inline uint32_t stos_run(struct cpu *cpu, const struct insn *in, uint32_t count, unsigned size)
{
	laddr_t to = cpu->seg[SEG_ES].base + cpu->r[R_EDI];
	uintptr_t w = cpu->tables[ACCESS_WRITE][to >> 12];
	uint32_t n = run_length(cpu, count, to, size);
	uint8_t *dst = (uint8_t *)(w + to);

	(void)in;
	if (!flat(cpu, SEG_ES, SEG_OK_WRITE) || !w)
		return 0;
	if (size == 1)
		memset(dst, (int)(cpu->r[R_EAX] & 0xff), n);
	else
		for (uint32_t i = 0; i < n; i++)
			memcpy(dst + (size_t)i * size, &cpu->r[R_EAX], size);
	cpu->r[R_EDI] += n * size;
	return n;
}

typedef uint32_t run_fn(struct cpu *cpu, const struct insn *in, uint32_t count, unsigned size);

/* --- repetition ------------------------------------------------------------------------------------------------------- */

enum repeat_kind { REPEAT_COUNT, REPEAT_COMPARE, REPEAT_PORT };

/* Whether CMPS or SCAS goes on after a comparison. */
static inline bool compare_goes_on(const struct cpu *cpu, const struct insn *in)
{
	return in->rep == REP_F3 ? flag_zf(cpu) : !flag_zf(cpu);
}

static inline enum exec repeat(struct cpu *cpu, const struct insn *in, unsigned size, iteration_fn *once, run_fn *run, enum repeat_kind kind)
{
	if (!in->rep) {
		TRY(once(cpu, in, size));
		NEXT(cpu, in);
	}
	for (uint32_t count = index_of(cpu, in, R_ECX); count; ) {
		uint32_t n = run && !cpu->single && in->addrsize == 4 && !(cpu->eflags & F_DF) ? run(cpu, in, count, size) : 0;

		if (n == 0) {
			TRY(once(cpu, in, size));
			n = 1;
		}
		cpu->icount += n - 1;
		count -= n;
		index_set(cpu, in, R_ECX, count);
		if (count == 0 || (kind == REPEAT_COMPARE && !compare_goes_on(cpu, in)))
			break;
		if (cpu->single || cpu->icount >= cpu->run_end || (kind == REPEAT_PORT && cpu->intr && cpu->eflags & F_IF)) {
			cpu->eip = insn_eip(cpu, in);
			return EXEC_STOP;
		}
		cpu->icount++;
	}
	NEXT(cpu, in);
}

#define STRING_OP(name, run, kind) \
enum exec op_##name##_b(struct cpu *cpu, const struct insn *in) { return repeat(cpu, in, 1, name, run, kind); } \
enum exec op_##name##_16(struct cpu *cpu, const struct insn *in) { return repeat(cpu, in, 2, name, run, kind); } \
enum exec op_##name##_32(struct cpu *cpu, const struct insn *in) { return repeat(cpu, in, 4, name, run, kind); }

STRING_OP(movs, movs_run, REPEAT_COUNT)
STRING_OP(stos, stos_run, REPEAT_COUNT)
STRING_OP(lods, NULL, REPEAT_COUNT)
STRING_OP(cmps, NULL, REPEAT_COMPARE)
STRING_OP(scas, NULL, REPEAT_COMPARE)
STRING_OP(ins, NULL, REPEAT_PORT)
STRING_OP(outs, NULL, REPEAT_PORT)
