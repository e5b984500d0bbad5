/* emu/plan.h: which kernel and which disks a command line means; opens them all before anything runs or is written. */
#ifndef EMU_PLAN_H
#define EMU_PLAN_H

#include "devices/device.h"
#include "emu/loader.h"
#include "emu/options.h"

struct plan {
	struct kernel kernel;
	struct disk *disk[MAX_DISKS];
	char *disk_name[MAX_DISKS];
	unsigned disks;
};

/* 0, or -1 with one line in err; then plan_free all the same. */
int plan_make(struct plan *p, const struct run_options *o, char *err);
void plan_free(struct plan *p);

#endif
