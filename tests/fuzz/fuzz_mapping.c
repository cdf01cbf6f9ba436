/* fuzz_mapping.c - the input as a payload for a mapping: a transaction that is read keeps every bound, errors point
 * into the payload, and every value that is found is itself well-formed JSON. */

#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "json/scan.h"
#include "source/sources_read.h"

static const char CONFIGURATION[] =
	"{\"sources\":[{\"name\":\"x\",\"scheme\":\"none\",\"items\":\"/items\",\"filter\":[{\"at\":\"/type\",\"is\":[\"paid\",\"true\",\"7\"]}],"
	"\"mapping\":{\"transaction_id\":{\"at\":\"/o/id\",\"prefix\":\"x:\"},\"source_account\":{\"at\":\"/o/a~1b/0\",\"otherwise\":\"nobody\"},"
	"\"destination_account\":{\"at\":\"/to\"},\"amount\":{\"at\":\"/o/n\",\"unit\":\"minor\",\"minor_units\":{\"ISK\":2}},"
	"\"currency\":{\"at\":\"/o/c\"}}},"
	"{\"name\":\"y\",\"scheme\":\"none\",\"items\":\"/items\",\"order\":\"payment\",\"events\":[{\"filter\":[{\"at\":\"/type\",\"is\":[\"refund\"]},"
	"{\"at\":\"/o/up\",\"absent\":true}],\"mapping\":{\"transaction_id\":{\"at\":[\"/o/id\",\"/type\",\"/to\"],\"join\":\":\",\"prefix\":\"x:\"},"
	"\"source_account\":{\"value\":\"them\"},\"destination_account\":{\"at\":\"/to\"},\"amount\":{\"at\":\"/o/n\",\"unit\":\"major\",\"total\":true,\"negative\":\"keep\"},"
	"\"currency\":{\"value\":\"EUR\"},\"payment_id\":{\"at\":\"/o/id\"},\"kind\":{\"value\":\"refunded\"},\"occurred_at\":{\"at\":\"/o/t\",\"unit\":\"ms\"}}},"
	"{\"mapping\":{\"transaction_id\":{\"at\":\"/o/id\",\"prefix\":\"x:\",\"after\":\"/\"},\"source_account\":{\"at\":\"/o/a~1b/0\",\"optional\":true},"
	"\"destination_account\":{\"at\":\"/to\",\"optional\":true},\"amount\":{\"at\":\"/o/n\",\"unit\":\"minor\",\"optional\":true,\"negative\":\"keep\"},"
	"\"currency\":{\"at\":\"/o/c\",\"optional\":true},\"payment_id\":{\"at\":\"/o/up\",\"after\":\"/captures/\"},"
	"\"kind\":{\"at\":\"/type\",\"words\":{\"paid\":\"captured\",\"true\":\"failed\"},\"otherwise\":\"other\"},\"part\":{\"at\":\"/o/part\"},"
	"\"occurred_at\":{\"at\":\"/o/t\",\"unit\":\"rfc3339\"}}}]}]}";

static const struct currency_extras extras = {1, {{"BTC", 8}}};

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	fprintf(stderr, "%s\n", complaint);
}

enum { PLAIN, EVENTS };

static const struct source *source(int which)
{
	static struct sources sources;
	struct sources_outside outside = {.file = "f", .extras = &extras, .report = report};
	if (sources.count == 0)
		MUST_HOLD(sources_read(CONFIGURATION, strlen(CONFIGURATION), &outside, &sources));
	return &sources.list[which];
}

static void must_be_money(const struct mapping *m, const struct txn *txn)
{
	bool is_negative = *txn->amount.digits == '-';
	const char *digits = txn->amount.digits + is_negative;
	struct money amount;
	struct currency currency;
	struct fault f;
	MUST_HOLD(currency_find(&extras, txn->currency, strlen(txn->currency), &currency));
	MUST_HOLD(strcmp(currency.code, txn->currency) == 0);
	MUST_HOLD(money_parse(digits, strlen(digits), &amount, &f));
	MUST_HOLD(
		!is_negative || (m->amount.negative == MAPPING_NEGATIVE_KEPT && strspn(digits, "0.") < strlen(digits)));
	MUST_HOLD(money_decimals(&amount) <= currency.minor_unit);
}

/* may_lack: the mapping says that the member is optional. */
static void must_be_text(const char *text, bool may_lack)
{
	MUST_HOLD(txn_text_valid(text, strlen(text)) || (may_lack && !*text));
}

