/* emu/debug/view/walk_figure.c: see walk_figure.h. */
#include "emu/debug/view/walk_figure.h"

#include <string.h>

#include "emu/debug/view/entry.h"

/* --- the linear address ---------------------------------------------------------------------------------------- */

static void add_field(struct figure *f, const char *name, unsigned shift, unsigned bits)
{
	f->field[f->fields++] = (struct field){ .name = name, .shift = shift, .bits = bits };
}

void figure_split(struct figure *f)
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

void figure_place(struct figure *f)
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

void figure_fields(struct figure *f)
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
void figure_fields_squat(struct figure *f)
{
	for (unsigned i = 0; i < f->fields; i++) {
		draw_bits(f, &f->field[i], f->y);
		if (i)
			canvas_bar(&f->canvas, f->field[i].x, f->y, 2, STYLE_DIM);
	}
	f->y += 2;
}

void figure_labels(struct figure *f)
{
	for (unsigned i = 0; i < f->fields; i++)
		draw_label(f, &f->field[i], f->y - 1);
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

enum style figure_step_style(const struct figure *f, unsigned i)
{
	return figure_reached(f, i) ? step_blame(f->w, i) ? STYLE_BAD : STYLE_GOOD : STYLE_DIM;
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
	return column < f->tables ? figure_reached(f, column) : figure_finished(f) && f->w->result == WALK_OK;
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
	bool leads = figure_reached(f, column) && (!step_blame(f->w, column) || (f->w->result == WALK_PROTECTION && column + 1 < f->w->levels));

	if (!figure_reached(f, column))
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
	enum style style = figure_step_style(f, column);
	const char *unread = figure_finished(f) ? "-" : "?";
	char index[16], value[24];

	snprintf(index, sizeof(index), "%u", step_index(f->w, column));
	snprintf(value, sizeof(value), figure_reached(f, column) ? "0x%0*llx" : unread, (int)figure_digits(f), (unsigned long long)s->value);
	if (strlen(index) + 1 + strlen(value) > room)
		snprintf(value, sizeof(value), "%s", figure_reached(f, column) ? s->value & PG_P ? "P=1" : "P=0" : unread);
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
		canvas_text(&f->canvas, x + 2, top, column_used(f, column) ? STYLE_TITLE : STYLE_DIM, "%.*s", (int)f->box - 3, column_title(f, column));
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
bool figure_held(const struct figure *f, uint32_t *value)
{
	const struct phys *phys = &f->d->m->phys;
	enum phys_kind kind = phys_kind_of(phys, f->w->pa, NULL);

	*value = phys_peek32(phys, f->w->pa);
	return kind == PHYS_RAM || kind == PHYS_ROM;
}

static void draw_held(struct figure *f, unsigned x, unsigned y)
{
	uint32_t value;
	bool known = figure_held(f, &value);

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
		canvas_text(&f->canvas, x + f->box / 2 - 1, row, STYLE_DIM, figure_finished(f) ? "none" : "?");
		return;
	}
	draw_held(f, x + 2, row);
	if (f->squat)
		return;
	canvas_text(&f->canvas, x + 2, y + 1, STYLE_DIM, "%.*s", (int)f->box - 4, physical_words(&f->d->m->phys, f->w->pa));
	canvas_text(&f->canvas, x, y + 5, STYLE_ADDRESS, "0x%08llx+0x%x", (unsigned long long)step_base(f->w, f->w->levels),
		    field_value(f, &f->field[f->fields - 1]));
}

void figure_tables(struct figure *f)
{
	unsigned turn[FIELDS], top = plan_turns(f, turn, f->y) + 1, row = f->squat ? top + 1 : top + 3, base = f->squat ? top + 2 : top + 5;

	for (unsigned i = 0; i < f->tables; i++)
		draw_table(f, i, top);
	draw_frame(f, top);
	for (unsigned i = 0; i < f->fields; i++)
		draw_way_in(f, i, turn[i], row);
	if (f->squat)
		figure_labels(f);
	for (unsigned i = 0; i < f->tables; i++)
		draw_way_out(f, i, row, base);
	canvas_line(&f->canvas, 3, base, GAP - 1, base, STYLE_BOLD);
	canvas_text(&f->canvas, 1, base, STYLE_TITLE, "CR3");
	canvas_text(&f->canvas, GAP - 1, base, STYLE_BOLD, CANVAS_RIGHT);
	f->y = f->squat ? top + 3 : top + 7;
}

/* Lines between the address and the boxes. */
unsigned figure_turns(const struct figure *f)
{
	unsigned turn[FIELDS];

	return plan_turns(f, turn, 1);
}
