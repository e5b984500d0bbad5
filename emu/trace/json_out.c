/* emu/trace/json_out.c: see json_out.h. */
#include "emu/trace/json_out.h"

#include <inttypes.h>

static void quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', out);
		fputc(*p >= ' ' && *p < 0x7f ? *p : '?', out);
	}
	fputc('"', out);
}

static void begin(struct json_out *j, const char *key)
{
	if (!j->first)
		fputc(',', j->out);
	j->first = false;
	if (key) {
		quoted(j->out, key);
		fputc(':', j->out);
	}
}

void json_open(struct json_out *j, const char *key, char bracket)
{
	begin(j, key);
	fputc(bracket, j->out);
	j->first = true;
}

void json_close(struct json_out *j, char bracket)
{
	fputc(bracket, j->out);
	j->first = false;
}

void json_put_number(struct json_out *j, const char *key, uint64_t value)
{
	begin(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_put_hex(struct json_out *j, const char *key, uint64_t value)
{
	begin(j, key);
	fprintf(j->out, "\"0x%" PRIx64 "\"", value);
}

void json_put_bool(struct json_out *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_put_text(struct json_out *j, const char *key, const char *text)
{
	begin(j, key);
	quoted(j->out, text);
}

void json_put_milli(struct json_out *j, const char *key, uint64_t value)
{
	begin(j, key);
	fprintf(j->out, "%" PRIu64 ".%03u", value / 1000, (unsigned)(value % 1000));
}
