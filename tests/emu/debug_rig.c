/* tests/emu/debug_rig.c: see debug_rig.h. */
#include "debug_rig.h"

#include <stdlib.h>
#include <string.h>

#include "emu/hash.h"

static char err[ERROR_LINE];

void rig_put32(struct rig *r, paddr_t pa, uint32_t value) { phys_write(&r->m->phys, pa, 4, value); }
uint32_t rig_get32(struct rig *r, paddr_t pa) { return phys_read(&r->m->phys, pa, 4); }
void rig_code(struct rig *r, uint32_t at, const uint8_t *bytes, size_t n) { phys_copy_in(&r->m->phys, at, bytes, n); }

void rig_descriptor(struct rig *r, uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	uint32_t at = RIG_GDT + (selector & 0xfff8u);

	rig_put32(r, at, (limit & 0xffff) | base << 16);
	rig_put32(r, at + 4, (base >> 16 & 0xff) | (uint32_t)access << 8 | (limit & 0xf0000) | (uint32_t)flags << 20 | (base & 0xff000000));
}

void rig_gate(struct rig *r, unsigned vector, uint16_t selector, uint32_t offset, uint8_t access)
{
	rig_put32(r, RIG_IDT + 8 * vector, (offset & 0xffff) | (uint32_t)selector << 16);
	rig_put32(r, RIG_IDT + 8 * vector + 4, (offset & 0xffff0000) | (uint32_t)access << 8);
}

void rig_page(struct rig *r, uint32_t la, uint32_t pte) { rig_put32(r, RIG_TABLE + 4 * (la >> 12), pte); }

void rig_pae_page(struct rig *r, uint32_t la, uint64_t pte)
{
	rig_put32(r, RIG_PAE_TABLE + 8 * (la >> 12), (uint32_t)pte);
	rig_put32(r, RIG_PAE_TABLE + 8 * (la >> 12) + 4, (uint32_t)(pte >> 32));
}

static void fill_tables(struct rig *r)
{
	rig_descriptor(r, RIG_CS0, 0, 0xfffff, 0x9b, 12);
	rig_descriptor(r, RIG_DS0, 0, 0xfffff, 0x93, 12);
	rig_descriptor(r, RIG_CS3, 0, 0xfffff, 0xfb, 12);
	rig_descriptor(r, RIG_DS3, 0, 0xfffff, 0xf3, 12);
	rig_descriptor(r, RIG_TR, RIG_TSS, 0x67, 0x8b, 0);
	rig_descriptor(r, RIG_TR2, RIG_TSS2, 0x67, 0x89, 0);
	rig_put32(r, RIG_TSS + 4, RIG_STACK0);
	rig_put32(r, RIG_TSS + 8, RIG_DS0);
	for (unsigned v = 0; v < 256; v++) {
		rig_gate(r, v, RIG_CS0, RIG_HANDLERS + 16 * v, 0x8e);
		rig_put32(r, RIG_HANDLERS + 16 * v, 0xfeeb);
	}
	rig_put32(r, RIG_DIRECTORY, RIG_TABLE | OPEN);
	for (uint32_t la = 0; la < RIG_FREE; la += PAGE_SIZE)
		rig_page(r, la, la | OPEN);
	rig_put32(r, RIG_POINTERS, RIG_PAE_DIRECTORY | PG_P);
	rig_put32(r, RIG_PAE_DIRECTORY, RIG_PAE_TABLE | OPEN);
	for (uint32_t la = 0; la < RIG_FREE; la += PAGE_SIZE)
		rig_pae_page(r, la, la | OPEN);
}

static void set_processor(struct rig *r, unsigned cpl)
{
	struct cpu *cpu = &r->m->cpu;

	cpu->gdtr = (struct table_register){ RIG_GDT, 0x37 };
	cpu->idtr = (struct table_register){ RIG_IDT, 0x7ff };
	cpu_set_eflags(cpu, F_ONE);
	cpu_set_cr3(cpu, RIG_DIRECTORY);
	cpu_set_cr0(cpu, CR0_PE | CR0_PG | CR0_WP | CR0_ET | CR0_NE);
	cpu_set_cpl(cpu, (uint8_t)cpl);
	for (unsigned s = 0; s <= SEG_GS; s++)
		cpu_set_segment(cpu, s, s == SEG_CS ? cpl ? RIG_CS3 : RIG_CS0 : cpl ? RIG_DS3 : RIG_DS0, 0, 0xffffffff,
				(uint8_t)((s == SEG_CS ? 0x9b : 0x93) | cpl << 5), 12);
	cpu->seg[SEG_TR] = (struct segment){ .selector = RIG_TR, .access = 0x8b, .base = RIG_TSS, .limit = 0x67 };
	cpu->eip = RIG_CODE;
	for (unsigned i = 0; i < 8; i++)
		cpu->r[i] = 0x11111111u * (i + 1);
	cpu->r[R_ESP] = cpl ? RIG_STACK3 : RIG_STACK0;
}

