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
	{ DEVICE(i8042),          0x064, 1, 4, 1 },
	{ DEVICE(port92),         0x092, 1, 0, NO_IRQ },
	{ DEVICE(fpu_error),      FPU_ERROR_PORT, FPU_ERROR_PORTS, 0, 13 },
	{ DEVICE(uart),           0x3f8, 8, 0, 4 },
	{ DEVICE(vga),            VGA_PORT_BASE, VGA_PORTS, 0, NO_IRQ },
	{ DEVICE(vga),            VGA_MONO_BASE, 16, VGA_MONO_OFFSET, NO_IRQ },
	{ DEVICE(pci),            PCI_PORT_BASE, PCI_PORT_COUNT, 0, NO_IRQ },
	{ DEVICE(ide[0]),         0x1f0, 8, 0, 14 },
	{ DEVICE(ide[0]),         0x3f6, 1, IDE_CONTROL, 14 },
	{ DEVICE(ide[1]),         0x170, 8, 0, 15 },
	{ DEVICE(ide[1]),         0x376, 1, IDE_CONTROL, 15 },
	{ DEVICE(acpi_pm),        ACPI_PM_OLD_PORT, 2, ACPI_PM_OLD_OFFSET, 9 },
	{ DEVICE(acpi_pm),        SHUTDOWN_PORT, 1, SHUTDOWN_OFFSET, 9 },       /* ... and 0x600, through its PCI window */
	{ DEVICE(debug_exit),     DEBUG_EXIT_BASE, DEBUG_EXIT_SIZE, 0, NO_IRQ },
	{ DEVICE(debug_console),  DEBUG_CONSOLE_PORT, 1, 0, NO_IRQ },
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

	if (m->ports_observed)
		observer_port(m, port, size, false, value);
	return value;
}

