/* test_events.c - providers' payloads, read as events about payments: identity, payment, kind, part, time, and members
 * that a payload leaves out. */

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/scan.h"
#include "source/sources_read.h"

static const struct currency_extras extras = {0};
static struct sources sources;
static struct txn_problems problems;

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	cr_assert_fail("%s", complaint);
}

/* The members of a source besides its name and scheme. */
static const struct source *configured(const char *members)
{
	static char text[20000];
	struct sources_outside outside = {.file = "sources.json", .extras = &extras, .report = report};
	int len = snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",\"scheme\":\"none\",%s}]}", members);
	cr_assert_lt(len, (int)sizeof text);
	sources_finish(&sources);
	cr_assert(sources_read(text, (size_t)len, &outside, &sources));
	return &sources.list[0];
}

#define ACCOUNTS "\"source_account\":{\"value\":\"a\"},\"destination_account\":{\"value\":\"b\"}"
#define MONEY "\"amount\":{\"at\":\"/n\",\"unit\":\"minor\"},\"currency\":{\"at\":\"/c\"}"
#define ID "\"transaction_id\":{\"at\":\"/id\"}"

/* A source with one mapping: the usual members, and these. */
static const struct source *with(const char *members)
{
	char text[4000];
	snprintf(text, sizeof text, "\"mapping\":{" ID "," ACCOUNTS "," MONEY ",%s}", members);
	return configured(text);
}

static bool reads(const struct source *s, const char *payload, struct txn *ret)
{
	struct fault f;
	size_t len = strlen(payload);
	char *copy = malloc(len);
	memcpy(copy, payload, len);
	cr_assert(json_scan(copy, len, &f), "%s: %s", payload, f.text);
	const struct mapping *m = source_mapping_for(s, &(struct places){.item = json_value_of(copy, len)});
	cr_assert(m, "%s is ignored", payload);
	bool ok = mapping_read(m, &(struct places){.item = json_value_of(copy, len)}, "", &extras, ret, &problems, &f);
	cr_expect(ok || f.kind == FAULT_INPUT);
	free(copy);
	return ok;
}

static struct txn takes(const struct source *s, const char *payload)
{
	static struct txn txn;
	memset(&txn, 'x', sizeof txn);
	cr_assert(reads(s, payload, &txn), "%s: %s", payload, problems.list[0].detail);
	return txn;
}

static void refuses(const struct source *s, const char *payload, const char *pointer, const char *code)
{
	struct txn txn = {.transaction_id = "untouched"}, before = txn;
	cr_assert_not(reads(s, payload, &txn), "%s was taken", payload);
	cr_expect_arr_eq((const char *)&txn, (const char *)&before, sizeof txn);
	cr_expect_eq(problems.count, 1, "%s: %d problems", payload, problems.count);
	cr_expect_str_eq(problems.list[0].pointer, pointer);
	cr_expect_str_eq(problems.list[0].code, code, "%s: %s", payload, problems.list[0].code);
}

/* ---- the identity ---- */

static const struct source *joined(const char *id)
{
	char text[4000];
	snprintf(text, sizeof text, "\"mapping\":{\"transaction_id\":%s," ACCOUNTS "," MONEY "}", id);
	return configured(text);
}

#define PARTS(list) "{\"id\":\"p\",\"n\":1,\"c\":\"EUR\"," list "}"

static void joins(const struct source *s, const char *a, const char *b, const char *id)
{
	char payload[2000];
	snprintf(payload, sizeof payload, PARTS("\"a\":%s,\"b\":%s"), a, b);
	cr_expect_str_eq(takes(s, payload).transaction_id, id);
}

Test(events, joins_the_parts_of_an_identity)
{
	const struct source *s = joined("{\"at\":[\"/a\",\"/b\"],\"join\":\":\"}");
	joins(s, "\"CAPTURE\"", "\"PSP1\"", "CAPTURE:PSP1");
	joins(s, "7", "12345678901234567890123", "7:12345678901234567890123");
	joins(s, "\"\\u00e9 \\\"\"", "\"b\"", "\xc3\xa9 \":b");
	s = joined("{\"at\":[\"/a\",\"/b\",\"/id\",\"/c\"],\"join\":\"/\",\"prefix\":\"x:\"}");
	joins(s, "\"a\"", "\"b/\"", "x:a/b%2F/p/EUR");
}

