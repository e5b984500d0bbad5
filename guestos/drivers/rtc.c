/* guestos/drivers/rtc.c: the date from the MC146818, read once at boot; ticks count from there.
 *
 * References: [MC146818] "Time, Calendar, and Alarm Locations", "Register A" (update in progress), "Register B". */
#include "dev.h"
#include "x86.h"

static uint8_t cell(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static uint32_t field(uint8_t index, bool bcd)
{
	uint8_t v = cell(index);
	return bcd ? (v >> 4) * 10 + (v & 15) : v;
}

uint32_t rtc_read(void)
{
	static const uint16_t before_month[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	for (int i = 0; i < 10000 && (cell(0x0a) & 0x80); i++)
		;
	bool bcd = !(cell(0x0b) & 0x04);
	uint32_t s = field(0, bcd), m = field(2, bcd), h = field(4, bcd), d = field(7, bcd), mon = field(8, bcd), y = field(9, bcd);
	y += 2000;
	if (mon < 1 || mon > 12 || d < 1)
		return 0;
	uint32_t days = (y - 1970) * 365 + (y - 1969) / 4 + before_month[mon - 1] + d - 1;
	if (mon > 2 && y % 4 == 0)
		days++;
	return ((days * 24 + h) * 60 + m) * 60 + s;
}
