/* test_forget.c - payhook.forget(): what it erases of an account, what it leaves, and what its receipt holds. */

#include <criterion/criterion.h>
#include <string.h>

#include "support/fresh_database.h"

TestSuite(forget, .init = database_init, .fini = database_drop);

#define EXPECT(value, ...) cr_expect_str_eq(database_value(__VA_ARGS__), value)

/* A transaction from one account to another, with its job or dead job. */
static void store(const char *id, const char *from, const char *to, const char *status)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount,"
		      " currency, status, processed_at, failure) VALUES ('%s', '%s', '%s', 1500, 'EUR', '%s',"
		      " CASE '%s' WHEN 'PROCESSED' THEN now() END, CASE '%s' WHEN 'FAILED' THEN '422' END)",
		id, from, to, status, status, status);
	if (strcmp(status, "PROCESSING") == 0)
		database_exec("INSERT INTO payhook.jobs (transaction_id) VALUES ('%s')", id);
	if (strcmp(status, "FAILED") == 0)
		database_exec("INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)"
			      " VALUES ('%s', 'transactions', 1, '422', now())",
			id);
}

static void store_conflict(const char *id, int ordinal, const char *body)
{
	database_exec(
		"INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body,"
		" request_id) SELECT '%s', 'transactions', %d, sha256(b), b, 'r' FROM (SELECT convert_to($b$%s$b$, 'UTF8'))"
		" AS x(b)",
		id, ordinal, body);
}

/* The receipt, with a space between its lines. */
static const char *receipt(const char *account, const char *erase)
{
	return database_value("SELECT string_agg(line, ' ') FROM payhook.forget($a$%s$a$, %s) AS line", account, erase);
}

static void receipt_has(const char *found, const char *wanted)
{
	cr_expect(strstr(found, wanted), "the receipt lacks \"%s\": %s", wanted, found);
}

static const char *everything(void)
{
	static char text[4096];
	snprintf(text, sizeof text, "%s",
		database_value(
			"SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM ("
			" SELECT t::text FROM payhook.transactions t UNION ALL SELECT d::text FROM payhook.dead_jobs d"
			" UNION ALL SELECT c::text FROM payhook.transaction_conflicts c) AS all_rows(x)"));
	return text;
}

Test(forget, replaces_an_account_on_either_side_and_leaves_the_others)
{
	store("from", "ann", "shop", "PROCESSED");
	store("to", "shop", "ann", "PROCESSED");
	store("both", "ann", "ann", "FAILED");
	store("other", "anna", "shop", "PROCESSED");
	receipt_has(receipt("ann", "true"), "erased    3 transactions: the account is (erased)");
	EXPECT("both (erased) (erased),from (erased) shop,other anna shop,to shop (erased)",
		"SELECT string_agg(concat_ws(' ', transaction_id, source_account, destination_account), ','"
		" ORDER BY transaction_id) FROM payhook.transactions");
	EXPECT("1500 EUR FAILED 422",
		"SELECT concat_ws(' ', amount, currency, status, failure) FROM payhook.transactions"
		" WHERE transaction_id = 'both'");
	EXPECT("0", "SELECT sum(abs(difference)) FROM payhook.reconciliation");
	EXPECT("0",
		"SELECT count(*) FROM public.transactions_transaction WHERE 'ann' IN (source_account, destination_account)");
	receipt_has(receipt("ann", "true"), "erased    0 transactions");
}

Test(forget, changes_nothing_unless_it_is_to_erase)
{
	store("done", "ann", "shop", "PROCESSED");
	store("dead", "shop", "ann", "FAILED");
	store("open", "ann", "shop", "PROCESSING");
	store_conflict("done", 1, "{\"destination_account\": \"ben\"}");
	char before[4096];
	snprintf(before, sizeof before, "%s", everything());
	const char *text = database_value("SELECT string_agg(line, ' ') FROM payhook.forget('ann') AS line");
	receipt_has(text, "nothing is erased yet");
	receipt_has(text, "erased    2 transactions");
	receipt_has(text, "erased    1 dead jobs");
	receipt_has(text, "erased    1 bodies of conflicts");
	receipt_has(text, "left      1 transactions in progress: forget again");
	cr_expect_not(strstr(text, "SHA-256"), "%s", text);
	receipt_has(receipt("ann", "NULL"), "nothing is erased yet");
	cr_expect_str_eq(everything(), before);
}

