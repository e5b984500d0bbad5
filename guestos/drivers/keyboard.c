/* guestos/drivers/keyboard.c: PC keyboard, scan code set 1 as the 8042 translates it, US layout.
 *
 * References: [I8042] "Output buffer", "Scan code set 1". */
#include "dev.h"
#include "proc.h"

#define DATA 0x60
#define STATUS 0x64

static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static bool shift, control, caps, extended;

static void send(const char *s)
{
	while (*s)
		tty_input(*s++);
}

static void extended_key(uint8_t code)
{
	switch (code) {
	case 0x1d: control = true; break;
	case 0x48: send("\033[A"); break;
	case 0x50: send("\033[B"); break;
	case 0x4d: send("\033[C"); break;
	case 0x4b: send("\033[D"); break;
	case 0x47: send("\033[H"); break;
	case 0x4f: send("\033[F"); break;
	case 0x53: send("\033[3~"); break;
	case 0x1c: tty_input('\r'); break;
	}
}

static void key(uint8_t code)
{
	bool release = code & 0x80, ext = extended;
	code &= 0x7f;
	extended = false;
	if (code == 0x2a || code == 0x36) {
		if (!ext)
			shift = !release;
	} else if (code == 0x1d) {
		control = !release;
	} else if (release) {
		return;
	} else if (ext) {
		extended_key(code);
	} else if (code == 0x3a) {
		caps = !caps;
	} else if (code < sizeof plain - 1) {
		char c = (shift ? shifted : plain)[code];
		bool letter = (plain[code] >= 'a' && plain[code] <= 'z');
		if (letter && caps)
			c ^= 0x20;
		if (control && (letter || plain[code] == '\\'))
			c &= 0x1f;
		if (c == '\n')
			c = '\r';
		if (c == '\b')
			c = 0x7f;
		if (c)
			tty_input(c);
	}
}

static void keyboard_interrupt(void)
{
	while (inb(STATUS) & 1) {
		uint8_t code = inb(DATA);
		if (code == 0xe0)
			extended = true;
		else
			key(code);
	}
}

void keyboard_init(void)
{
	for (int i = 0; i < 32 && (inb(STATUS) & 1); i++)
		inb(DATA);
	irq_register(1, keyboard_interrupt);
	pic_unmask(1);
}
