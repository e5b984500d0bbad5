/* emu/gdb/packets_query.c: packets about the session: what each side can do, threads, documents, the monitor.
 * References: [GDB E.4 "General Query Packets"], qSupported, qXfer, qRcmd. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/monitor/command.h"
#include "emu/gdb/packets.h"
#include "emu/gdb/target.h"

/* --- what we can do ----------------------------------------------------------------------------------------------------- */

static void packet_supported(struct gdb *g, char *args, char *end)
{
	(void)end;
	g->known = true;
	g->multiprocess = strstr(args, "multiprocess+");
	g->swbreak = strstr(args, "swbreak+");
	g->hwbreak = strstr(args, "hwbreak+");
	answer(g, "PacketSize=%x;QStartNoAckMode+;multiprocess+;swbreak+;hwbreak+;vContSupported+;ReverseStep+;ReverseContinue+;"
		"qXfer:features:read+;qXfer:memory-map:read+;qXfer:threads:read+", LINK_PACKET);
}

static void packet_no_ack(struct gdb *g, char *args, char *end)
{
	(void)args, (void)end;
	g->link.no_ack = true;
	answer_ok(g);
}

static void packet_ok(struct gdb *g, char *args, char *end)
{
	(void)args, (void)end;
	answer_ok(g);
}

static void packet_empty(struct gdb *g, char *args, char *end)
{
	(void)g, (void)args, (void)end;
}

/* --- threads: one for the processor --------------------------------------------------------------------------------------- */

static void packet_thread_alive(struct gdb *g, char *args, char *end)
{
	(void)end;
	if (!strcmp(args, "1") || !strcmp(args, "p1.1") || !strcmp(args, "01"))
		answer_ok(g);
	else
		answer_error(g, ESRCH);
}

static void packet_thread_list(struct gdb *g, char *args, char *end) { (void)args, (void)end; answer(g, "m%s", thread_name(g)); }
static void packet_thread_more(struct gdb *g, char *args, char *end) { (void)args, (void)end; answer(g, "l"); }
static void packet_current(struct gdb *g, char *args, char *end) { (void)args, (void)end; answer(g, "QC%s", thread_name(g)); }
static void packet_attached(struct gdb *g, char *args, char *end) { (void)args, (void)end; answer(g, "1"); }

static void packet_thread_info(struct gdb *g, char *args, char *end)
{
	char text[64];

	(void)args, (void)end;
	int n = snprintf(text, sizeof(text), "processor, ring %u", g->d->m->cpu.cpl);
	answer_hex(g, text, (size_t)n);
}

/* --- documents ------------------------------------------------------------------------------------------------------------ */

void target_threads(const struct gdb *g, FILE *out)
{
	fprintf(out, "<?xml version=\"1.0\"?><threads><thread id=\"%s\" core=\"0\" name=\"processor\"/></threads>", thread_name(g));
}

void target_memory_map(const struct gdb *g, FILE *out)
{
	const struct phys *phys = &g->d->m->phys;

	fputs("<?xml version=\"1.0\"?><!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
		"\"http://sourceware.org/gdb/gdb-memory-map.dtd\"><memory-map>", out);
	/* With paging on every linear address may be anything; the protocol's map has no word for physical. */
	if (!g->physical) {
		fputs("<memory type=\"ram\" start=\"0x0\" length=\"0x100000000\"/></memory-map>", out);
		return;
	}
	for (unsigned i = 1; i < phys->ranges; i++) {
		const struct phys_range *r = &phys->range[i];
		if (r->kind != PHYS_HOLE)
			fprintf(out, "<memory type=\"%s\" start=\"0x%llx\" length=\"0x%llx\"/>", r->kind == PHYS_ROM ? "rom" : "ram",
				(unsigned long long)r->start, (unsigned long long)r->size);
	}
	fputs("</memory-map>", out);
}

