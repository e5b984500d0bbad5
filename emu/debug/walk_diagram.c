/* emu/debug/walk_diagram.c: a page walk as lectures draw it.
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
 * References: [SDM3A 4.3 "32-Bit Paging"], figures "Linear-Address Translation to a 4-KByte Page ...", and the same in [SDM3A 4.4 "PAE Paging"].
 */
#include "emu/debug/walk_diagram.h"

#include <string.h>

#include "emu/debug/canvas.h"
#include "emu/debug/entry.h"

#define GAP        7u              /* columns between boxes: the way out of one, the way into the next */
#define NARROWEST  16u             /* a column; with less the boxes are left out */
#define FIELDS     4u
#define SPACED     96u             /* columns from which the letters of an entry stand apart */
#define FIGURE_MAX 120u            /* wider only pulls the boxes apart */

struct field { const char *name; unsigned shift, bits, x, width, centre; };

struct figure {
	struct canvas canvas;
	const struct debugger *d;
	const struct walk *w;
	unsigned shown;            /* entries already read, as far as the reader is to know */
	unsigned width, height;    /* height 0: any */
	bool squat;                /* few lines: boxes without what stands around the entries */
	bool large;                /* for a projector: letters apart, no addresses and values of entries */
	unsigned y;
	unsigned tables;           /* columns of tables; one more for the frame */
	struct field field[FIELDS];
	unsigned fields;
	unsigned step, box;        /* of a column */
};

static unsigned digits(const struct figure *f) { return f->w->paging.pae ? 16 : 8; }
static bool spaced(const struct figure *f) { return f->large || f->width >= SPACED; }
static bool finished(const struct figure *f) { return f->shown >= f->w->levels; }
static bool reached(const struct figure *f, unsigned i) { return i < f->shown && i < f->w->levels; }

/* --- the linear address ---------------------------------------------------------------------------------------- */

static void add_field(struct figure *f, const char *name, unsigned shift, unsigned bits)
{
	f->field[f->fields++] = (struct field){ .name = name, .shift = shift, .bits = bits };
}

static void split_address(struct figure *f)
{
	const struct walk *w = f->w;
	bool large = w->levels && step_is_large(w, w->levels - 1);

	if (w->paging.pae)
		add_field(f, "PDPT", 30, 2);
	add_field(f, "dir", w->paging.pae ? 21 : 22, w->paging.pae ? 9 : 10);
	if (!large)
		add_field(f, "table", 12, w->paging.pae ? 9 : 10);
	add_field(f, "offset", 0, f->field[f->fields - 1].shift);
	f->tables = f->fields - 1;
}

static uint32_t field_value(const struct figure *f, const struct field *p)
{
	return f->w->access.la >> p->shift & ((1u << p->bits) - 1);
}

static void field_label(const struct figure *f, const struct field *p, char *buf, size_t size)
{
	if (p->shift)
		snprintf(buf, size, "%s %u", p->name, field_value(f, p));
	else
		snprintf(buf, size, "%s 0x%x", p->name, field_value(f, p));
}

static void place_fields(struct figure *f)
{
	unsigned x = 1;

	for (unsigned i = 0; i < f->fields; i++) {
		struct field *p = &f->field[i];
		char label[24];
		field_label(f, p, label, sizeof(label));
		unsigned need = strlen(label) > p->bits ? (unsigned)strlen(label) : p->bits;
		p->x = x;
		p->width = need + 4;
		p->centre = x + p->width / 2;
		x += p->width - 1;
	}
}

static void draw_bits(struct figure *f, const struct field *p, unsigned y)
{
	unsigned x = p->centre - p->bits / 2;

	for (unsigned bit = p->bits; bit-- > 0;)
		x = canvas_text(&f->canvas, x, y, STYLE_ADDRESS, "%u", f->w->access.la >> (p->shift + bit) & 1);
}

static void draw_label(struct figure *f, const struct field *p, unsigned y)
{
	char label[24];

	field_label(f, p, label, sizeof(label));
	canvas_text(&f->canvas, p->centre - (unsigned)strlen(label) / 2, y, STYLE_BOLD, "%s", label);
}

static void draw_fields(struct figure *f)
{
	unsigned y = f->y;

	for (unsigned i = 0; i < f->fields; i++) {
		struct field *p = &f->field[i];
		unsigned high = p->shift + p->bits - 1, low_x = p->x + p->width - (p->shift < 10 ? 2 : 3);
		canvas_text(&f->canvas, p->x + 1, y, STYLE_DIM, "%u", high);
		canvas_text(&f->canvas, low_x, y, STYLE_DIM, "%u", p->shift);
		canvas_box(&f->canvas, p->x, y + 1, p->width, 4, STYLE_PLAIN);
		draw_bits(f, p, y + 2);
		draw_label(f, p, y + 3);
	}
	f->y += 5;
}

