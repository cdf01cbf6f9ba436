#pragma once

/* "key NAME SCOPE...": generates an API key of 256 random bits, and prints the key and its entry for API_KEYS_FILE.
 * The entry holds only the SHA-256 of the key, so the key cannot be recovered from the file.  The command writes no
 * file.  Returns the exit status: 0 success, 1 the key could not be made or printed, 2 an argument is invalid. */
int key_run(int argc, char **argv);
