/* demo-mmap: a file is memory. One frame serves read(), write() and every mapping; private mappings copy what they write; only
 * what was written through a shared mapping goes back to the disk; and there is nothing beyond the end of a file. */
#include <demo.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "/tmp/demo-mmap"
#define PAGES 8

static char *shared, *private;
static int fd;

static void show(const char *what, const char *page)
{
	char text[80];
	printf("   %-18s %s\n", what, vm_describe(page, text, sizeof(text)));
}

static void make_file(void)
{
	static char page[PAGE_SIZE];

	fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
	for (int i = 0; i < PAGES; i++) {
		memset(page, 'a' + i, sizeof(page));
		if (fd < 0 || write(fd, page, sizeof(page)) != sizeof(page)) {
			puts("   " NAME " cannot be written");
			exit(1);
		}
	}
	sync();
}

static void map_it(void)
{
	demo_step("Mapping a file of 8 pages, shared and private: regions, but no pages yet");
	shared = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	demo_check(shared != MAP_FAILED && private != MAP_FAILED, "both mappings were made");
	printf("   shared at %p, private at %p (see maps, pagemap)\n", shared, private);
	show("shared, page 0:", shared);
	show("private, page 0:", private);
	demo_check(!demo_page(shared).present && !demo_page(private).present, "mapping brought nothing in");
}

static void one_frame(void)
{
	demo_step("Reading page 0 through both, and a store through the shared one");
	printf("   both start with '%c' and '%c'\n", shared[0], private[0]);
	show("shared, page 0:", shared);
	show("private, page 0:", private);
	demo_check(demo_page(shared).frame == demo_page(private).frame, "one frame for both mappings");
	long writes = vm_counter("shared_writes");
	strcpy(shared, "stored");
	writes = vm_counter("shared_writes") - writes;
	char seen[8] = {0};
	pread(fd, seen, 7, 0);
	printf("   read() sees \"%s\", the private mapping \"%s\"; %ld fault marked the page dirty\n", seen, private, writes);
	demo_check(strcmp(seen, "stored") == 0 && strcmp(private, "stored") == 0, "a store is seen by read() and by other mappings");
	lseek(fd, 0, SEEK_SET);
	write(fd, "written", 8);
	printf("   after a write(): shared \"%s\", private \"%s\"\n", shared, private);
	demo_check(strcmp(shared, "written") == 0 && strcmp(private, "written") == 0, "a write() is seen by both mappings");
}

static void private_copy(void)
{
	demo_step("Storing through the private mapping: copy on write");
	long copies = vm_counter("cow_copies");
	strcpy(private, "mine");
	copies = vm_counter("cow_copies") - copies;
	show("shared, page 0:", shared);
	show("private, page 0:", private);
	printf("   %ld page copied; shared \"%s\", private \"%s\"\n", copies, shared, private);
	demo_check(copies == 1 && demo_page(shared).frame != demo_page(private).frame, "the private mapping has a frame of its own");
	demo_check(strcmp(shared, "written") == 0 && strcmp(private, "mine") == 0, "the file did not change");
}

static long written_by_sync(void)
{
	long before = vm_counter("writebacks");
	msync(shared, PAGES * PAGE_SIZE, MS_SYNC);
	return vm_counter("writebacks") - before;
}

static void write_back(void)
{
	int sum = 0;

	demo_step("What goes to the disk");
	msync(shared, PAGES * PAGE_SIZE, MS_SYNC);     /* what write() changed goes to the file system's log, */
	msync(shared, PAGES * PAGE_SIZE, MS_SYNC);     /* and then home */
	for (int i = 0; i < PAGES; i++)
		sum += shared[i * PAGE_SIZE + 100];
	long after_reading = written_by_sync();
	shared[2 * PAGE_SIZE] = shared[5 * PAGE_SIZE] = '!';
	long after_writing = written_by_sync(), again = written_by_sync();
	printf("   all 8 pages read (sum %d), msync: %ld pages written\n", sum, after_reading);
	printf("   2 of 8 pages changed, msync: %ld pages written; once more: %ld\n", after_writing, again);
	demo_check(after_reading == 0 && after_writing == 2 && again == 0, "only dirty pages are written, and once");
}

static void child_stores(void)
{
	demo_step("A child inherits the mapping and stores through it");
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		strcpy(shared + PAGE_SIZE, "by the child");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	printf("   the parent finds \"%s\"\n", shared + PAGE_SIZE);
	demo_check(strcmp(shared + PAGE_SIZE, "by the child") == 0, "shared mappings stay shared across fork");
}

static void beyond_the_end(void)
{
	int status = 0;

	demo_step("The file is cut to 3 pages and 10 bytes under the mapping");
	ftruncate(fd, 3 * PAGE_SIZE + 10);
	printf("   byte 9 of page 3: '%c'; byte 10, beyond the end: %d\n", shared[3 * PAGE_SIZE + 9], shared[3 * PAGE_SIZE + 10]);
	demo_check(shared[3 * PAGE_SIZE + 9] == 'd' && shared[3 * PAGE_SIZE + 10] == 0, "zeroes up to the end of the last page");
	puts("   a child reads page 4, of which the file has nothing any more:");
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(*(volatile char *)(shared + 4 * PAGE_SIZE));
	waitpid(pid, &status, 0);
	demo_check(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "beyond the end there is SIGBUS");
}

int main(void)
{
	demo_needs_pagoda();
	printf("demo-mmap: a file of %d pages, mapped.\n", PAGES);
	make_file();
	map_it();
	one_frame();
	private_copy();
	write_back();
	child_stores();
	beyond_the_end();
	unlink(NAME);
	puts("\ndemo-mmap: done.");
	return 0;
}
