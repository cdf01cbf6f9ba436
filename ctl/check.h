#pragma once

/* "check": prints the configuration of the responders, then what the database server that it names says about
 * durability.  Returns the exit status: 0 the server keeps the promise of a 202, 1 it does not or cannot be asked, 2 an
 * argument, a setting or a file is invalid. */
int check_run(int argc, char **argv);
