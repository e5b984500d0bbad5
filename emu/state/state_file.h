/* emu/state/state_file.h: a machine in a file: snapshots (--save, --load) and recordings (--record, emu replay).
 *
 *   "PagodaEmu state\n" version | zstd stream of chunks { tag[8], length, bytes } | checksum of everything before
 *   chunks:  machine   memory size, TLB geometry, seed, drives
 *            kernel    the kernel's file, command line and modules, for the next reset and for symbols
 *            state     machine_state_save()
 *            ram       pages that are not all zero
 *            disk N    what differs from the image at the path (snapshot), or everything that is not zero (recording: self-contained)
 *            input     recording: bytes and the ticks at which they entered
 *            marks     recording: hashes on the way, and how and where it ended
 *            end       recording: machine_state_save() there, to name what differs
 *
 * Written to a temporary name beside the target, synced, renamed: there is the old file or the new one, never half a file. A file is
 * untrusted input. Unknown chunks are refused by name; files of older versions load, or are refused by their version's name.
 */
#ifndef EMU_STATE_FILE_H
#define EMU_STATE_FILE_H

#include "emu/history/history.h"
#include "emu/loader.h"
#include "emu/machine.h"
#include "emu/state/machine_state.h"

#define STATE_FILE_VERSION 1

/* The machine as it is now. disk paths are those of the machine's drives. 0, or -1 with a line in err. */
int state_save(struct machine *m, const char *path, char *err);

struct record_mark { struct moment at; uint64_t hash; };

/* What a file holds, opened. */
struct state_file {
	struct machine_config config;      /* memory, tlb, seed; kernel points below; disks opened */
	struct kernel kernel;
	bool recording;
	struct input_event *input;
	size_t inputs;
	struct record_mark *mark;
	size_t marks;
	struct moment end;                 /* recording: where it ended ... */
	enum machine_stop ended;
	uint64_t end_hash;
	struct bytes end_state;            /* machine_state_save() there; may be empty */
	struct state_parts *parts;         /* private */
};
bool state_file_is(const char *path);      /* by its first bytes */
int state_open(struct state_file *f, const char *path, char *err);
/* After machine_create(&f->config): puts RAM, disks and state in place. */
int state_apply(struct state_file *f, struct machine *m, char *err);
void state_close(struct state_file *f);

/* Recording: begin at a moment (the first of the history), end at the present. The file appears at the end. */
struct recorder;
struct recorder *record_begin(struct history *h, char *err);
int record_end(struct recorder *r, enum machine_stop ended, const char *path, char *err);

#endif
