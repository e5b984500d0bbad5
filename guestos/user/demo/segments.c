/* demo-segments: a process with eight segments of its own, and the fault that each gives when it is misused.
 *
 * An address in a segment is an offset: the processor compares it with the limit, then adds the base. This is how programs were kept
 * apart before paging; here both are at work, and the memory around each segment is mapped, so only the segment refuses.
 * Each misuse happens in a child, which has a copy of the table. Its handler is told vector and error code, and returns, so that the instruction is
 * tried again; the handler is gone by then, and the kernel ends the child with the line that is seen here. */
#include <demo.h>

#include <segment.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { BYTES, PAGES, DOWN, READ_ONLY, EXECUTE_ONLY, CODE, ABSENT, STACK, SEGMENTS };

#define BYTES_LIMIT 99
#define DOWN_LIMIT 1999
#define STACK_BYTES 64u
static uint8_t area[SEGMENTS][2 * PAGE_SIZE] __attribute__((aligned(4096)));
static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xcb};     /* movl $42, %eax; lret */

static uint32_t call_far(uint32_t selector)
{
	struct __attribute__((packed)) { uint32_t offset; uint16_t selector; } to = {0, selector};
	uint32_t result = 0;
	__asm__ volatile("lcall *%1" : "+a"(result) : "m"(to) : "memory", "cc");
	return result;
}

/* Pushes words on the stack of the segment, from its end down. */
static void push_words(uint32_t n)
{
	__asm__ volatile("movl %%esp, %%esi\n\tmovw %w1, %%ss\n\tmovl %2, %%esp\n1:\tpushl $1\n\tdecl %0\n\tjnz 1b\n\t"
		"movw %w3, %%ss\n\tmovl %%esi, %%esp" : "+r"(n) : "r"(LOCAL(STACK)), "r"(2 * PAGE_SIZE), "r"(FLAT_DATA) : "esi", "memory", "cc");
}

static void read_bytes_end(void) { load_fs(LOCAL(BYTES)); fs_read8(BYTES_LIMIT + 1); }
static void read_dword_across(void) { load_fs(LOCAL(BYTES)); fs_read32(BYTES_LIMIT - 2); }
static void read_pages_end(void) { load_fs(LOCAL(PAGES)); fs_read8(PAGE_SIZE); }
static void read_down_limit(void) { load_fs(LOCAL(DOWN)); fs_read8(DOWN_LIMIT); }
static void write_read_only(void) { load_fs(LOCAL(READ_ONLY)); fs_write8(0, 1); }
static void load_execute_only(void) { load_fs(LOCAL(EXECUTE_ONLY)); fs_read8(0); }
static void call_data(void) { call_far(LOCAL(BYTES)); }
static void write_code(void) { load_fs(LOCAL(CODE)); fs_write8(0, 0x90); }
static void load_absent(void) { load_fs(LOCAL(ABSENT)); }
static void push_too_many(void) { push_words(STACK_BYTES / 4 + 1); }
static void load_kernel_data(void) { load_fs(0x10); }
static void load_beyond_table(void) { load_fs(LOCAL(SEGMENTS)); }

/* The system call itself succeeds; coming back from it does not. */
static void cleared_in_use(void)
{
	static const struct user_desc none = {.entry_number = STACK, .read_exec_only = 1, .seg_not_present = 1};
	__asm__ volatile("movw %w0, %%ss\n\tint $0x80" : : "r"(LOCAL(STACK)), "a"(SYS_modify_ldt), "b"(0x11), "c"(&none), "d"(sizeof(none)) : "memory");
}

/* The segments, and what is right in each. */

static void right_bytes(void) { load_fs(LOCAL(BYTES)); demo_check(fs_read8(BYTES_LIMIT) == 100, "offset 99 is the last byte"); }
static void right_pages(void) { load_fs(LOCAL(PAGES)); demo_check(fs_read8(PAGE_SIZE - 1) == 101, "offset 4095 is the last byte"); }
static void right_down(void) { load_fs(LOCAL(DOWN)); demo_check(fs_read8(DOWN_LIMIT + 1) == 102, "offset 2000 is the first byte"); }
static void right_code(void) { demo_check(call_far(LOCAL(CODE)) == 42, "a far call into it returns 42"); }
static void right_absent(void) { demo_check(!(segment_rights(LOCAL(ABSENT)) & 0x8000), "LAR finds it, without its present bit"); }

