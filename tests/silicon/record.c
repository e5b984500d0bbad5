/* tests/silicon/record.c: silicon-record FILE: asks this computer's processor about every instruction form and writes the answers.
 *
 * For each row of insn_table[] random cases are tried; of those that are alike (operand kind and sizes, prefixes, how they end) the
 * first few are kept. Before a case is recorded, whatever plays no part in it is made plain, which keeps the file small and
 * a failing vector readable.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/insn.h"
#include "../cpu/forms.h"
#include "generate.h"
#include "native.h"
#include "undefined.h"
#include "vectors.h"

#define SEED     1
#define TRIES    2000              /* for each row */
#define ALIKE    5                 /* kept of those that end well, and of those that fault: one */
#define CHANGES  1024

/* --- making a case plain -------------------------------------------------------------------------------------------------- */

/* The emulator's memory against what the case began with. */
struct changes {
	unsigned count;
	struct { uint32_t at; uint8_t value; } byte[CHANGES];
};

static void collect(const struct sil_bench *b, const struct sil_case *c, struct changes *to)
{
	static uint8_t before[SIL_PAGES][SIL_PAGE];

	memcpy(before, b->background, sizeof(before));
	for (unsigned i = 0; i < c->patches; i++)
		memcpy(before[sil_page_of(c->patch[i].at)] + (c->patch[i].at & 0xfff), c->patch[i].byte, c->patch[i].len);
	to->count = 0;
	for (unsigned page = PAGE_DATA0; page < SIL_PAGES; page++) {
		if (!memcmp(before[page], b->emulator.page[page], SIL_PAGE))
			continue;
		for (unsigned at = 0; at < SIL_PAGE && to->count < CHANGES; at++)
			if (before[page][at] != b->emulator.page[page][at]) {
				to->byte[to->count].at = sil_page_address(page) + at;
				to->byte[to->count++].value = b->emulator.page[page][at];
			}
	}
}

static void run_ours(struct sil_bench *b, const struct sil_case *c, struct sil_result *result, struct changes *changes)
{
	sil_prepare(b, c);
	sil_run_ours(b, c);
	collect(b, c, changes);
	*result = b->ours;
	b->host = b->ours;
	sil_judge(b, c);                       /* for the background */
}

/* Whether the case goes the same way with this field plain. */
static bool plays_no_part(struct sil_bench *b, const struct sil_case *c, const struct sil_case *plainer, size_t offset, size_t size)
{
	static struct changes before, after;
	struct sil_result one, other;
	char *want;

	run_ours(b, c, &one, &before);
	run_ours(b, plainer, &other, &after);
	if (before.count != after.count || before.count == CHANGES || memcmp(before.byte, after.byte, before.count * sizeof(before.byte[0])))
		return false;
	want = (char *)&one.state + offset;
	if (size && !memcmp(want, (const char *)&c->in + offset, size))
		memcpy(want, (const char *)&plainer->in + offset, size);
	return !memcmp(&one.state, &other.state, sizeof(one.state)) && one.vector == other.vector && one.error == other.error && one.cr2 == other.cr2;
}

static void plain_field(struct sil_bench *b, struct sil_case *c, size_t offset, size_t size)
{
	struct sil_case s = *c;
	struct sil_state plain;

	sil_plain_state(&plain);
	if (!memcmp((char *)&s.in + offset, (char *)&plain + offset, size))
		return;
	memcpy((char *)&s.in + offset, (char *)&plain + offset, size);
	if (!(s.in.fpu.status & ~s.in.fpu.control & 0x3f) != !(s.in.fpu.status & 0x80))
		return;                        /* ES follows from the rest: not a state that exists */
	if (plays_no_part(b, c, &s, offset, size))
		*c = s;
}

