/* vmtest.h: the virtual-memory tests and what they share.
 *
 * Every test runs in a child of its own. It returns when all is well; CHECK ends it with a reason otherwise. After the child
 * has gone, the memory and swap it used must be back: main.c compares the kernel's counts before and after. */
#ifndef VMTEST_H
#define VMTEST_H

#include <stdbool.h>
#include <random.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <vm.h>

struct test {
	const char *name;
	const char *proves;            /* what an "ok" means */
	void (*run)(void);
	const void *argument;          /* for a run() that serves several tests */
};

/* One table per subject, ended by an empty row. */
extern const struct test demand_tests[];
extern const struct test fault_tests[];
extern const struct test pointer_tests[];
extern const struct test stack_tests[];
extern const struct test heap_tests[];
extern const struct test cow_tests[];
extern const struct test mmap_tests[];
extern const struct test mprotect_tests[];
extern const struct test mmap_shared_tests[];
extern const struct test mmap_file_tests[];
extern const struct test mmap_anon_tests[];
extern const struct test advice_tests[];
extern const struct test swap_tests[];
extern const struct test policy_tests[];
extern const struct test limit_tests[];
extern const struct test load_control_tests[];
extern const struct test prefetch_tests[];
extern const struct test pintos_tests[];
extern const struct test pintos_page_tests[];
extern const struct test process_tests[];
extern const struct test segment_limit_tests[];
extern const struct test segment_tests[];
extern const struct test segment_gone_tests[];
extern const struct test shlib_tests[];
extern const struct test signal_fault_tests[];
extern const struct test signal_stack_tests[];
extern const struct test signal_frame_tests[];
extern const struct test signal_mask_tests[];
extern const struct test signal_process_tests[];
extern const struct test signal_call_tests[];
extern const struct test float_tests[];
extern const struct test linux_tests[];
extern const struct test file_tests[];
extern const struct test journal_tests[];
extern const struct test ring3_tests[];
extern const struct test bad_image_tests[];
extern const struct test hostile_tests[];
extern const struct test hostile_memory_tests[];
extern const struct test fuzz_tests[];

/* What this program does when one of its own tests has started it anew, with --helper NAME: process.c has the table. */
void exec_helper(const char *what);
void report_constants(const char *rest);       /* demand.c */
void segments_helper(const char *rest);        /* segments.c */
void signal_helper(const char *rest);          /* sigprocess.c */
void float_helper(const char *rest);           /* float.c */
void linux_helper(const char *rest);           /* linux.c */
void fuzz_main(const char *what);              /* fuzz.c: SEED-COUNT, with --fuzz */

/* check.c */
extern int report_fd;                  /* where a failing test writes its reason */
extern const struct test *running;
_Noreturn void fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));      /* replaces "proves" on the ok line */
#define CHECK(condition, ...) ((condition) ? (void)0 : fail(__FILE__, __LINE__, __VA_ARGS__))
#define CHECK_EQ(got, wanted) do { \
		long got_ = (long)(got), wanted_ = (long)(wanted); \
		CHECK(got_ == wanted_, "%s is %ld, not %s = %ld", #got, got_, #wanted, wanted_); \
	} while (0)
#define CHECK_ERROR(call, error) do { \
		errno = 0; \
		long got_ = (long)(call); \
		CHECK(got_ == -1 && errno == (error), "%s gave %ld, errno %d, not %s", #call, got_, errno, #error); \
	} while (0)

/* Children */
int child_status(void (*run)(void *), void *argument);         /* runs it in a child; its wait status */
pid_t start_child(void (*run)(void *), void *argument);
void must_end_well(pid_t pid);                                 /* waits; exit status 0 or the test fails */
void must_be_killed(void (*run)(void *), void *argument, int signal);

/* Memory */
uint32_t memory_pages(void);           /* physical memory the kernel manages */
uint32_t swap_pages_free(void);
uint32_t pressure_pages(void);         /* enough to make eviction busy: twice memory, at most 96 MB */
void squeeze(void);                    /* a child uses up memory, and ends */
void squeeze_out(const volatile void *start, uint32_t n);      /* until none of these pages is present any more */
void squeeze_out_of_core(const volatile void *start, uint32_t n);      /* nor in the page cache: until mincore() says so */
char *grow_heap(uint32_t pages);       /* page-aligned, untouched; the test fails if there is no room */
struct page_info page_of(const volatile void *address);
int pages_present(const volatile void *start, int n);

/* A word that depends on the place and on who wrote it. */
static inline uint32_t stamp(uint32_t place, uint32_t who) { return (place + 1) * 2654435761u ^ who * 40503u; }
void stamp_pages(char *start, uint32_t n, uint32_t who);       /* first, middle and last word of every page */
void check_pages(const char *start, uint32_t n, uint32_t who);

long now_ms(void);                     /* a clock that only goes forward */

#endif
