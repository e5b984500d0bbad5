/* cpu/x87_host.c: see x87_host.h. With sse_host.h, what needs an x86-64 host; CMakeLists.txt says so to others. */
#include "cpu/x87_host.h"

#include <string.h>

/* What FNSAVE stores [SDM1 8.1.10 "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE"]. */
struct image {
	uint32_t control, status, tags, ip, cs_opcode, dp, ds;
	struct { uint64_t mantissa; uint16_t exponent; } __attribute__((packed)) st[8];
} __attribute__((packed));
_Static_assert(sizeof(struct image) == 108, "what FNSAVE stores");

static void take(struct x87_host *h, const struct image *image)
{
	h->status = (uint16_t)image->status;
	h->a = (struct x87_reg) { image->st[0].mantissa, image->st[0].exponent };
	h->b = (struct x87_reg) { image->st[1].mantissa, image->st[1].exponent };
}

/* volatile and the memory clobber keep the sequence together and in place. FNINIT: what the host's own arithmetic has left in
 * the status word, or MMX code in the tags, is nothing the guest may see. */
#define RUN(name, instruction) \
void host_##name(struct x87_host *h) \
{ \
	struct image image; \
	__asm__ volatile("fninit\n\tfldcw %[control]\n\tfldt %[b]\n\tfldt %[a]\n\t" instruction "\n\tfnsave %[image]" \
		: [image] "=m"(image), [mem] "+m"(h->mem) \
		: [control] "m"(h->control), [a] "m"(h->a), [b] "m"(h->b) \
		: "memory", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"); \
	take(h, &image); \
}

/* In the assembler's names s and l are m32 and m64 of real numbers, but m16 and m32 of integers. */
#define RUN_BINARY(name) \
	RUN(f##name, "f" #name " %%st(1), %%st") \
	RUN_MEMORY(name)
#define RUN_MEMORY(name) \
	RUN(f##name##_m32, "f" #name "s %[mem]") \
	RUN(f##name##_m64, "f" #name "l %[mem]") \
	RUN(f##name##_i16, "fi" #name "s %[mem]") \
	RUN(f##name##_i32, "fi" #name "l %[mem]")
X87_HOST_ARITHMETIC(RUN_BINARY)
RUN(fcom, "fcom %%st(1)")
X87_HOST_COMPARE(RUN_MEMORY)

#define RUN_PLAIN(name) RUN(f##name, "f" #name)
X87_HOST_PLAIN(RUN_PLAIN)

RUN(fld_m32, "flds %[mem]")
RUN(fld_m64, "fldl %[mem]")
RUN(fbld, "fbld %[mem]")
RUN(fstp_m32, "fstps %[mem]")
RUN(fstp_m64, "fstpl %[mem]")
RUN(fistp_i16, "fistps %[mem]")
RUN(fistp_i32, "fistpl %[mem]")
RUN(fistp_i64, "fistpll %[mem]")
RUN(fbstp, "fbstp %[mem]")
