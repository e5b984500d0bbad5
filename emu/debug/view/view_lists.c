/* emu/debug/view/view_lists.c: the views that are lists of something: breakpoints, the guest's console, history, devices. */
#include "emu/debug/view/views.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CONSOLE_LINES 24u
#define CONSOLE_BYTES 65536u           /* of output, looked at from its end */
#define CHECKPOINTS   4096
#define CELLS         16u              /* of an array that are shown when no device is named */

/* --- breakpoints ------------------------------------------------------------------------------------------------------ */

void view_breakpoints(struct debugger *d, const struct view_request *rq, struct text *t)
{
	bool any = false;
	size_t skip = rq->first;

	for (const struct breakpoint *b = d->breaks; b; b = b->next) {
		char what[BREAK_TEXT];
		if (b->silent)
			continue;
		any = true;
		if (skip) {
			skip--;
			continue;
		}
		break_describe(d, b, what, sizeof(what));
		bool hit = d->stop.kind == STOP_BREAK && d->stop.breakpoint == b->id;
		text_put(t, hit ? STYLE_HERE : STYLE_PLAIN, "%c%3u ", hit ? '>' : ' ', b->id);
		text_put(t, b->enabled ? STYLE_GOOD : STYLE_DIM, "%s ", b->enabled ? "on " : "off");
		text_add(t, "%s%s", what, b->temporary ? ", once" : "");
		if (b->hits)
			text_put(t, STYLE_DIM, "  %" PRIu64 " hit%s", b->hits, b->hits == 1 ? "" : "s");
		if (b->ignore)
			text_put(t, STYLE_DIM, "  passes %" PRIu64 " more", b->ignore);
		text_add(t, "\n");
		if (b->commands)
			for (const char *p = b->commands; *p; p += strcspn(p, "\n"), p += *p == '\n')
				text_put(t, STYLE_DIM, "         %.*s\n", (int)strcspn(p, "\n"), p);
	}
	if (!any)
		text_put(t, STYLE_DIM, "(no breakpoints)\n");
}

json_t *view_breakpoints_json(struct debugger *d, const struct view_request *rq)
{
	json_t *list = json_array();

	(void)rq;
	for (const struct breakpoint *b = d->breaks; b; b = b->next) {
		char what[BREAK_TEXT];
		if (b->silent)
			continue;
		break_describe(d, b, what, sizeof(what));
		json_t *j = json_pack("{s:i,s:b,s:s,s:I,s:I,s:o,s:I}", "id", (int)b->id, "enabled", b->enabled, "what", what,
			"hits", (json_int_t)b->hits, "ignore", (json_int_t)b->ignore, "address", json_hex(b->address), "length", (json_int_t)b->length);
		if (b->condition)
			json_object_set_new(j, "condition", json_string(b->condition));
		if (b->commands)
			json_object_set_new(j, "commands", json_string(b->commands));
		json_array_append_new(list, j);
	}
	return json_pack("{s:o}", "breakpoints", list);
}

/* --- console ------------------------------------------------------------------------------------------------------------- */

/* The guest's bytes as a terminal of lines would show them: a carriage return begins the line again, a backspace goes one back, escape
 * sequences and other control bytes are left out. */
struct screen { char line[256]; size_t n, at; int escape; };

static void end_line(struct screen *s, struct text *t)
{
	text_add(t, "%.*s\n", (int)s->n, s->line);
	s->n = s->at = 0;
}

static void show_byte(struct screen *s, uint8_t c, struct text *t)
{
	if (s->escape) {                   /* ESC [ ... letter, or ESC letter */
		s->escape = c == '[' && s->escape == 1 ? 2 : s->escape == 2 && !isalpha(c) ? 2 : 0;
		return;
	}
	if (c == 0x1b)
		s->escape = 1;
	else if (c == '\n')
		end_line(s, t);
	else if (c == '\r')
		s->at = 0;
	else if (c == '\b')
		s->at -= s->at > 0;
	else if (c == '\t' || (c >= ' ' && c < 0x7f)) {
		if (s->at == sizeof(s->line))
			end_line(s, t);
		s->line[s->at++] = c == '\t' ? ' ' : (char)c;
		if (s->n < s->at)
			s->n = s->at;
	}
}

