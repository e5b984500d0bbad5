/* emu/gdb/packets_memory.c: packets that read, write and search memory: linear, or physical in Qqemu.PhyMemMode. */
#define _GNU_SOURCE
#include "emu/gdb/packets.h"

#include <errno.h>
#include <string.h>

static size_t read_memory(struct gdb *g, uint64_t address, void *buf, size_t size)
{
	if (address > UINT32_MAX)
		return 0;
	return g->physical ? debugger_read_physical(g->d, address, buf, size) : debugger_read_linear(g->d, (uint32_t)address, buf, size);
}

static bool take_range(char **args, char end, uint64_t *address, uint64_t *size)
{
	return take_hex(args, address) && take_char(args, ',') && take_hex(args, size) && take_char(args, end);
}

static void packet_m(struct gdb *g, char *args, char *end)
{
	uint8_t bytes[GDB_CHUNK];
	uint64_t address, size;

	(void)end;
	if (!take_range(&args, '\0', &address, &size)) {
		answer_error(g, EINVAL);
		return;
	}
	size_t n = read_memory(g, address, bytes, size < sizeof(bytes) ? size : sizeof(bytes));
	if (n || !size)
		answer_hex(g, bytes, n);
	else
		answer_error(g, EFAULT);
}

static void write_memory(struct gdb *g, uint64_t address, const uint8_t *bytes, size_t size)
{
	char err[ERROR_LINE];

	if (address > UINT32_MAX || (size && debugger_write_memory(g->d, g->physical, address, bytes, size, err)))
		answer_error(g, EFAULT);
	else
		answer_ok(g);
}

static void packet_M(struct gdb *g, char *args, char *end)
{
	uint8_t bytes[LINK_PACKET / 2];
	uint64_t address, size;

	(void)end;
	if (!take_range(&args, ':', &address, &size) || size > sizeof(bytes) || take_bytes(&args, bytes, size) != size)
		answer_error(g, EINVAL);
	else
		write_memory(g, address, bytes, size);
}

static void packet_X(struct gdb *g, char *args, char *end)
{
	uint64_t address, size;

	if (!take_range(&args, ':', &address, &size) || size != (size_t)(end - args))
		answer_error(g, EINVAL);
	else
		write_memory(g, address, (const uint8_t *)args, size);
}

/* --- searching -------------------------------------------------------------------------------------------------------- */

#define SEARCH_STEP 4096u

/* The first place of the pattern that begins in [address, address + size). Memory that is not there ends the search, as it does in gdb. */
static bool search(struct gdb *g, uint64_t address, uint64_t size, const uint8_t *pattern, size_t length, uint64_t *found)
{
	uint8_t window[SEARCH_STEP + LINK_PACKET];

	for (uint64_t at = 0; at < size; at += SEARCH_STEP) {
		uint64_t starts = size - at < SEARCH_STEP ? size - at : SEARCH_STEP;
		size_t n = read_memory(g, address + at, window, (size_t)starts + length - 1);
		const uint8_t *hit = n >= length ? memmem(window, n, pattern, length) : NULL;
		if (hit) {
			*found = address + at + (uint64_t)(hit - window);
			return true;
		}
		if (n < starts || peer_asks(g))
			return false;
	}
	return false;
}

static void packet_search(struct gdb *g, char *args, char *end)
{
	uint64_t address, size, found;

	if (!take_hex(&args, &address) || !take_char(&args, ';') || !take_hex(&args, &size) || !take_char(&args, ';') || args == end || address > UINT32_MAX) {
		answer_error(g, EINVAL);
		return;
	}
	if (size > (1ull << 32) - address)
		size = (1ull << 32) - address;
	if (search(g, address, size, (const uint8_t *)args, (size_t)(end - args), &found))
		answer(g, "1,%llx", (unsigned long long)found);
	else
		answer(g, "0");
}

/* --- qCRC ------------------------------------------------------------------------------------------------------------- */

/* Polynomial 0x04c11db7, most significant bit first, starting with all ones, not inverted at the end. */
static uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
	crc ^= (uint32_t)byte << 24;
	for (unsigned i = 0; i < 8; i++)
		crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7 : 0);
	return crc;
}

static void packet_crc(struct gdb *g, char *args, char *end)
{
	uint8_t bytes[SEARCH_STEP];
	uint64_t address, size;
	uint32_t crc = 0xffffffff;

	(void)end;
	if (!take_range(&args, '\0', &address, &size)) {
		answer_error(g, EINVAL);
		return;
	}
	while (size) {
		size_t want = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);
		if (read_memory(g, address, bytes, want) != want || peer_asks(g)) {
			answer_error(g, EFAULT);
			return;
		}
		for (size_t i = 0; i < want; i++)
			crc = crc_byte(crc, bytes[i]);
		address += want;
		size -= want;
	}
	answer(g, "C%x", crc);
}

static void packet_physical(struct gdb *g, char *args, char *end)
{
	(void)end;
	g->physical = *args == '1';
	answer_ok(g);
}

static void packet_physical_query(struct gdb *g, char *args, char *end)
{
	(void)args, (void)end;
	answer(g, "%d", g->physical);
}

const struct packet memory_packets[] = {
	{ "m", packet_m }, { "M", packet_M }, { "X", packet_X }, { "qSearch:memory:", packet_search }, { "qCRC:", packet_crc },
	{ "Qqemu.PhyMemMode:", packet_physical }, { "qqemu.PhyMemMode", packet_physical_query }, { 0 },
};
