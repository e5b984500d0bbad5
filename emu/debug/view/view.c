/* emu/debug/view/view.c: the table of views, and what they share. */
#include "emu/debug/view/view.h"

#include <inttypes.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/view/views.h"
#include "emu/loader.h"

const struct view views[] = {
	{ "registers", "Registers", "general, control, segments or fpu registers; * changed since the last stop", view_registers, view_registers_json },
	{ "walk", "Page walk", "[user|supervisor] [write|fetch] EXPRESSION: from CR3 to the frame, as the lecture's diagram; "
		"without one, the access that matters now", view_walk, view_walk_json },
	{ "tables", "Page tables", "EXPRESSION, pde N, at PA, cr3 VALUE: mappings folded, or one page table", view_tables, view_tables_json },
	{ "tlb", "TLB", "translations held, stale ones marked; EXPRESSION: of one page", view_tlb, view_tlb_json },
	{ "why", "Why", "the last fault as a story; search: also goes back for who wrote the entry, and tells what came after", view_why, view_why_json },
	{ "frames", "Frames", "physical frames: owner, references, who maps them", view_frames, view_frames_json },
	{ "processes", "Processes", "the guest's processes", view_processes, view_processes_json },
	{ "regions", "Regions", "PROCESS: its regions", view_regions, view_regions_json },
	{ "swap", "Swap", "the guest's swap slots", view_swap, view_swap_json },
	{ "disassembly", "Code", "EXPRESSION: instructions there, with source lines; > is the next one", view_disassembly, view_disassembly_json },
	{ "memory", "Memory", "EXPRESSION, or phys EXPRESSION: bytes there", view_memory, view_memory_json },
	{ "stack", "Stack", "the stack's words, and the functions on it", view_stack, view_stack_json },
	{ "breakpoints", "Breakpoints", "what the debugger stops for", view_breakpoints, view_breakpoints_json },
	{ "trace", "Trace", "the last events; int, exc, iret, cr, walk choose among them", view_trace, view_trace_json },
	{ "console", "Console", "what the guest has written up to now", view_console, NULL },
	{ "history", "History", "how far back one can go, and what that costs", view_history, view_history_json },
	{ "devices", "Devices", "registers of all devices, or of those named", view_devices, view_devices_json },
	{ NULL, NULL, NULL, NULL, NULL },
};

const struct view *view_find(const char *name)
{
	for (const struct view *v = views; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

bool view_address(struct debugger *d, const struct view_request *rq, uint64_t otherwise, uint64_t *value, struct text *t)
{
	char err[ERROR_LINE];

	*value = otherwise;
	if (!rq->argument || !*rq->argument || !expr_eval(d, rq->argument, value, err))
		return true;
	text_put(t, STYLE_BAD, "%s\n", err);
	return false;
}

json_t *view_error(struct text *t)
{
	size_t n = 0;
	const char *line = text_lines(t) ? text_line(t, 0, &n, NULL) : "";
	json_t *s = json_stringn(line, n);

	text_free(t);
	return json_pack("{s:o}", "error", s ? s : json_string("?"));
}

json_t *text_json(const struct text *t)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < text_lines(t); i++) {
		size_t n;
		const char *line = text_line(t, i, &n, NULL);
		json_t *s = json_stringn(line, n);         /* NULL when a guest's bytes are no UTF-8 */
		json_array_append_new(lines, s ? s : json_string("?"));
	}
	return json_pack("{s:o}", "lines", lines);
}

json_t *json_hex(uint64_t value)
{
	char buf[20];

	snprintf(buf, sizeof(buf), "0x%" PRIx64, value);
	return json_string(buf);
}
