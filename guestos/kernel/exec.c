/* guestos/kernel/exec.c: a new program for a process.
 *
 * Nothing of the program is read but its headers: exec only makes regions, and the pages come by faults. Arguments are copied into
 * kernel frames first (args.c), because they live in the space that is about to go. Until the new space is complete the old one is
 * untouched and exec can still fail with an error; after that, failing means the process is killed.
 * "#!" scripts are started with their interpreter.
 * References: [ELF] "ELF Header", "Program Header", "Program Loading". */
#include "args.h"
#include "mm.h"
#include "fs.h"
#include "proc.h"
#include "signal.h"

#define MAX_SEGMENTS 8

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment { uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align; };
#define ELF_MAGIC "\177ELF\1\1\1"       /* and then: 32 bits, little-endian, version 1 */
#define ET_EXEC 2u
#define EM_386 3u
#define MAX_HEADERS 32u
#define PT_LOAD 1u
#define PF_X_ELF 1u
#define PF_W_ELF 2u

static int add_segment(struct space *s, struct inode *ip, const struct elf_segment *p)
{
	uint32_t end = p->vaddr + p->memsz, skew = p->vaddr % PAGE_SIZE;
	if (!p->memsz)
		return 0;
	if (p->filesz > p->memsz || end < p->vaddr || p->vaddr < USER_START || end > STACK_LOWEST - PAGE_SIZE
	    || p->offset % PAGE_SIZE != skew || p->offset > ip->d.size || p->filesz > ip->d.size - p->offset)
		return -ENOEXEC;
	struct region r = {
		.start = page_down(p->vaddr), .end = page_up(end), .kind = REGION_FILE, .inode = ip,
		.prot = PROT_READ | (p->flags & PF_W_ELF ? PROT_WRITE : 0) | (p->flags & PF_X_ELF ? PROT_EXEC : 0), .may_write = true,
		.file_page = p->offset / PAGE_SIZE, .file_bytes = p->filesz ? p->filesz + skew : 0,
	};
	struct region *next = region_after(s, r.start);
	if (next && next->start < r.end)
		return -ENOEXEC;
	s->brk_start = max(s->brk_start, page_up(end));
	return region_add(s, &r) ? 0 : -ENOMEM;
}

static int load(struct space *s, struct inode *ip, const struct elf_header *h, struct program *program)
{
	if (memcmp(h->ident, ELF_MAGIC, sizeof ELF_MAGIC - 1) || h->type != ET_EXEC || h->machine != EM_386 || h->phentsize != sizeof(struct elf_segment)
	    || !h->phnum || h->phnum > MAX_HEADERS)
		return -ENOEXEC;
	int loaded = 0;
	*program = (struct program){ .entry = h->entry, .phent = h->phentsize, .phnum = h->phnum };
	for (uint32_t i = 0; i < h->phnum; i++) {
		struct elf_segment p;
		int n = pfs_read_kernel(ip, &p, sizeof p, h->phoff + i * sizeof p);
		if (n != sizeof p)
			return n < 0 ? n : -ENOEXEC;
		if (p.type != PT_LOAD)
			continue;
		int err = ++loaded > MAX_SEGMENTS ? -ENOEXEC : add_segment(s, ip, &p);
		if (err)
			return err;
		if (h->phoff >= p.offset && h->phoff - p.offset < p.filesz)
			program->phdr = p.vaddr + (h->phoff - p.offset);
	}
	struct region stack = { .start = STACK_TOP - PAGE_SIZE, .end = STACK_TOP, .kind = REGION_STACK,
		.prot = PROT_READ | PROT_WRITE, .may_write = true };
	s->brk = s->brk_start;
	if (!loaded || h->entry < USER_START || h->entry >= STACK_LOWEST)
		return -ENOEXEC;
	return region_add(s, &stack) ? 0 : -ENOMEM;
}

static void become(struct space *s, const char *path)
{
	struct space *old = current->space;
	const char *name = path;
	for (const char *c = path; *c; c++)
		if (*c == '/' && c[1])
			name = c + 1;
	strlcpy(current->name, name, sizeof current->name);
	current->space = s;
	fpu_drop(current);
	memset(current->tls, 0, sizeof current->tls);
	space_activate(s);
	space_put(old);
	proc_return_space(current);
	for (int i = 0; i < MAX_FILES; i++)
		if (current->close_on_exec & 1u << i && current->files[i]) {
			file_put(current->files[i]);
			current->files[i] = NULL;
		}
	current->close_on_exec = 0;
	signals_exec();
}

