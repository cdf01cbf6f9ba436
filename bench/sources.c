/* sources.c - the files of sources that only a row of the bench has. */

#include "sources.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool sources_folder_make(
	struct sources_folder *s, const char *sources, char setting[SOURCES_SETTING_MAX], struct fault *f)
{
	memcpy(s->path, "/var/tmp/payhook-bench-XXXXXX", sizeof "/var/tmp/payhook-bench-XXXXXX");
	if (!mkdtemp(s->path) || chmod(s->path, 0755) < 0)
		return fault_set(f, FAULT_BUSY, "a folder cannot be made in /var/tmp");
	snprintf(setting, SOURCES_SETTING_MAX, "SOURCES_FILE=%s/sources.json", s->path);
	return sources_folder_write(s, "sources.json", sources, f);
}

bool sources_folder_write(const struct sources_folder *s, const char *name, const char *text, struct fault *f)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", s->path, name);
	FILE *file = fopen(path, "we");
	bool written = file && fputs(text, file) >= 0 && fchmod(fileno(file), 0644) == 0;
	if (file && fclose(file) != 0)
		written = false;
	return written || fault_set(f, FAULT_BUSY, "%s cannot be written", path);
}

void sources_folder_remove(struct sources_folder *s)
{
	DIR *folder = *s->path ? opendir(s->path) : NULL;
	const struct dirent *entry;
	while (folder && (entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	if (*s->path)
		rmdir(s->path);
	s->path[0] = '\0';
}
