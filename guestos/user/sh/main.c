/* sh: the shell. sh reads commands from standard input, sh FILE from a script, sh -c TEXT from an argument.
 *
 * On a terminal lines can be edited (edit.c). Otherwise standard input is read byte by byte, so that
 * a program started by the shell finds the rest of it. */
#include "sh.h"

#include <complain.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 8000

struct chunk { struct chunk *next; size_t used, size; char data[] __attribute__((aligned(8))); };

void *arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;

	size = (size + 7) & ~(size_t)7;
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;
		c = malloc(sizeof(*c) + room);
		if (!c) {
			fputs("sh: out of memory\n", stderr);
			exit(2);
		}
		c->next = a->chunks;
		c->used = 0;
		c->size = room;
		a->chunks = c;
	}
	void *p = c->data + c->used;
	c->used += size;
	return memset(p, 0, size);
}

char *arena_string(struct arena *a, const char *s, size_t len)
{
	return memcpy(arena_alloc(a, len + 1), s, len);
}

void arena_free(struct arena *a)
{
	for (struct chunk *next, *c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	a->chunks = NULL;
}

/* Children that ended in the background. */
static void collect(struct shell *sh)
{
	int status;

	for (pid_t pid; sh->interactive && (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		printf("[%d] ended, status %d\n", (int)pid, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fflush(stdout);
}

int shell_run_input(struct shell *sh, struct input *in)
{
	struct arena *outer = sh->arena, arena = {NULL};

	while (!sh->exiting) {
		bool error = false;
		sh->arena = &arena;
		struct node *n = parse(&arena, in, sh, &error);
		if (error)
			sh->status = 2;
		run_node(sh, n);
		arena_free(&arena);
		sh->arena = outer;
		if ((!n && !error) || (error && !in->terminal))
			break;
		if (in->terminal)
			collect(sh);
	}
	return sh->status;
}

static int open_script(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		complain(path);
	return fd;
}

int main(int argc, char **argv)
{
	struct input in = {.fd = 0, .one_byte = true};
	struct shell sh = {.pid = getpid(), .argc = argc, .argv = argv};

	if (!getenv("PATH"))
		setenv("PATH", "/bin", 1);
	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		in = (struct input){.fd = -1, .text = argv[2]};
		sh.argc -= 2;
		sh.argv += 2;
	} else if (argc > 1 && argv[1]) {
		in = (struct input){.fd = open_script(argv[1])};
		if (in.fd < 0)
			return 127;
		sh.argc--;
		sh.argv++;
	} else {
		in.terminal = sh.interactive = isatty(0);
	}
	int status = shell_run_input(&sh, &in);
	free(in.buf);
	fflush(stdout);
	return status;
}
