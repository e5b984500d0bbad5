/* handlers.h: what the tests of signals share (handlers.c): handlers that remember what they were told, and faults made on purpose. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#define NOWHERE 0x30000000u            /* nothing is mapped there */
#define KERNEL 0xc0100000u

/* For a signal that an instruction of this program caused: what the last handler was told. */
extern volatile struct seen { int count, signal, code; uint32_t address; mcontext_t regs; uint32_t handler_esp; } seen;
extern volatile uint32_t go_to;        /* where see() continues, unless 0 */
void see(int signal, siginfo_t *info, void *context);
void skip_two(int signal, siginfo_t *info, void *context);     /* the same, and goes on behind an instruction of two bytes */

/* Every register but ESP has a value of its own when the instruction faults at label 1; the handler continues at label 2. */
#define FAULT_WITH_REGISTERS(instruction) __asm__ volatile( \
	"pushl %%ebp\n\tmovl $2f, go_to\n\tmovl $1f, fault_eip\n\tmovl %%esp, fault_esp\n\tmovl %0, %%eax\n\tmovl $0xb0b0b0b0, %%ebx\n\t" \
	"movl $0xc0c0c0c0, %%ecx\n\tmovl $0xd0d0d0d0, %%edx\n\tmovl $0x51515151, %%esi\n\tmovl $0xd1d1d1d1, %%edi\n\t" \
	"movl $0xb9b9b9b9, %%ebp\n\tstc\n1:\t" instruction "\n2:\tpopl %%ebp" \
	: : "r"(place) : "eax", "ebx", "ecx", "edx", "esi", "edi", "memory", "cc")
extern uint32_t fault_eip, fault_esp;
void check_registers(uint32_t place);
void check_fault(int count, int code, uint32_t address, uint32_t error);

/* A handler for UD2 that skips it, and gives EAX this value. */
#define SPECIAL 0xfffffe00u            /* -512: in the kernel it means that a system call shall begin again; here, nothing */
void change_registers(int signal, siginfo_t *info, void *context);

/* For signals that come from elsewhere: how many, in which order, and all about the last. */
extern volatile struct heard { int count, order[16]; siginfo_t last; } heard;
void hear(int signal, siginfo_t *info, void *context);
void kill_parent(void *signal);        /* for a child to run */

#endif
