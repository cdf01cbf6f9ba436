#pragma once

/* "status": how payhook is, from the console's overview.  Returns the exit status, for scripts: 0 ok; 1 something needs
 * attention; 2 an argument or a setting is wrong; 3 payhook is down: no worker lives, or the database does not answer. */
int status_run(int argc, char **argv);
