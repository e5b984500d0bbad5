/* cpu/op_mmx.c: packed-integer arithmetic: MMX, the integer instructions SSE added to it, and the 128-bit forms of SSE2.
 *
 * Each operation is written once, as a function of lanes (see simd.h), and named after the instruction; at the end of each
 * family a list makes the two handlers of each: _Pq_Qq on MMX and _Vx_Wx on XMM registers.
 * The SSE2 additions on MMX registers (PADDQ, PSUBQ, PMULUDQ) need no CR4.OSFXSR, like all that use no XMM register.
 * References: [SDM1 9.4 "MMX Instructions"], [SDM1 11.4.2 "SSE2 64-Bit and 128-Bit SIMD Integer Instructions"], [SDM2B] "PACKSSWB/PACKSSDW" to
 * "PXOR".
 */
#include "cpu/simd.h"

#define MMX_HANDLER(name) \
HANDLER(name##_Pq_Qq, mmx_operation(cpu, in, 8, name))
#define XMM_HANDLER(name) \
HANDLER(name##_Vx_Wx, xmm_operation(cpu, in, name))
#define HANDLERS(name) MMX_HANDLER(name) XMM_HANDLER(name)

/* --- lane by lane --------------------------------------------------------------------------------------------------- */

/* One lane of each operand is a and b, seen as type; the result is cut to the lane. */
#define EACH_LANE(name, bits, type, result) \
static inline void name(union xmm *d, const union xmm *s, unsigned bytes) \
{ \
	for (unsigned i = 0; i < bytes / (bits / 8); i++) { \
		type a = (type)d->u##bits[i], b = (type)s->u##bits[i]; \
		d->u##bits[i] = (uint##bits##_t)(result); \
	} \
}

static inline int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }
#define SIGNED_BYTE(v)   clamp(v, -0x80, 0x7f)
#define SIGNED_WORD(v)   clamp(v, -0x8000, 0x7fff)
#define UNSIGNED_BYTE(v) clamp(v, 0, 0xff)
#define UNSIGNED_WORD(v) clamp(v, 0, 0xffff)

EACH_LANE(paddb, 8,  uint8_t,  a + b)
EACH_LANE(paddw, 16, uint16_t, a + b)
EACH_LANE(paddd, 32, uint32_t, a + b)
EACH_LANE(paddq, 64, uint64_t, a + b)
EACH_LANE(psubb, 8,  uint8_t,  a - b)
EACH_LANE(psubw, 16, uint16_t, a - b)
EACH_LANE(psubd, 32, uint32_t, a - b)
EACH_LANE(psubq, 64, uint64_t, a - b)
EACH_LANE(paddsb,  8,  int8_t,   SIGNED_BYTE(a + b))
EACH_LANE(paddsw,  16, int16_t,  SIGNED_WORD(a + b))
EACH_LANE(paddusb, 8,  uint8_t,  UNSIGNED_BYTE(a + b))
EACH_LANE(paddusw, 16, uint16_t, UNSIGNED_WORD(a + b))
EACH_LANE(psubsb,  8,  int8_t,   SIGNED_BYTE(a - b))
EACH_LANE(psubsw,  16, int16_t,  SIGNED_WORD(a - b))
EACH_LANE(psubusb, 8,  uint8_t,  UNSIGNED_BYTE(a - b))
EACH_LANE(psubusw, 16, uint16_t, UNSIGNED_WORD(a - b))
EACH_LANE(pcmpeqb, 8,  uint8_t,  a == b ? -1 : 0)
EACH_LANE(pcmpeqw, 16, uint16_t, a == b ? -1 : 0)
EACH_LANE(pcmpeqd, 32, uint32_t, a == b ? -1 : 0)
EACH_LANE(pcmpgtb, 8,  int8_t,   a > b ? -1 : 0)
EACH_LANE(pcmpgtw, 16, int16_t,  a > b ? -1 : 0)
EACH_LANE(pcmpgtd, 32, int32_t,  a > b ? -1 : 0)
EACH_LANE(pand,  64, uint64_t, a & b)
EACH_LANE(pandn, 64, uint64_t, ~a & b)
EACH_LANE(por,   64, uint64_t, a | b)
EACH_LANE(pxor,  64, uint64_t, a ^ b)
EACH_LANE(pminub, 8,  uint8_t, a < b ? a : b)
EACH_LANE(pmaxub, 8,  uint8_t, a > b ? a : b)
EACH_LANE(pminsw, 16, int16_t, a < b ? a : b)
EACH_LANE(pmaxsw, 16, int16_t, a > b ? a : b)
EACH_LANE(pavgb, 8,  uint8_t,  (a + b + 1) >> 1)
EACH_LANE(pavgw, 16, uint16_t, (a + b + 1) >> 1)
EACH_LANE(pmullw,  16, int16_t, a * b)
EACH_LANE(pmulhw,  16, int16_t, a * b >> 16)
EACH_LANE(pmulhuw, 16, uint16_t, (uint32_t)a * b >> 16)
EACH_LANE(pmuludq, 64, uint64_t, (a & 0xffffffff) * (b & 0xffffffff))

HANDLERS(paddb) HANDLERS(paddw) HANDLERS(paddd) HANDLERS(paddq)
HANDLERS(psubb) HANDLERS(psubw) HANDLERS(psubd) HANDLERS(psubq)
HANDLERS(paddsb) HANDLERS(paddsw) HANDLERS(paddusb) HANDLERS(paddusw)
HANDLERS(psubsb) HANDLERS(psubsw) HANDLERS(psubusb) HANDLERS(psubusw)
HANDLERS(pcmpeqb) HANDLERS(pcmpeqw) HANDLERS(pcmpeqd) HANDLERS(pcmpgtb) HANDLERS(pcmpgtw) HANDLERS(pcmpgtd)
HANDLERS(pand) HANDLERS(pandn) HANDLERS(por) HANDLERS(pxor)
HANDLERS(pminub) HANDLERS(pmaxub) HANDLERS(pminsw) HANDLERS(pmaxsw) HANDLERS(pavgb) HANDLERS(pavgw)
HANDLERS(pmullw) HANDLERS(pmulhw) HANDLERS(pmulhuw) HANDLERS(pmuludq)

/* --- sums of neighbours --------------------------------------------------------------------------------------------- */

/* Only all four words 8000 overflow: to 80000000, as the wrapped sum is. */
static inline void pmaddwd(union xmm *d, const union xmm *s, unsigned bytes)
{
	for (unsigned i = 0; i < bytes / 4; i++) {
		int low = (int16_t)d->u16[2 * i] * (int16_t)s->u16[2 * i];
		int high = (int16_t)d->u16[2 * i + 1] * (int16_t)s->u16[2 * i + 1];
		d->u32[i] = (uint32_t)low + (uint32_t)high;
	}
}

/* The sum of eight absolute differences, in the low word of each quadword. */
static inline void psadbw(union xmm *d, const union xmm *s, unsigned bytes)
{
	for (unsigned i = 0; i < bytes / 8; i++) {
		unsigned sum = 0;
		for (unsigned j = 8 * i; j < 8 * i + 8; j++)
			sum += (unsigned)(d->u8[j] > s->u8[j] ? d->u8[j] - s->u8[j] : s->u8[j] - d->u8[j]);
		d->u64[i] = sum;
	}
}

HANDLERS(pmaddwd) HANDLERS(psadbw)

/* --- PACK: halves the lanes, destination's to the low half, source's to the high ------------------------------------ */

#define PACK(name, from, signed_from, to, saturate) \
static inline void name(union xmm *d, const union xmm *s, unsigned bytes) \
{ \
	unsigned n = bytes / (from / 8); \
	union xmm packed; \
	for (unsigned i = 0; i < n; i++) { \
		packed.u##to[i] = (uint##to##_t)saturate((signed_from)d->u##from[i]); \
		packed.u##to[n + i] = (uint##to##_t)saturate((signed_from)s->u##from[i]); \
	} \
	memcpy(d, &packed, bytes); \
}
PACK(packsswb, 16, int16_t, 8,  SIGNED_BYTE)
PACK(packuswb, 16, int16_t, 8,  UNSIGNED_BYTE)
PACK(packssdw, 32, int32_t, 16, SIGNED_WORD)

HANDLERS(packsswb) HANDLERS(packuswb) HANDLERS(packssdw)

/* --- PUNPCK: interleaves the low or the high halves, destination's lane first --------------------------------------- */

#define UNPACK(name, bits, first) \
static inline void name(union xmm *d, const union xmm *s, unsigned bytes) \
{ \
	unsigned half = bytes / (bits / 8) / 2; \
	union xmm mixed; \
	for (unsigned i = 0; i < half; i++) { \
		mixed.u##bits[2 * i] = d->u##bits[first + i]; \
		mixed.u##bits[2 * i + 1] = s->u##bits[first + i]; \
	} \
	memcpy(d, &mixed, bytes); \
}
UNPACK(punpcklbw,  8,  0)
UNPACK(punpcklwd,  16, 0)
UNPACK(punpckldq,  32, 0)
UNPACK(punpcklqdq, 64, 0)
UNPACK(punpckhbw,  8,  half)
UNPACK(punpckhwd,  16, half)
UNPACK(punpckhdq,  32, half)
UNPACK(punpckhqdq, 64, half)

/* Of its memory operand the MMX form that unpacks low halves reads only 32 bits. */
#define MMX_LOW_HANDLER(name) \
HANDLER(name##_Pq_Qd, mmx_operation(cpu, in, 4, name))
MMX_LOW_HANDLER(punpcklbw) MMX_LOW_HANDLER(punpcklwd) MMX_LOW_HANDLER(punpckldq)
XMM_HANDLER(punpcklbw) XMM_HANDLER(punpcklwd) XMM_HANDLER(punpckldq) XMM_HANDLER(punpcklqdq)
HANDLERS(punpckhbw) HANDLERS(punpckhwd) HANDLERS(punpckhdq) XMM_HANDLER(punpckhqdq)

/* --- shifts: all lanes by one count, the low 64 bits of the source -------------------------------------------------- */

/* n: the count, at most bits when more are asked for. */
#define SHIFT(name, bits, type, result) \
static inline void name(union xmm *d, const union xmm *s, unsigned bytes) \
{ \
	unsigned n = s->u64[0] < bits ? (unsigned)s->u64[0] : bits; \
	for (unsigned i = 0; i < bytes / (bits / 8); i++) { \
		type a = (type)d->u##bits[i]; \
		d->u##bits[i] = (uint##bits##_t)(result); \
	} \
}
SHIFT(psllw, 16, uint32_t, a << n)
SHIFT(pslld, 32, uint64_t, a << n)
SHIFT(psllq, 64, uint64_t, n < 64 ? a << n : 0)
SHIFT(psrlw, 16, uint32_t, a >> n)
SHIFT(psrld, 32, uint64_t, a >> n)
SHIFT(psrlq, 64, uint64_t, n < 64 ? a >> n : 0)
SHIFT(psraw, 16, int16_t, a >> n)
SHIFT(psrad, 32, int32_t, (int64_t)a >> n)

#define IMMEDIATE_HANDLERS(name) \
HANDLER(name##_Nq_Ib, mmx_immediate(cpu, in, name)) \
HANDLER(name##_Ux_Ib, xmm_immediate(cpu, in, name))
#define SHIFT_HANDLERS(name) HANDLERS(name) IMMEDIATE_HANDLERS(name)
SHIFT_HANDLERS(psllw) SHIFT_HANDLERS(pslld) SHIFT_HANDLERS(psllq)
SHIFT_HANDLERS(psrlw) SHIFT_HANDLERS(psrld) SHIFT_HANDLERS(psrlq)
SHIFT_HANDLERS(psraw) SHIFT_HANDLERS(psrad)

/* The whole register by bytes; XMM only. */
static inline void pslldq(union xmm *d, const union xmm *s, unsigned bytes)
{
	unsigned n = s->u64[0] < bytes ? (unsigned)s->u64[0] : bytes;

	memmove(d->u8 + n, d->u8, bytes - n);
	memset(d->u8, 0, n);
}

static inline void psrldq(union xmm *d, const union xmm *s, unsigned bytes)
{
	unsigned n = s->u64[0] < bytes ? (unsigned)s->u64[0] : bytes;

	memmove(d->u8, d->u8 + n, bytes - n);
	memset(d->u8 + bytes - n, 0, n);
}

HANDLER(pslldq_Ux_Ib, xmm_immediate(cpu, in, pslldq))

HANDLER(psrldq_Ux_Ib, xmm_immediate(cpu, in, psrldq))
