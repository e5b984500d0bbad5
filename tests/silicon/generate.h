/* tests/silicon/generate.h: random cases, each a function of a seed and a number. */
#ifndef TESTS_SILICON_GENERATE_H
#define TESTS_SILICON_GENERATE_H

#include "cpu/insn.h"
#include "layout.h"
#include "values.h"

enum sil_kind { KIND_INT, KIND_X87, KIND_MMX, KIND_SSE };

/* The rows of insn_table[] that take part. */
struct sil_choice {
	uint16_t row[2048];
	unsigned rows;
	bool undefined;            /* opcodes that no processor has, too */
};
enum sil_kind sil_kind_of(const struct insn_row *row);
/* only: a mnemonic, "int", "x87", "mmx", "sse", or NULL. False when nothing is left. */
bool sil_choose(struct sil_choice *choice, const char *only);
void sil_generate(const struct sil_choice *choice, uint64_t seed, uint64_t k, struct sil_case *c);

#endif
