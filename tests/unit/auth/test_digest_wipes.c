/* test_digest_wipes.c - memory that contained a secret is wiped before it is freed.
 *
 * It is a program without Criterion: libcrypto's allocator can be replaced only before its first use, and Criterion's
 * own libraries use libcrypto. */

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/digest.h"

#define PIECE 16 /* bytes of the secret that are searched for */

static const char SECRET[] = "a key that must not lie about in memory";
static int blocks_seen, secrets_left, tests;

static void look_for_secret(const void *block)
{
	size_t size = malloc_usable_size((void *)(uintptr_t)block);
	blocks_seen++;
	for (size_t i = 0; i + PIECE <= size; i++)
		secrets_left += memcmp((const char *)block + i, SECRET, PIECE) == 0;
}

static void *watched_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void *watched_realloc(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(block, size);
}

static void watched_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	if (block)
		look_for_secret(block);
	free(block);
}

static int expect(bool holds, const char *what)
{
	printf("%s %d - %s\n", holds ? "ok" : "not ok", ++tests, what);
	return holds ? 0 : 1;
}

int main(void)
{
	struct digest_key *key;
	struct fault f;
	struct digest_part message = {"message", 7}, signature = {SECRET, 32};
	int failed = 0;
	printf("1..4\n");
	failed += expect(
		CRYPTO_set_mem_functions(watched_malloc, watched_realloc, watched_free), "memory can be watched");
	failed += expect(digest_key_create(DIGEST_HMAC_SHA256, SECRET, strlen(SECRET), &key, &f) &&
				 digest_verify(key, &message, 1, &signature, 1) == DIGEST_DIFFERS,
		"a key is used");
	digest_key_destroy(key);
	failed += expect(blocks_seen > 0 && secrets_left == 0, "wipes a secret before its memory is given back");
	OPENSSL_free(OPENSSL_strdup(SECRET));
	failed += expect(secrets_left > 0, "a secret that was not wiped is found");
	return failed ? 1 : 0;
}
