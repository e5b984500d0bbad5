/* emu/demo/fault_resumption.c: `emu demo fault-resumption`: a page fault, its repair, and the same instruction again.
 *
 * guest.S runs on an ordinary machine. Everything printed is taken from what that machine does: an observer hears which
 * instruction comes next, which fault is delivered and when IRET runs; the page tables are walked by the MMU's own function,
 * which changes nothing; and changes in the guest's memory are noticed by reading it again before each instruction.
 * Nothing is told because it is expected: with another program or another ESP, other things are told.
 */
#include <string.h>

#include "emu/demo/demo.h"
#include "emu/disasm.h"
#include "emu/machine.h"
#include "emu/report.h"
#include "emu/symbols.h"

#define STEP_LIMIT 200000u                 /* instructions; the whole demonstration needs about 3000 */

struct narrator {
	FILE *out;
	struct machine *m;
	struct symbols symbols;
	uint32_t free_frame_at;            /* the guest's variable next_free_frame */
	uint32_t free_frame;               /* its value when last looked at */
	unsigned user_steps, faults;
	bool in_user;                      /* the last instruction was the user program's */
	uint32_t user_esp, user_eip;       /* before it */
	uint32_t last_eip;                 /* to tell each REP instruction once */
	/* The fault being handled. */
	bool open;
	struct fault_record fault;
	paddr_t entry_at;                  /* the paging entry that stopped the walk */
	uint64_t entry;                    /* its value when last looked at */
};

static void tell_walk(const struct narrator *n, const struct walk *w)
{
	char text[1024];

	walk_describe(w, text, sizeof(text));
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		fprintf(n->out, "   walk     %s\n", line);
	}
}

static const char *access_name(enum access_kind kind)
{
	return kind == ACCESS_WRITE ? "write" : kind == ACCESS_FETCH ? "instruction fetch" : "read";
}

static uint64_t read_entry(const struct phys *phys, const struct narrator *n)
{
	return n->fault.walk.paging.pae ? phys_peek64(phys, n->entry_at) : phys_peek32(phys, n->entry_at);
}

/* --- what changed since the last instruction ------------------------------------------------------------------------- */

static void tell_memory(struct narrator *n)
{
	uint32_t frame = phys_peek32(&n->m->phys, n->free_frame_at);

	if (frame != n->free_frame) {
		fprintf(n->out, "   frame    the handler took frame 0x%08x: next_free_frame is now 0x%08x\n", n->free_frame, frame);
		n->free_frame = frame;
	}
	if (!n->open || !n->fault.walk.levels)
		return;
	uint64_t entry = read_entry(&n->m->phys, n);
	int digits = n->fault.walk.paging.pae ? 16 : 8;
	if (entry == n->entry)
		return;
	fprintf(n->out, "   %s      at 0x%08llx: 0x%0*llx -> 0x%0*llx: frame 0x%08llx, P=%d W=%d U=%d A=%d D=%d\n",
		n->fault.walk.step[n->fault.walk.levels - 1].name, (unsigned long long)n->entry_at, digits, (unsigned long long)n->entry,
		digits, (unsigned long long)entry, (unsigned long long)(entry & ~PG_NX & ~(uint64_t)PG_OFFSET),
		!!(entry & PG_P), !!(entry & PG_W), !!(entry & PG_U), !!(entry & PG_A), !!(entry & PG_D));
	n->entry = entry;
}

static void tell_last_user_step(struct narrator *n, const struct cpu *cpu)
{
	if (!n->in_user)
		return;
	n->in_user = false;
	if (cpu->eip != n->user_eip && cpu->r[R_ESP] != n->user_esp && cpu->cpl == 3)
		fprintf(n->out, "            ESP 0x%08x -> 0x%08x\n", n->user_esp, cpu->r[R_ESP]);
}

/* --- instructions ------------------------------------------------------------------------------------------------------ */

/* The user program is back at the instruction that faulted: would its access succeed now? */
static void tell_resumption(struct narrator *n, const struct cpu *cpu)
{
	struct walk w;

	if (!n->open || cpu->eip != n->fault.eip)
		return;
	page_walk(&n->m->phys, &cpu->mmu->pg, &n->fault.walk.access, &w);
	fprintf(n->out, "again       the same instruction, 0x%08x; the walk for its %s at 0x%08x now:\n", cpu->eip,
		access_name(w.access.kind), w.access.la);
	tell_walk(n, &w);
	if (w.result == WALK_OK)
		fprintf(n->out, "            it succeeds: physical address 0x%08llx\n", (unsigned long long)w.pa);
	n->open = false;
}

static void on_instruction(void *owner, struct machine *m)
{
	struct narrator *n = owner;
	const struct cpu *cpu = &m->cpu;
	struct disassembly d;
	bool again = cpu->eip == n->last_eip;

	n->last_eip = cpu->eip;
	tell_last_user_step(n, cpu);
	if (!n->user_steps) {
		n->free_frame = phys_peek32(&n->m->phys, n->free_frame_at);
		if (cpu->cpl != 3)
			return;                    /* the guest is still preparing */
	}
	tell_memory(n);
	disassemble_next(cpu, &d);
	if (cpu->cpl == 3) {
		tell_resumption(n, cpu);
		fprintf(n->out, "user        0x%08x  %-20s  ESP 0x%08x\n", cpu->eip, d.text, cpu->r[R_ESP]);
		n->user_steps++;
		n->in_user = true;
		n->user_esp = cpu->r[R_ESP];
		n->user_eip = cpu->eip;
	} else if (!again) {
		fprintf(n->out, "   handler  0x%08x  %s\n", cpu->eip, d.text);
	}
}

