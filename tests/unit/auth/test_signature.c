/* test_signature.c - what each signature scheme accepts and rejects.  test_signature_published.c has the vectors that
 * providers publish. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/signature.h"
#include "support/signing.h"

#define NOW 1771502400 /* 2026-02-19T12:00:00Z */
#define LATER (NOW + 86400)
#define SPOILT_MAX (3 * SENT_VALUE_MAX)
static const char BODY[] = "{\"transaction_id\":\"txn_1\",\"amount\":1500}";

/* A source's signer and a valid request to it. */
struct fixture {
	const struct sender *sender;
	struct sender_key key[2];
	struct signer signer;
	struct sent sent;
	struct signature_request request;
	struct signature_report report;
};

static struct fixture *fixture_of(const struct sender *sender, int64_t not_after_s)
{
	static struct fixture s;
	struct fault f;
	s = (struct fixture){.sender = sender, .request = {sent_header, &s.sent, BODY, strlen(BODY), NULL, NULL}};
	sender_key(sender, 0, LATER, &s.key[0]);
	sender_key(sender, 1, LATER, &s.key[1]);
	cr_assert(signer_init(&s.signer, &sender->settings, &f), "%s: %s", sender->name, f.text);
	cr_assert(signer_add_secret(&s.signer, s.key[0].text, strlen(s.key[0].text), not_after_s, &f), "%s: %s",
		sender->name, f.text);
	sender_sign(sender, &s.key[0], NOW, BODY, strlen(BODY), &s.sent);
	return &s;
}

static void good(struct fixture *s, int64_t now_s, int secret)
{
	cr_expect(signature_verify(&s->signer, &s->request, now_s, &s->report), "%s: refused: %s", s->sender->name,
		s->report.text);
	cr_expect_eq(s->report.cause, SIGNATURE_GOOD);
	cr_expect_eq(s->report.secret, secret, "%s: secret %d", s->sender->name, s->report.secret);
	cr_expect_str_empty(s->report.text);
}

static void refused(struct fixture *s, int64_t now_s, enum signature_cause cause, const char *word)
{
	cr_expect_not(signature_verify(&s->signer, &s->request, now_s, &s->report), "%s: accepted", s->sender->name);
	cr_expect_eq(s->report.cause, cause, "%s: %s: %s", s->sender->name, signature_cause_name(s->report.cause),
		s->report.text);
	cr_expect_not_null(
		strstr(s->report.text, word), "%s: \"%s\" lacks \"%s\"", s->sender->name, s->report.text, word);
}

static void leave(struct fixture *s)
{
	signer_finish(&s->signer);
	sender_key_finish(&s->key[0]);
	sender_key_finish(&s->key[1]);
}

#define FOR_EACH_SENDER(s, not_after_s)                    \
	for (size_t each = 0; each < SENDER_COUNT; each++) \
		for (struct fixture *s = fixture_of(&SENDERS[each], not_after_s); s; leave(s), s = NULL)

Test(signature, accepts_what_was_signed_rightly_again_and_again)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		good(s, NOW, 0);
		good(s, NOW, 0);
		cr_expect_eq(s->report.skew_s, 0);
	}
}

Test(signature, refuses_another_secret)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		sender_sign(s->sender, &s->key[1], NOW, BODY, strlen(BODY), &s->sent);
		refused(s, NOW, SIGNATURE_WRONG, "no secret of ours");
		cr_expect_eq(s->report.secret, -1);
		good((sender_sign(s->sender, &s->key[0], NOW, BODY, strlen(BODY), &s->sent), s), NOW, 0);
	}
}

Test(signature, refuses_a_body_that_differs_in_any_byte)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		char body[sizeof BODY + 1];
		s->request.body = body;
		for (size_t i = 0; i < strlen(BODY); i++) {
			memcpy(body, BODY, sizeof BODY);
			body[i] ^= 1;
			refused(s, NOW, SIGNATURE_WRONG, "changed on its way");
		}
		memcpy(body, BODY, sizeof BODY);
		s->request.len = strlen(BODY) - 1;
		refused(s, NOW, SIGNATURE_WRONG, "changed on its way");
		body[strlen(BODY)] = '\n';
		s->request.len = strlen(BODY) + 1;
		refused(s, NOW, SIGNATURE_WRONG, "changed on its way");
	}
}

