/* tests/mark_once.c: Check writes a line to a file for each assertion that holds, so that it can say where a test was when it crashed. Tests
 * here assert millions of times; where they were is told well enough when a line is told the first time, and they run in half the time.
 * Linked into every Check program with --wrap=_mark_point. */
#include <stdint.h>

void __real__mark_point(const char *file, int line);
void __wrap__mark_point(const char *file, int line);

#define LINES 4096u                    /* more than a file has; those that fall together are told more often */

void __wrap__mark_point(const char *file, int line)
{
	static struct { const char *file; int line; } told[LINES];
	unsigned at = ((unsigned)line + (unsigned)((uintptr_t)file >> 4)) % LINES;

	if (told[at].file == file && told[at].line == line)
		return;
	told[at].file = file;
	told[at].line = line;
	__real__mark_point(file, line);
}
