/* vmtest/mmap_shared.c: shared mappings of files: one page cache under mappings, read() and write(), written back when it must be.
 * What becomes of a mapping when its file changes is in mmap_file.c. */
#include "vmtest.h"
#include "mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

static char buf[PAGE_SIZE];

/* So that the file's pages are clean: what write() changed goes to the file system's log first, and home the second time. */
static void settle(int fd, uint32_t pages)
{
	char *p = map_shared(fd, pages);

	CHECK_EQ(msync(p, pages * PAGE_SIZE, MS_SYNC), 0);
	CHECK_EQ(msync(p, pages * PAGE_SIZE, MS_SYNC), 0);
	CHECK_EQ(munmap(p, pages * PAGE_SIZE), 0);
}

static void writes_file(void)
{
	int fd = mapped_file(4, 10);
	settle(fd, 4);
	char *p = map_shared(fd, 4);

	stamp_pages(p + PAGE_SIZE, 1, 70);
	CHECK_EQ(munmap(p, 4 * PAGE_SIZE), 0);
	close(fd);
	squeeze();                             /* from the disk now */
	fd = open(MAPPED, O_RDONLY);
	read_page(fd, buf, 0);
	check_pages(buf, 1, 10);
	read_page(fd, buf, 1);
	check_pages(buf, 1, 70);
	unlink(MAPPED);
}

/* A store is seen by read() at once, a write() by a load, and there is one frame for all. */
static void one_cache(void)
{
	int fd = mapped_file(2, 20);
	char *a = map_shared(fd, 2), *b = map(2, PROT_READ, MAP_SHARED, fd, 0), *c = map(2, PROT_READ, MAP_PRIVATE, fd, 0);

	strcpy(a + 100, "by a store");
	CHECK_EQ(pread(fd, buf, 20, 100), 20);
	CHECK(strcmp(buf, "by a store") == 0, "read() saw \"%s\"", buf);
	CHECK_EQ(lseek(fd, PAGE_SIZE + 8, SEEK_SET), (long)PAGE_SIZE + 8);
	CHECK_EQ(write(fd, "by write", 9), 9);
	CHECK(strcmp(a + PAGE_SIZE + 8, "by write") == 0 && strcmp(b + PAGE_SIZE + 8, "by write") == 0, "a load saw \"%s\"", a + PAGE_SIZE + 8);
	CHECK(strcmp(b + 100, "by a store") == 0 && strcmp(c + 100, "by a store") == 0, "another mapping saw \"%s\"", b + 100);
	CHECK_EQ(page_of(a).frame, page_of(b).frame);
	CHECK_EQ(page_of(a).frame, page_of(c).frame);
	CHECK_EQ(vm_frame_refs(page_of(a).frame), 3);
	unlink(MAPPED);
}

static void write_and_exit(void *p) { stamp_pages(p, 3, 80); }

static void written_by_exit(void)
{
	int fd = mapped_file(3, 30);
	char *p = map_shared(fd, 3);

	sync();
	long written = vm_counter("writebacks");
	CHECK_EQ(child_status(write_and_exit, p), 0);
	CHECK(vm_counter("writebacks") - written >= 3, "exit wrote %ld pages", vm_counter("writebacks") - written);
	for (int i = 0; i < 3; i++) {
		read_page(fd, buf, i);
		CHECK_EQ(*(uint32_t *)buf, stamp(i * 3, 80));
	}
	unlink(MAPPED);
}

/* Reading writes nothing back; of ten pages of which three are written, three are. */
static void only_dirty(void)
{
	int fd = mapped_file(10, 40);
	char *p = map_shared(fd, 10);

	sync();
	long written = vm_counter("writebacks");
	check_stamped(p, 10, 40);
	CHECK_EQ(msync(p, 10 * PAGE_SIZE, MS_SYNC), 0);
	CHECK_EQ(vm_counter("writebacks") - written, 0);
	for (int i = 1; i < 10; i += 3)
		p[i * PAGE_SIZE] = 1;
	CHECK_EQ(msync(p, 10 * PAGE_SIZE, MS_SYNC), 0);
	CHECK_EQ(vm_counter("writebacks") - written, 3);
	CHECK_EQ(msync(p, 10 * PAGE_SIZE, MS_SYNC), 0);
	CHECK_EQ(vm_counter("writebacks") - written, 3);
	long faults = vm_counter("shared_writes");
	p[PAGE_SIZE] = 2;                      /* clean again: this write has to be noticed */
	p[PAGE_SIZE + 1] = 2;
	CHECK_EQ(vm_counter("shared_writes") - faults, 1);
	CHECK_EQ(munmap(p, 10 * PAGE_SIZE), 0);
	CHECK_EQ(vm_counter("writebacks") - written, 4);
	unlink(MAPPED);
}

