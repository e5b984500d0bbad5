/* tests/silicon/undefined.h: what a comparison with a processor leaves out, each with its reason.
 *
 * The tables are in undefined.c: instructions that cannot be run in a user process, situations that cannot, encodings that mean
 * something on processors later than the emulated one, and results the manual leaves undefined or lets differ between models
 * (the emulator has one canonical value for each: see insn.def).
 */
#ifndef TESTS_SILICON_UNDEFINED_H
#define TESTS_SILICON_UNDEFINED_H

#include "cpu/insn.h"
#include "layout.h"

/* Why no case has this row, or NULL. */
const char *sil_row_excluded(const struct insn_row *row);
/* Every result of the row is defined, whatever its operands: it may stand anywhere in a sequence. */
bool sil_row_defined(const struct insn_row *row);
/* What is undefined depends on the operands or lies in memory: only in cases of one instruction. */
bool sil_row_alone(const struct insn_row *row);
/* Why the host must not, or need not, run the case, or NULL. ours: what the emulator made of it. */
const char *sil_case_excluded(const struct sil_case *c, const struct sil_result *ours);
/* Gives host the emulator's value wherever the manual allows the host to differ. Returns why all of it may differ, or NULL.
 * recorded: the answer is that of another processor, which may compute transcendental functions differently. */
const char *sil_allow(const struct sil_case *c, const struct sil_result *ours, uint8_t *const ours_page[], struct sil_result *host, uint8_t *const host_page[],
                      bool recorded);
/* Prints the tables. */
void sil_list_exclusions(void);

#endif
