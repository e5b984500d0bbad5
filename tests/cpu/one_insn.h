/* tests/cpu/one_insn.h: runs one instruction of a test's in the world of world.h, and catches the exception it raises.
 * Each test program that includes it has one world, and opens and closes it as a Check fixture. */
#ifndef TESTS_CPU_ONE_INSN_H
#define TESTS_CPU_ONE_INSN_H

#include <check.h>

#include "world.h"

#define AT (CODE - 0x800)              /* the instruction */
#define OPERAND_AT (DATA1 - 0x800)     /* its memory operand, aligned */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct world w;
static struct fault fault;             /* the last one since start_in(), when there was one */
static bool faulted;

/* Stops before delivery: everything is as the instruction left it. */
static bool on_exception(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	(void)owner, (void)cpu;
	faulted = true;
	fault = r->fault;
	return true;
}

static void open_world(void) { world_init(&w); }
static void close_world(void) { world_free(&w); }

static inline void start_in(enum world_mode mode)
{
	world_reset(&w, mode);
	w.cpu.watch.exception = on_exception;
	w.cpu.eip = AT;
	faulted = false;
}

static void run(const uint8_t *bytes, unsigned n)
{
	w.cpu.eip = AT;
	world_put(&w, AT, bytes, n);
	cpu_run(&w.cpu, 1);
}
#define RUN(...) run((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static void expect_no_fault(void) { ck_assert_msg(!faulted, "exception %u", fault.vector); }

#endif
