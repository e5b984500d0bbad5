/* cpu/vme.c: the virtual interrupt flag, and INT n that stays in virtual-8086 mode.
 *
 *   CPL 3, IOPL < 3, CR4.VME in virtual-8086 mode (CR4.PVI outside of it): what would be IF is VIF, what would trap does not.
 *
 *                        IOPL = 3                            IOPL < 3, VME
 *     CLI, STI           IF                                  VIF
 *     PUSHF, POPF, IRET  IF                                  VIF in the place of IF, IOPL reads as 3; 16-bit forms only
 *     INT n, bit n = 0   the 8086 handler, which starts      the 8086 handler, which starts
 *                        with IF clear                       with VIF clear
 *     INT n, bit n = 1   the IDT                             #GP(0)
 *
 *   TSS |  ...  | redirection bitmap, 32 bytes, bit n for INT n | I/O bitmap ...
 *                                                               ^ I/O map base (TSS + 102)
 *
 * The monitor sets VIP when an interrupt waits for the program. VIF and VIP together are a #GP(0) before the next
 * instruction; what would set VIF while VIP is set is a #GP(0) itself.
 * References: [SDM3B 20.3 "Interrupt and Exception Handling in Virtual-8086 Mode"], [SDM3B 20.4 "Protected-Mode Virtual Interrupts"].
 */
#include "cpu/system.h"

bool virtual_if(const struct cpu *cpu)
{
	return cpu->cpl == 3 && iopl(cpu) < 3 && cpu->cr4 & (v86_mode(cpu) ? CR4_VME : CR4_PVI);
}

uint16_t virtual_flags(const struct cpu *cpu)
{
	uint32_t flags = cpu_eflags(cpu);

	return (uint16_t)((flags & ~F_IF) | F_IOPL | (flags & F_VIF ? F_IF : 0));
}

enum exec virtual_flags_check(struct cpu *cpu, const struct insn *in, uint32_t popped)
{
	if (popped & F_TF || (popped & F_IF && cpu->eflags & F_VIP))
		return raise_error(cpu, in, VEC_GP, 0);
	return EXEC_OK;
}

void virtual_flags_load(struct cpu *cpu, uint32_t popped)
{
	uint32_t take = F_ARITH | F_TF | F_DF | F_NT;

	cpu_set_eflags(cpu, (cpu_eflags(cpu) & ~(take | F_VIF)) | (popped & take) | (popped & F_IF ? F_VIF : 0));
	flags_changed(cpu);
}

/* Bit n of the redirection bitmap. All of it must lie within the TSS, which only the 32-bit one has. */
static enum exec redirection_bit(struct cpu *cpu, const struct insn *in, uint8_t vector, bool *set)
{
	const struct segment *tr = &cpu->seg[SEG_TR];
	uint32_t base, at;
	struct ref byte;

	if (!(tr->access & 8) || tr->limit < 103)
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(linear_read(cpu, in, tr->base + 102, 2, &base));
	at = base - 32 + vector / 8;
	if (base < 32 || at > tr->limit)
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(open_linear(cpu, in, tr->base + at, 1, OPEN_READ, false, &byte));
	*set = ref_get8(cpu, &byte) >> (vector & 7) & 1;
	return EXEC_OK;
}

/* As INT n in real mode, with the vector table at linear address 0. */
static enum exec enter_8086(struct cpu *cpu, const struct insn *in, uint8_t vector)
{
	bool virtual = iopl(cpu) < 3;
	uint32_t entry;
	struct frame f;

	TRY(linear_read(cpu, in, vector * 4u, 4, &entry));
	TRY(frame_room(cpu, in, &cpu->seg[SEG_SS], cpu->r[R_ESP], 3, 2, 0, &f));
	TRY(frame_open(cpu, in, true, &f));
	frame_push(&f, virtual ? virtual_flags(cpu) : cpu_eflags(cpu));
	frame_push(&f, cpu->seg[SEG_CS].selector);
	frame_push(&f, insn_next_eip(cpu, in));
	frame_commit(cpu, &f);
	cpu->r[R_ESP] = f.esp;
	cpu->eflags &= ~(F_TF | F_RF | (virtual ? F_VIF : F_IF));
	segment_load_v86(cpu, SEG_CS, entry >> 16);
	cpu->eip = entry & 0xffff;
	return EXEC_OK;
}

enum exec redirect_interrupt(struct cpu *cpu, const struct insn *in, uint8_t vector, bool *redirected)
{
	bool set = true;

	*redirected = false;
	if (cpu->cr4 & CR4_VME)
		TRY(redirection_bit(cpu, in, vector, &set));
	if (set)
		return iopl(cpu) < 3 ? raise_error(cpu, in, VEC_GP, 0) : EXEC_OK;
	*redirected = true;
	return enter_8086(cpu, in, vector);
}
