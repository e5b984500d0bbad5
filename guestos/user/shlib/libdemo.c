/* shlib/libdemo.c: a shared library with one function a page, so that pages and functions can be told apart, and some data.
 *
 * Position independent: text finds data by its distance from itself. The addresses in words[] are what a loader has to put right. */
#include <libdemo.h>

#define OWN_PAGE __attribute__((aligned(4096), visibility("default")))

static uint32_t data[1024] __attribute__((aligned(4096))) = {0, 0x11b0de11};
static const char *const words[] = {"none", "one", "two", "three", "four", "many"};

OWN_PAGE uint32_t libdemo_count(void) { return ++data[0]; }

OWN_PAGE const char *libdemo_word(uint32_t n)
{
	return words[n < 5 ? n : 5];
}

OWN_PAGE uint32_t libdemo_checksum(const void *from, uint32_t n)
{
	const uint8_t *p = from;
	uint32_t a = 1, b = 0;

	for (; n; n--, p++) {
		a = (a + *p) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

OWN_PAGE uint32_t *libdemo_private(void) { return data; }