static void make_plain(struct sil_bench *b, struct sil_case *c)
{
#define PLAIN(member) plain_field(b, c, offsetof(struct sil_state, member), sizeof(c->in.member))
	for (unsigned i = 0; i < 8; i++) {
		PLAIN(r[i]);
		PLAIN(fpu.st[i]);
		PLAIN(fpu.xmm[i]);
	}
	PLAIN(eflags);
	PLAIN(fpu.status);
	PLAIN(fpu.control);
	PLAIN(fpu.valid);
	PLAIN(fpu.mxcsr);
#undef PLAIN
	for (unsigned i = c->patches; i--; ) {
		struct sil_case s = *c;
		s.patch[i] = s.patch[--s.patches];
		if (plays_no_part(b, c, &s, 0, 0)) {
			*c = s;
			continue;
		}
		for (s = *c; s.patch[i].len > 1; *c = s) {
			s.patch[i].len /= 2;
			if (!plays_no_part(b, c, &s, 0, 0))
				break;
		}
	}
}

/* --- choosing ------------------------------------------------------------------------------------------------------------- */

/* What makes two cases of a row alike. */
static unsigned shape(const struct sil_bench *b, const struct sil_case *c)
{
	struct insn in;

	if (c->insns > 1)
		return 0;
	if (!sil_insn(c, 0, &in))
		return 1;
	return 2 + (in.mod == 3) + 2 * (in.opsize == 2) + 4 * (in.addrsize == 2) + 65536u * !sil_code32(&c->in) + 8u * in.rep + 32 * in.lock + 64 * ((unsigned)b->host.vector + 1);
}

struct shapes { unsigned shape[TRIES], count[TRIES], used; };

/* Instructions without operands to choose, like DAA, differ in their values only. */
static unsigned alike(const struct insn_row *row)
{
	return !row_has_modrm(row) && row->flags_out ? 10 * ALIKE : ALIKE;
}

static bool wanted(struct shapes *s, const struct insn_row *row, unsigned shape, bool fault)
{
	unsigned i = 0;

	while (i < s->used && s->shape[i] != shape)
		i++;
	if (i == s->used) {
		s->shape[i] = shape;
		s->count[i] = 0;
		s->used++;
	}
	return s->count[i]++ < (fault ? 1 : alike(row));
}

static unsigned record_row(struct sil_bench *b, unsigned row, struct sil_buffer *to)
{
	struct sil_choice choice = { .row = { (uint16_t)row }, .rows = 1 };
	static struct sil_case c;
	struct shapes shapes = { .used = 0 };
	unsigned kept = 0, different = 0;

	for (unsigned k = 0; k < TRIES; k++) {
		sil_generate(&choice, SEED, (uint64_t)row << 32 | k, &c);
		if (c.in.eflags & F_TF)
			continue;
		c.single = false;
		different += !sil_compare(b, &c);
		if (b->excluded || !wanted(&shapes, &insn_table[row], shape(b, &c), b->host.vector >= 0))
			continue;
		make_plain(b, &c);
		sil_prepare(b, &c);
		native_run(&c.in, &b->host);
		sil_encode(to, b, &c);
		sil_run_ours(b, &c);
		sil_judge(b, &c);
		kept++;
	}
	if (different)
		fprintf(stderr, "%s: the emulator differs in %u cases of %u\n", insn_table[row].name, different, TRIES);
	return kept;
}

int main(int argc, char **argv)
{
	static struct sil_bench b;
	static struct sil_choice all;
	struct sil_buffer v = { 0 };
	const char *why;
	char name[96], line[128];
	unsigned total = 0;

	if (argc != 2) {
		fputs("usage: silicon-record FILE\n", stderr);
		return 2;
	}
	if (!native_open(&why)) {
		fprintf(stderr, "cannot record: %s\n", why);
		return 1;
	}
	/* Minutes of work follow, which must not end in a name that cannot be written. */
	if (!sil_may_write(argv[1]))
		return 1;
	native_name(name, sizeof(name));
	snprintf(line, sizeof(line), "silicon 1 %s\n", name);
	sil_append(&v, line, strlen(line));
	sil_bench_open(&b, native_page);
	sil_choose(&all, NULL);
	for (unsigned i = 0; i < all.rows; i++)
		total += record_row(&b, all.row[i], &v);
	printf("%u vectors of %u rows, %zu bytes unpacked\n", total, all.rows, v.size);
	return !sil_write_file(argv[1], &v);
}
