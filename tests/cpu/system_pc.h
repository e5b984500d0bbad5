/* tests/cpu/system_pc.h: a bare machine with tables that the protected-mode tests fill in the manual's words.
 *
 *   0x01000 GDT    0x02000 IDT     0x03000 LDT      0x04000 the current TSS   0x05000 another TSS
 *   0x10000 code   0x20000 handlers, 16 bytes for each vector: a jump to itself, so that one step ends there
 *   0x30000 ring 0 stack top (ESP0)   0x31000 ring 1   0x32000 ring 2   0x34000 ring 3
 *   0x40000 page directory and tables, when a test turns paging on
 *
 * A watcher compares the whole machine before an exception is delivered with what it was before the instruction: every
 * fault in these tests is also a test that it left no trace.
 */
#ifndef TESTS_CPU_SYSTEM_PC_H
#define TESTS_CPU_SYSTEM_PC_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/system.h"

enum {
	GDT = 0x1000, IDT = 0x2000, LDT = 0x3000, TSS = 0x4000, TSS2 = 0x5000, CODE = 0x10000, HANDLERS = 0x20000, TARGET = 0x28000,
	STACK0 = 0x30000, STACK1 = 0x31000, STACK2 = 0x32000, STACK3 = 0x34000, DIRECTORY = 0x40000, TABLE = 0x41000,
};

/* Selectors of the GDT that every test starts with. Rings 1 and 2 have code and data too. */
enum {
	CS0 = 0x08, DS0 = 0x10, CS1 = 0x19, DS1 = 0x21, CS2 = 0x2a, DS2 = 0x32, CS3 = 0x3b, DS3 = 0x43, TR = 0x48, TR2 = 0x50,
	FREE = 0x58, FREE2 = 0x60, FREE3 = 0x68, CONFORM = 0x70, LDTSEL = 0x78, CS16 = 0x80, GDT_BYTES = 0x100,
};
enum { ACCESS_CODE = 0x9b, ACCESS_DATA = 0x93 };
#define DPL(n) ((n) << 5)
#define FLAT_FLAGS (SEG_FLAG_G | SEG_FLAG_DB)

struct pc {
	struct phys phys;
	struct mmu mmu;
	struct cpu cpu, before;
	uint8_t *ram, *copy;
	unsigned exceptions;       /* seen by the watcher in this step */
	struct fault_record last, first;
	unsigned delivered, irets;
	bool trace_checked;
	bool stop_on_exception;
	uint8_t irq_vector;
	uint16_t port;             /* the last I/O */
	uint32_t port_value;
	unsigned port_size;
	uint64_t now;
	bool ferr;                 /* the FERR# pin */
	unsigned ferr_changes;
};

#define PC_RAM (1u << 20)
#define PC_COMPARED 0x50000u

struct pc *pc_new(void);
void pc_free(struct pc *pc);

/* --- memory and tables --- */
void put32(struct pc *pc, uint32_t at, uint32_t value);
void put16(struct pc *pc, uint32_t at, uint16_t value);
uint32_t get32(struct pc *pc, uint32_t at);
uint16_t get16(struct pc *pc, uint32_t at);
void put_descriptor(struct pc *pc, uint32_t at, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags);
/* A GDT entry by selector; RPL and TI are ignored. */
void gdt(struct pc *pc, uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags);
uint8_t gdt_access(struct pc *pc, uint16_t selector);
void put_gate(struct pc *pc, uint32_t at, uint16_t selector, uint32_t offset, uint8_t access, uint8_t count);
void idt(struct pc *pc, uint8_t vector, uint16_t selector, uint32_t offset, uint8_t access);
static inline uint32_t handler(unsigned vector) { return HANDLERS + 16 * vector; }

/* --- the processor's state --- */
/* Flat protected mode at a ring: CS, SS, data segments, EIP at CODE, ESP at that ring's stack. IOPL 0, IF clear. */
void ring(struct pc *pc, unsigned cpl);
void v86(struct pc *pc, unsigned iopl_bits);
/* Real mode at CODE >> 4:0, stack 3000:0. */
void real_mode(struct pc *pc);
/* Turns on paging with low memory mapped one to one, user and writable. */
void paging(struct pc *pc);
void page(struct pc *pc, uint32_t la, uint32_t bits);

/* Writes bytes at EIP and runs one instruction, and whatever exception it causes up to the handler's first. */
#define RUN(pc, ...) run_bytes((pc), (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))
enum cpu_stop run_bytes(struct pc *pc, const uint8_t *bytes, size_t n);
/* As RUN, but without running anything. */
void place(struct pc *pc, uint32_t at, const uint8_t *bytes, size_t n);
#define PLACE(pc, at, ...) place((pc), (at), (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))
enum cpu_stop step(struct pc *pc, unsigned n);

#define W16(x) (uint8_t)(x), (uint8_t)((x) >> 8)
#define W32(x) W16(x), W16((uint32_t)(x) >> 16)

/* --- what is expected --- */
/* The dword i slots above SS:ESP. */
uint32_t stack_dword(struct pc *pc, unsigned i);
uint16_t stack_word(struct pc *pc, unsigned i);
/* One exception with this vector and error code was delivered through its ring 0 gate, with the EIP of the instruction, and
 * nothing had changed. */
void expect_error(struct pc *pc, unsigned vector, uint32_t error);
void expect_fault(struct pc *pc, unsigned vector);
void expect_no_fault(struct pc *pc);
void expect_segment(struct pc *pc, unsigned seg, uint16_t selector);

#endif
