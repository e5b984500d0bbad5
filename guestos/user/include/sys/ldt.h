/* sys/ldt.h: segments of a program's own (Linux' modify_ldt). */
#ifndef SYS_LDT_H
#define SYS_LDT_H

#include <stdint.h>

/* What the segment is for; the read_exec_only flag takes writing from data and reading from code. */
#define MODIFY_LDT_CONTENTS_DATA 0
#define MODIFY_LDT_CONTENTS_STACK 1            /* expand-down: offsets above the limit are the valid ones */
#define MODIFY_LDT_CONTENTS_CODE 2

struct user_desc {
	uint32_t entry_number, base_addr, limit;
	uint32_t seg_32bit : 1, contents : 2, read_exec_only : 1, limit_in_pages : 1, seg_not_present : 1, useable : 1;
};

int modify_ldt(int func, void *data, unsigned long bytes);     /* func 0 reads the table, 0x11 writes one entry */

#endif
