/* tests/emu/guests/teach.c: the tables of a small kernel, filled in at link time, for a description to be tried on. It only halts. */
enum state { UNUSED, WAITING, RUNNING };
struct list { struct list *next; };
struct area {
	unsigned first_page, pages;
	unsigned readable : 1, writable : 1, kind : 4;
	struct list link;
};

struct process {
	int pid;
	enum state state;
	char comm[8];
	struct { int nice; union { struct list areas; unsigned number; }; };
	const char *title;
	unsigned page_dir;
	struct process *parent;
	unsigned limits[2][3];
};

extern struct process proc_table[4];
struct list ring = { &ring };                  /* nobody's areas */

struct area stack = { 0xbff, 1, 1, 1, 9, { &proc_table[2].areas } };
struct area heap = { 0x900, 16, 1, 1, 2, { &stack.link } };
struct area text = { 0x800, 3, 1, 0, 1, { &heap.link } };
struct process proc_table[4] = {
	{ .pid = 1, .state = WAITING, .comm = "init\x1b[m!", .areas = { &proc_table[0].areas }, .title = "the first", .page_dir = 0x80201000 },
	{ .pid = 7, .state = UNUSED },
	{ .pid = -2, .state = RUNNING, .comm = "sh", .areas = { &text.link }, .title = "a shell", .page_dir = 0x80202000, .parent = &proc_table[0],
		.limits = { { 1, 2, 3 }, { 4, 5, 6 } } },
};
/* Damage: a list that never comes back to its beginning, and one that leads nowhere. */
struct list tail[2] = { { &tail[1] }, { &tail[0] } };
struct list head = { &tail[0] };
struct list lost = { (struct list *)0xfffffff0 };
unsigned char frame_state[64] = { 1, 1, 2 };

__asm__(".text\n.long 0x1badb002, 0, -0x1badb002\n.globl _start\n_start: cli\n1: hlt\n jmp 1b\n");
