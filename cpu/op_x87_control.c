/* cpu/op_x87_control.c: the x87's control instructions: what its registers as a whole are stored in, loaded from, set to.
 *
 *   FSTENV, FLDENV    the environment: 7 words or dwords, in one of four layouts
 *   FSAVE, FRSTOR     the environment, then the registers from ST(0) on, 10 bytes each
 *   FXSAVE, FXRSTOR   one layout for all modes, 512 bytes, with MXCSR and the XMM registers
 *
 *   environment         16-bit protected   16-bit real               32-bit protected   32-bit real
 *   0, 1, 2             control, status, tags; in 32-bit layouts with ones above
 *   3                   FIP                FIP (15:0), linear        FIP                FIP (15:0), linear
 *   4                   FCS                FIP (19:16) | FOP         FOP | FCS          FIP (31:16) | FOP
 *   5                   FDP                FDP (15:0), linear        FDP                FDP (15:0), linear
 *   6                   FDS                FDP (19:16)               FDS                FDP (31:16)
 *
 * These do not touch the instruction and data pointers, but for FNOP and what changes the stack's top or tags.
 * References: [SDM1 8.1.10 "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE"], [SDM1 8.7 "Handling x87 FPU
 * Exceptions in Software"], [SDM2A] "FCLEX/FNCLEX" to "FXSAVE", [SDM2C] "WAIT/FWAIT".
 */
#include "cpu/system.h"
#include "cpu/x87.h"

/* Reserved bits of the control word read as they do after FINIT. */
#define FPU_CW_EXIST 0x1f7fu
#define FPU_CW_ONE   0x0040u

/* --- parts ---------------------------------------------------------------------------------------------------------- */

static void set_control(struct cpu *cpu, uint16_t value)
{
	cpu->fpu.control = (value & FPU_CW_EXIST) | FPU_CW_ONE;
	cpu->fpu.status = fpu_summary(cpu->fpu.status, cpu->fpu.control);
}

/* FERR# is about to follow ES: the board must see that at the right time, so the instruction runs alone. */
static enum exec ferr_ready(struct cpu *cpu, const struct insn *in)
{
	if (likely(!cpu->ferr || cpu->single))
		return EXEC_OK;
	cpu->insn = in;
	return EXEC_SINGLE;
}

static void ferr_follow(struct cpu *cpu)
{
	if (unlikely(cpu->ferr && !(cpu->fpu.status & FPU_SW_ES)))
		cpu_ferr(cpu, false);
}

static void init(struct fpu *f)
{
	f->control = FPU_CW_INIT;
	f->status = f->opcode = f->cs = f->ds = 0;
	f->ip = f->dp = 0;
	f->valid = 0;
}

/* [SDM1 8.1.7 "x87 FPU Tag Word"]: 0 valid, 1 zero, 2 special, 3 empty. */
static unsigned tag_of(const struct x87_reg *r, bool valid)
{
	unsigned exponent = r->exponent & 0x7fff;

	if (!valid)
		return 3;
	if (exponent == 0 && r->mantissa == 0)
		return 1;
	return exponent == 0 || exponent == 0x7fff || !(r->mantissa >> 63) ? 2 : 0;
}

uint16_t fpu_tag_word(const struct fpu *f)
{
	unsigned tags = 0;

	for (unsigned i = 0; i < 8; i++)
		tags |= tag_of(&f->r[i], f->valid >> i & 1) << 2 * i;
	return (uint16_t)tags;
}

static void set_tags(struct fpu *f, uint16_t tags)
{
	f->valid = 0;
	for (unsigned i = 0; i < 8; i++)
		if ((tags >> 2 * i & 3) != 3)
			f->valid |= (uint8_t)(1u << i);
}

/* --- the environment ------------------------------------------------------------------------------------------------ */

#define ENV_WORDS 7
#define FOP_MASK  0x7ffu

static bool real_layout(const struct cpu *cpu)
{
	return !protected_mode(cpu) || v86_mode(cpu);
}

/* The seven values, in 32-bit layout. */
static void env_get(const struct cpu *cpu, uint32_t env[ENV_WORDS])
{
	const struct fpu *f = &cpu->fpu;
	uint32_t fip = (uint32_t)(f->cs << 4) + f->ip, fdp = (uint32_t)(f->ds << 4) + f->dp;

	env[0] = 0xffff0000 | f->control;
	env[1] = 0xffff0000 | f->status;
	env[2] = 0xffff0000 | fpu_tag_word(f);
	if (real_layout(cpu)) {
		env[3] = 0xffff0000 | fip;
		env[4] = (fip >> 16) << 12 | f->opcode;
		env[5] = 0xffff0000 | fdp;
		env[6] = (fdp >> 16) << 12;
	} else {
		env[3] = f->ip;
		env[4] = (uint32_t)f->opcode << 16 | f->cs;
		env[5] = f->dp;
		env[6] = 0xffff0000 | f->ds;
	}
}

