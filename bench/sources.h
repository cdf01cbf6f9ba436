#pragma once

#include "base/base.h"
#include "base/fault.h"

/* A folder with the files of a source, which the user of the responders can read. */

struct sources_folder {
	char path[64]; /* "": there is none */
};

#define SOURCES_SETTING_MAX 128

/* Makes the folder with the file sources.json; setting is the SOURCES_FILE that names it. */
MUST_USE bool sources_folder_make(
	struct sources_folder *s, const char *sources, char setting[SOURCES_SETTING_MAX], struct fault *f);

/* Writes one more file.  name has neither a slash nor more than 31 bytes. */
MUST_USE bool sources_folder_write(const struct sources_folder *s, const char *name, const char *text, struct fault *f);

/* Removes the folder and its files, if there is one. */
void sources_folder_remove(struct sources_folder *s);
