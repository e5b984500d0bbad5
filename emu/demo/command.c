/* emu/demo/command.c: `emu demo NAME`: the table of demonstrations. */
#include <stdlib.h>
#include <string.h>

#include "emu/demo/demo.h"
#include "emu/options.h"
#include "emu/run.h"
#include "emu/status.h"

struct demo_options { const char *name; struct fault_demo_config fault; };

static int set_esp(void *target, const char *value, char *err)
{
	struct demo_options *o = target;
	uint64_t esp;

	/* The stack must lie in the guest's first page table and clear of its first and last pages below 640K. */
	if (!parse_count(value, &esp) || esp < 0x3000 || esp > 0x90000) {
		snprintf(err, ERROR_LINE, "--esp '%.100s': must be an address from 0x3000 to 0x90000", value);
		return -1;
	}
	o->fault.esp = (uint32_t)esp;
	return 0;
}

static int set_name(void *target, const char *value, char *err)
{
	static const char *const names[] = { "fault-resumption" };
	struct demo_options *o = target;

	if (o->name) {
		snprintf(err, ERROR_LINE, "one demonstration at a time: '%.100s'", value);
		return -1;
	}
	if (strcmp(value, names[0])) {
		const char *near = nearest_name(value, names, 1);
		snprintf(err, ERROR_LINE, "unknown demonstration '%.100s'; %s '%s'%s", value, near ? "did you mean" : "there is", names[0], near ? "?" : "");
		return -1;
	}
	o->name = value;
	return 0;
}

static const struct option_row rows[] = {
	{ "--esp", "ADDRESS", "where the user program's stack pointer starts (default 0x8004)", set_esp },
	{ 0 },
};

static const struct option_set demo_options = {
	.usage = "emu demo NAME [options]",
	.examples = "examples:\n"
		"  emu demo fault-resumption                a page fault, its repair, and the same instruction again\n"
		"  emu demo fault-resumption --esp 0x8800   the same program where nothing faults\n",
	.rows = rows,
	.operand = set_name,
};

int command_demo(int argc, char **argv)
{
	struct demo_options o = { .fault = { .esp = 0x8004 } };
	char err[ERROR_LINE];

	switch (options_parse(&demo_options, argc, argv, &o, err)) {
	case OPTIONS_HELP:
		options_help(&demo_options, stdout);
		return STATUS_OK;
	case OPTIONS_ERROR:
		return complain(STATUS_USAGE, "%s", err);
	}
	if (!o.name)
		return complain(STATUS_USAGE, "which demonstration? There is 'fault-resumption'");
	if (demo_fault_resumption(&o.fault, stdout, err))
		return complain(STATUS_ERROR, "%s", err);
	return STATUS_OK;
}
