/* kill [-SIGNAL] PID...: end processes; the signal is a number or a name such as KILL, INT, STOP, CONT (TERM). */
#include <complain.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int signal_number(const char *text)
{
	static const struct { const char *name; int number; } names[] = {
		{"HUP", SIGHUP}, {"INT", SIGINT}, {"QUIT", SIGQUIT}, {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
		{"SEGV", SIGSEGV}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"CHLD", SIGCHLD}, {"STOP", SIGSTOP},
		{"TSTP", SIGTSTP}, {"CONT", SIGCONT}};
	char *end;
	long n = strtol(text, &end, 10);

	if (end != text && !*end)
		return n;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i].name) == 0)
			return names[i].number;
	return -1;
}

int main(int argc, char **argv)
{
	int first = 1, signal = SIGTERM, status = 0;

	if (argc > 1 && argv[1][0] == '-') {
		signal = signal_number(argv[1] + 1);
		first = 2;
	}
	if (first == argc || signal < 0)
		return complain_usage("kill [-SIGNAL] PID...");
	for (int i = first; i < argc; i++) {
		char *end;
		long pid = strtol(argv[i], &end, 10);
		if (end == argv[i] || *end)
			return complain_usage("kill [-SIGNAL] PID...");
		if (kill(pid, signal) < 0)
			status = complain(argv[i]);
	}
	return status;
}
