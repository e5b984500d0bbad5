/* guestos/include/signal.h: signals: who sends them, who catches them, and the frames that handlers find on their stacks.
 *
 * The numbers and layouts are those of Linux i386. */
#ifndef SIGNAL_H
#define SIGNAL_H

#include "proc.h"

#define NSIG 64                        /* signals are 1 to 64 */
#define SIGRTMIN 32                    /* from here on they queue */
#define SIG_BIT(sig) (1ull << ((sig) - 1))
#define UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

#define SIG_DFL 0u
#define SIG_IGN 1u

#define SA_NOCLDSTOP 0x00000001u
#define SA_NOCLDWAIT 0x00000002u
#define SA_SIGINFO   0x00000004u
#define SA_RESTORER  0x04000000u
#define SA_ONSTACK   0x08000000u
#define SA_RESTART   0x10000000u
#define SA_NODEFER   0x40000000u
#define SA_RESETHAND 0x80000000u

#define SS_ONSTACK 1u
#define SS_DISABLE 2u
#define MINSIGSTKSZ 2048u

/* si_code: who sent it, or what exactly went wrong. */
enum { SI_USER = 0, SI_KERNEL = 0x80, SI_TKILL = -6 };
enum { ILL_ILLOPN = 2 };
enum { FPE_INTDIV = 1, FPE_FLTINV = 7 };
enum { SEGV_MAPERR = 1, SEGV_ACCERR };
enum { BUS_ADRALN = 1, BUS_ADRERR };
enum { TRAP_BRKPT = 1, TRAP_TRACE };
enum { CLD_EXITED = 1, CLD_KILLED, CLD_STOPPED = 5, CLD_CONTINUED };

/* A system call that a signal interrupted returns one of these to return_to_user(), which turns it into EINTR or makes the
 * program run its INT 0x80 again. No program ever sees them. */
enum {
	ERESTARTSYS = 512,             /* again, unless a handler without SA_RESTART ran */
	ERESTARTNOHAND = 514,          /* again, unless a handler ran */
	ERESTART_RESTARTBLOCK = 516,   /* the same, but for what is left of the time: by restart_syscall */
};

/* A signal on its way: value is the address of a fault, or the sender (for SIGCHLD: the child) and its status. */
struct signal_info { int sig, code; uint32_t value[2]; };

struct sigaction {
	uaddr_t handler;               /* or SIG_DFL, SIG_IGN */
	uint32_t flags;
	uaddr_t restorer;
	sigset_t mask;
};

#define SIGNAL_QUEUE 16
/* What only a process that uses signals needs: made by its first sigaction, sigprocmask or sigaltstack. */
struct signals {
	struct sigaction action[NSIG];
	struct signal_info queue[SIGNAL_QUEUE];        /* details of pending signals, oldest first */
	uint32_t queued;
	uaddr_t alt_stack;
	uint32_t alt_size;                             /* 0: none */
	uint32_t trapno, error, cr2;                   /* of the last fault, for sigcontext */
};

/* signal.c */
bool signal_caught(int sig);                   /* by the current process, if it came now by force */
void signal_force(int sig, int code, uint32_t address, const struct trapframe *tf);
void signal_send(struct proc *p, const struct signal_info *info);      /* also from interrupts */
void signal_child(struct proc *child, int code, int status);           /* tells the parent */
bool signals_pending(const struct proc *p);    /* one that is not blocked: interruptible sleep ends */
bool signals_wanted(const struct trapframe *tf);
void signals_deliver(struct trapframe *tf);    /* may sleep, may not return */
void signals_discard(struct proc *p, sigset_t set);
bool signal_ignored(const struct proc *p, int sig);
struct signals *signals_of_current(void);      /* made if there are none; NULL: no memory. May sleep */
int signals_fork(struct proc *child);          /* may sleep */
void signals_exec(void);
void signals_exit(void);
bool children_unwanted(const struct proc *parent);     /* it will never wait for them */
void alarm_tick(struct proc *p);

/* sigframe.c */
bool on_signal_stack(const struct signals *s, uaddr_t esp);
int signal_frame(struct trapframe *tf, const struct signal_info *info, const struct sigaction *a, sigset_t old_mask);  /* may sleep */

/* sigfpu.c */
uaddr_t fpu_frame_place(uaddr_t esp);          /* below esp; 0: there is nothing to save */
int fpu_frame_save(uaddr_t at);                /* may sleep */
int fpu_frame_restore(uaddr_t at);             /* may sleep */

/* sys_signal.c */
int signal_stack_set(struct signals *s, const uint32_t stack[3], uaddr_t esp);

#endif
