/* tests/emu/debug_rig.h: a machine with tables laid out by hand, and a debugger on it, for tests of what is told about translations and
 * faults.
 *
 *   0x01000 GDT   0x02000 IDT   0x03000 TSS   0x05000 a second TSS   0x10000 code   0x20000 handlers: 16 bytes for each vector, a jump to itself
 *   0x30000 top of the ring 0 stack   0x34000 top of the ring 3 stack   0x40000 directory   0x41000 table   0x42000 PAE: pointers, 0x43000, 0x44000
 *
 * Low memory is mapped one to one for everybody; 0x00100000 up to 4 MB is not mapped, a test maps there what it needs.
 */
#ifndef TESTS_EMU_DEBUG_RIG_H
#define TESTS_EMU_DEBUG_RIG_H

#include <check.h>

#include "emu/debug/debugger.h"
#include "emu/debug/text.h"

enum {
	RIG_GDT = 0x1000, RIG_IDT = 0x2000, RIG_TSS = 0x3000, RIG_TSS2 = 0x5000, RIG_CODE = 0x10000, RIG_HANDLERS = 0x20000, RIG_STACK0 = 0x30000,
	RIG_STACK3 = 0x34000, RIG_DIRECTORY = 0x40000, RIG_TABLE = 0x41000, RIG_POINTERS = 0x42000, RIG_PAE_DIRECTORY = 0x43000,
	RIG_PAE_TABLE = 0x44000, RIG_FREE = 0x100000,
};
enum { RIG_CS0 = 0x08, RIG_DS0 = 0x10, RIG_CS3 = 0x1b, RIG_DS3 = 0x23, RIG_TR = 0x28, RIG_TR2 = 0x30 };
#define OPEN (PG_P | PG_W | PG_U)

struct rig {
	struct machine *m;
	struct history *h;
	struct debugger d;
	struct text text;
};

/* Protected mode at a ring, EIP at RIG_CODE, paging on. The history begins with rig_go(): until then the test may change anything. */
void rig_open(struct rig *r, unsigned cpl);
void rig_open_with(struct rig *r, unsigned cpl, struct tlb_geometry tlb);
void rig_close(struct rig *r);
void rig_pae(struct rig *r, bool nxe);
/* A virtual-8086 task at RIG_CODE, IOPL 0. */
void rig_v86(struct rig *r);
void rig_put32(struct rig *r, paddr_t pa, uint32_t value);
uint32_t rig_get32(struct rig *r, paddr_t pa);
/* The PTE of a page below 4 MB. */
void rig_page(struct rig *r, uint32_t la, uint32_t pte);
void rig_pae_page(struct rig *r, uint32_t la, uint64_t pte);
void rig_gate(struct rig *r, unsigned vector, uint16_t selector, uint32_t offset, uint8_t access);
void rig_descriptor(struct rig *r, uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags);
void rig_code(struct rig *r, uint32_t at, const uint8_t *bytes, size_t n);
#define CODE(r, at, ...) rig_code((r), (at), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
void rig_go(struct rig *r);

/* The text gathered is the one of tests/emu/stories/NAME.txt. STORIES_WRITE=1 in the environment writes the file instead, to be read. */
void rig_expect(struct rig *r, const char *name);
/* State the guest can notice, the TLB, and its counts, as one number. */
uint64_t rig_state(struct rig *r);

#endif
