/* emu/outputs.c: see outputs.h. Opening for writing empties a file, and another name may be the same file (a link, a path through
 * another folder): files are compared by device and inode. */
#include "emu/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/loader.h"

struct named { const char *what, *path; };

#define OUTPUTS 5
#define INPUTS (2 + KERNEL_MODULES + MAX_DISKS)

/* Terminals, pipes and /dev/null may well be shared. */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) || stat(b, &y))
		return !strcmp(a, b);
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino && (S_ISREG(x.st_mode) || S_ISBLK(x.st_mode));
}

/* 0 or a negative errno. A file that is not there yet needs a folder that lets one be made. */
static int writable(const char *path)
{
	char folder[4096];
	struct stat st;

	if (!stat(path, &st))
		return S_ISDIR(st.st_mode) ? -EISDIR : access(path, W_OK) ? -errno : 0;
	if (errno != ENOENT)
		return -errno;
	const char *slash = strrchr(path, '/');
	if (slash && !slash[1])
		return -EISDIR;
	if (slash && (size_t)(slash - path) >= sizeof(folder) - 1)
		return -ENAMETOOLONG;
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return access(folder, W_OK | X_OK) ? -errno : 0;
}

static unsigned list_inputs(const struct run_options *o, const struct plan *p, struct named *in)
{
	unsigned n = 0;

	if (p->kernel.file.path)
		in[n++] = (struct named){ "kernel", p->kernel.file.path };
	if (o->load)
		in[n++] = (struct named){ "loaded file", o->load };
	for (unsigned i = 0; i < p->kernel.modules; i++)
		in[n++] = (struct named){ "initrd", p->kernel.module[i].path };
	for (unsigned i = 0; i < p->disks; i++)
		in[n++] = (struct named){ "disk", p->disk_name[i] };
	return n;
}

static int clash(const struct named *out, const struct named *other, char *err)
{
	snprintf(err, ERROR_LINE, "the %s '%.200s' is also the %s: it would be overwritten", out->what, out->path, other->what);
	return -1;
}

int outputs_check(const struct run_options *o, const struct plan *p, char *err)
{
	const struct named out[OUTPUTS] = {
		{ "serial output", o->serial == SERIAL_FILE ? o->serial_path : NULL },
		{ "trace file", o->trace_path },
		{ "status file", o->status_json },
		{ "recording", o->record },
		{ "saved machine", o->save },
	};
	struct named in[INPUTS];
	unsigned inputs = list_inputs(o, p, in);

	for (unsigned i = 0; i < OUTPUTS; i++) {
		if (!out[i].path)
			continue;
		int r = writable(out[i].path);
		if (r) {
			snprintf(err, ERROR_LINE, "cannot write %s '%.200s': %s", out[i].what, out[i].path, strerror(-r));
			return -1;
		}
		for (unsigned k = 0; k < inputs; k++)
			/* A machine may be saved where it was loaded from: the new file takes the old one's place at once. */
			if (same_file(out[i].path, in[k].path) && !(out[i].path == o->save && in[k].path == o->load))
				return clash(&out[i], &in[k], err);
		for (unsigned k = 0; k < i; k++)
			if (out[k].path && same_file(out[i].path, out[k].path))
				return clash(&out[i], &out[k], err);
	}
	return 0;
}
