/* payhook - the supervisor of "./payhook up": starts PostgreSQL, the worker, the pool of responders and nginx, keeps
 * them running, and stops them.
 *
 * The script ./payhook prepares everything and becomes this program, which keeps the lock that the script has taken on
 * an inherited descriptor.  If this program ends in any way, the kernel asks the parts to end (child.c). */

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dumpable.h"
#include "folder.h"
#include "message.h"
#include "plan.h"
#include "supervisor.h"
#include "terminal.h"

static void complain(const char *complaint)
{
	fprintf(stderr, "payhook: %s\n", complaint);
}

/* Of the first three descriptors the caller may have closed some.  The next file would get such a number, and what is meant
 * for the terminal would be written into that file. */
static void standard_descriptors_open(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static struct plan plan;
	struct fault f;
	dumpable_clear();
	standard_descriptors_open();
	plan.detach = argc == 4 && strcmp(argv[3], "--detach") == 0;
	if (argc != 3 && !plan.detach) {
		complain("usage: payhook RUN_FOLDER LOG_FOLDER [--detach] <PLAN; \"./payhook up\" starts it");
		return 2;
	}
	plan.run_folder = argv[1];
	plan.log_folder = argv[2];
	if (!plan_read(STDIN_FILENO, &plan, &f)) {
		complain(f.text);
		return 2;
	}
	if (!message_open(plan.log_folder, &f)) {
		complain(f.text);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	/* After "stty tostop" it would stop a supervisor that prints in the background of a terminal. */
	signal(SIGTTOU, SIG_IGN);
	terminal_open();
	struct event_base *base = event_base_new();
	if (!base) {
		complain("cannot start: no event loop");
		return 1;
	}
	int status = supervisor_run(base, &plan);
	event_base_free(base);
	message("stopped");
	/* While this process holds the lock, no other one uses the folder. */
	folder_remove(plan.run_folder);
	return status;
}
