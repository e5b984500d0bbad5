/* tests/emu/pagoda/refork.c: a page written once and then shared by two forks, with no write in between; parent and children stay. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char page[4096] __attribute__((aligned(4096)));

int main(void)
{
	memset(page, 'p', sizeof(page));
	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			for (;;)
				sleep(1000);
	printf("page at %p is shared\n", (void *)page);
	for (;;)
		sleep(1000);
}
