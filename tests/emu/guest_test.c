/* tests/emu/guest_test.c: what the debugger says of Pagoda's processes, regions and frames is what Pagoda says itself. */
#include "tests/emu/pagoda_rig.h"

#include <unistd.h>

#include "emu/debug/guest/guest_maps.h"
#include "emu/debug/guest/guest_private.h"

#define KERNEL PAGODA_DIR "/pagoda.elf"
#define IMAGE PAGODA_DIR "/pagoda.img"
#define PROCESSES 64
#ifdef __SANITIZE_ADDRESS__
#define MOMENTS 80
#else
#define MOMENTS 300
#endif

static struct rig rig;

/* The console from the line that begins with head. */
static const char *printed_from(const char *head)
{
	const char *at = strstr(rig.out, head);

	ck_assert_msg(at != NULL, "no '%s' in: %s", head, rig.out);
	return at;
}

static const struct guest_process *process_named(const struct guest_process *p, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].name, name))
			return &p[i];
	ck_abort_msg("no process '%s'", name);
}

START_TEST(processes_are_those_that_ps_prints)
{
	struct guest_process p[PROCESSES];
	char name[32];
	unsigned pid, parent, rows = 0;

	rig_start(&rig, KERNEL, IMAGE, 16u << 20, "sleep 100 & ps\n");
	ck_assert_str_eq(guest_name(rig.d.guest), "Pagoda");
	rig_run_until(&rig, "  PID", 1000);
	rig_run_until(&rig, " ps\n", 10);
	size_t n = guest_processes(&rig.d, p, PROCESSES);
	const char *line = strchr(printed_from("  PID"), '\n');
	for (; sscanf(line, "%u %u %*s %*u %*u %*u %*u %31s", &pid, &parent, name) == 3; rows++, line = strchr(line + 1, '\n')) {
		const struct guest_process *found = process_named(p, n, name);
		ck_assert_uint_eq(found->id, pid);
		ck_assert_uint_eq(found->parent, parent);
	}
	ck_assert_uint_eq(rows, n);
	ck_assert_uint_ge(rows, 5);
	ck_assert_str_eq(process_named(p, n, "sleep")->state, "sleeping");
	ck_assert_uint_eq(process_named(p, n, "syncd")->cr3, 0);
	ck_assert(process_named(p, n, "ps")->current);
	uint32_t cr3 = process_named(p, n, "ps")->cr3;         /* 0 if the slice that printed the row saw it give up its space too */
	ck_assert(cr3 == rig.d.m->cpu.cr3 || !cr3);
	rig_end(&rig);
}
END_TEST

START_TEST(regions_are_those_of_proc_maps)
{
	struct guest_process p;
	struct guest_region r[32];
	char line[128];

	rig_start(&rig, KERNEL, IMAGE, 16u << 20, "cat /proc/self/maps\n");
	rig_run_until(&rig, "[stack]\n", 1000);
	ck_assert(guest_process_of(&rig.d, rig.d.m->cpu.cr3, &p));
	ck_assert_str_eq(p.name, "cat");
	size_t n = guest_regions(&rig.d, &p, r, 32);
	ck_assert_uint_ge(n, 3);
	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "%08x-%08x %sp %08x ", r[i].start, r[i].end, r[i].rights, (unsigned)r[i].offset);
		const char *found = printed_from(line);
		ck_assert_msg(!strncmp(strchr(found, '\n') - strlen(r[i].name), r[i].name, strlen(r[i].name)), "%s is not named %s", line, r[i].name);
	}
	rig_end(&rig);
}
END_TEST

/* The kernel changes a count and an entry one after the other, and a space being made or left is no process's yet: then they may differ. */
static bool at_rest(void)
{
	struct guest_process p[PROCESSES];
	size_t n = guest_processes(&rig.d, p, PROCESSES);

	if (rig.d.m->cpu.cpl != 3)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].state, "disk sleep"))
			return false;
	return true;
}

