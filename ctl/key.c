/* key.c - generates an API key.
 *
 * The key has 256 bits from the kernel's random source, so a plain SHA-256 is enough: unlike a password, the key
 * cannot be found by trying.  The key and its entry go to standard output, explanations to standard error, so that a
 * script can read the two lines.  The key is wiped from this process's own buffer before the process ends; the file
 * is the operator's to edit. */

#include "key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "auth/api_keys.h"
#include "ctl.h"

#define PREFIX "payhook_" /* lets secret scanners recognise a leaked key */
#define RANDOM_BYTES 32
#define DIGITS 43 /* of base64url (RFC 4648, 5) without padding, for RANDOM_BYTES */

static int key_complain(const char *complaint, const char *value)
{
	fprintf(stderr, CTL_PROGRAM ": %s%s\nusage: key NAME SCOPE...; scopes: read, operate, payload\n", complaint,
		value);
	return 2;
}

/* Base64url takes 6 bits for each digit.  A digit can begin in one byte and end in the next, so the digits are cut
 * from pairs of bytes; the array has one zero byte more, for the last pair. */
static bool make(char ret[sizeof PREFIX + DIGITS])
{
	static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char random[RANDOM_BYTES + 1] = {0};
	if (getrandom(random, RANDOM_BYTES, 0) != RANDOM_BYTES)
		return false;
	memcpy(ret, PREFIX, sizeof PREFIX - 1);
	for (int i = 0; i < DIGITS; i++) {
		int bit = 6 * i, byte = bit / 8;
		int two = random[byte] << 8 | random[byte + 1];
		ret[sizeof PREFIX - 1 + (size_t)i] = ALPHABET[two >> (10 - bit % 8) & 63];
	}
	ret[sizeof PREFIX - 1 + DIGITS] = '\0';
	explicit_bzero(random, sizeof random);
	return true;
}

/* Prints the key and its entry.  False: a write failed, so the key may be lost and must not be used.  Standard output
 * is flushed after each line, to keep it in order with the explanations on standard error. */
static bool print_entry(
	const char *name, const char *key, const unsigned char sha256[DIGEST_SHA256_LEN], unsigned scopes)
{
	fprintf(stderr, "The key, shown this once; it is sent as \"Authorization: Bearer KEY\":\n");
	printf("%s\n", key);
	if (fflush(stdout) != 0)
		return false;
	fprintf(stderr, "Its entry in {\"keys\": [...]} of API_KEYS_FILE, which a reload reads:\n");
	printf("{\"name\": \"%s\", \"sha256\": \"", name);
	for (int i = 0; i < DIGEST_SHA256_LEN; i++)
		printf("%02x", sha256[i]);
	printf("\", \"scopes\": [");
	for (int i = 0, listed = 0; i < API_SCOPES_MAX; i++) {
		if (scopes & API_SCOPES[i])
			printf("%s\"%s\"", listed++ ? ", " : "", api_scope_name(API_SCOPES[i]));
	}
	printf("]}\n");
	return fflush(stdout) == 0;
}

int key_run(int argc, char **argv)
{
	char key[sizeof PREFIX + DIGITS];
	unsigned char sha256[DIGEST_SHA256_LEN];
	unsigned scopes = 0;
	if (argc < 2)
		return key_complain("a name and its scopes are wanted", "");
	if (!api_key_name_valid(argv[0]))
		return key_complain("lower case letters, digits and hyphens are wanted, 64 at most, not ", argv[0]);
	for (int i = 1; i < argc; i++) {
		if (!api_scope_of(argv[i]))
			return key_complain("there is no scope ", argv[i]);
		scopes |= api_scope_of(argv[i]);
	}
	if (!make(key) || !digest_sha256(key, strlen(key), sha256)) {
		fprintf(stderr, CTL_PROGRAM ": no key can be made: %s\n", strerror(errno));
		return 1;
	}
	bool printed = print_entry(argv[0], key, sha256, scopes);
	if (!printed)
		fprintf(stderr, CTL_PROGRAM ": the key cannot be shown, so make another: %s\n", strerror(errno));
	explicit_bzero(key, sizeof key);
	return printed ? 0 : 1;
}
