/* emu/debug/view/view_tables.c: the view `tables`: an address space on one screen, and one page table entry by entry.
 *
 *   tables                    everything, folded as far as it must be to fit
 *   tables ADDRESS            the page table that covers a linear address; tables pde N: by its index; tables at PA: by the PDE's own address
 *   tables cr3 VALUE          another directory
 *
 *   a range:   0xc0000000-0xc03fffff    4M  PDE 300         0x00000000-0x003fffff  -SDA---WP
 *              ~ for -: not all pages between are mapped; a letter in lower case: only some have it
 *              before it: + new since the mark, - gone, * changed
 */
#include <string.h>
#include <strings.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/view/tables.h"
#include "emu/debug/view/views.h"

#define MOST_RANGES 500u            /* where the height is not limited: more would hide what matters */
#define MOST_HELD 64u              /* entries that are not present but hold something, listed one by one */

static const char *size_words(uint64_t pages, char *buf, size_t size)
{
	uint64_t k = pages * (PAGE_SIZE / 1024);

	if (k < 1024)
		snprintf(buf, size, "%lluK", (unsigned long long)k);
	else if (k % 1024 && k < 102400)
		snprintf(buf, size, "%llu.%lluM", (unsigned long long)k / 1024, (unsigned long long)k % 1024 * 10 / 1024);
	else
		snprintf(buf, size, "%lluM", (unsigned long long)k / 1024);
	return buf;
}

/* "PDE 300-30f", "PTE 2ff:3f0-3ff", "PTE 2fe:3f0-2ff:00f" */
static const char *entry_words(const struct space *s, const struct table_range *r, char *buf, size_t size)
{
	uint32_t n = pages_in_table(&s->paging), a = r->first / n, b = r->last / n;
	int len;

	if (r->large)
		len = snprintf(buf, size, "PDE %03x", a);
	else
		len = snprintf(buf, size, "PTE %03x:%03x", a, r->first % n);
	if (r->large && a != b)
		snprintf(buf + len, size - (size_t)len, "-%03x", b);
	else if (!r->large && a != b)
		snprintf(buf + len, size - (size_t)len, "-%03x:%03x", b, r->last % n);
	else if (!r->large && r->first != r->last)
		snprintf(buf + len, size - (size_t)len, "-%03x", r->last % n);
	return buf;
}

static const char *range_letters(const struct space *s, const struct table_range *r, char buf[ENTRY_LETTERS + 1])
{
	char every[ENTRY_LETTERS + 1];

	entry_letters(&s->paging, r->every, every);
	entry_letters(&s->paging, r->some, buf);
	for (unsigned i = 0; buf[i]; i++)
		if (every[i] == '-' && buf[i] != '-')
			buf[i] = (char)(buf[i] - 'A' + 'a');
	return buf;
}

static void put_frames(const struct space *s, const struct table_range *r, struct text *t)
{
	int digits = s->paging.pae ? 9 : 8;
	unsigned long long start = r->frame << PAGE_SHIFT;

	if (!r->contiguous)
		text_put(t, STYLE_ADDRESS, "%0*llx and %u more", digits, start, r->pages - 1);
	else
		text_put(t, STYLE_ADDRESS, "%0*llx-%0*llx", digits, start, digits, start + ((uint64_t)r->pages << PAGE_SHIFT) - 1);
}

static enum style news_style(enum range_news news) { return news == RANGE_SAME ? STYLE_PLAIN : STYLE_CHANGED; }

static void put_range(const struct space *s, const struct table_range *r, struct text *t)
{
	char size[32], entries[40], letters[ENTRY_LETTERS + 1];
	bool holes = r->pages != r->last - r->first + 1;

	text_put(t, news_style(r->news), "%c", " +-*"[r->news]);
	text_put(t, STYLE_ADDRESS, "%08x%c%08x", r->first << PAGE_SHIFT, holes ? '~' : '-', (r->last << PAGE_SHIFT) + PAGE_SIZE - 1);
	text_add(t, " %6s  ", size_words(r->pages, size, sizeof(size)));
	text_put(t, STYLE_DIM, "%-19s ", entry_words(s, r, entries, sizeof(entries)));
	size_t before = t->size;
	put_frames(s, r, t);
	unsigned written = (unsigned)(t->size - before);
	text_add(t, "%*s", written < 19 ? (int)(19 - written) + 1 : 1, "");
	text_put(t, r->news == RANGE_GONE ? STYLE_DIM : r->every & PG_U ? STYLE_WARN : STYLE_PLAIN, "%s", range_letters(s, r, letters));
	text_add(t, "\n");
}

