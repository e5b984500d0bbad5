/* Halts with interrupts off. */
#include "guest.inc"
	cli
	hlt
	ud2
