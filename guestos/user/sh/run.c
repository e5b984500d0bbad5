/* run.c: carries out the tree: programs, pipes, control flow. Built-in commands are in builtin.c, redirection in redirect.c. */
#include "sh.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536

/* Programs */

static void wait_for(struct shell *sh, pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return;
	sh->status = status_of(status);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGPIPE && WTERMSIG(status) != SIGINT)
		fprintf(stderr, "sh: %s\n", strsignal(WTERMSIG(status)));
}

/* The child half of fork: it is not interactive and does not come back. */
static void become_child(struct shell *sh)
{
	sh->interactive = false;
	sh->loops = 0;
}

static _Noreturn void exec_program(char **argv)
{
	execvp(argv[0], argv);
	int error = errno;
	if (error == ENOEXEC) {                /* a script without #! */
		int n = 0;
		while (argv[n])
			n++;
		char **with_sh = malloc((n + 2) * sizeof(*with_sh));
		if (with_sh) {
			with_sh[0] = "sh";
			memcpy(with_sh + 1, argv, (n + 1) * sizeof(*argv));
			execve("/bin/sh", with_sh, environ);
		}
	}
	fprintf(stderr, "sh: %s: %s\n", argv[0], error == ENOENT && !strchr(argv[0], '/') ? "no such command (try help)" : strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

static pid_t fork_or_say(struct shell *sh)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0) {
		fprintf(stderr, "sh: fork: %s\n", strerror(errno));
		sh->status = 1;
	}
	return pid;
}

static size_t assignment_length(const char *word)
{
	const char *equals = strchr(word, '=');
	return equals && is_name(word, equals - word) ? equals - word : 0;
}

static void assign(struct shell *sh, const char *word)
{
	size_t len = assignment_length(word);
	setenv(arena_string(sh->arena, word, len), expand_single(sh, word + len + 1), 1);
}

static void run_builtin(struct shell *sh, const struct node *n, builtin *run, int argc, char **argv)
{
	int saved[FD_COUNT];

	memset(saved, 0xff, sizeof(saved));
	if (redirect(sh, n->redirects, saved))
		sh->status = run ? run(sh, argc, argv) : 0;
	else
		sh->status = 1;
	undo_redirects(saved);
}

static void run_command(struct shell *sh, const struct node *n)
{
	const struct word *w = n->words, *first;
	int argc;

	while (w && assignment_length(w->text))
		w = w->next;
	first = w;
	char **argv = expand_words(sh, first, &argc);
	builtin *run = argc ? find_builtin(argv[0]) : NULL;
	if (argc == 0 || run) {
		if (argc == 0)
			sh->status = 0;
		for (w = n->words; w != first; w = w->next)
			assign(sh, w->text);
		run_builtin(sh, n, run, argc, argv);
		return;
	}
	pid_t pid = fork_or_say(sh);
	if (pid == 0) {
		for (w = n->words; w != first; w = w->next)
			assign(sh, w->text);   /* only for this program */
		if (!redirect(sh, n->redirects, NULL))
			_exit(1);
		exec_program(argv);
	}
	if (pid > 0)
		wait_for(sh, pid);
}

/* In a child: run the node and end. A plain program replaces the child instead of becoming its child. */
static _Noreturn void run_and_exit(struct shell *sh, const struct node *n)
{
	become_child(sh);
	if (n->kind == NODE_COMMAND && n->words && !assignment_length(n->words->text)) {
		int argc;
		char **argv = expand_words(sh, n->words, &argc);
		if (argc && !find_builtin(argv[0])) {
			if (!redirect(sh, n->redirects, NULL))
				_exit(1);
			exec_program(argv);
		}
	}
	run_node(sh, n);
	exit(sh->status);
}

/* Every part of a | b | c at once; the status is the last one's. */
static void run_pipeline(struct shell *sh, const struct node *n)
{
	pid_t pids[32];
	int count = 0, in = -1, fd[2];

	for (const struct node *part; n && count < 32; n = n->kind == NODE_PIPE ? n->b : NULL) {
		bool last = n->kind != NODE_PIPE;
		part = last ? n : n->a;
		fd[0] = fd[1] = -1;
		if (!last && pipe(fd) < 0) {
			fprintf(stderr, "sh: pipe: %s\n", strerror(errno));
			break;
		}
		pid_t pid = fork_or_say(sh);
		if (pid == 0) {
			if (in >= 0 && in != 0) {
				dup2(in, 0);
				close(in);
			}
			if (!last) {
				close(fd[0]);
				dup2(fd[1], 1);
				close(fd[1]);
			}
			run_and_exit(sh, part);
		}
		if (in >= 0)
			close(in);
		if (!last)
			close(fd[1]);
		in = fd[0];
		if (pid < 0)
			break;
		pids[count++] = pid;
	}
	if (in >= 0)
		close(in);
	for (int i = 0; i < count; i++)
		wait_for(sh, pids[i]);
}