/* Selectors cannot be had back from linear addresses, nor the opcode from the 16-bit protected layout. */
static void env_set(struct cpu *cpu, const uint32_t env[ENV_WORDS])
{
	struct fpu *f = &cpu->fpu;

	f->status = (uint16_t)env[1];
	set_control(cpu, (uint16_t)env[0]);
	set_tags(f, (uint16_t)env[2]);
	if (real_layout(cpu)) {
		f->ip = (env[3] & 0xffff) | (env[4] & 0x0ffff000) << 4;
		f->dp = (env[5] & 0xffff) | (env[6] & 0x0ffff000) << 4;
		f->cs = f->ds = 0;
		f->opcode = env[4] & FOP_MASK;
	} else {
		f->ip = env[3];
		f->cs = (uint16_t)env[4];
		f->dp = env[5];
		f->ds = (uint16_t)env[6];
		f->opcode = env[4] >> 16 & FOP_MASK;
	}
}

/* Writes the environment to image in the layout of this operand size; returns its length. */
static unsigned env_store(const struct cpu *cpu, unsigned opsize, uint8_t *image)
{
	uint32_t env[ENV_WORDS];

	env_get(cpu, env);
	for (unsigned i = 0; i < ENV_WORDS; i++)
		memcpy(image + i * opsize, &env[i], opsize);
	return ENV_WORDS * opsize;
}

static unsigned env_load(struct cpu *cpu, unsigned opsize, const uint8_t *image)
{
	uint32_t env[ENV_WORDS] = { 0 };

	for (unsigned i = 0; i < ENV_WORDS; i++)
		memcpy(&env[i], image + i * opsize, opsize);
	env_set(cpu, env);
	return ENV_WORDS * opsize;
}

#define ENV_MAX  28u
#define SAVE_MAX 108u

/* FNSTENV: D9 /6. The copy in memory keeps the masks; those of the x87 are all set, so that a handler can compute. */
static enum exec fnstenv(struct cpu *cpu, const struct insn *in)
{
	uint8_t image[ENV_MAX];
	unsigned size = ENV_WORDS * in->opsize;
	struct ref dst;

	TRY(x87_check_nowait(cpu, in));
	TRY(ferr_ready(cpu, in));
	TRY(x87_open(cpu, in, size, OPEN_WRITE, &dst));
	env_store(cpu, in->opsize, image);
	ref_store(cpu, &dst, image, size);
	set_control(cpu, cpu->fpu.control | FPU_SW_EXCEPTIONS);
	ferr_follow(cpu);
	return EXEC_OK;
}
HANDLER(fnstenv_M, fnstenv(cpu, in))

/* FLDENV: D9 /4. */
static enum exec fldenv(struct cpu *cpu, const struct insn *in)
{
	uint8_t image[ENV_MAX];
	unsigned size = ENV_WORDS * in->opsize;
	struct ref src;

	TRY(x87_check(cpu, in));
	TRY(ferr_ready(cpu, in));
	TRY(x87_open(cpu, in, size, OPEN_READ, &src));
	ref_load(cpu, &src, image, size);
	env_load(cpu, in->opsize, image);
	ferr_follow(cpu);
	return EXEC_OK;
}
HANDLER(fldenv_M, fldenv(cpu, in))

/* FNSAVE: DD /6. */
static enum exec fnsave(struct cpu *cpu, const struct insn *in)
{
	uint8_t image[SAVE_MAX];
	unsigned at, size = ENV_WORDS * in->opsize + 80;
	struct ref dst;

	TRY(x87_check_nowait(cpu, in));
	TRY(ferr_ready(cpu, in));
	TRY(x87_open(cpu, in, size, OPEN_WRITE, &dst));
	at = env_store(cpu, in->opsize, image);
	for (unsigned i = 0; i < 8; i++, at += 10) {
		const struct x87_reg *r = st(cpu, i);
		memcpy(image + at, &r->mantissa, 8);
		memcpy(image + at + 8, &r->exponent, 2);
	}
	ref_store(cpu, &dst, image, size);
	init(&cpu->fpu);
	ferr_follow(cpu);
	return EXEC_OK;
}
HANDLER(fnsave_M, fnsave(cpu, in))

