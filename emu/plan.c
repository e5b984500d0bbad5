/* emu/plan.c: see plan.h.
 *
 *   IMAGE given?   --kernel given?   kernel             disks
 *   no             no                bundled Pagoda     its disk image, then --disk
 *   kernel         no                IMAGE              --disk
 *   Pagoda's disk  no                bundled Pagoda     IMAGE, then --disk
 *   other disk     no                refused: that needs firmware
 *   any            yes               --kernel           IMAGE, then --disk
 */
#define _GNU_SOURCE                        /* asprintf */
#include "emu/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGODA_KERNEL "pagoda.elf"
#define PAGODA_DISK   "pagoda.img"

/* The bundled files lie in the folder above the one the executable is in. NULL when out of memory. */
static char *bundled_path(const char *name)
{
	char exe[4096], *path;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return NULL;
	exe[n] = 0;
	for (unsigned i = 0; i < 2; i++) {
		char *slash = strrchr(exe, '/');
		if (slash)
			*slash = 0;
	}
	return asprintf(&path, "%s/%s", exe, name) < 0 ? NULL : path;
}

static int add_disk(struct plan *p, const char *path, bool snapshot, char *err)
{
	if (p->disks == MAX_DISKS) {
		snprintf(err, ERROR_LINE, "more than %d disks: '%.300s'", MAX_DISKS, path);
		return -1;
	}
	struct disk *d = disk_open(path, snapshot, err, ERROR_LINE);
	if (!d)
		return -1;
	p->disk[p->disks] = d;
	p->disk_name[p->disks++] = strdup(path);
	return 0;
}

static int use_bundled(struct plan *p, const char *name, bool kernel, bool snapshot, char *err)
{
	char *path = bundled_path(name);

	if (!path) {
		snprintf(err, ERROR_LINE, "cannot find the folder of the bundled %s", name);
		return -1;
	}
	int r;
	if (access(path, F_OK)) {
		snprintf(err, ERROR_LINE, "the bundled Pagoda is not built: '%.300s' is missing; build it, or name an IMAGE", path);
		r = -1;
	} else {
		r = kernel ? kernel_open(&p->kernel, path, err) : add_disk(p, path, snapshot, err);
	}
	free(path);
	return r;
}

static int refuse_disk(const char *path, char *err)
{
	/* Opening says what is wrong with it as a disk, if anything is; a snapshot, so that nothing is written or locked out. */
	struct disk *d = disk_open(path, true, err, ERROR_LINE);

	if (!d)
		return -1;
	d->close(d);
	snprintf(err, ERROR_LINE, "image '%.300s' is not a kernel, and booting a disk needs firmware (a BIOS), which this version lacks; "
		"give a kernel with --kernel", path);
	return -1;
}

static int choose_kernel(struct plan *p, const struct run_options *o, bool *image_is_disk, char *err)
{
	enum image_kind kind;

	*image_is_disk = false;
	if (o->kernel) {
		*image_is_disk = o->image;
		return kernel_open(&p->kernel, o->kernel, err);
	}
	if (!o->image)
		return use_bundled(p, PAGODA_KERNEL, true, false, err);
	if (image_kind(o->image, &kind, err))
		return -1;
	if (kind == IMAGE_KERNEL)
		return kernel_open(&p->kernel, o->image, err);
	if (kind == IMAGE_DISK)
		return refuse_disk(o->image, err);
	*image_is_disk = true;
	return use_bundled(p, PAGODA_KERNEL, true, false, err);
}

int plan_make(struct plan *p, const struct run_options *o, char *err)
{
	bool image_is_disk;

	*p = (struct plan){ 0 };
	if (choose_kernel(p, o, &image_is_disk, err))
		return -1;
	for (unsigned i = 0; i < o->initrds; i++)
		if (kernel_add_module(&p->kernel, o->initrd[i], err))
			return -1;
	if (o->append && kernel_set_command_line(&p->kernel, o->append, err))
		return -1;
	if (kernel_check(&p->kernel, o->memory, err))
		return -1;
	if (image_is_disk && add_disk(p, o->image, o->snapshot, err))
		return -1;
	if (!o->image && !o->kernel && use_bundled(p, PAGODA_DISK, false, o->snapshot, err))
		return -1;
	for (unsigned i = 0; i < o->disks; i++)
		if (add_disk(p, o->disk[i], o->snapshot, err))
			return -1;
	return 0;
}

void plan_free(struct plan *p)
{
	kernel_close(&p->kernel);
	for (unsigned i = 0; i < p->disks; i++) {
		p->disk[i]->close(p->disk[i]);
		free(p->disk_name[i]);
	}
	*p = (struct plan){ 0 };
}