/* "a:b" and "c" are another event than "a" and "b:c", and so is each that was encoded before. */
Test(events, never_joins_two_lists_of_parts_to_one_identity)
{
	static const char *const parts[] = {
		"a", "a:", ":a", ":", "%", "%3A", "%253A", "a%", "3A", "%:", ":%", "::", "%%", "a:b", "a%3Ab"};
	const struct source *s = joined("{\"at\":[\"/a\",\"/b\"],\"join\":\":\"}");
	static char ids[COUNT_OF(parts) * COUNT_OF(parts)][TXN_TEXT_MAX + 1];
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		for (size_t j = 0; j < COUNT_OF(parts); j++, count++) {
			char payload[400];
			snprintf(payload, sizeof payload, PARTS("\"a\":\"%s\",\"b\":\"%s\""), parts[i], parts[j]);
			memcpy(ids[count], takes(s, payload).transaction_id, sizeof ids[count]);
			for (size_t k = 0; k < count; k++)
				cr_expect_str_neq(ids[k], ids[count], "%s and %s", parts[i], parts[j]);
		}
	}
	joins(s, "\"a:b\"", "\"c%\"", "a%3Ab:c%25");
}

Test(events, wants_every_part_of_an_identity)
{
	const struct source *s = joined("{\"at\":[\"/a\",\"/b\"],\"join\":\":\"}");
	refuses(s, PARTS("\"a\":\"1\""), "/b", "missing");
	refuses(s, PARTS("\"a\":\"\",\"b\":\"1\""), "/a", "empty");
	refuses(s, PARTS("\"a\":null,\"b\":\"1\""), "/a", "wrong_type");
	refuses(s, PARTS("\"a\":true,\"b\":\"1\""), "/a", "wrong_type");
	refuses(s, PARTS("\"a\":1.5,\"b\":\"1\""), "/a", "wrong_type");
	refuses(s, PARTS("\"a\":\"1\",\"b\":\"\\n\""), "/b", "control_character");
	struct txn txn;
	cr_expect_not(reads(joined("{\"at\":[\"/a\",\"/b\",\"/d\",\"/e\"],\"join\":\":\"}"), "{\"c\":7}", &txn));
	cr_expect_eq(problems.count, 6, "four parts, the amount, and the currency: %d", problems.count);
}

/* The length counts when the parts are encoded and joined. */
Test(events, bounds_an_identity_with_its_parts_joined)
{
	const struct source *s = joined("{\"at\":[\"/a\",\"/b\"],\"join\":\":\"}");
	char payload[2000], a[260], b[260];
	for (int n = 125; n <= 129; n++) {
		memset(a, 'x', sizeof a);
		memset(b, 'y', sizeof b);
		a[127] = b[n] = '\0';
		snprintf(payload, sizeof payload, PARTS("\"a\":\"%s\",\"b\":\"%s\""), a, b);
		if (n <= 127)
			cr_expect_eq(strlen(takes(s, payload).transaction_id), (size_t)(128 + n));
		else
			refuses(s, payload, "/b", "too_long");
	}
	memset(a, ':', sizeof a);
	a[84] = '\0';
	snprintf(payload, sizeof payload, PARTS("\"a\":\"%s\",\"b\":\"1\""), a);
	cr_expect_eq(strlen(takes(s, payload).transaction_id), 84 * 3 + 2);
	a[84] = ':';
	a[85] = '\0';
	snprintf(payload, sizeof payload, PARTS("\"a\":\"%s\",\"b\":\"1\""), a);
	refuses(s, payload, "/b", "too_long");
	memset(a, ':', 255);
	a[255] = '\0';
	snprintf(payload, sizeof payload, PARTS("\"a\":\"%s\",\"b\":\"%s\",\"d\":\"%s\",\"e\":\"%s\""), a, a, a, a);
	refuses(joined("{\"at\":[\"/a\",\"/b\",\"/d\",\"/e\"],\"join\":\":\"}"), payload, "/e", "too_long");
}