static unsigned check_frames(unsigned shared[2])
{
	struct guest_maps maps;
	struct guest_frame f;
	unsigned counted = 0;

	ck_assert(guest_maps_take(&rig.d, &maps));
	for (uint32_t i = 0; i < maps.frames; i++) {
		if (!guest_frame(&rig.d, i, &f) || !f.counted)
			continue;
		ck_assert_msg(!guest_frame_wrong(&f, maps.count[i]), "at instruction %llu: frame %u, %s: %llu references, %u mappings",
			(unsigned long long)cpu_icount(&rig.d.m->cpu), i, f.owner, (unsigned long long)f.references, maps.count[i]);
		counted += f.references > 0;
		shared[0] += f.references > 1 && !strcmp(f.owner, "anonymous");
		shared[1] += f.references > 0 && !strcmp(f.owner, "file");
	}
	guest_maps_free(&maps);
	return counted;
}

START_TEST(references_are_mappings_whenever_the_kernel_is_at_rest)
{
	unsigned seed = 4, moments = 0, shared[2] = { 0, 0 };

	rig_start(&rig, KERNEL, IMAGE, 4u << 20, "demo-cow; demo-swap; vmtest\n");
	rig_run_until(&rig, "$ ", 1000);
	for (unsigned tries = 0; moments < MOMENTS && tries < 20000; tries++) {
		ck_assert_int_eq(machine_run(rig.d.m, 1 + (unsigned)rand_r(&seed) % (moments < 50 ? 20000 : 2000000)), MACHINE_RAN);
		if (!at_rest())
			continue;
		ck_assert_uint_gt(check_frames(shared), 0);
		moments++;
	}
	ck_assert_uint_eq(moments, MOMENTS);
	ck_assert_uint_gt(shared[0], 0);
	ck_assert_uint_gt(shared[1], 0);
	rig_end(&rig);
}
END_TEST

START_TEST(looking_changes_nothing)
{
	struct guest_process p[PROCESSES];
	struct guest_region r[32];
	struct guest_swap s[8];
	struct guest_maps maps;
	struct guest_frame f;
	struct mapping map[8];

	rig_start(&rig, KERNEL, IMAGE, 4u << 20, "demo-cow\n");
	rig_run_until(&rig, "$ ", 1000);
	uint64_t before = machine_hash(rig.d.m);
	size_t n = guest_processes(&rig.d, p, PROCESSES);
	for (size_t i = 0; i < n; i++)
		guest_regions(&rig.d, &p[i], r, 32);
	for (uint32_t i = 0; i < 1024; i++) {
		guest_frame(&rig.d, i, &f);
		guest_mappings(&rig.d, i, map, 8);
	}
	guest_swap_slots(&rig.d, s, 8);
	ck_assert(guest_maps_take(&rig.d, &maps));
	guest_maps_free(&maps);
	ck_assert_uint_eq(machine_hash(rig.d.m), before);
	rig_end(&rig);
}
END_TEST

/* --- a kernel of one's own ------------------------------------------------------------------------------------------- */

static struct kernel teach;

static void start_teach(void)
{
	struct machine_config config = { .memory = 4u << 20, .kernel = &teach };

	ck_assert_msg(!kernel_open(&teach, GUEST_DIR "/teach.elf", rig_err), "%s", rig_err);
	rig.d = (struct debugger){ .m = machine_create(&config, rig_err), .source = source_open(&teach) };
	ck_assert_msg(rig.d.m != NULL, "%s", rig_err);
}

static void end_teach(void)
{
	guest_close(rig.d.guest);
	source_close(rig.d.source);
	machine_free(rig.d.m);
	kernel_close(&teach);
}

START_TEST(a_description_of_ones_own_kernel_is_read_from_a_file)
{
	struct guest_process p[4];
	struct guest_region r[4];
	struct guest_frame f;

	start_teach();
	ck_assert_msg(!guest_open(&rig.d, TEACH_VIEW, &rig.d.guest, rig_err), "%s", rig_err);
	ck_assert_str_eq(guest_name(rig.d.guest), "Teach");
	ck_assert_uint_eq(guest_processes(&rig.d, p, 4), 2);
	ck_assert_str_eq(p[0].name, "init?[m!");       /* no terminal is told anything */
	ck_assert_str_eq(p[0].state, "WAITING");
	ck_assert_uint_eq(p[1].id, (uint64_t)-2);
	ck_assert_uint_eq(p[1].parent, 1);
	ck_assert_uint_eq(p[1].cr3, 0x202000);
	ck_assert(p[1].current && !p[0].current);
	ck_assert_uint_eq(guest_regions(&rig.d, &p[0], r, 4), 0);
	ck_assert_uint_eq(guest_regions(&rig.d, &p[1], r, 4), 3);
	ck_assert(r[0].start == 0x800000 && r[0].end == 0x803000 && r[2].start == 0xbff000);
	ck_assert_str_eq(r[0].rights, "r-x");
	ck_assert_str_eq(r[1].rights, "rw-");
	ck_assert_str_eq(r[2].kind, "stack");
	ck_assert_str_eq(r[2].name, "a shell");
	ck_assert_uint_eq(r[1].offset, 6);
	ck_assert(guest_frame(&rig.d, 2, &f));
	ck_assert_str_eq(f.owner, "odd");
	ck_assert(!guest_frame(&rig.d, 64, &f));
	end_teach();
}
END_TEST

