/* guestos/include/procfs.h: one row for each file of /proc. proc_show.c has the rows, procfs.c makes files of them. */
#ifndef PROCFS_H
#define PROCFS_H

#include "fs.h"

struct proc_entry {
	const char *name;
	void (*show)(struct text *t, struct proc *p);          /* text, or */
	uint64_t (*entry)(struct proc *p, uint32_t index);     /* table of 8-byte entries */
	int (*write)(const char *word);                        /* NULL: read only. 0 or -error; may sleep */
};
struct proc_table { const struct proc_entry *rows; uint32_t n; };
extern const struct proc_table proc_system, proc_process;      /* /proc itself, /proc/PID */

#endif
