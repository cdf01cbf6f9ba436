#pragma once

/* "payload ID [--source NAME] [--headers | --body] [--escape]": prints the kept request of a transaction as an HTTP/1.1
 * message, which "verify SOURCE --kept" reads.  The body is printed byte for byte, unless standard output is a terminal
 * or --escape is given: then control characters and bytes that are not UTF-8 are escaped.  Returns the exit status: 0
 * printed, 1 there is no such transaction, its request is not kept, or the database cannot be asked, 2 an argument or a
 * setting is invalid. */
int payload_run(int argc, char **argv);
