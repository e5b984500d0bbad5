/* emu/trace/trace_jsonl.c: a trace as JSON Lines: one object for each event, so that a reader needs no more than a line at a time. */
#include "emu/disasm.h"
#include "emu/report.h"
#include "emu/trace/trace.h"

static struct json_out *begin(struct trace *t, uint64_t icount, const char *event)
{
	t->json.first = true;
	json_open(&t->json, NULL, '{');
	json_put_number(&t->json, "icount", icount);
	json_put_number(&t->json, "cpu", 0);
	json_put_text(&t->json, "ev", event);
	return &t->json;
}

static void end(struct trace *t)
{
	json_close(&t->json, '}');
	fputc('\n', t->out);
}

static void jsonl_instruction(struct trace *t, struct machine *m)
{
	const struct cpu *cpu = &m->cpu;
	struct disassembly d;
	struct json_out *j = begin(t, cpu_icount(cpu), "cpu");

	disassemble_next(cpu, &d);
	json_put_number(j, "cs", cpu->seg[SEG_CS].selector);
	json_put_hex(j, "eip", cpu->eip);
	json_put_text(j, "insn", d.text);
	for (unsigned i = 0; i < 8; i++)
		json_put_hex(j, cpu_general_names[i], cpu->r[i]);
	json_put_hex(j, "eflags", cpu_eflags(cpu));
	end(t);
}

static void put_walk(struct json_out *j, const struct walk *w)
{
	json_put_hex(j, "la", w->access.la);
	json_put_text(j, "access", access_kind_name(w->access.kind));
	json_put_bool(j, "user", w->access.user);
	json_put_hex(j, "cr3", w->paging.cr3);
	json_open(j, "levels", '[');
	for (unsigned i = 0; i < w->levels; i++) {
		json_open(j, NULL, '{');
		json_put_text(j, "name", w->step[i].name);
		json_put_hex(j, "address", w->step[i].addr);
		json_put_hex(j, "value", w->step[i].value);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_put_text(j, "result", walk_result_name(w->result));
	if (w->result == WALK_OK)
		json_put_hex(j, "pa", w->pa);
	else
		json_put_number(j, "err", w->pf_code);
}

static void jsonl_walk(struct trace *t, struct machine *m, const struct walk *w)
{
	put_walk(begin(t, cpu_icount(&m->cpu), "walk"), w);
	end(t);
}

static void put_event(struct json_out *j, const struct fault_record *r)
{
	unsigned v = r->fault.vector;

	json_put_number(j, "vector", v);
	if (!r->external)
		json_put_text(j, "name", vector_short_name(v));
	if (r->fault.has_error)
		json_put_number(j, "err", r->fault.error);
	if (v == VEC_PF && !r->external)
		json_put_hex(j, "cr2", r->fault.cr2);
	json_put_number(j, "cs", r->cs);
	json_put_hex(j, "eip", r->eip);
	json_put_hex(j, "esp", r->esp);
	json_put_hex(j, "cr3", r->cr3);
}

static void jsonl_exception(struct trace *t, struct machine *m, const struct fault_record *r)
{
	(void)m;
	put_event(begin(t, r->icount, "exc"), r);
	end(t);
}

static void jsonl_delivered(struct trace *t, struct machine *m, const struct fault_record *r)
{
	(void)m;
	if (!r->external)
		return;
	put_event(begin(t, r->icount, "int"), r);
	end(t);
}

static void jsonl_port(struct trace *t, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	struct json_out *j = begin(t, cpu_icount(&m->cpu), "io");

	json_put_text(j, "dir", write ? "out" : "in");
	json_put_hex(j, "port", port);
	json_put_number(j, "size", size);
	json_put_hex(j, "value", value);
	end(t);
}

static void jsonl_device(struct trace *t, uint64_t icount, const char *device, const char *text)
{
	struct json_out *j = begin(t, icount, "dev");

	json_put_text(j, "device", device);
	json_put_text(j, "text", text);
	end(t);
}

const struct trace_format trace_jsonl = { .suffix = ".jsonl", .instruction = jsonl_instruction, .walk = jsonl_walk, .exception = jsonl_exception,
	.delivered = jsonl_delivered, .port = jsonl_port, .device = jsonl_device };
