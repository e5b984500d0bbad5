/* tests/emu/linux_image.h: a small bzImage in memory, of protocol 2.15: setup header, two sectors of setup code, a page of
 * protected-mode code whose bytes count up. */
#ifndef TESTS_LINUX_IMAGE_H
#define TESTS_LINUX_IMAGE_H

#include <stdint.h>
#include <string.h>

#include "emu/linux_boot.h"

#define IMAGE_SECTORS 2u
#define IMAGE_CODE    ((IMAGE_SECTORS + 1) * 512u)     /* offset of the protected-mode code */
#define IMAGE_CODE_BYTES 4096u
#define IMAGE_BYTES   (IMAGE_CODE + IMAGE_CODE_BYTES)
#define IMAGE_PREF    0x200000u
#define IMAGE_INIT    0x80000u
#define IMAGE_LINE    100u
#define IMAGE_HEADER_END 0x26c

static inline void image_put(uint8_t *image, uint32_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		image[at + i] = (uint8_t)(value >> 8 * i);
}

static inline void image_make(uint8_t image[IMAGE_BYTES])
{
	memset(image, 0, IMAGE_BYTES);
	image_put(image, LINUX_SETUP_SECTS, IMAGE_SECTORS, 1);
	image_put(image, LINUX_SYSSIZE, IMAGE_CODE_BYTES / 16, 4);
	image_put(image, LINUX_BOOT_FLAG, 0xaa55, 2);
	image_put(image, LINUX_JUMP, 0xeb | (IMAGE_HEADER_END - LINUX_MAGIC) << 8, 2);
	memcpy(image + LINUX_MAGIC, "HdrS", 4);
	image_put(image, LINUX_VERSION, 0x020f, 2);
	image_put(image, LINUX_LOADFLAGS, LINUX_LOADED_HIGH, 1);
	image_put(image, LINUX_INITRD_MAX, 0x7fffffff, 4);
	image_put(image, LINUX_ALIGNMENT, 0x200000, 4);
	image_put(image, LINUX_RELOCATABLE, 1, 1);
	image_put(image, LINUX_CMDLINE_SIZE, IMAGE_LINE, 4);
	image_put(image, LINUX_PREF_ADDRESS, IMAGE_PREF, 8);
	image_put(image, LINUX_INIT_SIZE, IMAGE_INIT, 4);
	for (unsigned i = 0; i < IMAGE_CODE_BYTES; i++)
		image[IMAGE_CODE + i] = (uint8_t)(i * 7 + 1);
}

#endif
