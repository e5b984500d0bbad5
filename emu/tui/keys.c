/* emu/tui/keys.c: the table of keys, and what they do. The bottom line and the help are printed from it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/console.h"
#include "emu/session.h"
#include "emu/tui/app.h"

#define KEY_TO_DEBUGGER KEY_CTRL(']')

struct key {
	int key;                       /* 0: a heading of the help, named by help */
	const char *label;
	const char *brief;             /* for the bottom line; NULL: not there; "+...": only when all of those find room */
	const char *help;
	void (*act)(struct tui *t, int argument);
	int argument;
	bool running;                  /* does what it does while the guest runs, and does not stop it */
};

/* --- run control --------------------------------------------------------------------------------------------------------- */

static void act_go(struct tui *t, int how) { run_go(t, (enum go)how, 0); }
static void act_walk(struct tui *t, int direction) { run_walk(t, direction); }

static void act_until(struct tui *t, int how)
{
	uint64_t la;

	if (pane_address(tui_focus(t), &la))
		run_go(t, (enum go)how, (uint32_t)la);
	else
		tui_message(t, STYLE_WARN, "no address on this line: move the cursor to an instruction first");
}

static void act_prompt_goto(struct tui *t, int argument) { (void)argument; prompt_open(t, MODE_COMMAND, "goto "); }
static void act_prompt_break(struct tui *t, int argument) { (void)argument; prompt_open(t, MODE_COMMAND, "break "); }
static void act_prompt(struct tui *t, int mode) { prompt_open(t, (enum mode)mode, ""); }

static const struct breakpoint *break_at(const struct tui *t, uint64_t la)
{
	for (const struct breakpoint *b = t->d->breaks; b; b = b->next)
		if (b->kind == BREAK_EXECUTE && !b->silent && b->space == SPACE_LINEAR && b->address == la)
			return b;
	return NULL;
}

static void act_break(struct tui *t, int argument)
{
	char line[64];
	uint64_t la = debugger_pc(t->d);
	struct pane *p = tui_focus(t);

	(void)argument;
	if (p->wandered && !pane_address(p, &la)) {
		tui_message(t, STYLE_WARN, "no address on this line");
		return;
	}
	const struct breakpoint *b = break_at(t, la);
	if (b)
		snprintf(line, sizeof(line), "delete %u", b->id);
	else
		snprintf(line, sizeof(line), "break *0x%" PRIx64, la);
	prompt_execute(t, line);
}

static void act_interact(struct tui *t, int argument) { (void)argument; run_interact(t); }

/* --- time ---------------------------------------------------------------------------------------------------------------- */

static void scrub(struct tui *t, int columns)
{
	uint64_t checkpoint[CHECKPOINTS];
	struct timebar b;

	tui_timebar(t, &b, checkpoint);
	uint64_t by = timebar_column(&b, (unsigned)t->screen.cols) * (uint64_t)abs(columns);
	if (columns < 0)
		run_goto(t, b.now - b.first > by ? b.now - by : b.first);
	else
		run_goto(t, b.present - b.now > by ? b.now + by : b.present);
}

static bool time_key(struct tui *t, int key)
{
	switch (key) {
	case K_LEFT:
		scrub(t, -1);
		return true;
	case K_RIGHT:
		scrub(t, 1);
		return true;
	case K_SHIFT_LEFT: case K_PAGE_UP: case K_UP:
		scrub(t, -t->screen.cols / 10);
		return true;
	case K_SHIFT_RIGHT: case K_PAGE_DOWN: case K_DOWN:
		scrub(t, t->screen.cols / 10);
		return true;
	case K_HOME:
		run_goto(t, history_first(t->d->h).icount);
		return true;
	case K_END:
		run_goto(t, history_present(t->d->h).icount);
		return true;
	default:
		return false;
	}
}

/* --- looking -------------------------------------------------------------------------------------------------------------- */

