/* termios.h: terminal modes; the kernel's struct termios and ioctls of Linux i386. */
#ifndef TERMIOS_H
#define TERMIOS_H

#include <stdint.h>

#define NCCS 19

struct termios {
	uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
	uint8_t c_line;
	uint8_t c_cc[NCCS];
};

struct winsize { uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel; };

#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TIOCGWINSZ 0x5413

#define ICRNL 0000400          /* c_iflag */
#define IXON 0002000
#define OPOST 0000001          /* c_oflag */
#define ISIG 0000001           /* c_lflag */
#define ICANON 0000002
#define ECHO 0000010
#define IEXTEN 0100000
#define VTIME 5                /* c_cc */
#define VMIN 6

int tcgetattr(int fd, struct termios *t);
int tcsetattr(int fd, int when, const struct termios *t);      /* when: 0 now, 1 after output has drained */
int ioctl(int fd, unsigned long request, void *argument);

#endif
