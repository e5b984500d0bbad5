/* devices/device.c: what every device shares: its log. */
#include "devices/device.h"

#include <stdarg.h>
#include <stdio.h>

void device_log(struct device *dev, enum log_level level, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!dev->log || !dev->log->write)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	dev->log->write(dev->log->owner, level, dev->ops ? dev->ops->name : "?", text);
}
