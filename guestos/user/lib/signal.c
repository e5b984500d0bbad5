/* lib/signal.c: signals: the calls around handlers and masks, and where handlers return to (lib/sigreturn.S). */
#include <signal.h>

#include <complain.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGSET_BYTES 8

void restore_rt(void);
void restore_old(void);

struct kernel_sigaction {
	void *handler;
	uint32_t flags;
	void (*restorer)(void);
	sigset_t mask;
};

int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	struct kernel_sigaction k = {0}, before;

	if (action) {
		k.handler = (void *)action->sa_sigaction;
		k.flags = action->sa_flags | SA_RESTORER;
		k.restorer = action->sa_flags & SA_SIGINFO ? restore_rt : restore_old;
		k.mask = action->sa_mask;
	}
	int result = syscall(SYS_rt_sigaction, signal, action ? &k : NULL, old ? &before : NULL, SIGSET_BYTES);
	if (result == 0 && old) {
		old->sa_sigaction = (void (*)(int, siginfo_t *, void *))before.handler;
		old->sa_mask = before.mask;
		old->sa_flags = before.flags & ~SA_RESTORER;
	}
	return result;
}

void (*signal(int number, void (*handler)(int)))(int)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = SA_RESTART}, old = {0};

	return sigaction(number, &a, &old) < 0 ? SIG_ERR : old.sa_handler;
}

void catch_signal(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	if (sigaction(number, &a, NULL) < 0)
		exit(complain("sigaction"));
}

int kill(pid_t pid, int number) { return syscall(SYS_kill, pid, number); }
int raise(int number) { return syscall(SYS_tgkill, getpid(), getpid(), number); }
int sigprocmask(int how, const sigset_t *set, sigset_t *old) { return syscall(SYS_rt_sigprocmask, how, set, old, SIGSET_BYTES); }
int sigpending(sigset_t *set) { return syscall(SYS_rt_sigpending, set, SIGSET_BYTES); }
int sigsuspend(const sigset_t *mask) { return syscall(SYS_rt_sigsuspend, mask, SIGSET_BYTES); }
int sigaltstack(const stack_t *stack, stack_t *old) { return syscall(SYS_sigaltstack, stack, old); }
int pause(void) { return syscall(SYS_pause); }
unsigned alarm(unsigned seconds) { return syscall(SYS_alarm, seconds); }
