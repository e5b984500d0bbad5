/* emu/debug/guest/guest_type.c: see guest_type.h. */
#include "emu/debug/guest/guest_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096u
#define NAMES_MAX 4000000u
#define TYPES_MAX 200000u              /* in use: those that descriptions name */
#define FIELDS_MAX 10000u
#define PEEL_MAX 64                    /* typedef of const of typedef ... */
#define NEST_MAX 16                    /* anonymous struct in anonymous union ... */
#define DIMENSIONS_MAX 8

enum name_kind { NAME_TAG, NAME_TYPE, NAME_VARIABLE, NAME_CONSTANT };
struct type_name { const char *name; enum name_kind kind; bool declared; Dwarf_Off die; };

static struct ctype *make(struct types *t, enum ctype_kind kind, uint32_t size)
{
	struct ctype *c = t->count < TYPES_MAX ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	t->count++;
	c->kind = kind;
	c->size = size;
	c->next = t->all;
	t->all = c;
	return c;
}

void types_free(struct types *t)
{
	for (struct ctype *c = t->all, *next; c; c = next) {
		next = c->next;
		if (c->own_name)                   /* a description's: its fields' names are copies too */
			for (size_t i = 0; i < c->fields; i++)
				free((char *)c->field[i].name);
		free(c->own_name);
		free(c->field);
		free(c->value);
		free(c);
	}
	free(t->slot);
	free(t->name);
	*t = (struct types){ 0 };
}

/* --- the index of names --------------------------------------------------------------------------------------------- */

static void add_name(struct types *t, Dwarf_Die *die, enum name_kind kind)
{
	const char *name = dwarf_diename(die);

	if (t->names == t->room) {
		size_t room = t->room ? 2 * t->room : 4096;
		struct type_name *more = room <= NAMES_MAX ? realloc(t->name, room * sizeof(*more)) : NULL;
		if (!more)
			return;
		t->name = more;
		t->room = room;
	}
	if (name)
		t->name[t->names++] = (struct type_name){ name, kind, dwarf_hasattr(die, DW_AT_declaration), dwarf_dieoffset(die) };
}

static void add_constants(struct types *t, Dwarf_Die *type)
{
	Dwarf_Die die;

	if (dwarf_child(type, &die) == 0)
		do
			if (dwarf_tag(&die) == DW_TAG_enumerator)
				add_name(t, &die, NAME_CONSTANT);
		while (dwarf_siblingof(&die, &die) == 0);
}

static void index_die(struct types *t, Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_enumeration_type:
		add_constants(t, die);
		/* fall through */
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		add_name(t, die, NAME_TAG);
		break;
	case DW_TAG_typedef:
	case DW_TAG_base_type:
		add_name(t, die, NAME_TYPE);
		break;
	case DW_TAG_variable:
		if (dwarf_hasattr(die, DW_AT_location))
			add_name(t, die, NAME_VARIABLE);
		break;
	}
}

/* Definitions before declarations, so that the first of a name is the best. */
static int by_name(const void *a, const void *b)
{
	const struct type_name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->declared != y->declared)
		return x->declared ? 1 : -1;
	return x->die < y->die ? -1 : x->die > y->die;
}

static void build_index(struct types *t)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die top, die;

	t->indexed = true;
	while (t->dwarf && dwarf_get_units(t->dwarf, unit, &unit, NULL, NULL, &top, NULL) == 0)
		if (dwarf_child(&top, &die) == 0)
			do
				index_die(t, &die);
			while (dwarf_siblingof(&die, &die) == 0);
	if (t->names)
		qsort(t->name, t->names, sizeof(*t->name), by_name);
}

static bool find_die(struct types *t, const char *name, enum name_kind kind, Dwarf_Die *die)
{
	size_t low = 0, high;

	if (!t->indexed)
		build_index(t);
	high = t->names;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(t->name[middle].name, name);
		if (order < 0 || (!order && t->name[middle].kind < kind))
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->names && !strcmp(t->name[low].name, name) && t->name[low].kind == kind
		&& dwarf_offdie(t->dwarf, t->name[low].die, die);
}

/* --- reading a type ------------------------------------------------------------------------------------------------- */

static uint64_t number_of(Dwarf_Die *die, unsigned attribute, uint64_t otherwise)
{
	Dwarf_Attribute at;
	Dwarf_Word value;

	return dwarf_attr_integrate(die, attribute, &at) && !dwarf_formudata(&at, &value) ? value : otherwise;
}

