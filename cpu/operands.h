/* cpu/operands.h: operands of 1, 2 or 4 bytes, for handlers that exist in all three widths. Internal to cpu/.
 *
 * Everything here is inlined with a constant size, so that no handler decides about its width when it runs. A handler's
 * work is a function that returns EXEC_OK; HANDLER gives it a name and the step to the next instruction. The struct ref
 * lives in that function and is gone before NEXT: a tail call needs the frame to be dead.
 */
#ifndef CPU_OPERANDS_H
#define CPU_OPERANDS_H

#include "cpu/exec.h"
#include "cpu/flags.h"

#define INLINE static inline __attribute__((always_inline))

#define HANDLER(name, work) \
enum exec op_##name(struct cpu *cpu, const struct insn *in) \
{ \
	TRY(work); \
	NEXT(cpu, in); \
}

INLINE unsigned bits_of(unsigned size) { return 8 * size; }

/* The low size bytes, extended with zeros or with their sign. */
INLINE uint32_t zero_extend(uint32_t v, unsigned size) { return v & (0xffffffffu >> (32 - bits_of(size))); }
INLINE int32_t sign_extend(uint32_t v, unsigned size) { return (int32_t)(v << (32 - bits_of(size))) >> (32 - bits_of(size)); }
INLINE bool top_bit(uint32_t v, unsigned size) { return v >> (bits_of(size) - 1) & 1; }

INLINE uint32_t ref_get(struct cpu *cpu, const struct ref *ref, unsigned size)
{
	return size == 1 ? ref_get8(cpu, ref) : size == 2 ? ref_get16(cpu, ref) : ref_get32(cpu, ref);
}

INLINE void ref_set(struct cpu *cpu, const struct ref *ref, uint32_t v, unsigned size)
{
	if (size == 1)
		ref_set8(cpu, ref, (uint8_t)v);
	else if (size == 2)
		ref_set16(cpu, ref, (uint16_t)v);
	else
		ref_set32(cpu, ref, v);
}

INLINE uint32_t reg_get(struct cpu *cpu, unsigned n, unsigned size)
{
	return size == 1 ? *reg8(cpu, n) : size == 2 ? cpu->r[n] & 0xffff : cpu->r[n];
}

/* The rest of the register stays. */
INLINE void reg_set(struct cpu *cpu, unsigned n, uint32_t v, unsigned size)
{
	if (size == 1)
		*reg8(cpu, n) = (uint8_t)v;
	else if (size == 2)
		memcpy(&cpu->r[n], &(uint16_t){ (uint16_t)v }, 2);
	else
		cpu->r[n] = v;
}

/* The value of the ModRM r/m operand. */
INLINE enum exec read_rm(struct cpu *cpu, const struct insn *in, unsigned size, uint32_t *value)
{
	struct ref src;

	TRY(open_rm(cpu, in, size, OPEN_READ, &src));
	*value = ref_get(cpu, &src, size);
	return EXEC_OK;
}

/* ZF as given, the other five as they are. */
static inline void flags_set_zf(struct cpu *cpu, bool zf) { flags_put(cpu, (flags_get(cpu) & ~F_ZF) | (zf ? F_ZF : 0)); }

#endif
