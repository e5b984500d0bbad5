/* tests/emu/machine_test.c: the whole machine: how runs end, and that nothing but the image and the input decides what happens. */
#include "emu/machine.h"
#include "cpu/system.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION 1000000u

static char err[ERROR_LINE];

/* A machine with everything a test looks at. */
struct rig {
	struct kernel kernel;
	struct machine *m;
	char out[4096];
	size_t out_len;
	const char *script;            /* serial input still to come */
};

static void rig_put(void *owner, uint8_t byte)
{
	struct rig *r = owner;

	if (r->out_len + 1 < sizeof(r->out))
		r->out[r->out_len++] = (char)byte;
	r->out[r->out_len] = 0;
}

static int rig_next(void *owner)
{
	struct rig *r = owner;

	return r->script && *r->script ? (unsigned char)*r->script++ : -1;
}

static void rig_start_with(struct rig *r, const char *guest, const char *script, struct machine_config config)
{
	char path[512];

	memset(r, 0, sizeof(*r));
	snprintf(path, sizeof(path), GUEST_DIR "/%s.elf", guest);
	ck_assert_msg(!kernel_open(&r->kernel, path, err), "%s", err);
	r->script = script;
	if (!config.memory)
		config.memory = 4u << 20;
	config.kernel = &r->kernel;
	config.serial = config.debug = (struct char_out){ rig_put, r };
	config.input = (struct input_source){ rig_next, r };
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
}

static void rig_start(struct rig *r, const char *guest, const char *script)
{
	rig_start_with(r, guest, script, (struct machine_config){ 0 });
}

static void rig_end(struct rig *r)
{
	machine_free(r->m);
	kernel_close(&r->kernel);
}

/* --- how runs end -------------------------------------------------------------------------------------------------- */

static enum machine_stop outcome_of(const char *guest, struct rig *r)
{
	rig_start(r, guest, NULL);
	return machine_run(r->m, 50 * MILLION);
}

START_TEST(a_guest_can_print_and_power_off)
{
	struct rig r;

	ck_assert_int_eq(outcome_of("poweroff", &r), MACHINE_POWER_OFF);
	ck_assert_str_eq(r.out, "hello\n");
	rig_end(&r);
}
END_TEST

START_TEST(isa_debug_exit_hands_out_its_value)
{
	struct rig r;

	ck_assert_int_eq(outcome_of("exit", &r), MACHINE_DEBUG_EXIT);
	ck_assert_uint_eq(r.m->exit_value, 0x10);
	rig_end(&r);
}
END_TEST

START_TEST(hlt_with_interrupts_off_is_the_end)
{
	struct rig r;

	ck_assert_int_eq(outcome_of("halt", &r), MACHINE_HALTED_FOREVER);
	rig_end(&r);
}
END_TEST

START_TEST(a_fault_without_gates_is_a_triple_fault)
{
	struct rig r;

	ck_assert_int_eq(outcome_of("triple", &r), MACHINE_TRIPLE_FAULT);
	ck_assert_uint_eq(r.m->cpu.cr2, 0x3ff123);
	rig_end(&r);
}
END_TEST

START_TEST(the_instruction_limit_is_exact)
{
	struct rig r;

	rig_start(&r, "spin", NULL);
	r.m->instruction_limit = 123457;
	ck_assert_int_eq(machine_run(r.m, 10 * MILLION), MACHINE_INSTRUCTION_LIMIT);
	ck_assert_uint_eq(cpu_icount(&r.m->cpu), 123457);
	rig_end(&r);
}
END_TEST

START_TEST(every_reset_line_restarts_the_kernel_with_memory_kept)
{
	struct rig r;

	ck_assert_int_eq(outcome_of("reset", &r), MACHINE_POWER_OFF);
	ck_assert_uint_eq(r.m->resets, 3);
	ck_assert_str_eq(r.out, "fourth start\n");
	rig_end(&r);
}
END_TEST

