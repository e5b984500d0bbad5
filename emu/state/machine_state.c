/* emu/state/machine_state.c: see machine_state.h.
 *
 *   "machine\n" | u32 format | u64 size of everything | records
 *   record: u8 length of name | name | u32 bytes of an element | u32 elements | the elements
 *
 * Records are the fields of machine_fields.h; then timer.DEVICE.NAME, the deadline of each armed timer in the order of the clock's list;
 * then the columns of the TLB. Numbers are little-endian, as on every host this builds for.
 */
#include "emu/state/machine_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/little_endian.h"
#include "emu/state/machine_fields.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are stored as they lie in memory");

#define FORMAT 1u
static const char magic[8] = "machine\n";
#define HEADER (sizeof(magic) + 4 + 8)
#define TIMERS_MAX 64

/* --- writing --------------------------------------------------------------------------------------------------------- */

/* Room for size more bytes at the end, or NULL. */
static uint8_t *extend(struct bytes *out, size_t size)
{
	if (out->capacity - out->size < size) {
		size_t capacity = 2 * out->capacity + size + 4096;
		uint8_t *grown = realloc(out->data, capacity);
		if (!grown)
			return NULL;
		out->data = grown;
		out->capacity = capacity;
	}
	out->size += size;
	return out->data + out->size - size;
}

/* Elements lie stride bytes from each other. */
static int put_record(struct bytes *out, const char *name, const uint8_t *data, uint32_t size, uint32_t count, size_t stride)
{
	uint8_t length = (uint8_t)strlen(name);
	uint8_t *p = extend(out, 1 + length + 8 + (size_t)size * count);

	if (!p)
		return -ENOMEM;
	*p++ = length;
	memcpy(p, name, length);
	memcpy(p + length, &size, 4);
	memcpy(p + length + 4, &count, 4);
	p += length + 8;
	if (stride == size) {
		if (count)
			memcpy(p, data, (size_t)size * count);
		return 0;
	}
	for (uint32_t i = 0; i < count; i++)
		memcpy(p + (size_t)i * size, data + i * stride, size);
	return 0;
}

static int put_fields(struct bytes *out, struct machine *m)
{
	struct machine_fields f;
	int r = machine_fields_collect(&f, m);

	for (unsigned i = 0; !r && i < f.count; i++)
		r = put_record(out, f.field[i].name, f.field[i].data, f.field[i].size, f.field[i].count, f.field[i].stride);
	machine_fields_free(&f);
	return r;
}

/* False for a timer that is none of a device's. */
static bool timer_label(const struct machine *m, const struct timer *t, char *buf, size_t size)
{
	char device[FIELD_NAME];

	for (unsigned i = 0; i < m->devices; i++) {
		if (t->owner != m->device[i])
			continue;
		machine_device_label(m, i, device, sizeof(device));
		snprintf(buf, size, "timer.%s.%s", device, t->name);
		return true;
	}
	return false;
}

static int put_timers(struct bytes *out, const struct machine *m)
{
	char label[2 * FIELD_NAME + 8];
	int r = 0;

	for (const struct timer *t = m->clock.first; t && !r; t = t->next)
		if (timer_label(m, t, label, sizeof(label)))
			r = put_record(out, label, (const uint8_t *)&t->deadline, sizeof(t->deadline), 1, sizeof(t->deadline));
	return r;
}

/* The columns of the TLB, as they lie in an array of entries. */
static const struct tlb_column { const char *name; size_t offset; uint32_t size; } tlb_columns[] = {
#define COLUMN(member) { "tlb." #member, offsetof(struct tlb_entry, member), sizeof(((struct tlb_entry *)0)->member) }
	COLUMN(frame), COLUMN(vpn), COLUMN(flags), COLUMN(leaf), COLUMN(used),
#undef COLUMN
};
#define TLB_COLUMNS (sizeof(tlb_columns) / sizeof(tlb_columns[0]))

