/* guestos/kernel/sigframe.c: a handler is called, and what it interrupted goes on.
 *
 * To call a handler, everything the user's registers hold is written to the user's stack, and the trap frame is changed so that the
 * way back to user mode leads to the handler, whose return address leads to sigreturn, which reads the registers back. In between the
 * kernel keeps nothing: a handler may change the saved registers, return many levels at once by longjmp, or never
 * return. So sigreturn trusts nothing it reads: the program could have written it all.
 *
 *   struct rt_frame (SA_SIGINFO)                  struct old_frame
 *     0 return address   <- ESP in the handler      0 return address   <- ESP
 *     4 signal                                      4 signal
 *     8 address of info                             8 registers: struct sigcontext
 *    12 address of ucontext                        96 room that once held the FPU's state
 *    16 info, 128 bytes                           720 mask, signals 33-64
 *   144 ucontext: flags, link, stack,             724 code, if the program named no restorer
 *       registers (at 164), mask
 *   260 code, if the program named no restorer
 *
 * ESP + 4 is a multiple of 16 when a handler begins, as at the entry of any function.
 * Above all this are the floating-point registers (sigfpu.c), if the process has used them.
 * References: [SYSVI386 3 "Process Initialization"]; the frames are those of Linux i386. */
#include "mm.h"
#include "signal.h"
#include "syscalls.h"

struct sigcontext {
	uint32_t gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax;
	uint32_t trapno, error, eip, cs, eflags, esp_at_signal, ss, fpstate, oldmask, cr2;
};
_Static_assert(sizeof(struct sigcontext) == 88, "layout is fixed by the ABI");

struct rt_frame {
	uint32_t pretcode, sig, pinfo, puc;
	struct { int32_t signo, err, code; uint32_t value[29]; } info;
	struct { uint32_t flags, link, stack[3]; struct sigcontext regs; uint32_t mask[2]; } uc;
	uint8_t retcode[8];
};
_Static_assert(sizeof(struct rt_frame) == 268, "layout is fixed by the ABI");

struct old_frame_head { uint32_t pretcode, sig; struct sigcontext regs; };
struct old_frame_tail { uint32_t extramask; uint8_t retcode[8]; };
#define OLD_TAIL 720u          /* where the tail begins */
#define OLD_FRAME (OLD_TAIL + sizeof(struct old_frame_tail))

#define NR_SIGRETURN 119
#define NR_RT_SIGRETURN 173
static const uint8_t old_code[8] = { 0x58, 0xb8, NR_SIGRETURN, 0, 0, 0, 0xcd, 0x80 };         /* pop eax; mov eax, N; int 0x80 */
static const uint8_t rt_code[8] = { 0xb8, NR_RT_SIGRETURN, 0, 0, 0, 0xcd, 0x80, 0 };          /* mov eax, N; int 0x80 */

/* What a program may set in EFLAGS: CF PF AF ZF SF TF DF OF RF AC. [SDM1 3.4.3 "EFLAGS Register"] */
#define EFLAGS_USER 0x00050dd5u
#define EFLAGS_TF 0x00000100u
#define EFLAGS_DF 0x00000400u
#define EFLAGS_RF 0x00010000u

bool on_signal_stack(const struct signals *s, uaddr_t esp)
{
	return s->alt_size && esp > s->alt_stack && esp - s->alt_stack <= s->alt_size;
}

/* Where a frame of n bytes goes, and above it the floating-point registers; 0 if that is outside the alternate stack it belongs on. */
static uaddr_t place_frame(const struct trapframe *tf, const struct sigaction *a, uint32_t n, uaddr_t *fpstate)
{
	const struct signals *s = current->signals;
	uaddr_t esp = tf->user_esp;
	bool alternate = on_signal_stack(s, esp);
	if ((a->flags & SA_ONSTACK) && s->alt_size && !alternate) {
		esp = s->alt_stack + s->alt_size;
		alternate = true;
	}
	*fpstate = fpu_frame_place(esp);
	if (*fpstate)
		esp = *fpstate;
	esp = ((esp - n + 4) & ~15u) - 4;
	return alternate && !on_signal_stack(s, esp) ? 0 : esp;
}

static void save_registers(struct sigcontext *c, const struct trapframe *tf, sigset_t mask, uaddr_t fpstate)
{
	const struct signals *s = current->signals;
	*c = (struct sigcontext){
		.gs = tf->gs & 0xffff, .fs = tf->fs & 0xffff, .es = tf->es & 0xffff, .ds = tf->ds & 0xffff,
		.edi = tf->edi, .esi = tf->esi, .ebp = tf->ebp, .esp = tf->user_esp,
		.ebx = tf->ebx, .edx = tf->edx, .ecx = tf->ecx, .eax = tf->eax,
		.trapno = s->trapno, .error = s->error, .eip = tf->eip, .cs = tf->cs & 0xffff, .eflags = tf->eflags,
		.esp_at_signal = tf->user_esp, .ss = tf->user_ss & 0xffff, .fpstate = fpstate, .oldmask = mask, .cr2 = s->cr2,
	};
}

/* The stack may have to grow down to where the frame goes, so ESP is moved there before it is written. */
static int write_frame(struct trapframe *tf, uaddr_t at, const void *head, uint32_t n, const struct old_frame_tail *tail, uaddr_t fpstate)
{
	uint32_t esp = tf->user_esp;
	if (!at)
		return -EFAULT;
	tf->user_esp = at;
	if (!copy_to_user(at, head, n) && !(tail && copy_to_user(at + OLD_TAIL, tail, sizeof *tail)) && !fpu_frame_save(fpstate))
		return 0;
	tf->user_esp = esp;
	return -EFAULT;
}

