/* emu/monitor/commands_check.c: commands of the paging checker. */
#include "emu/debug/check/checker.h"
#include "emu/monitor/commands.h"
#include "emu/debug/view/views.h"

#include <string.h>

static const char *first_line(const char *lines, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)strcspn(lines, "\n"), lines);
	return buf;
}

static void on_finding(void *owner, const struct finding *f)
{
	struct debugger *d = owner;
	struct text t = { 0 };
	char stop[sizeof(d->stop.text)];

	finding_describe(d, f, &t);
	const char *line = text_plain(&t);
	if (checker_action(d->checker) == CHECK_STOP)
		debugger_request_stop(d, STOP_CHECK, first_line(line, stop, sizeof(stop)));
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
		debugger_say(d, "%.*s", (int)strcspn(line, "\n"), line);
	text_free(&t);
}

int checker_attach(struct debugger *d, enum check_action action, char *err)
{
	checker_stop(d->checker);
	d->checker = checker_start(d->m, action, on_finding, d, err);
	return d->checker ? 0 : -1;
}

static void run_checks(struct debugger *d, const char *args, struct reply *r)
{
	static const char *const severities[] = { "note", "warning", "error" };
	const struct finding *f;
	json_t *list = json_array();

	(void)args;
	if (!d->checker) {
		json_decref(list);
		reply_fail(r, "the paging checker is off: see check");
		return;
	}
	size_t n = checker_findings(d->checker, &f);
	for (size_t i = 0; i < n; i++) {
		text_put(&r->text, f[i].severity == FINDING_ERROR ? STYLE_BAD : STYLE_WARN, "%s ", severities[f[i].severity]);
		finding_describe(d, &f[i], &r->text);
		json_array_append_new(list, json_pack("{s:s,s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:I}", "severity", severities[f[i].severity], "kind", f[i].kind,
			"icount", (json_int_t)f[i].at.icount, "eip", json_hex(f[i].eip), "la", json_hex(f[i].la), "entry", json_hex(f[i].entry),
			"cached", json_hex(f[i].cached), "now", json_hex(f[i].now), "times", (json_int_t)f[i].times));
	}
	checker_summary(d->checker, &r->text);
	reply_set(r, "findings", list);
}

/* check [paging] [warn|stop|off] */
static void run_check(struct debugger *d, const char *args, struct reply *r)
{
	char err[ERROR_LINE];

	(void)take_this(&args, "paging");
	if (!*args) {
		run_checks(d, args, r);
		return;
	}
	bool off = !strcmp(args, "off"), stop = !strcmp(args, "stop");
	if (!off && !stop && strcmp(args, "warn") && strcmp(args, "on")) {
		reply_fail(r, "'%s': check warn, check stop or check off", args);
		return;
	}
	if (off) {
		checker_stop(d->checker);
		d->checker = NULL;
	} else if (checker_attach(d, stop ? CHECK_STOP : CHECK_WARN, err)) {
		reply_fail(r, "%s", err);
	}
}

const struct command check_commands[] = {
	{ "check", "[paging] [warn|stop|off]", "the paging checker: what hardware lets pass in silence\ncheck stop\ncheck", run_check, NULL, NULL },
	{ "info checks", NULL, "what the paging checker has found", run_checks, NULL, NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