/* One piece of a document: m and more, or l and the last. */
static void answer_piece(struct gdb *g, const char *document, size_t size, char *args)
{
	uint64_t offset, length;

	if (!take_hex(&args, &offset) || !take_char(&args, ',') || !take_hex(&args, &length) || *args) {
		answer_error(g, EINVAL);
		return;
	}
	if (offset > size)
		offset = size;
	if (length > LINK_PACKET - 1)
		length = LINK_PACKET - 1;
	bool last = size - offset <= length;
	answer(g, "%c%.*s", last ? 'l' : 'm', (int)(last ? size - offset : length), document + offset);
}

static void answer_document(struct gdb *g, char *args, void (*write)(const struct gdb *g, FILE *out))
{
	char *document = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&document, &size);

	if (!out) {
		answer_error(g, ENOMEM);
		return;
	}
	write(g, out);
	if (fclose(out))
		answer_error(g, ENOMEM);
	else
		answer_piece(g, document, size, args);
	free(document);
}

static void write_description(const struct gdb *g, FILE *out)
{
	(void)g;
	target_description(out);
}

static void packet_description(struct gdb *g, char *args, char *end) { (void)end; answer_document(g, args, write_description); }
static void packet_memory_map(struct gdb *g, char *args, char *end) { (void)end; answer_document(g, args, target_memory_map); }
static void packet_threads(struct gdb *g, char *args, char *end) { (void)end; answer_document(g, args, target_threads); }

/* --- the monitor ------------------------------------------------------------------------------------------------------------ */

static void packet_monitor(struct gdb *g, char *args, char *end)
{
	char line[1024 + 1];
	struct reply r = { .no_files = true };         /* whoever reaches the port */
	size_t n = take_bytes(&args, (uint8_t *)line, sizeof(line) - 1);

	if (args != end) {
		answer_error(g, EINVAL);
		return;
	}
	line[n] = '\0';
	command_execute(g->d, line, &r);
	const char *text = text_plain(&r.text);
	console_text(g, text, strlen(text));
	reply_free(&r);
	answer_ok(g);
}

/* What extensions of gdb recognise an emulator by. Our steps do not enter interrupt handlers. */
static void packet_step_bits(struct gdb *g, char *args, char *end) { (void)args, (void)end; answer(g, "ENABLE=1,NOIRQ=2,NOTIMER=4"); }
static void packet_step_mode(struct gdb *g, char *args, char *end) { (void)args, (void)end; answer(g, "0x7"); }

/* --- the end ---------------------------------------------------------------------------------------------------------------- */

/* D: the peer leaves and the guest goes on, which is up to the owner of the loop. */
static void packet_detach(struct gdb *g, char *args, char *end)
{
	(void)args, (void)end;
	for (unsigned i = 0; i < g->breaks; i++)
		debugger_break_delete(g->d, (unsigned)g->brk[i].id);
	g->breaks = 0;
	g->detached = true;
	answer_ok(g);
}

static void packet_kill(struct gdb *g, char *args, char *end)
{
	(void)args, (void)end;
	g->ended = true;
	g->silent = true;
}

static void packet_vkill(struct gdb *g, char *args, char *end)
{
	(void)args, (void)end;
	g->ended = true;
	answer_ok(g);
}

const struct packet query_packets[] = {
	{ "qSupported", packet_supported }, { "QStartNoAckMode", packet_no_ack }, { "vMustReplyEmpty", packet_empty },
	{ "H", packet_ok }, { "T", packet_thread_alive }, { "qfThreadInfo", packet_thread_list }, { "qsThreadInfo", packet_thread_more },
	{ "qC", packet_current }, { "qAttached", packet_attached }, { "qThreadExtraInfo,", packet_thread_info }, { "!", packet_ok },
	{ "qXfer:features:read:target.xml:", packet_description }, { "qXfer:memory-map:read::", packet_memory_map },
	{ "qXfer:threads:read::", packet_threads }, { "qRcmd,", packet_monitor },
	{ "qqemu.sstepbits", packet_step_bits }, { "qqemu.sstep", packet_step_mode },
	{ "D", packet_detach }, { "k", packet_kill }, { "vKill", packet_vkill }, { 0 },
};
