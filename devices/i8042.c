/* devices/i8042.c: keyboard controller and keyboard; the data sheet is in the header. The mouse is in ps2_mouse.c. */
#include "devices/i8042.h"
#include "devices/bytewise.h"
#include "devices/ps2.h"

#define S_FULL     0x01
#define S_SYSTEM   0x04
#define S_COMMAND  0x08
#define S_UNLOCKED 0x10
#define S_AUX      0x20

#define C_IRQ1      0x01
#define C_IRQ12     0x02
#define C_SYSTEM    0x04
#define C_KBD_OFF   0x10
#define C_AUX_OFF   0x20
#define C_TRANSLATE 0x40

#define P_RUN 0x01
#define P_A20 0x02

/* Scan code set 2 to set 1, for codes below 0x80; of the others only two change. [I8042] "Scan Code Translation" */
static const uint8_t to_set1[128] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
	0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
	0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
	0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
	0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

static uint8_t translate(uint8_t set2)
{
	if (set2 == 0x83)
		return 0x41;
	if (set2 == 0x84)
		return 0x54;
	return set2 < 0x80 ? to_set1[set2] : set2;
}

static uint8_t to_set2(uint8_t set1)
{
	if (set1 == 0x41)
		return 0x83;
	if (set1 == 0x54)
		return 0x84;
	for (uint8_t i = 1; i < 0x80; i++)
		if (to_set1[i] == set1)
			return i;
	return 0;
}

bool ps2_put(struct ps2_queue *q, uint8_t byte)
{
	if (q->count >= PS2_QUEUE)
		return false;
	q->data[(q->first + q->count) % PS2_QUEUE] = byte;
	q->count++;
	return true;
}

static uint8_t ps2_take(struct ps2_queue *q)
{
	uint8_t byte = q->data[q->first % PS2_QUEUE];

	q->first = (q->first + 1) % PS2_QUEUE;
	q->count--;
	return byte;
}

/* --- output buffer -------------------------------------------------------------------------------------------------- */

static void update_irqs(struct i8042 *c)
{
	bool full = c->status & S_FULL, aux = c->status & S_AUX;

	irq_set(&c->dev.irq, full && !aux && (c->command_byte & C_IRQ1));
	irq_set(&c->irq_aux, full && aux && (c->command_byte & C_IRQ12));
}

static void fill(struct i8042 *c, uint8_t byte, bool aux)
{
	c->out = byte;
	c->status |= S_FULL;
	c->status = aux ? c->status | S_AUX : c->status & ~S_AUX;
}

/* One byte from the keyboard. Translation swallows 0xf0 and turns it into bit 7 of the code that follows. */
static void fill_from_keyboard(struct i8042 *c)
{
	uint8_t byte = ps2_take(&c->kbd);

	if (!c->kbd.count)
		c->kbd_overrun = 0;
	if (!(c->command_byte & C_TRANSLATE)) {
		c->break_next = 0;
		fill(c, byte, false);
	} else if (byte == 0xf0) {
		c->break_next = 1;
	} else {
		fill(c, (uint8_t)(translate(byte) | (c->break_next ? 0x80 : 0)), false);
		c->break_next = 0;
	}
}

/* Hands the next byte to the output buffer when that is empty: the controller's answer first, then the keyboard. */
void i8042_refill(struct i8042 *c)
{
	while (!(c->status & S_FULL)) {
		if (c->has_reply) {
			c->has_reply = 0;
			fill(c, c->reply, c->reply_from_aux);
		} else if (c->kbd.count && !(c->command_byte & C_KBD_OFF)) {
			fill_from_keyboard(c);
		} else if (c->aux.count && !(c->command_byte & C_AUX_OFF)) {
			fill(c, ps2_take(&c->aux), true);
		} else {
			break;
		}
	}
	update_irqs(c);
}

