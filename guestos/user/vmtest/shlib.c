/* vmtest/shlib.c: a shared library: text once, data for each. */
#include "vmtest.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libdemo.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct api {
	void *library;
	uint32_t (*count)(void);
	const char *(*word)(uint32_t);
	uint32_t (*checksum)(const void *, uint32_t);
	uint32_t *(*private)(void);
};

static struct api load(void)
{
	struct api a = {.library = dlopen(LIBDEMO)};

	CHECK(a.library, "dlopen: %s", strerror(errno));
	a.count = dlsym(a.library, "libdemo_count");
	a.word = dlsym(a.library, "libdemo_word");
	a.checksum = dlsym(a.library, "libdemo_checksum");
	a.private = dlsym(a.library, "libdemo_private");
	CHECK(a.count && a.word && a.checksum && a.private, "a function is missing");
	CHECK(!dlsym(a.library, "libdemo_nothing") && !dlsym(a.library, ""), "a function that does not exist was found");
	return a;
}

static void try_all(const struct api *a, uint32_t counted)
{
	static const char *const words[] = {"none", "one", "two", "three", "four", "many"};

	for (uint32_t i = 0; i < 6; i++)
		CHECK(strcmp(a->word(i), words[i]) == 0, "word %u is \"%s\"", (unsigned)i, a->word(i));
	CHECK_EQ(a->checksum("Wikipedia", 9), 0x11e60398);     /* a well-known example of Adler-32 */
	CHECK_EQ(a->count(), counted + 1);
	CHECK_EQ(a->private()[0], counted + 1);
	CHECK_EQ(a->private()[1], 0x11b0de11);
}

static uint32_t frame_of(const void *address)
{
	struct page_info p = page_of(address);
	CHECK(p.present, "the page at %p is not present", address);
	return p.frame;
}

static void one_library(void)
{
	struct api a = load();

	for (uint32_t i = 0; i < 5; i++)
		try_all(&a, i);
	CHECK_EQ(dlclose(a.library), 0);
	for (int i = 0; i < 50; i++) {         /* each time anew */
		a = load();
		try_all(&a, 0);
		dlclose(a.library);
	}
}

/* Twice in one process: other addresses, so other relocations. */
static void two_copies(void)
{
	struct api a = load(), b = load();

	CHECK(a.count != b.count, "both are at %p", a.count);
	try_all(&a, 0);
	try_all(&a, 1);
	try_all(&b, 0);
	CHECK_EQ(frame_of(a.count), frame_of(b.count));
	CHECK_EQ(frame_of(a.checksum), frame_of(b.checksum));
	CHECK(frame_of(a.private()) != frame_of(b.private()), "both have their data in frame %u", (unsigned)frame_of(b.private()));
}

#define USERS 5

struct turn { uint32_t who; int report, stay; };
struct seen { uint32_t text, data; };

static void use_library(void *argument)
{
	struct turn *t = argument;
	struct api a = load();
	char c;

	for (uint32_t i = 0; i < t->who; i++)
		try_all(&a, i);
	a.private()[100] = stamp(t->who, 1);
	struct seen s = {frame_of(a.checksum), frame_of(a.private())};
	CHECK_EQ(write(t->report, &s, sizeof(s)), sizeof(s));
	CHECK_EQ(read(t->stay, &c, 1), 0);
	CHECK_EQ(a.private()[100], stamp(t->who, 1));
	try_all(&a, t->who);
}

/* Processes that have never shared memory otherwise: each loads the library itself. */
static void shared_text(void)
{
	int report[2], stay[2];
	pid_t pid[USERS];
	struct seen s[USERS];

	CHECK_EQ(pipe(report), 0);
	CHECK_EQ(pipe(stay), 0);
	for (uint32_t i = 0; i < USERS; i++) {
		struct turn t = {i + 1, report[1], stay[0]};
		pid[i] = fork();
		if (pid[i] == 0) {
			close(stay[1]);
			use_library(&t);
			_exit(0);
		}
		CHECK_EQ(read_full(report[0], &s[i], sizeof(s[i])), sizeof(s[i]));
		CHECK_EQ(s[i].text, s[0].text);
		for (uint32_t k = 0; k < i; k++)
			CHECK(s[i].data != s[k].data, "processes %u and %u have their data in one frame", (unsigned)i, (unsigned)k);
	}
	CHECK_EQ(vm_frame_refs(s[0].text), USERS);
	for (uint32_t i = 0; i < USERS; i++)
		CHECK_EQ(vm_frame_refs(s[i].data), 1);
	close(stay[1]);
	for (int i = 0; i < USERS; i++)
		must_end_well(pid[i]);
	CHECK_EQ(vm_frame_refs(s[0].text), 0);
}