START_TEST(a_list_in_a_circle_ends)
{
	struct guest_swap s[8];

	start_teach();
	ck_assert_msg(!guest_open(&rig.d, TEACH_VIEW, &rig.d.guest, rig_err), "%s", rig_err);
	size_t n = guest_swap_slots(&rig.d, s, 8);
	ck_assert_uint_ge(n, 2);
	ck_assert_uint_le(n, 8);
	end_teach();
}
END_TEST

/* --- page tables by hand ---------------------------------------------------------------------------------------------- */

static void start_tables(bool pae)
{
	start_teach();
	rig.d.m->mmu.pg = (struct paging){ .enabled = true, .pse = true, .pae = pae, .cr3 = 0x200000 };
	rig.d.m->cpu.cr3 = 0x200000;
}

static void put(uint32_t pa, uint64_t value, unsigned size)
{
	phys_copy_in(&rig.d.m->phys, pa, &value, size);
}

START_TEST(mappings_are_found_in_tables_of_two_levels)
{
	struct mapping map[4];

	start_tables(false);
	put(0x200000 + 4 * 3, 0x201000 | PG_P | PG_U, 4);
	put(0x201000 + 4 * 5, 0x123000 | PG_P | PG_W, 4);
	put(0x201000 + 4 * 6, 0x123000, 4);            /* not present: no mapping */
	put(0x200000 + 4 * 7, 0x0 | PG_P | PG_PS, 4);  /* frames 0 to 0x3ff */
	ck_assert_uint_eq(guest_mappings(&rig.d, 0x123, map, 4), 2);
	ck_assert(map[0].la == ((3u << 22) | (5 << 12)) && map[0].page_shift == 12 && map[0].entry == (0x123000 | PG_P | PG_W));
	ck_assert(map[1].la == (7u << 22) + 0x123000 && map[1].page_shift == 22);
	ck_assert_uint_eq(guest_mappings(&rig.d, 0x124, map, 4), 1);
	ck_assert_uint_eq(guest_present_pages(&rig.d, 0x200000, 3u << 22, 8u << 22), 1 + 1024);
	end_teach();
}
END_TEST

START_TEST(mappings_are_found_in_tables_of_pae)
{
	struct mapping map[4];

	start_tables(true);
	put(0x200000 + 8 * 2, 0x201000 | PG_P, 8);
	put(0x201000 + 8 * 9, 0x202000 | PG_P, 8);
	put(0x202000 + 8 * 4, 0x123000 | PG_P | PG_NX, 8);
	put(0x202000 + 8 * 5, 0x900123000ull | PG_P, 8);       /* far above memory */
	put(0x201000 + 8 * 10, 0x0 | PG_P | PG_PS, 8);         /* frames 0 to 0x1ff */
	ck_assert_uint_eq(guest_mappings(&rig.d, 0x123, map, 4), 2);
	ck_assert(map[0].la == ((2u << 30) | (9 << 21) | (4 << 12)) && map[0].entry == (0x123000 | PG_P | PG_NX));
	ck_assert(map[1].la == ((2u << 30) | (10 << 21)) + 0x123000 && map[1].page_shift == 21);
	end_teach();
}
END_TEST

START_TEST(tables_that_are_their_own_tables_are_counted_to_their_end)
{
	struct guest_maps maps;

	start_tables(false);
	for (uint32_t i = 0; i < 1024; i++)
		put(0x200000 + 4 * i, 0x200000 | PG_P, 4);
	ck_assert_uint_eq(guest_mappings(&rig.d, 0x200, NULL, 0), 1u << 20);
	ck_assert(guest_maps_take(&rig.d, &maps));
	ck_assert_uint_eq(maps.count[0x200], 1u << 20);
	ck_assert_uint_eq(maps.first[0x201] - maps.first[0x200], 1u << 20);
	guest_maps_free(&maps);
	end_teach();
}
END_TEST

