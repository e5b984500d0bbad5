/* sys/wait.h: how a child ended. */
#ifndef SYS_WAIT_H
#define SYS_WAIT_H

#include <sys/resource.h>
#include <sys/types.h>

#define WNOHANG 1
#define WUNTRACED 2                    /* also children that have stopped */
#define WCONTINUED 8
#define WTERMSIG(s) ((s) & 0x7f)
#define WEXITSTATUS(s) ((s) >> 8 & 0xff)
#define WIFEXITED(s) (WTERMSIG(s) == 0)
#define WIFSTOPPED(s) (((s) & 0xff) == 0x7f)
#define WSTOPSIG(s) WEXITSTATUS(s)
#define WIFCONTINUED(s) ((s) == 0xffff)
#define WIFSIGNALED(s) (WTERMSIG(s) != 0 && WTERMSIG(s) != 0x7f)

pid_t waitpid(pid_t pid, int *status, int options);
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);
pid_t wait(int *status);

#endif
