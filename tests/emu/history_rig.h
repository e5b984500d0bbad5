/* tests/emu/history_rig.h: a machine whose past is looked at, and what tells one moment from another. */
#ifndef TESTS_EMU_HISTORY_RIG_H
#define TESTS_EMU_HISTORY_RIG_H

#include "emu/history/history.h"

#define MILLION 1000000ull
#define PAGODA_LIMIT (64u << 20)

extern char err[ERROR_LINE];
extern const char script[];            /* for Pagoda's shell: files, copies, swap */

struct rig {
	struct kernel kernel;
	struct disk *disk;
	struct machine *m;
	struct history *h;
	const char *input;
	size_t printed;
};

void start_with(struct rig *r, const char *kernel, const char *image, bool snapshot, const char *input, struct machine_config config);
void start_pagoda(struct rig *r, struct tlb_geometry tlb, const char *input);
void remember(struct rig *r, uint64_t limit);
void end(struct rig *r);

/* All of a moment: memory and registers; the saved state with the TLB; the disk, or 0 where it was not looked at. */
struct print { uint64_t memory, state, disk; };
uint64_t disk_hash(struct machine *m);
struct print print_of(struct machine *m, bool disk);
void check_same(struct machine *m, const struct print *p, bool disk, const char *what, uint64_t at);

#endif
