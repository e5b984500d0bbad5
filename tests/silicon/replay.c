/* tests/silicon/replay.c: silicon-replay FILE...: gives the emulator the recorded cases and compares with the recorded answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/insn.h"
#include "vectors.h"

#define REPORTS 10

static uint8_t page[SIL_PAGES][SIL_PAGE];

static void report(struct sil_bench *b, const struct sil_buffer *v, size_t at, const struct sil_case *c, unsigned number)
{
	struct sil_case again;

	printf("\nVector %u differs:\n", number);
	sil_decode(v, &at, b, &again);
	sil_run_ours(b, c);
	sil_print(b, c);
	sil_judge(b, c);
}

/* Returns how many differ, or -1. */
static int replay(struct sil_bench *b, const char *path)
{
	struct sil_buffer v = { 0 };
	static struct sil_case c;
	unsigned count = 0, excluded = 0;
	int different = 0;
	size_t at;

	if (!sil_read_file(path, &v))
		return -1;
	const char *end = memchr(v.data, '\n', v.size);
	if (!end || strncmp((char *)v.data, "silicon 1 ", 10)) {
		fprintf(stderr, "%s: not a file of vectors\n", path);
		free(v.data);
		return -1;
	}
	at = (size_t)(end + 1 - (char *)v.data);
	printf("recorded on %.*s\n", (int)(at - 11), v.data + 10);
	while (at < v.size) {
		size_t here = at;
		if (!sil_decode(&v, &at, b, &c)) {
			fprintf(stderr, "%s: broken at byte %zu\n", path, here);
			different = -1;
			break;
		}
		c.single = count & 1;
		sil_run_ours(b, &c);
		if (!sil_judge(b, &c) && different++ < REPORTS)
			report(b, &v, here, &c, count);
		excluded += b->excluded != NULL;
		count++;
	}
	printf("%u vectors, %d differ, %u left out\n", count, different, excluded);
	free(v.data);
	return count ? different : -1;
}

int main(int argc, char **argv)
{
	static struct sil_bench b;
	uint8_t *pages[SIL_PAGES];
	bool ok = true;

	if (argc < 2) {
		fputs("usage: silicon-replay FILE...\n", stderr);
		return 2;
	}
	for (unsigned i = 0; i < SIL_PAGES; i++) {
		pages[i] = page[i];
		sil_background(page[i], i);
	}
	sil_bench_open(&b, pages);
	b.recorded = true;
	for (int i = 1; i < argc; i++)
		ok &= replay(&b, argv[i]) == 0;
	sil_bench_close(&b);
	return !ok;
}
