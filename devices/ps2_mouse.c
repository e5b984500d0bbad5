/* devices/ps2_mouse.c: the standard PS/2 mouse behind the keyboard controller.
 *
 *   report  byte 0: Y over, X over, Y sign, X sign, 1, middle, right, left     byte 1: X     byte 2: Y, upwards
 *
 * References: [I8042] "Mouse".   Not implemented: the wheel protocols, scaling 2:1 (kept and reported, not applied).
 */
#include "devices/ps2.h"

#define MOTION_MAX 255

void ps2_mouse_defaults(struct i8042 *c)
{
	c->aux_expects = 0;
	c->aux_reporting = c->aux_remote = c->aux_wrap = c->aux_scaling = 0;
	c->aux_rate = 100;
	c->aux_resolution = 2;
	c->aux_dx = c->aux_dy = 0;
}

static int clamp(int n)
{
	return n > MOTION_MAX ? MOTION_MAX : n < -MOTION_MAX ? -MOTION_MAX : n;
}

static void send_report(struct i8042 *c)
{
	int dx = clamp(c->aux_dx), dy = clamp(c->aux_dy);

	ps2_put(&c->aux, (uint8_t)(0x08 | (c->aux_buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0)));
	ps2_put(&c->aux, (uint8_t)dx);
	ps2_put(&c->aux, (uint8_t)dy);
	c->aux_dx = c->aux_dy = 0;
}

static void send_status(struct i8042 *c)
{
	ps2_put(&c->aux, (uint8_t)(c->aux_remote << 6 | c->aux_reporting << 5 | c->aux_scaling << 4 |
		(c->aux_buttons & 1) << 2 | (c->aux_buttons & 4) >> 1 | (c->aux_buttons & 2) >> 1));
	ps2_put(&c->aux, c->aux_resolution);
	ps2_put(&c->aux, c->aux_rate);
}

static void mouse_argument(struct i8042 *c, uint8_t value)
{
	if (c->aux_expects == 0xf3)
		c->aux_rate = value;
	else
		c->aux_resolution = value & 3;
	c->aux_expects = 0;
	ps2_put(&c->aux, 0xfa);
}

static void mouse_command(struct i8042 *c, uint8_t value)
{
	c->aux.count = 0;
	ps2_put(&c->aux, 0xfa);
	switch (value) {
	case 0xe6: c->aux_scaling = 0; break;
	case 0xe7: c->aux_scaling = 1; break;
	case 0xe8:
	case 0xf3: c->aux_expects = value; break;
	case 0xe9: send_status(c); break;
	case 0xea: c->aux_remote = 0; break;
	case 0xeb: send_report(c); break;
	case 0xee: c->aux_wrap = 1; break;
	case 0xec: break;
	case 0xf0: c->aux_remote = 1; break;
	case 0xf2: ps2_put(&c->aux, 0x00); break;
	case 0xf4: c->aux_reporting = 1; break;
	case 0xf5: c->aux_reporting = 0; break;
	case 0xf6: ps2_mouse_defaults(c); break;
	case 0xff:
		ps2_mouse_defaults(c);
		ps2_put(&c->aux, 0xaa);
		ps2_put(&c->aux, 0x00);
		break;
	default:
		c->aux.count = 0;
		ps2_put(&c->aux, 0xfe);
	}
}

void ps2_mouse_write(struct i8042 *c, uint8_t value)
{
	if (c->aux_wrap && value != 0xec && value != 0xff) {
		ps2_put(&c->aux, value);       /* wrap mode echoes everything else */
		return;
	}
	if (c->aux_wrap)
		c->aux_wrap = 0;
	if (c->aux_expects)
		mouse_argument(c, value);
	else
		mouse_command(c, value);
}

void i8042_mouse(struct i8042 *c, int dx, int dy, unsigned buttons)
{
	c->aux_dx = (int16_t)clamp(c->aux_dx + clamp(dx));
	c->aux_dy = (int16_t)clamp(c->aux_dy + clamp(dy));
	c->aux_buttons = buttons & 7;
	if (!c->aux_reporting || c->aux_remote || c->aux_wrap || c->aux.count + 3 > PS2_QUEUE)
		return;
	send_report(c);
	i8042_refill(c);
}
