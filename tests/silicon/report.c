/* tests/silicon/report.c: a case and its two results in words; see compare.h. */
#include <capstone/capstone.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "cpu/insn.h"

static void print_code(const struct sil_case *c)
{
	csh handle;
	cs_insn *insn;

	if (cs_open(CS_ARCH_X86, sil_code32(&c->in) ? CS_MODE_32 : CS_MODE_16, &handle))
		return;
	for (unsigned i = 0; i < c->insns; i++) {
		unsigned end = i + 1u < c->insns ? c->start[i + 1] : c->len;
		struct insn in;
		size_t n = cs_disasm(handle, c->code + c->start[i], end - c->start[i], c->in.eip + c->start[i], 1, &insn);

		printf("  %08x ", c->in.eip + c->start[i]);
		for (unsigned at = c->start[i]; at < end; at++)
			printf(" %02x", c->code[at]);
		if (n)
			printf("   %s %s", insn[0].mnemonic, insn[0].op_str);
		if (sil_insn(c, c->start[i], &in))
			printf("   [SDM2] \"%s\"", insn_table[in.row].name);
		putchar('\n');
		if (n)
			cs_free(insn, n);
	}
	cs_close(&handle);
}

static void line(const char *name, uint64_t before, uint64_t host, uint64_t ours, int digits)
{
	printf("  %-8s %0*" PRIx64 "  ->  host %0*" PRIx64 "  emulator %0*" PRIx64 "%s\n", name, digits, before, digits, host, digits, ours,
	       host == ours ? "" : "   <--");
}

static void word(const char *name, uint64_t before, uint64_t host, uint64_t ours, int digits)
{
	if (host != ours || before)
		line(name, before, host, ours, digits);
}

static void print_integer(const struct sil_state *in, const struct sil_state *host, const struct sil_state *ours)
{
	static const char *const reg[] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
	static const char *const seg[] = { "es", "cs", "ss", "ds", "fs", "gs" };

	for (unsigned i = 0; i < 8; i++)
		word(reg[i], in->r[i], host->r[i], ours->r[i], 8);
	line("eip", in->eip, host->eip, ours->eip, 8);
	line("eflags", in->eflags & ~F_RF, host->eflags & ~F_RF, ours->eflags & ~F_RF, 8);
	for (unsigned i = 0; i < 6; i++)
		if (host->seg[i] != ours->seg[i])
			line(seg[i], in->seg[i], host->seg[i], ours->seg[i], 4);
}

static void print_fpu(const struct sil_fpu *in, const struct sil_fpu *host, const struct sil_fpu *ours)
{
	char name[16];

	word("fcw", in->control, host->control, ours->control, 4);
	word("fsw", in->status, host->status, ours->status, 4);
	word("valid", in->valid, host->valid, ours->valid, 2);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "st%u", i);
		if (in->st[i].mantissa || in->st[i].exponent || host->st[i].mantissa != ours->st[i].mantissa || host->st[i].exponent != ours->st[i].exponent)
			printf("  %-8s %04x:%016" PRIx64 "  ->  host %04x:%016" PRIx64 "  emulator %04x:%016" PRIx64 "%s\n", name,
			       in->st[i].exponent, in->st[i].mantissa, host->st[i].exponent, host->st[i].mantissa, ours->st[i].exponent, ours->st[i].mantissa,
			       host->st[i].exponent != ours->st[i].exponent || host->st[i].mantissa != ours->st[i].mantissa ? "   <--" : "");
	}
	word("fop", in->opcode, host->opcode, ours->opcode, 4);
	word("fip", in->ip, host->ip, ours->ip, 8);
	word("fdp", in->dp, host->dp, ours->dp, 8);
	word("mxcsr", in->mxcsr, host->mxcsr, ours->mxcsr, 8);
	for (unsigned i = 0; i < 8; i++)
		for (unsigned half = 2; half--; ) {
			snprintf(name, sizeof(name), "xmm%u.%c", i, half ? 'h' : 'l');
			word(name, in->xmm[i].u64[half], host->xmm[i].u64[half], ours->xmm[i].u64[half], 16);
		}
}

static const char *ending(const struct sil_result *r)
{
	static const char *const name[] = { "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "-", "#TS", "#NP", "#SS", "#GP", "#PF", "-", "#MF", "#AC", "#MC", "#XM" };

	return r->vector == SIL_ENDED ? "to the end" : r->vector == SIL_HUNG ? "did not end" : r->vector < 20 ? name[r->vector] : "?";
}

static void print_memory(struct sil_bench *b, const struct sil_case *c)
{
	unsigned shown = 0;

	for (unsigned i = 0; i < c->patches; i++) {
		printf("  memory   %08x:", c->patch[i].at);
		for (unsigned j = 0; j < c->patch[i].len; j++)
			printf(" %02x", c->patch[i].byte[j]);
		putchar('\n');
	}
	for (unsigned page = PAGE_DATA0; page < SIL_PAGES; page++)
		for (unsigned at = 0; at < SIL_PAGE && shown < 32; at++)
			if (b->emulator.page[page][at] != b->host_page[page][at] && ++shown)
				line("byte", sil_page_address(page) + at, b->host_page[page][at], b->emulator.page[page][at], 2);
}

void sil_print(struct sil_bench *b, const struct sil_case *c)
{
	print_code(c);
	printf("  ended    host %s error %x cr2 %08x  emulator %s error %x cr2 %08x%s\n", ending(&b->host), b->host.error, b->host.cr2, ending(&b->ours),
	       b->ours.error, b->ours.cr2, b->host.vector == b->ours.vector && b->host.error == b->ours.error && b->host.cr2 == b->ours.cr2 ? "" : "   <--");
	print_integer(&c->in, &b->host.state, &b->ours.state);
	print_fpu(&c->in.fpu, &b->host.state.fpu, &b->ours.state.fpu);
	print_memory(b, c);
}
