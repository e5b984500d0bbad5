/* emu/run_options.c: the options of `emu run`: what each value may be. */
#include "emu/options.h"

#include <stdlib.h>
#include <string.h>

#include "emu/history/history.h"
#include "emu/loader.h"

#define RUN(target) ((struct run_options *)(target))

static int refuse(char *err, const char *option, const char *value, const char *wanted)
{
	snprintf(err, ERROR_LINE, "%s '%.200s': %s", option, value, wanted);
	return -1;
}

static int set_memory(void *target, const char *value, char *err)
{
	uint64_t bytes;

	if (!parse_size(value, &bytes))
		return refuse(err, "--memory", value, "not a size; write 4M, 64M or 1G");
	if (bytes < 1u << 20 || bytes > PHYS_MAX_RAM)
		return refuse(err, "--memory", value, "must be from 1M to 3G");
	if (bytes % PAGE_SIZE)
		return refuse(err, "--memory", value, "must be a multiple of 4K");
	RUN(target)->memory = bytes;
	RUN(target)->memory_given = true;
	return 0;
}

static int set_file(const char **field, const char *option, const char *value, char *err)
{
	*field = value;
	return *value ? 0 : refuse(err, option, value, "must be the name of a file");
}

static int set_kernel(void *target, const char *value, char *err)
{
	return set_file(&RUN(target)->kernel, "--kernel", value, err);
}

static int add_initrd(void *target, const char *value, char *err)
{
	struct run_options *o = target;

	if (o->initrds == MAX_INITRDS)
		return refuse(err, "--initrd", value, "four are the most");
	return set_file(&o->initrd[o->initrds++], "--initrd", value, err);
}

static int set_append(void *target, const char *value, char *err)
{
	(void)err;
	RUN(target)->append = value;
	return 0;
}

static int add_disk(void *target, const char *value, char *err)
{
	struct run_options *o = target;

	if (o->disks == MAX_DISKS)
		return refuse(err, "--disk", value, "four are the most");
	return set_file(&o->disk[o->disks++], "--disk", value, err);
}

static int set_snapshot(void *target, const char *value, char *err)
{
	(void)value, (void)err;
	RUN(target)->snapshot = true;
	return 0;
}

static int set_save(void *target, const char *value, char *err)
{
	return set_file(&RUN(target)->save, "--save", value, err);
}

static int set_load(void *target, const char *value, char *err)
{
	return set_file(&RUN(target)->load, "--load", value, err);
}

static int set_record(void *target, const char *value, char *err)
{
	return set_file(&RUN(target)->record, "--record", value, err);
}

static int set_no_reboot(void *target, const char *value, char *err)
{
	(void)value, (void)err;
	RUN(target)->no_reboot = true;
	return 0;
}

static int set_serial(void *target, const char *value, char *err)
{
	struct run_options *o = target;

	o->serial_given = true;
	if (!strcmp(value, "stdio"))
		o->serial = SERIAL_STDIO;
	else if (!strcmp(value, "none"))
		o->serial = SERIAL_NONE;
	else if (!strcmp(value, "pty"))
		o->serial = SERIAL_PTY;
	else if (!strncmp(value, "file:", 5) && value[5]) {
		o->serial = SERIAL_FILE;
		o->serial_path = value + 5;
	} else {
		return refuse(err, "--serial", value, "must be stdio, file:PATH, none or pty");
	}
	return 0;
}

static int set_engine(void *target, const char *value, char *err)
{
	(void)target;
	return strcmp(value, "interp") ? refuse(err, "--engine", value, "the only engine is interp") : 0;
}

static int set_tlb(void *target, const char *value, char *err)
{
	static const char wanted[] = "must be flat, or entries=N,ways=M with N a power of two times M, up to 65536";
	unsigned entries, ways;
	int end = 0;

	RUN(target)->tlb_given = true;
	if (!strcmp(value, "flat")) {
		RUN(target)->tlb = (struct tlb_geometry){ 0, 0 };
		return 0;
	}
	if (strspn(value, "entriswaynumd=,0123456789") != strlen(value) ||
	    sscanf(value, "entries=%7u,ways=%7u%n", &entries, &ways, &end) != 2 || value[end])
		return refuse(err, "--tlb", value, wanted);
	unsigned sets = ways && entries % ways == 0 ? entries / ways : 0;
	if (!sets || sets & (sets - 1) || entries > 65536)
		return refuse(err, "--tlb", value, wanted);
	RUN(target)->tlb = (struct tlb_geometry){ entries, ways };
	return 0;
}