Test(forget, leaves_what_is_in_progress_or_held)
{
	store("open", "ann", "shop", "PROCESSING");
	store("held", "ann", "shop", "FAILED");
	database_exec("INSERT INTO payhook.jobs (transaction_id, run_at) VALUES ('held', 'infinity')");
	receipt_has(receipt("ann", "true"), "left      2 transactions in progress: forget again when they have ended");
	EXPECT("2", "SELECT count(*) FROM payhook.transactions WHERE source_account = 'ann'");
	EXPECT("held", "SELECT string_agg(transaction_id, ',') FROM payhook.dead_jobs");
	database_exec(
		"DELETE FROM payhook.jobs; UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = now(),"
		" failure = NULL WHERE transaction_id = 'open'");
	receipt_has(receipt("ann", "true"), "left      0 transactions in progress");
	EXPECT("2", "SELECT count(*) FROM payhook.transactions WHERE source_account = '(erased)'");
}

Test(forget, retry_calls_no_processor_with_the_placeholder)
{
	store("dead", "ann", "shop", "FAILED");
	store("other", "ben", "shop", "FAILED");
	receipt_has(receipt("ann", "true"), "erased    1 dead jobs of them");
	EXPECT("nothing done: dead of source transactions has no dead job", "SELECT payhook.retry('dead')");
	EXPECT("1 transactions are PROCESSING again", "SELECT payhook.retry_all()");
}

Test(forget, empties_the_bodies_that_name_the_account)
{
	store("done", "ann", "shop", "PROCESSED");
	store("other", "ben", "shop", "PROCESSED");
	store_conflict("done", 1, "{\"source_account\": \"ben\"}");
	store_conflict("other", 1, "{\"a\": [{\"source_account\": \"ann\"}]}");
	store_conflict("other", 2, "{\"source_account\": \"\\u0061nn\"}");
	store_conflict("other", 3, "{\"source_account\": \"anna\", \"ann\": 1, \"note\": \"to ann\"}");
	store_conflict("other", 4, "no JSON of ann");
	store_conflict("other", 5, "no JSON \\ of ben");
	store_conflict("other", 6, "{\"ann\": \"\\u0000\", \"x\": \"ann\"}");
	/* Deeper than the parser goes. */
	database_exec(
		"INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id)"
		" SELECT 'other', 'transactions', 7, sha256(b), b, 'r' FROM convert_to(repeat('[', 65536) || 'ann', 'UTF8') b");
	receipt_has(receipt("ann", "true"), "erased    6 bodies of conflicts");
	EXPECT("other 3,other 5", "SELECT string_agg(concat_ws(' ', transaction_id, ordinal), ',' ORDER BY ordinal)"
				  " FROM payhook.transaction_conflicts WHERE body <> ''");
	EXPECT("0", "SELECT count(*) FROM payhook.transaction_conflicts WHERE body = '' AND body_sha256 = sha256('')");
	EXPECT("8", "SELECT count(*) FROM payhook.conflicts");
	receipt_has(receipt("ann", "true"), "erased    0 bodies of conflicts");
}

Test(forget, finds_an_account_in_a_form)
{
	store("other", "ben", "shop", "PROCESSED");
	store_conflict("other", 1, "id=1&payer=ann");
	store_conflict("other", 2, "payer=%61n%6E&id=1");
	store_conflict("other", 3, "id=1&note=to+ann&payer=anna&ann=1");
	store_conflict("other", 4, "payload=%7B%22payer%22%3A%22ann%22%7D&x=1");
	store_conflict("other", 5, "payload=%7B%22payer%22%3A%22anna%22%7D&x=ann%25");
	store_conflict("other", 6, "x=%zz&payer=ann");
	store_conflict("other", 7, "payer=b+%2B%26e&x=ann+");
	store_conflict("other", 8, "payload=+%0D%0A%09%20%7B%22payer%22%3A%22ann%22%7D");
	store_conflict("other", 9, "payload=+%5B%22ann%22%5D&x=1");
	receipt_has(receipt("ann", "true"), "erased    6 bodies of conflicts");
	EXPECT("3,5,7",
		"SELECT string_agg(ordinal::text, ',' ORDER BY ordinal) FROM payhook.transaction_conflicts WHERE body <> ''");
	receipt_has(receipt("b +&e", "true"), "erased    1 bodies of conflicts");
}

