/* tests/emu/gdb_test.c: the remote protocol packet by packet, without gdb: framing, answers, and that no packet does harm. */
#include "emu/gdb/gdb.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emu/gdb/link.h"
#include "emu/gdb/packets.h"
#include "emu/symbols.h"

static char err[ERROR_LINE];

/* --- framing ---------------------------------------------------------------------------------------------------------- */

static struct gdb_link *lnk;
static int peer;

static void link_setup(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	lnk = calloc(1, sizeof(*lnk));
	*lnk = (struct gdb_link){ .listener = 1000, .in = pair[0], .out = pair[0] };
	peer = pair[1];
}

static void link_teardown(void)
{
	lnk->listener = -1;
	link_close(lnk);
	free(lnk);
	close(peer);
}

/* What the peer has been sent. */
static const char *sent(void)
{
	static char buf[65536];
	ssize_t n = recv(peer, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void feed(const char *bytes)
{
	ck_assert_uint_eq(link_feed(lnk, (const uint8_t *)bytes, strlen(bytes)), strlen(bytes));
}

START_TEST(a_packet_is_acknowledged_and_kept)
{
	feed("+$m0,4#fd");
	ck_assert(lnk->ready);
	ck_assert_str_eq(lnk->packet, "m0,4");
	ck_assert_str_eq(sent(), "+");
}
END_TEST

START_TEST(a_wrong_checksum_is_refused_and_the_packet_not_seen)
{
	feed("$m0,4#fe");
	ck_assert(!lnk->ready);
	ck_assert_str_eq(sent(), "-");
	feed("$m0,4#zz");
	ck_assert(!lnk->ready);
}
END_TEST

START_TEST(without_acknowledgements_nothing_is_sent_for_a_packet)
{
	lnk->no_ack = true;
	feed("$m0,4#fd");
	ck_assert(lnk->ready);
	ck_assert_str_eq(sent(), "");
}
END_TEST

START_TEST(an_escaped_byte_counts_as_it_was_sent)
{
	const char raw[] = "$X}\x03#d8";       /* } then 0x23 ^ 0x20 */

	feed(raw);
	ck_assert(lnk->ready);
	ck_assert_uint_eq(lnk->length, 2);
	ck_assert_int_eq(lnk->packet[1], '#');
}
END_TEST

START_TEST(what_is_sent_is_escaped_and_summed)
{
	link_send(lnk, "a#b", 3);
	ck_assert_str_eq(sent(), "$a}\x03" "b#43");
}
END_TEST

START_TEST(an_interrupt_is_one_byte_between_packets)
{
	feed("\x03");
	ck_assert(lnk->interrupted);
	lnk->interrupted = false;
	feed("$");
	feed("\x03");
	ck_assert(!lnk->interrupted);
}
END_TEST

START_TEST(a_packet_too_long_is_answered_by_an_error)
{
	char *big = malloc(2 * LINK_PACKET + 8);
	unsigned sum = 0;

	big[0] = '$';
	for (unsigned i = 1; i <= 2 * LINK_PACKET; i++)
		sum += (unsigned char)(big[i] = 'x');
	sprintf(big + 2 * LINK_PACKET + 1, "#%02x", sum & 0xff);
	feed(big);
	ck_assert(!lnk->ready);
	ck_assert_str_eq(sent(), "+$E22#a9");
	free(big);
	feed("$?#3f");
	ck_assert(lnk->ready);
}
END_TEST

START_TEST(a_port_in_use_is_said_so)
{
	struct gdb_link a, b;
	unsigned port, other;
	char where[32];

	ck_assert_msg(!link_open(&a, "0", &port, err), "%s", err);
	ck_assert_uint_ne(port, 0);
	snprintf(where, sizeof(where), "tcp::%u", port);
	ck_assert_int_eq(link_open(&b, where, &other, err), -1);
	ck_assert_ptr_nonnull(strstr(err, "is in use"));
	link_close(&a);
	ck_assert_int_eq(link_open(&b, "127.0.0.1:http", &other, err), -1);
	ck_assert_int_eq(link_open(&b, "", &other, err), -1);
}
END_TEST

/* --- packets ---------------------------------------------------------------------------------------------------------- */

static struct kernel kernel;
static struct debugger d;
static struct gdb *g;

static void setup(void)
{
	struct machine_config config = { .memory = 4u << 20, .kernel = &kernel };

	ck_assert_msg(!kernel_open(&kernel, GUEST_DIR "/modes.elf", err), "%s", err);
	struct machine *m = machine_create(&config, err);
	ck_assert_msg(m, "%s", err);
	struct history *h = history_create(m, HISTORY_DEFAULT_LIMIT, err);
	ck_assert_msg(h, "%s", err);
	ck_assert_msg(!debugger_init(&d, m, h, err), "%s", err);
	g = gdb_listen(&d, "0", err);
	ck_assert_msg(g, "%s", err);
}

static void teardown(void)
{
	struct machine *m = d.m;
	struct history *h = d.h;

	gdb_close(g);
	debugger_free(&d);
	history_free(h);
	machine_free(m);
	kernel_close(&kernel);
}

static const char *ask(const char *packet)
{
	const char *a = gdb_packet(g, packet, strlen(packet));

	return a ? a : "(none)";
}

static uint32_t eip(void)
{
	return d.m->cpu.seg[SEG_CS].base + d.m->cpu.eip;
}

/* A symbol of the guest, by its breakpoint: modes.elf exports few. */
static uint32_t symbol(const char *name)
{
	struct symbols s;
	uint32_t la = 0;

	symbols_load(&s, &kernel);
	ck_assert_int_eq(symbols_find(&s, name, &la), 0);
	symbols_free(&s);
	return la;
}

START_TEST(what_is_unknown_is_answered_by_nothing)
{
	ck_assert_str_eq(ask("vMustReplyEmpty"), "");
	ck_assert_str_eq(ask("qTStatus"), "");
	ck_assert_str_eq(ask("qCRCx"), "");
	ck_assert_str_eq(ask(""), "");
	ck_assert_str_eq(ask("jThreads"), "");
}
END_TEST

START_TEST(a_stop_begins_with_T05)
{
	ck_assert_str_eq(ask("?"), "T05thread:1;");
	ck_assert_ptr_nonnull(strstr(ask("qSupported:multiprocess+;swbreak+;hwbreak+"), "ReverseContinue+"));
	ck_assert_str_eq(ask("?"), "T05thread:p1.1;");
	ck_assert_str_eq(ask("s"), "T05thread:p1.1;");
	ck_assert_uint_eq(d.m->cpu.icount, 1);
}
END_TEST

START_TEST(a_breakpoint_hits_and_is_taken_away)
{
	char packet[64];
	uint32_t la = symbol("write_counter");

	ask("qSupported:swbreak+;hwbreak+");
	snprintf(packet, sizeof(packet), "Z0,%x,1", la);
	ck_assert_str_eq(ask(packet), "OK");
	ck_assert_str_eq(ask(packet), "OK");
	ck_assert_str_eq(ask("vCont;c"), "T05thread:1;swbreak:;");
	ck_assert_uint_eq(eip(), la);
	packet[0] = 'z';
	ck_assert_str_eq(ask(packet), "OK");
	ck_assert_ptr_null(d.breaks);
	ck_assert_str_eq(ask("Z5,0,1"), "E16");
	ck_assert_str_eq(ask("Z1,0"), "E16");
	ck_assert_str_eq(ask("Z1,100000000,1"), "E16");
}
END_TEST

START_TEST(a_watchpoint_names_its_address_and_goes_backwards)
{
	char packet[64], want[64];
	uint32_t counter = symbol("counter");

	snprintf(packet, sizeof(packet), "Z2,%x,4", counter);
	ck_assert_str_eq(ask(packet), "OK");
	snprintf(want, sizeof(want), "T05thread:1;watch:%x;", counter);
	ck_assert_str_eq(ask("c"), want);
	ck_assert_str_eq(ask("c"), want);
	uint64_t second = d.m->cpu.icount;
	ck_assert_str_eq(ask("bs"), "T05thread:1;");
	ck_assert_uint_eq(d.m->cpu.icount, second - 1);
	ck_assert_str_eq(ask("bc"), want);
	ck_assert_uint_lt(d.m->cpu.icount, second - 1);
	ck_assert_str_eq(ask("bc"), "T05thread:1;replaylog:begin;");
	ck_assert_uint_eq(d.m->cpu.icount, 0);
}
END_TEST

START_TEST(pc_is_linear_in_real_mode)
{
	char packet[64], pc[16];

	/* Whatever the code there is, step until CS.base is 0x7000. */
	for (unsigned i = 0; i < 200 && d.m->cpu.seg[SEG_CS].selector != 0x700; i++)
		ask("s");
	ck_assert_uint_eq(d.m->cpu.seg[SEG_CS].base, 0x7000);
	uint32_t linear = eip();
	snprintf(pc, sizeof(pc), "%02x%02x%02x%02x", linear & 0xff, linear >> 8 & 0xff, linear >> 16 & 0xff, linear >> 24);
	ck_assert_str_eq(ask("p8"), pc);
	snprintf(packet, sizeof(packet), "P8=%s", pc);
	ck_assert_str_eq(ask(packet), "OK");
	ck_assert_uint_eq(eip(), linear);
}
END_TEST

START_TEST(registers_can_be_written_and_read_back)
{
	ck_assert_str_eq(ask("P0=78563412"), "OK");
	ck_assert_uint_eq(d.m->cpu.r[R_EAX], 0x12345678);
	ck_assert_str_eq(ask("p0"), "78563412");
	ck_assert_str_eq(ask("P10=0000000000000080ff3f"), "OK");       /* st0 = 1.0 */
	ck_assert_str_eq(ask("p10"), "0000000000000080ff3f");
	ck_assert_str_eq(ask("P0=7856"), "E16");
	ck_assert_str_eq(ask("Pffff=00000000"), "E16");
	ck_assert_str_eq(ask("pffff"), "E16");
	char all[8192];
	snprintf(all, sizeof(all), "G%s", ask("g"));
	uint64_t before = machine_hash(d.m);
	ck_assert_str_eq(ask(all), "OK");
	ck_assert_uint_eq(machine_hash(d.m), before);
}
END_TEST

START_TEST(memory_is_read_written_and_searched)
{
	ck_assert_str_eq(ask("M5000,4:deadbeef"), "OK");
	ck_assert_str_eq(ask("m5000,4"), "deadbeef");
	ck_assert_int_eq(strcmp(gdb_packet(g, "X5004,2:\x01\x02", 10), "OK"), 0);
	ck_assert_str_eq(ask("m5004,2"), "0102");
	ck_assert_str_eq(ask("qSearch:memory:4000;4000;\xbe\xef\x01"), "1,5002");
	ck_assert_str_eq(ask("qSearch:memory:6000;1000;\xbe\xef\x01"), "0");
	ck_assert_str_eq(ask("Qqemu.PhyMemMode:1"), "OK");
	ck_assert_str_eq(ask("qqemu.PhyMemMode"), "1");
	ck_assert_str_eq(ask("m5000,2"), "dead");
	ck_assert_str_eq(ask("M5000,4:de"), "E16");
	ck_assert_str_eq(ask("m5000"), "E16");
	/* The CRC of "123456789" in this variant. */
	ck_assert_str_eq(ask("M5000,9:313233343536373839"), "OK");
	ck_assert_str_eq(ask("qCRC:5000,9"), "C376e6e7");
}
END_TEST

START_TEST(the_description_has_every_register_and_comes_in_pieces)
{
	char whole[65536] = "", packet[64];
	size_t n = 0;

	for (;;) {
		snprintf(packet, sizeof(packet), "qXfer:features:read:target.xml:%zx,3fb", n);
		const char *piece = ask(packet);
		ck_assert(piece[0] == 'm' || piece[0] == 'l');
		strcpy(whole + n, piece + 1);
		n += strlen(piece + 1);
		if (piece[0] == 'l')
			break;
	}
	for (const char *const *name = (const char *const[]){ "eax", "eip", "eflags", "gs", "st7", "fop", "xmm7", "mxcsr", "cr3", "dr7", "gdtr_base", "tr", NULL }; *name; name++) {
		snprintf(packet, sizeof(packet), "<reg name=\"%s\"", *name);
		ck_assert_msg(strstr(whole, packet) != NULL, "%s is missing", *name);
	}
	ck_assert_str_eq(ask("qXfer:features:read:target.xml:ffffff,10"), "l");
	ck_assert_str_eq(ask("qXfer:features:read:target.xml:0"), "E16");
	ck_assert_ptr_nonnull(strstr(ask("qXfer:threads:read::0,1000"), "<thread id="));
	ck_assert_ptr_nonnull(strstr(ask("qXfer:memory-map:read::0,1000"), "ram"));
}
END_TEST

START_TEST(range_steps_stay_inside_their_range)
{
	char packet[64];
	uint32_t la = eip();

	snprintf(packet, sizeof(packet), "vCont;r%x,%x:p1.1", la, la + 5);
	ck_assert_ptr_nonnull(strstr(ask(packet), "T05"));
	ck_assert_uint_ge(eip(), la + 5);
	ck_assert_str_eq(ask("vCont;r"), "E16");
	ck_assert_str_eq(ask("vCont;x"), "E16");
	ck_assert_str_eq(ask("vCont?"), "vCont;c;C;s;S;t;r");
}
END_TEST

/* Pieces of packets, cut and joined at random: the answer may be anything, the stub must live. */
START_TEST(no_packet_does_harm)
{
	static const char *const piece[] = { "m", "M", "X", "Z0,", "z4,", "0,4", "ffffffff", ",", ":", ";", "P", "p", "8=", "G", "g", "vCont;", "s", "r0,10",
		"qXfer:", "features:read:", "target.xml:", "qRcmd,", "696e666f", "qSearch:memory:", "qCRC:", "Qqemu.PhyMemMode:", "\x7f", "}", "#", "T", "H", "D" };
	char packet[256];
	unsigned seed = (unsigned)_i * 2654435761u + 1;

	for (unsigned i = 0; i < 400; i++) {
		packet[0] = '\0';
		for (unsigned n = 1 + seed % 7; n--;) {
			seed = seed * 1664525 + 1013904223;
			strcat(packet, piece[(seed >> 16) % (sizeof(piece) / sizeof(piece[0]))]);
		}
		gdb_packet(g, packet, strlen(packet));
	}
}
END_TEST

static Suite *gdb_suite(void)
{
	Suite *s = suite_create("gdb");
	TCase *framing = tcase_create("framing"), *packets = tcase_create("packets");

	tcase_add_checked_fixture(framing, link_setup, link_teardown);
	tcase_add_test(framing, a_packet_is_acknowledged_and_kept);
	tcase_add_test(framing, a_wrong_checksum_is_refused_and_the_packet_not_seen);
	tcase_add_test(framing, without_acknowledgements_nothing_is_sent_for_a_packet);
	tcase_add_test(framing, an_escaped_byte_counts_as_it_was_sent);
	tcase_add_test(framing, what_is_sent_is_escaped_and_summed);
	tcase_add_test(framing, an_interrupt_is_one_byte_between_packets);
	tcase_add_test(framing, a_packet_too_long_is_answered_by_an_error);
	tcase_add_test(framing, a_port_in_use_is_said_so);
	suite_add_tcase(s, framing);
	tcase_add_checked_fixture(packets, setup, teardown);
	tcase_set_timeout(packets, 60);
	tcase_add_test(packets, what_is_unknown_is_answered_by_nothing);
	tcase_add_test(packets, a_stop_begins_with_T05);
	tcase_add_test(packets, a_breakpoint_hits_and_is_taken_away);
	tcase_add_test(packets, a_watchpoint_names_its_address_and_goes_backwards);
	tcase_add_test(packets, pc_is_linear_in_real_mode);
	tcase_add_test(packets, registers_can_be_written_and_read_back);
	tcase_add_test(packets, memory_is_read_written_and_searched);
	tcase_add_test(packets, the_description_has_every_register_and_comes_in_pieces);
	tcase_add_test(packets, range_steps_stay_inside_their_range);
	tcase_add_loop_test(packets, no_packet_does_harm, 0, 20);
	suite_add_tcase(s, packets);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(gdb_suite());

	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
