/* guestos/fs/procfs.c: /proc: files that the kernel makes up when they are read.
 *
 * A text file is made when it is read at offset 0 and kept, up to a page, until it is closed, so that reading it in pieces gives one
 * consistent text. pagemap and kpagecount are binary, big and cheap, and made for exactly the range that is read. What each file
 * says is in proc_show.c. */
#include "procfs.h"
#include "mm.h"
#include "proc.h"

void print(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->at, t->end - t->at, format, args);
	va_end(args);
	t->at = n < t->end - t->at ? t->at + n : t->end - 1;
}

#define DIRECTORY 99u

static const struct proc_table *table_of(int pid) { return pid ? &proc_process : &proc_system; }
static const struct proc_entry *entry_of(const struct file *f) { return &table_of(f->pid)->rows[f->number]; }

static int read_text(struct file *f, uaddr_t to, uint32_t n, uint32_t pos)
{
	struct proc *p = f->pid ? proc_find(f->pid) : current;
	if (!p)
		return -ESRCH;
	if (!f->text || pos == 0) {
		struct frame *page = f->text ? frame_of(virt_to_phys(f->text)) : frame_alloc(ALLOC_KERNEL);
		if (!page)
			return -ENOMEM;
		p = f->pid ? proc_find(f->pid) : current;      /* it may be gone after the sleep */
		f->text = frame_va(page);
		struct text t = { f->text, f->text + PAGE_SIZE };
		if (p)
			entry_of(f)->show(&t, p);
		f->text_len = t.at - f->text;
	}
	if (pos >= f->text_len)
		return 0;
	n = min(n, f->text_len - pos);
	int err = copy_to_user(to, f->text + pos, n);
	return err ? err : (int)n;
}

static int read_table(struct file *f, uaddr_t to, uint32_t n, uint32_t pos)
{
	uint32_t entries = f->pid ? KERNEL_BASE / PAGE_SIZE : nr_frames, done = 0;
	if (pos % 8 || n % 8)
		return -EINVAL;
	while (done < n && (pos + done) / 8 < entries) {
		uint64_t values[16];
		uint32_t count = min(min((n - done) / 8, 16u), entries - (pos + done) / 8);
		struct proc *p = f->pid ? proc_find(f->pid) : current;
		if (!p)
			return -ESRCH;
		for (uint32_t i = 0; i < count; i++)
			values[i] = entry_of(f)->entry(p, (pos + done) / 8 + i);
		if (copy_to_user(to + done, values, count * 8))
			return done ? (int)done : -EFAULT;
		done += count * 8;
	}
	return done;
}

static int proc_read(struct file *f, uaddr_t to, uint32_t n, uint32_t pos)
{
	if (f->number == DIRECTORY)
		return -EISDIR;
	if (!entry_of(f)->show && !entry_of(f)->entry)
		return -EINVAL;                /* the exe of a process that has none */
	return (entry_of(f)->show ? read_text : read_table)(f, to, n, pos);
}

/* The whole word comes in one write, with or without a newline after it. */
static int proc_write(struct file *f, uaddr_t from, uint32_t n, uint32_t pos)
{
	char word[32];
	uint32_t all = n;
	if (f->number == DIRECTORY || !entry_of(f)->write)
		return -EINVAL;
	if (pos || n >= sizeof word)
		return -EINVAL;
	if (copy_from_user(word, from, n))
		return -EFAULT;
	while (n && (word[n - 1] == '\n' || word[n - 1] == ' '))
		n--;
	word[n] = 0;
	int err = entry_of(f)->write(word);
	return err ? err : (int)all;
}

static uint32_t entry_mode(const struct proc_entry *e)
{
	return !e->show && !e->entry ? S_IFLNK | 0777 : S_IFREG | (e->write ? 0644 : 0444);
}

static void fill_entry(struct dir_entry *e, const char *name, uint32_t ino, uint32_t mode)
{
	e->ino = ino;
	e->type = DT_OF(mode);
	strlcpy(e->name, name, sizeof e->name);
}