static int rt_frame(struct trapframe *tf, const struct signal_info *info, const struct sigaction *a, sigset_t mask, uaddr_t at,
	uaddr_t fpstate)
{
	const struct signals *s = current->signals;
	struct rt_frame f = {
		.pretcode = a->flags & SA_RESTORER ? a->restorer : at + offsetof(struct rt_frame, retcode), .sig = info->sig,
		.pinfo = at + offsetof(struct rt_frame, info), .puc = at + offsetof(struct rt_frame, uc),
		.info = { .signo = info->sig, .code = info->code },
		.uc = { .stack = { s->alt_stack, s->alt_size ? 0 : SS_DISABLE, s->alt_size }, .mask = { mask, mask >> 32 } },
	};
	/* A fault: its address. Somebody: process, user 0, and a child's status. */
	bool fault = info->code > 0 && info->sig != SIGCHLD;
	f.info.value[0] = info->value[0];
	f.info.value[fault ? 1 : 2] = info->value[1];
	memcpy(f.retcode, rt_code, sizeof f.retcode);
	save_registers(&f.uc.regs, tf, mask, fpstate);
	if (write_frame(tf, at, &f, sizeof f, NULL, fpstate))
		return -EFAULT;
	tf->edx = at + offsetof(struct rt_frame, info);
	tf->ecx = at + offsetof(struct rt_frame, uc);
	return 0;
}

static int old_frame(struct trapframe *tf, int sig, const struct sigaction *a, sigset_t mask, uaddr_t at, uaddr_t fpstate)
{
	struct old_frame_tail tail = { .extramask = mask >> 32 };
	struct old_frame_head head = {
		.pretcode = a->flags & SA_RESTORER ? a->restorer : at + OLD_TAIL + offsetof(struct old_frame_tail, retcode), .sig = sig,
	};
	memcpy(tail.retcode, old_code, sizeof tail.retcode);
	save_registers(&head.regs, tf, mask, fpstate);
	if (write_frame(tf, at, &head, sizeof head, &tail, fpstate))
		return -EFAULT;
	tf->edx = tf->ecx = 0;
	return 0;
}

/* Make the way back to user mode lead to the handler. 0, or -EFAULT: nothing has changed. May sleep. */
int signal_frame(struct trapframe *tf, const struct signal_info *info, const struct sigaction *a, sigset_t mask)
{
	bool rt = a->flags & SA_SIGINFO;
	uaddr_t fpstate, at = place_frame(tf, a, rt ? sizeof(struct rt_frame) : OLD_FRAME, &fpstate);
	if (rt ? rt_frame(tf, info, a, mask, at, fpstate) : old_frame(tf, info->sig, a, mask, at, fpstate))
		return -EFAULT;
	tf->eip = a->handler;
	tf->eax = info->sig;
	tf->cs = SEL_UCODE;
	tf->ds = tf->es = tf->user_ss = SEL_UDATA;
	tf->eflags &= ~(EFLAGS_TF | EFLAGS_DF | EFLAGS_RF);
	return 0;
}

/* Returning */

/* Any selector may be in the frame, but those of CS and SS are made to be of ring 3. Should one of them name nothing that a program may
 * load, the way back to user mode finds that out (trap.c). */
static void restore_registers(struct trapframe *tf, const struct sigcontext *c)
{
	tf->gs = c->gs & 0xffff;
	tf->fs = c->fs & 0xffff;
	tf->es = c->es & 0xffff;
	tf->ds = c->ds & 0xffff;
	tf->edi = c->edi;
	tf->esi = c->esi;
	tf->ebp = c->ebp;
	tf->ebx = c->ebx;
	tf->edx = c->edx;
	tf->ecx = c->ecx;
	tf->eax = c->eax;
	tf->eip = c->eip;
	tf->cs = (c->cs & 0xffff) | 3;
	tf->eflags = (tf->eflags & ~EFLAGS_USER) | (c->eflags & EFLAGS_USER);
	tf->user_esp = c->esp;
	tf->user_ss = (c->ss & 0xffff) | 3;
	current->restartable = false;          /* EAX is the program's, not a result */
}

static int bad_frame(struct trapframe *tf, uaddr_t at)
{
	if (!signal_caught(SIGSEGV))
		printk("%s[%d]: sigreturn from a bad frame at 0x%08x, eip 0x%08x\n", current->name, current->pid, at, tf->eip);
	signal_force(SIGSEGV, SI_KERNEL, 0, NULL);
	return 0;
}

/* The handler's RET took the return address; its restorer popped the signal, too. */
int sys_sigreturn(struct trapframe *tf)
{
	uaddr_t at = tf->user_esp - 8;
	struct old_frame_head f;
	uint32_t extramask;
	if (copy_from_user(&f, at, sizeof f) || copy_from_user(&extramask, at + OLD_TAIL, sizeof extramask)
	    || fpu_frame_restore(f.regs.fpstate))
		return bad_frame(tf, at);
	current->blocked = ((sigset_t)extramask << 32 | f.regs.oldmask) & ~UNBLOCKABLE;
	restore_registers(tf, &f.regs);
	return tf->eax;
}

int sys_rt_sigreturn(struct trapframe *tf)
{
	uaddr_t at = tf->user_esp - 4;
	struct rt_frame f;
	if (copy_from_user(&f, at, sizeof f) || fpu_frame_restore(f.uc.regs.fpstate))
		return bad_frame(tf, at);
	current->blocked = ((sigset_t)f.uc.mask[1] << 32 | f.uc.mask[0]) & ~UNBLOCKABLE;
	restore_registers(tf, &f.uc.regs);
	if (signals_of_current())
		signal_stack_set(current->signals, f.uc.stack, tf->user_esp);  /* a bad one changes nothing */
	return tf->eax;
}
