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
	"\"currency\":{\"at\":\"/o/c\"}}}]}";

static const struct currency_extras extras = {1, {{"BTC", 8}}};

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	fprintf(stderr, "%s\n", complaint);
}

static const struct mapping *mapping(void)
{
	static struct sources sources;
	struct sources_outside outside = {.file = "f", .extras = &extras, .report = report};
	if (sources.count == 0)
		MUST_HOLD(sources_read(CONFIGURATION, strlen(CONFIGURATION), &outside, &sources));
	return &sources.list[0].mapping;
}

static void must_keep_the_bounds(const struct txn *txn)
{
	struct money amount;
	struct currency currency;
	struct fault f;
	MUST_HOLD(txn_text_valid(txn->transaction_id, strlen(txn->transaction_id)));
	MUST_HOLD(strncmp(txn->transaction_id, "x:", 2) == 0 && txn->transaction_id[2]);
	MUST_HOLD(txn_text_valid(txn->source_account, strlen(txn->source_account)));
	MUST_HOLD(txn_text_valid(txn->destination_account, strlen(txn->destination_account)));
	MUST_HOLD(currency_find(&extras, txn->currency, strlen(txn->currency), &currency));
	MUST_HOLD(strcmp(currency.code, txn->currency) == 0);
	MUST_HOLD(money_parse(txn->amount.digits, strlen(txn->amount.digits), &amount, &f));
	MUST_HOLD(money_decimals(&amount) <= currency.minor_unit);
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
		MUST_HOLD(strncmp(problems->list[i].pointer, "/items/0/", 9) == 0);
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

static void try_item(struct json_value item)
{
	struct txn txn;
	struct txn_problems problems;
	struct fault f;
	bool applies = mapping_applies(mapping(), item);
	MUST_HOLD(applies == mapping_applies(mapping(), item));
	if (mapping_read(mapping(), item, "/items/0", &extras, &txn, &problems, &f)) {
		MUST_HOLD(problems.count == 0);
		must_keep_the_bounds(&txn);
	} else {
		must_be_reported_well(&problems, &f);
	}
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
	if (!json_value_find(top, mapping()->items, &items))
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
