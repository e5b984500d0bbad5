/* tests/emu/linux_look.c: what the debugger says of a Linux in a saved machine, as plain lines for linux_test.sh to compare with what Linux says.
 * Usage: linux_look FILE
 *
 *   process ID PARENT NAME
 *   region START-END RIGHTS NAME       of process 1
 *   frames COUNTED WRONG
 *   symbol NAME                        where the processor is
 */
#include <stdio.h>
#include <stdlib.h>

#include "emu/debug/guest/guest_maps.h"
#include "emu/debug/guest/source.h"
#include "emu/state/state_file.h"

#define ROOM 1000

static void print_regions(struct debugger *d, const struct guest_process *p)
{
	static struct guest_region r[ROOM];
	size_t n = guest_regions(d, p, r, ROOM);

	for (size_t i = 0; i < n && i < ROOM; i++)
		printf("region %08x-%08x %s %s\n", r[i].start, r[i].end, r[i].rights, r[i].name);
}

static void print_processes(struct debugger *d)
{
	static struct guest_process p[ROOM];
	size_t n = guest_processes(d, p, ROOM);

	for (size_t i = 0; i < n && i < ROOM; i++) {
		printf("process %llu %llu %s\n", (unsigned long long)p[i].id, (unsigned long long)p[i].parent, p[i].name);
		if (p[i].id == 1)
			print_regions(d, &p[i]);
	}
}

static void print_frames(struct debugger *d)
{
	struct guest_maps maps;
	struct guest_frame f;
	unsigned counted = 0, wrong = 0;

	if (!guest_maps_take(d, &maps))
		return;
	for (uint32_t i = 0; i < maps.frames; i++)
		if (guest_frame(d, i, &f) && f.counted) {
			counted += maps.count[i] > 0;
			wrong += guest_frame_wrong(&f, maps.count[i]);
		}
	printf("frames %u %u\n", counted, wrong);
	guest_maps_free(&maps);
}

int main(int argc, char **argv)
{
	char err[ERROR_LINE] = "usage: linux_look FILE", name[128];
	struct state_file f;
	struct debugger d = { 0 };

	if (argc != 2 || state_open(&f, argv[1], err) || !(d.m = machine_create(&f.config, err)) || state_apply(&f, d.m, err)) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	d.source = source_open(&f.kernel);
	if (!d.source || guest_open(&d, NULL, &d.guest, err))
		return 1;
	printf("guest %s\n", guest_name(d.guest));
	print_processes(&d);
	print_frames(&d);
	printf("symbol %s\n", source_symbol(&d, debugger_pc(&d), name, sizeof(name)));
	guest_close(d.guest);
	source_close(d.source);
	machine_free(d.m);
	state_close(&f);
	return 0;
}