/* --- maple trees ------------------------------------------------------------------------------------------------------ */

#define LEAF(at) ((at) | 1u << 3 | 6)
#define RANGE(at) ((at) | 2u << 3 | 6)
#define ARANGE(at) ((at) | 3u << 3 | 6)

/* A node of 64 words: pivots behind the parent, then slots. */
static void node(uint32_t at, unsigned pivots, const uint32_t *pivot, const uint32_t *slot, unsigned slots)
{
	uint32_t word[64] = { 0 };

	for (unsigned i = 0; i + 1 < slots; i++)
		word[1 + i] = pivot[i];
	memcpy(word + 1 + pivots, slot, 4 * slots);
	phys_copy_in(&rig.d.m->phys, at, word, sizeof(word));
}

struct entries { uint32_t value[16]; unsigned count, most; };

static bool take_entry(void *ctx, uint32_t entry)
{
	struct entries *e = ctx;

	if (e->count < 16)
		e->value[e->count] = entry;
	return ++e->count < e->most;
}

START_TEST(a_maple_tree_gives_its_entries_in_order)
{
	struct entries e = { .most = 100 };
	/* Beyond the last index of a node lies what its parent does not count: here 0xbad000. */
	uint32_t left[] = { 0xaaa000, 0, 0xbbb000, 0xbad000 }, right[] = { 0xccc000, 0xddd000 }, last[] = { 0, 0xeee000 };

	start_teach();
	node(0x200000, 31, (uint32_t[]){ 0xfff, 0x1fff, 0x2fff }, left, 4);
	node(0x200100, 31, (uint32_t[]){ 0x3fff }, right, 2);
	node(0x200200, 31, (uint32_t[]){ 0xbfff }, last, 2);
	node(0x200300, 31, (uint32_t[]){ 0x2fff }, (uint32_t[]){ LEAF(0x200000), LEAF(0x200100) }, 2);
	node(0x200400, 20, (uint32_t[]){ 0x7fff }, (uint32_t[]){ RANGE(0x200300), LEAF(0x200200) }, 2);
	maple_each(&rig.d, ARANGE(0x200400), take_entry, &e);
	const uint32_t expected[] = { 0xaaa000, 0xbbb000, 0xccc000, 0xddd000, 0xeee000 };
	ck_assert_uint_eq(e.count, 5);
	ck_assert(!memcmp(e.value, expected, sizeof(expected)));
	e = (struct entries){ .most = 2 };
	maple_each(&rig.d, ARANGE(0x200400), take_entry, &e);
	ck_assert_uint_eq(e.count, 2);
	e = (struct entries){ .most = 2 };
	maple_each(&rig.d, 0xaaa000, take_entry, &e);  /* a tree of one entry has no node */
	ck_assert_uint_eq(e.count, 1);
	end_teach();
}
END_TEST

START_TEST(a_maple_tree_that_contains_itself_ends)
{
	struct entries e = { .most = UINT32_MAX };
	uint32_t slot[32], pivot[31];

	start_teach();
	for (unsigned i = 0; i < 32; i++)
		slot[i] = RANGE(0x200000);
	for (unsigned i = 0; i < 31; i++)
		pivot[i] = i + 1;
	node(0x200000, 31, pivot, slot, 32);
	maple_each(&rig.d, RANGE(0x200000), take_entry, &e);
	ck_assert_uint_eq(e.count, 0);
	end_teach();
}
END_TEST

static const struct { const char *text; uint64_t value; } computed[] = {
	{ "1 + 2 * 3", 7 }, { "1 << 2 + 1", 8 }, { "5 & 3 == 3", 1 }, { "1 | 6 ^ 3 & 2", 5 }, { "2 ? 3 : 4 ? 5 : 6", 3 }, { "0 ? 3 : 0 ? 5 : 6", 6 },
	{ "-1 >> 60", 15 }, { "!0 + ~0", 0 }, { "10 / 3 % 2", 1 }, { "7 - 2 - 1", 4 }, { "1 || 0 && 0", 1 }, { "0x10 + 010", 26 }, { "(u8)0x1ff", 255 },
	{ "(s8)0xff == -1", 1 }, { "0 && 1 / 0", 0 }, { "1 || 1 / 0", 1 }, { "2 > 1 != 0", 1 }, { "&proc_table[3] - proc_table", 3 },
	{ "proc_table[2].limits[1][0]", 4 }, { "(&proc_table[1] + 1)->limits[0][2]", 3 }, { "*(u8 *)&proc_table[2].comm[1]", 'h' },
	{ "ring.next == &ring", 1 }, { "container(&text.link, struct area, link) == &text", 1 }, { "stack.kind * 10 + stack.writable", 91 },
	{ "proc_table[0].state == WAITING", 1 }, { "pa(&ring) == &ring", 1 }, { "proc_table[2].pid == -2", 1 },
};