/* FRSTOR: DD /4. */
static enum exec frstor(struct cpu *cpu, const struct insn *in)
{
	uint8_t image[SAVE_MAX];
	unsigned at, size = ENV_WORDS * in->opsize + 80;
	struct ref src;

	TRY(x87_check(cpu, in));
	TRY(ferr_ready(cpu, in));
	TRY(x87_open(cpu, in, size, OPEN_READ, &src));
	ref_load(cpu, &src, image, size);
	at = env_load(cpu, in->opsize, image);
	for (unsigned i = 0; i < 8; i++, at += 10) {
		struct x87_reg *r = st(cpu, i);
		memcpy(&r->mantissa, image + at, 8);
		memcpy(&r->exponent, image + at + 8, 2);
	}
	ferr_follow(cpu);
	return EXEC_OK;
}
HANDLER(frstor_M, frstor(cpu, in))

/* --- FXSAVE --------------------------------------------------------------------------------------------------------- */

/* What the processor writes; the rest of the 512 bytes belongs to software. */
struct fxsave {
	uint16_t control, status;
	uint8_t valid, zero;
	uint16_t opcode;
	uint32_t ip;
	uint16_t cs, zero_cs;
	uint32_t dp;
	uint16_t ds, zero_ds;
	uint32_t mxcsr, mxcsr_mask;
	struct { uint64_t mantissa; uint16_t exponent, zero[3]; } st[8];
	union xmm xmm[8];
};
_Static_assert(sizeof(struct fxsave) == 288, "the first 288 bytes of the FXSAVE area");
#define FXSAVE_SIZE 512u

static void fxsave_x87(struct cpu *cpu, struct fxsave *a)
{
	const struct fpu *f = &cpu->fpu;

	a->control = f->control;
	a->status = f->status;
	a->valid = f->valid;
	a->opcode = f->opcode;
	a->ip = f->ip;
	a->cs = f->cs;
	a->dp = f->dp;
	a->ds = f->ds;
	a->zero = 0;
	a->zero_cs = a->zero_ds = 0;
	for (unsigned i = 0; i < 8; i++) {
		const struct x87_reg *r = st(cpu, i);
		a->st[i].mantissa = r->mantissa;
		a->st[i].exponent = r->exponent;
		memset(a->st[i].zero, 0, sizeof(a->st[i].zero));
	}
}

static void fxrstor_x87(struct cpu *cpu, const struct fxsave *a)
{
	struct fpu *f = &cpu->fpu;

	f->status = a->status;
	set_control(cpu, a->control);
	f->valid = a->valid;
	f->opcode = a->opcode & FOP_MASK;
	f->ip = a->ip;
	f->cs = a->cs;
	f->dp = a->dp;
	f->ds = a->ds;
	for (unsigned i = 0; i < 8; i++) {
		struct x87_reg *r = st(cpu, i);
		r->mantissa = a->st[i].mantissa;
		r->exponent = a->st[i].exponent;
	}
}

/* FXSAVE: 0F AE /0. MXCSR and the XMM registers take part when the system says it knows them (CR4.OSFXSR). */
static enum exec fxsave(struct cpu *cpu, const struct insn *in)
{
	uint8_t bytes[FXSAVE_SIZE];
	struct fxsave a;
	struct ref dst;

	TRY(x87_check_nowait(cpu, in));
	TRY(open_aligned(cpu, in, FXSAVE_SIZE, OPEN_RW, &dst));
	ref_load(cpu, &dst, bytes, FXSAVE_SIZE);
	memcpy(&a, bytes, sizeof(a));
	fxsave_x87(cpu, &a);
	if (cpu->cr4 & CR4_OSFXSR) {
		a.mxcsr = cpu->fpu.mxcsr;
		memcpy(a.xmm, cpu->fpu.xmm, sizeof(a.xmm));
	}
	a.mxcsr_mask = MXCSR_MASK;
	memcpy(bytes, &a, sizeof(a));
	ref_store(cpu, &dst, bytes, FXSAVE_SIZE);
	return EXEC_OK;
}
HANDLER(fxsave_M, fxsave(cpu, in))

/* FXRSTOR: 0F AE /1. */
static enum exec fxrstor(struct cpu *cpu, const struct insn *in)
{
	uint8_t bytes[FXSAVE_SIZE];
	struct fxsave a;
	struct ref src;

