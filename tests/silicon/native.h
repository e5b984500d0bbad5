/* tests/silicon/native.h: runs a case on the processor of this computer. x86-64 Linux only.
 *
 * A process of 64-bit Linux may run in the kernel's 32-bit code segment; everything below 4 GB is empty, so a stray access of
 * 32-bit code is a page fault here as it is in the emulator. Signals tell which exception ended a case.
 */
#ifndef TESTS_SILICON_NATIVE_H
#define TESTS_SILICON_NATIVE_H

#include "layout.h"

/* False when this host cannot do it; *why then says so in words. One per process; signals and alternate stack are taken. */
bool native_open(const char **why);
void native_close(void);
/* The memory of the case, page by page, writable. */
extern uint8_t *native_page[SIL_PAGES];
/* Runs from this state with the memory as it is. */
void native_run(const struct sil_state *in, struct sil_result *out);
/* "AuthenticAMD AMD EPYC ...". */
void native_name(char *buf, size_t size);
/* Whether what the manual leaves to a processor is known of this maker's (undefined.c): so far of AMD's. */
bool native_studied(void);

#endif
