#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/fault.h"

/* The log of a part: what it and its children write on stdout and stderr arrives through a pipe and is appended to a
 * file.  A file that becomes too long is renamed to NAME.log.1 between two lines, or within a line that is as long, which
 * replaces the previous one, so no line is lost.
 *
 * A part waits if the pipe is full, which happens only while the supervisor is frozen.  What a full disk does not take
 * is dropped, and its length reported in the file later. */

#define PART_LOG_MOST (50 << 20) /* bytes of a log before it is renamed */
#define PART_LOG_LINE_MAX 4096   /* bytes of a line that is shown on the terminal; a longer one is shown in pieces */

struct part_log {
	const char *name;  /* borrowed; of the part */
	char *path;        /* owned; LOG_FOLDER/NAME.log */
	char *older;       /* owned; the same with ".1" */
	int file;          /* -1: it could not be opened; tried again at the next output */
	int pipe[2];       /* the part's processes inherit the second end */
	long long size;    /* of the file, in bytes */
	long long most;    /* the size from which it is renamed; PART_LOG_MOST */
	long long lost;    /* bytes dropped since the last report */
	long long unended; /* bytes of the line at the end of the file */
	bool is_shown;     /* lines are printed on the terminal, too, behind the name of the part */
	char line[PART_LOG_LINE_MAX];
	size_t line_len; /* of the line that is not complete yet */
	struct event *readable;
};

/* Opens FOLDER/NAME.log for appending, readable by its owner and group only.  False: FAULT_INPUT, and nothing stays
 * open. */
MUST_USE bool part_log_open(
	struct part_log *l, struct event_base *base, const char *folder, const char *name, struct fault *f);

/* Appends what is in the pipe, and closes the log.  Does nothing for a zeroed or closed log. */
void part_log_close(struct part_log *l);

/* Renames FOLDER/NAME.log, which the part itself writes, to NAME.log.1 if it has become too long, and creates an empty
 * one with the same owner and mode.  True: the part must now open its log again; what it writes until then goes to the
 * renamed file. */
bool part_log_rename_own(const char *folder, const char *name, long long most);