/* Text goes by being dropped, data by swap; both come back. */
static void evicted(void)
{
	struct api a = load();

	try_all(&a, 0);
	squeeze_out(a.private(), 1);
	squeeze_out((const void *)a.checksum, 1);
	CHECK(!page_of((const void *)a.checksum).swapped, "text is in swap");
	CHECK(page_of((const void *)PAGE_OF(a.checksum)).present == false, "text is present");
	try_all(&a, 1);
}

static void write_text(void *argument)
{
	*(volatile uint8_t *)argument = 0xc3;
}

static void text_not_writable(void)
{
	struct api a = load();

	try_all(&a, 0);
	must_be_killed(write_text, (void *)a.count, SIGSEGV);
	try_all(&a, 1);
}

/* A copy of the library, with one word of it changed. */
static void *open_changed(uint32_t at, uint32_t value, uint32_t length)
{
	static uint8_t image[16 * PAGE_SIZE];
	int fd = open(LIBDEMO, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read_full(fd, image, sizeof(image));

	CHECK(n > (ssize_t)PAGE_SIZE && n < (ssize_t)sizeof(image), "%s has %ld bytes", LIBDEMO, (long)n);
	close(fd);
	memcpy(image + at, &value, sizeof(value));
	fd = open("/tmp/shlib", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK_EQ(write(fd, image, length ? length : (size_t)n), length ? (long)length : n);
	close(fd);
	errno = 0;
	return dlopen("/tmp/shlib");
}

static void not_libraries(void)
{
	CHECK(!dlopen("/lib/nothing.so") && errno == ENOENT, "a file that does not exist: errno %d", errno);
	CHECK(!dlopen("/bin/true") && errno == ENOEXEC, "a program: errno %d", errno);
	CHECK(!dlopen("/etc/motd") && errno == ENOEXEC, "a text: errno %d", errno);
	CHECK(!open_changed(0, 0, 0) && errno == ENOEXEC, "no magic number: errno %d", errno);
	CHECK(!open_changed(44, 200, 0) && errno == ENOEXEC, "200 segments: errno %d", errno);
	CHECK(!open_changed(0, 0x464c457f, 60) && errno == ENOEXEC, "cut off in its headers: errno %d", errno);
	CHECK(!open_changed(52 + 8, 0xfffff000, 0) && errno == ENOEXEC, "a segment at the end of memory: errno %d", errno);
	CHECK(!open_changed(52 + 8, 4, 0) && errno == ENOEXEC, "a segment that lies differently in the file: errno %d", errno);
	CHECK(!open_changed(52 + 64 + 8, 0x7000, 0) && errno == ENOEXEC, "no dynamic section: errno %d", errno);
	void *unchanged = open_changed(0, 0x464c457f, 0);
	CHECK(unchanged && dlsym(unchanged, "libdemo_count"), "an unchanged copy: errno %d", errno);
	dlclose(unchanged);
	unlink("/tmp/shlib");
}

const struct test shlib_tests[] = {
	{"shlib-calls", "functions of a shared library, loaded again and again", one_library, NULL},
	{"shlib-two-copies", "two copies in one process: one text, data apart", two_copies, NULL},
	{"shlib-shared-text", "five processes: text in one frame, data in five", shared_text, NULL},
	{"shlib-evicted", "text is dropped and data swapped, and both come back", evicted, NULL},
	{"shlib-text-read-only", "nobody can change the text that all share", text_not_writable, NULL},
	{"shlib-bad-files", "what is not a library is refused", not_libraries, NULL},
	{0}};