static int set_seed(void *target, const char *value, char *err)
{
	RUN(target)->seed_given = true;
	return parse_count(value, &RUN(target)->seed) ? 0 : refuse(err, "--seed", value, "not a number");
}

static int set_timeout(void *target, const char *value, char *err)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds > 0) || seconds > 1e9)
		return refuse(err, "--timeout", value, "must be a number of seconds above 0");
	RUN(target)->timeout_ms = (uint64_t)(seconds * 1000) + (seconds < 0.001);
	return 0;
}

static int set_max_instructions(void *target, const char *value, char *err)
{
	if (!parse_count(value, &RUN(target)->max_instructions) || !RUN(target)->max_instructions)
		return refuse(err, "--max-instructions", value, "must be a number above 0");
	return 0;
}

static int set_history(void *target, const char *value, char *err)
{
	if (!strcmp(value, "0"))
		RUN(target)->history = 0;
	else if (!parse_size(value, &RUN(target)->history))
		return refuse(err, "--history", value, "not a size; write 256M, 1G, or 0 for none");
	return 0;
}

static int set_check(void *target, const char *value, char *err)
{
	if (!strcmp(value, "paging") || !strcmp(value, "paging=warn"))
		RUN(target)->check = CHECKS_WARN;
	else if (!strcmp(value, "paging=stop"))
		RUN(target)->check = CHECKS_STOP;
	else
		return refuse(err, "--check", value, "must be paging, paging=warn or paging=stop");
	return 0;
}

static int set_status_json(void *target, const char *value, char *err)
{
	return set_file(&RUN(target)->status_json, "--status-json", value, err);
}

static int set_gdb(void *target, const char *value, char *err)
{
	RUN(target)->gdb = value;
	return *value ? 0 : refuse(err, "--gdb", value, "must be a port, HOST:PORT or tcp::PORT");
}

static int set_gdb_usual(void *target, const char *value, char *err)
{
	(void)value;
	return set_gdb(target, "1234", err);
}

static int set_waits(void *target, const char *value, char *err)
{
	(void)value, (void)err;
	RUN(target)->waits = true;
	return 0;
}

static const struct { const char *name; unsigned bit; } trace_names[] = {
	{ "int", TRACE_INT }, { "exc", TRACE_EXC }, { "io", TRACE_IO }, { "walk", TRACE_WALK }, { "cpu", TRACE_CPU }, { "dev", TRACE_DEV },
};
#define TRACE_NAMES (sizeof(trace_names) / sizeof(trace_names[0]))

static int set_trace(void *target, const char *value, char *err)
{
	struct run_options *o = target;
	const char *colon = strchr(value, ':');
	const char *end = colon ? colon : value + strlen(value);

	if (colon && set_file(&o->trace_path, "--trace", colon + 1, err))
		return -1;
	for (const char *p = value; p <= end;) {
		size_t len = strcspn(p, ",:");
		size_t i = 0;
		while (i < TRACE_NAMES && (strlen(trace_names[i].name) != len || memcmp(trace_names[i].name, p, len)))
			i++;
		if (i == TRACE_NAMES)
			return refuse(err, "--trace", value, "must be a list from int,exc,io,walk,cpu,dev, then maybe :FILE");
		o->trace |= trace_names[i].bit;
		p += len + 1;
	}
	return 0;
}

int run_options_trace(struct run_options *o, const char *value, char *err)
{
	return set_trace(o, value, err);
}

static int set_image(void *target, const char *value, char *err)
{
	struct run_options *o = target;

	if (o->image)
		return refuse(err, "second image", value, "only one IMAGE can be given; use --disk for more disks");
	return set_file(&o->image, "IMAGE", value, err);
}