START_TEST(no_two_devices_claim_a_port_and_all_have_names)
{
	struct rig r;

	rig_start(&r, "spin", NULL);
	for (unsigned i = 0; i < r.m->devices; i++) {
		ck_assert_ptr_nonnull(r.m->device[i]->ops->name);
		for (unsigned j = 0; j < i; j++)
			ck_assert_ptr_ne(r.m->device[i], r.m->device[j]);
	}
	ck_assert_uint_ge(r.m->devices, 12);
	rig_end(&r);
}
END_TEST

START_TEST(an_x87_error_is_interrupt_13_until_port_F0)
{
	struct rig r;

	rig_start(&r, "spin", NULL);
	cpu_ferr(&r.m->cpu, true);
	ck_assert_uint_eq(r.m->pic.chip[1].lines & 1 << 5, 1 << 5);
	ck_assert(!r.m->cpu.ignne);
	ports_write(&r.m->ports, 0xf0, 1, 0);
	ck_assert_uint_eq(r.m->pic.chip[1].lines & 1 << 5, 0);
	ck_assert(r.m->cpu.ignne);
	ck_assert_int_eq(machine_reset(r.m, err), 0);
	ck_assert(!r.m->cpu.ignne && !r.m->cpu.ferr && !r.m->fpu_error.ferr);
	rig_end(&r);
}
END_TEST

/* A program of our own at 0x2000, with nothing but flat segments. */
static void run_code(struct rig *r, const uint8_t *code, size_t n)
{
	phys_copy_in(&r->m->phys, 0x2000, code, n);
	r->m->cpu.eip = 0x2000;
	ck_assert_int_eq(machine_run(r->m, 200), MACHINE_RAN);
}

static uint32_t peek8(struct rig *r, uint32_t pa) { return phys_read(&r->m->phys, pa, 1); }

/* The guest closes both gates: data and code above 1 MB are those below, also what has been decoded already. */
START_TEST(closing_A20_wraps_data_and_code_at_once)
{
	static const uint8_t one[] = { 0xc6, 0x05, 0x02, 0x06, 0, 0, 1, 0xc3 }, two[] = { 0xc6, 0x05, 0x02, 0x06, 0, 0, 2, 0xc3 };
	static const uint8_t code[] = {
		0xbc, 0x00, 0x50, 0, 0,                                /* mov $0x5000, %esp */
		0xb9, 0x00, 0x10, 0x30, 0,                             /* mov $0x301000, %ecx */
		0xff, 0xd1,                                            /* call *%ecx */
		0xa0, 0x02, 0x06, 0, 0, 0xa2, 0x00, 0x06, 0, 0,        /* what it left: 600 */
		0xb0, 0xd1, 0xe6, 0x64, 0xb0, 0xdd, 0xe6, 0x60,        /* the keyboard controller's gate */
		0xff, 0xd1,
		0xa0, 0x02, 0x06, 0, 0, 0xa2, 0x03, 0x06, 0, 0,        /* still open by port 92: 603 */
		0xb0, 0x00, 0xe6, 0x92,
		0xff, 0xd1,
		0xa0, 0x02, 0x06, 0, 0, 0xa2, 0x01, 0x06, 0, 0,        /* now closed: 601 */
		0xa0, 0x00, 0x15, 0x30, 0, 0xa2, 0x04, 0x06, 0, 0,     /* and data: 604 */
		0xb0, 0x02, 0xe6, 0x92,
		0xa0, 0x00, 0x15, 0x30, 0, 0xa2, 0x05, 0x06, 0, 0,     /* open again: 605 */
		0xeb, 0xfe,
	};
	struct rig r;

	rig_start(&r, "spin", NULL);
	phys_copy_in(&r.m->phys, 0x301000, one, sizeof(one));
	phys_copy_in(&r.m->phys, 0x201000, two, sizeof(two));
	phys_write(&r.m->phys, 0x301500, 1, 0x33);
	phys_write(&r.m->phys, 0x201500, 1, 0x22);
	run_code(&r, code, sizeof(code));
	ck_assert_uint_eq(peek8(&r, 0x600), 1);
	ck_assert_uint_eq(peek8(&r, 0x603), 1);
	ck_assert_uint_eq(peek8(&r, 0x601), 2);
	ck_assert_uint_eq(peek8(&r, 0x604), 0x22);
	ck_assert_uint_eq(peek8(&r, 0x605), 0x33);
	rig_end(&r);
}
END_TEST

