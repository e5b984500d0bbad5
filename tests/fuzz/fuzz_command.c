/* tests/fuzz/fuzz_command.c: the debugger's commands on arbitrary lines: nothing crashes, an error is one line, JSON is an object, and a reply is
 * text that a terminal and a parser can take. Files of the host are refused, as to scripts.
 *
 * A byte from 0x80 on stands for a word of the language, so that random bytes are often commands; control characters end lines.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/console.h"
#include "emu/monitor/command.h"
#include "emu/debug/guest/source.h"
#include "emu/loader.h"

#define INSTRUCTIONS 20000u            /* the guest ends after so many */
#define PATIENCE     40u               /* looks of a long command at its face, until that has enough */
#define LINES        24u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[128] = {
	"break ", "continue", "step ", "next", "rstep ", "rcontinue", "goto ", "finish", "until ", "walkstep", "watch ", "rwatch ", "awatch ", "catch ",
	"exception ", "interrupt ", "port ", "msr ", "cr ", "space ", "mapping ", "resume ", "count ", "once ", "ignore ", "if ", "in ", "phys ", "here ", "delete ",
	"enable ", "disable ", "condition ", "commands ", "x", "/10i ", "/4wx ", "/s ", "xp", "/16b ", "print ", "set ", "display ", "undisplay", "disassemble ",
	"list ", "backtrace", "info ", "symbol ", "registers ", "break", "walk ", "why", "who wrote ", "pte ", "gva2gpa ", "pg ", "tlb ", "processes", "regions ",
	"frames ", "swap", "devices ", "gdt ", "idt ", "ldt", "tss", "mtree", "screendump", "view ", "memory ", "stack ", "trace ", "console", "history",
	"disassembly ", "tables ", "export ", "a.svg ", "mark", "off", "diff", "savevm ", "loadvm ", "hash", "status", "on ", "lua ", "source ", "type ", "fork", "help ",
	"system_reset", "quit", " --json", "round", "outer", "rounds", "source", "eip", "eax", "cr3", "0x", "0x300000", "0x100000", "4096", "1", "0", "%", "+", "-", "*",
	"(", ")", "[", "]", "*(u8*)", "pa(", ",", "=", "==", ";", "emu.reg('eax')", "while true do end", "first", "tick ", "pf ", "error ",
};

static unsigned looks;

static bool has_enough(void *owner)
{
	(void)owner;
	return ++looks > PATIENCE;
}

static bool goes_on(void *owner, const char *what, uint64_t done, uint64_t total)
{
	(void)owner;
	(void)what;
	(void)done;
	(void)total;
	return ++looks <= PATIENCE;
}

static void wrong(const char *line, const char *what)
{
	fprintf(stderr, "'%s': %s\n", line, what);
	abort();
}

static void found(void *ctx, const char *word)
{
	(void)ctx;
	if (!*word)
		wrong(word, "an empty completion");
}

static void one_line(struct debugger *d, const char *line)
{
	struct reply r = { .no_files = true };

	looks = 0;
	command_complete(d, line, found, NULL);
	command_execute(d, line, &r);
	const char *text = text_plain(&r.text);
	size_t n = strlen(text);
	if (r.failed && !r.want_json && (!n || strchr(text, '\n') != text + n - 1))
		wrong(line, "an error is one line");
	if (r.want_json && !json_is_object(r.json))
		wrong(line, "JSON is an object");
	if (n != r.text.size && !r.text.failed)
		wrong(line, "a NUL in the text");
	reply_free(&r);
}

/* The next line of the input, its words put in. */
static size_t next_line(const uint8_t *data, size_t size, char *line, size_t room)
{
	size_t i = 0, n = 0;

	for (; i < size && data[i] >= ' '; i++) {
		const char *word = data[i] >= 0x80 ? words[data[i] - 0x80] : NULL;
		char plain[2] = { (char)data[i], 0 };
		if (data[i] >= 0x80 && !word)
			continue;
		n += (size_t)snprintf(line + n, room - n, "%s", word ? word : plain);
		if (n >= room)
			n = room - 1;
	}
	line[n] = 0;
	return i + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[ERROR_LINE], line[2000];
	struct kernel kernel;
	struct console console;
	struct debugger d;
	struct face face = { .name = "fuzz", .poll = has_enough, .progress = goes_on };

	if (kernel_open(&kernel, GUEST_DIR "/stepping.elf", err) || console_open(&console, SERIAL_NONE, NULL, err))
		wrong(err, "no guest");
	struct machine *m = machine_create(&(struct machine_config){ .memory = 4u << 20, .kernel = &kernel, .input = { console_next, &console } }, err);
	if (!m)
		wrong(err, "no machine");
	m->instruction_limit = INSTRUCTIONS;
	struct history *h = history_create(m, 8u << 20, err);
	if (!h || debugger_init(&d, m, h, err))
		wrong(err, "no debugger");
	d.source = source_open(&kernel);
	d.console = &console;
	debugger_attach(&d, &face);
	for (size_t at = 0, lines = 0; at < size && lines < LINES; lines++) {
		at += next_line(data + at, size - at, line, sizeof(line));
		one_line(&d, line);
	}
	debugger_detach(&d, &face);
	source_close(d.source);
	d.source = NULL;
	debugger_free(&d);
	history_free(h);
	machine_free(m);
	console_close(&console);
	kernel_close(&kernel);
	return 0;
}