static int open_program(const char *path, struct inode **ip, struct elf_header *h, int *n)
{
	int err = pfs_lookup(path, ip);
	if (err)
		return err;
	*n = S_ISREG((*ip)->d.mode) ? pfs_read_kernel(*ip, h, sizeof *h, 0) : -EACCES;
	if (*n >= 0 && !((*ip)->d.mode & 0111))
		*n = -EACCES;
	if (*n >= 0) {
		inode_remember_path(*ip, path);
		return 0;
	}
	inode_put(*ip);
	return *n;
}

/* "#! interpreter [argument]": the interpreter's path in h's place, its arguments in front of the old ones. */
static int script(struct inode *ip, const char *name, char *interpreter, struct arguments *a)
{
	char line[80], *arg, *end = line;
	int n = pfs_read_kernel(ip, line, sizeof line - 1, 0);
	if (n < 2)
		return n < 0 ? n : -ENOEXEC;
	line[n] = 0;
	while (*end && *end != '\n')
		end++;
	*end = 0;
	char *p = line + 2;
	while (*p == ' ')
		p++;
	for (arg = p; *arg && *arg != ' '; arg++)
		;
	if (*arg)
		*arg++ = 0;
	if (!*p || *p != '/')
		return -ENOEXEC;
	strlcpy(interpreter, p, 64);
	int err = args_add(a, p);
	a->argc++;
	if (!err && *arg) {
		err = args_add(a, arg);
		a->argc++;
	}
	if (!err)
		err = args_add(a, name);
	a->argc++;
	return err;
}

/* The program's inode and header; if it is a script, its interpreter's. path follows, and argv loses the script's name. */
static int find_program(const char **path, const char *name, uaddr_t *argv, struct arguments *a, char *interpreter, struct inode **ip, struct elf_header *h)
{
	int n, err = open_program(*path, ip, h, &n);
	if (err)
		return err;
	if (n >= 2 && h->ident[0] == '#' && h->ident[1] == '!') {
		err = script(*ip, name, interpreter, a);
		inode_put(*ip);
		if (!err)
			err = open_program(interpreter, ip, h, &n);
		if (err)
			return err;
		uaddr_t first = 0;
		if (*argv && copy_from_user(&first, *argv, sizeof first)) {
			inode_put(*ip);
			return -EFAULT;
		}
		*argv = first ? *argv + 4 : 0;
		*path = interpreter;
	}
	if (n == sizeof *h)
		return 0;
	inode_put(*ip);
	return -ENOEXEC;
}

/* Registers of a program that begins: flat user segments, everything else 0. */
static void start_registers(struct trapframe *tf, uint32_t eip, uint32_t esp)
{
	memset(tf, 0, sizeof *tf);
	tf->cs = SEL_UCODE;
	tf->ds = tf->es = tf->user_ss = SEL_UDATA;
	tf->eflags = EFLAGS_IF | 2;
	tf->eip = eip;
	tf->user_esp = esp;
}

/* Replaces the space of the current process and sets its trap frame. Arguments come from user memory; if there
 * are none, the path is the only one. */
static int exec(const char *path, const char *name, uaddr_t argv, uaddr_t envp, struct arguments *a)
{
	struct inode *ip;
	struct elf_header h;
	struct space *s = NULL;
	struct program program;
	char interpreter[64];
	uint32_t esp = 0;
	int err = find_program(&path, name, &argv, a, interpreter, &ip, &h);
	if (err)
		return err;
	err = args_add_user(a, argv, &a->argc);
	if (!err && !a->argc) {                /* every program finds its name */
		err = args_add(a, name);
		a->argc = 1;
	}
	if (!err)
		err = args_add_user(a, envp, &a->envc);
	if (!err)
		err = args_add_auxiliary(a, name);
	if (!err)
		err = !(s = space_new()) || !(s->exe = kstrdup(path)) || !(s->cmdline = args_line(a, &s->cmdline_bytes)) ? -ENOMEM
			: load(s, ip, &h, &program);
	inode_put(ip);
	if (err) {
		space_put(s);
		return err;
	}
	become(s, path);
	if (args_to_stack(a, &program, &esp))
		proc_signal(current, SIGKILL);
	start_registers(current->tf, h.entry, esp);
	vm.execs++;
	return 0;
}

int proc_exec(const char *path, const char *name, uaddr_t argv, uaddr_t envp)
{
	struct arguments *a = kzalloc(sizeof *a);
	if (!a)
		return -ENOMEM;
	int err = exec(path, name, argv, envp, a);
	args_free(a);
	return err;
}

int proc_exec_kernel(const char *path) { return proc_exec(path, path, 0, 0); }
