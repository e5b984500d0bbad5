/* tests/cpu/restart_test.c: faults leave no trace, for every instruction form, at every page it touches.
 *
 * Each form runs once in a world where nothing faults: that run is the reference, with a snapshot after each iteration.
 * Then for each page of the world, made not present, read-only or supervisor-only: the form runs again; if it faults, the
 * whole state must be that of the snapshot it had reached (for anything but REP: the state before it began), CR2 and the error
 * code must name the page and the reason; the page is repaired, the instruction resumed, and the end compared with the
 * reference. A second pass does the repair from the guest's own #PF handler, a third starts with every page missing.
 *
 * All of that once with 32-bit page tables; and, in two placements of the code, with PAE tables, where each page is also made
 * no-execute, and PF_I must say which faults were fetches.
 *
 * And with each physical page watched, as a debugger does: the end is the same; a page whose Accessed bit is set is one that was told
 * of, one whose Dirty bit is set one whose write was; and a watcher who stops the run at an access in the middle of a block stops it
 * right behind the instruction.
 *
 * Not compared: Accessed and Dirty bits of page tables, and CR2 [SDM3A 4.8, 6.15 "Interrupt 14"].
 */
#include "forms.h"
#include "world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 8
#define MAX_DIRTY 20
#define HANDLER_LENGTH 3               /* the delivery counts as one, then ADD ESP, 4 and IRET */

struct snapshot {
	struct cpu cpu;
	unsigned pages;
	uint8_t page[MAX_DIRTY];
	uint8_t data[MAX_DIRTY][4096];
	unsigned ports;
	uint32_t port_log[PORT_LOG];
};

enum kind { ABSENT, READ_ONLY, SUPERVISOR, NO_EXECUTE, KINDS };
static const char *const kind_name[] = { "not present", "read-only", "supervisor-only", "no-execute" };

struct placement { uint32_t code, data1, data2, esp, ebp; const char *name; };

enum variant_class { PLAIN, STRING, SELECTOR, FAR, RETURN, INTERRUPT };

struct proof {
	struct world *w;
	enum world_mode mode;
	const struct form *form;
	struct placement at;
	enum variant_class class;
	unsigned variant;

	unsigned steps;                        /* of the reference run */
	struct snapshot before, after[MAX_STEPS];
	uint32_t touched[WORLD_PAGES];         /* page-table entries' A and D after the reference */

	bool faulted;                          /* set by the exception watcher */
	struct fault fault;
	unsigned missing;                      /* page taken away */
	bool deliver;                          /* let the guest's handler have it */
	unsigned deliveries;

	bool told_read[WORLD_PAGES], told_write[WORLD_PAGES];          /* by phys.accessed */
	bool stop_at_access;

	unsigned long runs, faults, stops, failures;
	bool quick;                            /* only the first placement: for sanitizer builds */
};

/* --- what an instruction finds in registers, operands and on the stack ------------------------------------------- */

static const uint16_t selector_variants[] = { UDATA_FRESH, UDATA, KDATA_FRESH, KDATA, LDT_DATA, UCODE_FRESH, SEL_LDT, SEL_TSS_OTHER, SEL_ABSENT, 0 };
static const uint16_t far_variants[] = { UCODE_FRESH, UCODE32, KCODE_FRESH, KCODE32, SEL_CONFORMING, SEL_GATE32 | 3, SEL_GATE16 | 3, SEL_TASK_GATE | 3, SEL_TSS_OTHER | 3, SEL_TSS_16 | 3, 0 };
static const uint8_t vector_variants[] = { VEC_GATE32, VEC_TRAP16, VEC_TASK, VEC_CONFORMING, VEC_BP, 0x40 };
enum { RETURN_SAME, RETURN_OUTER, RETURN_V86, RETURN_TASK, RETURN_VARIANTS };

static enum variant_class class_of(const struct insn_row *row)
{
	uint8_t op = row->opcode;

