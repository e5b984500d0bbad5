/* guestos/kernel/printk.c: formatted messages on the console.
 *
 * Conversions: %d %i %u %x %c %s %p %%, with '-', '0', width, precision for %s, and l, ll, z, h lengths. */
#include "kernel.h"
#include "dev.h"

struct sink { char *to; size_t room, len; };

static void put(struct sink *out, char c)
{
	if (out->len + 1 < out->room)
		out->to[out->len] = c;
	out->len++;
}

static void put_field(struct sink *out, const char *s, int n, int width, bool left, char pad)
{
	for (int i = n; !left && i < width; i++)
		put(out, pad);
	for (int i = 0; i < n; i++)
		put(out, s[i]);
	for (int i = n; left && i < width; i++)
		put(out, ' ');
}

static int digits(char *end, uint64_t n, uint32_t base)
{
	char *p = end;
	do {
		uint32_t digit;
		n = div64(n, base, &digit);
		*--p = "0123456789abcdef"[digit];
	} while (n);
	return end - p;
}

int vsnprintf(char *to, size_t room, const char *format, va_list args)
{
	struct sink out = { to, room, 0 };
	for (; *format; format++) {
		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		bool left = false, negative = false;
		char pad = ' ';
		int width = 0, precision = -1, longs = 0;
		for (format++; *format == '-' || *format == '0'; format++)
			*format == '-' ? (left = true) : (pad = '0');
		for (; *format >= '0' && *format <= '9'; format++)
			width = width * 10 + *format - '0';
		if (*format == '.')
			for (precision = 0, format++; *format >= '0' && *format <= '9'; format++)
				precision = precision * 10 + *format - '0';
		for (; *format == 'l' || *format == 'z' || *format == 'h'; format++)
			longs += *format == 'l';

		char buf[24], *end = buf + sizeof buf;
		uint64_t n;
		int len;
		switch (*format) {
		case 'd': case 'i':
			n = longs > 1 ? va_arg(args, int64_t) : va_arg(args, int32_t);
			negative = (int64_t)n < 0;
			len = digits(end, negative ? -n : n, 10);
			if (negative)
				end[-++len] = '-';
			put_field(&out, end - len, len, width, left, negative ? ' ' : pad);
			break;
		case 'u': case 'x': case 'o':
			n = longs > 1 ? va_arg(args, uint64_t) : va_arg(args, uint32_t);
			len = digits(end, n, *format == 'u' ? 10 : *format == 'x' ? 16 : 8);
			put_field(&out, end - len, len, width, left, pad);
			break;
		case 'p':
			len = digits(end, va_arg(args, uint32_t), 16);
			put_field(&out, end - len, len, 8, false, '0');
			break;
		case 'c':
			buf[0] = va_arg(args, int);
			put_field(&out, buf, 1, width, left, ' ');
			break;
		case 's': {
			const char *s = va_arg(args, const char *);
			for (len = 0; s[len] && len != precision; len++)
				;
			put_field(&out, s, len, width, left, ' ');
			break;
		}
		default:
			put(&out, *format);
		}
	}
	if (room)
		to[min(out.len, room - 1)] = 0;
	return out.len;
}

int snprintf(char *to, size_t room, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(to, room, format, args);
	va_end(args);
	return n;
}

void printk(const char *format, ...)
{
	char line[200];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	for (const char *p = line; *p; p++)
		tty_putc(*p);
}