static void act_focus(struct tui *t, int step)
{
	enum slot next = layout_next(&t->layout, t->wish.focus, step);
	bool round = step > 0 ? next <= t->wish.focus : next >= t->wish.focus;

	/* The time bar comes after the last pane. */
	if (!t->on_time && round) {
		t->on_time = true;
		return;
	}
	t->on_time = false;
	t->wish.focus = next;
	tui_arrange(t);
}

static void act_time(struct tui *t, int argument)
{
	(void)argument;
	t->on_time = !t->on_time;
}

/* In a window with one pane, "focus" is also which one that is. */
static void act_view(struct tui *t, int number)
{
	static const char *const names[10] = { "devices", "walk", "tables", "tlb", "frames", "processes", "memory", "stack", "console", "trace" };

	if (!tui_show_view(t, t->wish.focus, names[number], NULL, false))
		tui_message(t, STYLE_WARN, "there is no view '%s'", names[number]);
}

static void act_named_view(struct tui *t, int which)
{
	static const char *const names[] = { "why", "breakpoints", "regions", "history", "registers", "disassembly" };
	enum slot slot = t->wish.focus == SLOT_CODE || t->wish.focus == SLOT_REGISTERS ? SLOT_MAIN : t->wish.focus;

	if (!tui_show_view(t, slot, names[which], NULL, true))
		tui_message(t, STYLE_WARN, "there is no view '%s'", names[which]);
}

static void act_menu(struct tui *t, int argument)
{
	(void)argument;
	text_clear(&t->overlay.text);
	for (const struct view *v = views; v->name; v++) {
		text_put(&t->overlay.text, STYLE_NAME, "  %-12s ", v->name);
		text_add(&t->overlay.text, "%s\n", v->help);
	}
	overlay_open(t, MODE_MENU, "Views: Enter shows one in this pane");
}

static void act_next_view(struct tui *t, int step)
{
	struct pane *p = tui_focus(t);
	size_t count = 0, at = 0;

	for (; views[count].name; count++)
		if (&views[count] == p->place.view)
			at = count;
	pane_choose(p, &views[(at + count + (size_t)(step + (int)count)) % count], NULL, false);
}

/* Where Enter leads from a line: to another view about the line's first address, or number; to no view: to the moment of that number. */
static const struct drill { const char *from, *to; bool number; } drills[] = {
	{ "tables", "tables", false }, { "tlb", "walk", false }, { "frames", "frames", false }, { "processes", "regions", true },
	{ "regions", "tables", false }, { "stack", "memory", false }, { "memory", "walk", false }, { "breakpoints", "disassembly", false },
	{ "disassembly", "walk", false }, { "registers", "memory", false }, { "walk", "memory", false }, { "trace", NULL, true }, { "history", NULL, true },
};

static const struct drill *find_drill(const struct pane *p)
{
	for (size_t i = 0; i < sizeof(drills) / sizeof(drills[0]); i++)
		if (!strcmp(drills[i].from, p->place.view->name))
			return &drills[i];
	return NULL;
}

static void act_enter(struct tui *t, int argument)
{
	struct pane *p = tui_focus(t);
	const struct drill *drill = find_drill(p);
	char text[32];
	uint64_t value;

	(void)argument;
	if (!drill)
		return;
	if (!(drill->number ? pane_number(p, &value) : pane_address(p, &value))) {
		tui_message(t, STYLE_WARN, "no %s on this line: Up and Down move the cursor", drill->number ? "number" : "address");
		return;
	}
	if (!drill->to) {
		run_goto(t, value);
		return;
	}
	snprintf(text, sizeof(text), drill->number ? "%" PRIu64 : "0x%" PRIx64, value);
	/* From one page table the way goes on to one walk. */
	bool deeper = !strcmp(drill->to, p->place.view->name) && *p->place.argument;
	tui_show_view(t, t->wish.focus, deeper ? "walk" : drill->to, text, true);
}

static void act_back(struct tui *t, int argument)
{
	(void)argument;
	if (!pane_return(tui_focus(t)))
		tui_message(t, STYLE_DIM, "no earlier view in this pane");
}

