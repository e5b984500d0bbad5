/* init: the first process. Greets, runs /etc/rc if there is one, then a shell on the console; collects every process
 * whose parent has ended; when the shell ends, writes everything to disk and switches the machine off. */
#include <complain.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vm.h>

static void greet(void)
{
	char line[256];
	struct utsname u;
	FILE *f = fopen("/etc/motd", "r");

	if (uname(&u) == 0)
		printf("%s %s, %ld kB of memory, %ld kB of swap\n", u.sysname, u.release, vm_meminfo_kb("MemTotal"), vm_meminfo_kb("SwapTotal"));
	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	if (f)
		fclose(f);
	fflush(stdout);
}

/* Run a shell on a script, or on the console, and collect children until it ends. */
static void run_shell(char *script)
{
	char *argv[] = {"sh", script, NULL};
	pid_t ended, shell = fork();

	if (shell == 0) {
		execve("/bin/sh", argv, environ);
		_exit(complain("/bin/sh"));
	}
	if (shell < 0) {
		complain("fork");
		return;
	}
	do
		ended = wait(NULL);
	while (ended != shell && !(ended < 0 && errno == ECHILD));
}

int main(void)
{
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/", 1);
	if (getpid() != 1) {
		fputs("init: only the kernel starts this\n", stderr);
		return 1;
	}
	greet();
	if (access("/etc/rc", R_OK) == 0)
		run_shell("/etc/rc");
	run_shell(NULL);
	sync();
	poweroff();
	return complain("poweroff");
}
