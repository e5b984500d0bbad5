/* devices/ide.h: one IDE channel with up to two ATA hard disks, and its half of the PIIX3 bus master.
 *
 *   offset  port (primary)  read               write
 *   0       1F0             data, 16 or 32 bits
 *   1       1F1             error              features
 *   2       1F2             sector count
 *   3..5    1F3..1F5        LBA low, mid, high (sector number, cylinder low, high)
 *   6       1F6             device: 7 always 1 | 6 LBA | 5 always 1 | 4 DEV | 3:0 head or LBA[27:24]
 *   7       1F7             status             command
 *   8       3F6             alternate status   device control: 7 HOB | 2 SRST | 1 nIEN
 *   16      BAR4 + 0        bus master command: 3 direction (1: disk to memory) | 0 start
 *   18      BAR4 + 2        bus master status: 6,5 drive can DMA | 2 interrupt, write 1 clears | 1 error, same | 0 active
 *   20..23  BAR4 + 4        address of the table of physical region descriptors
 *
 *   status:  7 BSY | 6 DRDY | 5 DF | 4 DSC | 3 DRQ | 0 ERR
 *   error:   6 UNC | 4 IDNF | 2 ABRT
 *
 * The secondary channel is the same at 170, 376 and BAR4 + 8. ide.c has the registers and PIO data, ide_command.c what the
 * drive does with a command, ide_identify.c what it says of itself, ide_dma.c the bus master. A command takes
 * IDE_COMMAND_TICKS and each sector IDE_SECTOR_TICKS.
 *
 * References: [ATA6 7 "Interface register definitions and descriptions"], [ATA6 8 "Command descriptions"],
 * [ATA6 9 "Protocol"], [PIIX4 5.2 "IDE Controller IO Space Registers"].
 * Not implemented: packet devices, Ultra DMA, SMART, security, host protected area, queued commands, sleeping.
 * Simplified: the legacy ports decode whatever IDETIM says; the bus master works without bit 2 of the PCI command register,
 * and its reads of memory that is not there never fail; all transfer modes take the same time.
 */
#ifndef DEVICES_IDE_H
#define DEVICES_IDE_H

#include "devices/device.h"

/* Register offsets in the command block. */
enum { IDE_DATA, IDE_ERROR, IDE_COUNT, IDE_LBA_LOW, IDE_LBA_MID, IDE_LBA_HIGH, IDE_DEVICE, IDE_STATUS,
	IDE_FEATURES = IDE_ERROR, IDE_COMMAND = IDE_STATUS };
#define IDE_CONTROL 8              /* device control and alternate status */
#define IDE_BM_COMMAND 16
#define IDE_BM_STATUS  18
#define IDE_BM_PRDT    20

#define IDE_ST_BSY  0x80
#define IDE_ST_DRDY 0x40
#define IDE_ST_DF   0x20
#define IDE_ST_DSC  0x10
#define IDE_ST_DRQ  0x08
#define IDE_ST_ERR  0x01

#define IDE_ERR_UNC  0x40
#define IDE_ERR_IDNF 0x10
#define IDE_ERR_ABRT 0x04

#define IDE_CTL_HOB  0x80
#define IDE_CTL_SRST 0x04
#define IDE_CTL_NIEN 0x02

#define IDE_BM_START 0x01
#define IDE_BM_TO_MEMORY 0x08
#define IDE_BM_ST_ACTIVE 0x01
#define IDE_BM_ST_ERROR  0x02
#define IDE_BM_ST_INT    0x04
#define IDE_BM_ST_CAN_DMA 0x60     /* for software to note which drives can DMA */

#define IDE_COMMAND_TICKS 2000u
#define IDE_SECTOR_TICKS  200u
#define IDE_MULTIPLE_MAX  16u      /* sectors in one DRQ block, and in one step of a DMA transfer */
#define IDE_BUFFER (IDE_MULTIPLE_MAX * SECTOR_SIZE)

struct ide_drive {
	struct disk *disk;             /* NULL: no drive here */
	const char *image;             /* for messages */
	uint8_t reg[8];                /* what the host wrote last, by register offset */
	uint8_t hob[8];                /* what it wrote the time before: "high order byte" */
	uint8_t status, error;
	uint16_t cylinders, heads, sectors;    /* current CHS translation */
	uint8_t multiple;              /* sectors for READ MULTIPLE; 0: not set */
	uint8_t dma_mode;              /* selected multiword DMA mode as a bit; 0: none */
	uint8_t write_cache, look_ahead;
};

/* What the channel waits for. In all but IDLE, DATA_* and DMA_WAIT that is the timer. */
enum ide_phase {
	IDE_IDLE,
	IDE_RESETTING,                 /* after SRST fell */
	IDE_FINISHING,                 /* a command without data is about to end */
	IDE_FLUSHING,
	IDE_VERIFYING,
	IDE_READING,                   /* PIO: fetching a block for the host */
	IDE_DATA_IN,                   /* the host reads the block */
	IDE_DATA_OUT,                  /* the host writes the block */
	IDE_WRITING,                   /* PIO: the block goes to disk */
	IDE_DMA_WAIT,                  /* DMA command given; the bus master is stopped or out of memory regions */
	IDE_DMA_IN, IDE_DMA_OUT,       /* disk to memory, memory to disk */
};

struct ide_channel {
	struct device dev;
	struct dma dma;
	struct timer timer;
	struct ide_drive drive[2];
	uint8_t device;                /* device register, latched by both drives */
	uint8_t control;
	uint8_t intrq;                 /* the drive wants to interrupt; nIEN is applied at the pin */
	uint8_t phase;                 /* enum ide_phase */
	uint64_t due;                  /* when the timer fires, in a phase that waits for it */
	uint8_t opcode;                /* command in progress */
	uint8_t to_disk;               /* its direction */
	uint64_t lba;                  /* next sector of the command */
	uint32_t left;                 /* sectors from there to the end */
	uint32_t block;                /* sectors for each DRQ block or DMA step */
	uint32_t pos, len;             /* bytes of buffer[] done, and in use */
	uint8_t buffer[IDE_BUFFER];
	/* bus master */
	uint8_t bm_command, bm_status;
	uint32_t bm_prdt;              /* as written */
	uint32_t prd_next;             /* address of the next descriptor */
	uint32_t prd_addr, prd_left;   /* rest of the region in use */
	uint8_t prd_last;              /* it was marked end of table */
	/* Not guest state: the last host I/O error, for the machine to show. Empty when there was none. */
	char host_error[200];
};

extern const struct device_ops ide_ops;

/* Wires a channel without drives; dev.irq is the caller's to set. log may be NULL. */
void ide_init(struct ide_channel *ch, struct clock *clock, struct device_log *log, struct dma dma);
/* Puts a disk in as unit 0 or 1 and resets the channel. The channel does not own the disk; image names it in messages. */
void ide_attach(struct ide_channel *ch, unsigned unit, struct disk *disk, const char *image);

#endif
