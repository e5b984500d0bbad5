/* guestos/kernel/process.c: processes are born by fork, end by exit or a signal, and are forgotten by wait.
 *
 * A process owns a kernel stack (one page), a reference to a space, and references to open files. A zombie keeps only its
 * struct and its stack, which its parent frees. Children of a dead process go to process 1.
 * Signals end, stop and wake processes: see signal.c. */
#include "mm.h"
#include "fs.h"
#include "proc.h"
#include "signal.h"

static int last_pid;

struct proc *proc_find(int pid)
{
	for (struct proc *p = all_procs; p; p = p->next)
		if (p->pid == pid)
			return p;
	return NULL;
}

static int new_pid(void)
{
	do
		last_pid = last_pid >= 32767 ? 2 : last_pid + 1;
	while (proc_find(last_pid));
	return last_pid;
}

/* Where a new process first runs: schedule() of its creator would have turned interrupts on again after the switch. */
static void first_run_user(void)
{
	if (current->tid_to) {
		sti();
		copy_to_user(current->tid_to, &current->pid, sizeof current->pid);     /* a bad address is ignored, as by Linux */
		cli();
	}
	enter_user(current->tf);
}

/* A process that will begin at start() on its own kernel stack; not runnable until the caller says so. May sleep. */
static struct proc *proc_new(void (*start)(void))
{
	int n = 0;
	for (struct proc *p = all_procs; p; p = p->next)
		n++;
	struct proc *p = n < MAX_PROCS ? kzalloc(sizeof *p) : NULL;
	struct frame *stack = p ? frame_alloc(ALLOC_KERNEL) : NULL;
	if (!stack) {
		kfree(p);
		return NULL;
	}
	p->kstack = frame_va(stack);
	p->kstack[0] = STACK_MAGIC;
	uint32_t *sp = p->kstack + PAGE_SIZE / 4;
	p->tf = (struct trapframe *)sp - 1;
	sp = (uint32_t *)p->tf;
	*--sp = 0;                             /* where start() would return to */
	*--sp = (uint32_t)start;
	sp -= 4;                               /* ebp ebx esi edi, see switch_stacks */
	memset(sp, 0, 16);
	p->esp = (uint32_t)sp;
	p->state = PROC_SLEEPING;
	p->uninterruptible = true;
	p->start_tick = ticks;
	rlimits_init(p);
	return p;
}

static void add(struct proc *p)
{
	struct proc **link = &all_procs;
	while (*link)
		link = &(*link)->next;
	p->next = NULL;
	*link = p;
}

/* Process 1, and the kernel's own, have no parent to fork from. */
void proc_start_first(const char *name, void (*start)(void))
{
	struct proc *p = proc_new(start);
	if (!p || !(p->cwd = kstrdup("/")))
		panic("no memory for the first process");
	p->pid = p->pgid = new_pid();
	p->umask = 022;
	p->parent = proc_find(1);
	strlcpy(p->name, name, sizeof p->name);
	add(p);
	p->state = PROC_RUNNABLE;
}

/* Stacks, tables and small objects never leave memory. Were they to fill it, nobody could run, not even to end the others. */
bool memory_crowded(void)
{
	return nr_in_state[FRAME_KERNEL] + nr_in_state[FRAME_TABLE] + nr_in_state[FRAME_HEAP] + nr_pinned > nr_usable / 4 * 3;
}

/* The space of a new process: a copy of the caller's, or, for vfork, the same one. */
static struct space *fork_space(bool borrow)
{
	struct space *s = borrow ? current->space : space_new();
	if (borrow)
		s->refs++;
	else if (s && space_copy(s, current->space)) {
		space_put(s);
		s = NULL;
	}
	return s;
}

void proc_return_space(struct proc *p)
{
	if (!p->borrowed)
		return;
	p->borrowed = false;
	p->parent->lent = false;               /* who lends waits, and so it is still there */
	wakeup(&p->parent->lent);
}

int proc_fork(struct trapframe *tf, const struct fork_options *how)
{
	struct proc *p = memory_crowded() ? NULL : proc_new(first_run_user);
	if (!p)
		return -EAGAIN;
	p->cwd = kstrdup(current->cwd);
	if (!p->cwd || fpu_copy(p) || signals_fork(p) || !(p->space = fork_space(how->borrow))) {
		fpu_drop(p);
		kfree(p->cwd);
		kfree(p->signals);
		frame_free(frame_of(virt_to_phys(p->kstack)));
		kfree(p);
		return -ENOMEM;
	}
	*p->tf = *tf;
	p->tf->eax = 0;
	if (how->stack)
		p->tf->user_esp = how->stack;
	p->borrowed = current->lent = how->borrow;
	p->tid_to = how->tid_to;
	memcpy(p->tls, current->tls, sizeof p->tls);
	memcpy(p->name, current->name, sizeof p->name);
	memcpy(p->rlimits, current->rlimits, sizeof p->rlimits);
	p->pid = new_pid();
	p->pgid = current->pgid;
	p->parent = current;
	p->close_on_exec = current->close_on_exec;
	p->umask = current->umask;
	for (int i = 0; i < MAX_FILES; i++)
		if ((p->files[i] = current->files[i]))
			p->files[i]->refs++;
	add(p);
	p->state = PROC_RUNNABLE;
	vm.forks++;
	int pid = p->pid;                      /* p may end, and be forgotten, while its parent waits */
	while (current->lent)
		sleep_uninterruptible(&current->lent);
	return pid;
}