/* Evicted by others' needs: what was written is on the disk, and comes back. */
static void written_by_eviction(void)
{
	uint32_t pages = 60;
	int fd = mapped_file(pages, 1);
	settle(fd, pages);
	char *p = map_shared(fd, pages);

	stamp_pages(p, pages, 3);
	squeeze_out(p, pages);
	long read = vm_counter("file_fills");
	check_pages(p, pages, 3);
	CHECK(vm_counter("file_fills") - read > 0, "nothing was read from the disk");
	unlink(MAPPED);
}

/* Bigger than memory, in random order, against a model. */
static void shuffled(void)
{
	uint32_t pages = memory_pages() / 4 * 5, seed = 7;
	pages = pages < 1500 ? pages : 1500;
	int fd = open(MAPPED, O_RDWR | O_CREAT | O_TRUNC, 0644);
	static uint32_t model[1500];

	CHECK_EQ(ftruncate(fd, pages * PAGE_SIZE), 0);
	char *p = map_shared(fd, pages);
	for (uint32_t i = 0; i < pages; i++)
		*(uint32_t *)(p + i * PAGE_SIZE + 4 * (i % 1024)) = model[i] = i;
	for (uint32_t i = 0; i < 2 * pages; i++) {
		uint32_t a = next_random(&seed) % pages, b = next_random(&seed) % pages, t = model[a];
		uint32_t *wa = (uint32_t *)(p + a * PAGE_SIZE + 4 * (a % 1024)), *wb = (uint32_t *)(p + b * PAGE_SIZE + 4 * (b % 1024));
		CHECK(*wa == model[a] && *wb == model[b], "pages %u and %u hold %u and %u", (unsigned)a, (unsigned)b, (unsigned)*wa, (unsigned)*wb);
		*wa = model[a] = model[b];
		*wb = model[b] = t;
	}
	CHECK_EQ(munmap(p, pages * PAGE_SIZE), 0);
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t w;
		CHECK_EQ(pread(fd, &w, 4, i * PAGE_SIZE + 4 * (i % 1024)), 4);
		CHECK(w == model[i], "page %u of the file holds %u, not %u", (unsigned)i, (unsigned)w, (unsigned)model[i]);
	}
	unlink(MAPPED);
}

static void see_and_change(void *p)
{
	check_stamped(p, 2, 50);
	stamp_pages(p, 1, 90);
}

static void inherited(void)
{
	int fd = mapped_file(2, 50), end[2];
	char *p = map_shared(fd, 2), *other = map_anonymous(1), argument[20];

	CHECK_EQ(child_status(see_and_change, p), 0);
	check_pages(p, 1, 90);
	CHECK_EQ(pipe(end), 0);
	pid_t pid = fork();
	if (pid == 0) {
		snprintf(argument, sizeof(argument), "touch-%p", other);
		char *argv[] = {"vmtest", "--helper", argument, NULL}, *envp[] = {NULL};
		execve("/bin/vmtest", argv, envp);
		_exit(9);
	}
	int status = 0;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "after exec a mapping was still there: wait status 0x%x", status);
	unlink(MAPPED);
}