/* Without a box around; the labels come when the lines that begin under them have been drawn. */
static void draw_fields_squat(struct figure *f)
{
	for (unsigned i = 0; i < f->fields; i++) {
		draw_bits(f, &f->field[i], f->y);
		if (i)
			canvas_bar(&f->canvas, f->field[i].x, f->y, 2, STYLE_DIM);
	}
	f->y += 2;
}

/* --- tables and frame -------------------------------------------------------------------------------------------- */

static unsigned box_x(const struct figure *f, unsigned column) { return GAP + column * f->step; }

static const char *column_title(const struct figure *f, unsigned column)
{
	static const char *const names[3][3] = {
		{ "pointer table", "page directory", "page table" }, { "pointers", "directory", "table" }, { "PDPT", "dir", "table" },
	};
	unsigned room = f->squat ? f->box - 3 : f->step - 1, length = 0;

	while (length < 2 && strlen(names[length][column + !f->w->paging.pae]) > room)
		length++;
	return names[length][column + !f->w->paging.pae];
}

static enum style step_style(const struct figure *f, unsigned i)
{
	return reached(f, i) ? step_blame(f->w, i) ? STYLE_BAD : STYLE_GOOD : STYLE_DIM;
}

/* Lines run from the fields to their columns without crossing: the further right one goes, the higher it turns. */
static unsigned plan_turns(const struct figure *f, unsigned turn[FIELDS], unsigned top)
{
	unsigned most = 0, row = 0;

	for (unsigned i = f->fields; i-- > 0;) {
		if (i + 1 < f->fields && box_x(f, i) - 3 + 1 >= f->field[i + 1].centre)
			row++;
		turn[i] = row;
		most = row > most ? row : most;
	}
	for (unsigned i = 0; i < f->fields; i++)
		turn[i] += top;
	return top + most;
}

static bool column_used(const struct figure *f, unsigned column)
{
	return column < f->tables ? reached(f, column) : finished(f) && f->w->result == WALK_OK;
}

static void draw_way_in(struct figure *f, unsigned column, unsigned turn, unsigned row)
{
	const struct field *p = &f->field[column];
	unsigned x = box_x(f, column), gap = x - 3;
	enum style style = column_used(f, column) ? STYLE_BOLD : STYLE_DIM;

	canvas_line(&f->canvas, p->centre, f->y - 1, p->centre, turn, style);
	if (p->centre != gap)
		canvas_line(&f->canvas, p->centre, turn, gap, turn, style);
	canvas_line(&f->canvas, gap, turn, gap, row, style);
	canvas_line(&f->canvas, gap, row, x - 1, row, style);
	canvas_text(&f->canvas, x - 1, row, style, CANVAS_RIGHT);
}

/* From the entry to the base of the next column's table; crossed out where the walk ends. */
static void draw_way_out(struct figure *f, unsigned column, unsigned row, unsigned base)
{
	unsigned x = box_x(f, column) + f->box, gap = x + 1, next = box_x(f, column + 1);
	bool leads = reached(f, column) && (!step_blame(f->w, column) || (f->w->result == WALK_PROTECTION && column + 1 < f->w->levels));

	if (!reached(f, column))
		return;
	if (!leads) {
		canvas_line(&f->canvas, x - 1, row, x + 1, row, STYLE_BAD);
		canvas_text(&f->canvas, x + 1, row, STYLE_BAD, CANVAS_CROSS);
		return;
	}
	canvas_line(&f->canvas, x - 1, row, gap, row, STYLE_BOLD);
	canvas_line(&f->canvas, gap, row, gap, base, STYLE_BOLD);
	canvas_line(&f->canvas, gap, base, next - 1, base, STYLE_BOLD);
	canvas_text(&f->canvas, next - 1, base, STYLE_BOLD, CANVAS_RIGHT);
}

static void draw_entry(struct figure *f, unsigned column, unsigned row)
{
	const struct walk_step *s = &f->w->step[column];
	unsigned x = box_x(f, column), room = f->box - 2;
	enum style style = step_style(f, column);
	const char *unread = finished(f) ? "-" : "?";
	char index[16], value[24];

	snprintf(index, sizeof(index), "%u", step_index(f->w, column));
	snprintf(value, sizeof(value), reached(f, column) ? "0x%0*llx" : unread, (int)digits(f), (unsigned long long)s->value);
	if (strlen(index) + 1 + strlen(value) > room)
		snprintf(value, sizeof(value), "%s", reached(f, column) ? s->value & PG_P ? "P=1" : "P=0" : unread);
	canvas_text(&f->canvas, x + 1, row, style, strlen(index) + 3 + strlen(value) <= room ? " %s %s " : "%s %s", index, value);
}

