/* emu/trace/trace_chrome.c: a trace in the JSON format that Perfetto and chrome://tracing read.
 *
 *   pid   an address space: CR3's page number (0 without paging), named after the guest's process where somebody knows it
 *   tid   the processor          ts   microseconds of the viewer are thousands of instructions
 *
 *   B, E  a handler: from its first instruction to the IRET that leads back; slices of one address space are nested
 *   i     page walks, port accesses, writes to control registers, devices' messages       X   instructions
 *   C     page faults in each 100,000 instructions; free frames
 *
 * A handler in which another address space is switched to stays open there until that space comes back: that is how long it took.
 * An IRET to user mode ends every handler of its space; one within the kernel those down to where it leads. The file is an array: cut
 * short, the viewers still read it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu/disasm.h"
#include "emu/options.h"
#include "emu/report.h"
#include "emu/trace/trace.h"

#define TRACKS 1024                    /* address spaces; a further one shares the last */
#define OPEN   32                      /* handlers open in one space; deeper ones are not drawn */
#define WINDOW 100000u                 /* instructions for which page faults are counted together */
#define FRAMES_EVERY 1000000u          /* instructions between looks at the free frames: counting them takes long */

struct slice { uint32_t cs, eip; };
struct track {
	uint32_t pid;
	char name[64];                 /* as last told */
	struct slice slice[OPEN];
	unsigned open;
};

struct chrome {
	struct track track[TRACKS];
	unsigned tracks;
	uint64_t last;                 /* the latest time written: time does not go back */
	uint64_t window, faults;
	bool quiet;                    /* the last window written had no fault */
	uint64_t frames_at;
};

static uint64_t now_or_later(struct chrome *c, uint64_t icount)
{
	if (icount > c->last)
		c->last = icount;
	return c->last;
}

static struct json_out *begin(struct trace *t, const char *phase, const char *name, const char *category, uint32_t pid, uint64_t icount)
{
	struct json_out *j = &t->json;

	json_open(j, NULL, '{');
	json_put_text(j, "ph", phase);
	if (name)
		json_put_text(j, "name", name);
	if (category)
		json_put_text(j, "cat", category);
	json_put_number(j, "pid", pid);
	json_put_number(j, "tid", 0);
	json_put_milli(j, "ts", now_or_later(t->data, icount));
	return j;
}

static void end(struct trace *t)
{
	json_close(&t->json, '}');
	fputc('\n', t->out);
}

/* --- address spaces ---------------------------------------------------------------------------------------------------------- */

static uint32_t pid_of(const struct cpu *cpu)
{
	return cpu->cr0 & CR0_PG ? cpu->cr3 >> PAGE_SHIFT : 0;
}

static void name_track(struct trace *t, struct track *k, uint32_t cr3)
{
	struct chrome *c = t->data;
	char name[64] = "";

	if (!k->pid)
		snprintf(name, sizeof(name), "machine");
	else if (!t->names.space || !t->names.space(t->names.owner, cr3, name, sizeof(name)))
		snprintf(name, sizeof(name), "CR3 %08x", cr3);
	if (!strcmp(name, k->name))
		return;
	memcpy(k->name, name, sizeof(name));
	struct json_out *j = begin(t, "M", "process_name", NULL, k->pid, c->last);
	json_open(j, "args", '{');
	json_put_text(j, "name", name);
	json_close(j, '}');
	end(t);
}

static struct track *track_of(struct trace *t, const struct cpu *cpu)
{
	struct chrome *c = t->data;
	uint32_t pid = pid_of(cpu);

	for (unsigned i = 0; i < c->tracks; i++)
		if (c->track[i].pid == pid)
			return &c->track[i];
	if (c->tracks == TRACKS)
		return &c->track[TRACKS - 1];
	struct track *k = &c->track[c->tracks++];
	k->pid = pid;
	name_track(t, k, cpu->cr3);
	return k;
}

/* --- counters --------------------------------------------------------------------------------------------------------------------- */

