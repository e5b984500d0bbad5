/* emu/status.h: exit statuses. Odd ones from 3 up belong to isa-debug-exit, which gives (value << 1 | 1). */
#ifndef EMU_STATUS_H
#define EMU_STATUS_H

enum {
	STATUS_OK = 0,             /* the guest powered off or, with --no-reboot, reset the machine; or the user quit */
	STATUS_ERROR = 1,          /* the emulator could not do its part */
	STATUS_USAGE = 2,
	STATUS_HALTED = 118,       /* the guest halted with interrupts off: nothing can wake it */
	STATUS_TRIPLE_FAULT = 120,
	STATUS_CHECK = 122,        /* --check paging=stop found something; in emu debug, an assert failed, or a script */
	STATUS_LIMIT = 124,        /* --timeout or --max-instructions, as timeout(1) */
	STATUS_DIVERGED = 126,     /* a recording does not run as it was recorded */
	STATUS_SIGNAL = 128,       /* + number */
};

#endif
