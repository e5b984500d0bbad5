/* emu/terminal.c: see terminal.h. */
#include "emu/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved, raw;
static volatile sig_atomic_t raw_fd = -1;
static volatile sig_atomic_t pending, returned;
static char leave_bytes[192], enter_bytes[64];     /* of a full screen */

/* Every signal that kills by default, but SIGKILL, the polite ones, and two that are ignored; and the real-time ones. */
static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT, SIGXCPU, SIGALRM, SIGTRAP, SIGSYS, SIGUSR1, SIGUSR2, SIGVTALRM,
	SIGPROF, SIGIO, SIGPWR, SIGSTKFLT };
static const int polite[] = { SIGINT, SIGTERM, SIGHUP };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void say(const char *bytes)
{
	size_t length = strlen(bytes);

	if (length && write(STDOUT_FILENO, bytes, length) < 0)
		return;                            /* nobody is left to be told */
}

/* tcsetattr and write are async-signal-safe as POSIX lists them. */
static void restore(void)
{
	if (raw_fd < 0)
		return;
	say(leave_bytes);
	tcsetattr(raw_fd, TCSADRAIN, &saved);
}

void die_by_signal(int sig)
{
	sigset_t set;

	terminal_leave();
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);                  /* the signal's default action was to be ignored */
}

static void on_deadly(int sig)
{
	restore();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_polite(int sig)
{
	if (pending)
		on_deadly(sig);
	pending = sig;
}

/* Stopped from outside (the key itself goes to the guest): the shell needs its terminal back meanwhile. */
static void on_stop(int sig)
{
	int error = errno;
	sigset_t set;

	restore();
	signal(sig, SIG_DFL);
	raise(sig);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);      /* stops here */
	signal(sig, on_stop);
	errno = error;
}

/* Going on, also after a SIGSTOP that nobody could prepare for. */
static void on_continue(int sig)
{
	int error = errno;

	(void)sig;
	if (raw_fd >= 0) {
		tcsetattr(raw_fd, TCSADRAIN, &raw);
		say(enter_bytes);
		returned = 1;
	}
	errno = error;
}

/* No SA_RESTART: a waiting poll() must return. */
static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

void signals_install(void)
{
	for (size_t i = 0; i < COUNT(polite); i++) {
		struct sigaction old;
		/* nohup and background jobs ignore some on purpose. */
		if (!sigaction(polite[i], NULL, &old) && old.sa_handler != SIG_IGN)
			handle(polite[i], on_polite, 0);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);                  /* a file-size limit is an error of write(), like a full disk */
}

int signal_pending(void) { return pending; }

bool signal_take_interrupt(void)
{
	if (pending != SIGINT)
		return false;
	pending = 0;
	return true;
}

int terminal_enter(int fd)
{
	if (tcgetattr(fd, &saved))
		return -errno;
	raw = saved;
	raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;                       /* OPOST stays: messages and guests that send bare newlines look right */
	raw_fd = fd;
	for (size_t i = 0; i < COUNT(deadly); i++)
		handle(deadly[i], on_deadly, (int)SA_RESETHAND);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		handle(sig, on_deadly, (int)SA_RESETHAND);
	handle(SIGTSTP, on_stop, 0);
	handle(SIGCONT, on_continue, 0);
	atexit(terminal_leave);
	return tcsetattr(fd, TCSADRAIN, &raw) ? -errno : 0;
}

void terminal_screen(const char *leave, const char *enter)
{
	snprintf(leave_bytes, sizeof(leave_bytes), "%s", leave);
	snprintf(enter_bytes, sizeof(enter_bytes), "%s", enter);
}

bool terminal_returned(void)
{
	bool r = returned;

	returned = 0;
	return r;
}

void terminal_leave(void)
{
	restore();
	raw_fd = -1;
}
