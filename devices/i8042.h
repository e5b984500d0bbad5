/* devices/i8042.h: keyboard controller with a PS/2 keyboard and mouse, ports 0x60 and 0x64.
 *
 *   offset 0  port 0x60   read: output buffer           write: data of a controller command, else to the keyboard
 *   offset 4  port 0x64   read: status                  write: controller command
 *        status  7 parity  6 timeout  5 from mouse  4 unlocked  3 last write was a command  2 system  1 busy  0 output full
 *
 *   command byte (0x20 reads, 0x60 writes)  6 translate  5 mouse off  4 keyboard off  2 system  1 IRQ12 on  0 IRQ1 on
 *   output port  (0xd0 reads, 0xd1 writes)  5 IRQ12  4 IRQ1  1 A20  0 processor runs (0: reset)
 *
 *   keyboard -> (scan code set 2, translated to set 1) -> output buffer -> dev.irq, IRQ1
 *   mouse    --------------------------------------------> output buffer -> irq_aux, IRQ12
 *
 * References: [I8042] "Keyboard Controller Commands", "Output Port", "Scan Code Translation", "Keyboard", "Mouse".
 * Simplified: a byte is in the output buffer the moment that is empty; the serial wires take no time. The host repeats keys,
 * not the keyboard. Not implemented: scan code set 3, the Pause key, mouse scaling 2:1.
 */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include "devices/device.h"

#define PS2_QUEUE 64

struct ps2_queue {
	uint8_t data[PS2_QUEUE];
	uint8_t first, count;
};

struct i8042 {
	struct device dev;                 /* dev.irq is IRQ1 */
	struct irq_line irq_aux;           /* IRQ12 */
	struct irq_line a20;               /* level 1: address line 20 is open */
	struct irq_line reset;             /* a pulse resets the processor */

	uint8_t status;                    /* bits 0 (full), 2, 3, 5 */
	uint8_t command_byte;
	uint8_t output_port;               /* bits 0 and 1 */
	uint8_t out;                       /* output buffer */
	uint8_t expects;                   /* controller command whose data byte comes next, or 0 */
	uint8_t reply, has_reply;          /* the controller's answer, waiting for the output buffer */
	uint8_t reply_from_aux;            /* it poses as the mouse's (command 0xd3) */
	uint8_t ram[32];

	struct ps2_queue kbd;
	uint8_t kbd_expects;               /* keyboard command whose argument comes next */
	uint8_t kbd_last;                  /* for Resend */
	uint8_t kbd_scanning;
	uint8_t kbd_set;                   /* 1 or 2 */
	uint8_t kbd_leds, kbd_typematic;
	uint8_t kbd_overrun;               /* a key was lost and the overrun code is queued */
	uint8_t break_next;                /* the translation has seen 0xf0 */

	struct ps2_queue aux;
	uint8_t aux_expects;
	uint8_t aux_reporting, aux_remote, aux_wrap, aux_scaling;
	uint8_t aux_rate, aux_resolution, aux_buttons;
	int16_t aux_dx, aux_dy;
};

void i8042_init(struct i8042 *c);
/* A key moved. scancode is as in set 1: bits 6-0 the key, bit 7 set when released, 0xe000 added for the keys that have the
 * prefix. False when the keyboard's buffer is full or the guest has switched scanning off: the key is lost, as in hardware. */
bool i8042_key(struct i8042 *c, uint32_t scancode);
bool i8042_can_key(const struct i8042 *c);
/* The mouse moved (dy upwards) or a button changed: bit 0 left, 1 right, 2 middle. */
void i8042_mouse(struct i8042 *c, int dx, int dy, unsigned buttons);
static inline uint8_t i8042_leds(const struct i8042 *c) { return c->kbd_leds; }

#endif
