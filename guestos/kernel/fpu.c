/* guestos/kernel/fpu.c: the floating-point registers of each process: x87, MMX and SSE.
 *
 * The processor has one set of them, and most programs never touch it. So it is given away lazily: CR0.TS is set whenever the
 * process that runs is not the one whose values the registers hold (fpu_owner), and its first floating-point instruction then
 * raises #NM. Only there are the owner's registers saved and the process's own loaded. A process that computes nothing pays
 * nothing for it, neither time on a switch nor the 512 bytes, which are allocated on its first #NM.
 * The kernel itself is compiled without floating point, so what is in the registers survives any trap.
 *
 * Invariants: TS is clear exactly while the owner runs. A process with p->fpu == NULL has never used the registers. The owner's
 * values are in the registers and p->fpu is stale; everybody else's are in p->fpu.
 *
 * FXSAVE where CPUID has it, else FNSAVE, which knows no SSE. Simplified: a processor too old for CPUID counts as one without
 * x87. There CR0.EM makes every floating-point instruction raise #NM,
 * and the program gets SIGFPE, as on Linux.
 * References: [SDM3A 2.5 "Control Registers"], [SDM2A] "FXSAVE", "FNSAVE"; [SDM3A 13.4 "Designing OS Facilities for Saving"]. */
#include "mm.h"
#include "proc.h"

#define CPUID_FPU  (1u << 0)
#define CPUID_FXSR (1u << 24)
#define CPUID_SSE  (1u << 25)
#define MXCSR_DEFAULT 0x1f80u          /* all exceptions masked, round to nearest */
#define FXSAVE_REGISTERS 32u           /* the x87 and XMM registers begin here in the FXSAVE image */

struct fpu_state { uint8_t bytes[512]; } __attribute__((aligned(16)));

static bool have_fpu, have_fxsr;
static struct proc *fpu_owner;
static struct fpu_state initial;       /* what a process finds that has computed nothing yet */

static void save(struct fpu_state *s)
{
	if (have_fxsr)
		__asm__ volatile("fxsave %0" : "=m"(*s));
	else
		__asm__ volatile("fnsave %0" : "=m"(*s));
}

/* FNINIT first: an exception that the last owner left pending would be raised by FRSTOR. */
static void load(const struct fpu_state *s)
{
	if (have_fxsr)
		__asm__ volatile("fninit; fxrstor %0" : : "m"(*s));
	else
		__asm__ volatile("fninit; frstor %0" : : "m"(*s));
}

static void clear_ts(void) { __asm__ volatile("clts"); }
static void set_ts(void) { write_cr0(read_cr0() | CR0_TS); }

void fpu_init(void)
{
	uint32_t features = cpu_features(), mxcsr = MXCSR_DEFAULT;
	have_fpu = features & CPUID_FPU;
	have_fxsr = have_fpu && features & CPUID_FXSR;
	if (!have_fpu) {
		write_cr0(read_cr0() | CR0_EM);
		return;
	}
	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	if (have_fxsr)
		write_cr4(read_cr4() | CR4_OSFXSR);
	if (have_fxsr && features & CPUID_SSE) {
		write_cr4(read_cr4() | CR4_OSXMMEXCPT);
		__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	}
	__asm__ volatile("fninit");
	save(&initial);
	if (have_fxsr)                         /* whatever the boot loader had in them */
		memset(initial.bytes + FXSAVE_REGISTERS, 0, sizeof initial.bytes - FXSAVE_REGISTERS);
	set_ts();
}

/* The registers of p, which runs next, are those in the processor, or its first use will raise #NM. */
void fpu_switch(const struct proc *p)
{
	if (!have_fpu)
		return;
	if (p == fpu_owner)
		clear_ts();
	else
		set_ts();
}

/* Vector 7 from user mode. False: this machine has none, or no memory for the values. May sleep. */
bool fpu_unavailable(void)
{
	if (!have_fpu)
		return false;
	struct fpu_state *mine = current->fpu ? current->fpu : kmalloc(sizeof *mine);
	if (!mine)
		return false;
	if (!current->fpu)
		*mine = initial;               /* whole: FXSAVE leaves out the last bytes, and nothing of the kernel's may be in them */
	current->fpu = mine;
	clear_ts();
	if (fpu_owner == current)
		return true;
	if (fpu_owner)
		save(fpu_owner->fpu);
	load(mine);
	fpu_owner = current;
	return true;
}

/* A copy of the current process's values for a child. May sleep; 0 or -ENOMEM. */
int fpu_copy(struct proc *child)
{
	child->fpu = NULL;
	if (!current->fpu)
		return 0;
	struct fpu_state *copy = kmalloc(sizeof *copy);
	if (!copy)
		return -ENOMEM;
	if (fpu_owner == current) {
		save(current->fpu);
		load(current->fpu);            /* FNSAVE has initialised them */
	}
	*copy = *current->fpu;
	child->fpu = copy;
	return 0;
}

/* The current process's values as they lie in memory, up to date; NULL if it has none. It is not the owner then, so it may sleep over
 * them, and change them: its next use loads them. */
void *fpu_image(void)
{
	if (fpu_owner == current) {
		save(current->fpu);
		fpu_owner = NULL;
		set_ts();
	}
	return current->fpu;
}

/* The same, made if there are none. May sleep; NULL: no memory. */
void *fpu_image_make(void)
{
	struct fpu_state *s = have_fpu && !current->fpu ? kmalloc(sizeof *s) : NULL;
	if (s) {
		*s = initial;
		current->fpu = s;
	}
	return fpu_image();
}

/* As if it had computed nothing yet. */
void fpu_reset(void)
{
	struct fpu_state *s = fpu_image();
	if (s)
		*s = initial;
}

bool fpu_has_fxsave(void) { return have_fxsr; }

/* p has no values any more: it ends, or begins a new program. */
void fpu_drop(struct proc *p)
{
	if (fpu_owner == p) {
		fpu_owner = NULL;
		set_ts();
	}
	kfree(p->fpu);
	p->fpu = NULL;
}
