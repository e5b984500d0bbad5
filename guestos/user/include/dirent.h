/* dirent.h: reading directories, on getdents64 (lib/dirent.c). */
#ifndef DIRENT_H
#define DIRENT_H

#include <sys/types.h>

struct dirent {                        /* the kernel's struct linux_dirent64 */
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
} __attribute__((packed));

#define DT_DIR 4
#define DT_REG 8

typedef struct dir DIR;

DIR *opendir(const char *path);
struct dirent *readdir(DIR *d);        /* NULL at the end; the entry is valid until the next call */
int closedir(DIR *d);
ssize_t getdents64(int fd, void *buf, size_t size);

#endif
