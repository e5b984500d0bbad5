/* vmtest/settings.h: what the tests of policies, limits and load control share (policy.c). */
#ifndef VMTEST_SETTINGS_H
#define VMTEST_SETTINGS_H

#include <stdint.h>

#define POLICY "/proc/policy"
#define LOADCONTROL "/proc/loadcontrol"

void with(const char *file, const char *setting, void (*run)(void *), void *argument);        /* in a child, under that setting of that file */
void limit_here(uint32_t more);        /* RLIMIT_RSS: what is resident now, and so many pages more */
volatile char *map_pages(uint32_t n);  /* private, untouched */

#endif
