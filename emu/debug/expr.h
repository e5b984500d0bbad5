/* emu/debug/expr.h: expressions of conditions, commands and scripts: C's operators over 64-bit unsigned numbers.
 *
 *   0x1f  31  037 is decimal 37   'a'    eax $eax %eax al ax   eip pc sp cpl cr0 cr3 eflags cs gdtr.base ds.base msr(0x10)   zf if
 *   icount tick          symbol  symbol+4  file.c:123
 *   *p  *(u8*)p  [p]  byte(p) word(p) long(p)  phys(pa)  pa(la): translated  pte(la) pde(la)  cr2 error vector: of the last fault
 *   old value: what a watched place or register was and became, in the condition of its breakpoint and after its stop
 *   process(demo-cow) process(3): 1 if that is what runs
 *   ! ~ -  * / %  + -  << >>  < <= > >=  == !=  & ^ |  && ||  ?:  ( )
 */
#ifndef EMU_DEBUG_EXPR_H
#define EMU_DEBUG_EXPR_H

#include "emu/debug/debugger.h"

/* 0, or -1 with one line in err that says where. All of text must be an expression. */
int expr_eval(struct debugger *d, const char *text, uint64_t *value, char *err);
/* Parses without evaluating (no memory is read): for conditions when they are set. */
int expr_check(struct debugger *d, const char *text, char *err);
/* Registers by name: for expressions, `registers`, gdb and JSON. Bits: 8, 16, 32, 64; false: no such register. */
bool register_read(const struct debugger *d, const char *name, uint64_t *value, unsigned *bits);
/* Names in the order people expect (eax ... gs, cr0 ... msr); NULL after the last. */
const char *register_name(unsigned index);

#endif
