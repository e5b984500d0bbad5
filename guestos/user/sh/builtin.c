/* builtin.c: built-in commands: those that change the shell itself. One table. */
#include "sh.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int builtin_cd(struct shell *sh, int argc, char **argv)
{
	const char *to = argc > 1 ? argv[1] : getenv("HOME");

	(void)sh;
	if (chdir(to ? to : "/") == 0)
		return 0;
	fprintf(stderr, "cd: %s: %s\n", to ? to : "/", strerror(errno));
	return 1;
}

static int builtin_exit(struct shell *sh, int argc, char **argv)
{
	sh->exiting = true;
	return argc > 1 ? atoi(argv[1]) & 0xff : sh->status;
}

static int builtin_export(struct shell *sh, int argc, char **argv)
{
	(void)sh;
	for (int i = 1; i < argc; i++) {
		char *equals = strchr(argv[i], '=');
		if (!equals)           /* Simplified: every variable is exported */
			continue;
		*equals = 0;
		setenv(argv[i], equals + 1, 1);
	}
	for (char **e = environ; argc < 2 && e && *e; e++)
		puts(*e);
	return 0;
}

static int builtin_unset(struct shell *sh, int argc, char **argv)
{
	(void)sh;
	for (int i = 1; i < argc; i++)
		unsetenv(argv[i]);
	return 0;
}

int status_of(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static int builtin_wait(struct shell *sh, int argc, char **argv)
{
	int status = 0;

	(void)sh;
	if (argc > 1)
		return waitpid(atoi(argv[1]), &status, 0) < 0 ? 127 : status_of(status);
	while (wait(&status) > 0)
		;
	return 0;
}

static int builtin_true(struct shell *sh, int argc, char **argv)
{
	(void)sh, (void)argc, (void)argv;
	return 0;
}

static int leave_loops(struct shell *sh, int argc, char **argv, bool go_on)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;

	sh->leaving = n < 1 ? 1 : n < sh->loops ? n : sh->loops;
	sh->continuing = go_on;
	return 0;
}

static int builtin_break(struct shell *sh, int argc, char **argv) { return leave_loops(sh, argc, argv, false); }
static int builtin_continue(struct shell *sh, int argc, char **argv) { return leave_loops(sh, argc, argv, true); }

static int builtin_shift(struct shell *sh, int argc, char **argv)
{
	(void)argc, (void)argv;
	if (sh->argc < 2)
		return 1;
	sh->argv[1] = sh->argv[0];
	sh->argv++;
	sh->argc--;
	return 0;
}

static int builtin_exec(struct shell *sh, int argc, char **argv)
{
	if (argc < 2)
		return 0;
	fflush(stdout);
	execvp(argv[1], argv + 1);
	fprintf(stderr, "sh: %s: %s\n", argv[1], strerror(errno));
	sh->exiting = !sh->interactive;
	return errno == ENOENT ? 127 : 126;
}

static const struct { const char *name; builtin *run; } builtins[] = {
	{":", builtin_true}, {"break", builtin_break}, {"cd", builtin_cd}, {"continue", builtin_continue}, {"exec", builtin_exec},
	{"exit", builtin_exit}, {"export", builtin_export}, {"shift", builtin_shift}, {"unset", builtin_unset}, {"wait", builtin_wait}};

builtin *find_builtin(const char *name)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(builtins[i].name, name) == 0)
			return builtins[i].run;
	return NULL;
}