static void right_read_only(void)
{
	load_fs(LOCAL(READ_ONLY));
	area[READ_ONLY][0] = 103;
	demo_check(fs_read8(0) == 103, "a byte written through the flat segment is read through this one");
}

static void right_execute_only(void) { demo_check(call_far(LOCAL(EXECUTE_ONLY)) == 42, "a far call into it returns 42"); }

static void right_stack(void)
{
	push_words(STACK_BYTES / 4);
	demo_check(area[STACK][2 * PAGE_SIZE - STACK_BYTES] == 1, "16 words pushed fill it");
}

#define D(n, b, l) .entry_number = n, .base_addr = (uint32_t)(b), .limit = l, .seg_32bit = 1
static const struct { const char *what; struct user_desc d; void (*right)(void); } segments[SEGMENTS] = {
	{"data, 100 bytes", {D(BYTES, area[BYTES], BYTES_LIMIT)}, right_bytes},
	{"data, one page, the limit counted in pages", {D(PAGES, area[PAGES], 0), .limit_in_pages = 1}, right_pages},
	{"data, expand-down: everything above offset 1999", {D(DOWN, area[DOWN], DOWN_LIMIT), .contents = MODIFY_LDT_CONTENTS_STACK}, right_down},
	{"data, read-only, on a page that is writable", {D(READ_ONLY, area[READ_ONLY], 99), .read_exec_only = 1}, right_read_only},
	{"code, execute-only", {D(EXECUTE_ONLY, area[EXECUTE_ONLY], 99), .contents = MODIFY_LDT_CONTENTS_CODE, .read_exec_only = 1},
		right_execute_only},
	{"code, readable", {D(CODE, area[CODE], 99), .contents = MODIFY_LDT_CONTENTS_CODE}, right_code},
	{"data, not present", {D(ABSENT, area[ABSENT], 99), .seg_not_present = 1}, right_absent},
	{"stack, expand-down, 64 bytes below offset 8192", {D(STACK, area[STACK], 2 * PAGE_SIZE - STACK_BYTES - 1),
		.contents = MODIFY_LDT_CONTENTS_STACK}, right_stack},
};

enum { NP = 11, SS, GP };              /* vectors [SDM3A 6.15 "Exception and Interrupt Reference"] */
#define LOCAL_ERROR(n) ((n) << 3 | 4u) /* an error code: which descriptor, TI; RPL has no place in it [SDM3A 6.13 "Error Code"] */
#define GLOBAL_ERROR(n) ((n) << 3)

/* by_load: found when the segment register is loaded, which even a processor that checks nothing else finds. */
static const struct { const char *what; void (*wrong)(void); uint32_t vector, error; bool by_load; } misuses[] = {
	{"read offset 100 of the first", read_bytes_end, GP, 0, false},
	{"read 4 bytes at offset 97 of the first, the last one outside", read_dword_across, GP, 0, false},
	{"read offset 4096 of the one-page segment", read_pages_end, GP, 0, false},
	{"read offset 1999 of the expand-down segment", read_down_limit, GP, 0, false},
	{"write to the read-only segment", write_read_only, GP, 0, false},
	{"load FS with the execute-only segment, to read it", load_execute_only, GP, LOCAL_ERROR(EXECUTE_ONLY), true},
	{"write to the readable code segment", write_code, GP, 0, false},
	{"call the first data segment", call_data, GP, LOCAL_ERROR(BYTES), true},
	{"load FS with the absent segment", load_absent, NP, LOCAL_ERROR(ABSENT), true},
	{"push a 17th word on the 64-byte stack", push_too_many, SS, 0, false},
	{"load FS with the kernel's data segment", load_kernel_data, GP, GLOBAL_ERROR(2), true},
	{"load FS with a descriptor beyond the table", load_beyond_table, GP, LOCAL_ERROR(SEGMENTS), true},
	{"clear the stack's segment while SS holds it: the kernel cannot go back", cleared_in_use, GP, LOCAL_ERROR(STACK), true},
};

