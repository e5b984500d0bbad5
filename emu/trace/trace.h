/* emu/trace/trace.h: events as they happen, for `--trace LIST[:FILE]` and the debugger's `trace on`. The file's name chooses the format:
 *
 *   FILE         text, instruction count first (trace_text.c)
 *
 *     1234567 int  vector 0x20 at 0008:c0100123
 *     1234570 exc  #PF error 0006 cr2 bffff000 at 001b:08048010
 *     1234571 walk user write of 0xbfffeffc, CR3 = 0x03fc7000 | PDE at 0x03fc7bfc = 0x00000000: P=0 not present | ...
 *     1234580 io   out 03f8 1 41
 *     1234590 cpu  0008:c0100123 mov %eax, %cr3   eax=...
 *     1234600 dev  uart: ...
 *
 *   FILE.jsonl   the same, one JSON object on each line (trace_jsonl.c)
 *
 *     {"icount":1234570,"cpu":0,"ev":"exc","vector":14,"name":"#PF","err":6,"cr2":"0xbffff000","cs":27,"eip":"0x8048010",...}
 *
 *   FILE.json    for Perfetto and chrome://tracing (trace_chrome.c): address spaces as processes, handlers as slices, counters
 *
 * A walk is counted with the instruction that makes it, an exception with those before it.
 */
#ifndef EMU_TRACE_H
#define EMU_TRACE_H

#include <stdio.h>

#include "emu/trace/json_out.h"
#include "emu/machine.h"
#include "emu/observer.h"

struct trace;

/* How events are written. m is as the observer's callbacks have it. Every row but close may be NULL: not wanted in this format. */
struct trace_format {
	const char *suffix;
	bool slices;                   /* wants exceptions, interrupts and IRETs whatever the mask says */
	int (*open)(struct trace *t);  /* 0 or -ENOMEM */
	void (*instruction)(struct trace *t, struct machine *m);
	void (*walk)(struct trace *t, struct machine *m, const struct walk *w);
	void (*exception)(struct trace *t, struct machine *m, const struct fault_record *r);       /* before delivery */
	void (*delivered)(struct trace *t, struct machine *m, const struct fault_record *r);       /* also interrupts */
	void (*iret)(struct trace *t, struct machine *m);
	void (*control)(struct trace *t, struct machine *m, const struct register_write *w);
	void (*port)(struct trace *t, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value);
	void (*device)(struct trace *t, uint64_t icount, const char *device, const char *text);
	void (*close)(struct trace *t);
};
extern const struct trace_format trace_text, trace_jsonl, trace_chrome;

/* What somebody who knows the guest can add. Both may be NULL. */
struct trace_names {
	void *owner;
	/* "sh (3)": whose address space this is. False: nobody's. */
	bool (*space)(void *owner, uint32_t cr3, char *buf, size_t size);
	bool (*free_frames)(void *owner, uint64_t *n);
};

struct trace {
	FILE *out;                     /* NULL: off */
	unsigned mask;                 /* TRACE_* */
	const struct trace_format *format;
	struct trace_names names;      /* set between opening and attaching */
	struct json_out json;
	void *data;                    /* the format's own */
	struct machine *machine;
	struct observer observer;
	bool own;                      /* out is ours to close */
	int error;                     /* negative errno: it could not be written, and has ended */
};

/* 0, or -1 with one line in err. path NULL: standard error. */
int trace_open(struct trace *t, unsigned mask, const char *path, char *err);
/* Starts watching m, which needs t for as long as it runs. */
void trace_attach(struct trace *t, struct machine *m);
/* A device's log line. */
void trace_device(struct trace *t, const char *device, const char *text);
/* Writes what there is; 0, or a negative errno, once: the file could not be written, and tracing has stopped. The machine may run on. */
int trace_flush(struct trace *t);
/* 0, or a negative errno when the file is not complete. The machine no longer runs, or its observer was taken out. */
int trace_close(struct trace *t);

#endif
