/* terminal.c - prints without ever waiting for the reader. */

#include "terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

static int own = -1; /* stdout, opened once more */
static bool is_cut;  /* the last line was not written to its end */

/* O_NONBLOCK belongs to the description, which stdout shares with the shell that has started this program.  A file is not
 * opened anew, since its offset belongs to the description, too. */
void terminal_open(void)
{
	struct stat s;
	if (fstat(STDOUT_FILENO, &s) == 0 && (S_ISFIFO(s.st_mode) || isatty(STDOUT_FILENO)))
		own = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Returns the new length, which is not more: a character becomes one question mark. */
static size_t without_controls(char *text, size_t len)
{
	size_t kept = 0;
	for (size_t at = 0, length; at < len; at += length) {
		length = utf8_length(text + at, len - at);
		bool is_shown = length > 0 && !utf8_is_control(text + at, length);
		length = length > 0 ? length : 1;
		if (is_shown || text[at] == '\t' || text[at] == '\n') {
			memmove(text + kept, text + at, length);
			kept += length;
		} else {
			text[kept++] = '?';
		}
	}
	return kept;
}

/* A terminal that reports room may have less than a line needs, which is why poll() alone is not enough. */
void terminal_print(char *text, size_t len)
{
	struct pollfd terminal = {.fd = own >= 0 ? own : STDOUT_FILENO, .events = POLLOUT};
	if (poll(&terminal, 1, 0) != 1 || terminal.revents != POLLOUT)
		return;
	if (is_cut && write(terminal.fd, "\n", 1) != 1)
		return;
	len = without_controls(text, len);
	ssize_t n = write(terminal.fd, text, len);
	is_cut = n > 0 && (size_t)n < len;
}

void terminal_close(void)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (own >= 0)
		close(own);
	own = -1;
	is_cut = false;
	if (nowhere >= 0) {
		dup2(nowhere, STDOUT_FILENO);
		close(nowhere);
	}
}
