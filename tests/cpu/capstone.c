/* tests/cpu/capstone.c: see capstone.h. */
#include "capstone.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Capstone puts the operand or address size into these names; one row of insn.def serves both. */
static const struct { const char *ours, *narrow, *wide; bool by_address; } sized[] = {
	{ "ins", "insw", "insd", false },    { "outs", "outsw", "outsd", false },  { "movs", "movsw", "movsd", false },
	{ "cmps", "cmpsw", "cmpsd", false }, { "stos", "stosw", "stosd", false },  { "lods", "lodsw", "lodsd", false },
	{ "scas", "scasw", "scasd", false }, { "cbw", "cbw", "cwde", false },      { "cwd", "cwd", "cdq", false },
	{ "pusha", "pushaw", "pushal", false }, { "popa", "popaw", "popal", false }, { "pushf", "pushf", "pushfd", false },
	{ "popf", "popf", "popfd", false },  { "iret", "iret", "iretd", false },   { "jcxz", "jcxz", "jecxz", true },
};

/* Two names of one instruction. */
static const struct { const char *ours, *theirs; } aliases[] = {
	{ "callf", "lcall" }, { "jmpf", "ljmp" },      /* what AT&T calls a far one */
	{ "shl", "sal" },
	{ "fneni", "feni8087_nop" }, { "fndisi", "fdisi8087_nop" }, { "fnsetpm", "fsetpm" },
	{ "nop", "pause" },                            /* F3 90, a NOP on processors without it: [SDM2B] "PAUSE" */
	{ "nop", "prefetchnta" }, { "nop", "prefetcht0" }, { "nop", "prefetcht1" }, { "nop", "prefetcht2" },   /* hints */
	{ "cmpps", "cmpeqps" }, { "cmppd", "cmpeqpd" }, { "cmpss", "cmpeqss" }, { "cmpsd", "cmpeqsd" },        /* the immediate is 0 */
};

/* Instructions that later processors, or other makers', have. A P6 with SSE2 has none of them. */
#define SSE3   "addsubpd addsubps haddpd haddps hsubpd hsubps lddqu movddup movshdup movsldup fisttp monitor mwait"
#define SSSE3  "pabsb pabsd pabsw palignr phaddd phaddsw phaddw phsubd phsubsw phsubw pmaddubsw pmulhrsw pshufb psignb psignd psignw"
#define SSE4   "blendpd blendps blendvpd blendvps dppd dpps extractps insertps movntdqa mpsadbw packusdw pblendvb pblendw pcmpeqq " \
	"pcmpestri pcmpestrm pcmpgtq pcmpistri pcmpistrm pextrb pextrd pextrw phminposuw pinsrb pinsrd pmaxsb pmaxsd pmaxud pmaxuw pminsb pminsd " \
	"pminud pminuw pmovsxbd pmovsxbq pmovsxbw pmovsxdq pmovsxwd pmovsxwq pmovzxbd pmovzxbq pmovzxbw pmovzxdq pmovzxwd pmovzxwq pmuldq " \
	"pmulld ptest roundpd roundps roundsd roundss crc32 popcnt"
#define CRYPTO "aesdec aesdeclast aesenc aesenclast aesimc aeskeygenassist pclmulqdq sha1msg1 sha1msg2 sha1nexte sha1rnds4 sha256msg1 " \
	"sha256msg2 sha256rnds2 rdrand rdseed"
#define LATER  "adcx adox movbe clac stac clflushopt clwb pcommit invpcid rdtscp swapgs xabort xbegin xend xtest xgetbv xsetbv xrstor xrstors " \
	"xsave xsavec xsaveopt xsaves encls enclu getsec syscall sysret"
#define VMX    "invept invvpid vmcall vmclear vmfunc vmlaunch vmptrld vmptrst vmread vmresume vmwrite vmxoff vmxon"
#define AMD    "femms clgi stgi invlpga skinit vmload vmmcall vmrun vmsave extrq insertq movntsd movntss prefetchw prefetch"
#define VIA    "montmul xcryptcbc xcryptcfb xcryptctr xcryptecb xcryptofb xsha1 xsha256 xstorerng"

