/* devices/ps2.h: between the keyboard controller's two files. */
#ifndef DEVICES_PS2_H
#define DEVICES_PS2_H

#include "devices/i8042.h"

bool ps2_put(struct ps2_queue *q, uint8_t byte);           /* false when full; the byte is lost */
void i8042_refill(struct i8042 *c);
void ps2_mouse_defaults(struct i8042 *c);
void ps2_mouse_write(struct i8042 *c, uint8_t value);      /* the guest sends the mouse a byte */

#endif
