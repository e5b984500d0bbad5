/* guestos/fs/pipe.c: pipes: a page of bytes between a writer and a reader.
 *
 * The mutex is held while bytes are copied from or to user memory, which may fault and sleep; faults never need a pipe. It is let go
 * before waiting for the other side, which is done on channel &head: the pipe's own address is the mutex's channel. Writes up to
 * PIPE_BUF (a page) are not interleaved with other writers' bytes. */
#include "fs.h"
#include "mm.h"
#include "proc.h"

#define SIZE PAGE_SIZE

struct pipe {
	struct mutex lock;
	struct frame *buffer;
	uint32_t head, tail;           /* bytes ever written and read; head - tail <= SIZE */
	uint32_t readers, writers;
};

static void wake(struct pipe *p)
{
	wakeup(&p->head);
	wakeup(&poll_channel);
}

static int pipe_read(struct file *f, uaddr_t to, uint32_t n, uint32_t pos)
{
	struct pipe *p = f->pipe;
	(void)pos;
	if (!n)
		return 0;
	mutex_lock(&p->lock);
	while (p->head == p->tail) {
		mutex_unlock(&p->lock);
		if (!p->writers)
			return 0;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		int err = sleep_on(&p->head);
		if (err)
			return err;
		mutex_lock(&p->lock);
	}
	uint32_t done = 0;
	int err = 0;
	while (done < n && p->head != p->tail) {
		uint32_t at = p->tail % SIZE, piece = min(min(n - done, p->head - p->tail), SIZE - at);
		err = copy_to_user(to + done, (char *)frame_va(p->buffer) + at, piece);
		if (err)
			break;
		p->tail += piece;
		done += piece;
	}
	mutex_unlock(&p->lock);
	wake(p);
	return done ? (int)done : err;
}

static int wait_for_room(struct pipe *p, uint32_t room, bool nonblock)
{
	while (p->readers && SIZE - (p->head - p->tail) < room) {
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		int err = sleep_on(&p->head);
		mutex_lock(&p->lock);
		if (err)
			return err;
	}
	if (!p->readers) {
		proc_signal(current, SIGPIPE);
		return -EPIPE;
	}
	return 0;
}

static int pipe_write(struct file *f, uaddr_t from, uint32_t n, uint32_t pos)
{
	struct pipe *p = f->pipe;
	uint32_t done = 0;
	int err = 0;
	(void)pos;
	mutex_lock(&p->lock);
	while (done < n) {
		err = wait_for_room(p, n <= SIZE ? n - done : 1, f->flags & O_NONBLOCK);
		if (err)
			break;
		uint32_t at = p->head % SIZE, piece = min(min(n - done, SIZE - (p->head - p->tail)), SIZE - at);
		err = copy_from_user((char *)frame_va(p->buffer) + at, from + done, piece);
		if (err)
			break;
		p->head += piece;
		done += piece;
		wake(p);
	}
	mutex_unlock(&p->lock);
	return done ? (int)done : err;
}

static int pipe_stat(struct file *f, struct stat_info *st)
{
	*st = (struct stat_info){ .mode = S_IFIFO | 0600, .nlink = 1, .ino = virt_to_phys(f->pipe) >> 4 };
	return 0;
}

static uint32_t pipe_ready(struct file *f)
{
	const struct pipe *p = f->pipe;
	if ((f->flags & O_ACCMODE) == O_WRONLY)
		return (p->head - p->tail < SIZE ? POLLOUT : 0) | (p->readers ? 0 : POLLERR);
	return (p->head != p->tail ? POLLIN : 0) | (p->writers ? 0 : POLLHUP);
}

static void pipe_close(struct file *f)
{
	struct pipe *p = f->pipe;
	(f->flags & O_ACCMODE) == O_WRONLY ? p->writers-- : p->readers--;
	wake(p);
	if (p->readers || p->writers)
		return;
	frame_free(p->buffer);
	kfree(p);
}

static struct frame *pipe_frame(const struct file *f) { return f->pipe->buffer; }

static const struct file_ops pipe_ops = {
	.read = pipe_read, .write = pipe_write, .stat = pipe_stat, .ready = pipe_ready, .close = pipe_close,
	.frame = pipe_frame,
};

int pipe_new(struct file **read_end, struct file **write_end)
{
	struct pipe *p = kzalloc(sizeof *p);
	*read_end = file_new(&pipe_ops, O_RDONLY);
	*write_end = file_new(&pipe_ops, O_WRONLY);
	if (p && *read_end && *write_end && (p->buffer = frame_alloc(ALLOC_KERNEL))) {
		p->readers = p->writers = 1;
		(*read_end)->pipe = (*write_end)->pipe = p;
		return 0;
	}
	kfree(p);
	kfree(*read_end);
	kfree(*write_end);
	return -ENOMEM;
}
