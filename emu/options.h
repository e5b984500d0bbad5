/* emu/options.h: command-line options as tables of {name, argument form, help, function}, from which parsing and --help come.
 *
 *   --name VALUE   --name=VALUE   --flag   operands in any place   -- ends the options
 */
#ifndef EMU_OPTIONS_H
#define EMU_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mmu/mmu.h"

#define MAX_DISKS 4
#define MAX_INITRDS 4

struct option_row {
	const char *name;          /* "--memory"; NULL ends the table */
	const char *form;          /* "SIZE"; NULL: takes no value */
	const char *help;          /* may have several lines */
	/* 0, or -1 with one line in err. value is NULL when form is. */
	int (*handle)(void *target, const char *value, char *err);
};

struct option_set {
	const char *usage;         /* "emu run [options] [IMAGE]" */
	const char *examples;      /* lines, printed first */
	const struct option_row *rows;
	int (*operand)(void *target, const char *value, char *err);
	const char *notes;         /* printed last; may be NULL */
	const struct option_row *more;     /* a second table, printed after the first; may be NULL */
};

enum { OPTIONS_ERROR = -1, OPTIONS_OK = 0, OPTIONS_HELP = 1 };
int options_parse(const struct option_set *set, int argc, char **argv, void *target, char *err);
void options_help(const struct option_set *set, FILE *out);
/* The candidate nearest to word, or NULL when none is near. */
const char *nearest_name(const char *word, const char *const *candidates, size_t count);

/* "4M", "64K", "1G", "64" (megabytes). False when it is no such thing. */
bool parse_size(const char *s, uint64_t *bytes);
/* Decimal, or hexadecimal after 0x. A leading zero means nothing. */
bool parse_count(const char *s, uint64_t *value);

enum serial_kind { SERIAL_STDIO, SERIAL_FILE, SERIAL_NONE, SERIAL_PTY };

enum check_choice { CHECKS_OFF, CHECKS_WARN, CHECKS_STOP };

#define TRACE_INT  (1u << 0)
#define TRACE_EXC  (1u << 1)
#define TRACE_IO   (1u << 2)
#define TRACE_WALK (1u << 3)
#define TRACE_CPU  (1u << 4)
#define TRACE_DEV  (1u << 5)

struct run_options {
	const char *image;
	uint64_t memory;
	const char *kernel;
	const char *initrd[MAX_INITRDS];
	unsigned initrds;
	const char *append;
	const char *disk[MAX_DISKS];
	unsigned disks;
	bool snapshot;
	const char *save, *load, *record;
	bool memory_given, tlb_given, seed_given;      /* what --load has to look at */
	bool no_reboot;
	enum serial_kind serial;
	bool serial_given;
	const char *serial_path;
	struct tlb_geometry tlb;
	uint64_t seed;
	uint64_t timeout_ms;           /* 0: none */
	uint64_t max_instructions;     /* 0: none */
	const char *status_json;
	const char *gdb;               /* where to wait for it; NULL: not at all */
	bool waits;                    /* for gdb, at the first instruction */
	unsigned trace;
	const char *trace_path;        /* NULL: standard error */
	enum check_choice check;       /* of paging */
	uint64_t history;              /* bytes for going back; 0: not remembered */
};

extern const struct option_set run_option_set;
void run_options_init(struct run_options *o);
/* "exc,walk:FILE", as --trace has it; o keeps a pointer into value. 0, or -1 with one line in err. */
int run_options_trace(struct run_options *o, const char *value, char *err);

#endif
