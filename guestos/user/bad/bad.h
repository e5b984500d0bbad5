/* bad.h: what the parts of bad share; see main.c. */
#ifndef BAD_H
#define BAD_H

#include <random_calls.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PLACE "/tmp/bad"               /* begins the name of every file that is made */

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));       /* the evidence for the line of this program */
uint32_t any(uint32_t below);

bool bad_images(uint32_t count);       /* images.c */

#endif
