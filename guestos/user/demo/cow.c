/* demo-cow: fork copies nothing until somebody writes.
 *
 * A parent and a child take turns; each line of evidence is a page's frame, and how many page tables map that frame. */
#include <demo.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 16

static char pages[PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
static int to_child[2], to_parent[2];

static void show(const char *who, int page)
{
	char text[80];
	printf("   %s, page %d: %s\n", who, page, vm_describe(pages + page * PAGE_SIZE, text, sizeof(text)));
	fflush(stdout);
}

static uint32_t frame_of(int page) { return demo_page(pages + page * PAGE_SIZE).frame; }

static void wake(int fd) { write(fd, "", 1); }

static void wait_turn(int fd)
{
	char c;
	if (read(fd, &c, 1) != 1)
		exit(1);                       /* the other one has ended; it said why */
}

static int child(uint32_t frame0, uint32_t frame1)
{
	demo_step("In the child, before anybody has written");
	show("child", 0);
	demo_check(frame_of(0) == frame0 && frame_of(1) == frame1, "the child sees the parent's very frames");
	demo_check(vm_frame_refs(frame0) == 2, "two page tables map one frame");

	demo_step("The child writes to page 0");
	long copies = vm_counter("cow_copies"), faults = vm_faults();
	pages[0] = 'C';
	faults = vm_faults() - faults;
	copies = vm_counter("cow_copies") - copies;
	show("child", 0);
	show("child", 1);
	printf("   %ld fault, %ld page copied; page 0 starts with '%c', page 1 with '%c'\n", faults, copies, pages[0], pages[PAGE_SIZE]);
	demo_check(faults == 1 && copies == 1 && frame_of(0) != frame0 && frame_of(1) == frame1, "one write, one fault, one page copied");
	fflush(stdout);
	wake(to_parent[1]);
	wait_turn(to_child[0]);
	return 0;
}

static void parent_after_child_wrote(uint32_t frame0)
{
	demo_step("Back in the parent");
	show("parent", 0);
	demo_check(pages[0] == 'P' && vm_frame_refs(frame0) == 1, "the parent's page is unchanged, and its own again");

	demo_step("The parent writes to page 0, whose frame nobody shares any more");
	long copies = vm_counter("cow_copies"), reuses = vm_counter("cow_reuses");
	pages[0] = 'Q';
	copies = vm_counter("cow_copies") - copies;
	reuses = vm_counter("cow_reuses") - reuses;
	show("parent", 0);
	printf("   %ld pages copied, %ld frame taken back\n", copies, reuses);
	demo_check(copies == 0 && reuses >= 1 && frame_of(0) == frame0, "the last owner takes the frame back without copying");
	fflush(stdout);
}

int main(void)
{
	int status;

	demo_needs_pagoda();
	printf("demo-cow: %d pages of data, a fork, and what it really costs.\n", PAGES);
	memset(pages, 'P', sizeof(pages));
	if (pipe(to_child) < 0 || pipe(to_parent) < 0)
		return 1;
	uint32_t frame0 = frame_of(0), frame1 = frame_of(1);

	demo_step("Before the fork");
	show("parent", 0);
	demo_check(vm_frame_refs(frame0) == 1, "one page table maps the frame");
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		close(to_parent[0]);
		close(to_child[1]);
		exit(child(frame0, frame1));
	}
	close(to_parent[1]);
	close(to_child[0]);
	wait_turn(to_parent[0]);
	parent_after_child_wrote(frame0);
	wake(to_child[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return 1;

	demo_step("The child has ended");
	show("parent", 1);
	demo_check(vm_frame_refs(frame1) == 1, "every frame is the parent's alone");
	puts("\ndemo-cow: done.");
	return 0;
}