void view_console(struct debugger *d, const struct view_request *rq, struct text *t)
{
	const struct output_event *e;
	size_t n = history_output(d->h, &e), from = n > CONSOLE_BYTES ? n - CONSOLE_BYTES : 0;
	struct screen s = { .n = 0 };
	struct text all = { 0 };

	for (size_t i = from; i < n; i++)
		show_byte(&s, e[i].byte, &all);
	if (s.n)
		end_line(&s, &all);
	size_t lines = text_lines(&all), room = rq->height ? rq->height : CONSOLE_LINES;
	size_t end = rq->first < lines ? lines - rq->first : 0;
	for (size_t i = end > room ? end - room : 0; i < end; i++) {
		size_t length;
		const char *line = text_line(&all, i, &length, NULL);
		text_add(t, "%.*s\n", (int)length, line);
	}
	if (!end)
		text_put(t, STYLE_DIM, "(the guest has written nothing yet)\n");
	text_free(&all);
}

/* --- history ------------------------------------------------------------------------------------------------------------- */

static void moment_line(struct text *t, const char *name, struct moment at)
{
	text_add(t, "%-9s instruction %" PRIu64 ", tick %" PRIu64 "\n", name, at.icount, at.tick);
}

void view_history(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct history_stats s;
	struct moment *at = calloc(CHECKPOINTS, sizeof(*at));
	size_t n = at ? history_checkpoints(d->h, at, CHECKPOINTS) : 0, kept = n < CHECKPOINTS ? n : CHECKPOINTS;

	history_stats(d->h, &s);
	moment_line(t, "first", history_first(d->h));
	moment_line(t, "now", history_now(d->h));
	moment_line(t, "present", history_present(d->h));
	text_put(t, debugger_in_past(d) ? STYLE_WARN : STYLE_GOOD, "%s\n", debugger_in_past(d) ? "in the past: nothing the guest writes leaves the machine"
		: "in the present");
	text_add(t, "%u checkpoints; %" PRIu64 " pages stored, %" PRIu64 " shared; no two are farther apart than %" PRIu64 " instructions\n", s.checkpoints,
		s.pages_stored, s.pages_shared, s.widest);
	text_add(t, "%.1f of at most %.0f MB of memory, %.1f of at most %.0f MB in a file\n", (double)s.bytes / 1048576, (double)s.limit / 1048576,
		(double)s.spilled / 1048576, (double)s.spill_limit / 1048576);
	if (s.spill_error)
		text_put(t, STYLE_WARN, "the file cannot grow (%s): fewer checkpoints are kept\n", strerror(-s.spill_error));
	text_add(t, "%" PRIu64 " times gone back, %" PRIu64 " instructions run again for it\n", s.restores, s.replayed);
	for (size_t i = rq->first; i < kept && (!rq->height || i < rq->first + rq->height); i++)
		moment_line(t, "checkpoint", at[i]);
	free(at);
}

static json_t *moment_json(struct moment at)
{
	return json_pack("{s:I,s:I}", "icount", (json_int_t)at.icount, "tick", (json_int_t)at.tick);
}

json_t *view_history_json(struct debugger *d, const struct view_request *rq)
{
	struct history_stats s;
	struct moment *at = calloc(CHECKPOINTS, sizeof(*at));
	size_t n = at ? history_checkpoints(d->h, at, CHECKPOINTS) : 0;
	json_t *list = json_array();

	(void)rq;
	history_stats(d->h, &s);
	for (size_t i = 0; i < n && i < CHECKPOINTS; i++)
		json_array_append_new(list, moment_json(at[i]));
	free(at);
	return json_pack("{s:o,s:o,s:o,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "first", moment_json(history_first(d->h)), "now", moment_json(history_now(d->h)),
		"present", moment_json(history_present(d->h)), "past", debugger_in_past(d), "limit", (json_int_t)s.limit, "bytes", (json_int_t)s.bytes,
		"spill_limit", (json_int_t)s.spill_limit, "spilled", (json_int_t)s.spilled, "widest", (json_int_t)s.widest,
		"pages_stored", (json_int_t)s.pages_stored, "pages_shared", (json_int_t)s.pages_shared, "replayed", (json_int_t)s.replayed,
		"restores", (json_int_t)s.restores, "checkpoints", list);
}