START_TEST(expressions_are_c)
{
	char err[ERROR_LINE];
	const char *at = computed[_i].text;
	uint64_t value;

	start_teach();
	ck_assert_msg(!guest_open(&rig.d, TEACH_VIEW, &rig.d.guest, rig_err), "%s", rig_err);
	struct cexpr *e = cexpr_parse(&at, err);
	ck_assert_msg(e && !*at, "%s: %s", computed[_i].text, err);
	ck_assert_msg(cexpr_number(guest_scope(&rig.d), e, &value), "%s has no value", computed[_i].text);
	ck_assert_msg(value == computed[_i].value, "%s is %llu", computed[_i].text, (unsigned long long)value);
	cexpr_free(e);
	end_teach();
}
END_TEST

START_TEST(what_cannot_be_computed_has_no_value)
{
	static const char *const texts[] = { "1 / 0", "1 % 0", "ring.nobody", "proc_table[0]", "*ring", "lost.next->next", "\"x\" + 1", "*(u32 *)0xfffffff0",
		"(struct nothing *)0", "address(nobody)" };
	char err[ERROR_LINE];
	uint64_t value;

	start_teach();
	ck_assert_msg(!guest_open(&rig.d, TEACH_VIEW, &rig.d.guest, rig_err), "%s", rig_err);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *at = texts[i];
		struct cexpr *e = cexpr_parse(&at, err);
		ck_assert_msg(e && !*at, "%s: %s", texts[i], err);
		ck_assert_msg(!cexpr_number(guest_scope(&rig.d), e, &value), "%s is %llu", texts[i], (unsigned long long)value);
		cexpr_free(e);
	}
	end_teach();
}
END_TEST

/* Texts and what must be said of them. */
static const struct { const char *text, *complaint; } wrong[] = {
	{ "", "`guest \"NAME\"` is missing" },
	{ "guest Teach\n", ":1: a text in \"...\" is missing" },
	{ "guest \"a\"\nguest \"b\"\n", ":2: the guest is named twice" },
	{ "guest \"a\"\nproces p from x next y\n", ":2: 'proces' is not one of" },
	{ "guest \"a\"\n\tid 1\n", ":2: an indented line" },
	{ "guest \"a\"\nprocess p from proc_table\n", ":2: process: `next` is missing" },
	{ "guest \"a\"\nprocess p from proc_table next p + 1\n\tpid p->pid\n", ":3: 'pid' is no field here" },
	{ "guest \"a\"\nprocess p from proc_table next p + 1\n\tid p->pid )\n", ":3: unexpected ')'" },
	{ "guest \"a\"\nprocess p from proc_table next p + 1\n\tid (p->pid\n", ":3: ')' expected at 'end of line'" },
	{ "guest \"a\"\nprocess p from proc_table next p + 1\n\tid p->\n", ":3: a field's name is missing" },
	{ "guest \"a\"\nprocess p from process_table next p + 1\n", ":2: the kernel has no 'process_table'" },
	{ "guest \"a\"\nprocess p from proc_table next p + 1\n\n\tname q->comm\n", ":4: the kernel has no 'q'" },
	{ "guest \"a\"\nregion r from 1 next r\n", ":2: `region r of NAME` expected" },
	{ "guest \"a\"\nstruct s\n", ":2: `struct NAME SIZE` expected" },
	{ "guest \"a\"\nstruct s 8\n x y at 4\n", ":3: type 'y' is not known" },
	{ "guest \"a\"\nstruct s 8\n x u32 4\n", ":3: `at OFFSET` expected" },
	{ "guest \"a\"\nwhen moon\n", ":2: `when symbol NAME` or" },
	{ "guest \"a\"\nuser end ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1\n", "too deep" },
};