	if (row->map == 1 && (op == 0x9a || op == 0xea || (op == 0xff && (row->ext == 3 || row->ext == 5))))
		return FAR;
	if (row->map == 1 && (op == 0xca || op == 0xcb || op == 0xcf))
		return RETURN;
	if (row->map == 1 && (op == 0xcc || op == 0xcd || op == 0xce || op == 0xf1))
		return INTERRUPT;
	if (row->map == 1 && (op == 0x8e || op == 0x07 || op == 0x17 || op == 0x1f || op == 0xc4 || op == 0xc5))
		return SELECTOR;
	if (row->map == 2 && (op == 0x00 || op == 0x02 || op == 0x03 || op == 0xa1 || op == 0xa9 || op == 0xb2 || op == 0xb4 || op == 0xb5))
		return SELECTOR;
	return row->props & IP_STRING ? STRING : PLAIN;
}

static unsigned variants_of(enum variant_class class)
{
	switch (class) {
	case PLAIN: return 1;
	case STRING: return 2;
	case SELECTOR: return sizeof selector_variants / sizeof selector_variants[0];
	case FAR: return sizeof far_variants / sizeof far_variants[0];
	case RETURN: return RETURN_VARIANTS;
	case INTERRUPT: return sizeof vector_variants;
	}
	return 0;
}

static uint16_t variant_selector(const struct proof *p)
{
	if (p->mode == V86)
		return p->variant ? 0x20 : 0;
	return p->class == FAR ? far_variants[p->variant] : p->class == SELECTOR ? selector_variants[p->variant] : 0;
}

static uint32_t put_slot(struct proof *p, uint32_t at, uint32_t value)
{
	world_put(p->w, at, &value, p->form->opsize);
	return at + p->form->opsize;
}

/* The frame IRET or RETF finds; [SDM1 6.4.5 "Calls to Other Privilege Levels"]. */
static void put_return_frame(struct proof *p)
{
	bool user = p->mode == RING3_32 || p->mode == RING3_16, retf = p->form->row->opcode != 0xcf;
	uint16_t same = p->mode == V86 ? 0 : user ? UCODE32 : KCODE32;
	uint32_t at = p->at.esp, flags = F_ONE | F_IF | (p->variant == RETURN_V86 ? F_VM : 0);
	uint16_t cs = p->variant == RETURN_OUTER ? UCODE_FRESH : p->variant == RETURN_V86 ? 0 : same;

	at = put_slot(p, at, TARGET);
	at = put_slot(p, at, cs);
	if (!retf)
		at = put_slot(p, at, flags);
	else if (p->form->row->opcode == 0xca)
		at += 0x22;
	if (p->variant == RETURN_SAME)
		return;
	at = put_slot(p, at, STACK - 0x700);
	at = put_slot(p, at, p->variant == RETURN_V86 ? 0 : UDATA_FRESH);
	for (unsigned i = 0; i < 4 && p->variant == RETURN_V86; i++)
		at = put_slot(p, at, 0x10 * i);
	if (p->variant == RETURN_TASK) {
		static const uint8_t busy = 0xeb;
		static const uint16_t link = SEL_TSS_OTHER;

		world_put(p->w, GDT + SEL_TSS_OTHER + 5, &busy, 1);
		world_put(p->w, TSS_CURRENT, &link, 2);
		p->w->cpu.eflags |= F_NT;
	}
}

static void put_stack(struct proof *p)
{
	uint32_t at = p->at.esp;

	for (unsigned i = 0; i < 12; i++)
		at = put_slot(p, at, TARGET);
	if (p->class == SELECTOR)
		put_slot(p, p->at.esp, variant_selector(p));
	if (p->class == RETURN)
		put_return_frame(p);
	put_slot(p, p->at.ebp, FRAME - 0x100);
}

static void put_operands(struct proof *p)
{
	uint32_t words[3] = { TARGET, 0x11, 0x22334455 };
	uint16_t selector = variant_selector(p);

	if (p->form->row->map == 1 && p->form->row->opcode == 0x62) {          /* BOUND: a lower and an upper limit */
		words[0] = p->form->opsize == 2 ? 0x7fff0000 : 0;
		words[1] = 0x7fffffff;
	}
	world_put(p->w, p->at.data1, words, sizeof words);
	if (row_has_operand(p->form->row, OPD_Mp))
		world_put(p->w, p->at.data1 + p->form->opsize, &selector, 2);
	else if (p->class == SELECTOR)
		world_put(p->w, p->at.data1, &selector, 2);
}

