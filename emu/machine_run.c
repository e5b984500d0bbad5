/* emu/machine_run.c: the loop that moves virtual time, and what can end it.
 *
 *       +--> devices' deadlines due now fire, in order; then input enters
 *       |    run the processor to the nearest of: device deadline, input tick, end of the run, instruction limit
 *       +--- halted? time skips to the same point instead
 *
 * A device that arms a nearer deadline while an instruction runs (clock.sooner) moves the processor's stopping point forward.
 */
#include <string.h>

#include "emu/machine.h"

#define UART_IRQ 4

uint64_t machine_now(const struct machine *m)
{
	return cpu_icount(&m->cpu) + m->skipped;
}

static void take_input(struct machine *m)
{
	uint64_t now = machine_now(m);

	if (input_next_tick(&m->input, now) == UINT64_MAX)
		return;
	while (uart_can_receive(&m->uart)) {
		int byte = input_take(&m->input, now);
		if (byte < 0)
			break;
		uart_receive(&m->uart, (uint8_t)byte);
	}
}

/* Nothing but a reset wakes a processor halted with interrupts off; NMI has no source but the button. */
static bool halted_forever(const struct machine *m)
{
	return m->cpu.halted && !(cpu_eflags(&m->cpu) & F_IF) && !m->cpu.nmi_pending;
}

/* A device whose line is masked cannot wake the processor, however often its time comes. */
bool machine_wants_input(const struct machine *m)
{
	const struct pic_chip *chip = m->pic.chip;
	unsigned open = (uint8_t)~chip[0].imr | (unsigned)(uint8_t)~chip[1].imr << 8;
	bool cascade = open & 0xff00 && open & 1u << 2, recorded = m->input.replaying && m->input.position < m->input.count;

	return m->cpu.halted && !halted_forever(m) && !m->cpu.intr && !m->cpu.nmi_pending && !recorded && !cascade &&
		(clock_next_deadline(&m->clock) == UINT64_MAX || !(open & 0xff & ~(1u << UART_IRQ | 1u << 2)));
}

/* The requests of devices, the most final first. */
static bool ended(struct machine *m, enum machine_stop *why)
{
	if (m->want_power_off)
		*why = MACHINE_POWER_OFF;
	else if (m->want_debug_exit)
		*why = MACHINE_DEBUG_EXIT;
	else if (m->cpu.shutdown && !m->want_reset)
		*why = MACHINE_TRIPLE_FAULT;
	else if (m->want_stop)
		*why = MACHINE_REQUESTED;
	else if (m->cpu.icount >= m->instruction_limit)
		*why = MACHINE_INSTRUCTION_LIMIT;
	else
		return false;
	m->want_stop = false;
	return true;
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* The tick at which the loop must look again. */
static uint64_t next_event(const struct machine *m, uint64_t now, uint64_t end)
{
	uint64_t next = earlier(end, clock_next_deadline(&m->clock));

	next = earlier(next, input_next_tick(&m->input, now));
	uint64_t left = m->instruction_limit - m->cpu.icount;
	return left < UINT64_MAX - now ? earlier(next, now + left) : next;
}

/* One stretch of instructions, or one skip. */
static void advance(struct machine *m, uint64_t now, uint64_t end)
{
	uint64_t next = next_event(m, now, end);

	if (next <= now)
		next = now + 1;                        /* replayed input that found no room: try again after one tick */
	enum cpu_stop stop = cpu_run(&m->cpu, next - now);
	bool wanted = m->want_power_off || m->want_debug_exit || m->want_reset || m->want_stop;
	if (stop == CPU_STOP_REQUEST && !wanted)
		m->want_stop = true;                   /* an observer of exceptions asked the processor directly */
	if (stop != CPU_STOP_HALT || wanted || halted_forever(m))
		return;
	if (m->cpu.icount >= m->instruction_limit)
		return;                                /* the first tick of that icount, wherever the run was cut */
	/* HLT ended the stretch early, and perhaps a device brought a deadline forward just before. */
	now = machine_now(m);
	next = earlier(end, clock_next_deadline(&m->clock));
	next = earlier(next, input_next_tick(&m->input, now));
	if (next > now)
		m->skipped += next - now;
}

enum machine_stop machine_run(struct machine *m, uint64_t ticks)
{
	uint64_t end = machine_now(m) + ticks;
	enum machine_stop why;

	for (;;) {
		if (m->want_reset && m->stop_at_reset)
			return MACHINE_RESET;
		if (m->want_reset) {
			char err[ERROR_LINE];
			if (machine_reset(m, err))
				return MACHINE_POWER_OFF;      /* cannot happen: it fitted before */
		}
		clock_fire_due(&m->clock);
		take_input(m);
		if (ended(m, &why))
			return why;
		if (halted_forever(m))
			return MACHINE_HALTED_FOREVER;
		uint64_t now = machine_now(m);
		if (now >= end)
			return MACHINE_RAN;
		advance(m, now, end);
	}
}
