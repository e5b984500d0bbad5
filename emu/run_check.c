/* emu/run_check.c: see run_check.h. */
#include "emu/run_check.h"

#include <string.h>

#include "emu/debug/check/checker.h"
#include "emu/debug/guest/source.h"
#include "emu/run.h"

static void tell_lines(const char *prefix, struct text *t)
{
	for (const char *line = text_plain(t); *line; line += strcspn(line, "\n"), line += *line == '\n')
		complain(0, "%s%.*s", prefix, (int)strcspn(line, "\n"), line);
	text_free(t);
}

static void on_finding(void *owner, const struct finding *f)
{
	struct run_check *k = owner;
	struct text t = { 0 };

	if (!k->names.source && k->names.m->kernel)
		k->names.source = source_open(k->names.m->kernel);
	finding_describe(&k->names, f, &t);
	tell_lines(f->severity == FINDING_ERROR ? "check: error: " : "check: warning: ", &t);
}

int run_check_start(struct run_check *k, struct session *s, char *err)
{
	if (s->options.check == CHECKS_OFF)
		return 0;
	k->names.m = s->machine;
	k->checker = checker_start(s->machine, s->options.check == CHECKS_STOP ? CHECK_STOP : CHECK_WARN, on_finding, k, err);
	return k->checker ? 0 : -1;
}

bool run_check_ended(const struct run_check *k)
{
	return k->checker && checker_wants_stop(k->checker);
}

void run_check_end(struct run_check *k)
{
	struct text t = { 0 };

	if (!k->checker)
		return;
	checker_summary(k->checker, &t);
	tell_lines("", &t);
	checker_stop(k->checker);
	source_close(k->names.source);
	*k = (struct run_check){ 0 };
}
