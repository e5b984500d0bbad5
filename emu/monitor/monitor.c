/* emu/monitor/monitor.c: see monitor.h. */
#define _GNU_SOURCE                        /* getline */
#include "emu/monitor/monitor.h"

#include <ctype.h>
#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "emu/monitor/command.h"
#include "emu/monitor/history_file.h"
#include "emu/report.h"
#include "emu/run.h"
#include "emu/script/script.h"
#include "emu/session.h"
#include "emu/status.h"
#include "emu/terminal.h"

#define PROMPT      "(emu) "
#define GUEST_LINE  1024
#define WORDS_MOST  512
#define IDLE_MS     50
#define BLOCK_MOST  4000u              /* bytes between `commands N` and `end` */

struct monitor {
	struct debugger *d;
	struct session *s;
	struct face face;
	FILE *in;
	const char *name;              /* of the script; NULL: none */
	bool tty, ansi, progress;
	char guest[GUEST_LINE];        /* the line that the guest is writing */
	size_t guest_size;
	char *again;                   /* what an empty line does */
	struct moment idle;            /* since when the machine has executed nothing, as far as seen */
	unsigned line;                 /* number of the last one read */
	int status;
	bool done;
	EditLine *el;
	History *history;
	char history_file[512];
};

/* --- the face --------------------------------------------------------------------------------------------------------------------- */

static void end_guest_line(struct monitor *mon)
{
	if (!mon->guest_size)
		return;
	/* On a terminal the guest's control characters must not be obeyed in between the monitor's lines. */
	for (size_t i = 0; mon->ansi && i < mon->guest_size; i++)
		if (iscntrl((unsigned char)mon->guest[i]) && mon->guest[i] != '\t')
			mon->guest[i] = mon->guest[i] == '\r' ? ' ' : '?';
	printf("%s%.*s\n", mon->ansi ? "| " : "", (int)mon->guest_size, mon->guest);
	mon->guest_size = 0;
}

static void on_output(void *owner, uint8_t byte)
{
	struct monitor *mon = owner;

	if (byte == '\r')
		return;
	if (byte == '\n' && !mon->guest_size) {
		printf("%s\n", mon->ansi ? "|" : "");
		return;
	}
	if (byte != '\n')
		mon->guest[mon->guest_size++] = (char)byte;
	if (byte == '\n' || mon->guest_size == GUEST_LINE)
		end_guest_line(mon);
}

static void on_say(void *owner, const char *line)
{
	end_guest_line(owner);
	printf("%s\n", line);
}

/* Commands from a file or a pipe come one after the other: while one lets the machine run, nobody types. A second of the guest's time is more
 * than the serial port needs for what it is still sending. */
static bool waits_in_vain(struct monitor *mon)
{
	const struct machine *m = mon->d->m;

	if (mon->tty || !mon->s || mon->s->options.gdb || !console_at_end(&mon->s->console) || debugger_in_past(mon->d) || !machine_wants_input(m))
		return false;
	if (cpu_icount(&m->cpu) != mon->idle.icount)
		mon->idle = history_now(mon->d->h);
	return machine_now(m) - mon->idle.tick >= CLOCK_HZ;
}

static bool on_poll(void *owner)
{
	struct monitor *mon = owner;

	fflush(stdout);
	if (mon->s)
		console_flush(&mon->s->console);
	if (waits_in_vain(mon))
		debugger_request_stop(mon->d, STOP_INTERRUPTED, "the guest is idle, and nothing can wake it but input, of which there is no more");
	return signal_pending();
}

static void clear_progress(struct monitor *mon)
{
	if (mon->progress)
		fputs("\r\033[K", stderr);
	mon->progress = false;
}

static bool on_progress(void *owner, const char *what, uint64_t done, uint64_t total)
{
	struct monitor *mon = owner;

	if (mon->ansi && total) {
		fprintf(stderr, "\r%s: %.0f %%\033[K", what, 100.0 * (double)done / (double)total);
		mon->progress = true;
	}
	return !signal_pending();
}

/* --- one line ------------------------------------------------------------------------------------------------------------------------ */

/* What an empty line repeats: steps as they were, x and list from where they ended. */
static void remember(struct monitor *mon, const char *line, const struct reply *r)
{
	size_t word = strcspn(line, " \t");
	bool goes_on = *line == 'x' && (word == 1 || line[1] == '/' || line[1] == 'p');

	free(mon->again);
	mon->again = r->failed ? NULL : r->moved ? strdup(line) : goes_on ? strndup(line, word) : NULL;
}

