/* libdemo.h: what /lib/libdemo.so has (shlib/libdemo.c); reached by dlsym(). */
#ifndef LIBDEMO_H
#define LIBDEMO_H

#include <stdint.h>

#define LIBDEMO "/lib/libdemo.so"

uint32_t libdemo_count(void);                          /* calls so far in this process */
const char *libdemo_word(uint32_t n);                  /* "one" for 1 ... */
uint32_t libdemo_checksum(const void *data, uint32_t n);
uint32_t *libdemo_private(void);                       /* a page of data: [0] counts, the rest is the caller's */

#endif