static void ports_write_all(struct rig *r, const uint8_t (*writes)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		ports_write(&r->m->ports, writes[i][0], 1, writes[i][1]);
}

/* A division by zero with CR0.NE clear: the next waiting instruction stops until interrupt 13's handler has cleared the error; the
 * handler itself may use the x87 once it has written to port F0. */
START_TEST(an_x87_error_stops_the_processor_until_its_interrupt_is_handled)
{
	static const uint8_t program[] = {
		0xdb, 0xe3, 0xd9, 0x2d, 0x00, 0x07, 0, 0,              /* fninit; fldcw 700: division by zero is not masked */
		0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9,                    /* fld1; fldz; fdivp */
		0xff, 0x05, 0x00, 0x06, 0, 0,                          /* incl 600 */
		0x9b,                                                  /* fwait */
		0xff, 0x05, 0x04, 0x06, 0, 0,                          /* incl 604 */
		0xeb, 0xfe,
	}, handler[] = {
		0xe6, 0xf0,                                            /* out %al, $F0 */
		0xd9, 0xe8,                                            /* fld1: goes on, though the error waits */
		0xdb, 0xe2,                                            /* fnclex */
		0xff, 0x05, 0x08, 0x06, 0, 0,                          /* incl 608 */
		0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0xcf,              /* end of interrupt; iret */
	}, pics[][2] = {
		{ 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 4 }, { 0x21, 1 }, { 0xa0, 0x11 }, { 0xa1, 0x70 }, { 0xa1, 2 }, { 0xa1, 1 },
		{ 0x21, 0xfb }, { 0xa1, 0xdf },
	};
	struct rig r;
	struct cpu *cpu;

	rig_start(&r, "spin", NULL);
	cpu = &r.m->cpu;
	ports_write_all(&r, pics, sizeof(pics) / sizeof(pics[0]));
	phys_copy_in(&r.m->phys, 0x2800, handler, sizeof(handler));
	phys_write(&r.m->phys, 0x700, 2, 0x37b);
	phys_write(&r.m->phys, 0x3000 + 8 * 0x75, 4, 8u << 16 | 0x2800);
	phys_write(&r.m->phys, 0x3000 + 8 * 0x75 + 4, 4, 0x8e00);
	phys_write(&r.m->phys, 0x3808, 4, 0x0000ffff);
	phys_write(&r.m->phys, 0x380c, 4, 0x00cf9b00);
	cpu->idtr = (struct table_register){ 0x3000, 0x7ff };
	cpu->gdtr = (struct table_register){ 0x3800, 15 };
	cpu_set_segment(cpu, SEG_CS, 8, 0, 0xffffffff, 0x9b, SEG_FLAG_DB | SEG_FLAG_G);
	cpu_set_cr0(cpu, CR0_PE | CR0_MP | CR0_ET);
	cpu_set_eflags(cpu, F_ONE | F_IF);
	cpu->r[R_ESP] = 0x5000;
	run_code(&r, program, sizeof(program));
	ck_assert_uint_eq(peek8(&r, 0x600), 1);
	ck_assert_uint_eq(peek8(&r, 0x608), 1);
	ck_assert_uint_eq(peek8(&r, 0x604), 1);
	ck_assert(!cpu->ferr && !cpu->ignne && !cpu->halted);
	/* With interrupts off nothing wakes it. */
	cpu_set_eflags(cpu, F_ONE);
	phys_copy_in(&r.m->phys, 0x2000, program, sizeof(program));
	cpu->eip = 0x2000;
	ck_assert_int_eq(machine_run(r.m, 200), MACHINE_HALTED_FOREVER);
	ck_assert_uint_eq(cpu->eip, 0x2000 + 20);
	ck_assert_uint_eq(peek8(&r, 0x600), 2);
	ck_assert_uint_eq(peek8(&r, 0x604), 1);
	ck_assert(cpu->ferr);
	rig_end(&r);
}
END_TEST

