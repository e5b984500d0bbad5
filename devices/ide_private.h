/* devices/ide_private.h: what the files of the IDE channel share. */
#ifndef DEVICES_IDE_PRIVATE_H
#define DEVICES_IDE_PRIVATE_H

#include "devices/ide.h"

static inline struct ide_drive *ide_selected(struct ide_channel *ch) { return &ch->drive[ch->device >> 4 & 1]; }

#define LBA28_LIMIT 0x0fffffffull              /* sectors a 28-bit command can name, as words 60-61 say it */
#define CHS_CAPACITY_MAX (16383u * 16u * 63u)  /* and a CHS one */

/* ide.c: registers, interrupt, time */
void ide_raise(struct ide_channel *ch);                          /* the drive asserts INTRQ */
void ide_lower(struct ide_channel *ch);
void ide_wait(struct ide_channel *ch, enum ide_phase phase, uint64_t ticks);     /* BSY until then */
void ide_signature(struct ide_channel *ch);                      /* registers after reset and diagnostic */

/* ide_command.c: what drives do */
void ide_command(struct ide_channel *ch, uint8_t opcode);
void ide_step(struct ide_channel *ch);                           /* the timer fired */
void ide_block_done(struct ide_channel *ch);                     /* the host has moved all of the DRQ block */
void ide_block_start(struct ide_channel *ch);                    /* sets pos and len for the next block */
bool ide_drive_valid(const struct ide_drive *d);                 /* may a loaded state say this of a drive? */
bool ide_transfer_valid(const struct ide_channel *ch);           /* does the loaded state describe a transfer that can go on? */
bool ide_advance(struct ide_channel *ch);                        /* to the next block; false after the last */
void ide_finish(struct ide_channel *ch);                         /* success; raises INTRQ */
void ide_fail(struct ide_channel *ch, uint8_t error);            /* ends the command with ERR; raises INTRQ */
bool ide_disk_read(struct ide_channel *ch);                      /* the block at ch->lba; false: the command has failed */
bool ide_disk_write(struct ide_channel *ch);
void ide_drive_defaults(struct ide_drive *d);                    /* power-on translation and features */

/* ide_identify.c */
void ide_identify(struct ide_channel *ch);                       /* fills the buffer for IDENTIFY DEVICE */

/* ide_dma.c: the bus master */
void ide_dma_begin(struct ide_channel *ch);                      /* the drive is ready to move data */
void ide_dma_step(struct ide_channel *ch);                       /* the timer fired during a DMA phase */
void ide_bm_reset(struct ide_channel *ch);
uint32_t ide_bm_read(struct ide_channel *ch, unsigned offset);   /* one byte; offset from IDE_BM_COMMAND on */
void ide_bm_write(struct ide_channel *ch, unsigned offset, uint8_t value);

#endif
