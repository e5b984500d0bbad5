/* emu/trace.c: see trace.h. Watchers only look. */
#include "emu/trace.h"

#include <errno.h>
#include <string.h>

#include "emu/disasm.h"
#include "emu/options.h"
#include "emu/report.h"

int trace_open(struct trace *t, unsigned mask, const char *path, char *err)
{
	*t = (struct trace){ .mask = mask };
	if (!mask)
		return 0;
	t->own = path;
	t->out = path ? fopen(path, "we") : stderr;
	if (t->out)
		return 0;
	snprintf(err, ERROR_LINE, "cannot write trace file '%s': %s", path, strerror(errno));
	return -1;
}

int trace_close(struct trace *t)
{
	int r = 0;

	if (t->out && (fflush(t->out) || ferror(t->out)))
		r = errno ? -errno : -EIO;
	if (t->own && t->out && fclose(t->out))
		r = -errno;
	t->out = NULL;
	return r;
}

static void start_line(const struct trace *t, uint64_t icount, const char *kind)
{
	fprintf(t->out, "%llu %-4s ", (unsigned long long)icount, kind);
}

static void on_instruction(void *owner, struct machine *m)
{
	struct trace *t = owner;
	const struct cpu *cpu = &m->cpu;
	struct disassembly d;
	const uint32_t *r = cpu->r;

	disassemble_next(cpu, &d);
	start_line(t, cpu_icount(cpu), "cpu");
	fprintf(t->out, "%04x:%08x %-32s eax=%08x ebx=%08x ecx=%08x edx=%08x esi=%08x edi=%08x ebp=%08x esp=%08x efl=%08x\n",
		cpu->seg[SEG_CS].selector, cpu->eip, d.text, r[R_EAX], r[R_EBX], r[R_ECX], r[R_EDX], r[R_ESI], r[R_EDI], r[R_EBP], r[R_ESP],
		cpu_eflags(cpu));
}

/* A walk on one line: its steps, as walk_describe() puts them, separated by bars. */
static void on_walk(void *owner, struct machine *m, const struct walk *w)
{
	struct trace *t = owner;
	char text[1024];

	walk_describe(w, text, sizeof(text));
	start_line(t, cpu_icount(&m->cpu), "walk");
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		fprintf(t->out, "%s%s", line == text ? "" : " | ", line);
	}
	fputc('\n', t->out);
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
	unsigned v = r->fault.vector;

	(void)m;
	start_line(t, r->icount, "exc");
	fprintf(t->out, "%s", *vector_mnemonic(v) ? vector_mnemonic(v) : vector_name(v));
	if (r->fault.has_error)
		fprintf(t->out, " error %04x", r->fault.error);
	if (v == VEC_PF)
		fprintf(t->out, " cr2 %08x", r->fault.cr2);
	fprintf(t->out, " at %04x:%08x\n", r->cs, r->eip);
	return false;
}

/* Interrupts are heard of when they are delivered, with what was before. */
static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	struct trace *t = owner;

	(void)m;
	if (!r->external)
		return;
	start_line(t, r->icount, "int");
	fprintf(t->out, "vector 0x%02x at %04x:%08x\n", r->fault.vector, r->cs, r->eip);
}

static void on_port(void *owner, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	struct trace *t = owner;

	start_line(t, cpu_icount(&m->cpu), "io");
	fprintf(t->out, "%s %04x %u %0*x\n", write ? "out" : "in ", port, size, (int)(2 * size), value);
}

void trace_attach(struct trace *t, struct machine *m)
{
	if (!t->out)
		return;
	t->machine = m;
	t->observer = (struct observer){ .name = "trace", .owner = t };
	if (t->mask & TRACE_WALK) {
		t->observer.walked = on_walk;
		t->observer.instruction = on_nothing;
	}
	if (t->mask & TRACE_CPU)
		t->observer.instruction = on_instruction;
	if (t->mask & TRACE_INT)
		t->observer.delivered = on_delivered;
	if (t->mask & TRACE_EXC)
		t->observer.exception = on_exception;
	if (t->mask & TRACE_IO)
		t->observer.port = on_port;
	machine_observe(m, &t->observer);
}

void trace_device(struct trace *t, const char *device, const char *text)
{
	if (!t->out || !(t->mask & TRACE_DEV))
		return;
	start_line(t, t->machine ? cpu_icount(&t->machine->cpu) : 0, "dev");
	fprintf(t->out, "%s: %s\n", device, text);
}