START_TEST(the_NMI_button_is_masked_by_port_70)
{
	static const uint8_t nops[] = { 0x90, 0x90, 0xeb, 0xfc };
	struct rig r;

	rig_start(&r, "spin", NULL);
	run_code(&r, nops, sizeof(nops));
	ports_write(&r.m->ports, 0x70, 1, 0x8f);
	machine_nmi(r.m);
	ck_assert(!r.m->cpu.nmi_pending);
	ports_write(&r.m->ports, 0x70, 1, 0x80);
	ck_assert(!r.m->cpu.nmi_pending);
	ports_write(&r.m->ports, 0x70, 1, 0x0f);
	ck_assert(r.m->cpu.nmi_pending);
	r.m->cpu.nmi_pending = false;
	machine_nmi(r.m);
	ck_assert(r.m->cpu.nmi_pending);
	rig_end(&r);
}
END_TEST

START_TEST(the_keyboard_controller_pulses_INIT_and_port_CF9_RESET)
{
	static const struct { uint16_t port; uint8_t value; bool init; } lines[] = { { 0x64, 0xfe, true }, { 0x92, 3, true }, { 0xcf9, 6, false } };

	for (unsigned i = 0; i < 3; i++) {
		struct rig r;

		rig_start(&r, "spin", NULL);
		ck_assert_int_eq(machine_run(r.m, 1000), MACHINE_RAN);
		r.m->cpu.mtrr[0] = 6;
		ports_write(&r.m->ports, lines[i].port, 1, lines[i].value);
		ck_assert_int_eq(machine_run(r.m, 1000), MACHINE_RAN);
		ck_assert_uint_eq(r.m->resets, 1);
		ck_assert_uint_eq(r.m->cpu.mtrr[0], lines[i].init ? 6 : 0);
		ck_assert_uint_eq(machine_now(r.m) + r.m->cpu.tsc_offset, lines[i].init ? 2000 : 1000);
		rig_end(&r);
	}
}
END_TEST

/* --- time ------------------------------------------------------------------------------------------------------------- */

START_TEST(a_run_takes_exactly_the_ticks_asked_for)
{
	struct rig r;

	rig_start(&r, "timer", NULL);
	for (unsigned i = 1; i < 2000; i += 37) {
		uint64_t before = machine_now(r.m), ticks = i % 2 ? i : 23 * i;        /* ends while running and while halted */
		ck_assert_int_eq(machine_run(r.m, ticks), MACHINE_RAN);
		ck_assert_uint_eq(machine_now(r.m), before + ticks);
	}
	rig_end(&r);
}
END_TEST

START_TEST(halting_skips_time_to_the_next_interrupt)
{
	struct rig r;

	rig_start(&r, "timer", NULL);
	machine_run(r.m, 20 * MILLION);
	/* Every other millisecond is spent halted. */
	ck_assert_uint_lt(cpu_icount(&r.m->cpu), machine_now(r.m) * 3 / 4);
	ck_assert_uint_gt(cpu_icount(&r.m->cpu), machine_now(r.m) / 4);
	rig_end(&r);
}
END_TEST

/* --- same input, same run --------------------------------------------------------------------------------------------- */

#define STEPS 4
static const char typed[] = "the same bytes, typed at the same moments";

/* Hashes after each million ticks, run in pieces of this size. */
static void run_steps(struct rig *r, uint64_t piece, unsigned steps, uint64_t hash[STEPS])
{
	for (unsigned i = 0; i < steps; i++) {
		uint64_t end = machine_now(r->m) + MILLION;
		while (machine_now(r->m) < end) {
			uint64_t left = end - machine_now(r->m);
			ck_assert_int_eq(machine_run(r->m, left < piece ? left : piece), MACHINE_RAN);
		}
		ck_assert_uint_eq(machine_now(r->m), end);
		hash[i] = machine_hash(r->m);
	}
}

static void run_in_pieces(struct rig *r, uint64_t piece, uint64_t hash[STEPS])
{
	run_steps(r, piece, STEPS, hash);
}