/* The form's bytes with this placement's address and this variant's selector or vector in them. */
static void put_code(struct proof *p)
{
	struct form f = *p->form;
	struct form_values v = { .address = p->at.data1, .immediate = 0x22, .selector = variant_selector(p), .far_offset = TARGET };

	if (p->class == INTERRUPT)
		v.immediate = vector_variants[p->variant];
	form_encode(&f, &v);
	world_put(p->w, p->at.code, f.bytes, f.len);
}

static void put_registers(struct proof *p)
{
	uint32_t *r = p->w->cpu.r;
	bool modrm = row_has_modrm(p->form->row);

	r[R_EAX] = 0x111;
	r[R_ECX] = p->form->rep ? 3 : p->class == SELECTOR ? variant_selector(p) : TARGET;
	r[R_EDX] = 0x17;
	r[R_ESI] = p->at.data1;
	r[R_EDI] = p->at.data2;
	r[R_ESP] = p->at.esp;
	r[R_EBP] = p->at.ebp;
	if (!modrm)
		r[R_EBX] = p->at.data1 - 0x11;                         /* XLAT */
	else if (p->form->addrsize == 4)
		r[R_EBX] = p->at.data1 - 2 * r[R_ESI] - FORM_DISP8;
	else
		r[R_EBX] = (p->at.data1 - r[R_ESI] - FORM_DISP8) & 0xffff;
	p->w->cpu.eip = p->at.code;
	if (p->class == STRING && p->variant)
		p->w->cpu.eflags |= F_DF;
	if (p->class == INTERRUPT && p->form->row->opcode == 0xce)
		cpu_set_eflags(&p->w->cpu, cpu_eflags(&p->w->cpu) | F_OF);
}

static bool on_exception(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	struct proof *p = owner;

	(void)cpu;
	if (r->fault.vector != VEC_PF)
		return false;
	p->faulted = true;
	p->fault = r->fault;
	return !p->deliver;
}

static void on_delivered(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	struct proof *p = owner;

	(void)cpu;
	if (r->fault.vector != VEC_PF || r->external)
		return;
	p->deliveries++;
	world_map(p->w, p->missing, world_flags(p->missing));
}

static void set_up(struct proof *p)
{
	world_reset(p->w, p->mode);
	put_operands(p);
	put_stack(p);
	put_registers(p);
	put_code(p);
	p->w->cpu.watch = (struct cpu_watch){ .exception = on_exception, .delivered = on_delivered, .owner = p };
	p->faulted = false;
	p->deliver = false;
	p->deliveries = 0;
}

/* --- snapshots ----------------------------------------------------------------------------------------------------- */

static bool compared_page(unsigned page)
{
	return page != DIRECTORY >> 12 && page != TABLE >> 12;
}

static void take(struct proof *p, struct snapshot *s)
{
	s->cpu = p->w->cpu;
	s->pages = 0;
	for (unsigned page = 0; page < WORLD_PAGES; page++) {
		if (!world_page_dirty(p->w, page) || !compared_page(page))
			continue;
		ck_assert_uint_lt(s->pages, MAX_DIRTY);
		s->page[s->pages] = (uint8_t)page;
		memcpy(s->data[s->pages++], world_ram(p->w, page << 12), 4096);
	}
	s->ports = p->w->port_count;
	memcpy(s->port_log, p->w->port_log, sizeof s->port_log);
}

static const uint8_t *page_in(const struct proof *p, const struct snapshot *s, unsigned page)
{
	for (unsigned i = 0; i < s->pages; i++)
		if (s->page[i] == page)
			return s->data[i];
	return &p->w->pristine[page << 12];
}

/* Where a task switch saves EFLAGS.RF of the old task: set in an instruction that IRET has resumed. */
#define SAVED_RF (TSS_CURRENT + 0x26)

/* NULL when the world is as in the snapshot; else what differs first. after_handler: the guest's own handler has used the
 * ring-0 stack, and resumed with RF set. */
