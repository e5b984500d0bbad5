/* vmtest/mmap.h: what the tests of mappings share (mmap.c). */
#ifndef VMTEST_MMAP_H
#define VMTEST_MMAP_H

#include <stdint.h>

#define MAPPED "/tmp/vmtest-map"

void touch_read(void *p);              /* for must_be_killed() */
void touch_write(void *p);
int mapped_file(uint32_t pages, uint32_t who);         /* MAPPED, made anew: page n is stamped who + n */
char *map(uint32_t pages, int prot, int flags, int fd, uint32_t first_page);
char *map_anonymous(uint32_t pages);
char *map_shared(int fd, uint32_t pages);              /* from the file's beginning, to read and write */
void read_page(int fd, char *to, uint32_t page);       /* by a system call */
void check_stamped(const char *p, uint32_t pages, uint32_t who);

#endif
