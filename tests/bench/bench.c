/* tests/bench/bench.c: how fast guests run, beside another emulator, in one run of both.
 *
 *   bench ROUNDS EMU GUEST.elf BOCHSRC
 *
 * Both emulators execute the same bytes (guest.c). The guest prints 'S' and 'E' around the measured part; between the
 * two the child's own processor time is taken, so that start-up, firmware and other load on the host do not count. The
 * two run alternately, and the ratio is of the medians. Not a test: nothing here passes or fails by speed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ROUNDS 99

struct result {
	double seconds;            /* processor time between 'S' and 'E' */
	uint64_t checksum, instructions;
};

/* Processor time of a process's main thread, in seconds: both emulators execute the guest there. */
static double cpu_seconds(pid_t pid)
{
	char path[64];
	unsigned long long ns = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &ns) != 1)
		fprintf(stderr, "bench: cannot read %s\n", path);
	if (f)
		fclose(f);
	return (double)ns / 1e9;
}

static pid_t start(char *const argv[], int *out)
{
	int pipe_fd[2];
	pid_t pid;

	if (pipe(pipe_fd) < 0 || (pid = fork()) < 0) {
		perror("bench");
		exit(1);
	}
	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		dup2(null, 0);
		dup2(pipe_fd[1], 1);
		dup2(pipe_fd[1], 2);
		close(pipe_fd[0]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(pipe_fd[1]);
	*out = pipe_fd[0];
	return pid;
}

/* After 'S': exactly "E" and 32 hexadecimal digits. Anything else was not the guest's 'S'. */
static bool measure(char *const argv[], struct result *r)
{
	char tail[34] = "";
	unsigned have = 0;
	double begin = 0;
	int out;
	char c;
	bool inside = false, done = false;
	pid_t pid = start(argv, &out);

	while (!done && read(out, &c, 1) == 1) {
		if (inside && have == 0 && c == 'E')
			r->seconds = cpu_seconds(pid) - begin;
		if (c == 'S') {
			begin = cpu_seconds(pid);
			inside = true;
			have = 0;
		} else if (inside && (have > 0 || c == 'E')) {
			tail[have++] = c;
			done = have == 33;
		} else {
			inside = false;
		}
	}
	kill(pid, SIGKILL);
	close(out);
	waitpid(pid, NULL, 0);
	return done && sscanf(tail, "E%16lx%16lx", &r->checksum, &r->instructions) == 2;
}

static int by_seconds(const void *a, const void *b)
{
	double x = ((const struct result *)a)->seconds, y = ((const struct result *)b)->seconds;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static struct result ours[MAX_ROUNDS], theirs[MAX_ROUNDS];
	int rounds = argc == 5 ? atoi(argv[1]) : 0;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: bench ROUNDS EMU GUEST.elf BOCHSRC    (1 to %d rounds)\n", MAX_ROUNDS);
		return 2;
	}
	char *emu[] = { argv[2], "run", argv[3], NULL };
	char *bochs[] = { "bochs", "-q", "-f", argv[4], "-rc", NULL, NULL };
	char commands[4096];

	/* Debian's Bochs starts in its debugger: a file beside the bochsrc tells it to go on. */
	snprintf(commands, sizeof commands, "%s.commands", argv[4]);
	bochs[5] = commands;
	for (int i = 0; i < rounds; i++) {
		if (!measure(emu, &ours[i])) {
			fprintf(stderr, "bench: %s did not finish the guest %s\n", emu[0], argv[3]);
			return 1;
		}
		if (!measure(bochs, &theirs[i])) {
			fprintf(stderr, "bench: bochs did not finish the guest: are bochs, bochsbios and vgabios installed?\n");
			return 1;
		}
		fprintf(stderr, "round %d of %d: emu %.2f s, bochs %.2f s\n", i + 1, rounds, ours[i].seconds, theirs[i].seconds);
		if (ours[i].checksum != theirs[i].checksum) {
			fprintf(stderr, "bench: the two computed different results: %lx and %lx\n", ours[i].checksum, theirs[i].checksum);
			return 1;
		}
	}
	qsort(ours, (size_t)rounds, sizeof ours[0], by_seconds);
	qsort(theirs, (size_t)rounds, sizeof theirs[0], by_seconds);
	double a = ours[rounds / 2].seconds, b = theirs[rounds / 2].seconds;
	double millions = (double)ours[0].instructions / 1e6;

	printf("guest: %.0f million instructions, checksum %lx in both\n", millions, ours[0].checksum);
	printf("emu interpreter   %8.1f MIPS\n", millions / a);
	printf("bochs             %8.1f MIPS\n", millions / b);
	printf("ratio             %8.2f  (medians of %d, processor time)\n", b / a, rounds);
	return 0;
}
