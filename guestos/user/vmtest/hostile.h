/* vmtest/hostile.h: what the tests that mean harm share (hostile.c). */
#ifndef VMTEST_HOSTILE_H
#define VMTEST_HOSTILE_H

#include <stddef.h>

#define PLACE "/tmp/hostile"

void write_file(const char *path, const void *data, size_t n);

#endif