/* Instructions with a name of their own that a mandatory prefix chooses. */
#define CHOSEN "punpcklqdq punpckhqdq movdqa movdqu pshufd pshuflw pshufhw psrldq pslldq movq movntdq maskmovdqu movq2dq movdq2q " \
	"movupd movss movsd movlpd unpcklpd unpckhpd movhpd movapd movntpd movmskpd andpd andnpd orpd xorpd shufpd " \
	"sqrtpd sqrtss sqrtsd addpd addss addsd mulpd mulss mulsd subpd subss subsd minpd minss minsd divpd divss divsd maxpd maxss maxsd " \
	"rsqrtss rcpss cmppd cmpss cmpsd ucomisd comisd cvtpi2pd cvtsi2ss cvtsi2sd cvttpd2pi cvttss2si cvttsd2si cvtpd2pi cvtss2si cvtsd2si " \
	"cvtpd2ps cvtss2sd cvtsd2ss cvtps2dq cvttps2dq cvttpd2dq cvtdq2pd cvtpd2dq"

#define RESERVED(first, last) \
	{ "#UD", "*", 2, first, last, 0, 0, PX_F3, false, "F3 chooses nothing at 0F " #first "-" #last }, \
	{ "#UD", "*", 2, first, last, 0, 0, PX_F2, false, "F2 chooses nothing at 0F " #first "-" #last }

#define R(n) (1u << (n))

const struct difference differences[] = {
	/* Not there on a P6 with SSE2: CPUID does not report them, so they are #UD [SDM1 20.1 "Using the CPUID Instruction"]. */
	{ "#UD", SSE3,   0, 0, 0, 0, 0, 0, false, "SSE3 [SDM1 \"Overview of SSE3 Instructions\"]" },
	{ "#UD", SSSE3,  0, 0, 0, 0, 0, 0, false, "SSSE3 [SDM1 \"Overview of SSSE3 Instructions\"]" },
	{ "#UD", SSE4,   3, 0, 255, 0, 0, 0, false, "SSE4.1 and SSE4.2, 0F 38 [SDM1 \"SSE4 Overview\"]" },
	{ "#UD", SSE4,   4, 0, 255, 0, 0, 0, false, "SSE4.1 and SSE4.2, 0F 3A [SDM1 \"SSE4 Overview\"]" },
	{ "#UD", "popcnt", 2, 0xb8, 0xb8, 0, 0, PX_F3, false, "POPCNT [SDM2B] \"POPCNT\"" },
	{ "#UD", CRYPTO, 0, 0, 0, 0, 0, 0, false, "AES, PCLMULQDQ, SHA, random numbers [SDM1 \"AESNI Overview\"]" },
	{ "#UD", LATER,  0, 0, 0, 0, 0, 0, false, "XSAVE, TSX, SGX, SMX, SMAP and others, 64-bit mode's SYSCALL: instruction pages of [SDM2D \"XSAVE\"] and others" },
	{ "#UD", VMX,    0, 0, 0, 0, 0, 0, false, "VMX [SDM3C \"VMX Instruction Reference\"]" },
	{ "#UD", AMD,    0, 0, 0, 0, 0, 0, false, "another maker's: SVM, 3DNow!, SSE4a" },
	{ "#UD", VIA,    0, 0, 0, 0, 0, 0, false, "another maker's: PadLock" },
	{ "bsf", "tzcnt", 2, 0xbc, 0xbc, 0, 0, PX_F3, false, "without BMI1, F3 before BSF is ignored [SDM2B] \"TZCNT\"" },
	{ "bsr", "lzcnt", 2, 0xbd, 0xbd, 0, 0, PX_F3, false, "without LZCNT, F3 before BSR is ignored [SDM2A] \"LZCNT\"" },
	{ "nop", "endbr32 endbr64", 2, 0x1e, 0x1e, 0, FORM_REG, PX_F3, false, "without CET, ENDBR is a NOP [SDM2A] \"ENDBR32\"" },

	/* There, but an exception always. */
	{ "#UD", "rsm",  2, 0xaa, 0xaa, 0, 0, 0, false, "RSM is #UD outside system-management mode, which is not here [SDM2B] \"RSM\"" },
	{ "#UD", "ud0 ud2b", 2, 0xb9, 0xff, 0, 0, 0, false, "UD0 and UD1 raise #UD: that is all they do [SDM2B] \"UD\"" },

	/* Capstone is too strict. */
	{ "mov", "none", 1, 0x8c, 0x8c, R(6) | R(7), 0, 0, false, "no such segment register: its handler raises #UD [SDM2B] \"MOV\"" },
	{ "mov", "none", 1, 0x8e, 0x8e, R(1) | R(6) | R(7), 0, 0, false, "CS, or no such segment register: its handler raises #UD [SDM2B] \"MOV\"" },
	{ "nop", "none", 2, 0x18, 0x1f, 0, 0, 0, false, "0F 18-1F are hints, NOPs where not defined [SDM2D A.3 \"One, Two, and Three-Byte Opcode Maps\"] note 1 of table A-3" },
	{ "mov", "none", 1, 0xa0, 0xa3, 0, 0, PX_66_FIRST, false, "Capstone does not decode 66 F2 or 66 F3 before MOV moffs; F2 and F3 mean nothing to MOV" },

	{ "lfence mfence sfence", "none", 2, 0xae, 0xae, 0, FORM_REG, 0, false, "fences ignore r/m [SDM2A] \"LFENCE\"" },

	/* Capstone is too lax. */
	{ "#UD", "add or adc and sub xor", 1, 0x02, 0x33, 0, FORM_MEM, PX_F0, false, "LOCK needs a memory destination [SDM2A] \"LOCK\"" },
	{ "#UD", "nop",  2, 0x1f, 0x1f, 0, 0, PX_F0, false, "LOCK before an instruction that is not in its list [SDM2A] \"LOCK\"" },

	/* Capstone takes 66 beside F2 or F3 for a mandatory prefix where there is none. */
	{ "call", "call", 1, 0xe8, 0xe8, 0, 0, PX_66_FIRST, true, "66 is the operand size, whatever follows it [SDM2A 2.1.1 \"Instruction Prefixes\"]" },
	{ "ins outs movs cmps stos lods scas cbw cwd pusha popa pushf popf iret", "*", 1, 0x60, 0xcf, 0, 0, PX_66_FIRST, false,
	  "Capstone's name forgets that 66 comes before F2 or F3 (as above)" },
	{ "jcxz", "jcxz jecxz", 1, 0xe3, 0xe3, 0, 0, PX_67, false, "Capstone's name forgets that 67 comes before F2 or F3" },
	{ "cbw cwd", "cwde cdq", 1, 0x98, 0x99, 0, 0, 0, false, "Capstone takes CWDE for the name unless 66 is the last prefix, in 16-bit code too [SDM2A] \"CBW\"" },

	/* Capstone does not see a mandatory prefix, and so finds the instruction without it, or none. */
	{ CHOSEN, "*",    2, 0x10, 0xfe, 0, 0, PX_CODE16, false, "Capstone knows mandatory prefixes in 32-bit code only" },
	{ CHOSEN, "none", 2, 0x10, 0xfe, 0, 0, PX_CODE16, false, "Capstone knows mandatory prefixes in 32-bit code only (as above)" },
	{ CHOSEN, "*",    2, 0x10, 0xfe, 0, 0, PX_66 | PX_67, false, "Capstone does not take 66 for mandatory beside 67" },
	{ CHOSEN, "none", 2, 0x10, 0xfe, 0, 0, PX_66 | PX_67, false, "Capstone does not take 66 for mandatory beside 67 (as above)" },
	{ CHOSEN, "*",    2, 0x10, 0xfe, 0, 0, PX_66_LAST, false, "Capstone takes the last of 66, F2 and F3; F2 and F3 come before 66" },
	/* F3 and F2 where they choose nothing are reserved [SDM2A 2.1.1 "Instruction Prefixes"]; processors raise #UD. */
	RESERVED(0x12, 0x17), RESERVED(0x28, 0x29), RESERVED(0x2b, 0x2b), RESERVED(0x2e, 0x2f), RESERVED(0x50, 0x50), RESERVED(0x54, 0x57),
	{ "#UD", "*", 2, 0x52, 0x53, 0, 0, PX_F2, false, "F2 means nothing to RSQRT and RCP" },
	{ "#UD", "*", 2, 0x5b, 0x5b, 0, 0, PX_F2, false, "F2 means nothing to conversions at 0F 5B" },
	RESERVED(0xae, 0xae), RESERVED(0xc3, 0xc3), RESERVED(0xc6, 0xc6),
	{ "#UD", "movhlps movlhps", 2, 0x12, 0x16, 0, FORM_REG, PX_66, false, "66 makes it a move of a double to or from memory: no register [SDM2B] \"MOVLPD\"" },
	{ "#UD", "rsqrtps rcpps", 2, 0x52, 0x53, 0, 0, PX_66, false, "66 before RSQRTPS, RCPPS is reserved likewise" },
	{ "#UD", "movnti", 2, 0xc3, 0xc3, 0, 0, PX_66, false, "66 before MOVNTI is reserved likewise" },
	{ "#UD", "*", 2, 0xae, 0xae, 0, 0, PX_66, false, "66 before LDMXCSR, STMXCSR, a fence is reserved likewise" },
	RESERVED(0x60, 0x6e), { "#UD", "*", 2, 0x6f, 0x6f, 0, 0, PX_F2, false, "F2 means nothing to MOVQ, MOVDQA and MOVDQU" },
	RESERVED(0x71, 0x77), { "#UD", "*", 2, 0x7e, 0x7f, 0, 0, PX_F2, false, "F2 means nothing to MOVD, MOVQ, MOVDQA and MOVDQU" },
	RESERVED(0xc4, 0xc5),
	RESERVED(0xd0, 0xd5),
	RESERVED(0xd7, 0xe5),
	RESERVED(0xe7, 0xfe),
	{ "#UD", "movq", 2, 0xd6, 0xd6, 0, FORM_MEM, PX_66_LAST, false, "F2 and F3 make it a move between register files: no memory [SDM2B] \"MOVDQ2Q\"" },
	{ "#UD", "emms", 2, 0x77, 0x77, 0, 0, PX_66, false, "66 before EMMS is reserved likewise" },
};
const unsigned difference_count = COUNT(differences);

const char *bare_name(const char *theirs)
{
	const char *space = strchr(theirs, ' ');

	return space ? space + 1 : theirs;
}

static bool in_list(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = list; (at = strstr(at, name)); at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == 0 || at[n] == ' '))
			return true;
	return false;
}