static void counter(struct trace *t, const char *name, const char *unit, uint64_t icount, uint64_t value)
{
	struct json_out *j = begin(t, "C", name, NULL, 0, icount);

	json_open(j, "args", '{');
	json_put_number(j, unit, value);
	json_close(j, '}');
	end(t);
}

static void count_frames(struct trace *t, uint64_t icount)
{
	struct chrome *c = t->data;
	uint64_t n;

	if (!t->names.free_frames || icount < c->frames_at)
		return;
	c->frames_at = icount + FRAMES_EVERY;
	if (t->names.free_frames(t->names.owner, &n))
		counter(t, "free frames", "frames", icount, n);
}

/* Ends the windows before this moment. One without a fault is written once, however long it is quiet. */
static void advance(struct trace *t, uint64_t icount)
{
	struct chrome *c = t->data;
	uint64_t window = icount / WINDOW;

	if (window <= c->window)
		return;
	if (c->faults || !c->quiet)
		counter(t, "page faults per 100k instructions", "faults", c->window * WINDOW, c->faults);
	c->quiet = !c->faults;
	if (window > c->window + 1 && !c->quiet) {
		counter(t, "page faults per 100k instructions", "faults", (c->window + 1) * WINDOW, 0);
		c->quiet = true;
	}
	c->faults = 0;
	c->window = window;
	count_frames(t, icount);
}

/* --- handlers ----------------------------------------------------------------------------------------------------------------------- */

static void close_slices(struct trace *t, struct track *k, unsigned down_to, uint64_t icount)
{
	for (; k->open > down_to; k->open--) {
		begin(t, "E", NULL, NULL, k->pid, icount);
		end(t);
	}
}

static void chrome_delivered(struct trace *t, struct machine *m, const struct fault_record *r)
{
	struct chrome *c = t->data;
	unsigned v = r->fault.vector;
	char name[48];

	advance(t, r->icount);
	c->faults += v == VEC_PF && !r->external;
	if (!(t->mask & (r->external ? TRACE_INT : TRACE_EXC)))
		return;
	struct track *k = track_of(t, &m->cpu);
	if (k->open == OPEN)
		return;
	k->slice[k->open++] = (struct slice){ r->cs, r->eip };
	if (r->external)
		snprintf(name, sizeof(name), "interrupt 0x%02x", v);
	else
		snprintf(name, sizeof(name), "%s", vector_short_name(v));
	struct json_out *j = begin(t, "B", name, r->external ? "interrupt" : "exception", k->pid, r->icount);
	json_open(j, "args", '{');
	json_put_number(j, "icount", r->icount);
	if (r->fault.has_error)
		json_put_hex(j, "error", r->fault.error);
	if (v == VEC_PF && !r->external)
		json_put_hex(j, "cr2", r->fault.cr2);
	json_put_hex(j, "cs", r->cs);
	json_put_hex(j, "eip", r->eip);
	json_close(j, '}');
	end(t);
}

static void chrome_iret(struct trace *t, struct machine *m)
{
	const struct cpu *cpu = &m->cpu;
	uint64_t icount = cpu_icount(cpu);

	advance(t, icount);
	struct track *k = track_of(t, cpu);
	unsigned at = k->open;
	if (cpu->cpl == 3)
		at = 0;
	else
		while (at && (k->slice[at - 1].eip != cpu->eip || k->slice[at - 1].cs != cpu->seg[SEG_CS].selector))
			at--;
	if (cpu->cpl == 3)
		close_slices(t, k, 0, icount);
	else if (at)
		close_slices(t, k, at - 1, icount);
}

/* --- moments -------------------------------------------------------------------------------------------------------------------------- */

static struct json_out *instant(struct trace *t, const char *name, const char *category, uint32_t pid, uint64_t icount)
{
	advance(t, icount);
	struct json_out *j = begin(t, "i", name, category, pid, icount);
	json_put_text(j, "s", "t");
	json_open(j, "args", '{');
	json_put_number(j, "icount", icount);
	return j;
}

