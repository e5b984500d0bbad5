/* devices/host_io.h: reading and writing host files whole, where the system may stop half way or be interrupted. */
#ifndef DEVICES_HOST_IO_H
#define DEVICES_HOST_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOST_IO_ON UINT64_MAX          /* as offset: where the file stands, for what cannot seek */

/* Until size bytes or the file's end. How many, or a negative errno. */
ssize_t host_read(int fd, void *buf, size_t size, uint64_t offset);
/* 0, or a negative errno; part may be written then. */
int host_write(int fd, const void *buf, size_t size, uint64_t offset);

#endif
