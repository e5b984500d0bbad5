/* emu/machine.h: the PC: processor, memory, devices, and the loop that moves virtual time.
 *
 *   machine_create(config) -> machine_run(m, ticks) ... -> why it stopped -> machine_free(m)
 *
 * Time is counted in ticks: instructions executed plus ticks skipped while the processor was halted. machine_run moves it by
 * exactly what was asked unless something ends the run; cutting a run into pieces of any size changes nothing.
 *
 * machine.c has the table of devices, ports and interrupts; machine_run.c has the loop.
 */
#ifndef EMU_MACHINE_H
#define EMU_MACHINE_H

#include "cpu/cpu.h"
#include "devices/acpi_pm.h"
#include "devices/cmos.h"
#include "devices/debugport.h"
#include "devices/device.h"
#include "devices/fpu_error.h"
#include "devices/i8042.h"
#include "devices/ide.h"
#include "devices/pci.h"
#include "devices/pic.h"
#include "devices/pit.h"
#include "devices/port92.h"
#include "devices/uart.h"
#include "devices/vga.h"
#include "emu/input.h"
#include "emu/loader.h"
#include "emu/observer.h"
#include "mmu/mmu.h"

#define MACHINE_DISKS 4
#define MACHINE_DEVICES 32

struct machine_config {
	uint64_t memory;               /* bytes */
	struct tlb_geometry tlb;
	uint64_t seed;                 /* shifts the clock at power-on by less than 10 ms */
	struct disk *disk[MACHINE_DISKS];          /* the caller's, also afterwards; NULL: no drive */
	const char *disk_name[MACHINE_DISKS];
	const struct kernel *kernel;   /* the caller's; placed at power-on and at every reset */
	struct char_out serial;        /* COM1 */
	struct char_out debug;         /* port 0xE9 */
	struct input_source input;     /* of COM1 */
	struct device_log log;
	bool stop_at_reset;            /* when the guest resets the machine; otherwise it starts again */
};

enum machine_stop {
	MACHINE_RAN,                   /* all the ticks asked for */
	MACHINE_POWER_OFF,
	MACHINE_RESET,                 /* with stop_at_reset */
	MACHINE_DEBUG_EXIT,            /* exit_value holds what the guest wrote */
	MACHINE_TRIPLE_FAULT,
	MACHINE_HALTED_FOREVER,        /* HLT with interrupts off */
	MACHINE_INSTRUCTION_LIMIT,
	MACHINE_REQUESTED,             /* an observer */
};

/* What observers watch, while it is put aside because none of them is to be told: observer.c. */
struct watches {
	bool aside;
	uint8_t *frames, *vpns;
	unsigned all;
};

struct machine {
	struct cpu cpu;
	struct mmu mmu;
	struct phys phys;
	struct clock clock;
	struct ports ports;
	uint64_t skipped;              /* ticks that passed without an instruction */
	uint64_t instruction_limit;    /* icount at which to stop; UINT64_MAX: none */

	struct pic pic;
	struct pit pit;
	struct cmos cmos;
	struct i8042 i8042;
	struct port92 port92;
	struct fpu_error fpu_error;
	struct uart uart;
	struct vga vga;
	struct pci pci;
	struct ide_channel ide[2];
	struct acpi_pm acpi_pm;
	struct debug_exit debug_exit;
	struct debug_console debug_console;

	struct device *device[MACHINE_DEVICES];    /* all of the above, in the order of the table in machine.c */
	unsigned devices;
	struct input input;
	struct observer *observers;    /* in order of joining */
	unsigned quiet;                /* only those who say even_quiet are told */
	bool ports_observed;
	struct watches watches;
	struct device_log log;
	const struct kernel *kernel;
	uint64_t seed;
	uint8_t a20_open;              /* bit 0: by port 0x92, bit 1: by the keyboard controller */
	uint8_t nmi_waiting;           /* the NMI button was pressed while port 0x70 masks it */

	/* What devices asked for during the instruction just executed. */
	bool want_stop, want_power_off, want_debug_exit, want_reset;
	bool stop_at_reset;
	bool reset_is_init;
	uint32_t exit_value;
	unsigned resets;
};

/* NULL with one line in err (ERROR_LINE bytes) when it cannot be built. */
struct machine *machine_create(const struct machine_config *config, char *err);
void machine_free(struct machine *m);
enum machine_stop machine_run(struct machine *m, uint64_t ticks);
/* Presses the NMI button. Between runs. */
void machine_nmi(struct machine *m);
/* Everything as after RESET, memory kept, the kernel placed again. 0, or -1 with a line in err. */
int machine_reset(struct machine *m, char *err);
uint64_t machine_now(const struct machine *m);
/* Halted with interrupts on, and no device can raise one but the serial port: once that has sent what it had, only input, or somebody's hand,
 * makes it go on. */
bool machine_wants_input(const struct machine *m);
/* Of memory, processor, devices and time. Equal for equal machines, whatever path led there. */
uint64_t machine_hash(struct machine *m);
/* The first error of a host disk during this run, or NULL. */
const char *machine_disk_error(const struct machine *m);

#endif
