/* message.c - the supervisor's own messages. */

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define TEXT_MAX 512

static int log_file = -1;

bool message_open(const char *log_folder, struct fault *f)
{
	char path[4096];
	int len = snprintf(path, sizeof path, "%s/payhook.log", log_folder);
	if (len < 0 || (size_t)len >= sizeof path)
		return fault_set(f, FAULT_INPUT, "the path of the log folder is too long");
	log_file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (log_file < 0)
		return fault_set(f, FAULT_INPUT, "payhook.log cannot be written to: %s", strerror(errno));
	return true;
}

void message(const char *format, ...)
{
	char text[TEXT_MAX], date[CLOCK_DATE_MAX];
	struct pollfd terminal = {.fd = STDOUT_FILENO, .events = POLLOUT};
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (poll(&terminal, 1, 0) == 1 && terminal.revents == POLLOUT)
		dprintf(STDOUT_FILENO, "payhook: %s\n", text);
	dprintf(log_file, "%s %s\n", clock_date(time(NULL), date), text);
}

void message_detach(void)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (nowhere >= 0) {
		dup2(nowhere, STDOUT_FILENO);
		close(nowhere);
	}
	dup2(log_file, STDERR_FILENO);
}
