#pragma once

/* "listen [--source NAME] [--since TIME] [--to URL] [--json]": prints the events that payhook accepts, as they come, and posts
 * each to a program under development.  It reads the database, and changes nothing.  It ends by a signal.  Returns the exit
 * status: 1 the database cannot be read or an output not written, 2 an argument, a setting or SOURCES_FILE is invalid. */
int listen_run(int argc, char **argv);
