#pragma once

/* "send SOURCE [--kind KIND] [--bad-signature | --old | --duplicate | --conflict] [--url URL] [--examples FOLDER]": posts an
 * example of a provider's webhooks to payhook, signed with the source's own secret, and shows the answer.  Returns the exit
 * status: 0 the answer is the one that the option leads to expect, 1 it is another or there is none, 2 an argument, a setting
 * or SOURCES_FILE is invalid, or there is no example for the source. */
int send_run(int argc, char **argv);