static void bus_out(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct machine *m = owner;

	if (m->ports_observed)
		observer_port(m, port, size, true, value);
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

/* Devices are wired after the processor has been reset, and FERR# is low then. */
static void bus_ferr(void *owner, bool level)
{
	fpu_error_set(&((struct machine *)owner)->fpu_error, level);
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

/* The gate between the NMI button and the processor. A press while it is closed waits. */
static void nmi_gate_changed(void *owner, unsigned line, int level)
{
	struct machine *m = owner;

	(void)line;
	if (level && m->nmi_waiting) {
		m->nmi_waiting = 0;
		cpu_raise_nmi(&m->cpu);
	}
}

void machine_nmi(struct machine *m)
{
	m->nmi_waiting = 1;
	nmi_gate_changed(m, 0, !m->cmos.nmi_masked);
}

static void ignne_changed(void *owner, unsigned line, int level)
{
	(void)line;
	cpu_set_ignne(&((struct machine *)owner)->cpu, level);
}

/* Reset takes effect after the instruction that asked for it. Ports 64 and 92 pulse INIT, port CF9 RESET. Simplified: no firmware
 * runs after an INIT, so the machine does what firmware would: it starts everything anew. */
#define LINE_RESET 0
#define LINE_INIT  1
static void reset_pulsed(void *owner, unsigned line, int level)
{
	struct machine *m = owner;

	if (!level)
		return;
	m->want_reset = true;
	m->reset_is_init = line == LINE_INIT;
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

/* --- building -------------------------------------------------------------------------------------------------------- */

#define A20_PORT92 0
#define A20_I8042  1

static int claim_ports(struct machine *m, char *err)
{
	for (size_t i = 0; i < WIRES; i++) {
		const struct wiring *w = &wiring[i];
		const char *clash = NULL;
		if (w->count && ports_add(&m->ports, wired(m, w), w->port, w->count, w->first, &clash)) {
			snprintf(err, ERROR_LINE, "ports 0x%03x-0x%03x of %s belong to %s", w->port, w->port + w->count - 1,
				wired(m, w)->ops->name, clash ? clash : "nobody: the port table is full");
			return -1;
		}
	}
	return 0;
}

/* After every device's init: lists each once, and leads its wire and its log. */
static void connect_devices(struct machine *m)
{
	for (size_t i = 0; i < WIRES; i++) {
		struct device *dev = wired(m, &wiring[i]);
		if (m->devices && m->device[m->devices - 1] == dev)
			continue;
		m->device[m->devices++] = dev;
		dev->log = &m->log;
		if (wiring[i].irq != NO_IRQ)
			dev->irq = (struct irq_line){ pic_set_irq, &m->pic, (unsigned)wiring[i].irq };
	}
	m->pic.dev.irq = (struct irq_line){ intr_changed, m, 0 };
	m->i8042.irq_aux = (struct irq_line){ pic_set_irq, &m->pic, 12 };
	m->i8042.a20 = (struct irq_line){ a20_changed, m, A20_I8042 };
	m->i8042.reset = (struct irq_line){ reset_pulsed, m, LINE_INIT };
	m->port92.a20 = (struct irq_line){ a20_changed, m, A20_PORT92 };
	m->port92.reset = (struct irq_line){ reset_pulsed, m, LINE_INIT };
	m->fpu_error.ignne = (struct irq_line){ ignne_changed, m, 0 };
	m->pci.reset_line = (struct irq_line){ reset_pulsed, m, LINE_RESET };
	m->cmos.nmi_enable = (struct irq_line){ nmi_gate_changed, m, 0 };
}

static int init_devices(struct machine *m, const struct machine_config *config, char *err)
{
	struct dma dma = { dma_read, dma_write, m };

	pic_init(&m->pic);
	pit_init(&m->pit, &m->clock);
	cmos_init(&m->cmos, &m->clock, CMOS_START_2026);
	cmos_set_memory(&m->cmos, config->memory);
	i8042_init(&m->i8042);
	port92_init(&m->port92);
	fpu_error_init(&m->fpu_error);
	uart_init(&m->uart, &m->clock);
	m->uart.out = config->serial;
	vga_init(&m->vga, &m->clock);
	pci_init(&m->pci, &m->ports, &m->log);
	for (unsigned i = 0; i < 2; i++)
		ide_init(&m->ide[i], &m->clock, &m->log, dma);
	acpi_pm_init(&m->acpi_pm, &m->clock, power_off, m);
	debug_exit_init(&m->debug_exit, debug_exited, m);
	debug_console_init(&m->debug_console);
	m->debug_console.out = config->debug;
	connect_devices(m);
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (config->disk[i])
			ide_attach(&m->ide[i / 2], i % 2, config->disk[i], config->disk_name[i]);
	if (claim_ports(m, err))
		return -1;
	pci_attach(&m->pci, PCI_WINDOW_IDE, &m->ide[0].dev, 0, 8, IDE_BM_COMMAND);
	pci_attach(&m->pci, PCI_WINDOW_IDE, &m->ide[1].dev, 8, 8, IDE_BM_COMMAND);
	pci_attach(&m->pci, PCI_WINDOW_PM, &m->acpi_pm.dev, 0, ACPI_PM_SIZE, 0);
	return 0;
}

static int init_memory(struct machine *m, const struct machine_config *config, char *err)
{
	const char *clash = NULL;
	int r = phys_init(&m->phys, config->memory);

	if (r) {
		snprintf(err, ERROR_LINE, "cannot allocate %lluM of guest memory: %s", (unsigned long long)(config->memory >> 20), strerror(-r));
		return -1;
	}
	r = mmu_init(&m->mmu, &m->phys, config->tlb);
	if (!r)
		r = phys_add_mmio(&m->phys, "vga", VGA_WINDOW_START, VGA_WINDOW_SIZE, &vga_mmio_ops, &m->vga, &clash);
	if (r)
		snprintf(err, ERROR_LINE, "cannot set up memory: %s%s", clash ? "range taken by " : strerror(-r), clash ? clash : "");
	return r ? -1 : 0;
}

static int init_cpu(struct machine *m, char *err)
{
	struct cpu_bus bus = { bus_in, bus_out, bus_acknowledge, bus_now, m, bus_ferr };
	int r = cpu_init(&m->cpu, &m->mmu, &bus);

	if (r)
		snprintf(err, ERROR_LINE, "cannot set up the processor: %s", strerror(-r));
	return r ? -1 : 0;
}

/* Firmware's part before a kernel runs: A20 open, PCI base registers assigned. */
static int power_on(struct machine *m, char *err)
{
	pci_firmware_setup(&m->pci);
	m->a20_open = 1u << A20_PORT92 | 1u << A20_I8042;
	m->phys.a20_mask = 0xffffffff;
	mmu_flush_all(&m->mmu);
	return m->kernel ? kernel_place(m->kernel, &m->phys, &m->cpu, err) : 0;
}

/* seed 0 starts the clock at 0; the others within the first 10 ms, as a linear congruential step scatters them. */
static uint64_t first_tick(uint64_t seed)
{
	return (seed * 6364136223846793005ull >> 33) % (CLOCK_HZ / 100);
}

struct machine *machine_create(const struct machine_config *config, char *err)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m) {
		snprintf(err, ERROR_LINE, "out of memory");
		return NULL;
	}
	m->phys.memfd = -1;
	m->log = config->log;
	m->kernel = config->kernel;
	m->seed = config->seed;
	m->stop_at_reset = config->stop_at_reset;
	m->skipped = first_tick(config->seed);
	m->instruction_limit = UINT64_MAX;
	m->clock = (struct clock){ .now = clock_read, .sooner = clock_sooner, .owner = m };
	input_init(&m->input, config->input);
	ports_init(&m->ports);
	if (init_memory(m, config, err) || init_cpu(m, err) || init_devices(m, config, err) || power_on(m, err)) {
		machine_free(m);
		return NULL;
	}
	return m;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	observers_forget(m);
	if (m->cpu.mmu)
		cpu_free(&m->cpu);
	mmu_free(&m->mmu);
	phys_free(&m->phys);
	input_free(&m->input);
	free(m);
}

int machine_reset(struct machine *m, char *err)
{
	uint64_t now = machine_now(m);
	bool init = m->want_reset && m->reset_is_init;

	m->want_reset = false;
	m->nmi_waiting = 0;
	m->resets++;
	for (unsigned i = 0; i < m->devices; i++)
		m->device[i]->ops->reset(m->device[i]);
	mmu_reset(&m->mmu);
	if (init)
		cpu_signal_init(&m->cpu);
	else
		cpu_reset(&m->cpu);
	m->skipped = now - cpu_icount(&m->cpu);        /* time goes on, whatever reset did to the count */
	return power_on(m, err);
}

/* --- looking ------------------------------------------------------------------------------------------------------------ */

static void hash_cpu_field(void *ctx, const char *name, void *data, size_t size)
{
	(void)name;
	hash_bytes(ctx, data, size);
}

static void hash_device(struct hash *h, const struct device *dev)
{
	for (const struct reg_desc *r = dev->ops->regs; r->name; r++)
		hash_bytes(h, (const char *)dev + r->offset, (size_t)r->bytes * r->count);
}

uint64_t machine_hash(struct machine *m)
{
	struct hash h;

	hash_init(&h);
	hash_bytes(&h, m->phys.ram, m->phys.ram_size);
	cpu_visit_state(&m->cpu, hash_cpu_field, &h);
	for (unsigned i = 0; i < m->devices; i++)
		hash_device(&h, m->device[i]);
	hash_u64(&h, machine_now(m));
	hash_u64(&h, m->a20_open);
	hash_u64(&h, m->nmi_waiting);
	return hash_result(&h);
}

const char *machine_disk_error(const struct machine *m)
{
	for (unsigned i = 0; i < 2; i++)
		if (*m->ide[i].host_error)
			return m->ide[i].host_error;
	return NULL;
}
