/* help: what there is to try. One table. */
#include <stdio.h>

static const struct { const char *command, *what; } rows[] = {
	{"demo-demand", "pages arrive when they are first touched, not before"},
	{"demo-stack", "the stack grows under a running program, to a guard page"},
	{"demo-cow", "fork copies nothing until somebody writes"},
	{"demo-mmap", "files in memory: private and shared, one copy for all, written back when dirty"},
	{"demo-prefetch", "pages that come before they are asked for, what that wins, and when it loses"},
	{"demo-segments", "eight base-and-bounds segments, and the fault each gives"},
	{"demo-shlib", "one copy of a shared library's text for all who use it"},
	{"demo-abort", "two transactions on a file: one aborts, and takes the other with it"},
	{"demo-swap", "a program with four times more data than the machine has memory"},
	{"ignore-segv", "a program that skips its own bad accesses"},
	{"subpage", "protection finer than a page, by faults and single steps"},
	{"demo-policies", "one string of references under every replacement policy, and the best possible"},
	{"demo-belady", "more memory, more faults: first in, first out can do that"},
	{"demo-thrash", "too many processes for memory: nothing gets done, until some are suspended"},
	{"gc", "a garbage collector at work behind the program's back"},
	{"ucow", "fork with copy-on-write, made in user space"},
	{"uload", "a program that loads its own pages when it needs them"},
	{"checkpoint", "a computation that survives being killed"},
	{"vmtest", "every virtual-memory test, one line each (-l lists, NAME... picks)"},
	{"", ""},
	{"free, vmstat [SECONDS [TIMES]]", "memory in use; what paging has done"},
	{"maps [PID], pagemap [PID]", "the regions of a process; where each of its pages is"},
	{"frames, swaps", "what physical memory and swap are used for"},
	{"policy [NAME]", "which page replacement policy is in force, or shall be"},
	{"prefetch [on|off]", "bring pages in before they are asked for, and see what it was good for"},
	{"loadcontrol [on|off]", "suspend processes when memory cannot hold what all of them need"},
	{"memcheck", "have the kernel compare all its books on memory"},
	{"stress [ROUNDS [SEED]]", "processes that do random things, and check what comes of them"},
	{"bad", "programs that mean harm, and do none"},
	{"ps, kill PID", "processes"},
	{"ls cat cp mv rm mkdir rmdir touch", "files; also  wc head grep hexdump echo test pwd sleep true false uname"},
	{"cat /proc/self/status", "the kernel describes itself in /proc"},
	{"sh FILE", "run a script; pipes, redirection, if, while, for, $VAR, &, &&, ||"},
	{"sync; poweroff", "write everything to disk; and switch off"},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (*rows[i].command)
			printf("  %-34s %s\n", rows[i].command, rows[i].what);
		else
			puts("");
	return 0;
}