	TRY(x87_check_nowait(cpu, in));
	TRY(ferr_ready(cpu, in));
	TRY(open_aligned(cpu, in, FXSAVE_SIZE, OPEN_READ, &src));
	ref_load(cpu, &src, bytes, FXSAVE_SIZE);
	memcpy(&a, bytes, sizeof(a));
	if (cpu->cr4 & CR4_OSFXSR) {
		if (a.mxcsr & ~MXCSR_MASK)
			return raise_error(cpu, in, VEC_GP, 0);
		cpu->fpu.mxcsr = a.mxcsr;
		memcpy(cpu->fpu.xmm, a.xmm, sizeof(a.xmm));
	}
	fxrstor_x87(cpu, &a);
	ferr_follow(cpu);
	return EXEC_OK;
}
HANDLER(fxrstor_M, fxrstor(cpu, in))

/* --- control and status words --------------------------------------------------------------------------------------- */

/* FNINIT: DB E3. */
enum exec op_fninit(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_check_nowait(cpu, in));
	TRY(ferr_ready(cpu, in));
	init(&cpu->fpu);
	ferr_follow(cpu);
	NEXT(cpu, in);
}

/* FNCLEX: DB E2. The condition codes stay. */
enum exec op_fnclex(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_check_nowait(cpu, in));
	TRY(ferr_ready(cpu, in));
	cpu->fpu.status &= (uint16_t)~(FPU_SW_EXCEPTIONS | FPU_SW_SF | FPU_SW_ES | FPU_SW_B);
	ferr_follow(cpu);
	NEXT(cpu, in);
}

/* FLDCW: D9 /5. */
enum exec op_fldcw_Mw(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(x87_check(cpu, in));
	TRY(ferr_ready(cpu, in));
	TRY(x87_open(cpu, in, 2, OPEN_READ, &src));
	set_control(cpu, ref_get16(cpu, &src));
	ferr_follow(cpu);
	NEXT(cpu, in);
}

/* FNSTCW: D9 /7. */
enum exec op_fnstcw_Mw(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(x87_check_nowait(cpu, in));
	TRY(x87_open(cpu, in, 2, OPEN_WRITE, &dst));
	ref_set16(cpu, &dst, cpu->fpu.control);
	NEXT(cpu, in);
}

/* FNSTSW: DD /7. */
enum exec op_fnstsw_Mw(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(x87_check_nowait(cpu, in));
	TRY(x87_open(cpu, in, 2, OPEN_WRITE, &dst));
	ref_set16(cpu, &dst, cpu->fpu.status);
	NEXT(cpu, in);
}

/* FNSTSW AX: DF E0. */
enum exec op_fnstsw_AX(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_check_nowait(cpu, in));
	cpu->r[R_EAX] = (cpu->r[R_EAX] & 0xffff0000) | cpu->fpu.status;
	NEXT(cpu, in);
}

/* FNENI, FNDISI, FNSETPM: DB E0, E1, E4. Of the 8087 and 287; they have done nothing since. */
enum exec op_fnnop(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_check_nowait(cpu, in));
	NEXT(cpu, in);
}

/* WAIT: 9B. */
enum exec op_wait(struct cpu *cpu, const struct insn *in)
{
	if (unlikely((cpu->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)))
		return raise_fault(cpu, in, VEC_NM);
	if (unlikely(cpu->fpu.status & FPU_SW_ES))
		TRY(fpu_pending(cpu, in));
	NEXT(cpu, in);
}

/* --- the stack as such ---------------------------------------------------------------------------------------------- */

/* FNOP: D9 D0. */
enum exec op_fnop(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_begin(cpu, in));
	NEXT(cpu, in);
}

/* FINCSTP, FDECSTP: D9 F7, F6. No tag changes; C1 = 0. */
enum exec op_fincstp(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_begin(cpu, in));
	st_move_top(cpu, 1);
	cpu->fpu.status &= (uint16_t)~FPU_SW_C1;
	NEXT(cpu, in);
}

enum exec op_fdecstp(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_begin(cpu, in));
	st_move_top(cpu, -1);
	cpu->fpu.status &= (uint16_t)~FPU_SW_C1;
	NEXT(cpu, in);
}

/* FFREE: DD C0+i. */
enum exec op_ffree_STi(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_begin(cpu, in));
	st_free(cpu, in->rm);
	NEXT(cpu, in);
}

/* FFREEP: DF C0+i. Not in the manual; FFREE and a pop. */
enum exec op_ffreep_STi(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_begin(cpu, in));
	st_free(cpu, in->rm);
	st_pop(cpu);
	NEXT(cpu, in);
}
