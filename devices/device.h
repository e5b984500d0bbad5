/* devices/device.h: what a device gives to, and gets from, the rest of the machine.
 *
 *   in:  port reads and writes at an offset (struct device_ops), MMIO through mmu/phys.h's callbacks, time (struct clock)
 *   out: interrupt lines (struct irq_line), memory (struct dma), characters and disks (struct char_out, struct disk)
 *
 * A device knows no processor and no other device; emu/machine.c wires them, and a test fakes every one of these.
 */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

/* One row for each register or group of cells. Views, traces and the state file all read this table. */
struct reg_desc {
	const char *name;
	uint32_t offset;           /* in the device's struct */
	uint32_t bytes;            /* of one element */
	uint32_t count;            /* elements */
	const char *help;
};
#define REG(type, field, help) \
	{ #field, offsetof(type, field), sizeof(((type *)0)->field), 1, help }
#define REG_ARRAY(type, field, help) \
	{ #field, offsetof(type, field), sizeof(((type *)0)->field[0]), sizeof(((type *)0)->field) / sizeof(((type *)0)->field[0]), help }

struct device_ops {
	const char *name;
	uint16_t state_version;
	const struct reg_desc *regs;       /* ends with a NULL name */
	void (*reset)(struct device *dev);
	uint32_t (*io_read)(struct device *dev, uint16_t offset, unsigned size);      /* size 1, 2 or 4 */
	void (*io_write)(struct device *dev, uint16_t offset, unsigned size, uint32_t value);
	/* After the cells of regs were loaded from a file nobody vouches for: brings them within bounds and arms the timers
	 * anew. May be NULL. Call it when every device is loaded and the clock stands at the saved time. */
	void (*restored)(struct device *dev);
};

/* A wire. A line that leads nowhere has set == NULL. */
struct irq_line {
	void (*set)(void *owner, unsigned line, int level);
	void *owner;
	unsigned line;
};

static inline void irq_set(const struct irq_line *irq, int level)
{
	if (irq->set)
		irq->set(irq->owner, irq->line, level);
}

/* First member of every device's struct. */
struct device {
	const struct device_ops *ops;
	struct irq_line irq;
	struct clock *clock;
	struct device_log *log;
};

/* Guest misuse and missing features, never an exit. */
enum log_level { LOG_GUEST, LOG_UNIMPL, LOG_INFO };
struct device_log {
	void (*write)(void *owner, enum log_level level, const char *device, const char *text);
	void *owner;
};
void device_log(struct device *dev, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* --- virtual time ---------------------------------------------------------------------------------------------- */

/* One tick is one executed instruction, and stands for 10 ns; while the processor is halted ticks are skipped. */
#define CLOCK_HZ 100000000ull

struct timer {
	struct timer *next;                /* private to clock.c */
	uint64_t deadline;
	bool armed;
	void (*fire)(void *owner);
	void *owner;
	const char *name;
};

struct clock {
	uint64_t (*now)(const void *owner);        /* ticks since power-on */
	void (*sooner)(void *owner);               /* the nearest deadline moved closer; may be NULL */
	void *owner;
	struct timer *first;                       /* by deadline, then by order of arming */
};

static inline uint64_t clock_now(const struct clock *c) { return c->now(c->owner); }
void timer_init(struct timer *t, const char *name, void (*fire)(void *), void *owner);
void timer_arm(struct clock *c, struct timer *t, uint64_t deadline);      /* re-arms when armed */
void timer_cancel(struct clock *c, struct timer *t);
uint64_t clock_next_deadline(const struct clock *c);                      /* UINT64_MAX when none */
void clock_fire_due(struct clock *c);                                     /* fires all with deadline <= now */
/* Puts the armed timers, all of them, in this order: a loaded machine's devices arm theirs in another one than they were in when it was saved,
 * and equal deadlines fire in the order of the list. False, and nothing done, when these are not the armed ones or are not ordered by deadline. */
bool clock_order(struct clock *c, struct timer *const *order, unsigned count);
/* n * mul / div without overflow of the product. */
uint64_t clock_scale(uint64_t n, uint64_t mul, uint64_t div);

/* --- the port space ---------------------------------------------------------------------------------------------- */

#define PORT_RANGES 64
struct port_range { uint16_t base; uint16_t count; struct device *dev; uint16_t first_offset; };
struct ports {
	struct port_range range[PORT_RANGES];
	unsigned ranges;
	uint8_t owner[65536];              /* range index + 1; 0 is nobody */
};
void ports_init(struct ports *p);
/* Claims [base, base+count). The device sees offset = port - base + first_offset. -EEXIST on overlap, *clash names the owner. */
int ports_add(struct ports *p, struct device *dev, uint16_t base, uint16_t count, uint16_t first_offset, const char **clash);
void ports_remove(struct ports *p, struct device *dev, uint16_t base);
/* size 1, 2 or 4. Nobody's ports read as all ones. An access that straddles owners is split into bytes. */
uint32_t ports_read(struct ports *p, uint16_t port, unsigned size);
void ports_write(struct ports *p, uint16_t port, unsigned size, uint32_t value);

/* --- the outside -------------------------------------------------------------------------------------------------- */

struct dma {                       /* bus-master access to physical memory */
	void (*read)(void *owner, uint64_t pa, void *buf, size_t len);
	void (*write)(void *owner, uint64_t pa, const void *buf, size_t len);
	void *owner;
};

struct char_out {                  /* where a serial port or debug console sends its bytes */
	void (*put)(void *owner, uint8_t byte);
	void *owner;
};

#define SECTOR_SIZE 512u
struct disk {                      /* host side of a drive; offsets in sectors */
	uint64_t sectors;
	bool read_only;
	/* 0 or negative errno. count sectors of 512 bytes. */
	int (*read)(struct disk *d, uint64_t lba, void *buf, uint32_t count);
	int (*write)(struct disk *d, uint64_t lba, const void *buf, uint32_t count);
	int (*flush)(struct disk *d);
	void (*close)(struct disk *d);
};

static inline bool disk_in_range(const struct disk *d, uint64_t lba, uint32_t count)
{
	return lba <= d->sectors && count <= d->sectors - lba;
}

/* Opens a raw image. snapshot: writes go to memory and are lost at the end, the file is opened read-only.
 * On failure returns NULL and puts one line naming the path into err. */
struct disk *disk_open(const char *path, bool snapshot, char *err, size_t errsize);
/* A RAM disk for tests. */
struct disk *disk_memory(uint64_t sectors);

#endif