static void make_segments(void)
{
	for (int i = 0; i < SEGMENTS; i++)
		if (segment_make(segments[i].d) < 0) {
			printf("   modify_ldt refuses %s\n", segments[i].what);
			exit(1);
		}
	area[BYTES][BYTES_LIMIT] = 100;
	area[PAGES][PAGE_SIZE - 1] = 101;
	area[DOWN][DOWN_LIMIT + 1] = 102;
	memcpy(area[EXECUTE_ONLY], answer, sizeof(answer));
	memcpy(area[CODE], answer, sizeof(answer));
}

static void show_segments(void)
{
	uint32_t limit;

	for (int i = 0; i < SEGMENTS; i++) {
		uint32_t rights = segment_rights(LOCAL(i)), known = segment_limit(LOCAL(i), &limit);
		printf("   selector 0x%02x: base 0x%08x, access byte 0x%02x, limit 0x%05x: %s\n", (unsigned)LOCAL(i),
			(unsigned)segments[i].d.base_addr, (unsigned)(rights >> 8 & 0xff), (unsigned)limit, segments[i].what);
		demo_check(known && limit == (segments[i].d.limit_in_pages ? PAGE_SIZE - 1 : segments[i].d.limit), "LSL finds this limit");
		segments[i].right();
	}
}

struct fault { uint32_t signal, vector, error; };
static int told[2];

static void print_fault(const char *who, uint32_t vector, uint32_t error)
{
	static const char *const names[] = {[NP] = "#NP, segment not present", [SS] = "#SS, stack fault", [GP] = "#GP, general protection"};

	printf("   %s: vector %u (%s), error code 0x%x: ", who, (unsigned)vector, vector >= NP && vector <= GP ? names[vector] : "?", (unsigned)error);
	if (error)
		printf("selector of %s descriptor %u\n", error & 4 ? "local" : "global", (unsigned)error >> 3);
	else
		puts("no selector");
}

static void tell(int signal, siginfo_t *info, void *context)
{
	struct fault f = {signal, context_of(context)->trapno, context_of(context)->err};

	(void)info;
	write(told[1], &f, sizeof(f));
}

static _Noreturn void misuse(void (*wrong)(void))
{
	static char handler_stack[SIGSTKSZ];   /* ESP may be an offset in a small segment */
	stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)};

	if (sigaltstack(&stack, NULL) < 0)
		_exit(1);
	catch_signal(SIGSEGV, tell, SA_ONSTACK | SA_RESETHAND);
	catch_signal(SIGBUS, tell, SA_ONSTACK | SA_RESETHAND);
	wrong();
	_exit(0);
}

static void show_misuse(size_t i)
{
	int status = 0, signal = misuses[i].vector == GP ? SIGSEGV : SIGBUS;
	struct fault f = {0};

	printf("-- %s\n", misuses[i].what);
	print_fault("expected", misuses[i].vector, misuses[i].error);
	fflush(stdout);
	if (pipe(told) < 0)
		exit(1);
	pid_t pid = fork();
	if (pid == 0)
		misuse(misuses[i].wrong);
	close(told[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(1);
	demo_check(WIFSIGNALED(status) && WTERMSIG(status) == signal, signal == SIGBUS ? "the child ended by SIGBUS" : "the child ended by SIGSEGV");
	read(told[0], &f, sizeof(f));          /* nothing if the handler was not called */
	close(told[0]);
	print_fault("its handler was told", f.vector, f.error);
	demo_check((int)f.signal == signal && f.vector == misuses[i].vector && f.error == misuses[i].error, "as expected");
}

int main(void)
{
	demo_needs_pagoda();
	printf("demo-segments: %d segments in one process, and how each refuses.\n", SEGMENTS);
	make_segments();
	demo_step("The segments, and what is right in each");
	show_segments();
	demo_step("What is wrong in each");
	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++)
		if (misuses[i].by_load || segments_are_checked())
			show_misuse(i);
		else
			printf("-- %s: NOT SHOWN, this machine's processor (QEMU's translator) does not check it\n", misuses[i].what);
	puts("\ndemo-segments: done.");
	return 0;
}
