/* cpu/access.c: memory accesses that the fast tables do not answer.
 *
 *   segment:offset -> limit and type -> alignment -> linear -> translation of one or two pages -> struct ref
 *
 * Every check is made, for both pages of a split access, before a byte moves. What the guest can notice beyond its memory
 * (a device register, its own decoded code) is only touched when the instruction runs alone (cpu->single); until then the
 * answer is EXEC_SINGLE. So it is for whatever comes here while a debugger hears of it: it finds the instruction's EIP and count, hears
 * of it once, and may stop the run right behind it.
 * References: [SDM3A 5.3 "Limit Checking"], [SDM3A 6.15 "Exception and Interrupt Reference"] interrupts 14 and 17.
 */
#include "cpu/code.h"
#include "cpu/system.h"

/* Whether the bytes can be stored or read in the middle of a block. */
static bool plain(struct cpu *cpu, const struct translation *t, unsigned size, bool write)
{
	if (t->host)
		return true;
	if (phys_kind_of(cpu->mmu->phys, t->pa, NULL) == PHYS_MMIO)
		return false;
	return !write || !code_holds(cpu, t->pa, size);
}

/* Translates one piece, which lies in one page. */
static enum exec open_piece(struct cpu *cpu, const struct insn *in, const struct access *a, unsigned size, struct ref *ref, unsigned n)
{
	struct translation t;

	TRY(alone_when_heard(cpu, in));
	cpu->cache->moved = false;
	if (!mmu_translate(cpu->mmu, a, &t))
		return raise_page_fault(cpu, in, a->la);
	if (!cpu->single && !plain(cpu, &t, size, a->kind == ACCESS_WRITE)) {
		cpu->insn = in;
		return EXEC_SINGLE;
	}
	/* The walk found other tables than the TLB knew, or set an Accessed or Dirty bit that lies in code. */
	if (!cpu->single && (cpu->cache->moved || cpu->cache->dropped))
		code_cut(cpu, in);
	ref->piece[n].host = t.host;
	ref->piece[n].pa = t.pa;
	return EXEC_OK;
}

enum exec open_linear(struct cpu *cpu, const struct insn *in, laddr_t la, unsigned size, enum open_mode mode, bool user, struct ref *ref)
{
	bool write = mode & OPEN_WRITE;
	struct access a = { .la = la, .kind = write ? ACCESS_WRITE : ACCESS_READ, .user = user };
	unsigned first = PAGE_SIZE - (la & PG_OFFSET);

	if (first > size)
		first = size;
	*ref = (struct ref) { .first = (uint16_t)first, .size = (uint16_t)size, .write = write };
	TRY(open_piece(cpu, in, &a, first, ref, 0));
	if (first == size) {
		ref->host = ref->piece[0].host;
	} else {
		a.la = la + first;
		TRY(open_piece(cpu, in, &a, size - first, ref, 1));
	}
	if (unlikely(cpu->dr[7] & 0xff && debug_watches_data(cpu)))
		debug_access(cpu, la, size, write);
	return EXEC_OK;
}

/* [SDM3A 6.15 "Interrupt 17--Alignment Check Exception (#AC)"] table 6-7: an 80-bit number wants 8 bytes; FPU environments and
 * states 2 or 4, by their operand size; the FXSAVE area 16. */
static unsigned alignment(unsigned size)
{
	switch (size) {
	case 10: return 8;
	case 14: case 94: return 2;
	case 28: case 108: return 4;
	case 512: return 16;
	default: return size;
	}
}

static bool misaligned(const struct cpu *cpu, laddr_t la, unsigned size)
{
	return la & (alignment(size) - 1) && cpu->cr0 & CR0_AM && cpu->eflags & F_AC && cpu->cpl == 3;
}

enum exec open_slow(struct cpu *cpu, const struct insn *in, unsigned seg, uint32_t offset, unsigned size, enum open_mode mode, struct ref *ref)
{
	laddr_t la = cpu->seg[seg].base + offset;

	ref->host = NULL;
	TRY(segment_check(cpu, in, seg, offset, size, mode));
	if (unlikely(misaligned(cpu, la, size)))
		return raise_error(cpu, in, VEC_AC, 0);
	return open_linear(cpu, in, la, size, mode, cpu->cpl == 3, ref);
}

enum exec open_stack(struct cpu *cpu, const struct insn *in, uint32_t esp, int32_t delta, unsigned size, enum open_mode mode, struct ref *ref)
{
	uint32_t offset = esp + (uint32_t)delta;

	return open_mem(cpu, in, SEG_SS, stack32(cpu) ? offset : offset & 0xffff, size, mode, ref);
}

/* --- moving the bytes ------------------------------------------------------------------------------------------ */

static uint32_t get_piece(struct cpu *cpu, const struct ref *ref, unsigned n, unsigned size)
{
	uint32_t v = 0;

	if (!ref->piece[n].host)
		return phys_read(cpu->mmu->phys, ref->piece[n].pa, size);
	memcpy(&v, ref->piece[n].host, size);
	return v;
}

static void set_piece(struct cpu *cpu, const struct ref *ref, unsigned n, unsigned size, uint32_t value)
{
	if (ref->piece[n].host)
		memcpy(ref->piece[n].host, &value, size);
	else
		phys_write(cpu->mmu->phys, ref->piece[n].pa, size, value);
}

uint32_t ref_get_slow(struct cpu *cpu, const struct ref *ref)
{
	uint32_t v = get_piece(cpu, ref, 0, ref->first);

	if (ref->first < ref->size)
		v |= get_piece(cpu, ref, 1, ref->size - ref->first) << 8 * ref->first;
	return v;
}

void ref_set_slow(struct cpu *cpu, const struct ref *ref, uint32_t value)
{
	set_piece(cpu, ref, 0, ref->first, value);
	if (ref->first < ref->size)
		set_piece(cpu, ref, 1, ref->size - ref->first, value >> 8 * ref->first);
}

/* In steps of at most 4 bytes, which is what a device takes at a time. */
void ref_load_slow(struct cpu *cpu, const struct ref *ref, void *to)
{
	uint8_t *byte = to;

	for (unsigned n = 0, done = 0; n < 2 && done < ref->size; n++) {
		unsigned size = n ? ref->size - ref->first : ref->first;
		for (unsigned i = 0, step; i < size; i += step, done += step) {
			step = size - i < 4 ? size - i : 4;
			uint32_t v = ref->piece[n].host ? 0 : phys_read(cpu->mmu->phys, ref->piece[n].pa + i, step);
			memcpy(byte + done, ref->piece[n].host ? (void *)(ref->piece[n].host + i) : &v, step);
		}
	}
}

void ref_store_slow(struct cpu *cpu, const struct ref *ref, const void *from)
{
	const uint8_t *byte = from;

	for (unsigned n = 0, done = 0; n < 2 && done < ref->size; n++) {
		unsigned size = n ? ref->size - ref->first : ref->first;
		for (unsigned i = 0, step; i < size; i += step, done += step) {
			uint32_t v = 0;
			step = size - i < 4 ? size - i : 4;
			memcpy(&v, byte + done, step);
			if (ref->piece[n].host)
				memcpy(ref->piece[n].host + i, &v, step);
			else
				phys_write(cpu->mmu->phys, ref->piece[n].pa + i, step, v);
		}
	}
}