/* Positions: 0 ".", 1 "..", then the table, then "self", then 1000 + pid. */
static int proc_next(struct file *f, uint32_t *pos, struct dir_entry *e)
{
	const struct proc_entry *table = table_of(f->pid)->rows;
	uint32_t n = table_of(f->pid)->n, at = *pos;
	char number[12];
	if (f->number != DIRECTORY)
		return -ENOTDIR;
	if (at < n + 2) {
		if (at < 2)
			fill_entry(e, at ? ".." : ".", at + 1, S_IFDIR);
		else
			fill_entry(e, table[at - 2].name, at + 1, entry_mode(&table[at - 2]));
		*pos = at + 1;
		return 1;
	}
	if (f->pid)
		return 0;
	if (at < 1000) {
		fill_entry(e, "self", 999, S_IFDIR);
		*pos = 1000;
		return 1;
	}
	struct proc *next = NULL;
	for (struct proc *p = all_procs; p; p = p->next)
		if (p->pid > (int)(at - 1000) && (!next || p->pid < next->pid))
			next = p;
	if (!next)
		return 0;
	snprintf(number, sizeof number, "%d", next->pid);
	fill_entry(e, number, 1000 + next->pid, S_IFDIR);
	*pos = 1000 + next->pid;
	return 1;
}

/* PID, or "self", at the beginning of *path: its number, and *path moves behind it; 0 if there is none. */
static int pid_of(const char **path)
{
	int pid = 0;
	if (!strncmp(*path, "self", 4) && (!(*path)[4] || (*path)[4] == '/')) {
		*path += 4;
		return current->pid;
	}
	while (**path >= '0' && **path <= '9' && pid < 1000000)
		pid = pid * 10 + *(*path)++ - '0';
	return pid;
}

/* /proc/PID/exe is a symbolic link to the program. */
int procfs_link(const char *path, char *target, uint32_t room)
{
	if (strncmp(path, "/proc/", 6))
		return -EINVAL;
	const char *p = path + 6;
	struct proc *found = proc_find(pid_of(&p));
	if (!found || !found->space || strcmp(p, "/exe") || !found->space->exe)
		return -EINVAL;
	strlcpy(target, found->space->exe, room);
	return strlen(target);
}

static int proc_stat(struct file *f, struct stat_info *st)
{
	uint32_t mode = f->number == DIRECTORY ? S_IFDIR | 0555 : entry_mode(entry_of(f));
	*st = (struct stat_info){ .dev = DEV_PROC, .ino = 1 + f->number + f->pid * 1000, .mode = mode, .nlink = 1,
		.mtime = boot_time + ticks / HZ };
	return 0;
}

static void proc_close(struct file *f)
{
	if (f->text)
		frame_free(frame_of(virt_to_phys(f->text)));
}

static struct frame *proc_frame(const struct file *f) { return f->text ? frame_of(virt_to_phys(f->text)) : NULL; }

static const struct file_ops proc_ops = {
	.read = proc_read, .write = proc_write, .next_entry = proc_next, .stat = proc_stat, .close = proc_close, .frame = proc_frame,
	.seekable = true,
};

static int number_of(const char *name, const struct proc_table *table)
{
	for (uint32_t i = 0; i < table->n; i++)
		if (!strcmp(name, table->rows[i].name))
			return i;
	return -ENOENT;
}

/* path is "", "/NAME", "/PID", "/PID/NAME"; "self" is the caller's PID. */
int procfs_open(const char *path, struct file **out)
{
	int number = DIRECTORY;
	const char *p = path + (*path == '/');
	int pid = pid_of(&p);
	if (pid && !proc_find(pid))
		return -ENOENT;
	if (pid && *p && *p++ != '/')
		return -ENOENT;
	if (*p) {
		number = number_of(p, table_of(pid));
		if (number < 0)
			return number;
	}
	if (!(*out = file_new(&proc_ops, O_RDONLY)))
		return -ENOMEM;
	(*out)->pid = pid;
	(*out)->number = number;
	return 0;
}
