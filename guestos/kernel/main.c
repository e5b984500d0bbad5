/* guestos/kernel/main.c: from the boot loader's information to the first user program.
 *
 * References: [MULTIBOOT 3.2 "Machine state"], [MULTIBOOT 3.3 "Boot information format"]. */
#include "dev.h"
#include "fs.h"
#include "mm.h"
#include "proc.h"

#define MULTIBOOT_LOADED 0x2BADB002u
#define MB_MEM (1u << 0)
#define MB_CMDLINE (1u << 2)
#define MB_MMAP (1u << 6)
#define BOOT_MAPPED (4u << 20)         /* what boot/entry.S has mapped */

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};
struct multiboot_mmap {                /* size does not count itself */
	uint32_t size;
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

struct boot_options boot_options = { .root = 1 };
static struct { uint32_t start, end; } memory[16];
static uint32_t memory_ranges;

void memory_each(void (*fn)(uint32_t start, uint32_t end))
{
	for (uint32_t i = 0; i < memory_ranges; i++)
		fn(memory[i].start, memory[i].end);
}

uint32_t memory_top(void)
{
	uint32_t top = 0;
	for (uint32_t i = 0; i < memory_ranges; i++)
		top = max(top, memory[i].end);
	return top;
}

static void add_memory(uint64_t start, uint64_t length)
{
	if (memory_ranges == ARRAY_SIZE(memory) || start >= DIRECT_MAP_MAX)
		return;
	memory[memory_ranges].start = start;
	memory[memory_ranges++].end = min(start + length, (uint64_t)DIRECT_MAP_MAX);
}

/* The loader may put these structures anywhere, so everything is copied out before memory is given away. */
static void read_memory_map(const struct multiboot_info *mb)
{
	if (mb->flags & MB_MMAP && mb->mmap_addr < BOOT_MAPPED && mb->mmap_length < BOOT_MAPPED - mb->mmap_addr) {
		const char *p = phys_to_virt(mb->mmap_addr), *end = p + mb->mmap_length;
		while (p + sizeof(struct multiboot_mmap) <= end) {
			const struct multiboot_mmap *m = (const void *)p;
			if (m->type == 1)
				add_memory(m->start, m->length);
			p += m->size + 4;
		}
	} else if (mb->flags & MB_MEM) {
		add_memory(0, mb->mem_lower * 1024);
		add_memory(0x100000, (uint64_t)mb->mem_upper * 1024);
	}
	if (memory_top() <= 0x100000)
		panic("the boot loader reports no memory");
}

/* What "root=" says: hda1 to hda4, also with /dev/ before it. */
static int select_root(const char *word)
{
	if (!strncmp(word, "/dev/", 5))
		word += 5;
	if (strlen(word) != 4 || strncmp(word, "hda", 3) || word[3] < '1' || word[3] > '4')
		return -EINVAL;
	boot_options.root = word[3] - '0';
	return 0;
}

/* What "journal=" says. */
static int select_log(const char *word)
{
	boot_options.undo = !strcmp(word, "undo");
	return boot_options.undo || !strcmp(word, "redo") ? 0 : -EINVAL;
}

static int set_quiet(const char *nothing)
{
	(void)nothing;
	boot_options.quiet = true;
	return 0;
}

/* One row an option. Its value is a text, or a number, or for a function to judge. */
static const struct option {
	const char *name;              /* with the "=" of one that has a value */
	char *text;
	uint32_t room;
	uint32_t *number;
	int (*set)(const char *value); /* 0 or -EINVAL */
} options[] = {
	{ "init=", .text = boot_options.init, .room = sizeof boot_options.init },
	{ "root=", .set = select_root },
	{ "policy=", .text = boot_options.policy, .room = sizeof boot_options.policy },
	{ "loadcontrol=", .set = loadcontrol_switch },
	{ "prefetch=", .set = prefetch_switch },
	{ "journal=", .set = select_log },
	{ "check=", .number = &boot_options.check },
	{ "seed=", .number = &boot_options.seed },
	{ "quiet", .set = set_quiet },
};

static int parse_number(const char *digits, uint32_t *value)
{
	uint32_t n = 0;
	const char *p = digits;
	for (; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + *p - '0';
	if (p == digits || *p)
		return -EINVAL;
	*value = n;
	return 0;
}

static int set_option(const struct option *o, const char *value)
{
	if (o->set)
		return o->set(value);
	if (o->number)
		return parse_number(value, o->number);
	if (strlen(value) >= o->room)
		return -EINVAL;
	strlcpy(o->text, value, o->room);
	return 0;
}

/* A word that is no option passes in silence: some loaders put the kernel's own name first. */
static void read_option(const char *word, uint32_t n)
{
	char value[sizeof boot_options.init + 1];              /* a path that is cut off here is too long for set_option() as well */
	for (uint32_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];
		uint32_t length = strlen(o->name);
		bool has_value = o->name[length - 1] == '=';
		if (n < length || strncmp(word, o->name, length) || (n > length && !has_value))
			continue;
		uint32_t rest = min(n - length, (uint32_t)sizeof value - 1);
		memcpy(value, word + length, rest);
		value[rest] = 0;
		if (set_option(o, value))
			printk("%s%s: not a value this option has\n", o->name, value);
	}
}

static void read_options(const struct multiboot_info *mb)
{
	if (!(mb->flags & MB_CMDLINE) || mb->cmdline >= BOOT_MAPPED - PAGE_SIZE)
		return;
	const char *p = phys_to_virt(mb->cmdline), *end = p + PAGE_SIZE;
	while (p < end && *p) {
		uint32_t n = 0;
		while (p + n < end && p[n] && p[n] != ' ')
			n++;
		read_option(p, n);
		p += n + (p[n] == ' ');
	}
}

/* Everything that was changed goes to the disk, then the power goes. */
void shutdown(void)
{
	pfs_unmount();
	power_off();
}

/* Process 2: writes changed blocks back every few seconds, so that pulling the plug loses little. */
static void syncd_main(void)
{
	sti();
	for (;;) {
		sleep_ticks(&boot_options, 5 * HZ, true);
		pfs_sync();
	}
}

/* Not a bug but a machine that lacks something. */
static void __attribute__((noreturn)) fatal(const char *why)
{
	printk("%s\nSystem halted.\n", why);
	for (;;) {
		cli();
		halt();
	}
}

/* Process 1, still in the kernel: finds the root, then becomes the first program. */
static void init_main(void)
{
	static const char *const candidates[] = { boot_options.init, "/bin/init", "/bin/sh" };
	sti();
	int err = disk_init();
	if (!err)
		err = pfs_mount();
	if (!err)
		err = txn_recover();
	if (err)
		fatal("Cannot mount the root file system: the first IDE disk must be Pagoda's disk image.");
	if (!boot_options.quiet)
		printk("memory: %u KB, %u KB free; swap: %u KB\n", nr_usable * 4, nr_free * 4, swap_total * 4);
	proc_start_first("syncd", syncd_main);
	proc_start_first("pager", pager_main);
	struct file *console = console_open();
	for (int i = 0; i < 3; i++) {
		current->files[i] = console;
		console->refs += i > 0;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(candidates); i++) {
		if (!*candidates[i])
			continue;
		err = proc_exec_kernel(candidates[i]);
		if (!err) {
			return_to_user(current->tf);
			cli();
			enter_user(current->tf);
		}
		if (err != -ENOENT || i == 0)
			printk("%s: cannot execute (error %d)\n", candidates[i], -err);
	}
	fatal("No program to run: tried /bin/init and /bin/sh.");
}

void kmain(uint32_t magic, paddr_t info)
{
	serial_init();
	vga_init();
	if (magic != MULTIBOOT_LOADED)
		panic("not started by a Multiboot loader (EAX = 0x%08x)", magic);
	if (info >= BOOT_MAPPED - sizeof(struct multiboot_info))
		panic("boot information at 0x%08x is beyond the first 4 MB", info);
	const struct multiboot_info *mb = phys_to_virt(info);
	read_memory_map(mb);
	read_options(mb);
	gdt_init();
	idt_init();
	fpu_init();
	paging_init();
	frame_init();
	if (*boot_options.policy && policy_select(boot_options.policy))
		printk("policy=%s: there is no such replacement policy\n", boot_options.policy);
	pic_init();
	pit_init();
	boot_time = rtc_read();
	keyboard_init();
	serial_enable_input();
	if (!boot_options.quiet)
		printk("Pagoda\n");
	proc_start_first("init", init_main);

	/* Leave the boot stack for good. */
	uint32_t boot_esp;
	current = all_procs;
	tss_set_kernel_stack((uint32_t)current->kstack + PAGE_SIZE);
	switch_stacks(&boot_esp, current->esp);
	panic("the boot stack ran again");
}