static int put_tlb(struct bytes *out, const struct mmu *mmu)
{
	size_t count = mmu_tlb_count(mmu);
	struct tlb_entry *entries = calloc(count + 1, sizeof(*entries));
	uint64_t lru = 0;

	if (!entries)
		return -ENOMEM;
	mmu_tlb_save(mmu, entries, &lru);
	int r = put_record(out, "tlb.lru", (const uint8_t *)&lru, sizeof(lru), 1, sizeof(lru));
	for (size_t i = 0; i < TLB_COLUMNS && !r; i++)
		r = put_record(out, tlb_columns[i].name, (const uint8_t *)entries + tlb_columns[i].offset, tlb_columns[i].size,
			(uint32_t)count, sizeof(*entries));
	free(entries);
	return r;
}

int machine_state_save(struct machine *m, struct bytes *out)
{
	size_t start = out->size;
	uint32_t format = FORMAT;

	if (!extend(out, HEADER))
		return -ENOMEM;
	int r = put_fields(out, m);
	if (!r)
		r = put_timers(out, m);
	if (!r)
		r = put_tlb(out, &m->mmu);
	if (r) {
		out->size = start;
		return r;
	}
	uint64_t size = out->size - start;
	memcpy(out->data + start, magic, sizeof(magic));
	memcpy(out->data + start + sizeof(magic), &format, 4);
	memcpy(out->data + start + sizeof(magic) + 4, &size, 8);
	return 0;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

struct record { char name[256]; const uint8_t *data; uint32_t size, count; };
struct reader { const uint8_t *at, *end; };

/* 1: a record, 0: the end, -1: what is there is no record. */
static int next_record(struct reader *r, struct record *record)
{
	size_t left = (size_t)(r->end - r->at);

	if (!left)
		return 0;
	uint8_t length = *r->at;
	if (left < 1 + (size_t)length + 8)
		return -1;
	for (unsigned i = 0; i < length; i++)
		if (r->at[1 + i] < ' ' || r->at[1 + i] > '~')
			return -1;                     /* names are shown to people */
	memcpy(record->name, r->at + 1, length);
	record->name[length] = 0;
	memcpy(&record->size, r->at + 1 + length, 4);
	memcpy(&record->count, r->at + 1 + length + 4, 4);
	record->data = r->at + 1 + length + 8;
	left -= 1 + (size_t)length + 8;
	if (!record->size || (uint64_t)record->size * record->count > left)
		return -1;
	r->at = record->data + (size_t)record->size * record->count;
	return 1;
}

static int fail(char *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(char *err, const char *fmt, ...)
{
	char reason[ERROR_LINE - 64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	snprintf(err, ERROR_LINE, "the machine's state cannot be loaded: %s", reason);
	return -1;
}

static int open_state(struct reader *r, const uint8_t *data, size_t size, char *err)
{
	uint32_t format;
	uint64_t whole;

	if (size < HEADER || memcmp(data, magic, sizeof(magic)))
		return fail(err, "it does not begin as one");
	memcpy(&format, data + sizeof(magic), 4);
	memcpy(&whole, data + sizeof(magic) + 4, 8);
	if (format != FORMAT)
		return fail(err, "its format is version %u, this program knows version %u", format, FORMAT);
	if (whole != size)
		return fail(err, "it has %zu bytes and should have %llu", size, (unsigned long long)whole);
	*r = (struct reader){ data + HEADER, data + size };
	return 0;
}

/* --- loading: first everything is checked, then everything is stored --- */

struct load {
	struct machine *m;
	struct machine_fields fields;
	const uint8_t **source;            /* of each field; NULL: not in the file */
	unsigned next;                     /* the field expected next */
	struct { char label[256]; uint64_t deadline; } timer[TIMERS_MAX];
	unsigned timers;
	const uint8_t *column[TLB_COLUMNS];
	uint32_t column_count[TLB_COLUMNS];
	struct tlb_entry *entries;
	uint32_t tlb_count;
	uint64_t lru;
};

/* The field of that name, or NULL. They come in the order they were saved in. */
static struct machine_field *find_field(struct load *l, const char *name, unsigned *index)
{
	struct machine_fields *f = &l->fields;

	for (unsigned i = 0; i < f->count; i++) {
		unsigned k = (l->next + i) % f->count;
		if (strcmp(f->field[k].name, name))
			continue;
		l->next = k + 1;
		*index = k;
		return &f->field[k];
	}
	return NULL;
}

static int check_field(struct load *l, const struct record *r, char *err)
{
	unsigned index;
	struct machine_field *d = find_field(l, r->name, &index);

	if (!d)
		return fail(err, "this program knows no '%.60s'", r->name);
	if (l->source[index])
		return fail(err, "'%s' is there twice", d->name);
	if (r->size != d->size || r->count != d->count)
		return fail(err, "'%s' is %u times %u bytes, not %u times %u", d->name, r->count, r->size, d->count, d->size);
	if (d->fixed && get_number(r->data, d->size) != get_number(d->data, d->size))
		return fail(err, "'%s' is %llu, this machine's is %llu", d->name, (unsigned long long)get_number(r->data, d->size),
			(unsigned long long)get_number(d->data, d->size));
	for (uint32_t i = 0; d->most != UINT64_MAX && i < d->count; i++)
		if (get_number(r->data + (size_t)i * d->size, d->size) > d->most)
			return fail(err, "'%s' is %llu and can be %llu at most", d->name,
				(unsigned long long)get_number(r->data + (size_t)i * d->size, d->size), (unsigned long long)d->most);
	l->source[index] = r->data;
	return 0;
}

static int check_timer(struct load *l, const struct record *r, char *err)
{
	if (r->size != 8 || r->count != 1 || l->timers == TIMERS_MAX)
		return fail(err, "'%.60s' is no deadline", r->name);
	memcpy(l->timer[l->timers].label, r->name, sizeof(r->name));
	l->timer[l->timers++].deadline = get_number(r->data, 8);
	return 0;
}

static int check_tlb_column(struct load *l, const struct record *r, char *err)
{
	if (!strcmp(r->name, "tlb.lru") && r->size == 8 && r->count == 1) {
		l->lru = get_number(r->data, 8);
		return 0;
	}
	for (size_t i = 0; i < TLB_COLUMNS; i++) {
		if (strcmp(tlb_columns[i].name, r->name))
			continue;
		if (r->size != tlb_columns[i].size || l->column[i])
			return fail(err, "'%s' is not what it should be", r->name);
		l->column[i] = r->data;
		l->column_count[i] = r->count;
		return 0;
	}
	return fail(err, "this program knows no '%.60s'", r->name);
}

static int check_records(struct load *l, struct reader *reader, char *err)
{
	struct record r;
	int more;

	while ((more = next_record(reader, &r)) > 0) {
		int bad;
		if (!strncmp(r.name, "timer.", 6))
			bad = check_timer(l, &r, err);
		else if (!strncmp(r.name, "tlb.", 4))
			bad = check_tlb_column(l, &r, err);
		else
			bad = check_field(l, &r, err);
		if (bad)
			return -1;
	}
	if (more < 0)
		return fail(err, "it is damaged after '%.60s'", r.name);
	for (unsigned i = 0; i < l->fields.count; i++)
		if (l->fields.field[i].fixed && !l->source[i])
			return fail(err, "'%s' is missing", l->fields.field[i].name);
	return 0;
}

/* The last check, made by loading: whatever goes on from here succeeds. */
static int check_tlb(struct load *l, char *err)
{
	l->tlb_count = l->column_count[0];
	for (size_t c = 0; c < TLB_COLUMNS; c++)
		if (l->column_count[c] != l->tlb_count)
			return fail(err, "'%s' is not as long as '%s'", tlb_columns[c].name, tlb_columns[0].name);
	if (l->tlb_count > 1u << 20)
		return fail(err, "its TLB has more entries than there are pages");
	if (!(l->entries = calloc((size_t)l->tlb_count + 1, sizeof(*l->entries))))
		return fail(err, "out of memory");
	for (size_t c = 0; c < TLB_COLUMNS; c++)
		for (uint32_t i = 0; i < l->tlb_count; i++)
			memcpy((uint8_t *)&l->entries[i] + tlb_columns[c].offset, l->column[c] + (size_t)i * tlb_columns[c].size, tlb_columns[c].size);
	int r = mmu_tlb_load(&l->m->mmu, l->entries, l->tlb_count, l->lru);
	return r ? fail(err, "%s", r == -EINVAL ? "its TLB holds what this machine's cannot" : "out of memory") : 0;
}

/* --- storing --- */

static void store_fields(struct load *l, bool late)
{
	for (unsigned i = 0; i < l->fields.count; i++) {
		const struct machine_field *d = &l->fields.field[i];
		if (!l->source[i] || d->fixed || d->late != late)
			continue;
		if (d->stride == d->size)
			memcpy(d->data, l->source[i], (size_t)d->size * d->count);
		for (uint32_t k = 0; d->stride != d->size && k < d->count; k++)
			memcpy(d->data + (size_t)k * d->stride, l->source[i] + (size_t)k * d->size, d->size);
	}
}

static bool any_missing(const struct load *l)
{
	for (unsigned i = 0; i < l->fields.count; i++)
		if (!l->source[i])
			return true;
	return false;
}

static struct timer *find_timer(struct machine *m, const char *wanted, uint64_t deadline)
{
	char label[2 * FIELD_NAME + 8];

	for (struct timer *t = m->clock.first; t; t = t->next)
		if (t->deadline == deadline && timer_label(m, t, label, sizeof(label)) && !strcmp(label, wanted))
			return t;
	return NULL;
}

/* The devices have armed their timers: gives them the order they had. Where the file's are others than those, it is one that no machine has
 * written, and the devices know better. */
static void order_timers(struct load *l)
{
	struct timer *order[TIMERS_MAX];

	for (unsigned i = 0; i < l->timers; i++)
		if (!(order[i] = find_timer(l->m, l->timer[i].label, l->timer[i].deadline)))
			return;
	clock_order(&l->m->clock, order, l->timers);
}

/* Only memory for checking the TLB once more can be missing here; the machine has then no TLB, and is not to be run. */
static int store(struct load *l, char *err)
{
	struct machine *m = l->m;

	if (any_missing(l))
		machine_fields_reset(m);
	store_fields(l, false);
	machine_fields_stored(&l->fields);
	order_timers(l);
	int r = mmu_tlb_load(&m->mmu, l->entries, l->tlb_count, l->lru);
	store_fields(l, true);
	cpu_forget_code(&m->cpu);
	m->cpu.attention = true;
	return r ? fail(err, "out of memory") : 0;
}

static int load(struct load *l, const uint8_t *data, size_t size, char *err)
{
	struct reader r;

	if (machine_fields_collect(&l->fields, l->m) || !(l->source = calloc(l->fields.count, sizeof(*l->source))))
		return fail(err, "out of memory");
	if (open_state(&r, data, size, err) || check_records(l, &r, err) || check_tlb(l, err))
		return -1;
	return store(l, err);
}

int machine_state_load(struct machine *m, const uint8_t *data, size_t size, char *err)
{
	struct load *l = calloc(1, sizeof(*l));

	if (!l)
		return fail(err, "out of memory");
	l->m = m;
	int r = load(l, data, size, err);
	free(l->entries);
	free(l->source);
	machine_fields_free(&l->fields);
	free(l);
	return r;
}

/* --- comparing ------------------------------------------------------------------------------------------------------- */

/* "pit.latch", or "cmos.cell[3]" where a field has many. */
static const char *name_difference(const struct record *a, const struct record *b, char *buf, size_t size)
{
	uint32_t i = 0;

	if (a->size != b->size || a->count != b->count || a->count == 1) {
		snprintf(buf, size, "%s", a->name);
		return buf;
	}
	while (!memcmp(a->data + (size_t)i * a->size, b->data + (size_t)i * a->size, a->size))
		i++;
	snprintf(buf, size, "%s[%u]", a->name, i);
	return buf;
}

const char *machine_state_compare(const struct bytes *a, const struct bytes *b, char *buf, size_t size)
{
	struct reader ra, rb;
	struct record x = { .name = "" }, y = { .name = "" };
	char err[ERROR_LINE];

	if (open_state(&ra, a->data, a->size, err) || open_state(&rb, b->data, b->size, err)) {
		snprintf(buf, size, "%s", err);
		return buf;
	}
	for (;;) {
		int more = next_record(&ra, &x), more_b = next_record(&rb, &y);
		if (more <= 0 && more_b <= 0)
			return NULL;
		if (more <= 0 || (more_b > 0 && strcmp(x.name, y.name))) {
			snprintf(buf, size, "%s", more > 0 ? x.name : y.name);
			return buf;
		}
		if (more_b <= 0 || x.size != y.size || x.count != y.count || memcmp(x.data, y.data, (size_t)x.size * x.count))
			return name_difference(&x, &y, buf, size);
	}
}
