/* tests/powercut/model.h: what the tree must look like after each operation, and what it looks like in an image. */
#ifndef POWERCUT_MODEL_H
#define POWERCUT_MODEL_H

#include "tools/pfs_image.h"

/* A listing is lines "D /w/d" and "F /w/d/a SIZE SUM", sorted; the caller frees it. */
struct op;
char **model_listings(const struct op *ops, unsigned count);   /* [0]: before the first operation, [i]: after i of them */
char *image_listing(const struct pfs_image *img);
char *sort_lines(char *text);          /* in place */

#endif
