/* guestos/include/proc.h: processes, sleeping and waking.
 *
 * One processor; the kernel is not preempted. A process gives up the processor only inside schedule(), which sleep_...(), yield() and
 * mutex_lock() call, so code between two sleeps needs no lock against other processes, and irq_save() against
 * interrupt handlers. Whatever may sleep says so where it is declared. */
#ifndef PROC_H
#define PROC_H

#include "kernel.h"
#include "x86.h"

enum proc_state { PROC_RUNNABLE, PROC_SLEEPING, PROC_ZOMBIE, PROC_STOPPED };
typedef uint64_t sigset_t;     /* bit SIGNAL - 1 */
#define MAX_FILES 32
#define MAX_PROCS 200
#define MAX_PINS 12
#define TLS_FIRST 6u           /* GDT entries of thread-local storage, where Linux has them */
#define TLS_SLOTS 3u

struct space;
struct file;
struct fpu_state;
struct signals;
struct proc {
	struct proc *next;             /* all processes, oldest first */
	int pid, pgid;
	struct proc *parent;
	enum proc_state state;
	bool uninterruptible;          /* asleep for the disk or memory: kill waits */
	bool waited;                   /* for the disk or a lock, and has not run since */
	const void *channel;           /* what it sleeps on */
	uint32_t wake_at;              /* tick, if timed */
	bool timed;
	int killed;                    /* deadly signal that will end it at the next return to user mode */
	sigset_t pending, blocked;
	sigset_t saved_mask;           /* sigsuspend: what comes back after the handler, if restore_mask */
	bool restore_mask;
	struct signals *signals;       /* handlers and so on; NULL: every action is the default */
	bool restartable;              /* in a system call, number syscall_nr, that may be begun again */
	uint32_t syscall_nr;
	uint32_t sleep_until;          /* nanosleep interrupted: what restart_syscall goes on with */
	uaddr_t sleep_left;
	bool sleep_wide;
	bool alarm_set;                /* setitimer(ITIMER_REAL): */
	uint32_t alarm_at, alarm_every;        /* ticks */
	int report;                    /* stopped or continued: wait status not yet told, or 0 */
	int status;                    /* wait status once a zombie */
	struct space *space;           /* NULL: kernel thread */
	bool borrowed, lent;           /* vfork: the space is its parent's; a child has it, and this process waits */
	uint32_t tid_to;               /* where its pid goes before it runs first */
	uint32_t *kstack;              /* one page, STACK_MAGIC at its bottom */
	uint32_t esp;                  /* saved by switch_stacks */
	struct trapframe *tf;          /* of the trap that entered the kernel from user mode */
	uint32_t entries;              /* such traps so far */
	bool at_rest;                  /* set aside just before user mode: it holds nothing in the kernel */
	struct frame *pins[MAX_PINS];  /* what frame_pin() has pinned for it */
	struct fpu_state *fpu;         /* NULL: has not used floating point; see fpu.c */
	uint64_t tls[TLS_SLOTS];       /* its GDT descriptors; see tls.c */
	struct file *files[MAX_FILES];
	uint32_t close_on_exec;
	uint32_t umask;
	char *cwd;                     /* absolute path without "." and ".." */
	char name[16];
	uint32_t minflt, majflt, utime, stime, child_minflt, child_majflt, child_utime, child_stime;
	uint32_t start_tick, maxrss;
	uint32_t fault_registers;      /* at its last page fault, in one number: fault.c */
	uint32_t fault_evictions;      /* vm.evictions after it */
	uint32_t fault_repeats;        /* so many faults in a row came to nothing, since pages were taken meanwhile */
	bool faults_again;             /* in a page fault of an instruction that has just had another */
	bool suspended;                /* by load control: mm/loadcontrol.c */
	uint32_t suspended_at, resumed_at;
	struct linux_rlimit rlimits[RLIMITS];
};
extern struct proc *current, *all_procs;
extern volatile uint32_t ticks, idle_ticks;
extern volatile bool need_resched;

