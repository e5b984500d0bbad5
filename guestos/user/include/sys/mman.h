/* sys/mman.h: mappings, with the numbers of Linux i386. */
#ifndef SYS_MMAN_H
#define SYS_MMAN_H

#include <stddef.h>
#include <sys/types.h>

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10                 /* exactly there, replacing what is there */
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_POPULATE 0x8000            /* bring the pages in now */
#define MAP_FIXED_NOREPLACE 0x100000
#define MAP_FAILED ((void *)-1)

void *mmap(void *where, size_t length, int prot, int flags, int fd, off_t offset);
int munmap(void *start, size_t length);
int mprotect(void *start, size_t length, int prot);
int mlock(const void *start, size_t length);
int munlock(const void *start, size_t length);

#endif
