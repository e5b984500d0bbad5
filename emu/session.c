/* emu/session.c: see session.h. */
#include "emu/session.h"

#include <string.h>

#include "emu/outputs.h"
#include "emu/run.h"
#include "emu/terminal.h"

/* A slice is 10 ms of virtual time, or less where that takes the host longer. */
#define SLICE_TICKS (CLOCK_HZ / 100)
#define SLICE_LEAST (SLICE_TICKS >> 10)
#define SLICE_NS 10000000ull           /* of the host's time; about what the longest slice takes an interpreter at 100 MIPS */
#define NS_PER_TICK (1000000000ull / CLOCK_HZ)
#define LATE_NS 50000000ull

/* --- time ------------------------------------------------------------------------------------------------------------- */

void session_start(struct session *s)
{
	s->started_ns = s->pace_ns = host_ns();
	s->pace_tick = machine_now(s->machine);
	if (s->options.timeout_ms)
		s->console.until_ns = s->started_ns + s->options.timeout_ms * 1000000;
}

bool session_timed_out(const struct session *s)
{
	return s->options.timeout_ms && host_ns() - s->started_ns >= s->options.timeout_ms * 1000000;
}

uint64_t session_next_slice(uint64_t ticks, uint64_t took_ns)
{
	if (!ticks)
		return SLICE_LEAST;
	if (took_ns > SLICE_NS && ticks / 2 >= SLICE_LEAST)
		return ticks / 2;
	return took_ns < SLICE_NS / 2 && ticks * 2 <= SLICE_TICKS ? ticks * 2 : ticks;
}

enum machine_stop session_run(struct session *s, uint64_t ticks)
{
	return s->history ? history_run(s->history, ticks) : machine_run(s->machine, ticks);
}

static void keep_pace(struct session *s)
{
	uint64_t now = host_ns();

	if (!console_paced(&s->console)) {
		s->pace_ns = now;
		s->pace_tick = machine_now(s->machine);
		return;
	}
	uint64_t due = s->pace_ns + (machine_now(s->machine) - s->pace_tick) * NS_PER_TICK;
	if (now > due + LATE_NS) {
		s->pace_ns = now;
		s->pace_tick = machine_now(s->machine);
	}
	console_wait(&s->console, now < due ? (int)((due - now + 999999) / 1000000) : 0);
}

/* What goes wrong with what the run keeps is said when it does. */
static void tell_trouble(struct session *s)
{
	const char *notice = s->history ? history_notice(s->history) : NULL;

	if (notice)
		complain(0, "%s", notice);
	int lost = trace_flush(&s->trace);
	if (lost)
		complain(0, "the trace is not complete: %s; tracing has stopped, the guest runs on", strerror(-lost));
}

void session_pause(struct session *s)
{
	tell_trouble(s);
	console_flush(&s->console);
	keep_pace(s);
}

/* --- start and end ---------------------------------------------------------------------------------------------------- */

static void on_device_log(void *owner, enum log_level level, const char *device, const char *text)
{
	struct session *s = owner;

	(void)level;
	trace_device(&s->trace, device, text);
}

static void on_output(void *owner, uint8_t byte)
{
	struct session *s = owner;

	console_put(&s->console, byte);
	if (s->tap.put)
		s->tap.put(s->tap.owner, byte);
}

/* As the options describe it, before power-on. */
static struct machine_config planned_machine(const struct session *s)
{
	const struct run_options *o = &s->options;
	struct machine_config config = { .memory = o->memory, .tlb = o->tlb, .seed = o->seed, .kernel = &s->plan.kernel };

	_Static_assert(MAX_DISKS <= MACHINE_DISKS, "every --disk has a drive to go into");
	for (unsigned i = 0; i < s->plan.disks; i++) {
		config.disk[i] = s->plan.disk[i];
		config.disk_name[i] = s->plan.disk_name[i];
	}
	return config;
}

static int build_machine(struct session *s, char *err)
{
	const struct run_options *o = &s->options;
	struct machine_config config = o->load ? s->loaded.config : planned_machine(s);

	config.stop_at_reset |= o->no_reboot;
	config.serial = config.debug = (struct char_out){ on_output, s };
	config.input = (struct input_source){ console_next, &s->console };        /* without a stream still what a debugger types */
	config.log = (struct device_log){ on_device_log, s };
	s->machine = machine_create(&config, err);
	if (!s->machine || (o->load && state_apply(&s->loaded, s->machine, err)))
		return -1;
	if (o->max_instructions)
		s->machine->instruction_limit = cpu_icount(&s->machine->cpu) + o->max_instructions;
	if (config.kernel)
		symbols_load(&s->symbols, config.kernel);
	trace_attach(&s->trace, s->machine);
	if (s->loaded.recording && input_replay(&s->machine->input, s->loaded.input, s->loaded.inputs))
		return loader_fail(err, "out of memory");
	if ((o->history || o->gdb || s->debugged) && !(s->history = history_create(s->machine, o->history, err)))
		return -1;
	return session_record(s, err);
}

int session_open(struct session *s, char *err)
{
	if (s->options.load ? session_load(s, err) : plan_make(&s->plan, &s->options, err))
		return -1;
	if (outputs_check(&s->options, &s->plan, err))
		return -1;
	if (trace_open(&s->trace, s->options.trace, s->options.trace_path, err))
		return -1;
	signals_install();
	bool none = s->debugged && !s->options.serial_given;
	if (console_open(&s->console, none ? SERIAL_NONE : s->options.serial, s->options.serial_path, err) || build_machine(s, err)) {
		session_leave(s);
		return -1;
	}
	return 0;
}

int session_leave(struct session *s)
{
	console_close(&s->console);
	return trace_close(&s->trace);
}

void session_close(struct session *s)
{
	history_free(s->history);
	s->history = NULL;
	machine_free(s->machine);
	symbols_free(&s->symbols);
	plan_free(&s->plan);
	state_close(&s->loaded);
	s->machine = NULL;
}
