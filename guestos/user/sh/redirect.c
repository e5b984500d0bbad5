/* redirect.c: < > >> >&, and undoing them. */
#include "sh.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FD_SAVED 20                    /* saved copies start above what programs use */

static int open_target(struct shell *sh, const struct redirect *r)
{
	char *target = expand_single(sh, r->target);
	int fd;

	switch (r->kind) {
	case REDIRECT_READ: fd = open(target, O_RDONLY); break;
	case REDIRECT_WRITE: fd = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0666); break;
	case REDIRECT_APPEND: fd = open(target, O_WRONLY | O_CREAT | O_APPEND, 0666); break;
	default:
		errno = EBADF;
		fd = isdigit((unsigned char)*target) && !target[1] ? dup(*target - '0') : -1;
	}
	if (fd < 0)
		fprintf(stderr, "sh: %s: %s\n", target, strerror(errno));
	return fd;
}

static int save_descriptor(int fd)
{
	int low[FD_SAVED], n = 0, copy = -2;

	/* dup gives the lowest free number: take numbers until one is out of the way, then give the others back. */
	while (n < FD_SAVED && (copy = dup(fd)) >= 0 && copy < FD_COUNT)
		low[n++] = copy;
	while (n > 0)
		close(low[--n]);
	if (copy < 0)
		return -2;
	fcntl(copy, F_SETFD, FD_CLOEXEC);
	return copy;
}

bool redirect(struct shell *sh, const struct redirect *r, int *saved)
{
	fflush(stdout);
	for (; r; r = r->next) {
		if (saved && saved[r->fd] == -1)
			saved[r->fd] = save_descriptor(r->fd);
		int fd = open_target(sh, r);
		if (fd < 0)
			return false;
		if (fd != r->fd) {
			dup2(fd, r->fd);
			close(fd);
		}
	}
	return true;
}

void undo_redirects(int *saved)
{
	fflush(stdout);
	for (int fd = 0; fd < FD_COUNT; fd++) {
		if (saved[fd] == -1)
			continue;
		if (saved[fd] == -2) {
			close(fd);
		} else {
			dup2(saved[fd], fd);
			close(saved[fd]);
		}
	}
}
