/* tests/silicon/compare.h: one case on both sides, the differences in words, and the smallest case that still differs. */
#ifndef TESTS_SILICON_COMPARE_H
#define TESTS_SILICON_COMPARE_H

#include "emulator.h"
#include "layout.h"

struct sil_bench {
	struct sil_emulator emulator;
	uint8_t background[SIL_PAGES][SIL_PAGE];
	uint8_t *host_page[SIL_PAGES];         /* the host's memory, or what was recorded of it */
	struct sil_result ours, host;
	bool recorded;             /* host_page holds recorded answers */
	const char *excluded;      /* why the last case was not run on the host, or NULL */
};

/* host_page: native_page, or pages of the caller's that hold the background. */
void sil_bench_open(struct sil_bench *b, uint8_t *const host_page[]);
void sil_bench_close(struct sil_bench *b);
/* True when both sides agree, or the case is excluded. */
bool sil_compare(struct sil_bench *b, const struct sil_case *c);
/* The parts of it: memory as the case wants it; the emulator's run; the comparison with b->host and its memory, which puts the
 * background back and is true when they agree. */
void sil_prepare(struct sil_bench *b, const struct sil_case *c);
void sil_run_ours(struct sil_bench *b, const struct sil_case *c);
bool sil_judge(struct sil_bench *b, const struct sil_case *c);
/* Takes away whatever the difference does not need. */
void sil_shrink(struct sil_bench *b, struct sil_case *c);
/* Runs the case again and prints it. */
void sil_report(struct sil_bench *b, const struct sil_case *c);
/* ... as the last run left both sides. */
void sil_print(struct sil_bench *b, const struct sil_case *c);

#endif