Test(signature, allows_a_skew_of_300_s_both_ways_and_reports_the_excess)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		if (!s->sender->timed) {
			good(s, NOW + 86400 - 1, 0);
			continue;
		}
		good(s, NOW + 300, 0);
		cr_expect_eq(s->report.skew_s, 300);
		good(s, NOW - 300, 0);
		refused(s, NOW + 301, SIGNATURE_OLD,
			"signed 301 s ago, 300 s are allowed; the signature itself is right");
		refused(s, NOW - 301, SIGNATURE_FUTURE, "signed 301 s in the future");
		cr_expect_eq(s->report.skew_s, -301);
		refused(s, NOW - 1700000000, SIGNATURE_FUTURE, "future");
		s->signer.tolerance_s = 10;
		good(s, NOW + 10, 0);
		refused(s, NOW + 11, SIGNATURE_OLD, "10 s are allowed");
	}
}

Test(signature, does_not_believe_a_time_that_was_not_signed)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		if (!s->sender->timed)
			continue;
		char fresh[SENT_VALUE_MAX];
		struct sent later;
		sender_sign(s->sender, &s->key[1], NOW + 1000, BODY, strlen(BODY), &later);
		if (s->sender->settings.scheme == SCHEME_STRIPE) {
			snprintf(fresh, sizeof fresh, "t=%d%s", NOW + 1000, strchr(s->sent.header[0].value, ','));
			sent_set(&s->sent, "stripe-signature", fresh);
		}
		for (int i = 0; i < 3 && s->sender->other[i]; i++)
			sent_set(&s->sent, s->sender->other[i], sent_header(&later, s->sender->other[i]));
		refused(s, NOW + 1000, SIGNATURE_WRONG, "no secret of ours");
	}
}

Test(signature, accepts_a_second_secret_and_reports_which_it_was)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		struct fault f;
		cr_assert(signer_add_secret(&s->signer, s->key[1].text, strlen(s->key[1].text), INT64_MAX, &f));
		good(s, NOW, 0);
		sender_sign(s->sender, &s->key[1], NOW, BODY, strlen(BODY), &s->sent);
		good(s, NOW, 1);
	}
}

Test(signature, accepts_a_secret_until_its_not_after_and_names_it_after_that)
{
	FOR_EACH_SENDER(s, NOW + 100)
	{
		struct fault f;
		good(s, NOW + 100, 0);
		refused(s, NOW + 101, SIGNATURE_EXPIRED, "secret 1 made this signature, and its not_after has passed");
		cr_expect_eq(s->report.secret, 0);
		/* The same secret once more, without an end. */
		cr_assert(signer_add_secret(&s->signer, s->key[0].text, strlen(s->key[0].text), INT64_MAX, &f));
		good(s, NOW + 101, 1);
	}
	/* And in the other order. */
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		struct fault f;
		cr_assert(signer_add_secret(&s->signer, s->key[0].text, strlen(s->key[0].text), NOW - 1, &f));
		good(s, NOW, 0);
	}
}

Test(signature, names_the_header_that_is_missing_or_empty)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		for (int i = -1; i < 3 && (i < 0 || s->sender->other[i]); i++) {
			const char *name = i < 0 ? s->sender->signature : s->sender->other[i];
			sent_set(&s->sent, name, NULL);
			refused(s, NOW, SIGNATURE_MISSING, name);
			cr_expect_not_null(strstr(s->report.text, "is missing"));
			sent_set(&s->sent, name, "");
			refused(s, NOW, SIGNATURE_MISSING, name);
			cr_expect_not_null(strstr(s->report.text, "is empty"));
			sender_sign(s->sender, &s->key[0], NOW, BODY, strlen(BODY), &s->sent);
		}
	}
}

/* Changes a header's value in one of many ways.  Returns false when there are no more.  No change may leave an
 * equivalent value. */
