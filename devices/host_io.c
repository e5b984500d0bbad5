/* devices/host_io.c: see host_io.h. */
#include "devices/host_io.h"

#include <errno.h>
#include <unistd.h>

ssize_t host_read(int fd, void *buf, size_t size, uint64_t offset)
{
	uint8_t *p = buf;
	size_t done = 0;

	while (done < size) {
		ssize_t n = offset == HOST_IO_ON ? read(fd, p + done, size - done) : pread(fd, p + done, size - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int host_write(int fd, const void *buf, size_t size, uint64_t offset)
{
	const uint8_t *p = buf;
	size_t done = 0;

	while (done < size) {
		ssize_t n = offset == HOST_IO_ON ? write(fd, p + done, size - done) : pwrite(fd, p + done, size - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		done += (size_t)n;
	}
	return 0;
}
