/* emu/status_json.h: how a run ended, for people (the exit status) and for programs (--status-json). */
#ifndef EMU_STATUS_JSON_H
#define EMU_STATUS_JSON_H

#include "emu/machine.h"

struct outcome {
	int status;                    /* exit status, see status.h */
	const char *cause;             /* in words */
	int signal;                    /* the process is to die by it; 0: none */
};

/* 0, or -1 with one line in err. */
int status_json_write(const char *path, const struct outcome *o, const struct machine *m, double seconds, char *err);

#endif