/* Where the entry is: the table's base and size times index; where there is room for it. */
static void draw_sum(struct figure *f, unsigned x, unsigned y, paddr_t base, unsigned size, unsigned index)
{
	char sum[40];
	int n = snprintf(sum, sizeof(sum), "0x%08llx+%u*%u", (unsigned long long)base, size, index);

	if ((unsigned)n >= f->step)
		n = snprintf(sum, sizeof(sum), "0x%08llx", (unsigned long long)base);
	if ((unsigned)n < f->step)
		canvas_text(&f->canvas, x, y, STYLE_ADDRESS, "%s", sum);
}

static void draw_table(struct figure *f, unsigned column, unsigned top)
{
	unsigned x = box_x(f, column), y = top + 1;
	enum style edge = column_used(f, column) ? STYLE_PLAIN : STYLE_DIM;
	unsigned size = f->w->paging.pae ? 8 : 4;

	if (f->squat) {
		canvas_box(&f->canvas, x, top, f->box, 3, edge);
		canvas_text(&f->canvas, x + 2, top, column_used(f, column) ? STYLE_TITLE : STYLE_DIM, "%.*s", (int)f->box - 4, column_title(f, column));
		draw_entry(f, column, top + 1);
		return;
	}
	canvas_text(&f->canvas, x, top, column_used(f, column) ? STYLE_TITLE : STYLE_DIM, "%s", column_title(f, column));
	canvas_box(&f->canvas, x, y, f->box, 5, edge);
	canvas_text(&f->canvas, x + f->box / 2, y + 1, STYLE_DIM, CANVAS_DOTS);
	canvas_text(&f->canvas, x + f->box / 2, y + 3, STYLE_DIM, CANVAS_DOTS);
	draw_entry(f, column, y + 2);
	if (column_used(f, column))
		draw_sum(f, x, y + 5, step_base(f->w, column), size, step_index(f->w, column));
}

/* Looked at only where looking does nothing: a device might notice. */
static bool held(const struct figure *f, uint32_t *value)
{
	const struct phys *phys = &f->d->m->phys;
	enum phys_kind kind = phys_kind_of(phys, f->w->pa, NULL);

	*value = phys_peek32(phys, f->w->pa);
	return kind == PHYS_RAM || kind == PHYS_ROM;
}

static void draw_held(struct figure *f, unsigned x, unsigned y)
{
	uint32_t value;
	bool known = held(f, &value);

	if (known && f->box >= 14)
		canvas_text(&f->canvas, x, y, STYLE_GOOD, "0x%08x", value);
	else if (known)
		canvas_text(&f->canvas, x - 1, y, STYLE_GOOD, "%08x", value);
}

static void draw_frame(struct figure *f, unsigned top)
{
	unsigned column = f->tables, x = box_x(f, column), y = f->squat ? top : top + 1, row = f->squat ? y + 1 : y + 2;
	bool found = column_used(f, column);
	static const char *const sizes[] = { "4 KB", "2 MB", "4 MB" };
	const char *size = sizes[f->w->page_shift == 21 ? 1 : f->w->page_shift == 22 && found ? 2 : 0];

	canvas_box(&f->canvas, x, y, f->box, f->squat ? 3 : 5, found ? STYLE_PLAIN : STYLE_DIM);
	canvas_text(&f->canvas, f->squat ? x + 2 : x, top, found ? STYLE_TITLE : STYLE_DIM, found ? "%s frame" : "frame", size);
	if (!found) {
		canvas_text(&f->canvas, x + f->box / 2 - 1, row, STYLE_DIM, finished(f) ? "none" : "?");
		return;
	}
	draw_held(f, x + 2, row);
	if (f->squat)
		return;
	canvas_text(&f->canvas, x + 2, y + 1, STYLE_DIM, "%.*s", (int)f->box - 4, physical_words(&f->d->m->phys, f->w->pa));
	canvas_text(&f->canvas, x, y + 5, STYLE_ADDRESS, "0x%08llx+0x%x", (unsigned long long)step_base(f->w, f->w->levels),
		    field_value(f, &f->field[f->fields - 1]));
}

