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

struct conversion { bool left; char pad; int width, precision, longs; };

/* The flags, width, precision and length after a '%'; returns where the conversion letter is. */
static const char *parse(const char *p, struct conversion *c)
{
	*c = (struct conversion){ .pad = ' ', .precision = -1 };
	for (; *p == '-' || *p == '0'; p++)
		*p == '-' ? (c->left = true) : (c->pad = '0');
	for (; *p >= '0' && *p <= '9'; p++)
		c->width = c->width * 10 + *p - '0';
	if (*p == '.')
		for (c->precision = 0, p++; *p >= '0' && *p <= '9'; p++)
			c->precision = c->precision * 10 + *p - '0';
	for (; *p == 'l' || *p == 'z' || *p == 'h'; p++)
		c->longs += *p == 'l';
	return p;
}

static void put_number(struct sink *out, const struct conversion *c, uint64_t n, uint32_t base, bool is_signed)
{
	char buf[24], *end = buf + sizeof buf;
	bool negative = is_signed && (int64_t)n < 0;
	int len = digits(end, negative ? -n : n, base);
	if (negative)
		end[-++len] = '-';
	put_field(out, end - len, len, c->width, c->left, negative ? ' ' : c->pad);
}

static void put_string(struct sink *out, const struct conversion *c, const char *s)
{
	int len = 0;
	while (len != c->precision && s[len])
		len++;
	put_field(out, s, len, c->width, c->left, ' ');
}

int vsnprintf(char *to, size_t room, const char *format, va_list args)
{
	struct sink out = { to, room, 0 };
	struct conversion c;
	for (; *format; format++) {
		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		format = parse(format + 1, &c);
		switch (*format) {
		case 'd': case 'i':
			put_number(&out, &c, c.longs > 1 ? va_arg(args, int64_t) : va_arg(args, int32_t), 10, true);
			break;
		case 'u': case 'x': case 'o':
			put_number(&out, &c, c.longs > 1 ? va_arg(args, uint64_t) : va_arg(args, uint32_t),
				*format == 'u' ? 10 : *format == 'x' ? 16 : 8, false);
			break;
		case 'p':
			c.width = 8;
			c.pad = '0';
			put_number(&out, &c, va_arg(args, uint32_t), 16, false);
			break;
		case 'c':
			put_field(&out, (char[]){ va_arg(args, int) }, 1, c.width, c.left, ' ');
			break;
		case 's':
			put_string(&out, &c, va_arg(args, const char *));
			break;
		case 0:
			format--;
			break;
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
