/* message.c - the supervisor's own messages. */

#define _GNU_SOURCE /* dup3() */

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "part_log.h"
#include "terminal.h"

#define TEXT_MAX 512

static const char *folder; /* of the log */
static char path[4096];
static int log_file = -1;
static bool is_detached;

static int message_file_open(void)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

bool message_open(const char *log_folder, struct fault *f)
{
	int len = snprintf(path, sizeof path, "%s/payhook.log", log_folder);
	if (len < 0 || (size_t)len >= sizeof path)
		return fault_set(f, FAULT_INPUT, "the path of the log folder is too long");
	folder = log_folder;
	log_file = message_file_open();
	if (log_file < 0)
		return fault_set(f, FAULT_INPUT, "payhook.log cannot be written to: %s", strerror(errno));
	return true;
}

/* A part that never stays up causes one message a second, for as long as nobody looks. */
static void message_bound_log(void)
{
	int fresh;
	if (!part_log_rename_own(folder, "payhook", PART_LOG_MOST) || (fresh = message_file_open()) < 0)
		return;
	dup3(fresh, log_file, O_CLOEXEC);
	close(fresh);
	if (is_detached)
		dup2(log_file, STDERR_FILENO);
}

void message(const char *format, ...)
{
	char text[TEXT_MAX], line[TEXT_MAX + sizeof "payhook: \n"], date[CLOCK_DATE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	int len = snprintf(line, sizeof line, "payhook: %s\n", text);
	terminal_print(line, (size_t)len);
	message_bound_log();
	dprintf(log_file, "%s %s\n", clock_date(time(NULL), date), text);
}

void message_detach(void)
{
	terminal_close();
	is_detached = true;
	dup2(log_file, STDERR_FILENO);
}