static const char *differs(const struct proof *p, const struct snapshot *s, bool after_handler, char *buf, size_t size)
{
	static _Thread_local struct cpu now, then;
	const char *field;

	now = p->w->cpu;
	then = s->cpu;
	now.cr2 = then.cr2;
	field = cpu_compare(&then, &now);
	if (field) {
		snprintf(buf, size, "%s", field);
		return buf;
	}
	if (s->ports != p->w->port_count || memcmp(s->port_log, p->w->port_log, sizeof s->port_log))
		return "port accesses";
	for (unsigned page = 0; page < WORLD_PAGES; page++) {
		bool in_snapshot = page_in(p, s, page) != &p->w->pristine[page << 12];

		if (!compared_page(page) || (!in_snapshot && !world_page_dirty(p->w, page)) || (after_handler && (page == 0x1b || page == 0x1c)))
			continue;
		const uint8_t *want = page_in(p, s, page), *got = world_ram(p->w, page << 12);
		for (unsigned i = 0; memcmp(want, got, 4096) && i < 4096; i++) {
			if (want[i] != got[i] && !(after_handler && (page << 12 | i) == SAVED_RF && (want[i] ^ got[i]) == 1)) {
				snprintf(buf, size, "byte at %#x: %02x, expected %02x", page << 12 | i, got[i], want[i]);
				return buf;
			}
		}
	}
	return NULL;
}

/* --- the proof ------------------------------------------------------------------------------------------------------ */

static void complain(struct proof *p, const char *what, unsigned page, enum kind kind)
{
	char text[256];

	if (p->failures++ >= 25)
		return;
	form_describe(p->form, text, sizeof text);
	printf("%s\n    in %s, %s, variant %u, page %#x %s (CR2 %#x, error code %#x): %s\n", text, world_mode_name[p->mode], p->at.name,
	       p->variant, page << 12, kind_name[kind], p->fault.cr2, p->fault.error, what);
}

/* One instruction, or one iteration; false when a page fault stopped it. */
static bool step(struct proof *p)
{
	p->faulted = false;
	cpu_run(&p->w->cpu, 1);
	return !p->faulted || p->deliver;
}

static bool reference(struct proof *p)
{
	uint32_t start;

	set_up(p);
	take(p, &p->before);
	start = p->w->cpu.eip;
	for (p->steps = 0; p->steps < MAX_STEPS; ) {
		if (!step(p)) {
			complain(p, "faults although every page is there", p->fault.cr2 >> 12, ABSENT);
			return false;
		}
		take(p, &p->after[p->steps++]);
		if (!p->form->rep || p->w->cpu.eip != start)
			break;
	}
	for (unsigned page = 0; page < WORLD_PAGES; page++)
		p->touched[page] = world_entry(p->w, page) & (PG_A | PG_D);
	return true;
}

static const struct snapshot *reached(const struct proof *p)
{
	uint64_t done = cpu_icount(&p->w->cpu) - p->before.cpu.icount;

	return done == 0 ? &p->before : done <= p->steps ? &p->after[done - 1] : NULL;
}

static bool finished(const struct proof *p, unsigned extra)
{
	return cpu_icount(&p->w->cpu) - p->before.cpu.icount >= p->steps + extra;
}

/* Whether bytes of the instruction lie in the page. */
static bool fetched(const struct proof *p, unsigned page)
{
	return page == p->at.code >> 12 || page == (p->at.code + p->form->len - 1) >> 12;
}

static void check_error_code(struct proof *p, unsigned page, enum kind kind)
{
	uint32_t code = p->fault.error;
	bool user = p->mode >= RING3_32 && page >= 2 && page < 0x10;

	if (p->fault.cr2 >> 12 != page)
		complain(p, "CR2 names another page", page, kind);
	if (!(code & PF_P) != (kind == ABSENT))
		complain(p, "error code: P is wrong", page, kind);
	if (kind == READ_ONLY && !(code & PF_W))
		complain(p, "error code: only a write faults on a read-only page", page, kind);
	if (p->class != FAR && !(code & PF_U) != !user)
		complain(p, "error code: U is wrong", page, kind);
	if (!(code & PF_I) != !(p->w->pae && fetched(p, page)))
		complain(p, "error code: I is wrong", page, kind);
	if (code & ~(PF_P | PF_W | PF_U | PF_I))
		complain(p, "error code: other bits are set", page, kind);
}

