/* signed_webhook.c - writes and signs webhooks as four providers do. */

#include "support/signed_webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"

static const struct {
	const char *source, *folder; /* a directory of docs/sources */
	struct sender sender;
	const char *reported[2];
} ALL[PROVIDERS] = {
	[BANK] = {"bank", "standard-webhooks",
		{"bank", {.scheme = SCHEME_STANDARD_WEBHOOKS}, true, false, "webhook-signature",
			{"webhook-id", "webhook-timestamp"}},
		{"\"source_account\":\"DE00EXAMPLE0000000001\",\"destination_account\":\"DE00EXAMPLE0000000002\","
		 "\"amount\":149.90,\"currency\":\"EUR\""}},
	[STRIPE] = {"stripe", "stripe", {"stripe", {.scheme = SCHEME_STRIPE}, true, false, "stripe-signature", {0}},
		{"\"source_account\":\"stripe:cus_PayhookExample\","
		 "\"destination_account\":\"stripe:acct_1PayhookExample\",\"amount\":1099.00,\"currency\":\"USD\""}},
	[ADYEN] = {"adyen", "adyen", {"adyen", {.scheme = SCHEME_ADYEN}, false, false, NULL, {0}},
		{"\"source_account\":\"adyen:order:1001\",\"destination_account\":\"adyen:PayhookExampleECOM\","
		 "\"amount\":1130.50,\"currency\":\"EUR\"",
			"\"source_account\":\"adyen:order:1002\",\"destination_account\":\"adyen:PayhookExampleECOM\","
			"\"amount\":15000.00,\"currency\":\"CLP\""}},
	[CLEARING] = {"clearing", "hmac",
		{"clearing",
			{.scheme = SCHEME_HMAC,
				.prefix = "sha512:",
				.algorithm = DIGEST_HMAC_SHA512,
				.encoding = ENCODING_HEX,
				.separator = ":"},
			true, false, "x-bank-signature", {"x-bank-time"}},
		{"\"source_account\":\"GB00EXAMPLE01\",\"destination_account\":\"GB00EXAMPLE02\",\"amount\":12.5,"
		 "\"currency\":\"GBP\"",
			"\"source_account\":\"GB00EXAMPLE04\",\"destination_account\":\"GB00EXAMPLE02\","
			"\"amount\":0.455,\"currency\":\"KWD\""}},
};

/* The two signatures of the example, and the fields after pspReference that each covers. */
static const char *const ADYEN_KEPT[] = {
	"IIRruXO/SM97ZEzUeq/qkPdyjM2oVdOPeDDUZcfgqkA=", "Aalllaqp5SfV8Eb5mNWE0KNTqV0VocfpiFX4T6aS8Mo="};
static const char *const ADYEN_SIGNED[] = {":PayhookExampleECOM:order:1001:113050:EUR:AUTHORISATION:",
	":PayhookExampleECOM:order:1002:1500000:CLP:AUTHORISATION:"};

const char *signed_webhook_source(enum provider from)
{
	return ALL[from].source;
}

const char *signed_webhook_expected(enum provider from, int n)
{
	return ALL[from].reported[n];
}

const char *signed_webhook_header(enum provider from)
{
	return ALL[from].sender.signature;
}

/* ---- the body ---- */

static void read_payload(struct signed_webhook *w)
{
	const char *source = getenv("PAYHOOK_SOURCE");
	char path[512];

	snprintf(path, sizeof(path), "%s/docs/sources/%s/payload.json", source == NULL ? "." : source,
		ALL[w->from].folder);
	FILE *f = fopen(path, "re");
	cr_assert_not_null(f, "%s", path);
	size_t len = fread(w->body, 1, sizeof(w->body) - 1, f);
	fclose(f);
	w->body[len] = '\0';
}

void signed_webhook_replace(struct signed_webhook *w, const char *old, const char *new)
{
	size_t old_len = strlen(old), new_len = strlen(new);
	int count = 0;

	for (char *at = w->body; (at = strstr(at, old)) != NULL; at += new_len, count++) {
		cr_assert(strlen(w->body) + new_len < sizeof(w->body));
		memmove(at + new_len, at + old_len, strlen(at + old_len) + 1);
		memcpy(at, new, new_len);
	}
	cr_assert(count > 0, "%s: no %s in %s", ALL[w->from].source, old, w->body);
}

static void name_clearing(struct signed_webhook *w)
{
	static int count;
	char number[2][32];

	for (int n = 0; n < 2; n++) {
		snprintf(number[n], sizeof(number[n]), "%d%03d%d", (int)getpid(), count, n);
		snprintf(w->ids[n], sizeof(w->ids[n]), "clearing-%.31s", number[n]);
	}
	count++;
	signed_webhook_replace(w, "90210", number[0]);
	signed_webhook_replace(w, "90212", number[1]);
	w->count = 2;
}

