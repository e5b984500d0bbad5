/* tests/silicon/layout.c: see layout.h. */
#include "layout.h"

const uint8_t sil_end[SIL_END_LEN] = { 0xea, SIL_PAD & 0xff, SIL_PAD >> 8 & 0xff, SIL_PAD >> 16 & 0xff, SIL_PAD >> 24, 0x33, 0 };

static const uint32_t address[SIL_PAGES] = { SIL_CODE, SIL_DATA, SIL_DATA + SIL_PAGE, SIL_DATA + 2 * SIL_PAGE, SIL_STACK };

unsigned sil_page_of(uint32_t at)
{
	unsigned page = 0;

	while (page < SIL_PAGES && at - address[page] >= SIL_PAGE)
		page++;
	return page;
}

uint32_t sil_page_address(unsigned page) { return address[page]; }

/* Recorded cases depend on this: it stays as it is. */
void sil_background(uint8_t *page, unsigned number)
{
	for (unsigned i = 0; i < SIL_PAGE; i++)
		page[i] = number == PAGE_CODE ? 0xcc : (uint8_t)((i + number) * 0x9e3779b1u >> 24);
}