static uint64_t flags_with(unsigned page, enum kind kind)
{
	uint32_t flags = world_flags(page);
	const uint64_t with[KINDS] = { 0, flags & ~PG_W, flags & ~PG_U, flags | PG_NX };

	return with[kind];
}

/* Takes the page away, runs, compares, repairs, resumes, compares. Returns true if it faulted. */
static bool fault_and_resume(struct proof *p, unsigned page, enum kind kind)
{
	char buf[128];
	const char *difference;
	bool did_fault = false;

	p->runs++;
	set_up(p);
	world_map(p->w, page, flags_with(page, kind));
	while (!finished(p, 0)) {
		if (step(p))
			continue;
		if (did_fault) {
			complain(p, "faults again after the repair", page, kind);
			return true;
		}
		did_fault = true;
		p->faults++;
		check_error_code(p, page, kind);
		difference = reached(p) ? differs(p, reached(p), false, buf, sizeof buf) : "more instructions than the reference";
		if (difference) {
			complain(p, difference, page, kind);
			return true;
		}
		world_map(p->w, page, world_flags(page));
	}
	difference = differs(p, &p->after[p->steps - 1], false, buf, sizeof buf);
	if (difference) {
		printf("after %s:\n", did_fault ? "the resumption" : "a run without a fault");
		complain(p, difference, page, kind);
	}
	return did_fault;
}

/* The same, but the fault goes through the IDT and the guest's handler, and IRET resumes. */
static void fault_through_handler(struct proof *p, unsigned page)
{
	char buf[128];
	const char *difference;

	p->runs++;
	set_up(p);
	p->deliver = true;
	p->missing = page;
	world_map(p->w, page, 0);
	for (unsigned i = 0; i < 2 * MAX_STEPS && !finished(p, HANDLER_LENGTH * p->deliveries); i++)
		step(p);
	p->w->cpu.icount -= HANDLER_LENGTH * p->deliveries;
	difference = differs(p, &p->after[p->steps - 1], true, buf, sizeof buf);
	if (difference) {
		printf("after the guest's own handler:\n");
		complain(p, difference, page, ABSENT);
	}
}

static void everything_missing(struct proof *p)
{
	char buf[128];
	const char *difference;
	unsigned faults = 0;

	p->runs++;
	set_up(p);
	for (unsigned page = 1; page < WORLD_PAGES - 2; page++)
		world_map(p->w, page, 0);
	while (!finished(p, 0)) {
		if (step(p))
			continue;
		if (++faults > 60) {
			complain(p, "does not get anywhere with all pages missing at first", p->fault.cr2 >> 12, ABSENT);
			return;
		}
		difference = reached(p) ? differs(p, reached(p), false, buf, sizeof buf) : "more instructions than the reference";
		if (difference) {
			printf("with every page missing at first:\n");
			complain(p, difference, p->fault.cr2 >> 12, ABSENT);
			return;
		}
		world_map(p->w, p->fault.cr2 >> 12, world_flags(p->fault.cr2 >> 12));
	}
	difference = differs(p, &p->after[p->steps - 1], false, buf, sizeof buf);
	if (difference) {
		printf("after every page was missing at first:\n");
		complain(p, difference, 0, ABSENT);
	}
}

/* --- watched ------------------------------------------------------------------------------------------------------- */

static void on_access(void *owner, const struct phys_access *a)
{
	struct proof *p = owner;
	unsigned page = (unsigned)(a->pa >> 12);

	if (a->by == BY_DMA || page >= WORLD_PAGES)            /* the test itself fills memory */
		return;
	(a->write ? p->told_write : p->told_read)[page] = true;
	if (p->stop_at_access)
		cpu_request_stop(&p->w->cpu);
}

static void watch_pages(struct proof *p, bool on)
{
	p->w->phys.accessed = on ? on_access : NULL;
	p->w->phys.accessed_owner = p;
	memset(p->told_read, 0, sizeof p->told_read);
	memset(p->told_write, 0, sizeof p->told_write);
	for (unsigned page = 0; page < WORLD_PAGES; page++)
		if (compared_page(page))
			ck_assert_int_eq(phys_watch(&p->w->phys, page, on), 0);
}

static bool fetched(const struct proof *p, unsigned page);

