/* emu/debug/guest/source_lines.c: line tables and source text; see source_private.h.
 *
 * Each file's tables are put into one list, sorted by address, when a line is first asked for. A row reaches to the next one.
 */
#include "emu/debug/guest/source_private.h"
#include "devices/host_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS_MAX 8000000u
#define TEXT_MAX (16u << 20)

/* --- line tables ---------------------------------------------------------------------------------------------------- */

struct rows { struct line_row *row; size_t count, room; };

static bool add_row(struct rows *r, struct line_row row)
{
	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 1024;
		struct line_row *more = room <= ROWS_MAX ? realloc(r->row, room * sizeof(*more)) : NULL;
		if (!more)
			return false;
		r->row = more;
		r->room = room;
	}
	r->row[r->count++] = row;
	return true;
}

/* libdw puts the compiler's folder in front of relative names; people know files by what the compiler was given. */
static const char *as_given(const char *file, const char *folder)
{
	size_t n = folder ? strlen(folder) : 0;

	if (n && !strncmp(file, folder, n) && file[n] == '/')
		file += n + 1;
	while (file[0] == '.' && file[1] == '/')
		file += 2;
	return file;
}

static bool read_unit(struct rows *r, Dwarf_Die *unit)
{
	Dwarf_Lines *lines;
	size_t count;
	Dwarf_Attribute at;
	const char *folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &at));

	if (dwarf_getsrclines(unit, &lines, &count))
		return true;
	for (size_t i = 0; i < count; i++) {
		Dwarf_Line *l = dwarf_onesrcline(lines, i);
		Dwarf_Addr address;
		int number;
		bool end;
		if (!l || dwarf_lineaddr(l, &address) || address > UINT32_MAX || dwarf_lineno(l, &number) || dwarf_lineendsequence(l, &end))
			continue;
		const char *file = end ? NULL : dwarf_linesrc(l, NULL, NULL);
		if (!end && (!file || number <= 0))
			continue;
		struct line_row row = { (uint32_t)address, end ? 0 : (unsigned)number, (unsigned)r->count, file ? as_given(file, folder) : NULL };
		if (!add_row(r, row))
			return false;
	}
	return true;
}

/* At the same address ends come before beginnings, and of several beginnings the last counts, as in the table. */
static int by_address(const void *a, const void *b)
{
	const struct line_row *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (!x->file != !y->file)
		return x->file ? 1 : -1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void read_lines(struct module *m)
{
	struct rows r = { 0 };
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;

	m->lines_read = true;
	while (m->dwarf && dwarf_get_units(m->dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0)
		if (dwarf_tag(&die) == DW_TAG_compile_unit && !read_unit(&r, &die))
			break;
	if (r.count)
		qsort(r.row, r.count, sizeof(*r.row), by_address);
	m->lines = r.row;
	m->line_count = r.count;
}

void module_free_lines(struct module *m)
{
	free(m->lines);
	m->lines = NULL;
	m->line_count = 0;
}

const struct line_row *module_line(struct module *m, uint32_t at)
{
	if (!m->lines_read)
		read_lines(m);
	size_t low = 0, high = m->line_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (m->lines[middle].address <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low && m->lines[low - 1].file ? &m->lines[low - 1] : NULL;
}

/* Is name the whole of path or its last parts? */
static bool path_ends(const char *path, const char *name)
{
	size_t p = strlen(path), n = strlen(name);

	return p >= n && !strcmp(path + p - n, name) && (p == n || path[p - n - 1] == '/');
}

bool module_find_line(struct module *m, const char *file, unsigned line, uint32_t *at)
{
	const struct line_row *best = NULL;

	if (!m->lines_read)
		read_lines(m);
	for (size_t i = 0; i < m->line_count; i++) {
		const struct line_row *r = &m->lines[i];
		if (!r->file || r->line < line || (best && r->line >= best->line) || !path_ends(r->file, file))
			continue;
		best = r;
	}
	if (best)
		*at = best->address;
	return best != NULL;
}

/* --- source text ---------------------------------------------------------------------------------------------------- */

static char *read_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);    /* a name from an untrusted file: it may be a pipe */
	char *text = NULL;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size < TEXT_MAX)
		text = malloc((size_t)st.st_size + 1);
	ssize_t n = text ? host_read(fd, text, (size_t)st.st_size, 0) : -1;
	if (text)
		text[n > 0 ? n : 0] = 0;
	close(fd);
	return text;
}

/* folder/name, then with ever fewer of the name's folders in front. shorten: also those. */
static char *read_below(const char *folder, const char *name, bool shorten)
{
	char path[8192];

	for (const char *tail = name; tail;) {
		char *text = snprintf(path, sizeof(path), "%s/%s", folder, tail) < (int)sizeof(path) ? read_file(path) : NULL;
		if (text || !shorten)
			return text;
		tail = strchr(tail, '/');
		tail = tail ? tail + 1 : NULL;
	}
	return NULL;
}

/* As it is named; under --source folders; beside the ELF files and in the two folders above each (a build folder lies in the source's). */
static char *find_text(const struct source *s, const char *name)
{
	char folder[4096], *text = *name == '/' ? read_file(name) : NULL;

	if (strstr(name, "../"))
		return text;
	for (size_t i = 0; i < s->roots && !text; i++)
		text = read_below(s->root[i], name, true);
	for (const struct module *m = s->modules; m && !text; m = m->next) {
		const char *slash = strrchr(m->file.path, '/');
		snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - m->file.path) + 1 : 2, slash ? m->file.path : "./");
		for (unsigned above = 0; above < 3 && !text; above++) {
			text = read_below(folder, name, above == 0);
			if (strlen(folder) + 4 < sizeof(folder))
				strcat(folder, "/..");
		}
	}
	return text;
}

static void split(struct source_file *f)
{
	size_t count = 1;

	for (const char *c = f->text; *c; c++)
		count += *c == '\n';
	f->lines = calloc(count, sizeof(*f->lines));
	for (char *line = f->text; f->lines && line && f->count < count;) {
		f->lines[f->count++] = line;
		line = strchr(line, '\n');
		if (line)
			*line++ = 0;
	}
}

static const struct source_file *look_up(struct source *s, const char *name)
{
	for (struct source_file *f = s->files; f; f = f->next)
		if (f->name && !strcmp(f->name, name))
			return f;
	struct source_file *f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->name = strdup(name);
	f->text = f->name ? find_text(s, name) : NULL;
	if (f->text)
		split(f);
	f->next = s->files;
	s->files = f;
	return f;
}

bool source_text(const struct debugger *d, const struct source_line *line, char *buf, size_t size)
{
	const struct source_file *f = d->source && line->file ? look_up(d->source, line->file) : NULL;

	if (!f || !f->lines || line->line == 0 || line->line > f->count)
		return false;
	const char *text = f->lines[line->line - 1];
	size_t n = strcspn(text, "\r");
	snprintf(buf, size, "%.*s", (int)n, text);
	return true;
}
