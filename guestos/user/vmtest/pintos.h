/* vmtest/pintos.h: what the two files of cases named after Pintos' share (pintos_page.c). */
#ifndef VMTEST_PINTOS_H
#define VMTEST_PINTOS_H

#include <stdint.h>

#define WORDS (PAGE_SIZE / sizeof(uint32_t))

uint32_t cipher(uint32_t *word, uint32_t n, uint32_t key);     /* the same call once more gives the old words back; their sum as they are now */
uint32_t beyond_memory(void);          /* pages: more than there are */

#endif