/* CLFLUSH checks as a read does, but reads nothing. */
static bool only_checks(const struct insn_row *row) { return row->map == 2 && row->opcode == 0xae && row->ext == 7; }

/* What checks more than it moves: ENTER ends by checking that the stack could be written where ESP will point [SDM2A] "ENTER"; masked stores
 * check the whole operand and store the selected bytes [SDM2B] "MASKMOVQ". A page that such a one has only checked need not be told. */
static bool checks_beyond(const struct insn_row *row)
{
	return (row->map == 1 && row->opcode == 0xc8) || (row->map == 2 && row->opcode == 0xf7);
}

static bool anything_told(const struct proof *p)
{
	for (unsigned page = 0; page < WORLD_PAGES; page++)
		if (p->told_read[page] || p->told_write[page])
			return true;
	return false;
}

/* Told of each page that the reference has used. */
static void check_told(struct proof *p)
{
	for (unsigned page = 1; page < WORLD_PAGES - 2; page++) {
		bool told = p->told_read[page] || p->told_write[page];
		bool checked = only_checks(p->form->row) || (checks_beyond(p->form->row) && !told);
		if (told != !!(p->touched[page] & PG_A) && !fetched(p, page) && !checked)
			complain(p, told ? "told of a page that was not accessed" : "an access was not told", page, ABSENT);
		if (p->told_write[page] && !(p->touched[page] & PG_D))
			complain(p, "told of a write to a page that is not dirty", page, ABSENT);
		if (world_page_dirty(p->w, page) && memcmp(world_ram(p->w, page << 12), page_in(p, &p->before, page), 4096) && !p->told_write[page])
			complain(p, "a write was not told", page, ABSENT);
	}
}

/* False: there was nothing to tell. */
static bool watched_run(struct proof *p)
{
	char buf[128];
	const char *difference;

	p->runs++;
	set_up(p);
	watch_pages(p, true);
	for (unsigned i = 0; i < p->steps; i++)
		step(p);
	difference = differs(p, &p->after[p->steps - 1], false, buf, sizeof buf);
	if (difference) {
		printf("with every page watched:\n");
		complain(p, difference, 0, ABSENT);
	}
	check_told(p);
	bool told = anything_told(p);
	watch_pages(p, false);
	return told;
}

#define NOPS 2

/* The instruction stands in the middle of a block, and the run ends with it. */
static void stopped_run(struct proof *p)
{
	char buf[128];
	const char *difference;
	uint64_t start;

	p->runs++;
	p->stops++;
	set_up(p);
	watch_pages(p, true);
	p->stop_at_access = true;
	p->w->cpu.eip -= NOPS;
	start = p->w->cpu.icount;
	enum cpu_stop why = cpu_run(&p->w->cpu, 100);
	p->w->cpu.icount -= NOPS;
	difference = why != CPU_STOP_REQUEST ? "no stop" : p->w->cpu.icount != start + 1 ? "the count" :
		     differs(p, &p->after[0], false, buf, sizeof buf);
	if (difference) {
		printf("stopped at an access:\n");
		complain(p, difference, 0, ABSENT);
	}
	p->stop_at_access = false;
	watch_pages(p, false);
}

/* all: try every page, also those the reference did not mark accessed. */
static void prove(struct proof *p, bool all)
{
	if (!reference(p))
		return;
	for (unsigned page = 1; page < WORLD_PAGES - 2; page++) {
		if (!all && !p->touched[page])
			continue;
		bool user = page >= 2 && page < 0x10;
		bool faulted = fault_and_resume(p, page, ABSENT);

		if (faulted != !!p->touched[page])
			complain(p, faulted ? "faults on a page whose A bit stays clear" : "sets A of a page it does not need", page, ABSENT);
		if (!faulted)
			continue;
		bool write_faulted = fault_and_resume(p, page, READ_ONLY);
		if (write_faulted != !!(p->touched[page] & PG_D))
			complain(p, "a read-only page faults exactly when D would be set", page, READ_ONLY);
		if (user && p->mode >= RING3_32)
			fault_and_resume(p, page, SUPERVISOR);
		if (p->w->pae && fault_and_resume(p, page, NO_EXECUTE) != fetched(p, page))
			complain(p, "a no-execute page faults exactly when it is fetched from", page, NO_EXECUTE);
		if (user && p->mode == RING3_32 && p->form->row->opcode != 0xcf)
			fault_through_handler(p, page);
	}
	everything_missing(p);
	if (watched_run(p))
		stopped_run(p);
}

