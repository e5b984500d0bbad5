/* guestos/drivers/ide.c: the primary master disk: PCI bus-master DMA, or PIO where there is no bus master.
 *
 *   0x1F0 data   1 error / features   2 count   3 LBA 7:0   4 LBA 15:8   5 LBA 23:16   6 device, LBA 27:24   7 status / command
 *   0x3F6 alternate status / device control (bit 1 nIEN)
 *   BAR4+0 command (bit 0 start, bit 3 to memory)   +2 status (bit 2 interrupt, bit 1 error)   +4 address of the PRD table
 *
 * One transfer at a time, under a lock; the process sleeps until IRQ 14. PIO polls instead, since each sector wants the processor.
 * References: [ATA6 8.27 "READ DMA"], [ATA6 8.28 "READ DMA EXT"], [ATA6 8.12 "FLUSH CACHE"], [ATA6 8.15 "IDENTIFY DEVICE"];
 *   [BMIDE] "Programming Interface for Bus Master IDE Controller"; [PCI21 3.7.4.1 "Configuration Mechanism #1"].
 * Not implemented: slave and secondary disks, ATAPI. */
#include "dev.h"
#include "proc.h"

#define IO 0x1f0
#define CONTROL 0x3f6
#define STATUS (IO + 7)
#define ST_ERR 0x01
#define ST_DRQ 0x08
#define ST_DF 0x20
#define ST_BSY 0x80
#define DEV_LBA 0xe0
#define CMD_READ_PIO 0x20
#define CMD_READ_PIO_EXT 0x24
#define CMD_READ_DMA 0xc8
#define CMD_READ_DMA_EXT 0x25
#define CMD_WRITE_PIO 0x30
#define CMD_WRITE_PIO_EXT 0x34
#define CMD_WRITE_DMA 0xca
#define CMD_WRITE_DMA_EXT 0x35
#define CMD_FLUSH 0xe7
#define CMD_IDENTIFY 0xec
#define LBA28_END (1u << 28)
#define BM_START 0x01
#define BM_TO_MEMORY 0x08
#define BM_ERROR 0x02
#define BM_INTERRUPT 0x04
#define PRD_LAST 0x80000000u
#define TIMEOUT (10 * HZ)
#define POLLS 3000000u

static struct { uint32_t address, count; } prd __attribute__((aligned(8)));
static struct mutex lock;
static uint16_t bus_master;    /* 0: no DMA */
static uint32_t sectors;
static bool lba48;
static volatile bool done, waiting;
static volatile uint8_t done_status;

static uint32_t pci_read(uint32_t device, uint32_t offset)
{
	outl(0xcf8, 0x80000000u | device << 8 | (offset & 0xfc));
	return inl(0xcfc);
}

static void pci_write(uint32_t device, uint32_t offset, uint32_t v)
{
	outl(0xcf8, 0x80000000u | device << 8 | (offset & 0xfc));
	outl(0xcfc, v);
}

/* Find the IDE controller on bus 0 and give its bus master ports if nobody has. */
static void find_bus_master(void)
{
	for (uint32_t device = 0; device < 256; device++) {
		if ((pci_read(device, 0) & 0xffff) == 0xffff || pci_read(device, 8) >> 16 != 0x0101)
			continue;
		if (!(pci_read(device, 8) & 0x8000))           /* programming interface bit 7: bus master capable */
			continue;
		if (!(pci_read(device, 0x20) & 0xfffc))
			pci_write(device, 0x20, 0xc000 | 1);
		pci_write(device, 4, (pci_read(device, 4) & 0xffff) | 5);      /* I/O space, bus master */
		bus_master = pci_read(device, 0x20) & 0xfff0;
		return;
	}
}

static int wait_not_busy(uint8_t *status)
{
	for (uint32_t i = 0, start = ticks; i < 1000000 || ticks - start < TIMEOUT; i++) {
		*status = inb(CONTROL);
		if (!(*status & ST_BSY))
			return 0;
	}
	return -EIO;
}

static void ide_interrupt(void)
{
	if (bus_master && waiting && !(inb(bus_master + 2) & BM_INTERRUPT))
		return;
	done_status = inb(STATUS);             /* reading it withdraws the request */
	done = true;
	wakeup((void *)&done);
}

static void select_sectors(uint32_t sector, uint32_t count, bool ext)
{
	outb(IO + 6, ext ? 0x40 : DEV_LBA | (sector >> 24 & 15));
	if (ext) {
		outb(IO + 2, count >> 8);
		outb(IO + 3, sector >> 24);
		outb(IO + 4, 0);
		outb(IO + 5, 0);
	}
	outb(IO + 2, count);
	outb(IO + 3, sector);
	outb(IO + 4, sector >> 8);
	outb(IO + 5, sector >> 16);
}

/* Sleeps until the interrupt. An emulator whose clock jumps while the processor halts can run through the timeout before its
 * disk has had a moment to work, so the end is looked for actively before giving up; this also survives a lost interrupt. */
