/* demo.h: how a demonstration talks: a heading before each step, evidence from the kernel, and a check of that evidence. */
#ifndef DEMO_H
#define DEMO_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <vm.h>

static inline void demo_step(const char *what) { printf("\n== %s\n", what); }

/* The evidence must be as claimed; otherwise the demonstration ends here and says so. */
static inline void demo_check(bool as_claimed, const char *claim)
{
	if (as_claimed) {
		printf("   checked: %s\n", claim);
		return;
	}
	printf("   NOT AS CLAIMED: %s\n", claim);
	exit(1);
}

static inline void demo_needs_pagoda(void)
{
	if (vm_is_pagoda())
		return;
	puts("This demonstration reads counters that only Pagoda's kernel has.");
	exit(2);
}

static inline struct page_info demo_page(const volatile void *address)
{
	struct page_info p = {0};

	if (vm_page_of(0, address, &p) < 0) {
		puts("   /proc/self/pagemap cannot be read");
		exit(1);
	}
	return p;
}

#endif
