/* emu/machine.c: the PC's wiring: which device answers at which ports, and whose wire leads where. */
#define _GNU_SOURCE
#include "emu/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/hash.h"

/* --- the table -------------------------------------------------------------------------------------------------------
 *
 * One row for each range of ports: device, first port, how many, the offset the device sees for the first, and the line of
 * the interrupt controllers its wire leads to (named once per device). Devices are reset, hashed and shown in this order. */
#define NO_IRQ (-1)
#define DEVICE(member) offsetof(struct machine, member)

static const struct wiring { size_t device; uint16_t port, count, first; int irq; } wiring[] = {
	{ DEVICE(pic),            0x020, 2, 0, NO_IRQ },
	{ DEVICE(pic),            0x0a0, 2, 2, NO_IRQ },
	{ DEVICE(pic),            0x4d0, 2, 4, NO_IRQ },
	{ DEVICE(pit),            0x040, 4, 0, 0 },
	{ DEVICE(pit),            0x061, 1, 4, 0 },
	{ DEVICE(cmos),           0x070, 2, 0, 8 },
	{ DEVICE(i8042),          0x060, 1, 0, 1 },
	{ DEVICE(i8042),          0x064, 1, 1, 1 },
	{ DEVICE(port92),         0x092, 1, 0, NO_IRQ },
	{ DEVICE(uart),           0x3f8, 8, 0, 4 },
	{ DEVICE(vga),            0x3c0, 32, 0, NO_IRQ },
	{ DEVICE(pci),            PCI_PORT_BASE, PCI_PORT_COUNT, 0, NO_IRQ },
	{ DEVICE(ide[0]),         0x1f0, 8, 0, 14 },
	{ DEVICE(ide[0]),         0x3f6, 1, IDE_CONTROL, 14 },
	{ DEVICE(ide[1]),         0x170, 8, 0, 15 },
	{ DEVICE(ide[1]),         0x376, 1, IDE_CONTROL, 15 },
	{ DEVICE(acpi_pm),        0, 0, 0, 9 },                     /* ports 0x600-0x63f, through its PCI window */
	{ DEVICE(debug_exit),     0x501, 2, 0, NO_IRQ },
	{ DEVICE(debug_console),  0x0e9, 1, 0, NO_IRQ },
};
#define WIRES (sizeof(wiring) / sizeof(wiring[0]))

static struct device *wired(struct machine *m, const struct wiring *w)
{
	return (struct device *)((char *)m + w->device);
}

/* --- what the processor sees ---------------------------------------------------------------------------------------- */

static uint32_t bus_in(void *owner, uint16_t port, unsigned size)
{
	struct machine *m = owner;
	uint32_t value = ports_read(&m->ports, port, size);

	if (m->watch.port)
		m->watch.port(m->watch.owner, port, size, false, value);
	return value;
}

static void bus_out(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct machine *m = owner;

	if (m->watch.port)
		m->watch.port(m->watch.owner, port, size, true, value);
	ports_write(&m->ports, port, size, value);
}

static int bus_acknowledge(void *owner)
{
	return pic_acknowledge(&((struct machine *)owner)->pic);
}

static uint64_t bus_now(void *owner)
{
	return machine_now(owner);
}

/* --- what devices see ------------------------------------------------------------------------------------------------ */

static uint64_t clock_read(const void *owner)
{
	return machine_now(owner);
}

static void clock_sooner(void *owner)
{
	struct machine *m = owner;
	uint64_t deadline = clock_next_deadline(&m->clock);

	if (deadline != UINT64_MAX)
		cpu_run_until(&m->cpu, deadline > m->skipped ? deadline - m->skipped : 0);
}

static void intr_changed(void *owner, unsigned line, int level)
{
	(void)line;
	cpu_set_intr(&((struct machine *)owner)->cpu, level);
}

/* Reset takes effect after the instruction that asked for it. */
static void reset_pulsed(void *owner, unsigned line, int level)
{
	struct machine *m = owner;

	(void)line;
	if (!level)
		return;
	m->want_reset = true;
	cpu_request_stop(&m->cpu);
}

/* Both gates must be closed to mask address bit 20: port 0x92 and the keyboard controller's output are ORed. */
static void a20_changed(void *owner, unsigned line, int level)
{
	struct machine *m = owner;

	if (level)
		m->a20_open |= 1u << line;
	else
		m->a20_open &= ~(1u << line);
	uint32_t mask = m->a20_open ? 0xffffffff : 0xffefffff;
	if (mask == m->phys.a20_mask)
		return;
	m->phys.a20_mask = mask;
	mmu_flush_all(&m->mmu);
}

static void power_off(void *owner)
{
	struct machine *m = owner;

	m->want_power_off = true;
	cpu_request_stop(&m->cpu);
}

static void debug_exited(void *owner, uint32_t value)
{
	struct machine *m = owner;

	m->want_debug_exit = true;
	m->exit_value = value;
	cpu_request_stop(&m->cpu);
}

static void dma_read(void *owner, uint64_t pa, void *buf, size_t len)
{
	phys_copy_out(&((struct machine *)owner)->phys, pa, buf, len);
}

static void dma_write(void *owner, uint64_t pa, const void *buf, size_t len)
{
	phys_copy_in(&((struct machine *)owner)->phys, pa, buf, len);
}
