/* lib/vm.c: reading the kernel's paging counters and maps; the formats are in vm.h.
 * No buffer here is on the heap: asking must not itself change what is measured. */
#include <vm.h>

#include <complain.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read_full(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
}

/* The number after "name" at the start of a line; -1 if there is none. */
static long number_in(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, name, len) == 0 && (line[len] == ' ' || line[len] == ':'))
			return strtol(line + len + 1, NULL, 10);
	return -1;
}

static long number_in_file(const char *path, const char *name)
{
	char text[2048];

	read_text(path, text, sizeof(text));
	return number_in(text, name);
}

long vm_counter(const char *name) { return number_in_file("/proc/vmstat", name); }
long vm_meminfo_kb(const char *name) { return number_in_file("/proc/meminfo", name); }

long vm_resident(void)
{
	long kb = number_in_file("/proc/self/status", "VmRSS");
	return kb < 0 ? -1 : kb / 4;
}

static int read_entry(const char *path, uint32_t index, uint64_t *entry)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -1;
	ssize_t n = pread(fd, entry, sizeof(*entry), (off_t)(index * sizeof(*entry)));
	close(fd);
	return n == sizeof(*entry) ? 0 : -1;
}

int vm_page_of(pid_t pid, const volatile void *address, struct page_info *page)
{
	char path[40];
	uint64_t entry;

	snprintf(path, sizeof(path), pid ? "/proc/%d/pagemap" : "/proc/self/pagemap", (int)pid);
	if (read_entry(path, (uintptr_t)address / PAGE_SIZE, &entry) < 0)
		return -1;
	page->present = entry >> 63;
	page->swapped = entry >> 62 & 1;
	page->frame = page->present ? (uint32_t)entry : 0;
	page->slot = page->swapped ? (uint32_t)entry >> 5 : 0;
	return 0;
}

long vm_frame_refs(uint32_t frame)
{
	uint64_t entry;
	return read_entry("/proc/kpagecount", frame, &entry) < 0 ? -1 : (long)entry;
}

int vm_setting(const char *path, char *word, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read_full(fd, word, size - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -1;
	word[n] = 0;
	for (char *p = word; *p; p++)
		if (*p == '\n' || *p == ' ')
			*p = 0;
	return 0;
}

int vm_switch(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, word, strlen(word));
	close(fd);
	return n < 0 ? -1 : 0;
}

int vm_setting_command(const char *path, const char *usage, int argc, char **argv)
{
	char text[512];
	ssize_t n;

	if (argc > 2)
		return complain_usage(usage);
	if (argc == 2 && vm_switch(path, argv[1]) < 0)
		return errno == EINVAL ? complain_usage(usage) : complain(argv[1]);
	if (argc == 2)
		return 0;
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return complain(path);
	while ((n = read(fd, text, sizeof(text))) > 0)
		write(1, text, n);
	close(fd);
	return n < 0 ? complain(path) : 0;
}

#define HEAP_SLACK 6                   /* frames of the kernel's heap that fragmentation may keep */

struct vm_held vm_held_now(void)
{
	char text[1024];

	read_text("/proc/frames", text, sizeof(text));         /* one text, so that its numbers are of one moment */
	return (struct vm_held){
		/* A page whose copy in swap is still good is counted in both places. */
		.private = number_in(text, "anon") - number_in(text, "inslot") + vm_counter("swap_used"),
		.tables = number_in(text, "table"), .kernel = number_in(text, "kernel"), .heap = number_in(text, "heap")};
}

/* Ending takes the kernel a moment: orphans are collected by init. Counts that could not be read (-1) are not again what they were. */
bool vm_held_again(const struct vm_held *before, struct vm_held *now)
{
	for (int i = 0; i < 60; i++, usleep(50000)) {
		*now = vm_held_now();
		if (now->kernel > 0 && now->private <= before->private && now->tables <= before->tables && now->kernel <= before->kernel
		    && now->heap <= before->heap + HEAP_SLACK)
			return true;
	}
	return false;
}

bool vm_is_pagoda(void)
{
	struct utsname u;
	return uname(&u) == 0 && strcmp(u.sysname, "Pagoda") == 0;
}

long vm_faults(void)
{
	struct rusage usage;
	return getrusage(RUSAGE_SELF, &usage) < 0 ? -1 : usage.ru_minflt + usage.ru_majflt;
}

const char *vm_describe(const volatile void *address, char *buf, size_t size)
{
	struct page_info page;

	if (vm_page_of(0, address, &page) < 0)
		snprintf(buf, size, "unknown");
	else if (page.present)
		snprintf(buf, size, "present in frame %u, mapped %ld time%s", (unsigned)page.frame,
			vm_frame_refs(page.frame), vm_frame_refs(page.frame) == 1 ? "" : "s");
	else if (page.swapped)
		snprintf(buf, size, "in swap slot %u", (unsigned)page.slot);
	else
		snprintf(buf, size, "not present");
	return buf;
}
