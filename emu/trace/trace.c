/* emu/trace/trace.c: see trace.h. The observer that all formats share; it only looks. */
#include "emu/trace/trace.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "emu/options.h"

static const struct trace_format *format_of(const char *path)
{
	static const struct trace_format *const formats[] = { &trace_jsonl, &trace_chrome };
	size_t n = path ? strlen(path) : 0;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		size_t suffix = strlen(formats[i]->suffix);
		if (n > suffix && !strcmp(path + n - suffix, formats[i]->suffix))
			return formats[i];
	}
	return &trace_text;
}

int trace_open(struct trace *t, unsigned mask, const char *path, char *err)
{
	*t = (struct trace){ .mask = mask };
	if (!mask)
		return 0;
	t->own = path;
	t->format = format_of(path);
	t->out = path ? fopen(path, "we") : stderr;
	if (!t->out) {
		snprintf(err, ERROR_LINE, "cannot write trace file '%s': %s", path, strerror(errno));
		return -1;
	}
	t->json = (struct json_out){ .out = t->out, .first = true };
	if (!t->format->open || !t->format->open(t))
		return 0;
	if (t->own)
		fclose(t->out);
	t->out = NULL;
	snprintf(err, ERROR_LINE, "out of memory");
	return -1;
}

/* Where the stream has lost the reason, the file still knows it. */
static int write_error(struct trace *t)
{
	if (!fflush(t->out) && !ferror(t->out))
		return 0;
	return write(fileno(t->out), "\n", 1) < 0 ? -errno : -EIO;
}

int trace_flush(struct trace *t)
{
	int r = t->out ? write_error(t) : 0;

	if (!r)
		return 0;
	if (t->machine)
		machine_unobserve(t->machine, &t->observer);
	if (t->format->close)
		t->format->close(t);
	if (t->own)
		fclose(t->out);
	t->out = NULL;
	return t->error = r;
}

int trace_close(struct trace *t)
{
	int r = t->error;

	if (t->out && t->format->close)
		t->format->close(t);
	if (t->out && (fflush(t->out) || ferror(t->out)))
		r = errno ? -errno : -EIO;
	if (t->own && t->out && fclose(t->out))
		r = -errno;
	t->out = NULL;
	return r;
}

/* --- the observer -------------------------------------------------------------------------------------------------------- */

static void on_instruction(void *owner, struct machine *m)
{
	struct trace *t = owner;

	t->format->instruction(t, m);
}

static void on_walk(void *owner, struct machine *m, const struct walk *w)
{
	struct trace *t = owner;

	t->format->walk(t, m, w);
}

/* Watching each instruction makes them run one at a time, so that the count on a walk's line is exact. */
static void on_nothing(void *owner, struct machine *m)
{
	(void)owner;
	(void)m;
}

static bool on_exception(void *owner, struct machine *m, const struct fault_record *r)
{
	struct trace *t = owner;

	t->format->exception(t, m, r);
	return false;
}

static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	struct trace *t = owner;

	t->format->delivered(t, m, r);
}

static void on_iret(void *owner, struct machine *m)
{
	struct trace *t = owner;

	t->format->iret(t, m);
}

static void on_control(void *owner, struct machine *m, const struct register_write *w)
{
	struct trace *t = owner;

	t->format->control(t, m, w);
}

static void on_port(void *owner, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	struct trace *t = owner;

	t->format->port(t, m, port, size, write, value);
}

void trace_attach(struct trace *t, struct machine *m)
{
	const struct trace_format *f = t->format;
	unsigned mask = t->mask;

	if (!t->out)
		return;
	t->machine = m;
	t->observer = (struct observer){ .name = "trace", .owner = t };
	if (mask & TRACE_WALK) {
		t->observer.walked = on_walk;
		t->observer.instruction = on_nothing;
	}
	if (mask & TRACE_CPU)
		t->observer.instruction = on_instruction;
	if (f->delivered && (mask & TRACE_INT || f->slices))
		t->observer.delivered = on_delivered;
	if (f->exception && mask & TRACE_EXC)
		t->observer.exception = on_exception;
	if (f->iret && f->slices)
		t->observer.iret = on_iret;
	if (f->control && f->slices)
		t->observer.control = on_control;
	if (mask & TRACE_IO)
		t->observer.port = on_port;
	machine_observe(m, &t->observer);
}

void trace_device(struct trace *t, const char *device, const char *text)
{
	if (t->out && t->mask & TRACE_DEV)
		t->format->device(t, t->machine ? cpu_icount(&t->machine->cpu) : 0, device, text);
}
