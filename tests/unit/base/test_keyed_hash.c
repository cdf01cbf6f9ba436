/* test_keyed_hash.c - the hash of a number and bytes. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/keyed_hash.h"

Test(keyed_hash, is_the_same_for_the_same)
{
	const char a[] = "a transaction's id", b[] = "a transaction's id";
	cr_expect_eq(keyed_hash(7, a, strlen(a)), keyed_hash(7, b, strlen(b)));
}

Test(keyed_hash, differs_by_the_number_the_length_and_every_byte)
{
	char text[40] = {0};
	for (size_t len = 0; len < sizeof text; len++) {
		uint64_t hash = keyed_hash(0, text, len);
		cr_expect_neq(hash, keyed_hash(1, text, len), "%zu bytes", len);
		cr_expect_neq(hash, keyed_hash(0, text, len + 1), "%zu bytes", len);
		for (size_t at = 0; at < len; at++) {
			text[at] ^= 1;
			cr_expect_neq(hash, keyed_hash(0, text, len), "byte %zu of %zu", at, len);
			text[at] ^= 1;
		}
	}
}
