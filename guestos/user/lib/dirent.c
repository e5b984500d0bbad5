/* lib/dirent.c: directories, one buffer of getdents64 entries at a time. */
#include <dirent.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct dir {
	int fd;
	ssize_t pos, len;
	char buf[1024] __attribute__((aligned(8)));
};

DIR *opendir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return NULL;
	DIR *d = malloc(sizeof(*d));
	if (!d) {
		close(fd);
		return NULL;
	}
	d->fd = fd;
	d->pos = d->len = 0;
	return d;
}

struct dirent *readdir(DIR *d)
{
	if (d->pos >= d->len) {
		d->pos = 0;
		d->len = getdents64(d->fd, d->buf, sizeof(d->buf));
		if (d->len <= 0)
			return NULL;
	}
	struct dirent *e = (struct dirent *)(d->buf + d->pos);
	d->pos += e->d_reclen;
	return e;
}

int closedir(DIR *d)
{
	int result = close(d->fd);

	free(d);
	return result;
}
