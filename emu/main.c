/* emu/main.c: the program's commands. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "emu/loader.h"
#include "emu/options.h"
#include "emu/run.h"
#include "emu/status.h"

#define VERSION "0.1"

static int command_help(int argc, char **argv);

static const struct command { const char *name, *form, *help; int (*run)(int argc, char **argv); } commands[] = {
	{ "run", "[options] [IMAGE]", "run a machine; without IMAGE, boot Pagoda", command_run },
	{ "debug", "[options] [IMAGE]", "the same in the debugger: stop, look inside, step back", command_debug },
	{ "replay", "FILE", "run a recording again: is it the same run?", command_replay },
	{ "demo", "NAME", "show something happening, narrated: fault-resumption", command_demo },
	{ "help", "[COMMAND]", "what a command does and its options", command_help },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fputs("emu: a 32-bit x86 PC for seeing virtual memory work\n\n"
		"  emu run                      boot Pagoda, the bundled system (Ctrl-A x quits)\n"
		"  emu run mykernel.elf         boot a Multiboot kernel of your own\n"
		"  emu debug                    the same, to be stopped, looked into and stepped back\n"
		"  emu demo fault-resumption    watch a page fault, its repair, and the same instruction again\n\n"
		"commands:\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-6s %-20s %s\n", commands[i].name, commands[i].form, commands[i].help);
	fputs("\n  --help, --version\n", out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[COMMANDS];

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	const char *near = nearest_name(name, names, COMMANDS);
	if (near)
		return complain(STATUS_USAGE, "unknown command '%s'; did you mean '%s'?", name, near);
	return complain(STATUS_USAGE, "unknown command '%s'; see emu --help", name);
}

static int command_help(int argc, char **argv)
{
	char *help[] = { "--help" };

	if (!argc) {
		print_help(stdout);
		return STATUS_OK;
	}
	const struct command *c = find_command(argv[0]);
	if (!c)
		return unknown_command(argv[0]);
	return c->run == command_help ? command_help(0, NULL) : c->run(1, help);
}

/* A standard stream that was closed would be the next file opened, and the guest's output would go into a disk image. Here it
 * is opened the wrong way round, so that using it still fails. */
static int occupy_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int status;

	if (occupy_standard_streams())
		return STATUS_ERROR;
	signal(SIGXFSZ, SIG_IGN);              /* a file that may not grow is a write that fails, like a disk that is full */
	if (argc < 2) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		status = command_help(0, NULL);
	else if (!strcmp(argv[1], "--version"))
		status = printf("emu %s\n", VERSION) < 0 ? STATUS_ERROR : STATUS_OK;
	else {
		const struct command *c = find_command(argv[1]);
		status = c ? c->run(argc - 2, argv + 2) : unknown_command(argv[1]);
	}
	/* What was lost earlier counts as well: half an answer is none. */
	if ((fflush(stdout) || ferror(stdout)) && status == STATUS_OK)
		status = complain(STATUS_ERROR, "cannot write to standard output");
	return status;
}
