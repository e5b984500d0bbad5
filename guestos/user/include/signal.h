/* signal.h: sending signals, catching them, and what a handler is told.
 *
 * Numbers and layouts are those of Linux i386. A handler with SA_SIGINFO gets a siginfo_t and a ucontext_t (ucontext.h) with every
 * register of what it interrupted; what it changes there is in force when it returns. */
#ifndef SIGNAL_H
#define SIGNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGWINCH 28
#define SIGRTMIN 32                    /* these queue; the others are pending once at most */
#define SIGRTMAX 64

typedef uint64_t sigset_t;             /* bit SIGNAL - 1 */

typedef struct siginfo {
	int si_signo, si_errno, si_code;
	union {
		void *si_addr;         /* SIGSEGV, SIGBUS: the address; SIGILL, SIGFPE: of the instruction */
		struct { int si_pid, si_uid, si_status; };
		int pad[29];
	};
} siginfo_t;
_Static_assert(sizeof(siginfo_t) == 128, "part of the system call interface");

#define SI_USER 0                      /* si_code: kill */
#define SI_KERNEL 0x80
#define SI_TKILL (-6)
#define ILL_ILLOPN 2
#define FPE_INTDIV 1
#define SEGV_MAPERR 1                  /* nothing there */
#define SEGV_ACCERR 2                  /* something, but not for this kind of access */
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define TRAP_BRKPT 1
#define TRAP_TRACE 2                   /* a step of one instruction */
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

struct sigaction {
	union {
		void (*sa_handler)(int);
		void (*sa_sigaction)(int, siginfo_t *, void *);
	};
	sigset_t sa_mask;
	int sa_flags;
};
#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
#define SIG_ERR ((void (*)(int))-1)

#define SA_NOCLDSTOP 0x1
#define SA_NOCLDWAIT 0x2
#define SA_SIGINFO 0x4
#define SA_RESTORER 0x04000000         /* set by sigaction() itself */
#define SA_ONSTACK 0x08000000
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND (-0x7fffffff - 1)

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

typedef struct sigaltstack {
	void *ss_sp;
	int ss_flags;
	size_t ss_size;
} stack_t;
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define MINSIGSTKSZ 2048
#define SIGSTKSZ 8192

static inline sigset_t sigmask(int signal) { return (sigset_t)1 << (signal - 1); }
static inline int sigemptyset(sigset_t *set) { *set = 0; return 0; }
static inline int sigfillset(sigset_t *set) { *set = ~(sigset_t)0; return 0; }
static inline int sigaddset(sigset_t *set, int signal) { *set |= sigmask(signal); return 0; }
static inline int sigdelset(sigset_t *set, int signal) { *set &= ~sigmask(signal); return 0; }
static inline int sigismember(const sigset_t *set, int signal) { return (*set & sigmask(signal)) != 0; }

int kill(pid_t pid, int signal);
int raise(int signal);
int sigaction(int signal, const struct sigaction *action, struct sigaction *old);
void (*signal(int signal, void (*handler)(int)))(int);         /* with SA_RESTART */
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sigpending(sigset_t *set);
int sigsuspend(const sigset_t *mask);
int sigaltstack(const stack_t *stack, stack_t *old);
const char *strsignal(int signal);

/* The usual case: handler(signal, info, context) with these flags beside SA_SIGINFO. Ends the program if it cannot be. */
void catch_signal(int signal, void (*handler)(int, siginfo_t *, void *), int flags);

#endif
