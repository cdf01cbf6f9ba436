/* replay.c - runs a fuzz target with each file of its corpus; prints TAP, one test for each file. */

#include <dirent.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX (256 * 1024)

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The target gets a copy of exactly this length, so that the address sanitizer detects a read beyond it. */
static void replay(const char *path)
{
	static char input[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	MUST_HOLD(file);
	size_t len = fread(input, 1, sizeof input, file);
	MUST_HOLD(!ferror(file) && len < sizeof input);
	fclose(file);
	uint8_t *copy = malloc(len + (len == 0));
	MUST_HOLD(copy);
	memcpy(copy, input, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	if (argc != 2) {
		fprintf(stderr, "usage: %s directory\n", argv[0]);
		return 2;
	}
	int count = scandir(argv[1], &entries, visible, alphasort);
	MUST_HOLD(count > 0);
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
		printf("# %s\n", path);
		fflush(stdout); /* if the target aborts, the last line names the file */
		replay(path);
		printf("ok %d - %s\n", i + 1, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}