static uint8_t read_data(struct i8042 *c)
{
	uint8_t byte = c->out;

	c->status &= ~(S_FULL | S_AUX);
	update_irqs(c);                    /* the line falls, so that the next byte makes an edge */
	i8042_refill(c);
	return byte;
}

static void reply(struct i8042 *c, uint8_t byte)
{
	c->reply = byte;
	c->has_reply = 1;
	c->reply_from_aux = 0;
}

/* --- keyboard ------------------------------------------------------------------------------------------------------- */

static void kbd_send(struct i8042 *c, uint8_t byte)
{
	c->kbd_last = byte;
	ps2_put(&c->kbd, byte);
}

static void kbd_defaults(struct i8042 *c)
{
	c->kbd_set = 2;
	c->kbd_typematic = 0x2b;           /* 500 ms, 10.9 a second */
	c->kbd_expects = 0;
}

static void kbd_argument(struct i8042 *c, uint8_t value)
{
	uint8_t command = c->kbd_expects;

	c->kbd_expects = 0;
	if (command == 0xf0 && value > 2) {
		device_log(&c->dev, LOG_UNIMPL, "keyboard scan code set %u", value);
		kbd_send(c, 0xfe);
		return;
	}
	kbd_send(c, 0xfa);
	if (command == 0xed)
		c->kbd_leds = value & 7;
	else if (command == 0xf3)
		c->kbd_typematic = value & 0x7f;
	else if (value == 0)               /* 0xf0 0: which set? */
		kbd_send(c, c->kbd_set);
	else
		c->kbd_set = value;
}

/* [I8042] "Keyboard Commands" */
static void kbd_command(struct i8042 *c, uint8_t value)
{
	if (value == 0xfe) {
		ps2_put(&c->kbd, c->kbd_last);
		return;
	}
	if (value == 0xee) {
		kbd_send(c, 0xee);
		return;
	}
	if (value < 0xed || value == 0xef || value == 0xf1 || (value >= 0xf7 && value <= 0xfd)) {
		kbd_send(c, 0xfe);
		return;
	}
	/* A command stops what was being sent; only a set-LEDs, set or rate command waits for an argument. */
	c->kbd.count = 0;
	c->kbd_overrun = 0;
	kbd_send(c, 0xfa);
	switch (value) {
	case 0xed:
	case 0xf0:
	case 0xf3:
		c->kbd_expects = value;
		break;
	case 0xf2:
		kbd_send(c, 0xab);
		kbd_send(c, 0x83);
		break;
	case 0xf4:
		c->kbd_scanning = 1;
		break;
	case 0xf5:
	case 0xf6:
		kbd_defaults(c);
		c->kbd_scanning = value == 0xf6;
		break;
	case 0xff:
		kbd_defaults(c);
		c->kbd_leds = 0;
		c->kbd_scanning = 1;
		kbd_send(c, 0xaa);
		break;
	}
}

static void kbd_write(struct i8042 *c, uint8_t value)
{
	c->command_byte &= ~C_KBD_OFF;     /* sending needs the clock line, so it switches the interface on */
	if (c->kbd_expects && value < 0xed)
		kbd_argument(c, value);
	else {
		c->kbd_expects = 0;
		kbd_command(c, value);
	}
}

bool i8042_can_key(const struct i8042 *c)
{
	return c->kbd.count + 8 <= PS2_QUEUE;      /* a sequence is at most 3 bytes; answers to commands need room too */
}

bool i8042_key(struct i8042 *c, uint32_t scancode)
{
	bool released = scancode & 0x80, extended = (scancode & 0xff00) == 0xe000;
	uint8_t key = scancode & 0x7f, set2 = to_set2(key);

	if (!c->kbd_scanning || !key || !set2)
		return false;
	if (!i8042_can_key(c)) {
		if (!c->kbd_overrun)
			kbd_send(c, c->kbd_set == 1 ? 0xff : 0x00);
		c->kbd_overrun = 1;
		i8042_refill(c);
		return false;
	}
	if (extended)
		kbd_send(c, 0xe0);
	if (c->kbd_set == 1) {
		kbd_send(c, (uint8_t)(key | (released ? 0x80 : 0)));
	} else {
		if (released)
			kbd_send(c, 0xf0);
		kbd_send(c, set2);
	}
	i8042_refill(c);
	return true;
}

