/* emu/debug/break.c: the list of breakpoints: adding, finding, deleting, and their names in words. Arming is in arm.c, noticing in
 * notice.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/debug/going.h"
#include "emu/debug/guest/source.h"
#include "emu/report.h"

#define RANGE_MAX 0x10000u             /* bytes that one breakpoint may watch */

static bool watches_memory(enum break_kind kind)
{
	return kind == BREAK_READ || kind == BREAK_WRITE || kind == BREAK_ACCESS;
}

static int check_range(const struct breakpoint *b, char *err)
{
	uint64_t end = b->space == SPACE_PHYSICAL ? 1ull << MAXPHYADDR : 1ull << 32;

	if (b->kind == BREAK_PORT)
		end = 0x10000;
	if (!b->length || b->length > RANGE_MAX)
		return loader_fail(err, "a range of %" PRIu32 " bytes: from 1 to %u can be watched", b->length, RANGE_MAX);
	if (b->address >= end || b->length > end - b->address)
		return loader_fail(err, "the range of %" PRIu32 " from 0x%" PRIx64 " ends beyond 0x%" PRIx64, b->length, b->address, end - 1);
	return 0;
}

static int check_spec(const struct breakpoint *b, char *err)
{
	if ((unsigned)b->kind >= BREAK_KINDS)
		return loader_fail(err, "no such kind of breakpoint");
	if ((watches_memory(b->kind) || b->kind == BREAK_PORT) && check_range(b, err))
		return -1;
	if ((b->kind == BREAK_EXECUTE || b->kind == BREAK_MAPPING) && b->space != SPACE_PHYSICAL && b->address > UINT32_MAX)
		return loader_fail(err, "0x%" PRIx64 " is no linear address", b->address);
	if (b->kind == BREAK_MAPPING && b->space == SPACE_PHYSICAL)
		return loader_fail(err, "only linear addresses are mapped");
	if ((b->kind == BREAK_EXCEPTION || b->kind == BREAK_INTERRUPT) && (b->vector < -1 || b->vector > 255))
		return loader_fail(err, "vector %d: from 0 to 255, or any", b->vector);
	if (b->kind == BREAK_CONTROL && (b->address > 4 || b->address == 1))
		return loader_fail(err, "there is no register CR%" PRIu64, b->address);
	return 0;
}

int debugger_break_add(struct debugger *d, const struct breakpoint *spec, char *err)
{
	struct breakpoint **end = &d->breaks;

	if (check_spec(spec, err) || (spec->condition && expr_check(d, spec->condition, err)))
		return -1;
	struct breakpoint *b = malloc(sizeof(*b));
	if (!b)
		return loader_fail(err, "out of memory");
	*b = *spec;
	b->id = d->next_id++;
	b->hits = 0;
	b->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = b;
	return (int)b->id;
}

struct breakpoint *debugger_break_find(struct debugger *d, unsigned id)
{
	struct breakpoint *b = d->breaks;

	while (b && b->id != id)
		b = b->next;
	return b;
}

int debugger_break_delete(struct debugger *d, unsigned id)
{
	for (struct breakpoint **p = &d->breaks; *p; p = &(*p)->next) {
		struct breakpoint *b = *p;
		if (b->id != id)
			continue;
		*p = b->next;
		if (d->stop.hit == b)
			d->stop.hit = NULL;
		free(b->condition);
		free(b->commands);
		free(b);
		return 0;
	}
	return -1;
}

/* --- in words ---------------------------------------------------------------------------------------------------------- */

static void describe_place(const struct debugger *d, const struct breakpoint *b, char *buf, size_t size)
{
	char symbol[80] = "";
	int n;

	if (b->space != SPACE_PHYSICAL)
		source_symbol(d, (uint32_t)b->address, symbol, sizeof(symbol));
	n = snprintf(buf, size, "%s0x%08" PRIx64, b->space == SPACE_PHYSICAL ? "physical " : "", b->address);
	if (*symbol && n >= 0 && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, " (%s)", symbol);
	if (watches_memory(b->kind) && n >= 0 && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, ", %" PRIu32 " byte%s", b->length, b->length == 1 ? "" : "s");
	if (b->space == SPACE_VIRTUAL && n >= 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, ", in the address space of CR3 0x%" PRIx32, b->cr3);
}

static void describe_event(const struct breakpoint *b, const char *what, char *buf, size_t size)
{
	int n;

	if (b->vector < 0)
		n = snprintf(buf, size, "any %s", what);
	else if (b->vector < 32 && b->kind == BREAK_EXCEPTION)
		n = snprintf(buf, size, "exception %s (%s)", vector_mnemonic((unsigned)b->vector), vector_name((unsigned)b->vector));
	else
		n = snprintf(buf, size, "%s 0x%02x", what, (unsigned)b->vector);
	if (b->kind != BREAK_EXCEPTION)
		return;
	if (b->error_mask && n >= 0 && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, ", error code & 0x%" PRIx32 " = 0x%" PRIx32, b->error_mask, b->error_value);
	if (b->length && n >= 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, ", CR2 from 0x%08" PRIx64 ", %" PRIu32 " bytes", b->address, b->length);
}

static void describe_what(const struct debugger *d, const struct breakpoint *b, char *buf, size_t size)
{
	static const char *const names[] = { [BREAK_EXECUTE] = "break at", [BREAK_READ] = "watch read", [BREAK_WRITE] = "watch write",
		[BREAK_ACCESS] = "watch access", [BREAK_MAPPING] = "mapping of", [BREAK_RESUME] = "resumption of" };
	char place[240];

	switch (b->kind) {
	case BREAK_PORT:
		snprintf(buf, size, b->length == 1 ? "port 0x%" PRIx64 : "ports from 0x%" PRIx64 ", %" PRIu32, b->address, b->length);
		break;
	case BREAK_MSR:
		snprintf(buf, size, "write of MSR 0x%" PRIx64, b->address);
		break;
	case BREAK_CONTROL:
		snprintf(buf, size, "write of CR%" PRIu64, b->address);
		break;
	case BREAK_EXCEPTION:
		describe_event(b, "exception", buf, size);
		break;
	case BREAK_INTERRUPT:
		describe_event(b, "interrupt", buf, size);
		break;
	case BREAK_SPACE:
		snprintf(buf, size, b->any ? "switch to another address space" : "switch to the address space of CR3 0x%" PRIx64, b->address);
		break;
	case BREAK_COUNT:
		snprintf(buf, size, "instruction number %" PRIu64, b->address);
		break;
	case BREAK_RESUME:
		if (!b->length) {
			snprintf(buf, size, "resumption of any faulted instruction");
			break;
		}
		/* fall through */
	default:
		describe_place(d, b, place, sizeof(place));
		snprintf(buf, size, "%s %s", (unsigned)b->kind < BREAK_KINDS ? names[b->kind] : "?", place);
	}
}

void break_describe(const struct debugger *d, const struct breakpoint *b, char *buf, size_t size)
{
	char what[320];

	describe_what(d, b, what, sizeof(what));
	snprintf(buf, size, "%s%s%s", what, b->condition ? " if " : "", b->condition ? b->condition : "");
}