static void name_adyen(struct signed_webhook *w)
{
	static const char *const OLD[] = {"PAYHOOKEXAMPLE01", "PAYHOOKEXAMPLE02"};

	for (int n = 0; n < 2; n++)
		signed_webhook_replace(w, OLD[n], fresh_id("PSP", w->ids[n]));
	w->count = 2;
}

void signed_webhook_write(struct signed_webhook *w, enum provider from)
{
	*w = (struct signed_webhook){.from = from, .count = 1};
	read_payload(w);
	if (from == CLEARING)
		name_clearing(w);
	else if (from == ADYEN)
		name_adyen(w);
	else
		signed_webhook_replace(w, from == BANK ? "pmt_01PayhookExample" : "pi_3PayhookExample0001",
			fresh_id(ALL[from].source, w->ids[0]));
	signed_webhook_sign(w, KEY_FIRST, (int64_t)time(NULL));
}

/* ---- the signature ---- */

static void make_key(enum provider from, int key, struct sender_key *ret)
{
	sender_key(&ALL[from].sender, (int)from * KEYS + key, INT64_MAX, ret); /* no two sources have one secret */
}

/* The signature that the body contains from the last time. */
static void put_item_signature(struct signed_webhook *w, int n, const char *signature)
{
	static const char MEMBER[] = "\"hmacSignature\":\"";
	char *at = w->body;

	for (int skip = 0; skip <= n; skip++) {
		at = strstr(at, MEMBER);
		cr_assert_not_null(at);
		at += sizeof(MEMBER) - 1;
	}
	cr_assert_eq(strcspn(at, "\""), strlen(signature));
	memcpy(at, signature, strlen(signature));
}

static void sign_items(struct signed_webhook *w, const struct sender_key *key)
{
	char text[256], signature[SENT_VALUE_MAX];
	const char *success = strstr(w->body, "\"success\":\"true\"") == NULL ? "false" : "true";

	for (int n = 0; n < 2; n++) {
		snprintf(text, sizeof(text), "%s:%s%s", w->ids[n], ADYEN_SIGNED[n], success);
		sender_hmac("SHA256", key->hmac, key->hmac_len, text, strlen(text), true, signature);
		cr_assert_eq(strlen(signature), strlen(ADYEN_KEPT[n]));
		put_item_signature(w, n, signature);
	}
}

void signed_webhook_sign(struct signed_webhook *w, int key, int64_t when_s)
{
	struct sender_key made;

	make_key(w->from, key, &made);
	if (w->from == ADYEN)
		sign_items(w, &made);
	else
		sender_sign(&ALL[w->from].sender, &made, when_s, w->body, strlen(w->body), &w->sent);
}

void signed_webhook_post(const struct signed_webhook *w, struct answer *ret)
{
	static char lines[SENT_HEADERS_MAX][SENT_VALUE_MAX + 64];
	const char *headers[SENT_HEADERS_MAX + 1] = {NULL};
	char target[64];

	for (int n = 0; n < w->sent.count; n++) {
		snprintf(lines[n], sizeof(lines[n]), "%s: %s", w->sent.header[n].name, w->sent.header[n].value);
		headers[n] = lines[n];
	}
	snprintf(target, sizeof(target), "/v1/webhooks/%s", ALL[w->from].source);
	call_send(
		&(struct call){.target = target, .type = "application/json", .body = w->body, .headers = headers}, ret);
}

/* ---- the sources ---- */

void signed_webhook_secret(enum provider from, int key, char ret[256])
{
	struct sender_key made;

	make_key(from, key, &made);
	if (from != ADYEN) {
		snprintf(ret, 256, "%.255s", made.text);
		return;
	}
	for (size_t n = 0; n < made.hmac_len; n++)
		snprintf(ret + 2 * n, 3, "%02X", (unsigned char)made.hmac[n]);
}

#define SECRETS(first, name)                                                 \
	"\"secrets\":[" first ",{\"file\":\"" name "-1\"},{\"file\":\"" name \
	"-3\",\"not_after\":\"2026-01-01T00:00:00Z\"}],\n"