static const struct option_row run_rows[] = {
	{ "--memory", "SIZE", "guest memory, 1M to 3G (default 64M)", set_memory },
	{ "--kernel", "FILE", "kernel to start: ELF, Multiboot or Linux bzImage; IMAGE is then a disk", set_kernel },
	{ "--initrd", "FILE", "initial RAM disk or module handed to the kernel; may be repeated", add_initrd },
	{ "--append", "TEXT", "kernel command line", set_append },
	{ "--disk", "FILE", "raw disk image, IDE; up to four, after IMAGE if that is a disk", add_disk },
	{ "--snapshot", NULL, "keep disk writes in memory; the image files stay as they are", set_snapshot },
	{ "--save", "FILE", "when the run ends, however it ends, save the machine; on a terminal\nCtrl-A s saves it at once", set_save },
	{ "--load", "FILE", "go on from a saved machine. Its disk images must be as they were; what\nis written goes to memory and to --save, never to the images",
		set_load },
	{ "--record", "FILE", "keep the whole run for emu replay and emu debug: memory, disks, input.\nWritten when the run ends; kill -9 loses it", set_record },
	{ "--no-reboot", NULL, "stop when the guest resets the machine, exit status 0", set_no_reboot },
	{ "--serial", "WHERE", "COM1: stdio (default), file:PATH, none, or pty (its name is printed)", set_serial },
	{ "--engine", "NAME", "interp, the reference interpreter", set_engine },
	{ "--tlb", "GEOMETRY", "flat (default, fast), or a modelled one: entries=64,ways=4", set_tlb },
	{ "--seed", "N", "shifts the phase of virtual time at power-on, so that interrupts\nfall between other instructions (default 0)", set_seed },
	{ "--timeout", "SECONDS", "stop after this much wall-clock time, exit status 124", set_timeout },
	{ "--max-instructions", "N", "stop after exactly N instructions (after --load, N more), exit status 124", set_max_instructions },
	{ "--check", "paging[=stop]", "tell what hardware lets pass: stale translations, pages open to users ...;\nwith stop end at the first, exit status 122",
		set_check },
	{ "--history", "SIZE", "memory for going back in time (default 256M; 0: none); 16 times that in a file", set_history },
	{ "--gdb", "[HOST:]PORT", "let gdb attach; on 127.0.0.1 unless HOST says otherwise", set_gdb },
	{ "-s", NULL, "the same as --gdb 1234", set_gdb_usual },
	{ "-S", NULL, "with --gdb: wait at the first instruction", set_waits },
	{ "--status-json", "FILE", "write how the run ended, and its counters, as JSON", set_status_json },
	{ "--trace", "LIST[:FILE]", "write events to FILE or standard error; LIST is comma-separated\n"
		"from int, exc, io, walk, cpu, dev", set_trace },
	{ 0 },
};

const struct option_set run_option_set = {
	.usage = "emu run [options] [IMAGE]",
	.examples =
		"examples:\n"
		"  emu run                                   boot Pagoda, the bundled system\n"
		"  printf 'vmtest\\npoweroff\\n' | emu run --memory 4M\n"
		"  emu run --timeout 60 mykernel.elf         a Multiboot kernel of your own\n"
		"  emu run --kernel mykernel.elf --snapshot disk.img\n"
		"  emu run --memory 256M vmlinuz --initrd initrd.gz --append 'console=ttyS0,115200'\n"
		"  emu run --save saved.emu                  ... and another day: emu run --load saved.emu\n"
		"  emu run --trace int,exc,walk:log.txt mykernel.elf\n",
	.rows = run_rows,
	.operand = set_image,
	.notes =
		"IMAGE is a kernel (ELF, Multiboot or Linux bzImage) or a raw disk image; without it, Pagoda boots.\n"
		"Options may be written with one dash: -kernel, -initrd, -append.\n"
		"On a terminal: Ctrl-A x quits, Ctrl-A h helps. Without one, standard input is serial input.\n"
		"Exit status: 0 power-off, reset with --no-reboot, or quit, 1 emulator error, 2 usage, 118 halted for good, 120 triple fault,\n"
		"122 found by --check paging=stop, 124 time or instruction limit, 128+n signal n; odd ones from 3 are the guest's own, through isa-debug-exit at port 0x501.\n",
};

void run_options_init(struct run_options *o)
{
	*o = (struct run_options){ .memory = 64u << 20, .append = NULL, .history = HISTORY_DEFAULT_LIMIT };
}