/* What Capstone prints before a name is what we decoded: LOCK, and REP where it means something. */
static bool same_prefix(const struct insn *in, const char *theirs)
{
	if (!strchr(theirs, ' '))
		return !in->lock;
	if (!strncmp(theirs, "lock ", 5))
		return in->lock;
	if (!strncmp(theirs, "rep ", 4) || !strncmp(theirs, "repe ", 5) || !strncmp(theirs, "xrelease ", 9))
		return in->rep == REP_F3;
	if (!strncmp(theirs, "repne ", 6) || !strncmp(theirs, "bnd ", 4) || !strncmp(theirs, "xacquire ", 9))
		return in->rep == REP_F2;
	return false;
}

bool same_name(const struct insn *in, const char *theirs)
{
	const char *ours = insn_table[in->row].name, *bare = bare_name(theirs);

	if (!same_prefix(in, theirs))
		return false;
	for (unsigned i = 0; i < COUNT(sized); i++)
		if (!strcmp(ours, sized[i].ours))
			return !strcmp(bare, (sized[i].by_address ? in->addrsize : in->opsize) == 2 ? sized[i].narrow : sized[i].wide);
	if (!strcmp(ours, bare))
		return true;
	for (unsigned i = 0; i < COUNT(aliases); i++)
		if (!strcmp(ours, aliases[i].ours) && !strcmp(bare, aliases[i].theirs))
			return true;
	return false;
}

static bool fits(const struct difference *d, const struct tried *t, const char *ours, const char *theirs, bool same_length)
{
	unsigned mod = t->modrm >> 6, reg = t->modrm >> 3 & 7;

	if (strcmp(d->ours, "*") ? !in_list(d->ours, ours) : !strcmp(ours, "#UD"))
		return false;
	if (strcmp(d->theirs, "*") ? !in_list(d->theirs, theirs) : !strcmp(theirs, "none"))
		return false;
	if (d->map && (d->map != t->map || t->opcode < d->first || t->opcode > d->last))
		return false;
	if ((d->regs && !(d->regs >> reg & 1)) || (d->form == FORM_MEM && mod == 3) || (d->form == FORM_REG && mod != 3))
		return false;
	return (t->prefixes & d->prefixes) == d->prefixes && (same_length || d->length || !strcmp(d->theirs, "none"));
}

int difference_class(const struct tried *t, const struct insn *in, const char *theirs, bool same_length)
{
	const char *ours = in ? insn_table[in->row].name : "#UD", *bare = theirs ? bare_name(theirs) : "none";

	for (unsigned i = 0; i < difference_count; i++)
		if (fits(&differences[i], t, ours, bare, same_length || !in))
			return (int)i;
	return -1;
}