/* A kept request, and the transaction that it brought, if there is one with this id. */
static void store_payload(int number, const char *id, const char *body)
{
	database_exec(
		"INSERT INTO payhook.payloads (payload_id, request_id, source, content_type, headers, body) VALUES"
		" (%d, gen_random_uuid(), 'transactions', 'application/json', '{}', convert_to($b$%s$b$, 'UTF8'))",
		number, body);
	database_exec("UPDATE payhook.transactions SET payload_id = p.payload_id, payload_at = p.received_at"
		      " FROM payhook.payloads p WHERE p.payload_id = %d AND transaction_id = '%s'",
		number, id);
}

Test(forget, leaves_a_body_in_gzip_that_the_views_show_as_digits)
{
	store("other", "ben", "shop", "PROCESSED");
	database_exec(
		"INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id)"
		" SELECT 'other', 'transactions', 1, sha256(b), b, 'r' FROM decode('1f8b08ff00255c2b', 'hex') b");
	receipt_has(receipt("ann", "true"), "erased    0 bodies of conflicts");
	receipt_has(
		receipt("ann", "true"), "left      1 bodies in gzip of no transaction of the account: not looked into");
	EXPECT("\\x1f8b08ff00255c2b", "SELECT body FROM payhook.conflicts");
	receipt_has(receipt("ben", "true"), "erased    1 bodies of conflicts");
	receipt_has(receipt("ben", "true"), "left      0 bodies in gzip of no transaction of the account ");
	EXPECT("", "SELECT body FROM payhook.conflicts");
}

/* In a payload and in a webhook that could not be read; one of a transaction of the account is deleted, and not counted. */
Test(forget, counts_the_bodies_in_gzip_that_it_leaves)
{
	store("named", "ann", "shop", "PROCESSED");
	store_payload(1, "named", "");
	store_payload(2, "none", "");
	database_exec("UPDATE payhook.payloads SET body = '\\x1f8b08ff00255c2b'");
	database_exec(
		"SELECT payhook.keep_unreadable('{s}', '{\"\"}', '{a}', '{\"{}\"}', ARRAY['\\x1f8b08ff'::bytea], '{\"\"}', '{x}')");
	for (int i = 0; i < 2; i++) {
		const char *text = receipt("ann", i == 0 ? "false" : "true");
		receipt_has(text, "erased    1 payloads");
		receipt_has(text, "left      2 bodies in gzip of no transaction of the account: not looked into");
	}
	EXPECT("2", "SELECT payload_id FROM payhook.payloads");
}

Test(forget, finds_an_account_that_is_a_number)
{
	store("other", "ben", "shop", "PROCESSED");
	store_conflict("other", 1, "{\"source_account\": 1002}");
	store_conflict("other", 2, "{\"source_account\": \"1002\"}");
	store_conflict("other", 3, "{\"source_account\": 10020}");
	store_conflict("other", 4, "{\"source_account\": null}");
	receipt_has(receipt("1002", "true"), "erased    2 bodies of conflicts");
	EXPECT("3,4",
		"SELECT string_agg(ordinal::text, ',' ORDER BY ordinal) FROM payhook.transaction_conflicts WHERE body <> ''");
}

Test(forget, has_a_receipt_that_only_its_key_opens)
{
	store("done", "an''n\"\\", "shop", "PROCESSED");
	const char *text = receipt("an'n\"\\", "true");
	receipt_has(text, "erased    1 transactions");
	cr_expect_not(strstr(text, "an'n"), "%s", text);
	char hash[65] = "", key[37] = "";
	const char *at = strstr(text, "account   SHA-256 of the key and the account: ");
	cr_assert(at && sscanf(at, "account   SHA-256 of the key and the account: %64s", hash) == 1);
	cr_assert_eq(sscanf(strrchr(text, ' '), " %36s", key), 1);
	EXPECT(hash, "SELECT encode(sha256(convert_to('%s' || 'an''n\"\\', 'UTF8')), 'hex')", key);
}

