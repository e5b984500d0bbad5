/* cpu/debug.c: breakpoints and single steps.
 *
 *   DR0..DR3  linear addresses
 *   DR7       LEN3 RW3 .. LEN0 RW0 (31:16) | GD (13) | G3 L3 .. G0 L0 (7:0)   RW: 0 fetch, 1 write, 2 port (CR4.DE), 3 access
 *   DR6       BT (15) BS (14) BD (13) B3..B0
 *
 * A fetch breakpoint is a fault before its instruction, and RF passes over it once; between the iterations of a string
 * instruction there is none. All others are traps: they collect in pending_dr6 and are delivered together at the boundary after
 * the instruction; those of an interrupt or exception that is being delivered (its stack, IDT, GDT and TSS are data too), before
 * its handler's first instruction. While data is watched every segment's ok bits are 0 (segment.c), so that every access comes
 * through access.c and asks here.
 * References: [SDM3B 17.2 "Debug Registers"], [SDM3B 17.3 "Debug Exceptions"].
 */
#include "cpu/system.h"

enum { RW_FETCH, RW_WRITE, RW_PORT, RW_ACCESS };

static bool enabled(const struct cpu *cpu, unsigned i) { return cpu->dr[7] >> 2 * i & 3; }
static unsigned kind(const struct cpu *cpu, unsigned i) { return cpu->dr[7] >> (16 + 4 * i) & 3; }
/* LEN 2 is undefined on this model and watches one byte. */
static unsigned length(const struct cpu *cpu, unsigned i)
{
	static const uint8_t bytes[] = { 1, 2, 1, 4 };

	return bytes[cpu->dr[7] >> (18 + 4 * i) & 3];
}

/* The watched bytes are aligned to their length, whatever the register says. */
static bool overlaps(const struct cpu *cpu, unsigned i, uint32_t at, unsigned size)
{
	uint32_t start = cpu->dr[i] & ~(length(cpu, i) - 1);

	return at - start < length(cpu, i) || start - at < size;
}

bool debug_armed(const struct cpu *cpu) { return cpu->dr[7] & 0xff; }

bool debug_watches_data(const struct cpu *cpu)
{
	for (unsigned i = 0; i < 4; i++)
		if (enabled(cpu, i) && (kind(cpu, i) == RW_WRITE || kind(cpu, i) == RW_ACCESS))
			return true;
	return false;
}

void debug_access(struct cpu *cpu, laddr_t la, unsigned size, bool write)
{
	for (unsigned i = 0; i < 4; i++) {
		if (!enabled(cpu, i) || !overlaps(cpu, i, la, size))
			continue;
		if (kind(cpu, i) == RW_ACCESS || (write && kind(cpu, i) == RW_WRITE))
			cpu->pending_dr6 |= 1u << i;
	}
	cpu->attention |= cpu->pending_dr6 != 0;
}

void debug_io(struct cpu *cpu, uint16_t port, unsigned size)
{
	if (likely(!debug_armed(cpu)) || !(cpu->cr4 & CR4_DE))
		return;
	for (unsigned i = 0; i < 4; i++)
		if (enabled(cpu, i) && kind(cpu, i) == RW_PORT && overlaps(cpu, i, port, size))
			cpu->pending_dr6 |= 1u << i;
	cpu->attention |= cpu->pending_dr6 != 0;
}

enum exec debug_fetch(struct cpu *cpu, uint32_t eip)
{
	laddr_t la = cpu->seg[SEG_CS].base + eip;
	uint32_t hit = 0;

	if (cpu->eflags & F_RF || cpu->repeating)
		return EXEC_OK;
	for (unsigned i = 0; i < 4; i++)
		if (enabled(cpu, i) && kind(cpu, i) == RW_FETCH && cpu->dr[i] == la)
			hit |= 1u << i;
	if (!hit)
		return EXEC_OK;
	cpu->fault = (struct fault) { .vector = VEC_DB, .dr6 = hit };
	return EXEC_FAULT;
}

void debug_boundary(struct cpu *cpu)
{
	struct fault f = { .vector = VEC_DB, .dr6 = cpu->pending_dr6 };

	cpu->pending_dr6 = 0;
	/* Stopped by a watcher, the traps are still to come. */
	if (deliver_event(cpu, f, EVENT_EXCEPTION, cpu->eip) == EXEC_STOP && !cpu->shutdown)
		cpu->pending_dr6 |= f.dr6;
}
