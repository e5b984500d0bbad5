/* emu/debug/guest/source.c: see source.h and source_private.h. Which file speaks for an address: one without a process of its own if it covers
 * the address (the kernel), else the program of the process whose address space it is. Programs' files are opened when
 * their process is first seen. */
#include "emu/debug/guest/source_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/debug/guest/guest_private.h"

#define FOLDERS_MAX 64
#define MISSING_MAX 4096

/* --- files ---------------------------------------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *module_name(const char *path)
{
	char *name = strdup(base_name(path));
	size_t n = name ? strlen(name) : 0;

	if (n > 6 && !strcmp(name + n - 6, ".debug"))
		name[n - 6] = 0;
	else if (n > 4 && !strcmp(name + n - 4, ".elf"))
		name[n - 4] = 0;
	return name;
}

static void module_free(struct module *m)
{
	if (!m)
		return;
	module_free_lines(m);
	symbols_free(&m->symbols);
	if (m->eh)
		dwarf_cfi_end(m->eh);
	if (m->dwarf)
		dwarf_end(m->dwarf);
	elf_end(m->elf);
	host_file_free(&m->file);
	free(m->name);
	free(m->space);
	free(m);
}

/* Takes the file over. NULL, and a line in err, when it is no ELF file of this processor. */
static struct module *module_open(struct host_file *file, uint32_t bias, const char *space, char *err)
{
	struct module *m = calloc(1, sizeof(*m));
	GElf_Ehdr header;

	if (!m) {
		host_file_free(file);
		loader_fail(err, "out of memory");
		return NULL;
	}
	m->file = *file;
	m->bias = bias;
	m->name = module_name(m->file.path);
	m->space = space ? strdup(space) : NULL;
	elf_version(EV_CURRENT);
	m->elf = elf_memory((char *)m->file.data, m->file.size);
	if (!m->name || (space && !m->space)) {
		loader_fail(err, "out of memory");
	} else if (!m->elf || !gelf_getehdr(m->elf, &header) || gelf_getclass(m->elf) != ELFCLASS32 || header.e_machine != EM_386) {
		loader_fail(err, "'%.300s' is not an ELF file for i386", m->file.path);
	} else {
		m->dwarf = dwarf_begin_elf(m->elf, DWARF_C_READ, NULL);
		symbols_read(&m->symbols, m->elf);
		return m;
	}
	module_free(m);
	return NULL;
}

static void add_module(struct source *s, struct module *m)
{
	struct module **link = &s->modules;

	while (*link)
		link = &(*link)->next;
	*link = m;
}

/* Its own copy: libelf may want to write into what it is given. */
static void add_kernel(struct source *s, const struct kernel *k)
{
	struct host_file copy = { .path = strdup(k->file.path ? k->file.path : "kernel"), .data = malloc(k->file.size + 1), .size = k->file.size };
	char err[ERROR_LINE];

	if (!copy.path || !copy.data) {
		host_file_free(&copy);
		return;
	}
	memcpy(copy.data, k->file.data, k->file.size);
	struct module *m = module_open(&copy, 0, NULL, err);
	if (m)
		add_module(s, m);
}

/* Adds a copy of text to a list of strings. False: out of memory, or the list is full. */
static bool list_add(char ***list, size_t *count, size_t most, const char *text)
{
	char **longer = *count < most ? realloc(*list, (*count + 1) * sizeof(**list)) : NULL;
	char *copy = longer ? strdup(text) : NULL;

	if (longer)
		*list = longer;
	if (!copy)
		return false;
	(*list)[(*count)++] = copy;
	return true;
}