static int wait_interrupt(void)
{
	uint32_t flags = irq_save(), start = ticks;
	while (!done && ticks - start < TIMEOUT)
		sleep_ticks((void *)&done, TIMEOUT, false);
	irq_restore(flags);
	for (uint32_t i = 0; !done && i < POLLS; i++)
		if (inb(bus_master + 2) & BM_INTERRUPT) {
			done_status = inb(STATUS);
			done = true;
		}
	waiting = false;
	return done && !(done_status & (ST_BSY | ST_ERR | ST_DF)) ? 0 : -EIO;
}

static int transfer_dma(uint32_t sector, uint32_t count, paddr_t buffer, bool write, bool ext)
{
	prd.address = buffer;
	prd.count = (count * 512) | PRD_LAST;
	outb(bus_master, 0);
	outl(bus_master + 4, virt_to_phys(&prd));
	outb(bus_master + 2, inb(bus_master + 2) | BM_ERROR | BM_INTERRUPT);   /* written 1s clear */
	outb(bus_master, write ? 0 : BM_TO_MEMORY);

	done = false;
	waiting = true;
	select_sectors(sector, count, ext);
	if (ext)
		outb(STATUS, write ? CMD_WRITE_DMA_EXT : CMD_READ_DMA_EXT);
	else
		outb(STATUS, write ? CMD_WRITE_DMA : CMD_READ_DMA);
	outb(bus_master, (write ? 0 : BM_TO_MEMORY) | BM_START);

	int err = wait_interrupt();
	uint8_t status = inb(bus_master + 2);
	outb(bus_master, 0);
	outb(bus_master + 2, status | BM_ERROR | BM_INTERRUPT);
	return status & BM_ERROR ? -EIO : err;
}

static int transfer_pio(uint32_t sector, uint32_t count, paddr_t buffer, bool write, bool ext)
{
	uint8_t *p = phys_to_virt(buffer), status;
	select_sectors(sector, count, ext);
	if (ext)
		outb(STATUS, write ? CMD_WRITE_PIO_EXT : CMD_READ_PIO_EXT);
	else
		outb(STATUS, write ? CMD_WRITE_PIO : CMD_READ_PIO);
	for (; count; count--, p += 512) {
		if (wait_not_busy(&status) || (status & (ST_ERR | ST_DF)) || !(status & ST_DRQ))
			return -EIO;
		write ? outsw(IO, p, 256) : insw(IO, p, 256);
	}
	int err = wait_not_busy(&status);
	inb(STATUS);
	return err || (status & (ST_ERR | ST_DF)) ? -EIO : 0;
}

int ide_transfer(uint32_t sector, uint32_t count, paddr_t buffer, bool write)
{
	if (!count || count > 128 || sector >= sectors || count > sectors - sector)
		return -EIO;
	bool ext = lba48 && sector + count > LBA28_END;
	uint8_t status;
	mutex_lock(&lock);
	int err = wait_not_busy(&status);
	if (!err)
		err = (bus_master ? transfer_dma : transfer_pio)(sector, count, buffer, write, ext);
	mutex_unlock(&lock);
	if (err)
		printk("hda: %s error at sector %u\n", write ? "write" : "read", sector);
	return err;
}

int ide_flush(void)
{
	uint8_t status;
	if (!sectors)
		return 0;
	mutex_lock(&lock);
	outb(IO + 6, DEV_LBA);
	done = false;
	outb(STATUS, CMD_FLUSH);
	int err = wait_not_busy(&status);
	inb(STATUS);
	mutex_unlock(&lock);
	return err || (status & (ST_ERR | ST_DF)) ? -EIO : 0;
}

uint32_t ide_sectors(void) { return sectors; }

/* IDENTIFY words: 49 bit 8 DMA, 60-61 sectors, 83 bit 10 48-bit addresses, 100-103 sectors then. */
int ide_init(void)
{
	static uint16_t id[256];
	uint8_t status;
	irq_register(14, ide_interrupt);
	outb(CONTROL, 0x02);
	outb(IO + 6, DEV_LBA);
	if (inb(STATUS) == 0xff || inb(STATUS) == 0 || wait_not_busy(&status))
		return -ENODEV;
	outb(STATUS, CMD_IDENTIFY);
	if (inb(STATUS) == 0 || wait_not_busy(&status) || (status & ST_ERR) || !(status & ST_DRQ))
		return -ENODEV;
	insw(IO, id, 256);
	inb(STATUS);

	sectors = id[60] | (uint32_t)id[61] << 16;
	lba48 = id[83] & 1 << 10;
	if (lba48 && (id[100] || id[101] || id[102] || id[103]))
		sectors = id[102] || id[103] ? 0xffffffffu : id[100] | (uint32_t)id[101] << 16;
	if (id[49] & 1 << 8)
		find_bus_master();
	if (bus_master) {
		outb(CONTROL, 0);
		pic_unmask(14);
	}
	return 0;
}