static bool spoil(int way, const char *value, char ret[SPOILT_MAX])
{
	size_t len = strlen(value), half = len / 2;
	static const char *const BEHIND[] = {" ", "\n", "\t", "=", "==", ",", ";", "\"", "\x7f", "\xc3\xa9", "%3D", "A",
		"AAAA", "0", "00", "\r\nx: y"};
	static const char *const BEFORE[] = {" ", "\t", ",", "\"", "=", "sha1=", "v9", "\xef\xbb\xbf", "A", "00", "-"};
	int behind = (int)COUNT_OF(BEHIND), before = (int)COUNT_OF(BEFORE);
	if (way < behind) {
		snprintf(ret, SPOILT_MAX, "%s%s", value, BEHIND[way]);
		return true;
	}
	way -= behind;
	if (way < before) {
		snprintf(ret, SPOILT_MAX, "%s%s", BEFORE[way], value);
		return true;
	}
	way -= before;
	memcpy(ret, value, len + 1);
	switch (way) {
	case 0:
		ret[len - 1] = '\0';
		return true;
	case 1:
		memmove(ret, value + 1, len);
		return true;
	case 2:
		ret[half] = '!';
		return true;
	case 3:
		ret[half] = '\x80';
		return true;
	case 4:
		memmove(ret + half, value + half + 1, len - half);
		return true;
	case 5:
		ret[half] = '\0';
		return true;
	case 6: /* as nginx joins a header that was sent twice */
		snprintf(ret, SPOILT_MAX, "%s, %s", value, value);
		return true;
	case 7:
		memset(ret, 'A', len);
		return true;
	case 8:
		memset(ret, '=', len);
		return true;
	default:
		return false;
	}
}

static bool is_list(const struct fixture *s, const char *name)
{
	enum scheme scheme = s->sender->settings.scheme;
	return strcmp(name, s->sender->signature) == 0 &&
	       (scheme == SCHEME_STANDARD_WEBHOOKS || scheme == SCHEME_STRIPE || scheme == SCHEME_HMAC);
}

Test(signature, refuses_malformed_headers_of_thirty_kinds)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		for (int i = -1; i < 3 && (i < 0 || s->sender->other[i]); i++) {
			const char *name = i < 0 ? s->sender->signature : s->sender->other[i];
			char value[SENT_VALUE_MAX], spoilt[SPOILT_MAX];
			int way = 0;
			snprintf(value, sizeof value, "%s", sent_header(&s->sent, name));
			for (; spoil(way, value, spoilt); way++) {
				/* A list that was sent twice still contains its signatures. */
				bool harmless = is_list(s, name) && strstr(spoilt, ", ");
				sent_set(&s->sent, name, spoilt);
				bool accepted = signature_verify(&s->signer, &s->request, NOW, &s->report);
				cr_expect(harmless || !accepted, "%s: %s: accepted way %d: %s", s->sender->name, name,
					way, spoilt);
				cr_expect(accepted || s->report.text[0]);
				cr_expect_neq(s->report.cause, SIGNATURE_FAILED);
			}
			cr_expect_geq(way, 30);
			sent_set(&s->sent, name, value);
			good(s, NOW, 0);
		}
	}
}

Test(signature, refuses_a_header_of_any_length_without_reading_all_of_it)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		for (int i = -1; i < 3 && (i < 0 || s->sender->other[i]); i++) {
			const char *name = i < 0 ? s->sender->signature : s->sender->other[i];
			char longer[SENT_VALUE_MAX];
			memset(longer, '1', sizeof longer - 1);
			longer[sizeof longer - 1] = '\0';
			sent_set(&s->sent, name, longer);
			cr_expect_not(signature_verify(&s->signer, &s->request, NOW, &s->report));
			cr_expect(s->report.cause == SIGNATURE_MALFORMED || s->report.cause == SIGNATURE_UNSUPPORTED,
				"%s: %s", name, s->report.text);
			sender_sign(s->sender, &s->key[0], NOW, BODY, strlen(BODY), &s->sent);
		}
	}
}

