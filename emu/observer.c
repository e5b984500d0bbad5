/* emu/observer.c: see observer.h. Each low-level hook is installed only while an observer that is to be told asks for it, so that what
 * nobody watches runs as fast as if there were no observers. */
#include "emu/observer.h"

#include <stddef.h>
#include <string.h>

#include "emu/machine.h"

/* --- telling -------------------------------------------------------------------------------------------------------- */

static bool heard(const struct machine *m, const struct observer *o)
{
	return !m->quiet || o->even_quiet;
}

/* Calls one callback of every observer that has it and is to be told. */
#define TELL(m, callback, ...) do { \
	struct machine *m_ = (m); \
	for (struct observer *o_ = m_->observers; o_; o_ = o_->next) \
		if (o_->callback && heard(m_, o_)) \
			o_->callback(o_->owner, m_, ##__VA_ARGS__); \
} while (0)

static void on_instruction(void *owner, const struct cpu *cpu)
{
	(void)cpu;
	TELL(owner, instruction);
}

/* All are told, also when the first wants to stop. */
static bool on_exception(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	struct machine *m = owner;
	bool stop = false;

	(void)cpu;
	for (struct observer *o = m->observers; o; o = o->next)
		if (o->exception && heard(m, o))
			stop |= o->exception(o->owner, m, r);
	return stop;
}

static void on_delivered(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	(void)cpu;
	TELL(owner, delivered, r);
}

static void on_iret(void *owner, const struct cpu *cpu)
{
	(void)cpu;
	TELL(owner, iret);
}

static void on_control(void *owner, const struct cpu *cpu, const struct register_write *w)
{
	(void)cpu;
	TELL(owner, control, w);
}

static bool on_guarded(void *owner, uint32_t vpn, uint32_t frame)
{
	struct machine *m = owner;

	for (struct observer *o = m->observers; o; o = o->next)
		if (o->guarded && heard(m, o) && o->guarded(o->owner, m, vpn, frame))
			return true;
	return false;
}

static void on_alone(void *owner, const struct cpu *cpu)
{
	(void)cpu;
	TELL(owner, alone);
}

static void on_walked(void *owner, const struct walk *w)
{
	TELL(owner, walked, w);
}

static void on_translated(void *owner, const struct access *a, const struct tlb_entry *e, bool hit)
{
	TELL(owner, translated, a, e, hit);
}

static void on_tlb_changed(void *owner, const struct tlb_entry *old, const struct tlb_entry *new)
{
	TELL(owner, tlb_changed, old, new);
}

static void on_accessed(void *owner, const struct phys_access *a)
{
	TELL(owner, accessed, a);
}

void observer_port(struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	TELL(m, port, port, size, write, value);
}

void machine_jumped(struct machine *m)
{
	for (struct observer *o = m->observers; o; o = o->next)
		if (o->jumped)
			o->jumped(o->owner, m);
}

/* --- what is watched, while nobody may be told of it ------------------------------------------------------------------ */

static bool wants_memory(const struct machine *m)
{
	for (const struct observer *o = m->observers; o; o = o->next)
		if (heard(m, o) && (o->accessed || o->translated))
			return true;
	return false;
}

/* Puts the watches aside: a quiet machine runs at full speed. */
static void suspend_watches(struct machine *m)
{
	m->watches = (struct watches){ true, m->phys.watched, m->mmu.watched_vpn, m->mmu.all_watched };
	m->phys.watched = NULL;
	m->mmu.watched_vpn = NULL;
	m->mmu.all_watched = 0;
}

static void resume_watches(struct machine *m)
{
	/* What has been opened meanwhile is closed again. */
	mmu_watch_all(&m->mmu, true);
	mmu_watch_all(&m->mmu, false);
	m->phys.watched = m->watches.frames;
	m->mmu.watched_vpn = m->watches.vpns;
	m->mmu.all_watched = m->watches.all;
	m->watches = (struct watches){ 0 };
}