static const struct placement middle = { CODE - 0x800, DATA1 - 0x800, DATA2 - 0x800, STACK - 0x800, FRAME - 0x800, "mid-page" };

static void prove_placements(struct proof *p)
{
	static const uint16_t operand_splits[] = { 1, 2, 3, 5, 7, 0 }, wide_splits[] = { 1, 4, 7, 9, 15, 27, 93, 300, 0 };
	static const uint8_t stack_splits[] = { 1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 28, 30 };
	const struct insn_row *row = p->form->row;
	unsigned code_splits = p->quick ? 0 : p->w->pae ? 1 : INSN_MAX;

	p->at = middle;
	prove(p, !p->w->pae);
	for (unsigned k = 1; k < p->form->len && k <= code_splits; k++) {
		p->at = middle;
		p->at.code = CODE - k;
		p->at.name = "code across a page";
		prove(p, false);
	}
	if (p->quick || p->w->pae)
		return;
	bool memory = p->form->operand >= FORM_ABSOLUTE || row->props & IP_STRING || row_has_operand(row, OPD_Ov);
	const uint16_t *split = row->props & (IP_X87 | IP_SSE) ? wide_splits : operand_splits;
	for (; memory && *split; split++) {
		p->at = middle;
		p->at.data1 = DATA1 - *split;
		p->at.data2 = DATA2 - *split;
		p->at.name = "operand across a page";
		prove(p, false);
	}
	bool stack = row->props & IP_STACK || p->class >= FAR;
	for (unsigned i = 0; stack && i < 2 * sizeof stack_splits; i++) {
		uint32_t distance = stack_splits[i / 2];

		p->at = middle;
		p->at.esp = i & 1 ? STACK - distance : STACK + distance;
		p->at.ebp = i & 1 ? FRAME - distance : FRAME + distance;
		p->at.name = i & 1 ? "stack just below a page" : "stack just above a page";
		prove(p, false);
	}
}

struct pass { struct proof *p; unsigned forms; };

static void prove_form(void *ctx, const struct form *f)
{
	struct pass *pass = ctx;
	struct proof *p = pass->p;

	pass->forms++;
	p->form = f;
	p->class = class_of(f->row);
	for (p->variant = 0; p->variant < variants_of(p->class); p->variant++)
		prove_placements(p);
}

START_TEST(a_fault_leaves_no_trace_and_the_instruction_restarts)
{
	static struct world w;
	static struct proof p;
	struct pass pass = { &p, 0 };
	struct form_values v = { .address = DATA1 - 0x800, .immediate = 0x22, .selector = 0, .far_offset = TARGET };

	bool pae = _i >= WORLD_MODES;

	p = (struct proof){ .w = &w, .mode = (enum world_mode)(_i % WORLD_MODES), .quick = getenv("RESTART_QUICK") != NULL };
	world_init(&w);
	if (pae)
		world_use_pae(&w);
	forms_each(p.mode == RING0_32 || p.mode == RING3_32, &v, prove_form, &pass);
	printf("%s%s: %u forms, %lu runs, %lu faults, %lu failures\n", world_mode_name[p.mode], pae ? ", PAE" : "", pass.forms, p.runs, p.faults, p.failures);
	world_free(&w);
	ck_assert_uint_gt(p.faults, 10000);
	ck_assert_uint_gt(p.stops, 1000);
	ck_assert_uint_eq(p.failures, 0);
}
END_TEST

/* The part of the proof a mode belongs to; restart_test runs the one it is given, or all. */
static const char *const part_of[] = { "ring0", "ring0", "ring3", "ring3", "v86" };

int main(int argc, char **argv)
{
	Suite *s = suite_create("restart");
	TCase *t = tcase_create("restart");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	for (int i = 0; i < 2 * WORLD_MODES; i++)
		if (argc < 2 || !strcmp(argv[1], part_of[i % WORLD_MODES]))
			tcase_add_loop_test(t, a_fault_leaves_no_trace_and_the_instruction_restarts, i, i + 1);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
