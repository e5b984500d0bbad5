/* bad/images.c: program files that are not programs: random bytes, random bytes behind a good header, and programs with some bytes
 * changed or the end cut off. Each is run for a moment. */
#include "bad.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vm.h>

static char image[4 * PAGE_SIZE], copy[sizeof(image)];
static ssize_t size;

static size_t make(uint32_t i)
{
	uint32_t header = i % 3 ? 180 : 0;

	memcpy(copy, image, sizeof(copy));
	if (i % 3 < 2) {                       /* all random, or all but the headers */
		for (uint32_t at = header; at < sizeof(copy); at++)
			copy[at] = any(256);
		return sizeof(copy);
	}
	for (uint32_t n = 1 + any(8); n; n--)
		copy[any(2) ? 16 + any(200) : any(size)] = any(256);
	return any(4) ? (size_t)size : any(size);
}

bool bad_images(uint32_t count)
{
	char *argv[] = {"evil", NULL}, *none[] = {NULL};
	int refused = 0, killed = 0, ended = 0, fd = open("/bin/true", O_RDONLY);

	size = fd < 0 ? -1 : read_full(fd, image, sizeof(image));
	close(fd);
	if (size < 300) {
		say("/bin/true cannot be read");
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		size_t n = make(i);
		fd = open(PLACE, O_WRONLY | O_CREAT | O_TRUNC, 0755);
		if (fd < 0 || write(fd, copy, n) != (ssize_t)n) {
			say(PLACE " cannot be written");
			return false;
		}
		close(fd);
		pid_t pid = fork();
		if (pid == 0) {
			for (int k = 0; k < 32; k++)
				close(k);
			execve(PLACE, argv, none);
			_exit(99);
		}
		int status = wait_for(pid, 200);
		if (WIFSIGNALED(status))
			killed++;
		else
			WEXITSTATUS(status) == 99 ? refused++ : ended++;
		unlink(PLACE);
	}
	say("of %u, %d were refused, %d ended by a signal, %d ended by themselves", (unsigned)count, refused, killed, ended);
	return refused + killed + ended == (int)count && refused > 0 && killed > 0;
}