static void instant_end(struct trace *t)
{
	json_close(&t->json, '}');
	end(t);
}

static void chrome_control(struct trace *t, struct machine *m, const struct register_write *w)
{
	static const char *const kinds[] = { "CR", "DR", "MSR " };
	char name[32];

	if (w->kind == WROTE_CR && w->number == 3)
		name_track(t, track_of(t, &m->cpu), m->cpu.cr3);
	if (w->kind == WROTE_DR)
		return;
	snprintf(name, sizeof(name), "%s%x", kinds[w->kind], w->number);
	struct json_out *j = instant(t, name, "control", track_of(t, &m->cpu)->pid, cpu_icount(&m->cpu));
	json_put_hex(j, "old", w->old);
	json_put_hex(j, "value", w->value);
	json_put_hex(j, "eip", w->eip);
	instant_end(t);
}

static void chrome_walk(struct trace *t, struct machine *m, const struct walk *w)
{
	static const char *const kinds[] = { "walk: read", "walk: write", "walk: fetch" };
	struct json_out *j = instant(t, kinds[w->access.kind], w->result == WALK_OK ? "walk" : "walk,fault", track_of(t, &m->cpu)->pid, cpu_icount(&m->cpu));

	json_put_hex(j, "la", w->access.la);
	json_put_bool(j, "user", w->access.user);
	for (unsigned i = 0; i < w->levels; i++)
		json_put_hex(j, w->step[i].name, w->step[i].value);
	if (w->result == WALK_OK)
		json_put_hex(j, "pa", w->pa);
	else
		json_put_hex(j, "error", w->pf_code);
	instant_end(t);
}

static void chrome_instruction(struct trace *t, struct machine *m)
{
	struct disassembly d;
	uint64_t icount = cpu_icount(&m->cpu);

	advance(t, icount);
	disassemble_next(&m->cpu, &d);
	struct json_out *j = begin(t, "X", d.text, "cpu", track_of(t, &m->cpu)->pid, icount);
	json_put_milli(j, "dur", 1);
	json_open(j, "args", '{');
	json_put_hex(j, "eip", m->cpu.eip);
	json_close(j, '}');
	end(t);
}

static void chrome_port(struct trace *t, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	char name[32];

	snprintf(name, sizeof(name), "%s %04x", write ? "out" : "in", port);
	struct json_out *j = instant(t, name, "io", track_of(t, &m->cpu)->pid, cpu_icount(&m->cpu));
	json_put_number(j, "size", size);
	json_put_hex(j, "value", value);
	instant_end(t);
}

static void chrome_device(struct trace *t, uint64_t icount, const char *device, const char *text)
{
	struct json_out *j = instant(t, device, "device", t->machine ? track_of(t, &t->machine->cpu)->pid : 0, icount);

	json_put_text(j, "text", text);
	instant_end(t);
}

static int chrome_open(struct trace *t)
{
	t->data = calloc(1, sizeof(struct chrome));
	if (!t->data)
		return -ENOMEM;
	json_open(&t->json, NULL, '[');
	fputc('\n', t->out);
	return 0;
}

static void chrome_close(struct trace *t)
{
	struct chrome *c = t->data;

	if (c->faults)
		counter(t, "page faults per 100k instructions", "faults", c->window * WINDOW, c->faults);
	for (unsigned i = 0; i < c->tracks; i++)
		close_slices(t, &c->track[i], 0, c->last);
	json_close(&t->json, ']');
	fputc('\n', t->out);
	free(c);
	t->data = NULL;
}

const struct trace_format trace_chrome = { .suffix = ".json", .slices = true, .open = chrome_open, .instruction = chrome_instruction,
	.walk = chrome_walk, .delivered = chrome_delivered, .iret = chrome_iret, .control = chrome_control, .port = chrome_port,
	.device = chrome_device, .close = chrome_close };
