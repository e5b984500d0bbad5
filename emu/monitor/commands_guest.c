/* emu/monitor/commands_guest.c: commands about paging: walks, tables, TLB, stories, who wrote what; and about the guest's own tables. */
#include "emu/monitor/commands.h"

#include <inttypes.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/debug/view/views.h"

/* --- views by their old names ------------------------------------------------------------------------------------------------ */

static void run_walk(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "walk", args, 0, r); }
static void run_tables(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "tables", args, 0, r); }
static void run_tlb(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "tlb", args, 0, r); }
static void run_why(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "why", *args ? args : "search", 0, r); }
static void run_processes(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "processes", args, 0, r); }
static void run_regions(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "regions", args, 0, r); }
static void run_frames(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "frames", args, 0, r); }
static void run_swap(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "swap", args, 0, r); }

/* QEMU's: the physical address alone. */
static void run_gva2gpa(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t la;
	paddr_t pa;

	if (!*args)
		reply_fail(r, "gva2gpa of which address?");
	else if (number_of(d, args, &la, r)) {
		if (!mmu_peek(&d->m->mmu, (uint32_t)la, &pa)) {
			reply_fail(r, "0x%08" PRIx32 " is not mapped", (uint32_t)la);
			return;
		}
		text_add(&r->text, "gpa: 0x%" PRIx64 "\n", pa);
		reply_set(r, "pa", json_hex(pa));
	}
}

const struct command guest_commands[] = {
	{ "walk", "[ADDRESS]", "the page walk as the lecture's diagram\nwalk 0xbfffeffc\nwalk esp", run_walk, NULL, complete_symbol },
	{ "page", NULL, NULL, NULL, "walk", NULL },
	{ "why", "[quick]", "the last fault, told as a story; quick: without going back for who wrote the entry", run_why, NULL, NULL },
	{ "gva2gpa", "ADDRESS", "the physical address of a linear one", run_gva2gpa, NULL, complete_symbol },
	{ "info pg", "[ADDRESS]", "the page tables, folded to one line for each run of equal entries", run_tables, NULL, NULL },
	{ "info mem", NULL, NULL, NULL, "info pg", NULL },
	{ "info tab", NULL, NULL, NULL, "info pg", NULL },
	{ "tables", NULL, NULL, NULL, "info pg", NULL },
	{ "info tlb", "[ADDRESS]", "what the TLB holds, with stale entries marked", run_tlb, NULL, NULL },
	{ "tlb", NULL, NULL, NULL, "info tlb", NULL },
	{ "info processes", NULL, "the guest's processes", run_processes, NULL, NULL },
	{ "info threads", NULL, NULL, NULL, "info processes", NULL },
	{ "ps", NULL, NULL, NULL, "info processes", NULL },
	{ "info regions", "[PROCESS]", "the regions of a process", run_regions, NULL, NULL },
	{ "info proc mappings", NULL, NULL, NULL, "info regions", NULL },
	{ "info frames", "[FRAME]", "physical frames: owner, references, who maps them", run_frames, NULL, NULL },
	{ "info swap", NULL, "the guest's swap slots", run_swap, NULL, NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