/* read() into, and write() from, a mapping of the very bytes that are transferred. */
static void onto_itself(void)
{
	int fd = mapped_file(3, 90);
	char *p = map_shared(fd, 3);

	CHECK_EQ(pread(fd, p, 3 * PAGE_SIZE, 0), 3 * (long)PAGE_SIZE);
	check_stamped(p, 3, 90);
	CHECK_EQ(pread(fd, p + PAGE_SIZE, PAGE_SIZE, 0), PAGE_SIZE);   /* copies page 0 over page 1 */
	check_pages(p + PAGE_SIZE, 1, 90);
	CHECK_EQ(lseek(fd, 2 * PAGE_SIZE, SEEK_SET), 2 * (long)PAGE_SIZE);
	CHECK_EQ(write(fd, p + 2 * PAGE_SIZE, PAGE_SIZE), PAGE_SIZE);
	CHECK_EQ(munmap(p, 3 * PAGE_SIZE), 0);
	p = map_shared(fd, 3);                 /* nothing present: every fault happens inside the calls */
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(fd, p + 2 * PAGE_SIZE, PAGE_SIZE), PAGE_SIZE);
	check_pages(p, 1, 92);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 3 * (long)PAGE_SIZE);
	CHECK_EQ(write(fd, p, PAGE_SIZE), PAGE_SIZE);          /* the file grows by its own first page */
	read_page(fd, buf, 3);
	check_pages(buf, 1, 92);
	unlink(MAPPED);
}

static void add_slowly(void *p)
{
	for (int i = 0; i < 300; i++) {
		__asm__ volatile("lock incl %0" : "+m"(*(volatile int *)p));
		usleep(10000);                 /* to be at it while the page is written back, again and again */
	}
}

static void several_writers(void)
{
	int fd = mapped_file(8, 0);
	char *p = map_shared(fd, 8);
	pid_t child[4];

	for (int i = 0; i < 8; i++)
		*(int *)(p + i * PAGE_SIZE) = 0;
	for (int i = 0; i < 4; i++)
		child[i] = start_child(add_slowly, p + i % 2 * PAGE_SIZE);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(msync(p, 8 * PAGE_SIZE, MS_SYNC), 0);
		usleep(30000);
		squeeze();
	}
	for (int i = 0; i < 4; i++)
		must_end_well(child[i]);
	CHECK_EQ(*(int *)p, 600);
	CHECK_EQ(*(int *)(p + PAGE_SIZE), 600);
	read_page(fd, buf, 0);
	CHECK_EQ(*(int *)buf, 600);
	unlink(MAPPED);
}

static void sync_errors(void)
{
	int fd = mapped_file(3, 1);
	char *p = map_shared(fd, 3);

	CHECK_ERROR(msync(p, PAGE_SIZE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERROR(msync(p, PAGE_SIZE, 8), EINVAL);
	CHECK_ERROR(msync(p + 1, PAGE_SIZE, MS_SYNC), EINVAL);
	CHECK_EQ(msync(p, 0, MS_SYNC), 0);
	CHECK_EQ(msync(p, 3 * PAGE_SIZE, MS_ASYNC), 0);
	CHECK_EQ(msync(p, 3 * PAGE_SIZE, MS_INVALIDATE), 0);
	CHECK_EQ(munmap(p + PAGE_SIZE, PAGE_SIZE), 0);
	check_pages(p + 2 * PAGE_SIZE, 1, 3);
	sync();
	long written = vm_counter("writebacks");
	p[2 * PAGE_SIZE] = 1;
	CHECK_ERROR(msync(p, 3 * PAGE_SIZE, MS_SYNC), ENOMEM);         /* but what is beyond the hole is written */
	CHECK_EQ(vm_counter("writebacks") - written, 1);
	CHECK_EQ(mlock(p, PAGE_SIZE), 0);
	CHECK_ERROR(msync(p, PAGE_SIZE, MS_INVALIDATE), EBUSY);
	unlink(MAPPED);
}

const struct test mmap_shared_tests[] = {
	{"mmap-write", "what is stored through a shared mapping is in the file", writes_file, NULL},
	{"mmap-one-cache", "stores, loads, read() and write() see one frame at once", one_cache, NULL},
	{"mmap-exit", "exit writes shared pages back", written_by_exit, NULL},
	{"mmap-clean", "only dirty pages are written back, and only once", only_dirty, NULL},
	{"mmap-evict", "evicted shared pages are written, and read again", written_by_eviction, NULL},
	{"mmap-shuffle", "a shared mapping larger than memory is shuffled against a model", shuffled, NULL},
	{"mmap-inherit", "fork inherits mappings, exec does not", inherited, NULL},
	{"mmap-onto-itself", "read() and write() between a file and its own mapping", onto_itself, NULL},
	{"mmap-writers", "four processes count in shared pages that are written back and evicted meanwhile", several_writers, NULL},
	{"msync", "msync's errors, holes and locked pages", sync_errors, NULL},
	{0}};
