/* emu/multiboot.h: numbers of the Multiboot specification, version 1, and the layout of the boot information.
 *
 *   +0 flags | +4 mem_lower +8 mem_upper | +16 cmdline | +20 mods_count +24 mods_addr | +44 mmap_length +48 mmap_addr
 *   +64 boot_loader_name
 *
 * References: [Multiboot 3.1 "OS image format"], [Multiboot 3.2 "Machine state"], [Multiboot 3.3 "Boot information format"].
 */
#ifndef EMU_MULTIBOOT_H
#define EMU_MULTIBOOT_H

#define MULTIBOOT_SEARCH       8192        /* the header lies within the first 8 KB */
#define MULTIBOOT_HEADER_MAGIC 0x1badb002u
#define MULTIBOOT_LOADED_MAGIC 0x2badb002u /* in EAX at entry */

/* Flags of the header. A loader must refuse a kernel that sets one of the low 16 it does not know. */
#define MULTIBOOT_MUST      0x0000ffffu
#define MULTIBOOT_ALIGN     (1u << 0)      /* modules on page boundaries; ours always are */
#define MULTIBOOT_MEMORY    (1u << 1)      /* wants the memory map; it always gets one */
#define MULTIBOOT_VIDEO     (1u << 2)      /* would like a video mode: text mode is a valid answer */
#define MULTIBOOT_KNOWN     (MULTIBOOT_ALIGN | MULTIBOOT_MEMORY | MULTIBOOT_VIDEO)
#define MULTIBOOT_ADDRESSES (1u << 16)     /* the header holds load addresses */

/* Boot information: offsets and flags. */
#define MBI_FLAGS 0
#define MBI_MEM_LOWER 4
#define MBI_MEM_UPPER 8
#define MBI_CMDLINE 16
#define MBI_MODS_COUNT 20
#define MBI_MODS_ADDR 24
#define MBI_MMAP_LENGTH 44
#define MBI_MMAP_ADDR 48
#define MBI_LOADER_NAME 64
#define MBI_SIZE 120
#define MBI_HAS_MEMORY  (1u << 0)
#define MBI_HAS_CMDLINE (1u << 2)
#define MBI_HAS_MODULES (1u << 3)
#define MBI_HAS_MMAP    (1u << 6)
#define MBI_HAS_NAME    (1u << 9)

#define MULTIBOOT_COMMAND_LINE 1023        /* longest we pass on */

#endif
