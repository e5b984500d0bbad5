/* handlers.h: a handler that remembers all it was told (signals.c), for the tests of faults and of frames. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include <ucontext.h>

#define NOWHERE 0x30000000u            /* nothing is mapped there */
#define KERNEL 0xc0100000u

/* What the last handler was told. */
extern volatile struct seen { int count, signal, code; uint32_t address; mcontext_t regs; uint32_t handler_esp; } seen;
void see(int signal, siginfo_t *info, void *context);

/* And one for signals that come from elsewhere: how many, in which order, and all about the last. */
extern volatile struct heard { int count, order[16]; siginfo_t last; } heard;
void hear(int signal, siginfo_t *info, void *context);
void kill_parent(void *signal);        /* for a child to run */

/* A handler for UD2 that skips it, and gives EAX this value. */
#define SPECIAL 0xfffffe00u            /* -512: in the kernel it means that a system call shall begin again; here, nothing */
void change_registers(int signal, siginfo_t *info, void *context);

#endif
