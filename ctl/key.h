#pragma once

/* "key NAME SCOPE...": generates an API key and prints it once, with its entry for API_KEYS_FILE, which holds only the key's
 * SHA-256.  Returns the exit status: 0 done, 1 the key could not be made or printed, 2 the arguments are wrong. */
int key_run(int argc, char **argv);