void proc_exit(int status)
{
	if (current->pid == 1)
		shutdown();
	/* Memory first: it may be what everybody is waiting for. */
	struct space *s = current->space;
	space_activate(NULL);
	current->space = NULL;
	space_put(s);
	proc_return_space(current);
	fpu_drop(current);
	for (int i = 0; i < MAX_FILES; i++)
		if (current->files[i]) {
			struct file *f = current->files[i];
			current->files[i] = NULL;
			file_put(f);
		}
	kfree(current->cwd);
	current->cwd = NULL;
	signals_exit();
	struct proc *init = proc_find(1);
	for (struct proc *p = all_procs; p; p = p->next)
		if (p->parent == current)
			p->parent = init;
	cli();
	current->status = status;
	current->state = PROC_ZOMBIE;
	signal_child(current, status & 0x7f ? CLD_KILLED : CLD_EXITED, status);
	if (children_unwanted(current->parent))
		current->parent = init;
	wakeup(init);
	schedule();
	panic("a zombie ran");
}

static void forget(struct proc *p)
{
	struct proc **link = &all_procs;
	while (*link != p)
		link = &(*link)->next;
	uint32_t flags = irq_save();
	*link = p->next;
	irq_restore(flags);
	current->child_minflt += p->minflt + p->child_minflt;
	current->child_majflt += p->majflt + p->child_majflt;
	current->child_utime += p->utime + p->child_utime;
	current->child_stime += p->stime + p->child_stime;
	frame_free(frame_of(virt_to_phys(p->kstack)));
	kfree(p);
}

#define WNOHANG 1u
#define WUNTRACED 2u
#define WCONTINUED 8u

/* It has stopped or continued, and the caller wants to know. */
static bool news(const struct proc *p, uint32_t options)
{
	return p->report && options & (p->report == 0xffff ? WCONTINUED : WUNTRACED);
}

/* pid > 0: that child; -1: any; 0: any of the caller's group; < -1: any of that group. */
int proc_wait(int pid, uint32_t options, int *status, struct proc *usage)
{
	for (;;) {
		bool have = false;
		uint32_t flags = irq_save();
		for (struct proc *p = all_procs; p; p = p->next) {
			if (p->parent != current || !(pid == -1 || p->pid == pid || (pid == 0 && p->pgid == current->pgid)
			    || (pid < -1 && p->pgid == -pid)))
				continue;
			have = true;
			if (p->state != PROC_ZOMBIE && !news(p, options))
				continue;
			irq_restore(flags);
			int found = p->pid;
			*usage = *p;
			*status = p->state == PROC_ZOMBIE ? p->status : p->report;
			p->report = 0;
			if (p->state == PROC_ZOMBIE)
				forget(p);
			return found;
		}
		int err = !have ? -ECHILD : options & WNOHANG ? 1 : sleep_on(current);
		irq_restore(flags);
		if (err)
			return err > 0 ? 0 : err;
	}
}

int proc_kill(int pid, int sig)
{
	int sent = 0;
	if (sig < 0 || sig > 64)
		return -EINVAL;
	for (struct proc *p = all_procs; p; p = p->next) {
		bool match = pid > 0 ? p->pid == pid : pid == 0 ? p->pgid == current->pgid
			: pid == -1 ? p->pid > 1 && p != current : p->pgid == -pid;
		if (!match)
			continue;
		sent++;
		if (sig)
			signal_send(p, &(struct signal_info){ .sig = sig, .code = SI_USER, .value = { current->pid } });
	}
	return sent ? 0 : -ESRCH;
}

/* Frames of the kernel's that would be free without the process: its page tables, which stay when its pages are gone, and the buffers of its
 * pipes. Others may have these pipes too: like a memory object's slots they count for everybody who has them. */
static uint32_t kernel_burden(const struct proc *p)
{
	uint32_t n = p->space->tables;
	for (int i = 0; i < MAX_FILES; i++)
		n += p->files[i] && p->files[i]->ops->frame && p->files[i]->ops->frame(p->files[i]);
	return n;
}

static uint32_t burden(const struct proc *p) { return space_burden(p->space) + kernel_burden(p); }

/* Memory and swap are full, or so nearly that somebody gets no further: the process that uses most of them goes (of equals the youngest), one
 * at a time. */
void proc_oom_kill(void)
{
	struct proc *worst = NULL;
	for (struct proc *p = all_procs; p; p = p->next) {
		if (p->space && p->killed && p != current)
			return;                /* it is on its way out already */
		if (!p->space || p->killed)
			continue;
		if (!worst || burden(p) >= burden(worst))
			worst = p;
	}
	if (!worst || worst->pid == 1)
		return;
	printk("%s[%d]: killed: out of memory and swap (%u pages in memory, %u in swap, %u of the kernel's)\n", worst->name, worst->pid,
		worst->space->rss, space_burden(worst->space) - worst->space->rss, kernel_burden(worst));
	vm.oom_kills++;
	proc_signal(worst, SIGKILL);
}
