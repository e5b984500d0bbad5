/* guestos/fs/devfs.c: /dev: the console, null and zero. */
#include "fs.h"
#include "dev.h"
#include "mm.h"
#include "proc.h"

static int null_read(struct file *f, uaddr_t to, uint32_t n, uint32_t pos) { (void)f; (void)to; (void)n; (void)pos; return 0; }
static int null_write(struct file *f, uaddr_t from, uint32_t n, uint32_t pos) { (void)f; (void)from; (void)pos; return n; }

static int zero_read(struct file *f, uaddr_t to, uint32_t n, uint32_t pos)
{
	uint32_t done = 0;
	(void)f; (void)pos;
	while (done < n && !current->killed) {
		uint32_t piece = min(n - done, PAGE_SIZE);
		if (copy_to_user(to + done, frame_va(zero_frame), piece))
			return done ? (int)done : -EFAULT;
		done += piece;
	}
	return done;
}

static int console_read(struct file *f, uaddr_t to, uint32_t n, uint32_t pos) { (void)pos; return tty_read(to, n, f->flags & O_NONBLOCK); }
static int console_write(struct file *f, uaddr_t from, uint32_t n, uint32_t pos) { (void)f; (void)pos; return tty_write(from, n); }
static int console_ioctl(struct file *f, uint32_t request, uaddr_t arg) { (void)f; return tty_ioctl(request, arg); }
static uint32_t console_ready(struct file *f) { (void)f; return tty_ready(); }
static int random_read(struct file *f, uaddr_t to, uint32_t n, uint32_t pos) { (void)f; (void)pos; return random_to_user(to, n); }
static int device_stat(struct file *f, struct stat_info *st);
static int devfs_next(struct file *f, uint32_t *pos, struct dir_entry *e);

static const struct file_ops null_ops = { .read = null_read, .write = null_write, .stat = device_stat };
static const struct file_ops zero_ops = { .read = zero_read, .write = null_write, .stat = device_stat };
static const struct file_ops console_ops = { .read = console_read, .write = console_write, .ioctl = console_ioctl, .ready = console_ready,
	.stat = device_stat };
static const struct file_ops random_ops = { .read = random_read, .write = null_write, .stat = device_stat };
static const struct file_ops devfs_dir_ops = { .next_entry = devfs_next, .stat = device_stat };

static const struct { const char *name; const struct file_ops *ops; uint32_t rdev; } devices[] = {
	{ "null", &null_ops, 0x103 }, { "zero", &zero_ops, 0x105 }, { "tty", &console_ops, 0x500 }, { "console", &console_ops, 0x501 },
	{ "random", &random_ops, 0x108 }, { "urandom", &random_ops, 0x109 },
};
#define DIRECTORY ARRAY_SIZE(devices)

static int device_stat(struct file *f, struct stat_info *st)
{
	bool dir = f->number == DIRECTORY;
	*st = (struct stat_info){ .dev = DEV_DEV, .ino = f->number + 2, .mode = dir ? S_IFDIR | 0755 : S_IFCHR | 0666, .nlink = dir ? 2 : 1,
		.rdev = dir ? 0 : devices[f->number].rdev };
	return 0;
}

static int devfs_next(struct file *f, uint32_t *pos, struct dir_entry *e)
{
	(void)f;
	if (*pos >= ARRAY_SIZE(devices) + 2)
		return 0;
	uint32_t i = (*pos)++;
	e->ino = i + 2;
	e->type = DT_OF(i < 2 ? S_IFDIR : S_IFCHR);
	strlcpy(e->name, i == 0 ? "." : i == 1 ? ".." : devices[i - 2].name, sizeof e->name);
	return 1;
}

int devfs_open(const char *path, struct file **out)
{
	uint32_t i = 0;
	while (*path && i < DIRECTORY && strcmp(path + 1, devices[i].name))
		i++;
	if (!*path)
		i = DIRECTORY;
	else if (i == DIRECTORY)
		return -ENOENT;
	*out = file_new(i == DIRECTORY ? &devfs_dir_ops : devices[i].ops, O_RDWR);
	if (!*out)
		return -ENOMEM;
	(*out)->number = i;
	return 0;
}

struct file *console_open(void)
{
	struct file *f;
	if (devfs_open("/console", &f))
		panic("no memory for the console");
	return f;
}