static void list_free(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

int source_programs(struct source *s, const char *folder)
{
	return list_add(&s->folder, &s->folders, FOLDERS_MAX, folder) ? 0 : -1;
}

int source_root(struct source *s, const char *folder)
{
	return list_add(&s->root, &s->roots, FOLDERS_MAX, folder) ? 0 : -1;
}

/* Pagoda's programs with their debug information lie in a folder beside its kernel. */
static void add_folder_beside(struct source *s, const char *kernel)
{
	char path[4096];
	int n = (int)(base_name(kernel) - kernel);

	if (snprintf(path, sizeof(path), "%.*sprograms", n, kernel) < (int)sizeof(path) && !access(path, X_OK))
		source_programs(s, path);
}

struct source *source_open(const struct kernel *k)
{
	struct source *s = calloc(1, sizeof(*s));

	if (s && k && k->kind == KERNEL_ELF) {
		add_kernel(s, k);
		if (k->file.path)
			add_folder_beside(s, k->file.path);
	}
	return s;
}

static void free_files(struct source_file *f)
{
	while (f) {
		struct source_file *next = f->next;
		free(f->name);
		free(f->lines);
		free(f->text);
		free(f);
		f = next;
	}
}

void source_close(struct source *s)
{
	if (!s)
		return;
	free_files(s->files);
	for (struct module *m = s->modules, *next; m; m = next) {
		next = m->next;
		module_free(m);
	}
	list_free(s->folder, s->folders);
	list_free(s->root, s->roots);
	list_free(s->missing, s->missings);
	free(s);
}

int source_add(struct source *s, const char *path, uint32_t bias, const char *space, char *err)
{
	struct host_file file;

	if (host_file_read(&file, path, "program", err))
		return -1;
	struct module *m = module_open(&file, bias, space, err);
	if (!m)
		return -1;
	add_module(s, m);
	return 0;
}

/* --- which file ----------------------------------------------------------------------------------------------------- */

static struct module *program_named(struct source *s, const char *name)
{
	for (struct module *m = s->modules; m; m = m->next)
		if (m->space && !strcmp(m->space, name))
			return m;
	return NULL;
}

static bool known_missing(const struct source *s, const char *name)
{
	for (size_t i = 0; i < s->missings; i++)
		if (!strcmp(s->missing[i], name))
			return true;
	return false;
}

/* A process's name comes from the guest: it must not lead out of the folder. */
static bool plain_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c == '/' || iscntrl((unsigned char)*c))
			return false;
	return *name && *name != '.';
}

static struct module *open_program(struct source *s, const char *name)
{
	char path[4096], err[ERROR_LINE];

	if (!plain_name(name) || known_missing(s, name))
		return NULL;
	for (size_t i = 0; i < s->folders; i++)
		for (unsigned form = 0; form < 2; form++) {
			snprintf(path, sizeof(path), "%s/%s%s", s->folder[i], name, form ? ".debug" : "");
			if (!access(path, R_OK) && !source_add(s, path, 0, name, err))
				return program_named(s, name);
		}
	list_add(&s->missing, &s->missings, MISSING_MAX, name);
	return NULL;
}

/* The program of the process that runs in cr3, or NULL. */
static struct module *program_in(const struct debugger *d, uint32_t cr3)
{
	struct guest_process p;

	if (!d->source || !guest_process_of((struct debugger *)d, cr3, &p))
		return NULL;
	struct module *m = program_named(d->source, p.name);
	return m ? m : open_program(d->source, p.name);
}

/* Does one of its loaded segments cover this address? *at: the linked one. physical: the address is one, and a kernel that is linked high but
 * loaded low runs there until it turns paging on. */
static bool module_covers(const struct module *m, uint32_t la, bool physical, uint32_t *at)
{
	size_t count = 0;
	GElf_Phdr p;

	if (elf_getphdrnum(m->elf, &count))
		return false;
	for (size_t i = 0; i < count && i < 1024; i++) {
		if (!gelf_getphdr(m->elf, (int)i, &p) || p.p_type != PT_LOAD)
			continue;
		uint32_t start = physical ? (uint32_t)p.p_paddr : m->bias + (uint32_t)p.p_vaddr;
		if (la >= start && la - start < p.p_memsz) {
			*at = la - start + (uint32_t)p.p_vaddr;
			return true;
		}
	}
	return false;
}

struct module *source_module_at(const struct debugger *d, uint32_t cr3, uint32_t la, uint32_t *at)
{
	if (!d->source)
		return NULL;
	for (struct module *m = d->source->modules; m; m = m->next)
		if (!m->space && (module_covers(m, la, false, at) || (!d->m->mmu.pg.enabled && module_covers(m, la, true, at))))
			return m;
	struct module *m = program_in(d, cr3);
	return m && module_covers(m, la, false, at) ? m : NULL;
}

/* --- names ---------------------------------------------------------------------------------------------------------- */

const char *source_symbol_in(const struct debugger *d, uint32_t cr3, uint32_t la, char *buf, size_t size)
{
	uint32_t at = la;
	struct module *m = source_module_at(d, cr3, la, &at);
	const struct symbols *s = m ? &m->symbols : guest_symbols((struct debugger *)d);

	if (size)
		*buf = 0;
	return s && size ? symbols_name(s, at, buf, size) : buf;
}