Test(events, takes_what_follows_the_last_occurrence_of_a_text)
{
	const struct source *s = with("\"payment_id\":{\"at\":\"/link\",\"after\":\"/captures/\"}");
	struct txn txn = takes(s, PARTS("\"link\":\"https://api.example/captures/v2/captures/0P1\""));
	cr_expect_str_eq(txn.payment_id, "0P1");
	cr_expect_str_eq(takes(s, PARTS("\"link\":\"/captures/0\"")).payment_id, "0");
	refuses(s, PARTS("\"link\":\"https://api.example/captures/\""), "/link", "empty");
	refuses(s, PARTS("\"link\":\"https://api.example/refunds/0P1\""), "/link", "text_not_found");
	refuses(s, PARTS("\"link\":\"captures/\""), "/link", "text_not_found");
	refuses(s, PARTS("\"link\":\"\""), "/link", "text_not_found");
	refuses(s, PARTS("\"link\":[]"), "/link", "wrong_type");
	refuses(s, PARTS("\"other\":1"), "/link", "missing");
	s = with("\"payment_id\":{\"at\":\"/link\",\"after\":\"1\",\"prefix\":\"p-\"}");
	cr_expect_str_eq(takes(s, PARTS("\"link\":12314")).payment_id, "p-4");
	refuses(s, PARTS("\"link\":2"), "/link", "text_not_found");
}

/* ---- what the event is ---- */

Test(events, reads_the_payment_and_the_part)
{
	const struct source *s = with("\"payment_id\":{\"at\":\"/p\",\"prefix\":\"pay:\"},\"part\":{\"at\":\"/r\"}");
	struct txn txn = takes(s, PARTS("\"p\":\"1\",\"r\":\"re_1\""));
	cr_expect_str_eq(txn.payment_id, "pay:1");
	cr_expect_str_eq(txn.part, "re_1");
	cr_expect_eq(txn.kind, TXN_NO_KIND);
	cr_expect_not(txn.is_total || txn.has_occurred);
	refuses(s, PARTS("\"p\":\"\",\"r\":\"re_1\""), "/p", "empty");
	refuses(s, PARTS("\"p\":\"1\",\"r\":null"), "/r", "wrong_type");
	txn = takes(with("\"kind\":{\"value\":\"captured\"}"), PARTS("\"p\":1"));
	cr_expect_str_eq(txn.payment_id, "");
	cr_expect_str_eq(txn.part, "");
	cr_expect_eq(txn.kind, TXN_CAPTURED);
}

Test(events, reads_the_kind_by_the_words_of_the_provider)
{
	const struct source *s =
		with("\"kind\":{\"at\":\"/t\",\"words\":{\"a\":\"captured\",\"true\":\"failed\",\"7\":\"refunded\"}}");
	cr_expect_eq(takes(s, PARTS("\"t\":\"\\u0061\"")).kind, TXN_CAPTURED);
	cr_expect_eq(takes(s, PARTS("\"t\":true")).kind, TXN_FAILED);
	cr_expect_eq(takes(s, PARTS("\"t\":7")).kind, TXN_REFUNDED);
	refuses(s, PARTS("\"t\":\"b\""), "/t", "unknown_kind");
	refuses(s, PARTS("\"t\":\"A\""), "/t", "unknown_kind");
	refuses(s, PARTS("\"t\":7.0"), "/t", "unknown_kind");
	refuses(s, PARTS("\"t\":{}"), "/t", "unknown_kind");
	refuses(s, PARTS("\"t\":null"), "/t", "unknown_kind");
	refuses(s, PARTS("\"u\":1"), "/t", "missing");
	s = with("\"kind\":{\"at\":\"/t\",\"words\":{\"a\":\"captured\"},\"otherwise\":\"other\"}");
	cr_expect_eq(takes(s, PARTS("\"t\":\"a\"")).kind, TXN_CAPTURED);
	cr_expect_eq(takes(s, PARTS("\"t\":\"b\"")).kind, TXN_OTHER);
	cr_expect_eq(takes(s, PARTS("\"t\":null")).kind, TXN_OTHER);
	cr_expect_eq(takes(s, PARTS("\"u\":1")).kind, TXN_OTHER);
}

