/* unistd.h: one thin wrapper for each system call (lib/syscall.c).
 *
 * Every wrapper returns what the kernel returns, except that a result between
 * -4095 and -1 is turned into -1 with its positive value in errno. */
#ifndef UNISTD_H
#define UNISTD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

long syscall(long number, ...);        /* up to six arguments; result as above */

pid_t fork(void);
int execve(const char *path, char *const argv[], char *const envp[]);
int execvp(const char *file, char *const argv[]);      /* looks along $PATH */
_Noreturn void _exit(int status);
pid_t getpid(void);
pid_t getppid(void);

ssize_t read(int fd, void *buf, size_t n);
ssize_t write(int fd, const void *buf, size_t n);
ssize_t pread(int fd, void *buf, size_t n, off_t at);
ssize_t pwrite(int fd, const void *buf, size_t n, off_t at);
ssize_t read_full(int fd, void *buf, size_t n);                /* retried until n bytes, end of file or error */
ssize_t write_full(int fd, const void *buf, size_t n);
off_t lseek(int fd, off_t offset, int whence);
int close(int fd);
int dup(int fd);
int dup2(int fd, int to);
int pipe(int fd[2]);
int ftruncate(int fd, off_t length);
int isatty(int fd);

int access(const char *path, int mode);
int link(const char *path, const char *another);
int unlink(const char *path);
int rmdir(const char *path);
int chdir(const char *path);
char *getcwd(char *buf, size_t size);
void sync(void);
int fsync(int fd);
int fdatasync(int fd);

int brk(void *end);                    /* 0, or -1 with ENOMEM */
void *sbrk(intptr_t increment);        /* the previous break, or (void *)-1 */

int pause(void);                       /* until a handler has run */
unsigned alarm(unsigned seconds);      /* SIGALRM then; 0: not at all. Seconds the old one still had */
unsigned sleep(unsigned seconds);
int usleep(unsigned microseconds);
int sched_yield(void);
int poweroff(void);

#endif
