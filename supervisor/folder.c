/* folder.c - removes the run folder, parts of which belong to the users of the parts.
 *
 * nftw() names what it removes by its whole path.  While it works, the owner of a folder on that path can swap the folder for
 * a link, and root would remove files elsewhere.  So here each entry is named from its own folder, which is open. */

#define _GNU_SOURCE /* O_DIRECTORY, O_NOFOLLOW */

#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

#define DEPTH_MOST 16 /* one descriptor each */

static void remove_contents(int folder, int depth);

static void remove_entry(int folder, const char *name, int depth)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return;
	if (errno == EISDIR && depth < DEPTH_MOST) {
		int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0)
			remove_contents(inner, depth + 1);
		if (unlinkat(folder, name, AT_REMOVEDIR) == 0)
			return;
	}
	message("%s cannot be removed: %s", name, strerror(errno));
}

/* Takes the descriptor. */
static void remove_contents(int folder, int depth)
{
	DIR *entries = fdopendir(folder);
	if (!entries) {
		close(folder);
		return;
	}
	for (const struct dirent *e; (e = readdir(entries)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_entry(folder, e->d_name, depth);
	closedir(entries);
}

void folder_remove(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder >= 0)
		remove_contents(folder, 1);
	if (rmdir(path) != 0)
		message("%s: %s", path, strerror(errno));
}
