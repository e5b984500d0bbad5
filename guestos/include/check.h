/* guestos/include/check.h: between mm/check.c and mm/check_rules.c. */
#ifndef CHECK_H
#define CHECK_H

#include "mm.h"

void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));     /* a violation */
void check_rules(void);
static inline uint32_t number(const struct frame *f) { return f - frames; }

#endif