START_TEST(a_mistake_in_a_description_is_told_with_its_line)
{
	char path[] = "/tmp/viewXXXXXX", err[ERROR_LINE];
	int fd = mkstemp(path);
	FILE *f = fopen(path, "w");

	start_teach();
	ck_assert(fd >= 0 && f);
	fputs(wrong[_i].text, f);
	if (!*wrong[_i].text)
		fputs("\n", f);
	fclose(f);
	ck_assert_int_eq(guest_open(&rig.d, path, &rig.d.guest, err), -1);
	ck_assert_ptr_null(rig.d.guest);
	ck_assert_msg(strstr(err, wrong[_i].complaint) && strstr(err, path), "'%s' instead of '%s'", err, wrong[_i].complaint);
	close(fd);
	unlink(path);
	end_teach();
}
END_TEST

/* Any order of a description's own words, and any memory: an answer, soon. */
START_TEST(nonsense_harms_nobody)
{
	static const char *const words[] = { "guest \"g\"\n", "\nprocess p from ", "\nregion r of p from ", "\nframe f number n from ", "\nswap s from ",
		" next ", " while ", " where ", " tree ", " as struct area ", "\n id ", "\n name ", "\n start ", "\n owner ", "p", "r", "->", ".", "pid", "link",
		"proc_table", "&", "*", "(", ")", "[", "]", "ring", "lost", "head", "(u8)", "(struct process *)", "container(", ", struct area, link)", "pa(",
		"0xffffffff", "1", "-", "+", "/", "%", "<<", "?", ":", "\"x\"", "\n\n", "#", "struct a 4\n", " x u32 at 0\n", "limits", "areas", "comm" };
	const unsigned n = sizeof(words) / sizeof(words[0]);
	char text[2048], err[ERROR_LINE];
	struct guest_process p[4];
	struct guest_region r[4];
	struct guest_frame f;
	unsigned seed = 3, read = 0;

	start_teach();
	for (unsigned i = 0; i < 30000; i++) {
		size_t length = (size_t)snprintf(text, sizeof(text), "guest \"g\"\nprocess p from proc_table next p + 1\n name p->");
		for (unsigned k = (unsigned)rand_r(&seed) % 40; k; k--)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s", words[(unsigned)rand_r(&seed) % n]);
		struct description *v = description_read("nonsense", text, rig.d.source->modules->dwarf, err);
		if (!v)
			continue;
		read++;
		struct guest g = { .view = v, .looked_at = UINT64_MAX, .kernel_symbols = &rig.d.source->modules->symbols };
		g.scope = (struct cscope){ .d = &rig.d, .types = &v->types, .symbols = g.kernel_symbols, .serial = 1 };
		rig.d.guest = &g;
		size_t found = guest_processes(&rig.d, p, 4);
		for (size_t k = 0; k < found && k < 4; k++)
			guest_regions(&rig.d, &p[k], r, 4);
		guest_frame(&rig.d, 1, &f);
		description_free(v);
	}
	rig.d.guest = NULL;
	ck_assert_uint_gt(read, 20);
	end_teach();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("guest");
	TCase *t = tcase_create("pagoda");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_add_test(t, processes_are_those_that_ps_prints);
	tcase_add_test(t, regions_are_those_of_proc_maps);
	tcase_add_test(t, references_are_mappings_whenever_the_kernel_is_at_rest);
	tcase_add_test(t, looking_changes_nothing);
	tcase_add_test(t, a_description_of_ones_own_kernel_is_read_from_a_file);
	tcase_add_test(t, a_list_in_a_circle_ends);
	tcase_add_test(t, mappings_are_found_in_tables_of_two_levels);
	tcase_add_test(t, mappings_are_found_in_tables_of_pae);
	tcase_add_test(t, tables_that_are_their_own_tables_are_counted_to_their_end);
	tcase_add_test(t, a_maple_tree_gives_its_entries_in_order);
	tcase_add_test(t, a_maple_tree_that_contains_itself_ends);
	tcase_add_loop_test(t, expressions_are_c, 0, sizeof(computed) / sizeof(computed[0]));
	tcase_add_test(t, what_cannot_be_computed_has_no_value);
	tcase_add_loop_test(t, a_mistake_in_a_description_is_told_with_its_line, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(t, nonsense_harms_nobody);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
