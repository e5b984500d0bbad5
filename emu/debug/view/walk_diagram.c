/* emu/debug/view/walk_diagram.c: a page walk as lectures draw it.
 *
 *   the linear address, split into its fields
 *        |            |           |
 *        v            v           v
 *   +---------+   +---------+   +---------+
 *   | entry   |-->| entry   |-->| byte    |      one column for each table, the last for the frame
 *   +---------+   +---------+   +---------+
 *   entries one by one: address, value, bits lettered, where the entry leads or why the walk ends there
 *   outcome
 *
 * The upper part is drawn by walk_figure.c.
 * References: [SDM3A 4.3 "32-Bit Paging"], figures "Linear-Address Translation to a 4-KByte Page ...", and the same in [SDM3A 4.4 "PAE Paging"].
 */
#include "emu/debug/view/walk_diagram.h"

#include <string.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/view/walk_figure.h"

/* --- the entries one by one ----------------------------------------------------------------------------------------- */

static enum style letter_style(const struct walk_step *s, uint64_t bit, uint64_t blame)
{
	if (blame & bit)
		return STYLE_BAD;
	if (s->set & bit)
		return STYLE_CHANGED;
	return s->value & bit ? STYLE_BOLD : STYLE_DIM;
}

/* Bits that the access sets are shown set. */
static unsigned draw_letters(struct figure *f, unsigned i, unsigned x)
{
	const struct walk_step *s = &f->w->step[i];
	const char *heading = entry_heading(&f->w->paging);
	char letters[ENTRY_LETTERS + 1];
	uint64_t blame = step_blame(f->w, i);

	entry_letters(&f->w->paging, s->value | s->set, letters);
	for (unsigned n = 0; letters[n]; n++)
		x = canvas_text(&f->canvas, x, f->y, letter_style(s, entry_letter_bit(heading[n]), blame), figure_spaced(f) ? "%c " : "%c", letters[n]);
	return x;
}

/* Where the entry leads, or why it stops the walk. */
static void verdict_words(const struct figure *f, unsigned i, bool brief, char *buf, size_t size)
{
	const struct walk *w = f->w;
	const struct walk_step *s = &w->step[i];
	unsigned long long target = step_base(w, i + 1);
	char blame[40];

	if (step_blame(w, i))
		snprintf(buf, size, brief ? "<- %s" : "<- stops here: %s", step_blame_words(w, i, blame, sizeof(blame)));
	else
		snprintf(buf, size, "%s 0x%08llx%s%s%s", step_is_large(w, i) ? w->paging.pae ? "2 MB page" : "4 MB page" : step_is_leaf(w, i) ? "frame" :
			 w->paging.pae && i == 0 ? "directory" : "table", target, s->set ? " sets" : "", s->set & PG_A ? " A" : "", s->set & PG_D ? " D" : "");
}

/* On the entry's row where it fits, else under it. */
static void draw_verdict(struct figure *f, unsigned i, unsigned x)
{
	const struct walk_step *s = &f->w->step[i];
	char words[80];

	verdict_words(f, i, false, words, sizeof(words));
	if (x + strlen(words) > f->width)
		verdict_words(f, i, true, words, sizeof(words));
	if (x + strlen(words) > f->width) {
		verdict_words(f, i, false, words, sizeof(words));
		f->y++;
		x = 11;
	}
	canvas_text(&f->canvas, x, f->y, step_blame(f->w, i) ? STYLE_BAD : s->set ? STYLE_CHANGED : STYLE_PLAIN, "%s", words);
}

static void draw_entry_row(struct figure *f, unsigned i)
{
	const struct walk_step *s = &f->w->step[i];
	unsigned x = canvas_text(&f->canvas, 1, f->y, STYLE_NAME, "%-5s %4u", s->name, step_index(f->w, i));

	if (!f->large) {
		x = canvas_text(&f->canvas, x + 2, f->y, STYLE_ADDRESS, "0x%08llx", (unsigned long long)s->addr);
		x = canvas_text(&f->canvas, x + 2, f->y, figure_step_style(f, i), "0x%0*llx", (int)figure_digits(f), (unsigned long long)s->value);
	}
	x = draw_letters(f, i, x + 2);
	draw_verdict(f, i, x + 1);
	f->y++;
}

static void draw_heading(struct figure *f)
{
	const char *heading = entry_heading(&f->w->paging);
	unsigned x = canvas_text(&f->canvas, 1, f->y, STYLE_DIM, "%-10s  ", "entry");

	if (!f->large)
		x = canvas_text(&f->canvas, x, f->y, STYLE_DIM, "%-10s  %-*s", "at", (int)figure_digits(f) + 2, "value") + 2;

	for (; *heading; heading++)
		x = canvas_text(&f->canvas, x, f->y, STYLE_DIM, figure_spaced(f) ? "%c " : "%c", *heading);
	f->y++;
}

static void draw_entries(struct figure *f)
{
	if (!f->squat || f->y + f->w->levels + 2 <= f->height)
		draw_heading(f);
	for (unsigned i = 0; i < f->w->levels && i < f->shown; i++)
		draw_entry_row(f, i);
}