START_TEST(the_same_input_gives_the_same_state_every_million_ticks)
{
	uint64_t first[STEPS], second[STEPS];
	struct rig r;

	rig_start(&r, "timer", typed);
	run_in_pieces(&r, MILLION, first);
	rig_end(&r);
	rig_start(&r, "timer", typed);
	run_in_pieces(&r, MILLION, second);
	rig_end(&r);
	for (unsigned i = 0; i < STEPS; i++) {
		ck_assert_uint_eq(first[i], second[i]);
		for (unsigned j = 0; j < i; j++)
			ck_assert_uint_ne(first[i], first[j]);
	}
}
END_TEST

START_TEST(pieces_of_any_size_change_nothing)
{
	static const uint64_t pieces[] = { 1, 7, 97, 9999, 10000, 10001, 65536, 333333 };
	uint64_t whole[STEPS], cut[STEPS];
	struct rig r;

	rig_start(&r, "timer", typed);
	run_in_pieces(&r, MILLION, whole);
	rig_end(&r);
	rig_start(&r, "timer", typed);
	unsigned steps = pieces[_i] < 1000 ? 1 : STEPS;        /* the smallest take long */
	run_steps(&r, pieces[_i], steps, cut);
	rig_end(&r);
	for (unsigned i = 0; i < steps; i++)
		ck_assert_msg(whole[i] == cut[i], "pieces of %u: state differs after %u million", (unsigned)pieces[_i], i + 1);
}
END_TEST

/* The guest polls a drive whose commands end by deadlines armed in the middle of a stretch of instructions. */
START_TEST(a_device_brings_its_deadline_forward)
{
	uint64_t end[2];

	for (unsigned i = 0; i < 2; i++) {
		struct rig r;
		struct disk *disk = disk_memory(65536);
		rig_start_with(&r, "diskwrite", NULL, (struct machine_config){ .disk = { disk }, .disk_name = { "memory" } });
		while (machine_run(r.m, i ? 97 : 50 * MILLION) == MACHINE_RAN)
			;
		end[i] = machine_now(r.m);
		ck_assert_str_eq(r.out, "ok\n");
		rig_end(&r);
		disk->close(disk);
	}
	ck_assert_uint_eq(end[0], end[1]);
}
END_TEST

START_TEST(replaying_the_log_gives_the_same_state)
{
	uint64_t live[STEPS], replayed[STEPS];
	struct rig r, again;

	rig_start(&r, "timer", typed);
	run_in_pieces(&r, MILLION, live);
	ck_assert_uint_gt(r.m->input.count, 5);
	rig_start(&again, "timer", NULL);
	ck_assert_int_eq(input_replay(&again.m->input, r.m->input.event, r.m->input.count), 0);
	run_in_pieces(&again, 12345, replayed);
	for (unsigned i = 0; i < STEPS; i++)
		ck_assert_msg(live[i] == replayed[i], "differs after %u million", i + 1);
	rig_end(&r);
	rig_end(&again);
}
END_TEST

START_TEST(other_input_gives_another_state)
{
	uint64_t first[STEPS], second[STEPS];
	struct rig r;

	rig_start(&r, "timer", typed);
	run_in_pieces(&r, MILLION, first);
	rig_end(&r);
	rig_start(&r, "timer", "The same bytes, typed at the same moments");
	run_in_pieces(&r, MILLION, second);
	rig_end(&r);
	ck_assert_uint_ne(first[STEPS - 1], second[STEPS - 1]);
}
END_TEST

START_TEST(a_seed_moves_interrupts_and_repeats)
{
	uint64_t hash[3];
	static const uint64_t seeds[3] = { 0, 1, 1 };

	for (unsigned i = 0; i < 3; i++) {
		struct rig r;
		rig_start_with(&r, "timer", NULL, (struct machine_config){ .seed = seeds[i] });
		machine_run(r.m, 3 * MILLION);
		hash[i] = machine_hash(r.m);
		rig_end(&r);
	}
	ck_assert_uint_ne(hash[0], hash[1]);
	ck_assert_uint_eq(hash[1], hash[2]);
}
END_TEST

