/* devices/acpi_pm.c: ACPI fixed registers; the data sheet is in the header. */
#include "devices/acpi_pm.h"
#include "devices/bytewise.h"

#define PM_TIMER_HZ 3579545ull
#define TIMER_STS   0x0001
#define BUTTON_STS  0x0100
#define STS_MASK    (TIMER_STS | BUTTON_STS)
#define SCI_EN      0x0001
#define SLP_TYP     0x1c00
#define SLP_EN      0x2000
#define HALF_PERIOD (1u << 23)             /* the status bit is set whenever bit 23 of the timer changes */

static uint64_t timer_now(const struct acpi_pm *pm)
{
	return clock_scale(clock_now(pm->dev.clock), PM_TIMER_HZ, CLOCK_HZ);
}

static void sync(struct acpi_pm *pm)
{
	uint64_t halves = timer_now(pm) / HALF_PERIOD;

	if (halves != pm->halves_seen)
		pm->status |= TIMER_STS;
	pm->halves_seen = halves;
}

static void update(struct acpi_pm *pm)
{
	uint64_t at, tick;

	irq_set(&pm->dev.irq, (pm->control & SCI_EN) && (pm->status & pm->enable));
	if (!(pm->enable & TIMER_STS)) {
		timer_cancel(pm->dev.clock, &pm->overflow);
		return;
	}
	at = (pm->halves_seen + 1) * HALF_PERIOD;
	tick = clock_scale(at, CLOCK_HZ, PM_TIMER_HZ);
	if (clock_scale(tick, PM_TIMER_HZ, CLOCK_HZ) < at)
		tick++;
	timer_arm(pm->dev.clock, &pm->overflow, tick);
}

static void overflow(void *owner)
{
	sync(owner);
	update(owner);
}

void acpi_pm_power_button(struct acpi_pm *pm)
{
	sync(pm);
	pm->status |= BUTTON_STS;
	update(pm);
}

static uint8_t pm_read(struct device *dev, uint16_t offset)
{
	struct acpi_pm *pm = (struct acpi_pm *)dev;
	unsigned shift = 8 * (offset & 1);

	sync(pm);
	if (offset >= 8 && offset < 12)
		return (uint8_t)((timer_now(pm) & 0xffffff) >> 8 * (offset - 8));
	switch (offset & ~1u) {
	case 0: return (uint8_t)(pm->status >> shift);
	case 2: return (uint8_t)(pm->enable >> shift);
	case 4: return (uint8_t)(pm->control >> shift);
	case ACPI_PM_OLD_OFFSET: return (uint8_t)(pm->old_control >> shift);
	case SHUTDOWN_OFFSET: return 0xff;
	default: return 0;
	}
}

static void replace_byte(uint16_t *word, unsigned shift, uint8_t value)
{
	*word = (uint16_t)((*word & ~(0xffu << shift)) | (unsigned)value << shift);
}

static void power_off(struct acpi_pm *pm)
{
	if (pm->power_off)
		pm->power_off(pm->owner);
}

/* SLP_EN reads as 0: it is a command. [ACPI] "PM1 Control Registers" */
static void sleep_command(struct acpi_pm *pm, uint16_t *control)
{
	uint16_t value = *control;

	*control &= ~SLP_EN;
	if (!(value & SLP_EN))
		return;
	if (value & SLP_TYP && control == &pm->control)
		device_log(&pm->dev, LOG_UNIMPL, "sleep type %u", value >> 10 & 7);
	else
		power_off(pm);
}

static void shutdown_letter(struct acpi_pm *pm, uint8_t value)
{
	static const char word[] = "Shutdown";

	if (pm->letters < 8 && value == (uint8_t)word[pm->letters])
		pm->letters++;
	else
		pm->letters = value == (uint8_t)word[0];
	if (pm->letters == 8) {
		pm->letters = 0;
		power_off(pm);
	}
}

static void pm_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct acpi_pm *pm = (struct acpi_pm *)dev;
	unsigned shift = 8 * (offset & 1);

	sync(pm);
	switch (offset & ~1u) {
	case 0:
		pm->status &= ~((unsigned)value << shift);
		break;
	case 2:
		replace_byte(&pm->enable, shift, value);
		pm->enable &= STS_MASK;
		break;
	case 4:
		replace_byte(&pm->control, shift, value);
		if (shift)
			sleep_command(pm, &pm->control);
		break;
	case ACPI_PM_OLD_OFFSET:
		replace_byte(&pm->old_control, shift, value);
		if (shift)
			sleep_command(pm, &pm->old_control);
		break;
	case SHUTDOWN_OFFSET:
		if (!shift)
			shutdown_letter(pm, value);
		break;
	default:
		break;
	}
	update(pm);
}

static uint32_t pm_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, pm_read);
}

static void pm_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, pm_write);
}

/* SCI_EN is up after reset: nothing here hands events to SMM, so ACPI mode is the only one. */
static void pm_reset(struct device *dev)
{
	struct acpi_pm *pm = (struct acpi_pm *)dev;

	timer_cancel(pm->dev.clock, &pm->overflow);
	*pm = (struct acpi_pm){ .dev = pm->dev, .power_off = pm->power_off, .owner = pm->owner, .overflow = pm->overflow, .control = SCI_EN };
	pm->halves_seen = timer_now(pm) / HALF_PERIOD;
	irq_set(&pm->dev.irq, 0);
}

static void pm_restored(struct device *dev)
{
	struct acpi_pm *pm = (struct acpi_pm *)dev;
	uint64_t halves = timer_now(pm) / HALF_PERIOD;

	pm->status &= STS_MASK;
	pm->enable &= STS_MASK;
	pm->control &= ~SLP_EN;
	pm->old_control &= ~SLP_EN;
	if (pm->letters > 7)
		pm->letters = 0;
	if (pm->halves_seen > halves)
		pm->halves_seen = halves;
	if (pm->enable & TIMER_STS)
		sync(pm);
	update(pm);
}

static const struct reg_desc pm_regs[] = {
	REG(struct acpi_pm, status, "PM1a status"), REG(struct acpi_pm, enable, "PM1a enable"),
	REG(struct acpi_pm, control, "PM1a control"), REG(struct acpi_pm, old_control, "the control word at port 0xb004"),
	REG(struct acpi_pm, letters, "letters of Shutdown seen"),
	REG(struct acpi_pm, halves_seen, "changes of timer bit 23 accounted for"), {0} };

static const struct device_ops pm_ops = { .name = "acpi-pm", .state_version = 1, .regs = pm_regs, .reset = pm_reset,
	.io_read = pm_io_read, .io_write = pm_io_write, .restored = pm_restored };

void acpi_pm_init(struct acpi_pm *pm, struct clock *clock, void (*power_off)(void *owner), void *owner)
{
	*pm = (struct acpi_pm){ .dev = { .ops = &pm_ops, .clock = clock }, .power_off = power_off, .owner = owner };
	timer_init(&pm->overflow, "acpi timer", overflow, pm);
	pm_reset(&pm->dev);
}