static void run_background(struct shell *sh, const struct node *n)
{
	pid_t pid = fork_or_say(sh);

	if (pid == 0) {
		int fd = open("/dev/null", O_RDONLY);
		if (fd > 0) {
			dup2(fd, 0);
			close(fd);
		} else if (fd < 0) {
			close(0);
		}
		run_and_exit(sh, n);
	}
	if (pid > 0) {
		sh->background = pid;
		sh->status = 0;
		if (sh->interactive)
			printf("[%d]\n", (int)pid);
	}
}

/* Control flow */

static bool stopped(const struct shell *sh) { return sh->exiting || sh->leaving; }

/* After a loop's body: true if the loop has to end. */
static bool loop_ends(struct shell *sh)
{
	if (!sh->leaving)
		return sh->exiting;
	return --sh->leaving > 0 || !sh->continuing;
}

static void run_while(struct shell *sh, const struct node *n)
{
	int status = 0;

	sh->loops++;
	for (;;) {
		run_node(sh, n->a);
		if (stopped(sh) ? loop_ends(sh) : (sh->status == 0) != (n->kind == NODE_WHILE))
			break;
		run_node(sh, n->b);
		status = sh->status;
		if (loop_ends(sh))
			break;
	}
	sh->loops--;
	if (!sh->exiting)
		sh->status = status;
}

static void run_for(struct shell *sh, const struct node *n)
{
	static const struct word parameters = {.text = "\"$@\""};
	int count;
	char **words = expand_words(sh, n->over_parameters ? &parameters : n->words, &count);

	sh->status = 0;
	sh->loops++;
	for (int i = 0; i < count; i++) {
		setenv(n->name, words[i], 1);
		run_node(sh, n->b);
		if (loop_ends(sh))
			break;
	}
	sh->loops--;
}

static void run_if(struct shell *sh, const struct node *n)
{
	run_node(sh, n->a);
	if (stopped(sh))
		return;
	if (sh->status == 0)
		run_node(sh, n->b);
	else if (n->c)
		run_node(sh, n->c);
	else
		sh->status = 0;
}

static void run_kind(struct shell *sh, const struct node *n)
{
	pid_t pid;

	switch (n->kind) {
	case NODE_COMMAND: run_command(sh, n); break;
	case NODE_PIPE: run_pipeline(sh, n); break;
	case NODE_BACKGROUND: run_background(sh, n->a); break;
	case NODE_IF: run_if(sh, n); break;
	case NODE_WHILE: case NODE_UNTIL: run_while(sh, n); break;
	case NODE_FOR: run_for(sh, n); break;
	case NODE_GROUP: run_node(sh, n->a); break;
	case NODE_NOT:
		run_node(sh, n->a);
		sh->status = !sh->status;
		break;
	case NODE_AND: case NODE_OR:
		run_node(sh, n->a);
		if (!stopped(sh) && (sh->status == 0) == (n->kind == NODE_AND))
			run_node(sh, n->b);
		break;
	case NODE_SEQUENCE:
		run_node(sh, n->a);
		run_node(sh, n->b);
		break;
	case NODE_SUBSHELL:
		pid = fork_or_say(sh);
		if (pid == 0)
			run_and_exit(sh, n->a);
		if (pid > 0)
			wait_for(sh, pid);
		break;
	}
}

void run_node(struct shell *sh, const struct node *n)
{
	int saved[FD_COUNT];

	if (!n || stopped(sh))
		return;
	if (!n->redirects || n->kind == NODE_COMMAND) {
		run_kind(sh, n);
		return;
	}
	memset(saved, 0xff, sizeof(saved));
	if (redirect(sh, n->redirects, saved))
		run_kind(sh, n);
	else
		sh->status = 1;
	undo_redirects(saved);
}

/* $(text): its output without the newlines at the end, to be freed. */
char *run_capture(struct shell *sh, const char *text)
{
	int fd[2];
	char *output = malloc(OUTPUT_MAX);

	if (!output || pipe(fd) < 0)
		return output;
	pid_t pid = fork_or_say(sh);
	if (pid == 0) {
		struct input in = {.fd = -1, .text = text};
		close(fd[0]);
		dup2(fd[1], 1);
		close(fd[1]);
		become_child(sh);
		shell_run_input(sh, &in);
		exit(sh->status);
	}
	close(fd[1]);
	ssize_t n = pid < 0 ? 0 : read_full(fd[0], output, OUTPUT_MAX - 1);
	close(fd[0]);
	if (pid > 0)
		wait_for(sh, pid);
	for (n = n < 0 ? 0 : n; n > 0 && output[n - 1] == '\n'; n--)
		;
	output[n] = 0;
	return output;
}