START_TEST(a_modelled_tlb_changes_no_state)
{
	uint64_t hash[2];

	for (unsigned i = 0; i < 2; i++) {
		struct rig r;
		rig_start_with(&r, "timer", typed, (struct machine_config){ .tlb = i ? (struct tlb_geometry){ 16, 4 } : (struct tlb_geometry){ 0, 0 } });
		machine_run(r.m, 3 * MILLION);
		hash[i] = machine_hash(r.m);
		rig_end(&r);
	}
	ck_assert_uint_eq(hash[0], hash[1]);
}
END_TEST

START_TEST(looking_changes_nothing)
{
	uint64_t watched[STEPS], alone[STEPS];
	struct rig r;

	rig_start(&r, "timer", typed);
	run_in_pieces(&r, MILLION, alone);
	rig_end(&r);
	rig_start(&r, "timer", typed);
	for (unsigned i = 0; i < STEPS; i++) {
		for (unsigned j = 0; j < 10; j++) {
			paddr_t pa;
			machine_run(r.m, MILLION / 10);
			machine_hash(r.m);
			mmu_peek(&r.m->mmu, 0x100000 + 4096 * j, &pa);
		}
		watched[i] = machine_hash(r.m);
	}
	rig_end(&r);
	for (unsigned i = 0; i < STEPS; i++)
		ck_assert_uint_eq(watched[i], alone[i]);
}
END_TEST

START_TEST(two_machines_in_one_process_do_not_meet)
{
	uint64_t alone[STEPS], hash;
	struct rig a, b, c;

	rig_start(&a, "timer", typed);
	run_in_pieces(&a, MILLION, alone);
	rig_end(&a);
	rig_start(&a, "timer", typed);
	rig_start(&b, "echo", "ABCq");
	rig_start(&c, "timer", "something else");
	bool b_runs = true;
	for (unsigned i = 0; i < STEPS; i++) {
		machine_run(a.m, MILLION / 2);
		if (b_runs)
			b_runs = machine_run(b.m, MILLION) == MACHINE_RAN;
		machine_run(c.m, 3 * MILLION / 2);
		machine_run(a.m, MILLION / 2);
		hash = machine_hash(a.m);
		ck_assert_msg(hash == alone[i], "a neighbour changed the machine in million %u", i + 1);
	}
	ck_assert_str_eq(b.out, "ready\nABC\n");
	ck_assert(!b_runs);
	rig_end(&a);
	rig_end(&b);
	rig_end(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("machine");
	TCase *t = tcase_create("machine");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_guest_can_print_and_power_off);
	tcase_add_test(t, isa_debug_exit_hands_out_its_value);
	tcase_add_test(t, hlt_with_interrupts_off_is_the_end);
	tcase_add_test(t, a_fault_without_gates_is_a_triple_fault);
	tcase_add_test(t, the_instruction_limit_is_exact);
	tcase_add_test(t, every_reset_line_restarts_the_kernel_with_memory_kept);
	tcase_add_test(t, closing_A20_wraps_data_and_code_at_once);
	tcase_add_test(t, an_x87_error_stops_the_processor_until_its_interrupt_is_handled);
	tcase_add_test(t, the_NMI_button_is_masked_by_port_70);
	tcase_add_test(t, the_keyboard_controller_pulses_INIT_and_port_CF9_RESET);
	tcase_add_test(t, an_x87_error_is_interrupt_13_until_port_F0);
	tcase_add_test(t, no_two_devices_claim_a_port_and_all_have_names);
	tcase_add_test(t, a_run_takes_exactly_the_ticks_asked_for);
	tcase_add_test(t, halting_skips_time_to_the_next_interrupt);
	tcase_add_test(t, the_same_input_gives_the_same_state_every_million_ticks);
	tcase_add_loop_test(t, pieces_of_any_size_change_nothing, 0, 8);
	tcase_add_test(t, a_device_brings_its_deadline_forward);
	tcase_add_test(t, replaying_the_log_gives_the_same_state);
	tcase_add_test(t, other_input_gives_another_state);
	tcase_add_test(t, a_seed_moves_interrupts_and_repeats);
	tcase_add_test(t, a_modelled_tlb_changes_no_state);
	tcase_add_test(t, looking_changes_nothing);
	tcase_add_test(t, two_machines_in_one_process_do_not_meet);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
