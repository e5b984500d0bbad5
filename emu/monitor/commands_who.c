/* emu/monitor/commands_who.c: who wrote it last: bytes, the entry that maps an address, a register. */
#include "emu/monitor/commands.h"

#include <inttypes.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/view/views.h"

static void tell_writer(struct debugger *d, const char *what, bool found, const struct last_write *w, struct reply *r)
{
	char name[128];
	static const char *const by[] = { "", " (the processor's own: Accessed or Dirty)", " (DMA)" };

	if (!found) {
		if (d->stop.kind == STOP_INTERRUPTED || d->stop.kind == STOP_ERROR)
			reply_fail(r, "%s", d->stop.text);
		else
			text_add(&r->text, "%s has not been written since instruction %" PRIu64 "\n", what, history_first(d->h).icount);
		reply_set(r, "found", json_false());
		return;
	}
	source_symbol(d, w->eip, name, sizeof(name));
	text_add(&r->text, "%s was written at instruction ", what);
	text_put(&r->text, STYLE_BOLD, "%" PRIu64, w->at.icount);
	text_add(&r->text, " by ");
	text_put(&r->text, STYLE_ADDRESS, "%08" PRIx32, w->eip);
	if (*name)
		text_put(&r->text, STYLE_NAME, " <%s>", name);
	text_add(&r->text, ", CPL %u, CR3 %08" PRIx32 ": 0x%" PRIx64 " -> 0x%" PRIx64 "%s\n", w->cpl, w->cr3, w->old_value, w->value, by[w->access.by]);
	reply_set(r, "found", json_true());
	reply_set(r, "icount", json_integer((json_int_t)w->at.icount));
	reply_set(r, "tick", json_integer((json_int_t)w->at.tick));
	reply_set(r, "eip", json_hex(w->eip));
	reply_set(r, "symbol", json_string(name));
	reply_set(r, "cr3", json_hex(w->cr3));
	reply_set(r, "cpl", json_integer(w->cpl));
	reply_set(r, "old", json_hex(w->old_value));
	reply_set(r, "value", json_hex(w->value));
}

/* The physical address of the entry that maps la: the last one that a walk reads. */
static bool entry_of(struct debugger *d, uint32_t la, paddr_t *pa, unsigned *len, struct reply *r)
{
	struct access a = { .la = la };
	struct walk w;

	page_walk(&d->m->phys, &d->m->mmu.pg, &a, &w);
	if (!w.levels) {
		reply_fail(r, "paging is off: no entry maps 0x%08" PRIx32, la);
		return false;
	}
	*pa = w.step[w.levels - 1].addr;
	*len = w.paging.pae ? 8 : 4;
	return true;
}

/* who wrote [phys|pte] ADDRESS[,LENGTH] | REGISTER */
static void run_who(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t at, value;
	unsigned len = 1, bits;
	paddr_t pa;
	char what[160];
	struct last_write w = { 0 };

	(void)take_this(&args, "wrote");
	const char *name = args + (*args == '$');
	if (!*args) {
		reply_fail(r, "who wrote what? an address, pte ADDRESS, phys ADDRESS, or a register");
		return;
	}
	if (register_read(d, name, &value, &bits)) {
		snprintf(what, sizeof(what), "%s", name);
		tell_writer(d, what, debugger_last_register_write(d, name, &w), &w, r);
		return;
	}
	bool phys = take_this(&args, "phys"), pte = !phys && take_this(&args, "pte");
	char own[256];
	snprintf(own, sizeof(own), "%s", args);
	char *comma = strrchr(own, ',');
	if (comma && !strchr(comma, ')')) {
		*comma = 0;
		if (!number_of(d, comma + 1, &value, r))
			return;
		len = value < 1 ? 1 : value > 8 ? 8 : (unsigned)value;
	} else
		len = 4;
	if (!number_of(d, own, &at, r))
		return;
	pa = at;
	if (pte && !entry_of(d, (uint32_t)at, &pa, &len, r))
		return;
	if (!phys && !pte && !mmu_peek(&d->m->mmu, (uint32_t)at, &pa)) {
		reply_fail(r, "0x%08" PRIx32 " is not mapped: who wrote pte 0x%" PRIx32 " asks about its entry", (uint32_t)at, (uint32_t)at);
		return;
	}
	snprintf(what, sizeof(what), "%s0x%08" PRIx64, phys ? "physical " : pte ? "the entry of " : "", at);
	tell_writer(d, what, debugger_last_write(d, pa, len, &w), &w, r);
}

const struct command who_commands[] = {
	{ "who wrote", "[phys|pte] ADDRESS[,LENGTH] | REGISTER", "the last writer\nwho wrote 0xc0105000\nwho wrote pte 0xbfffe000\nwho wrote phys 0x103ffc,4\n"
		"who wrote cr3", run_who, NULL, complete_symbol },
	{ "who", NULL, NULL, NULL, "who wrote", NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
