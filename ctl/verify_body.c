/* verify_body.c - shows what payhook reads of the body of a captured request.
 *
 * The body is read by the functions that a responder calls, so what is printed is what would be stored.  Unlike a responder it
 * goes on after the first item that cannot be read.  The output has accounts and amounts, for the operator's terminal. */

#include "verify_body.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "json/scan.h"
#include "source/payload.h"
#include "txn/txn_json.h"

/* A member that the mapping does not read, or that the payload leaves out, is not printed. */
static void print_member(const char *name, const char *text)
{
	if (text && *text)
		printf("           %-19s  %s\n", name, text);
}

static void print_occurred(const struct txn *txn)
{
	char date[CLOCK_DATE_MAX];
	if (!txn->has_occurred)
		return;
	clock_date((time_t)(txn->occurred_us / 1000000), date);
	printf("           occurred_at          %.*s.%06dZ\n", (int)strcspn(date, "Z"), date,
		(int)(txn->occurred_us % 1000000));
}

static void print_txn(const struct txn *txn)
{
	print_member("transaction_id", txn->transaction_id);
	print_member("source_account", txn->source_account);
	print_member("destination_account", txn->destination_account);
	print_member("amount", txn->amount.digits);
	print_member("currency", txn->currency);
	print_member("payment_id", txn->payment_id);
	print_member("kind", txn_kind_word(txn->kind));
	print_member("part", txn->part);
	print_member("total", txn->is_total ? "true" : "");
	print_occurred(txn);
}

static void print_problems(const struct txn_problems *problems)
{
	printf("cannot be read:\n");
	for (int i = 0; i < problems->count; i++)
		printf("           %s  %s: %s\n", problems->list[i].pointer, problems->list[i].code,
			problems->list[i].detail);
}

/* Prints the transaction of one item, or the problems in it.  False: it cannot be read. */
static bool print_item(const struct verify_body *b, const struct places *in, int index)
{
	const struct mapping *m = source_mapping_for(b->source, in);
	const struct currency_extras *extras = b->extras;
	char where[TXN_POINTER_MAX + 1] = "", name[24] = "body";
	struct txn_problems problems = {0};
	struct txn txn;
	struct fault f;
	if (source_has_items(b->source)) {
		snprintf(where, sizeof where, "%s/%d", b->source->items, index);
		snprintf(name, sizeof name, "item %d", index);
	}
	printf("%-10s ", name);
	if (!m) {
		printf("is ignored: the filter does not let it pass\n");
		return true;
	}
	if (m->is_canonical ? txn_from_json(in->item.at, in->item.len, extras, &txn, &problems, &f)
			    : mapping_read(m, in, where, extras, &txn, &problems, &f)) {
		printf("is read:\n");
		print_txn(&txn);
		return true;
	}
	if (problems.count > 0)
		print_problems(&problems);
	else
		printf("cannot be read: %s\n", f.text);
	return false;
}

/* Prints every item of a body that payload_open() has accepted.  Unlike a responder it goes on after the first bad
 * item. */
static bool print_items(const struct verify_body *b, const struct payload *payload)
{
	struct places in = payload->in;
	struct json_value items;
	bool good = true;
	int index = 0;
	if (!source_has_items(b->source))
		return print_item(b, &in, 0);
	if (!json_value_find(in.item, b->source->items, &items))
		return false;
	for (struct json_walk w = json_walk_into(items); json_walk_next(&w, NULL, &in.item); index++)
		good &= print_item(b, &in, index);
	return good;
}

/* payload_open() leaves the body of a plain source to the reader of transactions. */
static bool open_body(const struct verify_body *b, struct payload *ret, struct fault *f)
{
	return payload_open(b->source, b->request, b->bytes, b->len, false, ret, f) &&
	       (!source_is_plain(b->source) || json_scan(ret->in.item.at, ret->in.item.len, f));
}

/* Prints the answer to a body that cannot be read, or not all of it. */
static void print_unreadable(const struct source *source, int status, const char *colon, const char *why)
{
	int own = source->answer.status;
	if (source->keep_unreadable)
		printf("answer     %d, when it is kept as unreadable; else %d%s%s\n", own ? own : 202, status, colon,
			why);
	else
		printf("answer     %d%s%s\n", status, colon, why);
}

void verify_body_refuse(const struct source *source, const struct fault *f)
{
	int status = f->kind == FAULT_MALFORMED ? 400 : f->kind == FAULT_TOO_LARGE ? 413 : 422;
	print_unreadable(source, status, ": ", f->text);
}

void verify_body_print(const struct verify_body *b)
{
	struct fault f;
	struct payload payload;
	int own = b->source->answer.status;
	if (!open_body(b, &payload, &f))
		verify_body_refuse(b->source, &f);
	else if (!print_items(b, &payload))
		print_unreadable(b->source, 422, ", and nothing of it is stored", "");
	else if (payload.count == 0)
		printf("answer     %d: ignored\n", own ? own : 200);
	else
		printf("answer     %d, when it is durable\n", own ? own : 202);
}
