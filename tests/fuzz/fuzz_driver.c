/* tests/fuzz/fuzz_driver.c: LLVMFuzzerTestOneInput() without libFuzzer.
 *
 *   fuzz_replay [--random COUNT SEED] FILE...
 *
 * Runs every file, then COUNT inputs of random bytes. NAME.hex is many inputs, a line of hexadecimal digits each; any other file is
 * one. A mismatch aborts; the input is then in fuzz-failed.bin.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t input[LONGEST];
static size_t input_size;
static char input_name[512];

/* The signal is abort()'s, from LLVMFuzzerTestOneInput(): it interrupts no library call, so standard I/O may be used. */
static void aborted(int signal)
{
	FILE *f = fopen("fuzz-failed.bin", "wb");

	if (f) {
		fwrite(input, 1, input_size, f);
		fclose(f);
	}
	fprintf(stderr, "input: %s, %zu bytes, now in fuzz-failed.bin\n", input_name, input_size);
	_exit(128 + signal);
}

static unsigned run_file(FILE *f)
{
	input_size = fread(input, 1, sizeof(input), f);
	LLVMFuzzerTestOneInput(input, input_size);
	return 1;
}

static unsigned run_lines(FILE *f, const char *path)
{
	char line[2 * LONGEST + 2];
	unsigned n = 0, byte;

	while (fgets(line, sizeof(line), f)) {
		for (input_size = 0; input_size < LONGEST && sscanf(line + 2 * input_size, "%2x", &byte) == 1; input_size++)
			input[input_size] = (uint8_t)byte;
		snprintf(input_name, sizeof(input_name), "%s line %u", path, ++n);
		LLVMFuzzerTestOneInput(input, input_size);
	}
	return n;
}

static unsigned run_path(const char *path)
{
	size_t length = strlen(path);
	FILE *f = fopen(path, "rb");
	unsigned ran;

	if (!f) {
		perror(path);
		exit(1);
	}
	snprintf(input_name, sizeof(input_name), "%s", path);
	ran = length > 4 && !strcmp(path + length - 4, ".hex") ? run_lines(f, path) : run_file(f);
	if (ferror(f)) {
		perror(path);
		exit(1);
	}
	fclose(f);
	return ran;
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void run_random(unsigned long count, uint64_t seed)
{
	for (unsigned long n = 0; n < count; n++) {
		uint64_t state = ((seed << 32) + n) * 0x9e3779b97f4a7c15u + 1;
		input_size = 40 + next(&state) % 300;
		for (size_t i = 0; i < input_size; i++)
			input[i] = (uint8_t)(next(&state) >> 24);
		snprintf(input_name, sizeof(input_name), "random %lu of seed %lu", n, (unsigned long)seed);
		LLVMFuzzerTestOneInput(input, input_size);
	}
}

int main(int argc, char **argv)
{
	unsigned long random = 0, seed = 0;
	unsigned files = 0;
	int i = 1;

	signal(SIGABRT, aborted);
	if (argc > 3 && !strcmp(argv[1], "--random")) {
		random = strtoul(argv[2], NULL, 0);
		seed = strtoul(argv[3], NULL, 0);
		i = 4;
	}
	for (; i < argc; i++)
		files += run_path(argv[i]);
	run_random(random, seed);
	printf("%u stored and %lu random inputs: nothing found\n", files, random);
	return files + random == 0;
}