/* Where DW_AT_type leads; 0: nowhere, which is void. */
static Dwarf_Off type_offset(Dwarf_Die *die)
{
	Dwarf_Attribute at;
	Dwarf_Die type;

	return dwarf_attr_integrate(die, DW_AT_type, &at) && dwarf_formref_die(&at, &type) ? dwarf_dieoffset(&type) : 0;
}

static struct ctype *read_array(struct types *t, struct ctype *c, Dwarf_Die *die)
{
	uint32_t count[DIMENSIONS_MAX];
	unsigned dimensions = 0;
	Dwarf_Die range;

	if (dwarf_child(die, &range) == 0)
		do
			if (dwarf_tag(&range) == DW_TAG_subrange_type && dimensions < DIMENSIONS_MAX) {
				uint64_t n = number_of(&range, DW_AT_count, number_of(&range, DW_AT_upper_bound, UINT64_MAX) + 1);
				count[dimensions++] = n > UINT32_MAX ? 0 : (uint32_t)n;
			}
		while (dwarf_siblingof(&range, &range) == 0);
	/* int a[2][3] is an array of 2 arrays of 3. */
	for (unsigned i = 0; c && i < dimensions; i++) {
		c->count = count[i];
		c->target_die = i + 1 == dimensions ? type_offset(die) : 0;
		if (i + 1 < dimensions)
			c = c->target = make(t, CTYPE_ARRAY, 0);
	}
	return c;
}

static void read_die(struct types *t, struct ctype *c, Dwarf_Die *die)
{
	uint64_t size = number_of(die, DW_AT_byte_size, 0);

	c->size = size > UINT32_MAX ? 0 : (uint32_t)size;
	c->name = dwarf_diename(die);
	switch (dwarf_tag(die)) {
	case DW_TAG_base_type: {
		uint64_t e = number_of(die, DW_AT_encoding, 0);
		c->kind = e == DW_ATE_boolean ? CTYPE_BOOL : CTYPE_INT;
		c->is_signed = e == DW_ATE_signed || e == DW_ATE_signed_char;
		break;
	}
	case DW_TAG_enumeration_type:
		c->kind = CTYPE_ENUM;
		break;
	case DW_TAG_pointer_type:
		c->kind = CTYPE_POINTER;
		c->size = 4;
		c->target_die = type_offset(die);
		break;
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		c->kind = CTYPE_STRUCT;
		c->declared = dwarf_hasattr(die, DW_AT_declaration);
		break;
	case DW_TAG_array_type:
		c->kind = CTYPE_ARRAY;
		read_array(t, c, die);
		break;
	}
}

/* Through typedefs and qualifiers. False: to nothing, or in circles. */
static bool peel(Dwarf_Die *die)
{
	for (unsigned i = 0; i < PEEL_MAX; i++) {
		Dwarf_Attribute at;
		switch (dwarf_tag(die)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			if (!dwarf_attr_integrate(die, DW_AT_type, &at) || !dwarf_formref_die(&at, die))
				return false;
			break;
		default:
			return true;
		}
	}
	return false;
}

static struct ctype *type_at(struct types *t, Dwarf_Off offset)
{
	Dwarf_Die die;

	if (!offset || !t->dwarf || !dwarf_offdie(t->dwarf, offset, &die) || !peel(&die))
		return NULL;
	offset = dwarf_dieoffset(&die);
	if (!t->slot && !(t->slot = calloc(SLOTS, sizeof(*t->slot))))
		return NULL;
	struct ctype **link = &t->slot[offset % SLOTS];
	for (struct ctype *c = *link; c; c = c->chain)
		if (c->die == offset)
			return c;
	struct ctype *c = make(t, CTYPE_OTHER, 0);
	if (!c)
		return NULL;
	c->die = offset;
	c->chain = *link;
	*link = c;
	read_die(t, c, &die);
	return c;
}

static uint32_t size_of(struct types *t, struct ctype *c)
{
	uint64_t size = 1;

	for (unsigned i = 0; c && c->kind == CTYPE_ARRAY && !c->size && i < DIMENSIONS_MAX; i++) {
		size *= c->count;
		if (size > UINT32_MAX)
			return 0;
		c = types_target(t, c);
	}
	size *= c ? c->size : 0;
	return size > UINT32_MAX ? 0 : (uint32_t)size;
}

struct ctype *types_target(struct types *t, struct ctype *type)
{
	if (!type->target && type->target_die) {
		type->target = type_at(t, type->target_die);
		type->target_die = 0;
	}
	struct ctype *target = type->target;
	if (target && target->kind == CTYPE_ARRAY && !target->size)
		target->size = size_of(t, target);
	/* A struct of which only the name was known where it is pointed to. */
	if (target && target->kind == CTYPE_STRUCT && target->declared && target->name) {
		char name[256];
		snprintf(name, sizeof(name), "struct %s", target->name);
		struct ctype *full = types_named(t, name);
		if (full && !full->declared)
			target = type->target = full;
	}
	return target;
}

