#pragma once

/* Makes a key for who may read, and shows it once, with the entry that API_KEYS_FILE wants of it.  arguments: its name,
 * then its scopes.  Returns the program's exit status. */
int key_run(int argc, char **argv);
