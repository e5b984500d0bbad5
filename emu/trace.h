/* emu/trace.h: events as lines of text, instruction count first, for `--trace LIST[:FILE]`.
 *
 *   1234567 int  vector 0x20 at 0008:c0100123
 *   1234570 exc  #PF error 0006 cr2 bffff000 at 001b:08048010
 *   1234571 walk user write of 0xbfffeffc, CR3 = 0x03fc7000 | PDE at 0x03fc7bfc = 0x00000000: P=0 not present | ...
 *   1234580 io   out 03f8 1 41
 *   1234590 cpu  0008:c0100123 mov %eax, %cr3   eax=...
 *   1234600 dev  uart: ...
 *
 * A walk is counted with the instruction that makes it, an exception with those before it.
 */
#ifndef EMU_TRACE_H
#define EMU_TRACE_H

#include <stdio.h>

#include "emu/machine.h"

struct trace {
	FILE *out;                     /* NULL: off */
	unsigned mask;                 /* TRACE_* */
	struct machine *machine;
	struct observer observer;
	bool own;                      /* out is ours to close */
};

/* 0, or -1 with one line in err. path NULL: standard error. */
int trace_open(struct trace *t, unsigned mask, const char *path, char *err);
/* Starts watching m, which needs t for as long as it runs. */
void trace_attach(struct trace *t, struct machine *m);
/* A device's log line. */
void trace_device(struct trace *t, const char *device, const char *text);
/* 0, or a negative errno when the file is not complete. */
int trace_close(struct trace *t);

#endif
