/* elf.h: the headers of a program or shared library. [ELF] "ELF Header", "Program Header" */
#ifndef ELF_H
#define ELF_H

#include <stdint.h>

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment { uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align; };

enum { ET_DYN = 3, EM_386 = 3, PT_LOAD = 1, PT_DYNAMIC = 2, PF_X = 1, PF_W = 2 };

#endif