/* --- structs and enums ---------------------------------------------------------------------------------------------- */

/* A number; before DWARF 3 an expression that adds it. */
static uint64_t member_offset(Dwarf_Die *die)
{
	Dwarf_Attribute at;
	Dwarf_Word value;
	Dwarf_Op *op;
	size_t count;

	if (!dwarf_attr_integrate(die, DW_AT_data_member_location, &at))
		return 0;                      /* a union's */
	if (!dwarf_formudata(&at, &value))
		return value;
	return !dwarf_getlocation(&at, &op, &count) && count == 1 && op->atom == DW_OP_plus_uconst ? op->number : UINT64_MAX;
}

static bool member(struct types *t, Dwarf_Die *die, struct cfield *f)
{
	uint64_t offset = member_offset(die), bit = number_of(die, DW_AT_data_bit_offset, UINT64_MAX);
	uint64_t bits = number_of(die, DW_AT_bit_size, 0);

	*f = (struct cfield){ .name = dwarf_diename(die), .type = type_at(t, type_offset(die)) };
	if (!f->type || offset > INT32_MAX)
		return false;
	if (f->type->kind == CTYPE_ARRAY && !f->type->size)
		f->type->size = size_of(t, f->type);
	if (bits && bits <= 32) {
		if (bit == UINT64_MAX)                 /* before DWARF 4: counted from the other end of the member's own type */
			bit = 8 * offset + 8ull * f->type->size - number_of(die, DW_AT_bit_offset, 0) - bits;
		f->bits = (uint8_t)bits;
		f->shift = bit % 8;
		offset = bit / 8;
	}
	f->offset = (uint32_t)offset;
	return offset <= INT32_MAX;
}

