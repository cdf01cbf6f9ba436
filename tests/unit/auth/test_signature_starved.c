/* test_signature_starved.c - without memory a signature is neither valid nor wrong: the provider is to send it again.
 *
 * It is a program without Criterion: libcrypto's allocator can be replaced only before its first use, and Criterion's
 * own libraries use libcrypto. */

#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/signature.h"
#include "support/signing.h"

#define NOW 1771502400 /* 2026-02-19T12:00:00Z */
static const char BODY[] = "{\"transaction_id\":\"txn_1\",\"amount\":1500}";

static int allocations, first_failing = INT_MAX, last_failing = INT_MAX; /* counted from 0 */
static int tests, failures;

static bool fails(void)
{
	int n = allocations++;
	return n >= first_failing && n <= last_failing;
}

static void *scarce_malloc(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return fails() ? NULL : malloc(size);
}

static void *scarce_realloc(void *block, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return fails() ? NULL : realloc(block, size);
}

static void plain_free(void *block, const char *file, int line)
{
	(void)file, (void)line;
	free(block);
}

static void expect(bool holds, const char *sender, const char *what)
{
	printf("%s %d - %s: %s\n", holds ? "ok" : "not ok", ++tests, sender, what);
	failures += !holds;
}

/* Verifies while the allocations from first to last fail; returns the cause. */
static enum signature_cause verify(const struct signer *s, struct sent *sent, int first, int last)
{
	struct signature_request request = {sent_header, sent, BODY, strlen(BODY), NULL, NULL};
	struct signature_report report;
	allocations = 0;
	first_failing = first;
	last_failing = last;
	bool good = signature_verify(s, &request, NOW, &report);
	first_failing = last_failing = INT_MAX;
	return good ? SIGNATURE_GOOD : report.cause;
}

static bool add(struct signer *s, const struct sender_key *key, int64_t not_after_s)
{
	struct fault f;
	return signer_add_secret(s, key->text, strlen(key->text), not_after_s, &f);
}

/* Fails each allocation alone, and each with all after it.  An HMAC is then good or failed.  With a public key some
 * failures leave no trace in libcrypto's result and error queue, and are mismatches; most must not be. */
static bool is_seldom_wrong(const struct signer *s, struct sent *sent, int count, bool is_public)
{
	int failed = 0, wrong = 0, other = 0;
	for (int n = 0; n < 2 * count; n++) {
		enum signature_cause cause = verify(s, sent, n / 2, n % 2 ? INT_MAX : n / 2);
		failed += cause == SIGNATURE_FAILED;
		wrong += cause == SIGNATURE_WRONG;
		other += cause != SIGNATURE_FAILED && cause != SIGNATURE_WRONG && cause != SIGNATURE_GOOD;
	}
	printf("# of %d verifications: %d failed, %d mismatches\n", 2 * count, failed, wrong);
	return other == 0 && (is_public ? failed > 2 * wrong : wrong == 0);
}

static void test_sender(const struct sender *sender)
{
	struct fault f;
	struct signer active, expired;
	struct sender_key key, other;
	struct sent sent;
	sender_key(sender, 0, NOW + 86400, &key);
	sender_key(sender, 1, NOW + 86400, &other);
	sender_sign(sender, &key, NOW, BODY, strlen(BODY), &sent);
	if (!signer_init(&active, &sender->settings, &f) || !add(&active, &key, INT64_MAX) ||
		!signer_init(&expired, &sender->settings, &f) || !add(&expired, &key, NOW - 1)) {
		expect(false, sender->name, f.text);
		return;
	}
	verify(&active, &sent, INT_MAX, INT_MAX); /* what libcrypto allocates once */
	expect(verify(&active, &sent, INT_MAX, INT_MAX) == SIGNATURE_GOOD, sender->name, "good with memory");
	int count = allocations;
	expect(is_seldom_wrong(&active, &sent, count, key.private != NULL), sender->name,
		"failed, not wrong, when allocations fail");

	expect(verify(&expired, &sent, INT_MAX, INT_MAX) == SIGNATURE_EXPIRED, sender->name, "expired with memory");
	count = allocations;
	if (!add(&expired, &other, INT64_MAX))
		expect(false, sender->name, "the second secret");
	verify(&expired, &sent, INT_MAX, INT_MAX);
	if (allocations > count) /* a second HMAC needs none */
		expect(verify(&expired, &sent, count, INT_MAX) == SIGNATURE_FAILED, sender->name,
			"failed, not expired, while another secret cannot be tried");
	signer_finish(&active);
	signer_finish(&expired);
	sender_key_finish(&key);
	sender_key_finish(&other);
}

int main(void)
{
	if (!CRYPTO_set_mem_functions(scarce_malloc, scarce_realloc, plain_free))
		return 1;
	for (size_t i = 0; i < SENDER_COUNT; i++)
		test_sender(&SENDERS[i]);
	printf("1..%d\n", tests);
	return failures > 0;
}
