/* emu/debug/check/checker_words.c: findings in words. */
#include "emu/debug/check/checker_private.h"
#include "emu/debug/guest/source.h"

#include <inttypes.h>
#include <string.h>

static const struct words {
	const char *kind, *line;
} kinds[] = {
	{ "stale-translation", "stale translation" },
	{ "global-translation", "global translation outlived its address space" },
	{ "lost-dirty", "lost Dirty" },
	{ "reserved-bit", "reserved bit" },
	{ "user-writable-table", "page table open to user writes" },
	{ "user-accessible-gdt", "GDT open to users" },
	{ "user-accessible-idt", "IDT open to users" },
	{ "user-accessible-tss", "TSS open to users" },
	{ "user-accessible-code", "kernel code open to users" },
};

static const char *line_of(const char *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].kind, kind))
			return kinds[i].line;
	return kind;
}

/* 0xc0101234 (unmap_page+0x31, vm.c:88) */
static void put_code(const struct debugger *d, uint32_t eip, uint32_t cr3, struct text *t)
{
	struct source_line line;
	char name[128] = "";

	text_put(t, STYLE_ADDRESS, "0x%08" PRIx32, eip);
	if (d && d->source)
		source_symbol_in(d, cr3, eip, name, sizeof(name));
	if (!*name)
		return;
	text_put(t, STYLE_NAME, " (%s", name);
	if (source_line_of(d, eip, &line))
		text_put(t, STYLE_NAME, ", %s:%u", line.file, line.line);
	text_put(t, STYLE_NAME, ")");
}

static const char *access_word(enum access_kind kind)
{
	static const char *const words[] = { "read", "written", "fetched from" };

	return words[kind];
}

static void put_rights(uint64_t entry, struct text *t)
{
	text_add(t, " (0x%08" PRIx64 ": ", entry);
	if (!(entry & PG_P))
		text_put(t, STYLE_BAD, "P=0 not present");
	else
		text_add(t, "P=1 W=%d U=%d D=%d", !!(entry & PG_W), !!(entry & PG_U), !!(entry & PG_D));
	text_add(t, ")");
}

static void put_writer(const struct debugger *d, const struct finding *f, struct text *t)
{
	if (!f->written_at.icount && !f->written_by) {
		text_add(t, "; who wrote it is not known");
		return;
	}
	text_add(t, ", written at instruction %" PRIu64 " by ", f->written_at.icount);
	put_code(d, f->written_by, f->cr3, t);
}

static void put_stale(const struct debugger *d, const struct finding *f, struct text *t)
{
	text_add(t, " through the TLB's frame 0x%05" PRIx32 ", cached from 0x%08" PRIx64 ",\n  but its %s at ", f->frame, f->cached, f->entry_name);
	text_put(t, STYLE_ADDRESS, "0x%08" PRIx64, f->entry);
	text_add(t, " says otherwise");
	put_rights(f->now, t);
	put_writer(d, f, t);
	text_add(t, "\n  and since then the page was neither invalidated (INVLPG) nor CR3 loaded\n");
}

static void put_global(const struct debugger *d, const struct finding *f, struct text *t)
{
	text_add(t, " through the TLB's frame 0x%05" PRIx32 ", cached from 0x%08" PRIx64 " with G=1,\n  but in the address space of CR3 0x%08" PRIx32
		" its %s at ", f->frame, f->cached, f->cr3, f->entry_name);
	text_put(t, STYLE_ADDRESS, "0x%08" PRIx64, f->entry);
	text_add(t, " says otherwise");
	put_rights(f->now, t);
	text_add(t, "; CR3 was loaded at instruction %" PRIu64 " by ", f->written_at.icount);
	put_code(d, f->written_by, f->cr3, t);
	text_add(t, "\n");
}

static void put_open(const struct finding *f, struct text *t)
{
	text_add(t, "\n  its %s at ", f->entry_name);
	text_put(t, STYLE_ADDRESS, "0x%08" PRIx64, f->entry);
	put_rights(f->now, t);
	text_add(t, " leads to frame 0x%05" PRIx32 " and lets ring 3 %s it\n", f->frame, f->access == ACCESS_WRITE ? "write" : "read");
}

static void put_reserved(const struct finding *f, struct text *t)
{
	text_add(t, "\n  its %s at ", f->entry_name);
	text_put(t, STYLE_ADDRESS, "0x%08" PRIx64, f->entry);
	text_add(t, " is present and has a reserved bit set (0x%08" PRIx64 ")\n", f->now);
}

void finding_describe(const struct debugger *d, const struct finding *f, struct text *t)
{
	bool open = !strncmp(f->kind, "user-", 5), stale = f->written_by || !strcmp(f->kind, "stale-translation");

	text_put(t, f->severity == FINDING_ERROR ? STYLE_BAD : STYLE_WARN, "%s", line_of(f->kind));
	text_add(t, ": ");
	text_put(t, STYLE_ADDRESS, "0x%08" PRIx32, f->la);
	if (open)
		text_add(t, " is used at instruction %" PRIu64 " by ", f->at.icount);
	else
		text_add(t, " was %s in %s at instruction %" PRIu64 " by ", access_word(f->access), f->user ? "ring 3" : "supervisor mode", f->at.icount);
	put_code(d, f->eip, f->cr3, t);
	if (open)
		put_open(f, t);
	else if (!strcmp(f->kind, "global-translation"))
		put_global(d, f, t);
	else if (stale || !strcmp(f->kind, "lost-dirty"))
		put_stale(d, f, t);
	else
		put_reserved(f, t);
}

/* --- summary ------------------------------------------------------------------------------------------------------------------- */

static const char *const lazy_words[LAZY_KINDS] = {
	[LAZY_RAISED] = "rights raised under a cached translation",
	[LAZY_ACCESSED] = "Accessed cleared under one",
	[LAZY_ALLOWED] = "uses of one that the tables still allow",
	[LAZY_GLOBAL] = "uses of a global one where CR3's directory has no PDE yet",
	[LAZY_ALIAS] = "frames writable for one user and read-only for another",
};

void checker_summary(const struct checker *c, struct text *t)
{
	uint64_t count[3] = { 0 };
	bool first = true;

	for (size_t i = 0; i < c->findings; i++)
		count[c->finding[i].severity] += c->finding[i].times;
	text_add(t, "paging checker: %" PRIu64 " error%s, %" PRIu64 " warning%s", count[FINDING_ERROR], count[FINDING_ERROR] == 1 ? "" : "s",
		count[FINDING_WARNING], count[FINDING_WARNING] == 1 ? "" : "s");
	if (c->untold)
		text_add(t, ", and %" PRIu64 " that were too many to keep", c->untold);
	if (c->failed)
		text_put(t, STYLE_WARN, "; memory ran out, so some may have been missed");
	for (unsigned i = 0; i < LAZY_KINDS; i++)
		if (c->lazy[i]) {
			text_add(t, "%s %" PRIu64 " %s", first ? "; legal:" : ",", c->lazy[i], lazy_words[i]);
			first = false;
		}
	text_add(t, "\n");
}