static void failed(struct monitor *mon, struct reply *r)
{
	const char *text = text_plain(&r->text);

	if (mon->status != STATUS_CHECK)
		mon->status = r->assertion ? STATUS_CHECK : STATUS_ERROR;
	if (r->want_json)
		reply_write(r, stdout, false);
	if (mon->name) {
		fflush(stdout);
		complain(0, "%s, line %u: %.*s", mon->name, mon->line, (int)strcspn(text, "\n"), text);
		mon->done = true;
	} else if (!r->want_json)
		reply_write(r, stdout, mon->ansi);
}

static void do_line(struct monitor *mon, const char *line)
{
	struct reply r = { .want_json = false };

	command_execute(mon->d, line, &r);
	clear_progress(mon);
	end_guest_line(mon);
	if (r.failed)
		failed(mon, &r);
	else
		reply_write(&r, stdout, mon->ansi);
	remember(mon, line, &r);
	mon->done |= r.quit;
	reply_free(&r);
	if (mon->name && script_failure(mon->d) && !mon->done) {
		complain(0, "%s, line %u: %s", mon->name, mon->line, script_failure(mon->d));
		mon->status = STATUS_CHECK;
		mon->done = true;
	}
	fflush(stdout);
}

/* --- reading lines --------------------------------------------------------------------------------------------------------------------- */

/* A line without its end, the caller's to free; NULL: there are no more. */
static char *next_line(struct monitor *mon)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (mon->el) {
		int count;
		const char *typed = el_gets(mon->el, &count);
		while (!typed && signal_take_interrupt())          /* Ctrl-C: the line is given up */
			typed = (el_reset(mon->el), putchar('\n'), el_gets(mon->el, &count));
		line = typed ? strdup(typed) : NULL;
		n = line ? (ssize_t)strlen(line) : -1;
	} else
		n = getline(&line, &size, mon->in);
	if (n < 0) {
		if (mon->tty)
			putchar('\n');            /* Ctrl-D */
		free(line);
		return NULL;
	}
	while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		line[--n] = 0;
	mon->line++;
	return line;
}

/* Is this `commands N` with nothing after it? */
static bool begins_block(const char *line)
{
	line += strspn(line, " \t");
	if (strncmp(line, "commands", 8) || !isspace((unsigned char)line[8]))
		return false;
	line += 8;
	line += strspn(line, " \t");
	line += strspn(line, "0123456789");
	return !line[strspn(line, " \t")];
}

/* The lines up to `end` become the one line that command_execute knows. */
static void block(struct monitor *mon, const char *first)
{
	char all[BLOCK_MOST];
	size_t n = (size_t)snprintf(all, sizeof(all), "%.200s", first);

	for (char *line; (line = next_line(mon)); free(line)) {
		const char *p = line + strspn(line, " \t");
		if (!strcmp(p, "end")) {
			free(line);
			break;
		}
		if (n < sizeof(all))
			n += (size_t)snprintf(all + n, sizeof(all) - n, " %s ;", p);
	}
	if (n < sizeof(all))
		do_line(mon, all);
	else
		do_line(mon, "commands");              /* which says what it wants */
}

static void loop(struct monitor *mon)
{
	char *line;

	while (!mon->done && (line = next_line(mon))) {
		HistEvent ev;
		bool empty = !line[strspn(line, " \t")];
		if (mon->history && !empty)
			history(mon->history, &ev, H_ENTER, line);
		if (begins_block(line))
			block(mon, line);
		else if (empty && mon->tty && mon->again) {
			char *again = strdup(mon->again);
			if (again)
				do_line(mon, again);
			free(again);
		} else if (!empty)
			do_line(mon, line);
		free(line);
		(void)signal_take_interrupt();         /* it has done its work */
		if (signal_pending() || (mon->s && session_timed_out(mon->s)))
			mon->done = true;
	}
}

/* --- libedit ---------------------------------------------------------------------------------------------------------------------------- */

static char *prompt(EditLine *el)
{
	(void)el;
	return PROMPT;
}

struct words { char *word[WORDS_MOST]; size_t n; };

static void collect(void *ctx, const char *word)
{
	struct words *w = ctx;

	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->word[i], word))
			return;
	if (w->n < WORDS_MOST && (w->word[w->n] = strdup(word)))
		w->n++;
}

/* How much all words have in common. */
static size_t common(const struct words *w)
{
	size_t n = strlen(w->word[0]);

	for (size_t i = 1; i < w->n; i++)
		for (size_t k = 0; k < n; k++)
			if (w->word[i][k] != w->word[0][k])
				n = k;
	return n;
}

