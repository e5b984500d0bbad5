/* emu/debug/debugger.c: the debugger as a thing: begun, ended, its faces, and changes by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/check/checker.h"
#include "emu/debug/going.h"
#include "emu/debug/notebook.h"
#include "emu/debug/register_names.h"
#include "emu/script/script.h"

int debugger_init(struct debugger *d, struct machine *m, struct history *h, char *err)
{
	*d = (struct debugger){ .m = m, .h = h, .next_id = 1 };
	d->going = calloc(1, sizeof(*d->going));
	if (!d->going)
		return loader_fail(err, "out of memory");
	d->going->limit = m->instruction_limit;
	d->going->skip_tick = d->going->skip_exception_tick = NEVER;
	go_stop(d, STOP_NONE, "not yet run");
	return 0;
}

void debugger_free(struct debugger *d)
{
	if (!d->going)
		return;
	break_disarm(d);
	script_close(d);
	checker_stop(d->checker);
	d->checker = NULL;
	notebook_free(d);
	while (d->breaks)
		debugger_break_delete(d, d->breaks->id);
	free(d->going);
	d->going = NULL;
}

void debugger_attach(struct debugger *d, struct face *f)
{
	struct face **end = &d->faces;

	while (*end)
		end = &(*end)->next;
	f->next = NULL;
	*end = f;
}

void debugger_detach(struct debugger *d, struct face *f)
{
	for (struct face **p = &d->faces; *p; p = &(*p)->next)
		if (*p == f) {
			*p = f->next;
			return;
		}
}

bool debugger_in_past(const struct debugger *d)
{
	return history_in_past(d->h) && !d->going->live;
}

void debugger_output(struct debugger *d, uint8_t byte)
{
	for (struct face *f = d->faces; f; f = f->next)
		if (f->output)
			f->output(f->owner, byte);
}

void debugger_idle(struct debugger *d)
{
	for (struct face *f = d->faces, *next; f; f = next) {
		next = f->next;                        /* it may detach itself */
		if (f->idle)
			f->idle(f->owner);
	}
}

/* --- changes by hand -------------------------------------------------------------------------------------------------- */

/* Where the bytes of [address, + size) lie; false: not all of them are memory. */
static bool writable(const struct debugger *d, bool physical, uint64_t address, size_t size)
{
	uint8_t byte;

	for (size_t i = 0; i < size; i++)
		if (!(physical ? debugger_read_physical(d, address + i, &byte, 1) : debugger_read_linear(d, (uint32_t)(address + i), &byte, 1)))
			return false;
	return true;
}

int debugger_write_memory(struct debugger *d, bool physical, uint64_t address, const void *bytes, size_t size, char *err)
{
	const uint8_t *p = bytes;

	if (!writable(d, physical, address, size))
		return loader_fail(err, "%zu bytes at %s0x%llx are not all memory", size, physical ? "physical " : "", (unsigned long long)address);
	if (history_fork(d->h, err))
		return -1;
	for (size_t i = 0; i < size; i++) {
		paddr_t pa = address + i;
		if (physical || mmu_peek(&d->m->mmu, (uint32_t)(address + i), &pa))
			phys_copy_in(&d->m->phys, pa, p + i, 1);
	}
	machine_jumped(d->m);
	return 0;
}

int debugger_write_register(struct debugger *d, const char *name, uint64_t value, char *err)
{
	if (register_check_write(name, value, err) || history_fork(d->h, err))
		return -1;
	register_write(d->m, name, value);
	machine_jumped(d->m);
	return 0;
}
