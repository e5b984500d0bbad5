/* emu/trace/trace_text.c: a trace as lines of text. */
#include <string.h>

#include "emu/disasm.h"
#include "emu/report.h"
#include "emu/trace/trace.h"

static void start_line(const struct trace *t, uint64_t icount, const char *kind)
{
	fprintf(t->out, "%llu %-4s ", (unsigned long long)icount, kind);
}

static void text_instruction(struct trace *t, struct machine *m)
{
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
static void text_walk(struct trace *t, struct machine *m, const struct walk *w)
{
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

static void text_exception(struct trace *t, struct machine *m, const struct fault_record *r)
{
	unsigned v = r->fault.vector;

	(void)m;
	start_line(t, r->icount, "exc");
	fprintf(t->out, "%s", vector_short_name(v));
	if (r->fault.has_error)
		fprintf(t->out, " error %04x", r->fault.error);
	if (v == VEC_PF)
		fprintf(t->out, " cr2 %08x", r->fault.cr2);
	fprintf(t->out, " at %04x:%08x\n", r->cs, r->eip);
}

/* Interrupts are heard of when they are delivered, with what was before. */
static void text_delivered(struct trace *t, struct machine *m, const struct fault_record *r)
{
	(void)m;
	if (!r->external)
		return;
	start_line(t, r->icount, "int");
	fprintf(t->out, "vector 0x%02x at %04x:%08x\n", r->fault.vector, r->cs, r->eip);
}

static void text_port(struct trace *t, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	start_line(t, cpu_icount(&m->cpu), "io");
	fprintf(t->out, "%s %04x %u %0*x\n", write ? "out" : "in ", port, size, (int)(2 * size), value);
}

static void text_device(struct trace *t, uint64_t icount, const char *device, const char *text)
{
	start_line(t, icount, "dev");
	fprintf(t->out, "%s: %s\n", device, text);
}

const struct trace_format trace_text = { .instruction = text_instruction, .walk = text_walk, .exception = text_exception,
	.delivered = text_delivered, .port = text_port, .device = text_device };