static const char SOURCES[] =
	"{\"sources\":[\n"
	"{\"name\":\"bank\",\"scheme\":\"standard-webhooks\"," SECRETS("{\"file\":\"bank-0\"}",
		"bank") "\"filter\":[{\"at\":\"/type\",\"is\":[\"payment.settled\"]}],\"mapping\":{\"transaction_id\":{\"at\":\"/data/id\"},"
			"\"source_account\":{\"at\":\"/data/payer/account\"},\"destination_account\":{\"at\":\"/data/payee/account\"},"
			"\"amount\":{\"at\":\"/data/amount\",\"unit\":\"major\"},\"currency\":{\"at\":\"/data/currency\"}}},\n"
			"{\"name\":\"stripe\",\"scheme\":\"stripe\"," SECRETS("{\"env\":\"" SIGNED_WEBHOOK_VARIABLE
									      "\"}",
				"stripe") "\"filter\":[{\"at\":\"/type\",\"is\":[\"payment_intent.succeeded\"]}],\"mapping\":{"
					  "\"transaction_id\":{\"at\":\"/data/object/id\"},\"source_account\":{\"at\":\"/data/object/customer\","
					  "\"prefix\":\"stripe:\",\"otherwise\":\"stripe:guest\"},"
					  "\"destination_account\":{\"value\":\"stripe:acct_1PayhookExample\"},\"amount\":{\"at\":"
					  "\"/data/object/amount_received\",\"unit\":\"minor\"},\"currency\":{\"at\":\"/data/object/currency\"}}},\n"
					  "{\"name\":\"adyen\",\"scheme\":\"adyen\"," SECRETS("{\"file\":\"adyen-0\"}",
						  "adyen") "\"items\":\"/notificationItems\",\"filter\":[{\"at\":\"/NotificationRequestItem/success\",\"is\":[\"true\"]}],"
							   "\"mapping\":{\"transaction_id\":{\"at\":\"/NotificationRequestItem/pspReference\"},\"source_account\":{\"at\":"
							   "\"/NotificationRequestItem/merchantReference\",\"prefix\":\"adyen:\"},\"destination_account\":{\"at\":"
							   "\"/NotificationRequestItem/merchantAccountCode\",\"prefix\":\"adyen:\"},\"amount\":{\"at\":"
							   "\"/NotificationRequestItem/amount/value\",\"unit\":\"minor\",\"minor_units\":{\"CLP\":2}},\"currency\":{\"at\":"
							   "\"/NotificationRequestItem/amount/currency\"}}},\n"
							   "{\"name\":\"clearing\",\"scheme\":\"hmac\",\"header\":\"X-Bank-Signature\",\"prefix\":\"sha512:\","
							   "\"algorithm\":\"sha512\",\"encoding\":\"hex\",\"timestamp_header\":\"X-Bank-Time\",\"separator\":\":\","
							   "\"tolerance_s\":60," SECRETS("{\"file\":\"clearing-0\"}",
								   "clearing") "\"keep_ignored\":true,\"items\":\"/transfers\",\"filter\":[{\"at\":\"/state\",\"is\":[\"BOOKED\"]}],\"mapping\":{\"transaction_id\":"
									       "{\"at\":\"/reference\",\"prefix\":\"clearing-\"},\"source_account\":{\"at\":\"/debtor\"},"
									       "\"destination_account\":{\"at\":\"/creditor\"},\"amount\":{\"at\":\"/amount\",\"unit\":\"major\"},"
									       "\"currency\":{\"at\":\"/currency\"}}},\n"
									       "{\"name\":\"ledger\",\"scheme\":\"github\",\"secrets\":[{\"file\":\"ledger-0\"}]}\n"
									       "]}\n";

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "we");
	cr_assert_not_null(f, "%s", path);
	fputs(text, f);
	/* The user of the responders reads the file. */
	fchmod(fileno(f), 0644);
	fclose(f);
}

void signed_webhook_furnish(const char *folder, const char *sources)
{
	char name[32], secret[256];

	write_file(folder, "sources.json", sources == NULL ? SOURCES : sources);
	write_file(folder, "ledger-0", "key of the ledger that signs nothing\n");
	for (int from = 0; from < PROVIDERS; from++)
		for (int key = 0; key < KEYS; key++) {
			signed_webhook_secret((enum provider)from, key, secret);
			snprintf(name, sizeof(name), "%s-%d", ALL[from].source, key);
			write_file(folder, name, secret);
		}
}

void signed_webhook_clear(const char *folder)
{
	char path[256];

	for (int from = 0; from < PROVIDERS; from++)
		for (int key = 0; key < KEYS; key++) {
			snprintf(path, sizeof(path), "%s/%s-%d", folder, ALL[from].source, key);
			unlink(path);
		}
	snprintf(path, sizeof(path), "%s/sources.json", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/ledger-0", folder);
	unlink(path);
	rmdir(folder);
}

bool signed_webhook_betrays(const char *text, size_t len)
{
	char secret[256];

	for (int from = 0; from < PROVIDERS; from++)
		for (int key = 0; key < KEYS; key++) {
			signed_webhook_secret((enum provider)from, key, secret);
			const char *bare = strncmp(secret, "whsec_", 6) == 0 ? secret + 6 : secret;
			if (memmem(text, len, bare, strlen(bare)) != NULL)
				return true;
		}
	return false;
}
