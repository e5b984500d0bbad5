/* stress.h: what the parts of stress share; see main.c. */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct operation {
	const char *name;
	void (*run)(void);
	unsigned weight;
};
/* Each ended by an empty row. */
extern const struct operation memory_operations[];     /* memory.c: areas of anonymous memory, heap, stack */
extern const struct operation process_operations[];    /* family.c: fork, exec, exit, kill, pipe */
extern const struct operation cut_operations[];        /* cut.c: programs whose file is truncated */
extern const struct operation file_operations[];       /* files.c: read, write, truncate, unlink, mappings */

/* The worker that runs this: its number, and the operation under way. main.c */
extern int worker, round_number;
extern const char *doing;
_Noreturn void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define EXPECT(condition, ...) ((condition) ? (void)0 : violation(__VA_ARGS__))
uint32_t any(uint32_t below);          /* the worker's own generator */

/* memory.c */
void memory_begin(uint32_t pages);     /* what all areas of this worker have together */
void memory_check(void);               /* every page of every area is as it should be */
void memory_touch(uint32_t times);
const char *memory_some_page(void);    /* a readable page of some area */

/* files.c */
void files_begin(void);
void files_end(void);

/* A word that depends on the place, on who wrote it, and on how often. */
static inline uint32_t stamp(uint32_t place, uint32_t who, uint32_t version)
{
	return (place + 1) * 2654435761u ^ (who + 1) * 40503u ^ version * 0x01000193u;
}

#endif