static void occurred(const char *unit, const char *value, int64_t us)
{
	char member[200], payload[300];
	snprintf(member, sizeof member, "\"occurred_at\":{\"at\":\"/t\",\"unit\":\"%s\"}", unit);
	snprintf(payload, sizeof payload, PARTS("\"t\":%s"), value);
	struct txn txn = takes(with(member), payload);
	cr_expect(txn.has_occurred);
	cr_expect_eq(txn.occurred_us, us, "%s %s: %" PRId64, unit, value, txn.occurred_us);
}

static void occurred_never(const char *unit, const char *value, const char *code)
{
	char member[200], payload[300];
	snprintf(member, sizeof member, "\"occurred_at\":{\"at\":\"/t\",\"unit\":\"%s\"}", unit);
	snprintf(payload, sizeof payload, PARTS("\"t\":%s"), value);
	refuses(with(member), payload, "/t", code);
}

Test(events, reads_when_an_event_occurred)
{
	occurred("s", "1771502400", 1771502400000000);
	occurred("s", "\"1771502400\"", 1771502400000000);
	occurred("s", "0", 0);
	occurred("s", "253402300799", 253402300799000000);
	occurred("ms", "1771502400123", 1771502400123000);
	occurred("ms", "253402300799999", 253402300799999000);
	occurred("rfc3339", "\"2026-02-19T12:59:58.5+01:00\"", 1771502398500000);
	occurred("rfc3339", "\"1970-01-01T00:00:00Z\"", 0);
	occurred("rfc3339", "\"9999-12-31T23:59:59.999999Z\"", 253402300799999999);
}

Test(events, refuses_a_time_outside_the_years_1970_to_9999)
{
	occurred_never("s", "253402300800", "not_a_time");
	occurred_never("s", "99999999999999999999", "not_a_time");
	occurred_never("s", "18446744073709551616", "not_a_time");
	occurred_never("s", "-1", "wrong_type");
	occurred_never("s", "1.5", "wrong_type");
	occurred_never("s", "\"\"", "not_a_time");
	occurred_never("s", "\" 1\"", "not_a_time");
	occurred_never("s", "\"2026-02-19T12:00:00Z\"", "not_a_time");
	occurred_never("ms", "253402300800000", "not_a_time");
	occurred_never("ms", "9223372036854775808", "not_a_time");
	occurred_never("rfc3339", "\"1969-12-31T23:59:59.999Z\"", "not_a_time");
	occurred_never("rfc3339", "\"0000-01-01T00:00:00Z\"", "not_a_time");
	occurred_never("rfc3339", "\"9999-12-31T23:59:60Z\"", "not_a_time");
	occurred_never("rfc3339", "\"9999-12-31T23:59:59-00:01\"", "not_a_time");
	occurred_never("rfc3339", "\"2026-02-30T12:00:00Z\"", "not_a_time");
	occurred_never("rfc3339", "\"2026-02-19\"", "not_a_time");
	occurred_never("rfc3339", "1771502400", "not_a_time");
	occurred_never("rfc3339", "null", "wrong_type");
	refuses(with("\"occurred_at\":{\"at\":\"/t\",\"unit\":\"s\"}"), PARTS("\"u\":1"), "/t", "missing");
}

/* ---- what a payload leaves out ---- */

#define OPTIONAL                                                                                         \
	"\"mapping\":{" ID ",\"source_account\":{\"at\":\"/from\",\"prefix\":\"x:\",\"optional\":true}," \
	"\"destination_account\":{\"value\":\"b\"},"                                                     \
	"\"amount\":{\"at\":\"/n\",\"unit\":\"minor\",\"total\":true,\"optional\":true},\"currency\":{\"at\":\"/c\",\"optional\":true}}"

