/* lib/printf.c: formatted output into a bounded buffer; what it knows is listed in stdio.h. */
#include <stdio.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct out {
	char *buf;
	size_t size, len;      /* len counts what would have been written, as the result must */
};

struct spec {
	bool left, zero, plus, space, upper;
	int width, precision;  /* precision -1: not given */
	int longs;             /* number of l's; z counts as one */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	if (!text)
		text = "(null)";
	int len = s->precision >= 0 ? (int)strnlen(text, s->precision) : (int)strlen(text);
	if (!s->left)
		pad(o, ' ', s->width - len);
	for (int i = 0; i < len; i++)
		put(o, text[i]);
	if (s->left)
		pad(o, ' ', s->width - len);
}

/* value / base with 32-bit divisions only: there is no compiler library to call.
 * DIVL divides EDX:EAX; the high half goes first so that its quotient cannot overflow. */
static unsigned divide(uint64_t *value, uint32_t base)
{
	uint32_t high = *value >> 32, low = *value, remainder = high % base;

	high /= base;
	__asm__("divl %2" : "+a"(low), "+d"(remainder) : "r"(base) : "cc");
	*value = (uint64_t)high << 32 | low;
	return remainder;
}

static void put_number(struct out *o, const struct spec *s, uint64_t value, unsigned base, const char *sign)
{
	char digits[24];
	int n = 0;

	while (value != 0 || (n == 0 && s->precision != 0)) {
		unsigned d = divide(&value, base);
		digits[n++] = d < 10 ? '0' + d : (s->upper ? 'A' : 'a') + d - 10;
	}
	int zeros = s->precision > n ? s->precision - n : 0;
	int blank = s->width - n - zeros - (int)strlen(sign);
	if (s->zero && !s->left && s->precision < 0 && blank > 0) {
		zeros += blank;
		blank = 0;
	}
	if (!s->left)
		pad(o, ' ', blank);
	while (*sign)
		put(o, *sign++);
	pad(o, '0', zeros);
	while (n > 0)
		put(o, digits[--n]);
	if (s->left)
		pad(o, ' ', blank);
}

static int number_in(const char **format, va_list *ap)
{
	int n = 0;

	if (**format == '*') {
		++*format;
		return va_arg(*ap, int);
	}
	for (; isdigit((unsigned char)**format); ++*format)
		n = n * 10 + **format - '0';
	return n;
}

static struct spec parse_spec(const char **format, va_list *ap)
{
	struct spec s = {.precision = -1};

	for (;; ++*format) {
		if (**format == '-')
			s.left = true;
		else if (**format == '0')
			s.zero = true;
		else if (**format == '+')
			s.plus = true;
		else if (**format == ' ')
			s.space = true;
		else
			break;
	}
	s.width = number_in(format, ap);
	if (s.width < 0) {
		s.left = true;
		s.width = -s.width;
	}
	if (**format == '.') {
		++*format;
		s.precision = number_in(format, ap);
	}
	for (; **format == 'l' || **format == 'z' || **format == 'h'; ++*format)
		s.longs += **format != 'h';
	return s;
}

static void put_signed(struct out *o, const struct spec *s, int64_t v)
{
	const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";
	put_number(o, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, sign);
}

static uint64_t unsigned_argument(const struct spec *s, va_list *ap)
{
	return s->longs >= 2 ? va_arg(*ap, uint64_t) : va_arg(*ap, uint32_t);
}

static void convert(struct out *o, char kind, struct spec s, va_list *ap)
{
	switch (kind) {
	case 'd': case 'i':
		put_signed(o, &s, s.longs >= 2 ? va_arg(*ap, int64_t) : va_arg(*ap, int32_t));
		break;
	case 'u':
		put_number(o, &s, unsigned_argument(&s, ap), 10, "");
		break;
	case 'X':
		s.upper = true;        /* fall through */
	case 'x':
		put_number(o, &s, unsigned_argument(&s, ap), 16, "");
		break;
	case 'o':
		put_number(o, &s, unsigned_argument(&s, ap), 8, "");
		break;
	case 'p':
		put_number(o, &s, (uintptr_t)va_arg(*ap, void *), 16, "0x");
		break;
	case 's':
		put_string(o, &s, va_arg(*ap, const char *));
		break;
	case 'c':
		pad(o, ' ', s.left ? 0 : s.width - 1);
		put(o, va_arg(*ap, int));
		pad(o, ' ', s.left ? s.width - 1 : 0);
		break;
	default:
		put(o, kind);
	}
}

int vsnprintf(char *buf, size_t size, const char *format, va_list args)
{
	struct out o = {buf, size, 0};
	va_list ap;

	va_copy(ap, args);
	for (; *format; format++) {
		if (*format != '%') {
			put(&o, *format);
			continue;
		}
		format++;
		struct spec s = parse_spec(&format, &ap);
		if (!*format)
			break;
		convert(&o, *format, s, &ap);
	}
	va_end(ap);
	if (size > 0)
		buf[o.len < size ? o.len : size - 1] = 0;
	return o.len;
}

int snprintf(char *buf, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(buf, size, format, ap);
	va_end(ap);
	return n;
}