/* --- the outcome ---------------------------------------------------------------------------------------------------- */

static void draw_rights(struct figure *f)
{
	const struct walk *w = f->w;
	bool nx = w->paging.pae && w->paging.nxe;

	canvas_text(&f->canvas, 1, f->y++, STYLE_PLAIN, "rights       %s, %s%s%s", w->rights & PG_U ? "user" : "supervisor only",
		    w->rights & PG_W ? "writable" : w->paging.wp ? "read-only" : "read-only for users (CR0.WP=0)",
		    nx ? w->rights & PG_X ? ", executable" : ", no-execute" : "", w->global ? ", global" : "");
}

static void draw_below(struct figure *f, unsigned *x)
{
	*x = 13;
	f->y++;
}

static void draw_outcome(struct figure *f)
{
	const struct walk *w = f->w;
	char words[80];
	uint32_t value;
	unsigned x;

	if (!figure_finished(f))
		return;
	if ((w->result == WALK_OK || w->result == WALK_PROTECTION) && !f->squat)
		draw_rights(f);
	if (w->result == WALK_OK) {
		x = canvas_text(&f->canvas, 1, f->y, STYLE_GOOD, "physical     0x%08llx", (unsigned long long)w->pa);
		x = canvas_text(&f->canvas, x, f->y, STYLE_PLAIN, " in %s", physical_words(&f->d->m->phys, w->pa));
		if (figure_held(f, &value))
			canvas_text(&f->canvas, x, f->y, STYLE_PLAIN, ", holds 0x%08x", value);
	} else {
		page_fault_words(w->pf_code, words, sizeof(words));
		x = canvas_text(&f->canvas, 1, f->y, STYLE_BAD, "page fault   error code 0x%x:", w->pf_code);
		if (x + 1 + strlen(words) > f->width)
			draw_below(f, &x);
		canvas_text(&f->canvas, x + 1, f->y, STYLE_BAD, "%s", words);
	}
	f->y++;
}

static void draw_title(struct figure *f)
{
	const struct walk *w = f->w;
	unsigned x = canvas_text(&f->canvas, 1, f->y, STYLE_TITLE, "%s of 0x%08x", access_words(&w->access), w->access.la);

	if (w->paging.enabled)
		canvas_text(&f->canvas, x, f->y, STYLE_DIM, "   CR3 0x%08x%s%s%s%s", w->paging.cr3,
			    w->paging.pae ? " PAE" : w->paging.pse ? " PSE" : "", w->paging.pae && w->paging.nxe ? " NXE" : "",
			    w->paging.wp ? " WP" : "", w->paging.pge ? " PGE" : "");
	f->y++;
}

static void draw_no_paging(struct figure *f)
{
	canvas_text(&f->canvas, 1, f->y++, STYLE_PLAIN, "Paging is off (CR0.PG=0): the physical address is the linear one, 0x%08llx, in %s.",
		    (unsigned long long)f->w->pa, physical_words(&f->d->m->phys, f->w->pa));
}

/* Title, address, lines between, boxes, heading, entries, rights and outcome. */
static bool full_fits(const struct figure *f)
{
	return !f->height || 1 + 5 + figure_turns(f) + 7 + 1 + f->w->levels + 2 <= f->height;
}

/* Title, address, lines between, boxes, entries, outcome. */
static bool squat_fits(const struct figure *f)
{
	return 1 + 2 + figure_turns(f) + 3 + f->w->levels + 1 <= f->height;
}

void walk_diagram_fitted(const struct debugger *d, const struct walk *w, unsigned levels_shown, unsigned width, unsigned height, bool large,
			 struct text *t)
{
	struct figure f = { .d = d, .w = w, .shown = levels_shown, .large = large, .height = height };

	canvas_clear(&f.canvas);
	f.width = width < 60 ? 60 : width > CANVAS_WIDTH ? CANVAS_WIDTH : width;
	draw_title(&f);
	if (!w->paging.enabled) {
		draw_no_paging(&f);
		canvas_write(&f.canvas, t);
		return;
	}
	figure_split(&f);
	figure_place(&f);
	f.step = ((f.width < FIGURE_MAX ? f.width : FIGURE_MAX) - GAP) / f.fields;
	f.box = f.step - GAP;
	f.squat = !full_fits(&f);
	bool boxes = f.step >= NARROWEST && (!f.squat || squat_fits(&f));
	if (f.squat)
		figure_fields_squat(&f);
	else
		figure_fields(&f);
	if (boxes)
		figure_tables(&f);
	else if (!f.squat)
		f.y++;
	if (f.squat && !boxes)
		figure_labels(&f);
	draw_entries(&f);
	draw_outcome(&f);
	canvas_write(&f.canvas, t);
}

void walk_diagram(const struct debugger *d, const struct walk *w, unsigned levels_shown, unsigned width, struct text *t)
{
	walk_diagram_fitted(d, w, levels_shown, width, 0, false, t);
}
