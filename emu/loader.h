/* emu/loader.h: starts a kernel without firmware: by version 1 of the Multiboot specification, or as Linux expects it.
 *
 *   file -> kernel_open: ELF32, "a.out kludge" or bzImage, checked, split into segments -> kernel_place: copied to RAM; for a
 *   bzImage as linux_boot.h draws it, for the others with
 *
 *   0x00000   untouched
 *   ....      the boot information: struct, memory map, command line, module list, names; at 0x9f000 downwards, in the
 *   0x9fc00   first page there that no segment wants
 *   0x100000  usually the kernel's segments, then each module on a page boundary
 *
 * References: [Multiboot 3 "The Specification"], [ELF 4 "ELF Header", 5 "Program Header"].
 * Not implemented: video mode selection, drive and APM information, section headers in the boot information.
 */
#ifndef EMU_LOADER_H
#define EMU_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/cpu.h"
#include "emu/linux_boot.h"
#include "mmu/phys.h"

#define KERNEL_SEGMENTS 16
#define KERNEL_MODULES  4

struct kernel_segment { uint32_t pa; uint32_t size; size_t offset; uint32_t filled; };     /* filled bytes come from the file */

struct host_file { char *path; uint8_t *data; size_t size; };

enum kernel_kind { KERNEL_FLAT, KERNEL_ELF, KERNEL_LINUX };

struct kernel {
	enum kernel_kind kind;
	struct host_file file;
	struct kernel_segment segment[KERNEL_SEGMENTS];
	unsigned segments;
	uint32_t entry;
	uint32_t flags;                /* of the Multiboot header */
	struct linux_setup setup;      /* of KERNEL_LINUX */
	struct host_file module[KERNEL_MODULES];
	unsigned modules;
	char *command_line;
};

#define ERROR_LINE 512
/* What a file is, by its first bytes. */
enum image_kind { IMAGE_KERNEL, IMAGE_DISK, IMAGE_DISK_PAGODA };

/* Puts one line into err (ERROR_LINE bytes); -1. */
int loader_fail(char *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The memory map of this PC, in ascending order. The types have the same numbers in Multiboot, E820 and Linux. */
#define MEMORY_RANGES   4
#define MEMORY_USABLE   1
#define MEMORY_RESERVED 2
struct memory_range { uint64_t start, end; uint32_t type; };
/* Fills map; how many. ram_size at least 1 MB. */
unsigned memory_map(uint64_t ram_size, struct memory_range map[MEMORY_RANGES]);

/* Reads a regular file whole. 0, or -1 with one line in err that names the path. what: "kernel", "initrd". */
int host_file_read(struct host_file *f, const char *path, const char *what, char *err);
void host_file_free(struct host_file *f);
/* -1 with one line in err when path cannot be either. */
int image_kind(const char *path, enum image_kind *kind, char *err);

/* 0, or -1 with one line in err (ERROR_LINE bytes). */
int kernel_open(struct kernel *k, const char *path, char *err);
/* ... from bytes in memory, which are copied; name is for messages. */
int kernel_from_memory(struct kernel *k, const char *name, const uint8_t *data, size_t size, char *err);
int kernel_add_module(struct kernel *k, const char *path, char *err);
int kernel_add_module_from_memory(struct kernel *k, const char *name, const uint8_t *data, size_t size, char *err);
int kernel_set_command_line(struct kernel *k, const char *line, char *err);
void kernel_close(struct kernel *k);
/* Would everything fit in this much RAM? 0, or -1 with one line in err. */
int kernel_check(const struct kernel *k, uint64_t ram_size, char *err);
/* Copies everything to RAM and puts the processor in the state the specification promises. As kernel_check. */
int kernel_place(const struct kernel *k, struct phys *phys, struct cpu *cpu, char *err);

#endif