static void put_heading(const struct space *s, const struct table_list *list, struct text *t)
{
	char size[32];

	text_put(t, STYLE_TITLE, " CR3 0x%08x", s->paging.cr3);
	text_put(t, STYLE_DIM, "  %s%s%s%s  %u page table%s, %s mapped", s->paging.pae ? "PAE" : s->paging.pse ? "32-bit PSE" : "32-bit",
		 s->paging.nxe && s->paging.pae ? " NXE" : "", s->paging.wp ? " WP" : "", s->paging.pge ? " PGE" : "", list->tables, list->tables == 1 ? "" : "s",
		 size_words(list->pages, size, sizeof(size)));
	if (list->held)
		text_put(t, STYLE_DIM, ", %llu absent but not zero", (unsigned long long)list->held);
	text_add(t, "\n");
}

static void put_columns(const struct space *s, struct text *t)
{
	text_put(t, STYLE_DIM, " %-17s %6s  %-19s %-19s %s\n", "linear", "size", "entries", "physical", entry_heading(&s->paging));
}

static void put_list(const struct space *s, const struct table_list *list, struct text *t)
{
	for (size_t i = 0; i < list->count; i++)
		put_range(s, &list->range[i], t);
	if (!list->count)
		text_put(t, STYLE_BAD, " ! nothing is mapped\n");
	if (list->failed)
		text_put(t, STYLE_BAD, " ! out of memory: the rest is missing\n");
}

/* --- the whole space ------------------------------------------------------------------------------------------------ */

/* Folds further until it fits; a list that never does is as short as it can be. */
static void list_fitting(const struct space *s, const struct space *then, unsigned height, struct table_list *list)
{
	unsigned room = !height ? MOST_RANGES : height > 3 ? height - 2 : 1;

	for (enum folding f = FOLD_RIGHTS; f <= FOLD_DIRECTORY; f++) {
		tables_list(s, then, 0, 0xfffff, f, list);
		if (list->count <= room || f == FOLD_DIRECTORY)
			return;
		tables_free(list);
	}
}

/* --- one page table --------------------------------------------------------------------------------------------------- */

static void put_held(const struct space *s, uint64_t pde, uint32_t first, struct text *t)
{
	unsigned shown = 0, more = 0;

	for (uint32_t i = 0; i < pages_in_table(&s->paging); i++) {
		paddr_t at;
		uint64_t pte = space_pte(s, pde, first + i, &at);
		if (pte & PG_P || !pte)
			continue;
		if (shown++ >= MOST_HELD) {
			more++;
			continue;
		}
		text_put(t, STYLE_DIM, " %08x not present; PTE %03x at 0x%08llx holds 0x%0*llx\n", (first + i) << PAGE_SHIFT, i,
			 (unsigned long long)at, s->paging.pae ? 16 : 8, (unsigned long long)pte);
	}
	if (more)
		text_put(t, STYLE_DIM, " and %u more that hold something\n", more);
}

static void put_table(const struct space *s, const struct space *then, uint32_t vpn, struct text *t)
{
	uint32_t n = pages_in_table(&s->paging), first = vpn - vpn % n;
	char letters[ENTRY_LETTERS + 1];
	struct table_list list;
	paddr_t at;
	uint64_t pde;

	if (!space_pde(s, vpn, &at, &pde)) {
		text_put(t, STYLE_BAD, " ! PDPTE %u is not present: there is no directory for 0x%08x\n", vpn >> 18, vpn << PAGE_SHIFT);
		return;
	}
	tables_list(s, then, first, first + n - 1, FOLD_NOTHING, &list);
	text_put(t, STYLE_TITLE, " PDE %03x at 0x%08llx = 0x%0*llx  %s  %s\n", vpn / n, (unsigned long long)at, s->paging.pae ? 16 : 8,
		 (unsigned long long)pde, entry_letters(&s->paging, pde, letters),
		 !(pde & PG_P) ? "not present" : space_is_large(s, pde) ? "maps a large page" : "leads to a page table");
	put_columns(s, t);
	put_list(s, &list, t);
	if (pde & PG_P && !space_is_large(s, pde))
		put_held(s, pde, first, t);
	tables_free(&list);
}

/* --- the request -------------------------------------------------------------------------------------------------------- */

struct tables_request {
	struct space now, then;
	bool compare, one;
	uint32_t vpn;                  /* one: a page of the table */
};

static const char *after_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	if (!text || strncasecmp(text, word, n) || (text[n] != ' ' && text[n] != '\t'))
		return NULL;
	return text + n + strspn(text + n, " \t");
}

static bool find_pde_at(const struct space *s, paddr_t pa, uint32_t *vpn)
{
	for (uint64_t page = 0; page < 0x100000; page += pages_in_table(&s->paging)) {
		paddr_t at;
		uint64_t pde;
		if (space_pde(s, (uint32_t)page, &at, &pde) && at == pa) {
			*vpn = (uint32_t)page;
			return true;
		}
	}
	return false;
}