void rig_open(struct rig *r, unsigned cpl)
{
	rig_open_with(r, cpl, (struct tlb_geometry){ 0, 0 });
}

void rig_open_with(struct rig *r, unsigned cpl, struct tlb_geometry tlb)
{
	struct machine_config config = { .memory = 4u << 20, .tlb = tlb };

	memset(r, 0, sizeof(*r));
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
	fill_tables(r);
	set_processor(r, cpl);
}

void rig_pae(struct rig *r, bool nxe)
{
	struct cpu *cpu = &r->m->cpu;

	cpu_set_cr0(cpu, cpu->cr0 & ~CR0_PG);
	cpu_set_cr4(cpu, CR4_PAE);
	cpu->efer = nxe ? EFER_NXE : 0;
	cpu_set_cr3(cpu, RIG_POINTERS);
	cpu_set_cr0(cpu, cpu->cr0 | CR0_PG);
	if (nxe) {
		struct paging pg = r->m->mmu.pg;
		pg.nxe = true;
		mmu_set_paging(&r->m->mmu, &pg);
	}
}

void rig_v86(struct rig *r)
{
	struct cpu *cpu = &r->m->cpu;

	cpu_set_eflags(cpu, F_ONE | F_VM | F_IF);
	cpu_set_cpl(cpu, 3);
	for (unsigned s = 0; s <= SEG_GS; s++) {
		uint16_t selector = s == SEG_CS ? RIG_CODE >> 4 : s == SEG_SS ? 0x3000 : (uint16_t)(0x100 * (s + 1));
		cpu_set_segment(cpu, s, selector, (uint32_t)selector << 4, 0xffff, 0xf3, 0);
	}
	cpu->eip = 0;
	cpu->r[R_ESP] = 0x3f00;
}

void rig_go(struct rig *r)
{
	r->h = history_create(r->m, HISTORY_DEFAULT_LIMIT, err);
	ck_assert_msg(r->h, "%s", err);
	ck_assert_msg(!debugger_init(&r->d, r->m, r->h, err), "%s", err);
}

void rig_close(struct rig *r)
{
	text_free(&r->text);
	debugger_free(&r->d);
	history_free(r->h);
	machine_free(r->m);
}

static void add_entry(void *ctx, const struct tlb_entry *e)
{
	hash_u64(ctx, (uint64_t)e->frame << 32 | e->vpn);
	hash_u64(ctx, e->flags);
	hash_u64(ctx, e->leaf);
}

uint64_t rig_state(struct rig *r)
{
	struct hash h;

	hash_init(&h);
	hash_u64(&h, machine_hash(r->m));
	mmu_tlb_each(&r->m->mmu, add_entry, &h);
	/* Not hits: without a modelled geometry not all of them are counted. */
	hash_u64(&h, r->m->mmu.stats.misses);
	hash_u64(&h, r->m->mmu.stats.walks);
	hash_u64(&h, r->m->mmu.stats.flushes);
	return hash_result(&h);
}

/* --- stories --------------------------------------------------------------------------------------------------------- */

static void write_story(struct rig *r, const char *path)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text_plain(&r->text), f);
	ck_assert_int_eq(fclose(f), 0);
}

void rig_expect(struct rig *r, const char *name)
{
	char path[256], story[32768];
	const char *got = text_plain(&r->text);

	snprintf(path, sizeof(path), STORIES "/%s.txt", name);
	if (getenv("STORIES_WRITE")) {
		write_story(r, path);
		return;
	}
	FILE *f = fopen(path, "r");
	ck_assert_msg(f, "no story %s", path);
	size_t n = fread(story, 1, sizeof(story) - 1, f);
	fclose(f);
	story[n] = '\0';
	size_t same = 0;
	while (got[same] && got[same] == story[same])
		same++;
	while (same && got[same - 1] != '\n')
		same--;
	ck_assert_msg(!strcmp(got, story), "%s: got: %.400s\nexpected: %.400s", name, got + same, story + same);
}