Test(events, takes_an_event_without_an_amount_or_an_account)
{
	static const char *const without[] = {"{\"id\":\"e\"}", "{\"id\":\"e\",\"n\":null,\"c\":null,\"from\":null}",
		"{\"id\":\"e\",\"n\":\"\",\"c\":\"\",\"from\":\"\"}", "{\"id\":\"e\",\"c\":\"EUR\"}",
		"{\"id\":\"e\",\"n\":null,\"c\":\"nothing\"}"};
	const struct source *s = configured(OPTIONAL);
	for (size_t i = 0; i < COUNT_OF(without); i++) {
		struct txn txn = takes(s, without[i]);
		cr_expect_str_eq(txn.amount.digits, "", "%s", without[i]);
		cr_expect_str_eq(txn.currency, "", "%s", without[i]);
		cr_expect_str_eq(txn.source_account, "", "%s", without[i]);
		cr_expect_not(txn.is_total, "%s: there is no sum", without[i]);
	}
	struct txn txn = takes(s, "{\"id\":\"e\",\"n\":250,\"c\":\"eur\",\"from\":\"me\"}");
	cr_expect_str_eq(txn.amount.digits, "2.50");
	cr_expect_str_eq(txn.currency, "EUR");
	cr_expect_str_eq(txn.source_account, "x:me");
	cr_expect(txn.is_total);
}

/* Nobody knows what it is worth. */
Test(events, refuses_an_amount_without_a_currency)
{
	const struct source *s = configured(OPTIONAL);
	refuses(s, "{\"id\":\"e\",\"n\":0}", "/c", "missing");
	refuses(s, "{\"id\":\"e\",\"n\":1,\"c\":\"\"}", "/c", "unknown_currency");
	refuses(s, "{\"id\":\"e\",\"n\":1,\"c\":null}", "/c", "wrong_type");
	refuses(s, "{\"id\":\"e\",\"n\":[],\"c\":\"EUR\"}", "/n", "wrong_type");
	refuses(s, "{\"id\":\"e\",\"from\":{}}", "/from", "wrong_type");
	refuses(s, "{\"n\":null}", "/id", "missing");
}

Test(events, has_no_currency_without_an_amount_even_if_it_is_a_constant)
{
	const struct source *s = configured(
		"\"mapping\":{" ID "," ACCOUNTS
		",\"amount\":{\"at\":\"/n\",\"unit\":\"major\",\"optional\":true},\"currency\":{\"value\":\"EUR\"}}");
	cr_expect_str_eq(takes(s, "{\"id\":\"e\"}").currency, "");
	cr_expect_str_eq(takes(s, "{\"id\":\"e\",\"n\":1}").currency, "EUR");
}

/* ---- several kinds of payload ---- */

#define EVENT(filter, kind) \
	"{\"filter\":[" filter "],\"mapping\":{" ID "," ACCOUNTS "," MONEY ",\"kind\":{\"value\":\"" kind "\"}}}"

Test(events, reads_a_payload_by_the_first_event_that_fits)
{
	const struct source *s =
		configured("\"events\":[" EVENT("{\"at\":\"/t\",\"is\":[\"a\",\"b\"]},{\"at\":\"/up\",\"absent\":true}",
			"captured") "," EVENT("{\"at\":\"/t\",\"is\":[\"b\",\"c\"]}",
			"refunded") "," EVENT("{\"at\":\"/t\",\"absent\":true}", "failed") "]");
	cr_expect_eq(s->mapping_count, 3);
	cr_expect_eq(takes(s, PARTS("\"t\":\"a\"")).kind, TXN_CAPTURED);
	cr_expect_eq(takes(s, PARTS("\"t\":\"b\"")).kind, TXN_CAPTURED);
	cr_expect_eq(takes(s, PARTS("\"t\":\"b\",\"up\":null")).kind, TXN_CAPTURED);
	cr_expect_eq(takes(s, PARTS("\"t\":\"b\",\"up\":\"\"")).kind, TXN_CAPTURED);
	cr_expect_eq(takes(s, PARTS("\"t\":\"b\",\"up\":\"1\"")).kind, TXN_REFUNDED);
	cr_expect_eq(takes(s, PARTS("\"t\":\"b\",\"up\":false")).kind, TXN_REFUNDED);
	cr_expect_eq(takes(s, PARTS("\"t\":\"c\"")).kind, TXN_REFUNDED);
	cr_expect_eq(takes(s, PARTS("\"u\":1")).kind, TXN_FAILED);
	const char *ignored = PARTS("\"t\":\"a\",\"up\":1");
	cr_expect_null(source_mapping_for(s, &(struct places){.item = json_value_of(ignored, strlen(ignored))}));
}

