/* guestos/include/dev.h: the device drivers, one file each in guestos/drivers. */
#ifndef DEV_H
#define DEV_H

#include "kernel.h"

void pic_init(void);
void pic_unmask(int irq);
void pic_eoi(int irq);
bool pic_spurious(int irq);

void pit_init(void);

void serial_init(void);
void serial_enable_input(void);
void serial_putc(char c);
void serial_input_resume(void);        /* the terminal has room again */

void vga_init(void);
void vga_putc(char c);
void keyboard_init(void);

uint32_t rtc_read(void);               /* seconds since 1970 */
void power_off(void) __attribute__((noreturn));

/* ide.c: may sleep; buffers are physical, below 4 GB, and do not cross a 64 KB boundary. 0 or -EIO. */
int ide_init(void);
int ide_transfer(uint32_t sector, uint32_t count, paddr_t buffer, bool write);
int ide_flush(void);
uint32_t ide_sectors(void);

/* tty.c: the console terminal: serial line and VGA + keyboard together */
#define TTY_RING 4096u
void tty_putc(char c);
bool tty_input(char c);                /* interrupt level; false: no room, ask again after serial_input_resume() */
int tty_read(uaddr_t to, uint32_t n, bool nonblock);           /* may sleep */
int tty_write(uaddr_t from, uint32_t n);        /* may sleep */
uint32_t tty_ready(void);
int tty_ioctl(uint32_t request, uaddr_t arg);   /* may sleep */

#endif