const char *source_symbol(const struct debugger *d, uint32_t la, char *buf, size_t size)
{
	return source_symbol_in(d, d->m->cpu.cr3, la, buf, size);
}

bool source_line_of(const struct debugger *d, uint32_t la, struct source_line *line)
{
	uint32_t at;
	struct module *m = source_module_at(d, d->m->cpu.cr3, la, &at);
	const struct line_row *row = m ? module_line(m, at) : NULL;

	if (!row)
		return false;
	const struct symbol *sym = symbols_covering(&m->symbols, at);
	*line = (struct source_line){ row->file, sym ? sym->name : "", row->line };
	return true;
}

/* "file.c:12": the file's length, or 0 when text is no such thing. */
static size_t file_and_line(const char *text, unsigned *line)
{
	const char *colon = strrchr(text, ':');
	char *end;

	if (!colon || colon == text || !isdigit((unsigned char)colon[1]))
		return 0;
	unsigned long n = strtoul(colon + 1, &end, 10);
	if (*end || n == 0 || n > 10000000)
		return 0;
	*line = (unsigned)n;
	return (size_t)(colon - text);
}

static bool module_find(struct module *m, const char *what, uint32_t *la)
{
	char file[512];
	unsigned line;
	uint32_t at;
	size_t n = file_and_line(what, &line);

	if (n && n < sizeof(file)) {
		snprintf(file, sizeof(file), "%.*s", (int)n, what);
		if (!module_find_line(m, file, line, &at))
			return false;
	} else if (symbols_find(&m->symbols, what, &at)) {
		return false;
	}
	*la = at + m->bias;
	return true;
}

/* "program:name": the program's file, opened if it lies where programs do. rest is what follows the colon. */
static struct module *named_module(struct source *s, const char *what, const char **rest)
{
	const char *colon = strchr(what, ':');
	char name[64];

	if (!colon || colon == what || (size_t)(colon - what) >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(colon - what), what);
	*rest = colon + 1;
	for (struct module *m = s->modules; m; m = m->next)
		if (!strcmp(m->name, name) || (m->space && !strcmp(m->space, name)))
			return m;
	return open_program(s, name);
}

/* What the processor is running speaks first, then what is always there, then every other program. */
bool source_find(const struct debugger *d, const char *what, uint32_t *la)
{
	struct source *s = d->source;
	unsigned line;

	if (!s)
		return false;
	struct module *program = program_in(d, d->m->cpu.cr3);
	if (program && d->m->cpu.cpl == 3 && module_find(program, what, la))
		return true;
	for (struct module *m = s->modules; m; m = m->next)
		if (!m->space && module_find(m, what, la))
			return true;
	if (program && module_find(program, what, la))
		return true;
	for (struct module *m = s->modules; m; m = m->next)
		if (m->space && module_find(m, what, la))
			return true;
	const struct symbols *found = guest_symbols((struct debugger *)d);
	if (found && !symbols_find(found, what, la))
		return true;
	const char *rest = NULL;
	struct module *m = file_and_line(what, &line) && strchr(what, ':') == strrchr(what, ':') ? NULL : named_module(s, what, &rest);
	return m && module_find(m, rest, la);
}

const char *source_process_of(const struct debugger *d, const char *what, char *buf, size_t size)
{
	const char *rest;
	unsigned line;

	if (!d->source || (file_and_line(what, &line) && strchr(what, ':') == strrchr(what, ':')))
		return NULL;
	const struct module *m = named_module(d->source, what, &rest);
	return m && m->space && snprintf(buf, size, "%s", m->space) < (int)size ? buf : NULL;
}

static size_t complete_in(const struct symbols *s, const char *prefix, const char **names, size_t n, size_t found)
{
	size_t length = strlen(prefix);

	for (size_t i = 0; i < s->count && found < n; i++)
		if (!strncmp(s->symbol[i].name, prefix, length))
			names[found++] = s->symbol[i].name;
	return found;
}

size_t source_complete(const struct debugger *d, const char *prefix, const char **names, size_t n)
{
	size_t found = 0;

	if (!d->source)
		return 0;
	struct module *program = program_in(d, d->m->cpu.cr3);
	for (struct module *m = d->source->modules; m; m = m->next)
		if (!m->space || m == program)
			found = complete_in(&m->symbols, prefix, names, n, found);
	const struct symbols *in_memory = guest_symbols((struct debugger *)d);
	return in_memory ? complete_in(in_memory, prefix, names, n, found) : found;
}
