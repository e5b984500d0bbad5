/* ls [-l] [-a] [PATH...]: list directories, sorted; -l mode, links, size and time; -a also names starting with a dot. */
#include <complain.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool long_form, all;

static void print_mode(unsigned mode)
{
	char text[11] = "?rwxrwxrwx";

	text[0] = S_ISDIR(mode) ? 'd' : S_ISCHR(mode) ? 'c' : S_ISFIFO(mode) ? 'p' : '-';
	for (int i = 0; i < 9; i++)
		if (!(mode >> (8 - i) & 1))
			text[1 + i] = '-';
	printf("%s", text);
}

/* 1970-01-01 counted forward by years and months; there are few enough. */
static void print_time(unsigned t)
{
	static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned days = t / 86400, year = 1970, month = 0;

	for (;; year++) {
		unsigned length = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
		if (days < length)
			break;
		days -= length;
	}
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	for (; days >= (unsigned)month_days[month] + (leap && month == 1); month++)
		days -= month_days[month] + (leap && month == 1);
	printf("%04u-%02u-%02u %02u:%02u", year, month + 1, days + 1, t / 3600 % 24, t / 60 % 60);
}

static int show(const char *dir, const char *name)
{
	char path[512];
	struct stat st;

	if (!long_form) {
		puts(name);
		return 0;
	}
	snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "", name);
	if (lstat(path, &st) < 0)
		return complain(path);
	print_mode(st.st_mode);
	printf(" %3u %9lu ", (unsigned)st.st_nlink, (unsigned long)st.st_size);
	print_time(st.st_mtime);
	printf(" %s\n", name);
	return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int list_directory(const char *path)
{
	size_t n = 0, room = 0;
	char **names = NULL;
	struct dirent *e;
	DIR *d = opendir(path);
	int status = 0;

	if (!d)
		return complain(path);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' && !all)
			continue;
		if (n == room) {
			room = room ? 2 * room : 32;
			names = realloc(names, room * sizeof(*names));
		}
		if (!names || !(names[n++] = strdup(e->d_name))) {
			closedir(d);
			return complain(path);
		}
	}
	closedir(d);
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		status |= show(path, names[i]);
		free(names[i]);
	}
	free(names);
	return status;
}

static int list(const char *path, bool with_title)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return complain(path);
	if (!S_ISDIR(st.st_mode))
		return show("", path);
	if (with_title)
		printf("%s:\n", path);
	return list_directory(path);
}

int main(int argc, char **argv)
{
	int first = 1, status = 0;

	for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++)
		for (const char *o = argv[first] + 1; *o; o++) {
			if (*o == 'l')
				long_form = true;
			else if (*o == 'a')
				all = true;
			else if (*o != '1')
				return complain_usage("ls [-l] [-a] [PATH...]");
		}
	if (first == argc)
		return list(".", false);
	for (int i = first; i < argc; i++)
		status |= list(argv[i], argc - first > 1);
	return status;
}
