/* fuzz_txn_json.c - what txn_from_json() accepts keeps every bound, and reads the same when it is written out again. */

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "json/scan.h"
#include "txn/txn_json.h"

static const struct currency_extras extras = {2, {{"USDT", 6}, {"BTC", 8}}};

static void must_be_utf8(const char *text)
{
	MUST_HOLD(text[0]);
	for (size_t at = 0, len = strlen(text); at < len;) {
		size_t length = utf8_length(text + at, len - at);
		MUST_HOLD(length > 0);
		at += length;
	}
}

static void must_keep_the_bounds(const struct txn *txn)
{
	struct money amount;
	struct currency currency;
	struct fault f;
	MUST_HOLD(txn_text_valid(txn->transaction_id, strlen(txn->transaction_id)));
	MUST_HOLD(txn_text_valid(txn->source_account, strlen(txn->source_account)));
	MUST_HOLD(txn_text_valid(txn->destination_account, strlen(txn->destination_account)));
	MUST_HOLD(money_parse(txn->amount.digits, strlen(txn->amount.digits), &amount, &f));
	MUST_HOLD(strcmp(amount.digits, txn->amount.digits) == 0);
	MUST_HOLD(currency_find(&extras, txn->currency, strlen(txn->currency), &currency));
	MUST_HOLD(strcmp(currency.code, txn->currency) == 0);
	MUST_HOLD(money_decimals(&amount) <= currency.minor_unit);
}

static void add_member(struct buf *b, const char *name, const char *text)
{
	buf_add_format(b, "\"%s\":\"", name);
	buf_add_json(b, text, strlen(text));
	buf_add_text(b, "\",");
}

static void must_survive_a_round(const struct txn *txn)
{
	struct buf b = BUF_INIT(JSON_TEXT_MAX);
	struct txn again;
	struct txn_problems problems;
	struct fault f;
	buf_add_text(&b, "{");
	add_member(&b, "transaction_id", txn->transaction_id);
	add_member(&b, "source_account", txn->source_account);
	add_member(&b, "destination_account", txn->destination_account);
	add_member(&b, "currency", txn->currency);
	buf_add_format(&b, "\"amount\":%s}", txn->amount.digits);
	MUST_HOLD(buf_ok(&b));
	MUST_HOLD(txn_from_json(b.data, b.len, &extras, &again, &problems, &f));
	MUST_HOLD(txn_same(txn, &again));
	MUST_HOLD(strcmp(txn->amount.digits, again.amount.digits) == 0);
	buf_finish(&b);
}

static void must_be_reported_well(const struct txn_problems *problems, const struct fault *f)
{
	static const char order[] = " /transaction_id /source_account /destination_account /amount /currency";
	const char *before = order;
	MUST_HOLD(problems->count >= 1 && problems->count <= TXN_PROBLEMS_MAX);
	must_be_utf8(f->text);
	for (int i = 0; i < problems->count; i++) {
		const struct txn_problem *p = &problems->list[i];
		const char *place = strstr(order, p->pointer);
		MUST_HOLD(place > before);
		MUST_HOLD(strstr(f->text, p->pointer) && strstr(f->text, p->code));
		must_be_utf8(p->detail);
		before = place;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct txn txn;
	struct txn_problems problems;
	struct fault f = {FAULT_BUG, ""}, scan_fault;
	bool is_json = json_scan((const char *)data, len, &scan_fault);
	if (txn_from_json((const char *)data, len, &extras, &txn, &problems, &f)) {
		MUST_HOLD(is_json && problems.count == 0);
		must_keep_the_bounds(&txn);
		must_survive_a_round(&txn);
	} else if (is_json) {
		MUST_HOLD(f.kind == FAULT_INPUT);
		must_be_reported_well(&problems, &f);
	} else {
		MUST_HOLD(f.kind == scan_fault.kind && problems.count == 0);
	}
	return 0;
}
