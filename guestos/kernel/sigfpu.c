/* guestos/kernel/sigfpu.c: the floating-point registers in a signal's frame.
 *
 * They lie above the rest of the frame, if the process has used any; the saved registers' fpstate holds the address. A handler begins
 * with fresh ones, and what is in the frame comes back when it returns. With FXSAVE there are two images in a row: first the
 * old one, FNSAVE's, made from the other, then FXSAVE's, at a multiple of 64. Without, the old one alone.
 *
 *     0  control, status, tag word, 4 words of pointers: 32 bits each; 8 registers of 10 bytes: what FNSAVE writes
 *   108  status word, magic: 0 if an FXSAVE image follows, else 0xffff
 *   112  what FXSAVE writes, 512 bytes
 *
 * Simplified: of two images, what a handler changes counts in the second only.
 * References: [SDM1 8.1.10 "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE"], [SDM2A] "FXSAVE". */
#include "mm.h"
#include "signal.h"

struct old_image {
	uint32_t control, status, tags, instruction[2], operand[2];
	uint8_t registers[8][10];
	uint16_t status_again, magic;
};
_Static_assert(sizeof(struct old_image) == 112, "layout is fixed by the ABI");

struct new_image {
	uint16_t control, status;
	uint8_t used, pad;             /* a bit for each register that is not empty */
	uint16_t opcode;
	uint32_t instruction[2], operand[2], mxcsr, mxcsr_mask;
	struct { uint8_t value[10], pad[6]; } registers[8];
	uint8_t rest[352];
};
_Static_assert(sizeof(struct new_image) == 512, "layout is fixed by the processor");

#define FNSAVE_BYTES 108u
#define MXCSR_MASK_DEFAULT 0xffbfu     /* where the processor reports none [SDM1 11.6.6 "Guidelines for Writing to the MXCSR Register"] */
enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

uaddr_t fpu_frame_place(uaddr_t esp)
{
	if (!current->fpu)
		return 0;
	return fpu_has_fxsave() ? ((esp - sizeof(struct new_image)) & ~63u) - sizeof(struct old_image) : esp - sizeof(struct old_image);
}

/* What the full tag word says of a register that is in use: [SDM1 8.1.7 "x87 FPU Tag Word"]. */
static uint32_t tag_of(const uint8_t value[10])
{
	uint32_t exponent = (value[8] | value[9] << 8) & 0x7fff, low, high;
	memcpy(&low, value, 4);
	memcpy(&high, value + 4, 4);
	if (exponent == 0x7fff || !(high >> 31))
		return exponent || low || high ? TAG_SPECIAL : TAG_ZERO;
	return exponent ? TAG_VALID : TAG_SPECIAL;
}

static void make_old_image(struct old_image *o, const struct new_image *n)
{
	uint32_t top = n->status >> 11 & 7;
	*o = (struct old_image){ .control = n->control | 0xffff0000, .status = n->status | 0xffff0000, .tags = 0xffff0000,
		.instruction = { n->instruction[0], (n->instruction[1] & 0xffff) | n->opcode << 16 },
		.operand = { n->operand[0], n->operand[1] }, .status_again = n->status };
	for (uint32_t i = 0; i < 8; i++) {
		memcpy(o->registers[i], n->registers[i].value, 10);
		uint32_t physical = (top + i) & 7;     /* tags are by register, values by distance from the top */
		o->tags |= (n->used & 1u << physical ? tag_of(n->registers[i].value) : TAG_EMPTY) << 2 * physical;
	}
}

/* The handler's registers are fresh from here on. May sleep. */
int fpu_frame_save(uaddr_t at)
{
	struct old_image o = { .magic = 0xffff };
	void *image = fpu_image();
	if (!at || !image)
		return 0;
	if (fpu_has_fxsave())
		make_old_image(&o, image);
	else
		memcpy(&o, image, FNSAVE_BYTES);
	if (copy_to_user(at, &o, sizeof o) || (fpu_has_fxsave() && copy_to_user(at + sizeof o, image, sizeof(struct new_image))))
		return -EFAULT;
	fpu_reset();
	return 0;
}

/* at is what the frame says: anything. A bit of MXCSR that must be 0 and is not would make FXRSTOR fault in the kernel. May sleep. */
int fpu_frame_restore(uaddr_t at)
{
	if (!at) {
		fpu_reset();
		return 0;
	}
	struct new_image *image = fpu_image_make();
	if (!image)
		return -ENOMEM;
	uint32_t mask = image->mxcsr_mask;
	if (copy_from_user(image, fpu_has_fxsave() ? at + sizeof(struct old_image) : at, fpu_has_fxsave() ? sizeof *image : FNSAVE_BYTES)) {
		fpu_reset();                   /* a part may have come, and nobody has looked at it */
		return -EFAULT;
	}
	if (fpu_has_fxsave()) {
		image->mxcsr &= mask ? mask : MXCSR_MASK_DEFAULT;
		image->mxcsr_mask = mask;
	}
	return 0;
}
