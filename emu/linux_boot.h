/* emu/linux_boot.h: starts a Linux kernel (bzImage) without firmware, at its 32-bit entry point.
 *
 *   bzImage   sector 0: boot sector, the setup header from 0x1f1 on | setup code, run by a BIOS only | protected-mode code
 *
 *   0x010000  boot_params, the "zero page": screen, memory map, a copy of the setup header
 *   0x011000  GDT with the two segments the entry point expects
 *   0x012000  command line
 *   0x100000  protected-mode code; the kernel decompresses itself to pref_address and needs init_size bytes there
 *   ....      the initrds, end to end, as high as the kernel and memory allow
 *
 * References: [LINUXBOOT "The Real-Mode Kernel Header"], [LINUXBOOT "32-bit Boot Protocol"], [ZEROPAGE "Zero Page"].
 * Not implemented: the 16-bit entry point, setup_data, EDD, APM and EFI information.
 */
#ifndef EMU_LINUX_BOOT_H
#define EMU_LINUX_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/cpu.h"
#include "mmu/phys.h"

struct kernel;

/* Offsets in sector 0 of the file, and equally in boot_params. */
#define LINUX_SETUP_SECTS    0x1f1
#define LINUX_SYSSIZE        0x1f4         /* of the protected-mode code, in 16 bytes */
#define LINUX_BOOT_FLAG      0x1fe
#define LINUX_JUMP           0x200         /* a short jump over the header: its distance tells the header's size */
#define LINUX_MAGIC          0x202
#define LINUX_VERSION        0x206
#define LINUX_LOADER_TYPE    0x210
#define LINUX_LOADFLAGS      0x211
#define LINUX_RAMDISK_IMAGE  0x218
#define LINUX_RAMDISK_SIZE   0x21c
#define LINUX_CMD_LINE_PTR   0x228
#define LINUX_INITRD_MAX     0x22c         /* from 2.03: the last byte an initrd may occupy */
#define LINUX_ALIGNMENT      0x230         /* from 2.05 */
#define LINUX_RELOCATABLE    0x234         /* from 2.05 */
#define LINUX_XLOADFLAGS     0x236         /* from 2.12 */
#define LINUX_CMDLINE_SIZE   0x238         /* from 2.06 */
#define LINUX_PREF_ADDRESS   0x258         /* from 2.10, 8 bytes */
#define LINUX_INIT_SIZE      0x260         /* from 2.10 */

#define LINUX_HDRS           0x53726448u   /* "HdrS" */
#define LINUX_LOADED_HIGH    0x01          /* of loadflags: bzImage */
#define LINUX_KERNEL_64      0x01          /* of xloadflags: has a 64-bit entry point */
#define LINUX_LOADER_UNKNOWN 0xff          /* we have no number assigned */

/* Offsets in boot_params only. */
#define BOOT_PARAMS_SIZE     4096
#define BP_VIDEO_PAGE        0x04
#define BP_VIDEO_MODE        0x06
#define BP_VIDEO_COLS        0x07
#define BP_VIDEO_EGA_BX      0x0a
#define BP_VIDEO_LINES       0x0e
#define BP_VIDEO_IS_VGA      0x0f
#define BP_VIDEO_POINTS      0x10
#define BP_ALT_MEM_K         0x1e0         /* memory above 1 MB, as INT 15h function E801h counts it */
#define BP_E820_ENTRIES      0x1e8
#define BP_E820_TABLE        0x2d0         /* start, size: 8 bytes each; type: 4 */

#define LINUX_BOOT_PARAMS 0x10000u         /* where they go */
#define LINUX_GDT         0x11000u
#define LINUX_LINE        0x12000u
#define LINUX_LINE_LIMIT  0xfffu
#define LINUX_CODE        0x100000u
#define LINUX_BOOT_CS     0x10
#define LINUX_BOOT_DS     0x18

/* What the setup header says, checked. */
struct linux_setup {
	uint32_t header_end;           /* offset behind the header */
	uint32_t line_max;             /* longest command line, without its zero */
	uint64_t initrd_end;           /* no byte of an initrd at or above this */
};

bool linux_recognise(const uint8_t *data, size_t size);
/* The steps of kernel_open, kernel_check and kernel_place for such a file. 0, or -1 with one line in err. */
int linux_open(struct kernel *k, char *err);
int linux_check(const struct kernel *k, uint64_t ram_size, char *err);
void linux_place(const struct kernel *k, struct phys *phys, struct cpu *cpu);

#endif
