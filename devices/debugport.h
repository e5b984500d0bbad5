/* devices/debugport.h: two ports that exist for tests and kernels under development, not on a real PC.
 *
 *   isa-debug-exit  offset 0-1  (ports 0x501, 0x502)  write: ends the run with the value     read: 0
 *   debug console   offset 0    (port 0xe9)           write: a character for the host        read: 0xe9, "I am here"
 *
 * References: none; the first is known from QEMU, the second from Bochs.
 */
#ifndef DEVICES_DEBUGPORT_H
#define DEVICES_DEBUGPORT_H

#include "devices/device.h"

#define DEBUG_EXIT_BASE 0x501
#define DEBUG_EXIT_SIZE 2
#define DEBUG_CONSOLE_PORT 0xe9

struct debug_exit {
	struct device dev;
	void (*exit)(void *owner, uint32_t value);         /* the run's status is (value << 1) | 1 */
	void *owner;
};

struct debug_console {
	struct device dev;
	struct char_out out;
};

void debug_exit_init(struct debug_exit *d, void (*exit)(void *owner, uint32_t value), void *owner);
void debug_console_init(struct debug_console *d);

#endif