static void act_move(struct tui *t, int lines) { pane_move(tui_focus(t), lines); }

static void act_page(struct tui *t, int direction)
{
	struct pane *p = tui_focus(t);

	pane_scroll(p, direction * (p->rows > 2 ? (long)p->rows - 1 : 1));
}

static void act_far(struct tui *t, int direction) { pane_move(tui_focus(t), direction * 1000000L); }
static void act_shift(struct tui *t, int columns) { pane_shift(tui_focus(t), columns); }

static void act_zoom(struct tui *t, int argument)
{
	(void)argument;
	t->wish.zoom = !t->wish.zoom;
	tui_arrange(t);
}

static void act_projector(struct tui *t, int argument)
{
	(void)argument;
	t->wish.projector = !t->wish.projector;
	screen_projector(&t->screen, t->wish.projector);
	tui_arrange(t);
}

static void act_mark(struct tui *t, int on) { prompt_execute(t, on ? "mark" : "mark off"); }

/* The view again, about something else. */
static void act_argument(struct tui *t, int argument)
{
	const struct pane *p = tui_focus(t);
	char line[64 + PANE_ARGUMENT];

	(void)argument;
	snprintf(line, sizeof(line), "view %s %s", p->place.view->name, p->place.argument);
	prompt_open(t, MODE_COMMAND, line);
}

static void act_syntax(struct tui *t, int argument)
{
	(void)argument;
	t->d->intel = !t->d->intel;
}

static void act_export(struct tui *t, int argument)
{
	char name[64];

	(void)argument;
	snprintf(name, sizeof(name), "%s.svg", tui_focus(t)->place.view->name);
	prompt_open(t, MODE_EXPORT, name);
}

static void act_help(struct tui *t, int argument) { (void)argument; keys_help(t); }
static void act_repaint(struct tui *t, int argument) { (void)argument; screen_repaint(&t->screen); }
static void act_suspend(struct tui *t, int argument) { (void)argument; screen_suspend(&t->screen); }

static void act_quit(struct tui *t, int argument)
{
	unsigned breaks = 0;

	(void)argument;
	for (const struct breakpoint *b = t->d->breaks; b; b = b->next)
		breaks += !b->silent;
	t->interrupt = true;
	if (t->leaving || (!breaks && !t->interacted)) {
		t->quit = true;
		return;
	}
	t->leaving = true;
	tui_message(t, STYLE_WARN, "q again quits; lost would be:%s%s", breaks ? " breakpoints" : "", t->interacted ? " what you typed to the guest" : "");
}

/* --- the table ------------------------------------------------------------------------------------------------------------ */

#define HEADING(words) { .help = words }

