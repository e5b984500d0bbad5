/* tests/silicon/emulator.h: runs a case in the emulator, in a world that looks like a 32-bit process of 64-bit Linux. */
#ifndef TESTS_SILICON_EMULATOR_H
#define TESTS_SILICON_EMULATOR_H

#include "layout.h"

struct sil_emulator {
	struct phys phys;
	struct mmu mmu;
	struct cpu cpu;
	uint8_t *page[SIL_PAGES];  /* memory of the case; to be written through sil_emulator_write only */
	uint32_t pa[SIL_PAGES];
	struct fault fault;
	bool stopped;
};

void sil_emulator_open(struct sil_emulator *e);
void sil_emulator_close(struct sil_emulator *e);
void sil_emulator_write(struct sil_emulator *e, unsigned page, unsigned offset, const void *bytes, unsigned n);
/* Runs from the state with the memory as it is; end is the offset of sil_end. */
void sil_emulator_run(struct sil_emulator *e, const struct sil_state *in, bool single, uint32_t end, struct sil_result *out);

#endif
