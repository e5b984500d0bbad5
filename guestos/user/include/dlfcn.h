/* dlfcn.h: shared libraries, loaded by the program itself (lib/dl.c).
 *
 * Not implemented: symbols that a library takes from elsewhere, initialisers, lazy binding, finding the same library again: each dlopen() is
 * a copy with data of its own. Its text is the one copy in memory, whoever has it open. */
#ifndef DLFCN_H
#define DLFCN_H

void *dlopen(const char *path);                /* NULL: errno says why */
void *dlsym(void *library, const char *name);  /* NULL: there is none */
int dlclose(void *library);

#endif