static void draw_tables(struct figure *f)
{
	unsigned turn[FIELDS], top = plan_turns(f, turn, f->y) + 1, row = f->squat ? top + 1 : top + 3, base = f->squat ? top + 2 : top + 5;

	for (unsigned i = 0; i < f->tables; i++)
		draw_table(f, i, top);
	draw_frame(f, top);
	for (unsigned i = 0; i < f->fields; i++)
		draw_way_in(f, i, turn[i], row);
	for (unsigned i = 0; i < f->fields && f->squat; i++)
		draw_label(f, &f->field[i], f->y - 1);
	for (unsigned i = 0; i < f->tables; i++)
		draw_way_out(f, i, row, base);
	canvas_line(&f->canvas, 3, base, GAP - 1, base, STYLE_BOLD);
	canvas_text(&f->canvas, 1, base, STYLE_TITLE, "CR3");
	canvas_text(&f->canvas, GAP - 1, base, STYLE_BOLD, CANVAS_RIGHT);
	f->y = f->squat ? top + 3 : top + 7;
}

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
		x = canvas_text(&f->canvas, x, f->y, letter_style(s, entry_letter_bit(heading[n]), blame), spaced(f) ? "%c " : "%c", letters[n]);
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
		x = canvas_text(&f->canvas, x + 2, f->y, step_style(f, i), "0x%0*llx", (int)digits(f), (unsigned long long)s->value);
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
		x = canvas_text(&f->canvas, x, f->y, STYLE_DIM, "%-10s  %-*s", "at", (int)digits(f) + 2, "value") + 2;

	for (; *heading; heading++)
		x = canvas_text(&f->canvas, x, f->y, STYLE_DIM, spaced(f) ? "%c " : "%c", *heading);
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

	if (!finished(f))
		return;
	if ((w->result == WALK_OK || w->result == WALK_PROTECTION) && !f->squat)
		draw_rights(f);
	if (w->result == WALK_OK) {
		x = canvas_text(&f->canvas, 1, f->y, STYLE_GOOD, "physical     0x%08llx", (unsigned long long)w->pa);
		x = canvas_text(&f->canvas, x, f->y, STYLE_PLAIN, " in %s", physical_words(&f->d->m->phys, w->pa));
		if (held(f, &value))
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
			    w->paging.pae ? " PAE" : w->paging.pse ? " PSE" : "", w->paging.pae && w->paging.nxe ? " NXE" : "", w->paging.wp ? " WP" : "", w->paging.pge ? " PGE" : "");
	f->y++;
}

static void draw_no_paging(struct figure *f)
{
	canvas_text(&f->canvas, 1, f->y++, STYLE_PLAIN, "Paging is off (CR0.PG=0): the physical address is the linear one, 0x%08llx, in %s.",
		    (unsigned long long)f->w->pa, physical_words(&f->d->m->phys, f->w->pa));
}

/* Lines between the address and the boxes. */
static unsigned turn_rows(const struct figure *f)
{
	unsigned turn[FIELDS];

	return plan_turns(f, turn, 1);
}

/* Title, address, lines between, boxes, heading, entries, rights and outcome. */
static bool full_fits(const struct figure *f)
{
	return !f->height || 1 + 5 + turn_rows(f) + 7 + 1 + f->w->levels + 2 <= f->height;
}

/* Title, address, lines between, boxes, entries, outcome. */
static bool squat_fits(const struct figure *f)
{
	return 1 + 2 + turn_rows(f) + 3 + f->w->levels + 1 <= f->height;
}

void walk_diagram_fitted(const struct debugger *d, const struct walk *w, unsigned levels_shown, unsigned width, unsigned height, bool large, struct text *t)
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
	split_address(&f);
	place_fields(&f);
	f.step = ((f.width < FIGURE_MAX ? f.width : FIGURE_MAX) - GAP) / f.fields;
	f.box = f.step - GAP;
	f.squat = !full_fits(&f);
	bool boxes = f.step >= NARROWEST && (!f.squat || squat_fits(&f));
	if (f.squat)
		draw_fields_squat(&f);
	else
		draw_fields(&f);
	if (boxes)
		draw_tables(&f);
	else if (!f.squat)
		f.y++;
	for (unsigned i = 0; i < f.fields && f.squat && !boxes; i++)
		draw_label(&f, &f.field[i], f.y - 1);
	draw_entries(&f);
	draw_outcome(&f);
	canvas_write(&f.canvas, t);
}

void walk_diagram(const struct debugger *d, const struct walk *w, unsigned levels_shown, unsigned width, struct text *t)
{
	walk_diagram_fitted(d, w, levels_shown, width, 0, false, t);
}