/* --- controller ----------------------------------------------------------------------------------------------------- */

static void set_output_port(struct i8042 *c, uint8_t value)
{
	c->output_port = value & (P_RUN | P_A20);
	irq_set(&c->a20, !!(value & P_A20));
	if (!(value & P_RUN)) {
		c->output_port |= P_RUN;
		irq_set(&c->reset, 1);
		irq_set(&c->reset, 0);
	}
}

static uint8_t read_output_port(const struct i8042 *c)
{
	bool full = c->status & S_FULL, aux = c->status & S_AUX;

	return (uint8_t)(0xc0 | c->output_port | (full && !aux ? 0x10 : 0) | (full && aux ? 0x20 : 0));
}

static void set_command_byte(struct i8042 *c, uint8_t value)
{
	c->command_byte = value & 0x7f;
	c->status = value & C_SYSTEM ? c->status | S_SYSTEM : c->status & ~S_SYSTEM;
}

static void pulse(struct i8042 *c, uint8_t value)
{
	if (!(value & P_RUN)) {
		irq_set(&c->reset, 1);
		irq_set(&c->reset, 0);
	}
}

/* [I8042] "Keyboard Controller Commands" */
static void controller_command(struct i8042 *c, uint8_t value)
{
	c->status |= S_COMMAND;
	c->expects = 0;
	if (value >= 0x20 && value < 0x40) {
		reply(c, value == 0x20 ? c->command_byte : c->ram[value & 31]);
		return;
	}
	if ((value >= 0x60 && value < 0x80) || (value >= 0xd1 && value <= 0xd4)) {
		c->expects = value;
		return;
	}
	if (value >= 0xf0) {
		pulse(c, value);
		return;
	}
	switch (value) {
	case 0xa7: c->command_byte |= C_AUX_OFF; break;
	case 0xa8: c->command_byte &= ~C_AUX_OFF; break;
	case 0xa9: reply(c, 0x00); break;                                  /* mouse wires are fine */
	case 0xaa: set_command_byte(c, c->command_byte | C_SYSTEM); reply(c, 0x55); break;
	case 0xab: reply(c, 0x00); break;                                  /* keyboard wires are fine */
	case 0xad: c->command_byte |= C_KBD_OFF; break;
	case 0xae: c->command_byte &= ~C_KBD_OFF; break;
	case 0xc0: reply(c, 0xbf); break;                                  /* input port: not locked, colour display */
	case 0xd0: reply(c, read_output_port(c)); break;
	case 0xdd: set_output_port(c, c->output_port & ~P_A20); break;
	case 0xdf: set_output_port(c, c->output_port | P_A20); break;
	case 0xe0: reply(c, 0x00); break;
	default: device_log(&c->dev, LOG_UNIMPL, "controller command %#04x", value);
	}
}

static void write_data(struct i8042 *c, uint8_t value)
{
	uint8_t command = c->expects;

	c->expects = 0;
	c->status &= ~S_COMMAND;
	if (command == 0x60)
		set_command_byte(c, value);
	else if (command > 0x60 && command < 0x80)
		c->ram[command & 31] = value;
	else if (command == 0xd1)
		set_output_port(c, value);
	else if (command == 0xd2 || command == 0xd3) {
		reply(c, value);
		c->reply_from_aux = command == 0xd3;
	} else if (command == 0xd4) {
		c->command_byte &= ~C_AUX_OFF;
		ps2_mouse_write(c, value);
	} else
		kbd_write(c, value);
}