/* --- faults ------------------------------------------------------------------------------------------------------------ */

static bool on_exception(void *owner, struct machine *m, const struct fault_record *r)
{
	struct narrator *n = owner;
	uint32_t e = r->fault.error;

	n->in_user = false;
	if (r->external || !n->user_steps)
		return false;
	fprintf(n->out, "%s         %s (vector %u) at 0x%08x, ESP 0x%08x: the instruction has changed nothing\n",
		vector_mnemonic(r->fault.vector), vector_name(r->fault.vector), r->fault.vector, r->eip, r->esp);
	if (r->fault.vector != VEC_PF)
		return false;
	fprintf(n->out, "   access   %s at linear address 0x%08x\n", access_name(r->walk.access.kind), r->walk.access.la);
	tell_walk(n, &r->walk);
	fprintf(n->out, "   error    0x%04x: %s, by a %s, in %s mode\n", e, e & PF_P ? "protection violation" : "page not present",
		e & PF_W ? "write" : e & PF_I ? "fetch" : "read", e & PF_U ? "user" : "supervisor");
	n->faults++;
	n->open = true;
	n->fault = *r;
	if (r->walk.levels) {
		n->entry_at = r->walk.step[r->walk.levels - 1].addr;
		n->entry = read_entry(&m->phys, n);
	}
	return false;
}

/* From a lower privilege the processor pushes SS, ESP, EFLAGS, CS, EIP and the error code:
 * [SDM3A 6.12.1 "Exception- or Interrupt-Handler Procedures"]. */
static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	static const char *const names[] = { "error code", "EIP", "CS", "EFLAGS", "ESP", "SS" };
	struct narrator *n = owner;
	const struct cpu *cpu = &m->cpu;
	char symbol[128];
	uint32_t word;

	if (!n->user_steps || !n->open)
		return;
	fprintf(n->out, "   CR2      0x%08x\n", cpu->cr2);
	fprintf(n->out, "   enter    %s at 0x%08x, CPL %u, on the stack at 0x%08x:\n",
		symbols_name(&n->symbols, cpu->eip, symbol, sizeof(symbol)), cpu->eip, cpu->cpl, cpu->r[R_ESP]);
	for (unsigned i = r->fault.has_error ? 0 : 1, at = 0; i < 6; i++, at += 4)
		if (peek_linear(cpu, cpu->seg[SEG_SS].base + cpu->r[R_ESP] + at, &word, 4) == 4)
			fprintf(n->out, "            [ESP+%-2u] %-10s 0x%08x\n", at, names[i], word);
}

static void on_iret(void *owner, struct machine *m)
{
	struct narrator *n = owner;
	const struct cpu *cpu = &m->cpu;

	if (n->user_steps)
		fprintf(n->out, "   IRET     has returned to 0x%08x, CPL %u\n", cpu->eip, cpu->cpl);
}

/* --- the whole --------------------------------------------------------------------------------------------------------- */

/* Before the first instruction: the guest reads initial_esp when it starts. */
static int patch_esp(struct narrator *n, uint32_t esp, char *err)
{
	uint32_t at;

	if (symbols_find(&n->symbols, "initial_esp", &at) || symbols_find(&n->symbols, "next_free_frame", &n->free_frame_at)) {
		snprintf(err, ERROR_LINE, "the demonstration's guest lacks its variables");
		return -1;
	}
	phys_write(&n->m->phys, at, 4, esp);
	return 0;
}

static void tell_end(struct narrator *n, enum machine_stop stop)
{
	if (stop == MACHINE_HALTED_FOREVER)
		fprintf(n->out, "\nThe program ended. Page faults: %u.\n", n->faults);
	else if (stop == MACHINE_TRIPLE_FAULT)
		report_triple_fault(n->m, &n->symbols, n->out);
	else
		fprintf(n->out, "\nThe program did not end. Page faults so far: %u.\n", n->faults);
	if (stop == MACHINE_HALTED_FOREVER && !n->faults)
		fprintf(n->out, "Every page it touched was mapped: from this ESP nothing needed repair.\n");
}

static int narrate(struct narrator *n, const struct kernel *kernel, uint32_t esp, char *err)
{
	struct machine_config config = { .memory = 16u << 20, .kernel = kernel };

	n->m = machine_create(&config, err);
	if (!n->m)
		return -1;
	symbols_load(&n->symbols, kernel);
	int r = patch_esp(n, esp, err);
	if (!r) {
		fprintf(n->out, "A user program runs with ESP 0x%08x. The page below 0x%08x is mapped, as its stack; no other memory "
			"but its code is its own.\n\n", esp, esp);
		struct observer observer = { .name = "narrator", .owner = n, .instruction = on_instruction, .exception = on_exception,
			.delivered = on_delivered, .iret = on_iret };
		machine_observe(n->m, &observer);
		n->m->instruction_limit = STEP_LIMIT;
		tell_end(n, machine_run(n->m, STEP_LIMIT));
		machine_unobserve(n->m, &observer);
	}
	symbols_free(&n->symbols);
	machine_free(n->m);
	return r;
}

int demo_fault_resumption(const struct fault_demo_config *config, FILE *out, char *err)
{
	struct narrator n = { .out = out };
	struct kernel kernel;

	if (kernel_from_memory(&kernel, "demo guest", config->image ? config->image : demo_guest,
			config->image ? config->image_size : demo_guest_size, err))
		return -1;
	int r = narrate(&n, &kernel, config->esp, err);
	kernel_close(&kernel);
	return r;
}
