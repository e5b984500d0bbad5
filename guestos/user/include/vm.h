/* vm.h: a program's view of the paging done on its behalf (lib/vm.c).
 *
 * Everything comes from files the kernel keeps up to date:
 *   /proc/vmstat        one "name value" line per counter, for the whole machine
 *   /proc/meminfo       "Name:   value kB" lines
 *   /proc/PID/pagemap   8 bytes per page of the address space
 *                       63 present | 62 in swap | 54:0 frame number, or swap slot << 5
 *   /proc/policy        name of the replacement policy in force, then a table of what each has done
 *   /proc/loadcontrol   on or off, and what it does
 *   /proc/prefetch      on or off, and how many of the pages brought ahead were used
 *   /proc/kpagecount    8 bytes per frame: how many page-table entries map it
 */
#ifndef VM_H
#define VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_SIZE 4096u
#define PAGE_OF(p) ((uintptr_t)(p) & ~(uintptr_t)(PAGE_SIZE - 1))

struct page_info {
	bool present, swapped;
	uint32_t frame;                /* when present */
	uint32_t slot;                 /* when swapped */
};

long vm_counter(const char *name);             /* a line of /proc/vmstat; -1 if there is none */
long vm_meminfo_kb(const char *name);          /* a line of /proc/meminfo; -1 if there is none */
int vm_page_of(pid_t pid, const volatile void *address, struct page_info *page);       /* 0 is the caller; 0 or -1 */
long vm_frame_refs(uint32_t frame);            /* -1 if unknown */
int vm_setting(const char *path, char *word, size_t size);     /* the first word in a file of /proc; 0 or -1 */
int vm_switch(const char *path, const char *word);     /* writes a word to a file of /proc; 0 or -1 */
int vm_setting_command(const char *path, const char *usage, int argc, char **argv);    /* shows the file, or switches: policy(1) and its like */

/* What the kernel holds for programs: pages in memory or in swap (each once), page tables, its own frames, its heap. */
struct vm_held { long private, tables, kernel, heap; };
struct vm_held vm_held_now(void);
bool vm_held_again(const struct vm_held *before, struct vm_held *now);         /* true once no more is held; waits a few seconds */

bool vm_is_pagoda(void);                       /* false on a host that only shares the system calls */
long vm_resident(void);                        /* pages of this process in memory; -1 */
long vm_faults(void);                          /* page faults of this process so far, minor and major */

/* The caller's state of one page, in words, for evidence lines. */
const char *vm_describe(const volatile void *address, char *buf, size_t size);

#endif