Test(forget, refuses_what_is_no_account)
{
	cr_expect_str_eq(database_error("SELECT payhook.forget('', true)"), "22023");
	cr_expect_str_eq(database_error("SELECT payhook.forget(NULL, true)"), "22023");
	cr_expect_str_eq(database_error("SELECT payhook.forget('(erased)', true)"), "22023");
	cr_expect_str_eq(database_error("SELECT payhook.forget(repeat('x', 256), true)"), "22023");
	cr_expect_str_eq(database_error("SELECT payhook.forget(E'ann\\r', true)"), "22023");
	cr_expect_str_eq(database_error("SELECT payhook.forget(U&'ann\\0085', true)"), "22023");
	receipt_has(receipt("nobody", "true"), "erased    0 transactions");
	receipt_has(receipt("\u00e4 b", "true"), "erased    0 transactions");
}

Test(forget, names_a_table_that_is_not_of_payhook)
{
	cr_expect_not(strstr(receipt("ann", "true"), "transactions_transaction"));
	database_exec(
		"DROP VIEW public.transactions_transaction; CREATE TABLE public.transactions_transaction (id int)");
	receipt_has(receipt("ann", "true"), "left      public.transactions_transaction, which is not payhook's");
}

Test(forget, deletes_the_payloads_that_no_call_needs)
{
	store("named", "ann", "shop", "PROCESSED");
	store_payload(1, "named", "{\"from\": \"a-n-n\"}");
	store("dead", "ann", "shop", "FAILED");
	store_payload(2, "dead", "{\"from\": \"ann\"}");
	store("open", "ann", "shop", "PROCESSING");
	store_payload(3, "open", "{\"from\": \"ann\"}");
	store("other dead", "ben", "shop", "FAILED");
	store_payload(4, "other dead", "{\"from\": \"ben\", \"for\": \"ann\"}");
	store("other", "ben", "shop", "PROCESSED");
	store_payload(5, "other", "{\"from\": \"ben\"}");
	store_payload(6, "none", "{\"ignored\": {\"customer\": \"ann\"}}");
	/* Of one body with two transactions, one is still in progress. */
	store("shared", "ann", "shop", "PROCESSED");
	database_exec("UPDATE payhook.transactions t SET payload_id = o.payload_id, payload_at = o.payload_at"
		      " FROM payhook.transactions o WHERE t.transaction_id = 'shared' AND o.transaction_id = 'open'");
	for (int i = 0; i < 2; i++) {
		const char *text = receipt("ann", i == 0 ? "false" : "true");
		receipt_has(text, "erased    3 payloads");
		receipt_has(text, "left      2 payloads that a call may need: forget again");
	}
	EXPECT("3,4,5", "SELECT string_agg(payload_id::text, ',' ORDER BY payload_id) FROM payhook.payloads");
}

Test(forget, waits_for_a_retry_and_leaves_what_it_brought_back, .timeout = 60)
{
	store("dead", "ann", "shop", "FAILED");
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; SELECT payhook.retry('dead')"));
	PGconn *forgetting = database_connect();
	cr_assert_eq(PQsendQuery(forgetting, "SELECT payhook.forget('ann', true)"), 1);
	while (database_number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
			       " AND datname = current_database()") == 0)
		;
	PQclear(PQexec(other, "COMMIT"));
	PQclear(PQgetResult(forgetting));
	EXPECT("ann PROCESSING", "SELECT source_account || ' ' || status FROM payhook.transactions");
	EXPECT("1", "SELECT count(*) FROM payhook.jobs");
	PQfinish(other);
	PQfinish(forgetting);
}

Test(forget, erases_the_webhooks_that_could_not_be_read)
{
	database_exec(
		"SELECT payhook.keep_unreadable('{s,s}', '{\"\",\"\"}', '{a,a}', '{\"{}\",\"{}\"}',"
		" ARRAY['{\"from\":\"ann\"}'::bytea, '{\"from\":\"anna\"}'::bytea], '{\"\",\"\"}', '{/amount missing,/amount missing}')");
	receipt_has(receipt("ann", "false"), "erased    1 webhooks that could not be read");
	EXPECT("2", "SELECT count(*) FROM payhook.unreadable");
	receipt_has(receipt("ann", "true"), "erased    1 webhooks that could not be read");
	EXPECT("1", "SELECT count(*) FROM payhook.unreadable_webhooks WHERE payhook.body_names(body, 'anna')");
	receipt_has(receipt("ann", "true"), "erased    0 webhooks that could not be read");
}
