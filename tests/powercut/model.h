/* tests/powercut/model.h: what the tree must look like after each operation, and what it looks like in an image. */
#ifndef POWERCUT_MODEL_H
#define POWERCUT_MODEL_H

#include "tools/pfs_image.h"

/* A listing is lines "D /w/d" and "F /w/d/a SIZE SUM", sorted; the caller frees it. */
char **model_listings(void);           /* [0]: before the first operation, [i]: after i of them; the last is followed by NULL */
char *image_listing(const struct pfs_image *img);
char *sort_lines(char *text);          /* in place */

#endif