static void use_cr3(struct space *s, uint32_t cr3)
{
	s->paging.cr3 = cr3;
	if (s->paging.pae)
		page_read_pdptes(s->phys, cr3, s->paging.pdpte);
}

/* False: the argument is not understood, and t says so. */
static bool understand(struct debugger *d, const struct view_request *rq, struct tables_request *q, struct text *t)
{
	struct view_request inner = *rq;
	const char *arg = rq->argument, *rest;
	uint64_t value;

	memset(q, 0, sizeof(*q));
	space_now(d->m, &q->now);
	q->compare = rq->mark && rq->mark->paging.enabled;
	if (q->compare)
		space_of_mark(rq->mark, &q->then);
	if (!arg || !*arg)
		return true;
	inner.argument = (rest = after_word(arg, "cr3")) || (rest = after_word(arg, "pde")) || (rest = after_word(arg, "at")) ? rest : arg;
	if (!view_address(d, &inner, 0, &value, t))
		return false;
	if (after_word(arg, "cr3")) {
		q->compare = false;
		use_cr3(&q->now, (uint32_t)value);
		return true;
	}
	q->one = true;
	q->vpn = (uint32_t)value >> PAGE_SHIFT;
	if (after_word(arg, "pde"))
		q->vpn = (uint32_t)(value * pages_in_table(&q->now.paging)) & 0xfffff;
	else if (after_word(arg, "at") && !find_pde_at(&q->now, value, &q->vpn)) {
		text_put(t, STYLE_BAD, "no entry of the page directory is at 0x%08llx\n", (unsigned long long)value);
		return false;
	}
	return true;
}

void view_tables(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct tables_request q;
	struct table_list list;

	if (!understand(d, rq, &q, t))
		return;
	if (!q.now.paging.enabled) {
		text_add(t, " Paging is off (CR0.PG=0): linear addresses are physical ones.\n");
		return;
	}
	const struct space *then = q.compare ? &q.then : NULL;
	if (q.one) {
		put_table(&q.now, then, q.vpn, t);
		return;
	}
	list_fitting(&q.now, then, rq->height, &list);
	put_heading(&q.now, &list, t);
	put_columns(&q.now, t);
	put_list(&q.now, &list, t);
	tables_free(&list);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------ */

static json_t *range_json(const struct space *s, const struct table_range *r)
{
	static const char *const news[] = { "same", "new", "gone", "changed" };
	char every[ENTRY_LETTERS + 1], some[ENTRY_LETTERS + 1];
	json_t *j = json_object();

	json_object_set_new(j, "first", json_hex(r->first << PAGE_SHIFT));
	json_object_set_new(j, "last", json_hex((r->last << PAGE_SHIFT) + PAGE_SIZE - 1));
	json_object_set_new(j, "pages", json_integer(r->pages));
	json_object_set_new(j, "large", json_boolean(r->large));
	json_object_set_new(j, "physical", json_hex(r->frame << PAGE_SHIFT));
	json_object_set_new(j, "contiguous", json_boolean(r->contiguous));
	json_object_set_new(j, "all_have", json_string(entry_letters(&s->paging, r->every, every)));
	json_object_set_new(j, "some_have", json_string(entry_letters(&s->paging, r->some, some)));
	json_object_set_new(j, "since_mark", json_string(news[r->news]));
	return j;
}

json_t *view_tables_json(struct debugger *d, const struct view_request *rq)
{
	struct tables_request q;
	struct table_list list = { 0 };
	struct text t = { 0 };
	json_t *j = json_object(), *ranges = json_array();

	if (!understand(d, rq, &q, &t))
		json_object_set_new(j, "error", json_string(text_plain(&t)));
	else if (q.now.paging.enabled) {
		uint32_t n = pages_in_table(&q.now.paging), first = q.one ? q.vpn - q.vpn % n : 0;
		tables_list(&q.now, q.compare ? &q.then : NULL, first, q.one ? first + n - 1 : 0xfffff, q.one ? FOLD_NOTHING : FOLD_RIGHTS, &list);
	}
	text_free(&t);
	json_object_set_new(j, "paging", json_boolean(q.now.paging.enabled));
	json_object_set_new(j, "pae", json_boolean(q.now.paging.pae));
	json_object_set_new(j, "cr3", json_hex(q.now.paging.cr3));
	json_object_set_new(j, "page_tables", json_integer(list.tables));
	json_object_set_new(j, "pages", json_integer((json_int_t)list.pages));
	json_object_set_new(j, "held", json_integer((json_int_t)list.held));
	for (size_t i = 0; i < list.count; i++)
		json_array_append_new(ranges, range_json(&q.now, &list.range[i]));
	json_object_set_new(j, "ranges", ranges);
	tables_free(&list);
	return j;
}