static uint8_t i8042_read(struct device *dev, uint16_t offset)
{
	struct i8042 *c = (struct i8042 *)dev;

	if (offset == 0)
		return read_data(c);
	return offset == 4 ? c->status | S_UNLOCKED : 0xff;
}

static void i8042_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct i8042 *c = (struct i8042 *)dev;

	if (offset == 0)
		write_data(c, value);
	else if (offset == 4)
		controller_command(c, value);
	else
		return;
	i8042_refill(c);
}

static uint32_t i8042_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, i8042_read);
}

static void i8042_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, i8042_write);
}

/* As firmware leaves it: translation and IRQ1 on, both interfaces on, self-test passed, A20 open. */
static void i8042_reset(struct device *dev)
{
	struct i8042 *c = (struct i8042 *)dev;

	*c = (struct i8042){ .dev = c->dev, .irq_aux = c->irq_aux, .a20 = c->a20, .reset = c->reset,
		.status = S_SYSTEM, .command_byte = C_TRANSLATE | C_SYSTEM | C_IRQ1, .output_port = P_RUN | P_A20,
		.kbd_scanning = 1 };
	kbd_defaults(c);
	ps2_mouse_defaults(c);
	irq_set(&c->a20, 1);
	update_irqs(c);
}

static void queue_restored(struct ps2_queue *q)
{
	q->first %= PS2_QUEUE;
	if (q->count > PS2_QUEUE)
		q->count = PS2_QUEUE;
}

static void i8042_restored(struct device *dev)
{
	struct i8042 *c = (struct i8042 *)dev;

	queue_restored(&c->kbd);
	queue_restored(&c->aux);
	c->status &= S_FULL | S_SYSTEM | S_COMMAND | S_AUX;
	if (c->kbd_set != 1)
		c->kbd_set = 2;
	irq_set(&c->a20, !!(c->output_port & P_A20));
	update_irqs(c);
}

#define R(field, help) REG(struct i8042, field, help)
static const struct reg_desc i8042_regs[] = {
	R(status, "status bits 0, 2, 3 and 5"), R(command_byte, "controller command byte"), R(output_port, "reset and A20"),
	R(out, "output buffer"), R(expects, "controller command that waits for data"), R(reply, "answer waiting"),
	R(has_reply, "an answer waits"), R(reply_from_aux, "it poses as the mouse's"),
	REG_ARRAY(struct i8042, ram, "controller memory"),
	REG_ARRAY(struct i8042, kbd.data, "keyboard buffer"), R(kbd.first, "its first byte"), R(kbd.count, "its bytes"),
	R(kbd_expects, "keyboard command that waits for an argument"), R(kbd_last, "byte last sent"),
	R(kbd_scanning, "scanning is on"), R(kbd_set, "scan code set"), R(kbd_leds, "scroll, num and caps lock"),
	R(kbd_typematic, "delay and rate"), R(kbd_overrun, "a key was lost"), R(break_next, "translation saw 0xf0"),
	REG_ARRAY(struct i8042, aux.data, "mouse buffer"), R(aux.first, "its first byte"), R(aux.count, "its bytes"),
	R(aux_expects, "mouse command that waits for an argument"), R(aux_reporting, "reports are on"),
	R(aux_remote, "remote mode"), R(aux_wrap, "wrap mode"), R(aux_scaling, "scaling 2:1"), R(aux_rate, "samples a second"),
	R(aux_resolution, "resolution"), R(aux_buttons, "buttons down"), R(aux_dx, "motion right"), R(aux_dy, "motion up"),
	{0} };

static const struct device_ops i8042_ops = { .name = "i8042", .state_version = 1, .regs = i8042_regs, .reset = i8042_reset,
	.io_read = i8042_io_read, .io_write = i8042_io_write, .restored = i8042_restored };

void i8042_init(struct i8042 *c)
{
	*c = (struct i8042){ .dev.ops = &i8042_ops };
	i8042_reset(&c->dev);
}