/* More pointers than are remembered, sought again in another order. */
Test(events, finds_the_values_of_any_number_of_filters)
{
	char members[9000];
	size_t len = (size_t)snprintf(members, sizeof members, "\"events\":[");
	for (int i = 0; i < SOURCE_EVENTS_MAX; i++)
		len += (size_t)snprintf(members + len, sizeof members - len,
			"%s{\"filter\":[{\"at\":\"/%d\",\"is\":[\"%d\"]},{\"at\":\"/%d\",\"absent\":true},{\"at\":\"/0\",\"is\":[\"yes\"]}],"
			"\"mapping\":{" ID "," ACCOUNTS "," MONEY "}}",
			i ? "," : "", i % 7 + 1, i, (i + 3) % 7 + 1);
	snprintf(members + len, sizeof members - len, "]");
	const struct source *s = configured(members);
	for (int i = 0; i < SOURCE_EVENTS_MAX; i++) {
		char payload[200];
		snprintf(payload, sizeof payload, "{\"%d\":null,\"%d\":\"%d\",\"0\":\"yes\"}", (i + 3) % 7 + 1,
			i % 7 + 1, i);
		cr_expect(source_mapping_for(s, &(struct places){.item = json_value_of(payload, strlen(payload))}) ==
				  &s->mappings[i],
			"event %d", i);
		snprintf(
			payload, sizeof payload, "{\"%d\":\"\",\"%d\":%d,\"0\":\"no\"}", (i + 3) % 7 + 1, i % 7 + 1, i);
		cr_expect_null(source_mapping_for(s, &(struct places){.item = json_value_of(payload, strlen(payload))}),
			"event %d", i);
		snprintf(payload, sizeof payload, "{\"%d\":0,\"%d\":%d,\"0\":\"yes\"}", (i + 3) % 7 + 1, i % 7 + 1, i);
		cr_expect_neq(source_mapping_for(s, &(struct places){.item = json_value_of(payload, strlen(payload))}),
			&s->mappings[i], "event %d", i);
	}
}

Test(events, takes_every_payload_that_is_left_by_an_event_without_a_filter)
{
	const struct source *s = configured("\"events\":[" EVENT("{\"at\":\"/t\",\"is\":[\"a\"]}",
		"captured") ",{\"mapping\":{" ID "," ACCOUNTS "," MONEY ",\"kind\":{\"value\":\"other\"}}}]");
	cr_expect_eq(takes(s, PARTS("\"t\":\"a\"")).kind, TXN_CAPTURED);
	cr_expect_eq(takes(s, PARTS("\"t\":\"b\"")).kind, TXN_OTHER);
}

Test(events, the_bound_of_problems_has_room_for_each_that_a_payload_can_have)
{
	struct txn txn;
	const struct source *s = configured(
		"\"mapping\":{\"transaction_id\":{\"at\":[\"/1\",\"/2\",\"/3\",\"/4\"],\"join\":\":\"},"
		"\"source_account\":{\"at\":\"/5\"},\"destination_account\":{\"at\":\"/6\"},\"amount\":{\"at\":\"/7\",\"unit\":\"minor\"},"
		"\"currency\":{\"at\":\"/8\"},\"payment_id\":{\"at\":\"/9\"},\"kind\":{\"at\":\"/10\",\"words\":{\"a\":\"other\"}},"
		"\"part\":{\"at\":\"/11\"},\"occurred_at\":{\"at\":\"/12\",\"unit\":\"s\"}}");
	cr_expect_not(reads(s, "{}", &txn));
	cr_assert_eq(problems.count, 12);
	cr_assert_eq(problems.count, TXN_PROBLEMS_MAX);
	for (int i = 0; i < 12; i++) {
		char pointer[8];
		snprintf(pointer, sizeof pointer, "/%d", i + 1);
		cr_expect_str_eq(problems.list[i].pointer, pointer);
		cr_expect_str_eq(problems.list[i].code, "missing");
	}
}