Test(signature, verifies_bodies_that_are_empty_huge_or_hold_nul)
{
	size_t huge = 1024 * 1024;
	char *body = calloc(1, huge);
	cr_assert_not_null(body);
	size_t lengths[] = {0, 1, 63, 64, 65, 65536, huge};
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		for (size_t i = 0; i < COUNT_OF(lengths); i++) {
			s->request.body = lengths[i] ? body : "";
			s->request.len = lengths[i];
			sender_sign(s->sender, &s->key[0], NOW, body, lengths[i], &s->sent);
			good(s, NOW, 0);
		}
		s->request.len = huge - 1;
		refused(s, NOW, SIGNATURE_WRONG, "no secret of ours");
	}
	free(body);
}

Test(signature, quotes_nothing_of_a_senders_text_and_keeps_secrets_out_of_its_own)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		sender_sign(s->sender, &s->key[1], NOW, BODY, strlen(BODY), &s->sent);
		refused(s, NOW, SIGNATURE_WRONG, "");
		cr_expect_null(strstr(s->report.text, "not a secret"), "%s", s->report.text);
		cr_expect_null(strstr(s->report.text, sent_header(&s->sent, s->sender->signature)));
	}
}

Test(signature, reports_when_no_signature_is_of_a_version_that_a_secret_is_for)
{
	for (int i = 0; i < 2; i++) {
		struct fixture *s = fixture_of(&SENDERS[i], INT64_MAX);
		struct sender_key other;
		sender_key(&SENDERS[1 - i], 0, LATER, &other);
		sender_sign(&SENDERS[1 - i], &other, NOW, BODY, strlen(BODY), &s->sent);
		refused(s, NOW, SIGNATURE_UNSUPPORTED, "none of its signatures is of a version");
		sent_set(&s->sent, "webhook-signature", "v2,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=");
		refused(s, NOW, SIGNATURE_UNSUPPORTED, "none of its signatures is of a version");
		sender_key_finish(&other);
		leave(s);
	}
	struct fixture *s = fixture_of(&SENDERS[2], INT64_MAX);
	cr_assert_eq(s->sender->settings.scheme, SCHEME_STRIPE);
	memcpy(strstr(s->sent.header[0].value, "v1="), "v0=", 3);
	refused(s, NOW, SIGNATURE_UNSUPPORTED, "none of its signatures is of a version");
	leave(s);
}

/* "a" and "1.x", or "a.1" and "x", give the same signed string.  Therefore an id must not contain the separator. */
Test(signature, refuses_an_id_that_could_move_the_borders_of_the_message)
{
	const char message[] = "msg.1.1771502400.{}";
	char signature[SENT_VALUE_MAX + 3] = "v1,";
	struct fixture *s = fixture_of(&SENDERS[0], INT64_MAX);
	cr_assert_eq(s->sender->settings.scheme, SCHEME_STANDARD_WEBHOOKS);
	sender_hmac("SHA256", s->key[0].hmac, s->key[0].hmac_len, message, strlen(message), true, signature + 3);
	s->request.body = "{}";
	s->request.len = 2;
	sent_set(&s->sent, "webhook-signature", signature);
	sent_set(&s->sent, "webhook-id", "msg.1");
	refused(s, NOW, SIGNATURE_MALFORMED, "webhook-id is longer than 255 bytes or holds a '.'");
	leave(s);
}

Test(signature, refuses_everything_without_a_secret)
{
	FOR_EACH_SENDER(s, INT64_MAX)
	{
		signer_finish(&s->signer);
		refused(s, NOW, SIGNATURE_FAILED, "no secret to verify with");
	}
}

Test(signature, has_a_name_for_each_cause)
{
	for (int i = 0; i < SIGNATURE_CAUSE_COUNT; i++) {
		const char *name = signature_cause_name((enum signature_cause)i);
		cr_assert_not_null(name, "%d", i);
		cr_expect_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (int j = 0; j < i; j++)
			cr_expect_str_neq(name, signature_cause_name((enum signature_cause)j));
	}
}
