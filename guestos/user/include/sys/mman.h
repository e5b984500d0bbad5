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

#define MREMAP_MAYMOVE 1
#define MREMAP_FIXED 2                 /* to a fifth argument's address */
#define MS_ASYNC 1
#define MS_INVALIDATE 2
#define MS_SYNC 4
#define MCL_CURRENT 1
#define MCL_FUTURE 2
#define MCL_ONFAULT 4                  /* pages stay once they are used; until then they need not come */
#define MLOCK_ONFAULT 1                /* the same */
#define MADV_NORMAL 0
#define MADV_RANDOM 1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED 3
#define MADV_DONTNEED 4

void *mmap(void *where, size_t length, int prot, int flags, int fd, off_t offset);
int munmap(void *start, size_t length);
int mprotect(void *start, size_t length, int prot);
void *mremap(void *start, size_t length, size_t new_length, int flags, ...);
int msync(void *start, size_t length, int flags);
int madvise(void *start, size_t length, int advice);
int mincore(void *start, size_t length, unsigned char *present);       /* one byte a page, bit 0: it is in memory */
int mlockall(int flags);
int munlockall(void);
int mlock(const void *start, size_t length);
int mlock2(const void *start, size_t length, int flags);
int munlock(const void *start, size_t length);

#endif
