/* guestos/kernel/main.c: from the boot loader's information to the first user program.
 *
 * References: [MULTIBOOT 3.3 "Boot information format"]. */
#include "dev.h"
#include "fs.h"
#include "mm.h"
#include "proc.h"

#define MULTIBOOT_LOADED 0x2BADB002u
#define MB_MEM (1u << 0)
#define MB_CMDLINE (1u << 2)
#define MB_MMAP (1u << 6)
#define DIRECT_MAP_MAX (768u << 20)
#define BOOT_MAPPED (4u << 20)         /* what boot/entry.S has mapped */

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};
struct multiboot_mmap {                /* size does not count itself */
	uint32_t size;
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

struct boot_options boot_options = { .root = "hda1" };
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

static uint32_t number(const char *digits, uint32_t n)
{
	uint32_t value = 0;
	for (uint32_t i = 0; i < n && digits[i] >= '0' && digits[i] <= '9'; i++)
		value = value * 10 + digits[i] - '0';
	return value;
}

static void option(const char *word, uint32_t n)
{
	if (n > 5 && !strncmp(word, "init=", 5))
		strlcpy(boot_options.init, word + 5, min(n - 4, (uint32_t)sizeof boot_options.init));
	else if (n > 5 && !strncmp(word, "root=", 5))
		strlcpy(boot_options.root, word + 5, min(n - 4, (uint32_t)sizeof boot_options.root));
	else if (n > 5 && !strncmp(word, "seed=", 5))
		boot_options.seed = number(word + 5, n - 5);
	else if (n == 12 && !strncmp(word, "journal=undo", 12))
		boot_options.undo = true;
	else if (n > 7 && !strncmp(word, "policy=", 7))
		strlcpy(boot_options.policy, word + 7, min(n - 6, (uint32_t)sizeof boot_options.policy));
	else if (n == 12 && !strncmp(word, "prefetch=off", 12))
		prefetch_switch("off");
	else if (n == 14 && !strncmp(word, "loadcontrol=on", 14))
		loadcontrol_switch("on");
	else if (n > 6 && !strncmp(word, "check=", 6))
		boot_options.check = number(word + 6, n - 6);
	else if (n == 5 && !strncmp(word, "quiet", 5))
		boot_options.quiet = true;
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
		option(p, n);
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