static const struct key keys[] = {
	HEADING("Forwards"),
	{ 's', "s", "step", "step one instruction, into calls and fault handlers", act_go, GO_STEP, false },
	{ 'n', "n", "next", "next: over calls and fault handlers", act_go, GO_OVER, false },
	{ 'o', "o", "+out", "out of this function", act_go, GO_OUT, false },
	{ 'c', "c", "run", "run to the next breakpoint; Esc or any of these keys stops it", act_go, GO_CONTINUE, false },
	{ 'u', "u", NULL, "until the instruction under the cursor", act_until, GO_UNTIL, false },
	{ 'w', "w", "walk", "walk step: inside the instruction, a table entry or push at a time", act_walk, 1, false },
	HEADING("Backwards"),
	{ 'S', "S", "back", "step back", act_go, GO_BACK_STEP, false },
	{ 'N', "N", NULL, "back over calls", act_go, GO_BACK_OVER, false },
	{ 'O', "O", NULL, "back to this function's caller", act_go, GO_BACK_OUT, false },
	{ 'C', "C", NULL, "back to the last breakpoint", act_go, GO_BACK_CONTINUE, false },
	{ 'U', "U", NULL, "back until the instruction under the cursor", act_until, GO_BACK_UNTIL, false },
	{ 'W', "W", NULL, "one walk step back", act_walk, -1, false },
	{ '<', "<", NULL, "as S", act_go, GO_BACK_STEP, false },
	{ '>', ">", NULL, "as s", act_go, GO_STEP, false },
	{ 'g', "g", "goto", "go to an instruction count, past or present", act_prompt_goto, 0, false },
	{ 't', "t", NULL, "the time bar: Left, Right, PgUp, PgDn, Home, End move through the run", act_time, 0, true },
	HEADING("Stopping"),
	{ 'b', "b", "break", "breakpoint at the line under the cursor, or none there any more", act_break, 0, false },
	{ 'B', "B", NULL, "breakpoint by a command; help break tells the kinds", act_prompt_break, 0, false },
	HEADING("Looking"),
	{ 'y', "y", "why", "why: the last fault told as a story", act_named_view, 0, true },
	{ K_TAB, "Tab", NULL, "next pane; after the last one the time bar", act_focus, 1, true },
	{ K_BACK_TAB, "Shift-Tab", NULL, "pane before", act_focus, -1, true },
	{ '1', "1", NULL, "page walk", act_view, 1, true },
	{ '2', "2", NULL, "page tables", act_view, 2, true },
	{ '3', "3", NULL, "TLB", act_view, 3, true },
	{ '4', "4", NULL, "frames", act_view, 4, true },
	{ '5', "5", NULL, "processes", act_view, 5, true },
	{ '6', "6", NULL, "memory", act_view, 6, true },
	{ '7', "7", NULL, "stack", act_view, 7, true },
	{ '8', "8", NULL, "console", act_view, 8, true },
	{ '9', "9", NULL, "trace", act_view, 9, true },
	{ '0', "0", NULL, "devices", act_view, 0, true },
	{ 'v', "v", "views", "menu of all views", act_menu, 0, false },
	{ 'l', "l", NULL, "list of breakpoints", act_named_view, 1, true },
	{ '[', "[", NULL, "view before this one", act_next_view, -1, true },
	{ ']', "]", NULL, "view after this one", act_next_view, 1, true },
	{ K_UP, "Up", NULL, "cursor up", act_move, -1, true },
	{ K_DOWN, "Down", NULL, "cursor down", act_move, 1, true },
	{ K_PAGE_UP, "PgUp", NULL, "page up", act_page, -1, true },
	{ K_PAGE_DOWN, "PgDn", NULL, "page down", act_page, 1, true },
	{ K_HOME, "Home", NULL, "to the beginning", act_far, -1, true },
	{ K_END, "End", NULL, "to the end", act_far, 1, true },
	{ K_LEFT, "Left", NULL, "scroll left", act_shift, -8, true },
	{ K_RIGHT, "Right", NULL, "scroll right", act_shift, 8, true },
	{ K_ENTER, "Enter", NULL, "into what the line is about; in trace and history: to that moment", act_enter, 0, false },
	{ K_BACKSPACE, "Backspace", NULL, "back from there", act_back, 0, true },
	{ '=', "=", NULL, "this view about another address, process, ...", act_argument, 0, false },
	{ '/', "/", NULL, "search in this pane; an empty line: again", act_prompt, MODE_SEARCH, false },
	{ 'z', "z", NULL, "this pane alone, or all", act_zoom, 0, true },
	{ 'p', "p", NULL, "projector: fewer and larger", act_projector, 0, true },
	{ 'm', "m", NULL, "mark this moment: views show differences since", act_mark, 1, false },
	{ 'M', "M", NULL, "no mark", act_mark, 0, false },
	{ 'a', "a", NULL, "AT&T's syntax or Intel's", act_syntax, 0, true },
	{ 'e', "e", NULL, "export this view to a file, text or SVG", act_export, 0, false },
	HEADING("And"),
	{ 'i', "i", "+guest", "type to the guest; Ctrl-] comes back", act_interact, 0, true },
	{ ':', ":", "+command", "command line, with history (Up) and completion (Tab)", act_prompt, MODE_COMMAND, false },
	{ '?', "?", "help", "this help", act_help, 0, false },
	{ K_F1, "F1", NULL, "this help", act_help, 0, false },
	{ KEY_CTRL('L'), "Ctrl-L", NULL, "paint the screen again", act_repaint, 0, true },
	{ KEY_CTRL('Z'), "Ctrl-Z", NULL, "stop the debugger as a job of the shell", act_suspend, 0, true },
	{ 'q', "q", "+quit", "quit", act_quit, 0, true },
	HEADING("Mouse: click a pane, a line, the time bar; the wheel scrolls; with Shift the terminal selects text"),
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static const struct key *find(int key)
{
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].act && keys[i].key == key)
			return &keys[i];
	return NULL;
}

