/* tests/emu/command_rig.c: see command_rig.h. */
#include "command_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/source.h"

static void put(void *owner, uint8_t byte)
{
	struct command_rig *rig = owner;

	if (rig->output_size < sizeof(rig->output) - 1)
		rig->output[rig->output_size++] = (char)byte;
	debugger_output(&rig->d, byte);
}

void command_rig_open(struct command_rig *rig, const char *name)
{
	char path[512], err[ERROR_LINE];
	struct machine_config config = { .memory = 4 << 20, .kernel = &rig->kernel, .serial = { put, rig }, .input = { console_next, &rig->console } };

	memset(rig, 0, sizeof(*rig));
	snprintf(path, sizeof(path), "%s/%s.elf", GUEST_DIR, name);
	ck_assert_msg(!kernel_open(&rig->kernel, path, err), "%s", err);
	ck_assert_msg(!console_open(&rig->console, SERIAL_NONE, NULL, err), "%s", err);
	rig->m = machine_create(&config, err);
	ck_assert_msg(rig->m, "%s", err);
	rig->h = history_create(rig->m, HISTORY_DEFAULT_LIMIT, err);
	ck_assert_msg(rig->h, "%s", err);
	ck_assert_msg(!debugger_init(&rig->d, rig->m, rig->h, err), "%s", err);
	rig->d.source = source_open(&rig->kernel);
	rig->d.console = &rig->console;
}

void command_rig_close(struct command_rig *rig)
{
	reply_free(&rig->r);
	source_close(rig->d.source);
	rig->d.source = NULL;
	debugger_free(&rig->d);
	history_free(rig->h);
	machine_free(rig->m);
	console_close(&rig->console);
	kernel_close(&rig->kernel);
}

const char *run_line(struct command_rig *rig, const char *line)
{
	reply_free(&rig->r);
	command_execute(&rig->d, line, &rig->r);
	return text_plain(&rig->r.text);
}

const char *must_run(struct command_rig *rig, const char *line)
{
	const char *text = run_line(rig, line);

	ck_assert_msg(!rig->r.failed, "%s: %s", line, text);
	return text;
}

const char *must_fail(struct command_rig *rig, const char *line)
{
	const char *text = run_line(rig, line);

	ck_assert_msg(rig->r.failed, "%s did not fail: %s", line, text);
	ck_assert_msg(strchr(text, '\n') == text + strlen(text) - 1, "%s: not one line: %s", line, text);
	return text;
}

json_t *must_give(struct command_rig *rig, const char *line)
{
	char json[1024];

	snprintf(json, sizeof(json), "%s --json", line);
	must_run(rig, json);
	ck_assert_msg(json_is_object(rig->r.json), "%s gives no object", json);
	return rig->r.json;
}

bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}
