/* emu/trace/json_out.h: JSON written as it comes, for traces too long to be kept: no tree, no memory. */
#ifndef EMU_JSON_OUT_H
#define EMU_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_out {
	FILE *out;
	bool first;                    /* no comma before the next */
};

/* key is NULL inside an array or at the top. Bytes of text that are no printable ASCII come out as '?'. */
void json_open(struct json_out *j, const char *key, char bracket);        /* '{' or '[' */
void json_close(struct json_out *j, char bracket);                        /* '}' or ']' */
void json_put_number(struct json_out *j, const char *key, uint64_t value);
void json_put_hex(struct json_out *j, const char *key, uint64_t value);   /* "0x1f" */
void json_put_bool(struct json_out *j, const char *key, bool value);
void json_put_text(struct json_out *j, const char *key, const char *text);
/* Thousandths: 1234 as 1.234. */
void json_put_milli(struct json_out *j, const char *key, uint64_t value);

#endif