/* --- mouse ---------------------------------------------------------------------------------------------------------------- */

static void press_mouse(struct tui *t)
{
	uint64_t checkpoint[CHECKPOINTS], icount;
	struct timebar b;
	int y = t->screen.mouse_y, x = t->screen.mouse_x, slot = layout_at(&t->layout, y, x);

	tui_timebar(t, &b, checkpoint);
	if (slot >= 0 && t->screen.mouse_wheel) {
		pane_scroll(&t->pane[slot], 3L * t->screen.mouse_wheel);
	} else if (slot >= 0) {
		struct pane *p = &t->pane[slot];
		t->wish.focus = (enum slot)slot;
		t->on_time = false;
		if (y > t->layout.slot[slot].y)
			pane_move(p, (long)p->place.top + y - t->layout.slot[slot].y - 1 - (long)p->place.cursor);
	} else if (y == t->layout.time_row && !t->running && timebar_moment(&b, (unsigned)t->screen.cols, (unsigned)x, &icount)) {
		run_goto(t, icount);
	}
}

/* --- from outside --------------------------------------------------------------------------------------------------------- */

static void press_key(struct tui *t, int key)
{
	const struct key *k = find(key);
	bool quitting = t->leaving;

	if (key == K_MOUSE) {
		press_mouse(t);
		return;
	}
	if (t->on_time && time_key(t, key))
		return;
	if (key == K_ESCAPE || !k) {
		t->on_time = t->leaving = false;
		if (key == K_ESCAPE)
			*t->message = 0;
		else if (key == KEY_CTRL('C'))
			tui_message(t, STYLE_DIM, "the guest is stopped already; q quits");
		else if (key > ' ' && key <= '~')
			prompt_open(t, MODE_COMMAND, (char[]){ (char)key, 0 });
		return;
	}
	if (!k->running)                       /* looking around leaves standing why the machine stopped */
		*t->message = 0;
	k->act(t, k->argument);
	t->leaving = t->leaving && !quitting;
}

void keys_press(struct tui *t, int key)
{
	if (t->layout.too_small) {
		if (key != 'q')
			return;
		t->mode = MODE_KEYS;           /* what is open cannot be seen */
	}
	switch (t->mode) {
	case MODE_KEYS:
		press_key(t, key);
		break;
	case MODE_OVERLAY: case MODE_MENU:
		overlay_key(t, key);
		break;
	default:
		prompt_key(t, key);
	}
}

/* A key as the bytes a terminal sends for it. */
static void send_to_guest(struct tui *t, int key)
{
	static const struct { int key; const char *bytes; } table[] = {
		{ K_ENTER, "\r" }, { K_TAB, "\t" }, { K_BACKSPACE, "\x7f" }, { K_ESCAPE, "\x1b" }, { K_UP, "\x1b[A" }, { K_DOWN, "\x1b[B" },
		{ K_RIGHT, "\x1b[C" }, { K_LEFT, "\x1b[D" }, { K_HOME, "\x1b[H" }, { K_END, "\x1b[F" }, { K_DELETE, "\x1b[3~" },
	};
	char one[2] = { (char)key, 0 };
	const char *bytes = key < KEYS_FIRST ? one : "";

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].key == key)
			bytes = table[i].bytes;
	for (; *bytes; bytes++)
		console_type(&t->session->console, (uint8_t)*bytes);
}

