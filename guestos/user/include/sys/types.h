/* sys/types.h: the integer types system calls are described with. */
#ifndef SYS_TYPES_H
#define SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef int pid_t;
typedef long ssize_t;
typedef long off_t;                    /* Simplified: 32 bits; PFS files end well below 2 GB */
typedef unsigned mode_t;

#endif
