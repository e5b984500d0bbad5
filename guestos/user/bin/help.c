/* help: what there is to try. One table, whose lines fit into 80 columns. */
#include <stdio.h>

static const struct { const char *command, *what; } rows[] = {
	{"demo-demand", "pages arrive when first touched, not before"},
	{"demo-stack", "a stack grows as it is used, to a guard page"},
	{"demo-cow", "fork copies nothing until somebody writes"},
	{"demo-mmap", "files in memory, private and shared"},
	{"demo-prefetch", "pages that come before they are asked for"},
	{"demo-segments", "eight base-and-bounds segments, the fault of each"},
	{"demo-shlib", "one copy of a shared library for all who use it"},
	{"demo-abort", "two transactions on a file, one of which aborts"},
	{"demo-swap", "a program with four times more data than memory"},
	{"ignore-segv", "a program that skips its own bad accesses"},
	{"subpage", "protection finer than a page"},
	{"demo-policies", "references to pages under each replacement policy"},
	{"demo-belady", "more memory, more faults: with fifo that can be"},
	{"demo-thrash [POLICY]", "too many processes for memory, and a cure"},
	{"gc", "a garbage collector behind the program's back"},
	{"ucow", "fork with copy-on-write, made in user space"},
	{"uload", "a program that loads its own pages when needed"},
	{"checkpoint", "a computation that survives being killed"},
	{"vmtest [NAME...]", "all tests of virtual memory, or these; -l lists"},
	{"", ""},
	{"free", "memory in use"},
	{"vmstat [SECONDS [TIMES]]", "what paging has done"},
	{"maps [PID]", "the regions of a process"},
	{"pagemap [PID]", "where each of its pages is"},
	{"frames, swaps", "what physical memory and swap are used for"},
	{"policy [NAME]", "which page has to go: the replacement policy"},
	{"prefetch [on|off]", "bring pages in early, and see what that was good for"},
	{"loadcontrol [on|off]", "suspend processes when memory cannot hold them"},
	{"memcheck", "have the kernel compare all its books on memory"},
	{"stress [ROUNDS [SEED]]", "processes that do random things, and are checked"},
	{"bad", "programs that mean harm, and do none"},
	{"ps, kill PID", "processes"},
	{"ls cat cp mv rm touch", "files; also  mkdir rmdir wc head grep hexdump"},
	{"echo test pwd sleep", "for scripts; also  true false uname"},
	{"cat /proc/self/status", "the kernel describes itself in /proc"},
	{"sh FILE", "a script: | > < if while for $VAR & && ||"},
	{"sync; poweroff", "write everything to disk; and switch off"},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (*rows[i].command)
			printf("  %-24s %s\n", rows[i].command, rows[i].what);
		else
			puts("");
	return 0;
}