void keys_press_running(struct tui *t, int key)
{
	const struct key *k = find(key);

	if (t->interacting) {
		if (key == KEY_TO_DEBUGGER)
			t->interrupt = true;
		else
			send_to_guest(t, key);
	} else if (t->work_total) {
		t->interrupt = t->interrupt || key == K_ESCAPE || key == KEY_CTRL('C') || key == 'q';
		t->quit = t->quit || key == 'q';
	} else if (key == K_MOUSE) {
		press_mouse(t);
	} else if (k && k->running) {
		k->act(t, k->argument);
	} else {
		t->interrupt = true;
	}
}

static size_t brief_columns(void)
{
	size_t n = 1;

	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].brief)
			n += strlen(keys[i].label) + 1 + strlen(keys[i].brief) - (*keys[i].brief == '+') + 2;
	return n;
}

static void mode_keys(const struct tui *t, struct text *line)
{
	static const char *const words[][8] = {
		[MODE_COMMAND] = { "Enter", "does it", "Tab", "completes", "Up", "earlier commands", "Esc", "leaves" },
		[MODE_SEARCH] = { "Enter", "finds the next line with it", "Esc", "leaves" },
		[MODE_EXPORT] = { "Enter", "writes a new file", "Esc", "leaves" },
		[MODE_OVERLAY] = { "Up Down PgUp PgDn", "scroll", "Esc", "closes" },
		[MODE_MENU] = { "Up Down", "choose", "Enter", "shows it", "Esc", "closes" },
	};

	for (int i = 0; i < 8 && words[t->mode][i]; i += 2) {
		text_put(line, CHROME_KEY, " %s", words[t->mode][i]);
		text_put(line, CHROME_KEY_HELP, " %s ", words[t->mode][i + 1]);
	}
}

void keys_bottom_line(const struct tui *t, struct text *line)
{
	if (t->interacting) {
		text_put(line, CHROME_GUEST, " Ctrl-] ");
		text_put(line, CHROME_KEY_HELP, " back to the debugger; all other keys go to the guest");
		return;
	}
	if (t->work_total) {
		text_put(line, CHROME_KEY, " Esc ");
		text_put(line, CHROME_KEY_HELP, "gives it up: the machine stays where it was");
		return;
	}
	if (t->running) {
		text_put(line, CHROME_KEY, " Esc ");
		text_put(line, CHROME_KEY_HELP, "stops (so does any key of run control)  ");
		text_put(line, CHROME_KEY, "i ");
		text_put(line, CHROME_KEY_HELP, "types to the guest");
		return;
	}
	if (t->mode != MODE_KEYS) {
		mode_keys(t, line);
		return;
	}
	text_put(line, CHROME_KEY_HELP, " ");
	bool all = brief_columns() <= (size_t)t->screen.cols;
	for (size_t i = 0; i < KEYS; i++) {
		const struct key *k = &keys[i];
		if (!k->brief || (*k->brief == '+' && !all))
			continue;
		text_put(line, CHROME_KEY, "%s", k->label);
		text_put(line, CHROME_KEY_HELP, " %s  ", k->brief + (*k->brief == '+'));
	}
}

void keys_help(struct tui *t)
{
	struct text *text = &t->overlay.text;

	text_clear(text);
	for (size_t i = 0; i < KEYS; i++) {
		const struct key *k = &keys[i];
		if (!k->act) {
			text_put(text, STYLE_TITLE, "%s%s\n", i ? "\n" : "", k->help);
			continue;
		}
		text_put(text, STYLE_NAME, "  %-10s", k->label);
		text_add(text, " %s\n", k->help);
	}
	overlay_open(t, MODE_OVERLAY, "Keys (any other key closes this)");
}
