/* emu/debug/view/views.h: the functions behind the table of views (view.c), one file for each few of them.
 *
 *   view_registers.c   registers                    view_trace.c    trace
 *   view_code.c        disassembly                  view_walk.c, view_tables.c, view_tlb.c, why.c   walk tables tlb why
 *   view_memory.c      memory stack                 view_guest.c    frames processes regions swap
 *   view_lists.c       breakpoints console history devices
 */
#ifndef EMU_DEBUG_VIEWS_H
#define EMU_DEBUG_VIEWS_H

#include "emu/debug/view/view.h"

void view_registers(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_registers_json(struct debugger *d, const struct view_request *rq);
void view_disassembly(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_disassembly_json(struct debugger *d, const struct view_request *rq);
void view_memory(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_memory_json(struct debugger *d, const struct view_request *rq);
void view_stack(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_stack_json(struct debugger *d, const struct view_request *rq);
void view_breakpoints(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_breakpoints_json(struct debugger *d, const struct view_request *rq);
void view_trace(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_trace_json(struct debugger *d, const struct view_request *rq);
void view_console(struct debugger *d, const struct view_request *rq, struct text *t);
void view_history(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_history_json(struct debugger *d, const struct view_request *rq);
void view_devices(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_devices_json(struct debugger *d, const struct view_request *rq);

void view_walk(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_walk_json(struct debugger *d, const struct view_request *rq);
void view_tables(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_tables_json(struct debugger *d, const struct view_request *rq);
void view_tlb(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_tlb_json(struct debugger *d, const struct view_request *rq);
void view_why(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_why_json(struct debugger *d, const struct view_request *rq);

void view_frames(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_frames_json(struct debugger *d, const struct view_request *rq);
void view_processes(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_processes_json(struct debugger *d, const struct view_request *rq);
void view_regions(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_regions_json(struct debugger *d, const struct view_request *rq);
void view_swap(struct debugger *d, const struct view_request *rq, struct text *t);
json_t *view_swap_json(struct debugger *d, const struct view_request *rq);

/* A view that cannot do what its argument asks writes one line in STYLE_BAD, its JSON is {"error": line}: commands fail then. */

/* The request's argument as a number, or otherwise when there is none. False, and a line in t, when it is no expression. */
bool view_address(struct debugger *d, const struct view_request *rq, uint64_t otherwise, uint64_t *value, struct text *t);
/* {"error": ...} from t's line, which is freed. */
json_t *view_error(struct text *t);
/* {"lines": [...]}: what a view without numbers gives. */
json_t *text_json(const struct text *t);
/* "0x1f" */
json_t *json_hex(uint64_t value);

#endif
