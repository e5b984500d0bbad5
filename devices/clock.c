/* devices/clock.c: deadlines on the virtual clock.
 *
 * Armed timers form one list, nearest first; equal deadlines fire in the order they were armed, so that a run never
 * depends on addresses. A machine has about ten timers: a list is quicker than anything clever.
 */
#include "devices/device.h"

void timer_init(struct timer *t, const char *name, void (*fire)(void *), void *owner)
{
	*t = (struct timer){ .name = name, .fire = fire, .owner = owner };
}

void timer_cancel(struct clock *c, struct timer *t)
{
	if (!t->armed)
		return;
	for (struct timer **at = &c->first; *at; at = &(*at)->next) {
		if (*at == t) {
			*at = t->next;
			break;
		}
	}
	t->next = NULL;
	t->armed = false;
}

void timer_arm(struct clock *c, struct timer *t, uint64_t deadline)
{
	struct timer **at = &c->first;

	timer_cancel(c, t);
	while (*at && (*at)->deadline <= deadline)
		at = &(*at)->next;
	t->deadline = deadline;
	t->armed = true;
	t->next = *at;
	*at = t;
	if (c->first == t && c->sooner)
		c->sooner(c->owner);
}

uint64_t clock_next_deadline(const struct clock *c)
{
	return c->first ? c->first->deadline : UINT64_MAX;
}

/* A timer that fires may arm itself or others; what is then already due fires in the same call. A device therefore
 * never arms a deadline that is not later than the one that fired. */
void clock_fire_due(struct clock *c)
{
	uint64_t now = clock_now(c);

	while (c->first && c->first->deadline <= now) {
		struct timer *t = c->first;

		c->first = t->next;
		t->next = NULL;
		t->armed = false;
		t->fire(t->owner);
	}
}

bool clock_order(struct clock *c, struct timer *const *order, unsigned count)
{
	unsigned armed = 0;

	for (const struct timer *t = c->first; t; t = t->next)
		armed++;
	if (armed != count)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!order[i]->armed || (i && order[i]->deadline < order[i - 1]->deadline))
			return false;
		for (unsigned k = 0; k < i; k++)
			if (order[k] == order[i])
				return false;
	}
	for (unsigned i = 0; i < count; i++)
		order[i]->next = i + 1 < count ? order[i + 1] : NULL;
	c->first = count ? order[0] : NULL;
	return true;
}

uint64_t clock_scale(uint64_t n, uint64_t mul, uint64_t div)
{
	return (uint64_t)((unsigned __int128)n * mul / div);
}