/* --- devices ------------------------------------------------------------------------------------------------------------- */

static uint64_t reg_value(const struct device *dev, const struct reg_desc *r, uint32_t i)
{
	const uint8_t *p = (const uint8_t *)dev + r->offset + (size_t)r->bytes * i;
	uint64_t v = 0;

	for (unsigned k = 0; k < r->bytes && k < 8; k++)
		v |= (uint64_t)p[k] << 8 * k;      /* hosts are little-endian, as the guest */
	return v;
}

static bool wanted(const struct device *dev, const char *argument)
{
	size_t n = strlen(dev->ops->name);

	if (!argument || !*argument)
		return true;
	for (const char *p = argument; *(p += strspn(p, " ,")); p += strcspn(p, " ,"))
		if (strcspn(p, " ,") <= n && !strncmp(p, dev->ops->name, strcspn(p, " ,")))
			return true;
	return false;
}

static void device_lines(const struct device *dev, const struct view_request *rq, struct text *t)
{
	text_put(t, STYLE_TITLE, "%s\n", dev->ops->name);
	for (const struct reg_desc *r = dev->ops->regs; r && r->name; r++) {
		uint32_t most = rq->argument && *rq->argument ? r->count : CELLS;
		text_put(t, STYLE_NAME, "  %-26s", r->name);
		for (uint32_t i = 0; i < r->count && i < most; i++)
			text_add(t, "%s%0*" PRIx64, i && i % 16 == 0 ? "\n                            " : " ", r->bytes > 8 ? 16 : (int)(2 * r->bytes), reg_value(dev, r, i));
		if (r->count > most)
			text_put(t, STYLE_DIM, " ... %" PRIu32 " in all", r->count);
		if (rq->width >= 80 && r->count < 8)
			text_put(t, STYLE_DIM, "  %s", r->help ? r->help : "");
		text_add(t, "\n");
	}
}

void view_devices(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct text all = { 0 };

	for (unsigned i = 0; i < d->m->devices; i++)
		if (wanted(d->m->device[i], rq->argument))
			device_lines(d->m->device[i], rq, &all);
	size_t lines = text_lines(&all);
	for (size_t i = rq->first; i < lines && (!rq->height || i < rq->first + rq->height); i++) {
		size_t n;
		const uint8_t *style;
		const char *line = text_line(&all, i, &n, &style);
		text_put(t, n ? style[0] : STYLE_PLAIN, "%.*s\n", (int)n, line);
	}
	if (!lines) {
		text_put(t, STYLE_BAD, "no device '%s'; there are", rq->argument ? rq->argument : "");
		for (unsigned i = 0; i < d->m->devices; i++)
			text_put(t, STYLE_BAD, " %s", d->m->device[i]->ops->name);
		text_add(t, "\n");
	}
	text_free(&all);
}

json_t *view_devices_json(struct debugger *d, const struct view_request *rq)
{
	json_t *all = json_object();

	for (unsigned i = 0; i < d->m->devices; i++) {
		const struct device *dev = d->m->device[i];
		if (!wanted(dev, rq->argument))
			continue;
		json_t *regs = json_object();
		for (const struct reg_desc *r = dev->ops->regs; r && r->name; r++) {
			json_t *cells = json_array();
			for (uint32_t k = 0; k < r->count && (k < CELLS || (rq->argument && *rq->argument)); k++)
				json_array_append_new(cells, json_hex(reg_value(dev, r, k)));
			if (r->count == 1)
				json_object_set(regs, r->name, json_array_get(cells, 0));
			else
				json_object_set(regs, r->name, cells);
			json_decref(cells);
		}
		/* Two channels of a kind share a name. */
		char name[64];
		snprintf(name, sizeof(name), "%s%s", dev->ops->name, json_object_get(all, dev->ops->name) ? ".1" : "");
		json_object_set_new(all, name, regs);
	}
	return all;
}