static void place_watches(struct machine *m)
{
	bool aside = m->quiet && !wants_memory(m);

	if (aside && !m->watches.aside)
		suspend_watches(m);
	else if (!aside && m->watches.aside)
		resume_watches(m);
}

/* --- hooks ------------------------------------------------------------------------------------------------------------ */

/* The hook when somebody is to be told, else NULL. */
#define HOOK(m, callback) (wants(m, offsetof(struct observer, callback)) ? on_##callback : NULL)

static bool wants(const struct machine *m, size_t callback)
{
	for (const struct observer *o = m->observers; o; o = o->next) {
		void (*set)(void);
		memcpy(&set, (const char *)o + callback, sizeof(set));
		if (set && heard(m, o))
			return true;
	}
	return false;
}

static void install(struct machine *m)
{
	bool guarded = m->cpu.watch.guarded;

	m->ports_observed = wants(m, offsetof(struct observer, port));
	m->cpu.watch = (struct cpu_watch){
		.instruction = HOOK(m, instruction), .exception = HOOK(m, exception), .delivered = HOOK(m, delivered), .iret = HOOK(m, iret),
		.control = HOOK(m, control), .guarded = HOOK(m, guarded), .alone = HOOK(m, alone), .ports = m->ports_observed, .owner = m,
	};
	m->mmu.walked = HOOK(m, walked);
	m->mmu.translated = HOOK(m, translated);
	m->mmu.tlb_changed = HOOK(m, tlb_changed);
	m->mmu.walked_owner = m;
	m->phys.accessed = HOOK(m, accessed);
	m->phys.accessed_owner = m;
	place_watches(m);
	if (guarded || m->cpu.watch.guarded)
		machine_watch_code(m);
}

void machine_observe(struct machine *m, struct observer *o)
{
	struct observer **last = &m->observers;

	while (*last)
		last = &(*last)->next;
	o->next = NULL;
	*last = o;
	install(m);
}

void machine_unobserve(struct machine *m, struct observer *o)
{
	for (struct observer **at = &m->observers; *at; at = &(*at)->next) {
		if (*at != o)
			continue;
		*at = o->next;
		o->next = NULL;
		install(m);
		return;
	}
}

void machine_quiet(struct machine *m, bool quiet)
{
	bool was = m->quiet;

	if (quiet)
		m->quiet++;
	else
		m->quiet -= m->quiet != 0;
	if (was != !!m->quiet)
		install(m);
}

void observers_forget(struct machine *m)
{
	m->observers = NULL;
	m->quiet = 0;
	if (m->watches.aside)
		resume_watches(m);
}

/* --- what observers ask for ------------------------------------------------------------------------------------------- */

void machine_stop_soon(struct machine *m)
{
	m->want_stop = true;
	cpu_request_stop(&m->cpu);
}

void machine_watch_code(struct machine *m)
{
	cpu_forget_code(&m->cpu);
}

/* The count is kept where it belongs, also while the watches are put aside. */
int machine_watch_frame(struct machine *m, uint32_t frame, bool on)
{
	bool aside = m->watches.aside;

	if (aside)
		resume_watches(m);
	int err = phys_watch(&m->phys, frame, on);
	if (!err && on)
		mmu_forget_frame(&m->mmu, frame);
	if (aside)
		suspend_watches(m);
	return err;
}

int machine_watch_vpn(struct machine *m, uint32_t vpn, bool on)
{
	bool aside = m->watches.aside;

	if (aside)
		resume_watches(m);
	int err = mmu_watch_vpn(&m->mmu, vpn, on);
	if (aside)
		suspend_watches(m);
	return err;
}

void machine_watch_all(struct machine *m, bool on)
{
	bool aside = m->watches.aside;

	if (aside)
		resume_watches(m);
	mmu_watch_all(&m->mmu, on);
	if (aside)
		suspend_watches(m);
}
