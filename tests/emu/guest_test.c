/* tests/emu/guest_test.c: what the debugger says of Pagoda's processes, regions and frames is what Pagoda says itself. */
#include "tests/emu/pagoda_rig.h"

#include "emu/debug/guest_maps.h"

#define KERNEL PAGODA_DIR "/pagoda.elf"
#define IMAGE PAGODA_DIR "/pagoda.img"
#define PROCESSES 64
#define MOMENTS 300

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
	for (; sscanf(line, "%u %u %*s %*u %*u %*u %31s", &pid, &parent, name) == 3; rows++, line = strchr(line + 1, '\n')) {
		const struct guest_process *found = process_named(p, n, name);
		ck_assert_uint_eq(found->id, pid);
		ck_assert_uint_eq(found->parent, parent);
	}
	ck_assert_uint_eq(rows, n);
	ck_assert_uint_ge(rows, 5);
	ck_assert_str_eq(process_named(p, n, "sleep")->state, "sleeping");
	ck_assert_uint_eq(process_named(p, n, "syncd")->cr3, 0);
	ck_assert(process_named(p, n, "ps")->current);
	ck_assert_uint_eq(process_named(p, n, "ps")->cr3, rig.d.m->cpu.cr3);
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
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