static unsigned char complete(EditLine *el, int ch)
{
	struct monitor *mon;
	const LineInfo *info = el_line(el);
	struct words w = { .n = 0 };
	char line[1024];
	unsigned char result = CC_ERROR;

	(void)ch;
	el_get(el, EL_CLIENTDATA, &mon);
	snprintf(line, sizeof(line), "%.*s", (int)(info->cursor - info->buffer), info->buffer);
	command_complete(mon->d, line, collect, &w);
	const char *last = line + strlen(line);
	while (last > line && !isspace((unsigned char)last[-1]))
		last--;
	size_t have = strlen(last), all = w.n ? common(&w) : 0;
	if (all > have || w.n == 1) {
		char more[300];
		snprintf(more, sizeof(more), "%.*s%s", (int)(all > have ? all - have : 0), w.word[0] + (all > have ? have : 0), w.n == 1 ? " " : "");
		result = el_insertstr(el, more) ? CC_ERROR : CC_REFRESH;
	} else if (w.n > 1) {
		putchar('\n');
		for (size_t i = 0; i < w.n; i++)
			printf("%s%s", w.word[i], i + 1 < w.n ? "  " : "\n");
		fflush(stdout);
		result = CC_REDISPLAY;
	}
	for (size_t i = 0; i < w.n; i++)
		free(w.word[i]);
	return result;
}

/* A character, once somebody has typed one; meanwhile the other faces go on. */
static int get_character(EditLine *el, wchar_t *c)
{
	struct monitor *mon;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	mbstate_t state = { 0 };
	char byte;

	el_get(el, EL_CLIENTDATA, &mon);
	fflush(stdout);
	for (;;) {
		if (signal_pending())
			return -1;
		int n = poll(&p, 1, IDLE_MS);
		if (!n)
			debugger_idle(mon->d);
		if (n <= 0)
			continue;
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return 0;
		size_t length = mbrtowc(c, &byte, 1, &state);
		if (length == (size_t)-1)
			memset(&state, 0, sizeof(state));          /* no character: left out */
		else if (length != (size_t)-2)
			return 1;
	}
}

static void editor_open(struct monitor *mon)
{
	HistEvent ev;

	mon->el = el_init("emu", stdin, stdout, stderr);
	mon->history = history_init();
	if (!mon->el || !mon->history)
		return;
	history(mon->history, &ev, H_SETSIZE, HISTORY_FILE_LINES);
	history(mon->history, &ev, H_SETUNIQUE, 1);
	if (history_file(mon->history_file, sizeof(mon->history_file)))
		history(mon->history, &ev, H_LOAD, mon->history_file);
	el_set(mon->el, EL_SIGNAL, 1);             /* the terminal is put right around Ctrl-Z and on resizing */
	el_set(mon->el, EL_PROMPT, prompt);
	el_set(mon->el, EL_EDITOR, "emacs");
	el_set(mon->el, EL_HIST, history, mon->history);
	el_set(mon->el, EL_CLIENTDATA, mon);
	el_set(mon->el, EL_GETCFN, get_character);
	el_set(mon->el, EL_ADDFN, "emu-complete", "complete a word", complete);
	el_set(mon->el, EL_BIND, "^I", "emu-complete", NULL);
	el_set(mon->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
}

static void editor_close(struct monitor *mon)
{
	HistEvent ev;

	if (mon->history && *mon->history_file)
		history(mon->history, &ev, H_SAVE, mon->history_file);
	if (mon->history)
		history_end(mon->history);
	if (mon->el)
		el_end(mon->el);
}

int monitor_run(struct debugger *d, struct session *s, FILE *script, const char *name)
{
	struct monitor mon = { .d = d, .s = s, .in = script ? script : stdin, .name = script ? name : NULL };
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	mon.tty = !script && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	mon.ansi = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") && !(no_color && *no_color);
	mon.face = (struct face){ .name = "monitor", .owner = &mon, .poll = on_poll, .output = on_output, .progress = on_progress,
		.say = on_say };
	debugger_attach(d, &mon.face);
	if (mon.tty)
		editor_open(&mon);
	loop(&mon);
	end_guest_line(&mon);
	editor_close(&mon);
	free(mon.again);
	debugger_detach(d, &mon.face);
	/* A grader that reads half an answer must not take it for the whole. */
	if ((fflush(stdout) || ferror(stdout)) && !mon.status)
		mon.status = complain(STATUS_ERROR, "cannot write to standard output");
	if (!mon.status && script_failure(d))
		mon.status = STATUS_CHECK;
	if (!mon.status && d->stop.kind == STOP_MACHINE)
		mon.status = ended_status(d->m, d->stop.ended);
	return mon.status;
}