static void complete(struct types *t, struct ctype *c)
{
	Dwarf_Die type, die;

	if (c->complete)
		return;
	c->complete = true;
	if (!c->die || !dwarf_offdie(t->dwarf, c->die, &type) || dwarf_child(&type, &die))
		return;
	size_t room = 0;
	do {
		if (dwarf_tag(&die) == DW_TAG_member && c->fields < FIELDS_MAX) {
			if (c->fields == room) {
				struct cfield *more = realloc(c->field, (room = room ? 2 * room : 16) * sizeof(*more));
				if (!more)
					return;
				c->field = more;
			}
			c->fields += member(t, &die, &c->field[c->fields]);
		} else if (dwarf_tag(&die) == DW_TAG_enumerator && c->values < FIELDS_MAX) {
			if (c->values == room) {
				struct cvalue *more = realloc(c->value, (room = room ? 2 * room : 16) * sizeof(*more));
				if (!more)
					return;
				c->value = more;
			}
			Dwarf_Attribute at;
			Dwarf_Sword value = 0;
			if (dwarf_attr(&die, DW_AT_const_value, &at) && !dwarf_formsdata(&at, &value))
				c->value[c->values++] = (struct cvalue){ dwarf_diename(&die), value };
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

static bool field_in(struct types *t, struct ctype *c, const char *name, struct cfield *field, unsigned depth)
{
	if (c->kind != CTYPE_STRUCT || depth > NEST_MAX)
		return false;
	complete(t, c);
	for (size_t i = 0; i < c->fields; i++)
		if (c->field[i].name && !strcmp(c->field[i].name, name)) {
			*field = c->field[i];
			return true;
		}
	for (size_t i = 0; i < c->fields; i++)
		if (!c->field[i].name && field_in(t, c->field[i].type, name, field, depth + 1)) {
			field->offset += c->field[i].offset;
			return true;
		}
	return false;
}

bool types_field(struct types *t, struct ctype *type, const char *name, struct cfield *field)
{
	return field_in(t, type, name, field, 0);
}

const char *types_value_name(struct types *t, struct ctype *type, int64_t value)
{
	if (type->kind != CTYPE_ENUM)
		return NULL;
	complete(t, type);
	for (size_t i = 0; i < type->values; i++)
		if (type->value[i].value == value)
			return type->value[i].name;
	return NULL;
}

/* --- by name -------------------------------------------------------------------------------------------------------- */

/* Types that a description can use of any kernel. */
static struct ctype *basic_type(struct types *t, const char *name)
{
	static const struct { const char *name; uint8_t size; bool is_signed; } basic[] = {
		{ "u8", 1, false }, { "u16", 2, false }, { "u32", 4, false }, { "u64", 8, false }, { "s8", 1, true }, { "s16", 2, true },
		{ "s32", 4, true }, { "s64", 8, true }, { "char", 1, true }, { "int", 4, true }, { "unsigned", 4, false }, { "long", 4, true },
	};

	for (struct ctype *c = t->all; c; c = c->next)
		if (!c->die && c->kind == CTYPE_INT && !strcmp(c->name, name))
			return c;
	for (size_t i = 0; i < sizeof(basic) / sizeof(basic[0]); i++)
		if (!strcmp(basic[i].name, name)) {
			struct ctype *c = make(t, CTYPE_INT, basic[i].size);
			if (c) {
				c->name = basic[i].name;
				c->is_signed = basic[i].is_signed;
			}
			return c;
		}
	return NULL;
}

static struct ctype *defined(struct types *t, const char *name)
{
	for (struct ctype *c = t->all; c; c = c->next)
		if (c->own_name && !strcmp(c->own_name, name))
			return c;
	return NULL;
}

struct ctype *types_named(struct types *t, const char *name)
{
	const char *space = strchr(name, ' ');
	Dwarf_Die die;

	if (space) {
		struct ctype *own = defined(t, space + 1);
		if (own)
			return own;
		return find_die(t, space + 1, NAME_TAG, &die) ? type_at(t, dwarf_dieoffset(&die)) : NULL;
	}
	if (find_die(t, name, NAME_TYPE, &die)) {
		struct ctype *c = type_at(t, dwarf_dieoffset(&die));
		if (c)
			return c;
	}
	return basic_type(t, name);
}

/* A fixed address: in the operation, or (as clang has it) in a table that the operation points into. */
static bool fixed_address(Dwarf_Attribute *at, uint32_t *address)
{
	Dwarf_Attribute in_table;
	Dwarf_Addr value;
	Dwarf_Op *op;
	size_t count;

	if (dwarf_getlocation(at, &op, &count) || count != 1)
		return false;
	if (op->atom == DW_OP_addr)
		value = op->number;
	else if (op->atom != DW_OP_addrx || dwarf_getlocation_attr(at, op, &in_table) || dwarf_formaddr(&in_table, &value))
		return false;
	*address = (uint32_t)value;
	return true;
}

bool types_variable(struct types *t, const char *name, uint32_t *address, struct ctype **type)
{
	Dwarf_Die die;
	Dwarf_Attribute at;

	if (!find_die(t, name, NAME_VARIABLE, &die) || !dwarf_attr(&die, DW_AT_location, &at) || !fixed_address(&at, address))
		return false;
	*type = type_at(t, type_offset(&die));
	if (*type && (*type)->kind == CTYPE_ARRAY && !(*type)->size)
		(*type)->size = size_of(t, *type);
	return *type != NULL;
}

bool types_constant(struct types *t, const char *name, int64_t *value, struct ctype **type)
{
	Dwarf_Die die;
	Dwarf_Attribute at;
	Dwarf_Sword number;

	if (!find_die(t, name, NAME_CONSTANT, &die) || !dwarf_attr(&die, DW_AT_const_value, &at) || dwarf_formsdata(&at, &number))
		return false;
	*value = number;
	*type = NULL;
	return true;
}

/* --- made types ----------------------------------------------------------------------------------------------------- */

struct ctype *types_pointer_to(struct types *t, struct ctype *target)
{
	struct ctype **kept = target ? &target->pointer : &t->void_pointer;

	if (!*kept && (*kept = make(t, CTYPE_POINTER, 4)))
		(*kept)->target = target;
	return *kept;
}

struct ctype *types_array_of(struct types *t, struct ctype *target, uint32_t count)
{
	uint64_t size = (uint64_t)target->size * count;
	struct ctype *c = size <= UINT32_MAX ? make(t, CTYPE_ARRAY, (uint32_t)size) : NULL;

	if (c) {
		c->target = target;
		c->count = count;
	}
	return c;
}

struct ctype *types_define(struct types *t, const char *name, uint32_t size)
{
	struct ctype *c = make(t, CTYPE_STRUCT, size);

	if (c) {
		c->name = c->own_name = strdup(name);
		c->complete = true;
	}
	return c && c->own_name ? c : NULL;
}

bool types_define_field(struct types *t, struct ctype *type, const char *name, struct ctype *field, uint32_t offset)
{
	struct cfield *more = type->fields < FIELDS_MAX ? realloc(type->field, (type->fields + 1) * sizeof(*more)) : NULL;
	char *copy = more ? strdup(name) : NULL;

	(void)t;
	if (more)
		type->field = more;
	if (!copy)
		return false;
	type->field[type->fields++] = (struct cfield){ .name = copy, .type = field, .offset = offset };
	return true;
}
