/* tests/silicon/undefined.c: see undefined.h. */
#include "undefined.h"

#include <stdio.h>
#include <string.h>

#include "../cpu/forms.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Whether name is one of a list with spaces between. */
static bool listed(const char *name, const char *list)
{
	size_t n = strlen(name);

	for (const char *p = list; (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

/* --- not run at all ------------------------------------------------------------------------------------------------------- */

static const struct { const char *names, *why; } not_run[] = {
	{ "callf jmpf retf iret", "far transfers lead to the host kernel's segments; IRET could switch the processor's mode" },
	{ "int sysenter", "a system call of the host" },
	{ "int1", "the host kernel does not say where the trap came from" },
	{ "rdtsc rdpmc cpuid", "the answer belongs to the host: its clock, its counters, its model" },
	{ "sldt str sgdt sidt smsw", "the host may have them trap (UMIP), and their answer is its kernel's" },
};

const char *sil_row_excluded(const struct insn_row *row)
{
	for (unsigned i = 0; i < COUNT(not_run); i++)
		if (listed(row->name, not_run[i].names))
			return not_run[i].why;
	return NULL;
}

/* --- not run, or not compared, in these situations ------------------------------------------------------------------------- */

enum situation { ENDLESS, ASTRAY, WAY_OUT, KERNEL_SEGMENT, LONG_SEGMENT, ALIAS_CR8, SHIFT_COUNT, SWAP_WORD, PORT_COUNT, HOST_GDT, WRAP_4G, MXCSR_BIT17,
                 LOOP_LIMIT };
static const struct { const char *what, *why; } situation[] = {
	[ENDLESS]        = { "any", "does not end within some thousand instructions" },
	[ASTRAY]         = { "any", "a branch led into the middle of an instruction, and nobody knows what is undefined there" },
	[WAY_OUT]        = { "any", "touches the page through which a case ends on the host" },
	[KERNEL_SEGMENT] = { "selectors 78-7B", "the host kernel keeps a segment of its own there" },
	[LONG_SEGMENT]   = { "selectors 30-33", "the host's 64-bit code segment" },
	[ALIAS_CR8]      = { "lock mov cr0", "is MOV CR8 on AMD's processors" },
	[SHIFT_COUNT]    = { "shld shrd", "[SDM2B] \"SHLD\", \"SHRD\": a count above the operand size leaves the result undefined" },
	[SWAP_WORD]      = { "bswap", "[SDM2A] \"BSWAP\": of a 16-bit register the result is undefined" },
	[PORT_COUNT]     = { "rep ins, rep outs", "[SDM2B] \"REP\": with a count of 0 nothing is done; some processors check the port first all the same" },
	[HOST_GDT]       = { "lar lsl verr verw", "of selectors that are not the case's: read the host kernel's descriptors" },
	[WRAP_4G]        = { "any", "[SDM3A 5.3 \"Limit Checking\"]: an operand that wraps around 4 GB may or may not be a segment violation; here it is not" },
	[LOOP_LIMIT]     = { "loop loope loopne", "that end where the code segment ends: AMD's processors raise #GP even when they branch back" },
	[MXCSR_BIT17]    = { "ldmxcsr fxrstor", "bit 17 of MXCSR exists on AMD's processors" },
};

/* Encodings that later processors gave another meaning. */
static const struct { uint8_t map, opcode, rep; const char *why; } later[] = {
	{ 2, 0xbc, REP_F3, "F3 BSF is TZCNT later" },
	{ 2, 0xbd, REP_F3, "F3 BSR is LZCNT later" },
	{ 2, 0x1e, REP_F3, "F3 0F 1E is RDSSP and ENDBR later" },
	{ 2, 0xc7, REP_F3, "F3 0F C7 is RDPID later" },
	{ 2, 0x1a, REP_NONE, "0F 1A and 0F 1B are bounds instructions later" },
	{ 2, 0x1b, REP_NONE, "0F 1A and 0F 1B are bounds instructions later" },
	{ 1, 0xe0, REP_F3, "F3 LOOPNE: REP is reserved there, and some processors take it for the condition" },
	{ 1, 0xe1, REP_F2, "F2 LOOPE likewise" },
	{ 2, 0x1c, REP_NONE, "0F 1C is CLDEMOTE later" },
};

static const char *later_meaning(const struct insn *in)
{
	for (unsigned i = 0; i < COUNT(later); i++)
		if (insn_table[in->row].map == later[i].map && in->opcode == later[i].opcode && (!later[i].rep || in->rep == later[i].rep))
			return later[i].why;
	return NULL;
}

/* The linear address of the memory operand. */
static uint32_t effective(const struct sil_state *s, const struct insn *in)
{
	uint32_t base = sil_segment(s->seg[in->seg])->base;

	uint32_t ea = (in->base == R_ZERO ? 0 : s->r[in->base]) + ((in->index == R_ZERO ? 0 : s->r[in->index]) << in->scale) + in->disp;

	return base + (in->addrsize == 2 ? ea & 0xffff : ea);
}

static uint32_t operand(const struct sil_case *c, const struct insn *in)
{
	uint32_t ea;

	if (in->mod == 3)
		return c->in.r[in->rm];
	ea = effective(&c->in, in);
	for (unsigned i = 0; i < c->patches; i++)
		if (ea - c->patch[i].at < c->patch[i].len - 1u)
			return c->patch[i].byte[ea - c->patch[i].at] | (uint32_t)c->patch[i].byte[ea - c->patch[i].at + 1] << 8;
	return 0x8000;                         /* unknown: none of the selectors below */
}

/* Selectors of which host and emulator say the same: null, the two of 32-bit programs, and the LDT's. */
static bool common_selector(uint32_t v)
{
	v &= 0xfffc;
	return v == 0 || v & 4 || v == (SIL_CS & ~3u) || v == (SIL_DS & ~3u);
}

/* The instruction at offset `at` ends with the last byte of the code segment. */
static bool ends_segment(const struct sil_case *c, unsigned at, const struct insn *in)
{
	return !sil_code32(&c->in) && c->in.eip + at + in->len == sil_segment(c->in.seg[SEG_CS])->limit + 1;
}

static const char *undefined_result(const struct sil_case *c, const struct insn *in)
{
	const struct insn_row *row = &insn_table[in->row];
	unsigned count = (row_has_operand(row, OPD_CL) ? c->in.r[R_ECX] : in->imm) & 31;

	if (listed(row->name, "shld shrd") && in->opsize == 2 && (count > 16 || c->insns > 1))
		return situation[SHIFT_COUNT].why;
	if (!strcmp(row->name, "bswap") && in->opsize == 2)
		return situation[SWAP_WORD].why;
	if (row->props & IP_REP && in->rep && row_has_operand(row, OPD_DX) && !(in->addrsize == 4 ? c->in.r[R_ECX] : c->in.r[R_ECX] & 0xffff))
		return situation[PORT_COUNT].why;
	if (listed(row->name, "lar lsl verr verw") && (c->insns > 1 || !common_selector(operand(c, in))))
		return situation[HOST_GDT].why;
	return NULL;
}

static bool pad_touched(const struct sil_result *r)
{
	return r->vector == VEC_PF && r->cr2 - (SIL_PAD - 1) <= SIL_PAGE;
}

static bool lock_control(const uint8_t *code)
{
	bool lock = false;

	for (unsigned i = 0; i < INSN_MAX && code[i] != 0x0f; i++)
		lock |= code[i] == 0xf0;
	for (unsigned i = 0; lock && i < INSN_MAX; i++)
		if (code[i] == 0x0f)
			return code[i + 1] == 0x20 || code[i + 1] == 0x22;
	return false;
}

static bool astray(const struct sil_case *c, uint32_t eip)
{
	if (sil_page_of(sil_code_address(&c->in, eip)) != PAGE_CODE || eip == c->in.eip + c->len)
		return false;
	for (unsigned i = 0; i < c->insns; i++)
		if (eip == c->in.eip + c->start[i])
			return false;
	return true;
}

const char *sil_case_excluded(const struct sil_case *c, const struct sil_result *ours)
{
	struct insn in;
	const char *why;

	if (ours->vector == SIL_HUNG)
		return situation[ENDLESS].why;
	if (ours->vector != SIL_ENDED && astray(c, ours->state.eip))
		return situation[ASTRAY].why;
	if (pad_touched(ours))
		return situation[WAY_OUT].why;
	if (ours->vector == VEC_GP && (ours->error & 0xfffc) == 0x78)
		return situation[KERNEL_SEGMENT].why;
	if (ours->vector == VEC_GP && (ours->error & 0xfffc) == 0x30)
		return situation[LONG_SEGMENT].why;
	for (unsigned i = 0; i < c->insns; i++) {
		if (lock_control(c->code + c->start[i]))
			return situation[ALIAS_CR8].why;
		if (!sil_insn(c, c->start[i], &in))
			continue;
		why = later_meaning(&in);
		if (!why)
			why = undefined_result(c, &in);
		if (!why && listed(insn_table[in.row].name, "loop loope loopne") && ends_segment(c, c->start[i], &in))
			why = situation[LOOP_LIMIT].why;
		if (!why && listed(insn_table[in.row].name, not_run[1].names))
			why = not_run[1].why;
		if (why)
			return why;
	}
	return NULL;
}

/* --- run, but some results do not count ------------------------------------------------------------------------------------ */

/* The host's memory becomes the emulator's. */
static void allow_memory(uint8_t *const ours_page[], uint8_t *const host_page[], uint32_t at, unsigned n)
{
	for (; n; at++, n--) {
		unsigned page = sil_page_of(at);
		if (page < SIL_PAGES)
			host_page[page][at & 0xfff] = ours_page[page][at & 0xfff];
	}
}

/* Condition codes of the x87 status word that the manual leaves undefined and processors do not agree on. Those it leaves
 * undefined but all keep are compared. */
static const struct { const char *names; uint16_t codes; const char *why; } x87_codes[] = {
	{ "ffree ffreep", 0x4700, "[SDM2A] \"FFREE\": C0, C1, C2, C3 undefined" },
	{ "fcomi fcomip fucomi fucomip", 0x0200, "[SDM2A] \"FCOMI\": C1 is 0, but AMD's processors keep it" },
};

static void allow_codes(const char *name, const struct sil_result *ours, struct sil_result *host)
{
	for (unsigned i = 0; i < COUNT(x87_codes); i++)
		if (listed(name, x87_codes[i].names))
			host->state.fpu.status = (uint16_t)((host->state.fpu.status & ~x87_codes[i].codes) | (ours->state.fpu.status & x87_codes[i].codes));
}

/* Fields that are not compared in what these instructions store: where the last x87 instruction and its operand were, which some
 * processors keep only while an exception waits, and MXCSR_MASK and reserved bytes, which tell the model. */
static const struct { const char *names; uint8_t opsize; struct { uint16_t at, n; } field[3]; const char *why; } stored[] = {
	{ "fnstenv fnsave", 4, { { 12, 16 } }, "[SDM1 8.1.8 \"x87 FPU Instruction and Data (Operand) Pointers\"]" },
	{ "fnstenv fnsave", 2, { { 6, 8 } }, "likewise" },
	{ "fxsave", 0, { { 6, 18 }, { 28, 4 }, { 288, 224 } }, "likewise; [SDM1 11.6.6 \"Guidelines for Writing to the MXCSR Register\"]" },
};

static void allow_stored(const struct sil_case *c, const struct insn *in, const struct sil_result *ours, uint8_t *const ours_page[], uint8_t *const host_page[])
{
	uint32_t ea = effective(c->insns == 1 ? &c->in : &ours->state, in);

	for (unsigned i = 0; i < COUNT(stored); i++)
		if (listed(insn_table[in->row].name, stored[i].names) && (!stored[i].opsize || stored[i].opsize == in->opsize))
			for (unsigned f = 0; f < 3; f++)
				allow_memory(ours_page, host_page, ea + stored[i].field[f].at, stored[i].field[f].n);
}

static unsigned area_size(const struct insn *in)
{
	const struct insn_row *row = &insn_table[in->row];

	if (row_has_operand(row, OPD_Menv))
		return in->opsize == 2 ? 14 : 28;
	if (row_has_operand(row, OPD_Mst))
		return in->opsize == 2 ? 94 : 108;
	if (row_has_operand(row, OPD_Mt))
		return 10;
	return row_has_operand(row, OPD_Mfx) ? 512 : 0;
}

/* A fault of an access within [ea, ea + size). */
static bool faulted_in(const struct sil_result *r, uint32_t ea, unsigned size, uint32_t wrap)
{
	if (r->vector == VEC_PF)
		return ((r->cr2 - ea) & wrap) < size;
	return r->vector == VEC_GP || r->vector == VEC_SS || r->vector == VEC_AC;
}

/* Environments, states and FXSAVE areas are many accesses, in no given order: which page, limit or misalignment faults first
 * may vary [SDM2A "FXSAVE"], and bytes may have been stored before. */
static void allow_area(const struct insn *in, const struct sil_result *ours, uint8_t *const ours_page[], struct sil_result *host, uint8_t *const host_page[])
{
	uint32_t ea = effective(&ours->state, in), wrap = in->addrsize == 2 ? 0xffff : 0xffffffff;
	unsigned size = area_size(in);

	/* An 80-bit number is two: only whether a page or the limit comes first may vary. */
	if (size == 10 && host->vector == ours->vector)
		return;
	if (!size || !faulted_in(ours, ea, size, wrap) || !faulted_in(host, ea, size, wrap))
		return;
	host->vector = ours->vector;
	host->cr2 = ours->cr2;
	host->error = ours->error;
	allow_memory(ours_page, host_page, ea, size);
}

static uint32_t stack(const struct sil_state *s)
{
	const struct sil_segment *ss = sil_segment(s->seg[SEG_SS]);

	return ss->base + (ss->flags & SEG_FLAG_DB ? s->r[R_ESP] : s->r[R_ESP] & 0xffff);
}

/* A push of many that faults in the middle may leave the first ones below ESP, where nothing is kept, a pop of many the registers
 * it has loaded: restarting does it again [SDM3A 6.5 "Exception Classifications"]. Here a fault leaves no trace. */
static void allow_partial(const struct sil_case *c, const struct sil_result *ours, uint8_t *const ours_page[], struct sil_result *host, uint8_t *const host_page[])
{
	uint32_t at = ours->state.eip - c->in.eip;
	struct insn in;

	if (ours->vector < 0 || !sil_insn(c, at, &in))
		return;
	if (listed(insn_table[in.row].name, "pusha enter"))
		allow_memory(ours_page, host_page, stack(&ours->state) - 4 * 33, 4 * 33);
	allow_area(&in, ours, ours_page, host, host_page);
	/* MASKMOVQ may have made the x87 registers MMX registers before it faults. */
	if (!strcmp(insn_table[in.row].name, "maskmovq")) {
		host->state.fpu.valid = ours->state.fpu.valid;
		host->state.fpu.status = ours->state.fpu.status;
		memcpy(host->state.fpu.st, ours->state.fpu.st, sizeof(host->state.fpu.st));
	}
	if (!strcmp(insn_table[in.row].name, "popa"))
		for (unsigned i = 0; i < 8; i++)
			if (i != R_ESP)
				host->state.r[i] = ours->state.r[i];
}

bool sil_row_alone(const struct insn_row *row)
{
	return listed(row->name, "lar lsl verr verw shld shrd insb ins outsb outs fnstenv fnsave fstenv fsave fxsave rcpps rcpss rsqrtps rsqrtss");
}

bool sil_row_defined(const struct insn_row *row)
{
	for (unsigned i = 0; i < COUNT(x87_codes); i++)
		if (listed(row->name, x87_codes[i].names))
			return false;
	return !row->flags_undefined && !sil_row_alone(row) && !listed(row->name, "rol ror rcl rcr shl shr sar bswap ret jmp call popf")
	       && !(row->props & IP_BRANCH);
}

/* Flags that are undefined after this instruction. */
static uint32_t undefined_flags(const struct sil_case *c, const struct insn *in)
{
	const struct insn_row *row = &insn_table[in->row];
	unsigned width = row_has_operand(row, OPD_Eb) ? 8 : in->opsize * 8;
	unsigned count = (row_has_operand(row, OPD_CL) ? c->in.r[R_ECX] : row_has_operand(row, OPD_I1) ? 1 : in->imm) & 31;
	uint32_t mask = row->flags_undefined;
	bool carry = listed(row->name, "shl shr");     /* undefined when everything is shifted out */

	if (!listed(row->name, "shl shr sar shld shrd rol ror rcl rcr"))
		return mask;
	if (c->insns > 1 && row_has_operand(row, OPD_CL))
		return mask | (carry ? F_CF : 0);
	if (count == 0)
		return 0;
	if (count == 1)
		return mask & ~F_OF;
	return mask | (carry && count > width ? F_CF : 0);
}

static bool wraps(const struct sil_case *c, const struct sil_result *ours, const struct sil_result *host)
{
	uint32_t at = ours->state.eip - c->in.eip, ea;
	struct insn in;

	if ((host->vector != VEC_GP && host->vector != VEC_SS) || host->error)
		return false;
	if (ours->vector == VEC_PF)
		return ours->cr2 >= 0xfffffe00 || ours->cr2 < 0x200;
	if (ours->vector != VEC_AC || !sil_insn(c, at, &in))
		return false;
	ea = effective(&ours->state, &in);
	for (unsigned i = R_ESP; i <= R_EBP; i++)
		if (ours->state.r[i] - 4 * 33 >= 0xfffffe00)
			return true;
	return ea >= 0xfffffe00 || ours->state.r[R_ESI] >= 0xfffffff0 || ours->state.r[R_EDI] >= 0xfffffff0;
}

#define AMD_MISALIGNED 0x20000u

/* Ours raised #GP at an instruction that loads MXCSR with that bit set. */
static bool loads_amd_bit(const struct sil_case *c, const struct sil_result *ours, uint8_t *const ours_page[])
{
	uint32_t at = ours->state.eip - c->in.eip, high;
	struct insn in;

	if (ours->vector != VEC_GP || !sil_insn(c, at, &in))
		return false;
	if (!listed(insn_table[in.row].name, "ldmxcsr fxrstor"))
		return false;
	high = effective(&ours->state, &in) + (in.reg == 2 ? 2 : 26);
	return sil_page_of(high) < SIL_PAGES && ours_page[sil_page_of(high)][high & 0xfff] & AMD_MISALIGNED >> 16;
}

/* RCP and RSQRT are approximations with a relative error of at most 1.5 * 2^-12 each [SDM2B] "RCPPS", "RSQRTPS"; a reciprocal at the
 * edge of the tiny ones may or may not become 0. */
static bool both_approximate(uint32_t a, uint32_t b)
{
	float x, y;

	memcpy(&x, &a, 4);
	memcpy(&y, &b, 4);
	if ((a ^ b) >> 31)
		return false;
	if (!(a << 1) || !(b << 1))
		return ((a | b) & 0x7fffffff) <= 0x00801000;
	return __builtin_fabsf(x - y) <= 3 * 0x1p-12f * __builtin_fabsf(y);
}

static void allow_approximations(const struct insn *in, const struct sil_result *ours, struct sil_result *host)
{
	if (!listed(insn_table[in->row].name, "rcpps rcpss rsqrtps rsqrtss"))
		return;
	for (unsigned i = 0; i < 4; i++)
		if (both_approximate(host->state.fpu.xmm[in->reg].u32[i], ours->state.fpu.xmm[in->reg].u32[i]))
			host->state.fpu.xmm[in->reg].u32[i] = ours->state.fpu.xmm[in->reg].u32[i];
}

/* [SDM1 8.3.10 "Transcendental Instruction Accuracy"]: within 1 ulp of the exact value; C1 tells the direction of the rounding. */
static void allow_ulp(const struct sil_result *ours, struct sil_result *host)
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t distance = ours->state.fpu.st[i].mantissa - host->state.fpu.st[i].mantissa;
		if (ours->state.fpu.st[i].exponent == host->state.fpu.st[i].exponent && distance + 2 <= 4)
			host->state.fpu.st[i].mantissa = ours->state.fpu.st[i].mantissa;
	}
	host->state.fpu.status = (uint16_t)((host->state.fpu.status & ~0x200) | (ours->state.fpu.status & 0x200));
}

/* Where the last x87 instruction and its operand were [SDM1 8.1.8 "x87 FPU Instruction and Data (Operand) Pointers"]: AMD's processors
 * keep it only while an unmasked exception waits, 64-bit kernels save no selectors. */
static void allow_pointers(const struct sil_case *c, const struct sil_result *ours, struct sil_result *host)
{
	host->state.fpu.cs = ours->state.fpu.cs;
	host->state.fpu.ds = ours->state.fpu.ds;
	if (host->state.fpu.status & 0x80 && !(c->in.fpu.status & 0x80))
		return;
	host->state.fpu.opcode = ours->state.fpu.opcode;
	host->state.fpu.ip = ours->state.fpu.ip;
	host->state.fpu.dp = ours->state.fpu.dp;
}

const char *sil_allow(const struct sil_case *c, const struct sil_result *ours, uint8_t *const ours_page[], struct sil_result *host, uint8_t *const host_page[],
                      bool recorded)
{
	unsigned last = c->start[c->insns - 1];
	struct insn in;

	if (wraps(c, ours, host))
		return situation[WRAP_4G].why;
	if ((host->vector != VEC_GP || host->state.eip != ours->state.eip) && loads_amd_bit(c, ours, ours_page))
		return situation[MXCSR_BIT17].why;
	allow_pointers(c, ours, host);
	allow_partial(c, ours, ours_page, host, host_page);
	if (ours->state.eip == c->in.eip + last || !sil_insn(c, last, &in))
		return NULL;
	allow_codes(insn_table[in.row].name, ours, host);
	if (recorded && listed(insn_table[in.row].name, "fsin fcos fsincos fptan fpatan f2xm1 fyl2x fyl2xp1"))
		allow_ulp(ours, host);
	allow_stored(c, &in, ours, ours_page, host_page);
	allow_approximations(&in, ours, host);
	uint32_t undefined = undefined_flags(c, &in);
	host->state.eflags = (host->state.eflags & ~undefined) | (ours->state.eflags & undefined);
	return NULL;
}

void sil_list_exclusions(void)
{
	puts("\nNot run:");
	for (unsigned i = 0; i < COUNT(not_run); i++)
		printf("  %-28s %s\n", not_run[i].names, not_run[i].why);
	for (unsigned i = 0; i < COUNT(situation); i++)
		printf("  %-28s %s\n", situation[i].what, situation[i].why);
	puts("\nOther instructions on later processors, not run:");
	for (unsigned i = 0; i < COUNT(later); i++)
		printf("  %s\n", later[i].why);
	puts("\nNot compared: flags that insn.def says are undefined; the approximations of RCPPS and RSQRTPS beyond their precision;");
	puts("x87 instruction and operand pointers unless an exception waits;");
	for (unsigned i = 0; i < COUNT(x87_codes); i++)
		printf("  codes %04x after %-13s %s\n", x87_codes[i].codes, x87_codes[i].names, x87_codes[i].why);
	for (unsigned i = 0; i < COUNT(stored); i++)
		printf("  parts of what %-14s stores: %s\n", stored[i].names, stored[i].why);
	puts("  which of several faults comes first in FNSTENV, FLDENV, FNSAVE, FRSTOR, FXSAVE, FXRSTOR: [SDM2A] \"FXSAVE\",");
	puts("    and of an 80-bit number whether the segment limit or a page");
	puts("  what PUSHA, POPA, ENTER, MASKMOVQ and the stores of many fields have done when they fault in the middle");
}