static void must_keep_the_bounds(const struct mapping *m, const struct txn *txn)
{
	must_be_text(txn->transaction_id, false);
	MUST_HOLD(strncmp(txn->transaction_id, "x:", 2) == 0 && txn->transaction_id[2]);
	must_be_text(txn->source_account, m->source_account.is_optional);
	must_be_text(txn->destination_account, m->destination_account.is_optional);
	MUST_HOLD(!*txn->amount.digits == !*txn->currency && (*txn->currency || m->amount.is_optional));
	if (*txn->currency)
		must_be_money(m, txn);
	MUST_HOLD(txn->is_total == (m->amount.is_total && *txn->currency));
	must_be_text(txn->payment_id, !*m->payment_id.at);
	must_be_text(txn->part, !*m->part.at);
	MUST_HOLD(txn->kind >= TXN_NO_KIND && txn->kind < TXN_KIND_COUNT);
	MUST_HOLD((txn->kind == TXN_NO_KIND) == (!*m->kind.at && m->kind.otherwise == TXN_NO_KIND));
	MUST_HOLD(txn->has_occurred == (*m->occurred.at != '\0'));
	MUST_HOLD(txn->occurred_us >= 0 && txn->occurred_us <= 253402300799999999);
	MUST_HOLD(txn_same(txn, txn));
}

/* The parts of a joined id can be found in it again: what does not begin a code is written as it is. */
static void must_come_apart(const struct mapping *m, const struct txn *txn)
{
	int separators = 0;
	for (const char *at = txn->transaction_id + 2; m->parts.count > 0 && *at; at++) {
		separators += *at == m->parts.separator;
		MUST_HOLD(*at != '%' || (at[1] == '2' && at[2] == '5') || (at[1] == '3' && at[2] == 'A'));
	}
	MUST_HOLD(m->parts.count == 0 || separators == m->parts.count - 1);
}

static void must_be_utf8(const char *text)
{
	for (size_t at = 0, len = strlen(text); at < len;) {
		size_t length = utf8_length(text + at, len - at);
		MUST_HOLD(length > 0);
		at += length;
	}
}

static void must_be_reported_well(const struct txn_problems *problems, const struct fault *f)
{
	MUST_HOLD(f->kind == FAULT_INPUT);
	MUST_HOLD(problems->count >= 1 && problems->count <= TXN_PROBLEMS_MAX);
	must_be_utf8(f->text);
	for (int i = 0; i < problems->count; i++) {
		MUST_HOLD(strncmp(problems->list[i].pointer, "/items/0/", 9) == 0 && problems->list[i].code);
		must_be_utf8(problems->list[i].detail);
	}
}

/* The bytes of the value, as the only member of an object. */
static void must_be_json(struct json_value v)
{
	struct buf b = BUF_INIT(JSON_TEXT_MAX);
	struct fault f;
	buf_add_text(&b, "{\"v\":");
	buf_add(&b, v.at, v.len);
	buf_add_text(&b, "}");
	MUST_HOLD(!buf_ok(&b) || json_scan(b.data, b.len, &f));
	buf_finish(&b);
}

static void try_mapping(const struct mapping *m, struct json_value item)
{
	struct txn txn;
	struct txn_problems problems;
	struct fault f;
	if (mapping_read(m, &(struct places){.item = item}, "/items/0", &extras, &txn, &problems, &f)) {
		MUST_HOLD(problems.count == 0);
		must_keep_the_bounds(m, &txn);
		must_come_apart(m, &txn);
	} else {
		must_be_reported_well(&problems, &f);
	}
}

static void try_item(struct json_value item)
{
	const struct mapping *m = source_mapping_for(source(EVENTS), &(struct places){.item = item});
	MUST_HOLD(m && m == source_mapping_for(source(EVENTS), &(struct places){.item = item}));
	MUST_HOLD((m == &source(EVENTS)->mappings[0]) ==
		  (mapping_first(source(EVENTS)->mappings, 1, &(struct places){.item = item}) != NULL));
	for (int i = 0; i < source(EVENTS)->mapping_count; i++)
		try_mapping(&source(EVENTS)->mappings[i], item);
	try_mapping(&source(PLAIN)->mappings[0], item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fault f;
	struct json_value top, items, item;
	if (!json_scan((const char *)data, len, &f))
		return 0;
	top = json_value_of((const char *)data, len);
	must_be_json(top);
	try_item(top);
	if (!json_value_find(top, source(PLAIN)->items, &items))
		return 0;
	must_be_json(items);
	if (json_value_kind(items) != JSON_IS_ARRAY)
		return 0;
	for (struct json_walk w = json_walk_into(items); json_walk_next(&w, NULL, &item);) {
		must_be_json(item);
		try_item(item);
	}
	return 0;
}