/* sched.c */
int sleep_on(const void *channel);                     /* 0 after any wakeup: look again; -ERESTARTSYS: a signal is pending */
void sleep_uninterruptible(const void *channel);
int sleep_ticks(const void *channel, uint32_t n, bool interruptible);  /* also wakes after n ticks; -EINTR */
void wakeup(const void *channel);
void wake_proc(struct proc *p);
void yield(void);
void schedule(void);
void set_aside(void);                                  /* yield on the way to user mode */
void timer_tick(bool user);
extern uint32_t boot_time;                     /* seconds since 1970 */

/* preempt.c */
void may_sleep(void);                                  /* does, now and then, with the option seed=N */
void may_evict(void);                                  /* may sleep */
bool seeded(uint32_t one_in);                          /* true now and then, with that option */
uint32_t seeded_random(uint32_t below);
bool slice_over(void);

struct mutex { struct proc *owner; };
void mutex_lock(struct mutex *m);                      /* may sleep, not interruptible */
void mutex_unlock(struct mutex *m);

/* loadavg.c */
#define LOAD_SHIFT 11
extern uint32_t load_average[3];                /* over 1, 5, 15 minutes, LOAD_SHIFT bits after the point */
void loadavg_tick(void);

/* process.c */
struct fork_options {
	bool borrow;                   /* vfork: the child runs in the caller's space, and the caller waits, until exec or exit */
	uint32_t stack;                /* the child's ESP, if not 0 */
	uint32_t tid_to;               /* where the child finds its pid, if not 0 */
};
int proc_fork(struct trapframe *tf, const struct fork_options *how);   /* may sleep */
void proc_return_space(struct proc *p);                /* its vfork is over, if it was one */
void proc_start_first(const char *name, void (*start)(void));
void proc_exit(int status) __attribute__((noreturn));  /* may sleep */
int proc_wait(int pid, uint32_t options, int *status, struct proc *usage);     /* may sleep */
int proc_kill(int pid, int sig);
void proc_signal(struct proc *p, int sig);             /* from the kernel itself; also from interrupts */
struct proc *proc_find(int pid);
void proc_oom_kill(void);
void rlimits_init(struct proc *p);
bool memory_crowded(void);
void return_to_user(struct trapframe *tf);
void shutdown(void) __attribute__((noreturn));         /* may sleep */

/* fpu.c */
void fpu_init(void);
void fpu_switch(const struct proc *p);
bool fpu_unavailable(void);                            /* may sleep */
int fpu_copy(struct proc *child);                      /* may sleep */
void fpu_drop(struct proc *p);
void *fpu_image(void);
void *fpu_image_make(void);                             /* may sleep */
void fpu_reset(void);
bool fpu_has_fxsave(void);

/* tls.c */
void tls_load(const struct proc *p);

/* exec.c */
/* path is absolute; name is how the caller called it, which the program may see. */
int proc_exec(const char *path, const char *name, uaddr_t argv, uaddr_t envp);         /* may sleep */
int proc_exec_kernel(const char *path);                                /* may sleep */

/* ldt.c */
struct linux_user_desc;
bool user_segment_empty(const struct linux_user_desc *u);
uint64_t user_segment(const struct linux_user_desc *u);

/* traps.S, trap.c, gdt.c */
void switch_stacks(uint32_t *save_esp, uint32_t load_esp);
void trap_return(void);
void enter_user(struct trapframe *tf) __attribute__((noreturn));
void gdt_init(void);
uint64_t segment_descriptor(uint32_t base, uint32_t limit, uint32_t access, uint32_t flags);
void gdt_set(uint32_t entry, uint64_t descriptor);
void gdt_set_ldt(const void *table, uint32_t bytes);   /* NULL: none */
void tss_set_kernel_stack(uint32_t esp);
void idt_init(void);
void irq_register(int irq, void (*handler)(void));
void syscall(struct trapframe *tf);

#define STACK_MAGIC 0x57ac4ed0u        /* the lowest word of every kernel stack: if it is no longer there, the stack has overflowed */
#endif
