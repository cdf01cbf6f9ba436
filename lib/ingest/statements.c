/* statements.c - the SQL of the accept path, and its parameters.
 *
 * Each statement is a transaction of its own and is safe to send again.  When they are sent, and what their results
 * mean for a webhook, is left to ingest.c. */

#include "ingest/statements.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_UUID_LEN 32     /* hexadecimal digits of a request id; PostgreSQL reads them as a uuid */
#define TRACES_KEEP (64 * 1024) /* bytes of memory that are kept for the next batch */

/* The last rows of both statements: what is known already, and the message for a standby. */
#define KNOWN_ONLY                                                                                        \
	"  UNION ALL SELECT transaction_id, source, same, NULL, NULL FROM given WHERE same IS NOT NULL"   \
	"  UNION ALL SELECT NULL, NULL, NULL, NULL, NULL WHERE CASE"                                      \
	"    WHEN current_setting('synchronous_standby_names') <> '' AND NOT EXISTS (SELECT FROM stored)" \
	"    THEN pg_logical_emit_message(true, 'payhook', 'known') IS NULL END"

/* What is unknown is null, here and in INGEST_STORE_ALL: it is the same as null only.  "=" would make neither of it. */
#define SAME_MONEY                                                               \
	"(s.source_account IS NOT DISTINCT FROM g.source_account"                \
	"   OR s.source_account IS NOT DISTINCT FROM '(erased)')"                \
	" AND (s.destination_account IS NOT DISTINCT FROM g.destination_account" \
	"   OR s.destination_account IS NOT DISTINCT FROM '(erased)')"           \
	" AND s.amount IS NOT DISTINCT FROM g.amount AND s.currency IS NOT DISTINCT FROM g.currency"

/* Stores the batch in one commit, each new transaction with its job: there is never one without the other.  Returns a
 * row for each member, except one that lost a race.  Third column: null if it was stored now, 1 if the same is stored
 * already, 0 if a different one is.  Fourth: null.  Fifth: 1 if its payload should have been kept and was not.  An account that
 * payhook.forget() has erased is the same as any, so that a webhook sent again is a duplicate, and not a conflict that keeps the
 * person's data once more.
 *
 * Concurrency: DO NOTHING waits until a concurrent insert of the same identity ends.  If that one commits, this
 * statement's snapshot does not show its row, so the member is not returned; the next batch finds the row.  Two batches
 * insert in the same order (batch.h), so they do not deadlock.  NOTIFY is left to notifier.c: here its cluster-wide
 * lock would last until after the flush.  A lost answer: the commit may have happened; the provider sends again, and
 * the row is found.
 *
 * Standby: a commit that writes nothing waits for no synchronous standby.  A known row may be on this server alone, if
 * the wait of the one that stored it was cancelled; so a batch that finds known rows only writes a message, which is in
 * the log behind them.  Whether there is a synchronous standby is decided here, since it may change at any time.  Without
 * one nothing is written.
 *
 * Plan: the lateral LIMIT makes it one look-up for each member, in the given order, and CONNECTION_BY_KEY makes that an
 * index look-up, whatever the plan was made for.  For a new transaction it costs little: it caches the pages that the
 * insert needs.
 *
 * The traces are one JSON object, source/transaction_id -> traceparent, or null if no member has one.  An array
 * would have to be joined to the rows stored; this is a look-up, and costs nothing without traces.
 *
 * Payloads: one row for each transaction stored, with its body; without any the arrays are empty, and the rows of unnest() have
 * nulls.  If today has no partition, because no worker has run for a week, the webhooks are stored all the same and their
 * payload_id is null. */
const struct statement INGEST_STORE = {"store",
	"WITH given AS MATERIALIZED ("
	"  SELECT g.*, t.same,"
	"    CASE WHEN g.body IS NOT NULL AND " INGEST_DAY_HAS_PARTITION
	"      THEN nextval('payhook.payload_ids') END AS payload_id"
	"  FROM (SELECT transaction_id, source, source_account, destination_account, amount::numeric AS amount, currency,"
	"      request_id, content_type, headers, body"
	"    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::text[], $9::text[],"
	"      $10::text[], $11::bytea[])"
	"      AS u(transaction_id, source, source_account, destination_account, amount, currency, request_id,"
	"        content_type, headers, body)) g"
	"  LEFT JOIN LATERAL (SELECT (" SAME_MONEY ")::int AS same"
	"    FROM payhook.transactions s WHERE s.transaction_id = g.transaction_id AND s.source = g.source LIMIT 1) t"
	"    ON true"
	"), stored AS ("
	"  INSERT INTO payhook.transactions"
	"    (transaction_id, source, source_account, destination_account, amount, currency, payload_id, payload_at)"
	"  SELECT transaction_id, source, source_account, destination_account, amount, currency, payload_id,"
	"    CASE WHEN payload_id IS NOT NULL THEN now() END FROM given"
	"  WHERE same IS NULL ON CONFLICT DO NOTHING RETURNING transaction_id, source, payload_id"
	"), kept AS ("
	"  INSERT INTO payhook.payloads (payload_id, received_at, request_id, source, content_type, headers, body)"
	"  SELECT payload_id, now(), nullif(request_id, '')::uuid, source, content_type, headers::jsonb, body FROM given"
	"  WHERE payload_id IN (SELECT payload_id FROM stored)"
	"), queued AS ("
	"  INSERT INTO payhook.jobs (transaction_id, source, traceparent) SELECT transaction_id, source,"
	"    CASE WHEN $7::jsonb IS NOT NULL THEN $7::jsonb ->> (source || '/' || transaction_id) END FROM stored"
	") SELECT transaction_id, source, NULL, NULL,"
	"  CASE WHEN payload_id IS NULL AND cardinality($11::bytea[]) > 0 THEN 1 END FROM stored" KNOWN_ONLY};

/* The same for a batch with bodies of several transactions, events of payments, or lanes.  It takes PostgreSQL longer, however
 * small the batch is: its plan has twice as many nodes.
 *
 * Payloads: one row for each request of which this statement stores a transaction.  A request whose transactions go by
 * several statements is kept by each of them; one in twenty of those with 64 items is, each with more than a batch, and the
 * alternative would be a state of the request between two statements.
 *
 * Lanes: the jobs of a source in order are parked, numbered in the order of arrival, which is not the order of the
 * batch.  Fourth column: the lane of a transaction stored now, for payhook.activate().  A transaction without a
 * payment_id has no lane.  Fifth: 1 if its payload should have been kept and was not.
 *
 * occurred_at: the microseconds are read as a text, since the factor of an interval is a double. */
const struct statement INGEST_STORE_ALL = {"store_all",
	"WITH bodies AS MATERIALIZED ("
	"  SELECT nextval('payhook.payload_ids') AS payload_id, b.*"
	"  FROM unnest($15::text[], $16::text[], $17::text[], $18::text[], $19::bytea[]) WITH ORDINALITY"
	"    AS b(source, request_id, content_type, headers, body, place)"
	"  WHERE " INGEST_DAY_HAS_PARTITION "), given AS MATERIALIZED ("
	"  SELECT g.*, b.payload_id, t.same"
	"  FROM (SELECT transaction_id, source, nullif(source_account, '') AS source_account,"
	"      nullif(destination_account, '') AS destination_account, nullif(amount, '')::numeric AS amount,"
	"      nullif(currency, '') AS currency, nullif(payment_id, '') AS payment_id, nullif(kind, '') AS kind,"
	"      nullif(part, '') AS part, nullif(is_total, 0) = 1 AS is_total,"
	"      timestamptz 'epoch' + (nullif(occurred_us, '') || ' us')::interval AS occurred_at, number, body_place"
	"    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::text[], $9::text[],"
	"      $10::text[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[])"
	"      AS u(transaction_id, source, source_account, destination_account, amount, currency, payment_id, kind, part,"
	"        is_total, occurred_us, number, body_place)) g"
	"  LEFT JOIN bodies b ON b.place = g.body_place"
	"  LEFT JOIN LATERAL (SELECT (" SAME_MONEY " AND coalesce(s.kind = g.kind, true)"
	"      AND coalesce(s.payment_id = g.payment_id, true) AND coalesce(s.part = g.part, true))::int AS same"
	"    FROM payhook.transactions s WHERE s.transaction_id = g.transaction_id AND s.source = g.source LIMIT 1) t"
	"    ON true"
	"), stored AS ("
	"  INSERT INTO payhook.transactions"
	"    (transaction_id, source, source_account, destination_account, amount, currency, payment_id, kind, part,"
	"    is_total, occurred_at, payload_id, payload_at)"
	"  SELECT transaction_id, source, source_account, destination_account, amount, currency, payment_id, kind, part,"
	"    is_total, occurred_at, payload_id, CASE WHEN payload_id IS NOT NULL THEN now() END FROM given"
	"  WHERE same IS NULL ON CONFLICT DO NOTHING RETURNING transaction_id, source, payload_id,"
	"    CASE WHEN source = ANY ($20::text[]) THEN payhook.lane_of(source, payment_id) END AS lane"
	"), kept AS ("
	"  INSERT INTO payhook.payloads (payload_id, received_at, request_id, source, content_type, headers, body)"
	"  SELECT payload_id, now(), nullif(request_id, '')::uuid, source, content_type, headers::jsonb, body FROM bodies"
	"  WHERE payload_id IN (SELECT payload_id FROM stored)"
	"), queued AS ("
	"  INSERT INTO payhook.jobs (transaction_id, source, traceparent) SELECT transaction_id, source,"
	"    CASE WHEN $7::jsonb IS NOT NULL THEN $7::jsonb ->> (source || '/' || transaction_id) END FROM stored"
	"  WHERE lane IS NULL"
	"), parked AS ("
	"  INSERT INTO payhook.parked_jobs (lane, lane_no, transaction_id, source, traceparent, continues)"
	"  SELECT lane, nextval('payhook.lane_numbers'), transaction_id, source,"
	"    CASE WHEN $7::jsonb IS NOT NULL THEN $7::jsonb ->> (source || '/' || transaction_id) END,"
	"    CASE WHEN source = ANY ($21::text[]) THEN true END"
	"  FROM (SELECT s.* FROM stored s JOIN given g ON g.transaction_id = s.transaction_id AND g.source = s.source"
	"    WHERE s.lane IS NOT NULL ORDER BY g.number) o"
	") SELECT transaction_id, source, NULL, lane,"
	"  CASE WHEN payload_id IS NULL AND cardinality($15::text[]) > 0 THEN 1 END FROM stored" KNOWN_ONLY};

/* Records conflicts: the same bytes again raise a count, other bytes take the next of sixteen places of their identity,
 * and when all are taken they are counted on the last.  A batch has each identity once, so no row is updated twice.
 * Third column: how many webhooks are recorded.  Copies are counted with their first, except where that takes a place:
 * a row begins with 1, and the responders' role may not write another number.
 *
 * Of two processes that want the same place, one gets it; the other's member is not returned, and goes into another
 * batch.  After a lost answer the provider sends the webhook again, so a count may be too high; only people read it.
 *
 * OFFSET 0 keeps the sub-select apart, so a body is hashed once and not for each row that it is compared with.
 *
 * One update does both kinds of counting, one row for each member, in their order.  With an update for each kind, two
 * processes could hold one row of two ids each and wait for the other's: a deadlock, which the server notices after a
 * second only. */
const struct statement INGEST_KEEP = {"keep",
	"WITH given AS MATERIALIZED ("
	"  SELECT g.*, (SELECT c.ordinal FROM payhook.transaction_conflicts c"
	"    WHERE c.transaction_id = g.transaction_id AND c.source = g.source AND c.body_sha256 = g.sha256) AS known,"
	"    (SELECT count(*) FROM payhook.transaction_conflicts c"
	"    WHERE c.transaction_id = g.transaction_id AND c.source = g.source) AS places"
	"  FROM (SELECT *, sha256(body) AS sha256"
	"    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[])"
	"      AS u(transaction_id, source, body, request_id, webhooks)"
	"    OFFSET 0) g"
	"), counted AS ("
	"  UPDATE payhook.transaction_conflicts c SET last_seen = now(),"
	"    count = c.count + CASE WHEN g.known IS NULL THEN 0 ELSE g.webhooks END,"
	"    unkept = c.unkept + CASE WHEN g.known IS NULL THEN g.webhooks ELSE 0 END FROM given g"
	"  WHERE (g.known IS NOT NULL OR g.places >= 16) AND c.transaction_id = g.transaction_id AND c.source = g.source"
	"    AND c.ordinal = coalesce(g.known, 16)"
	"  RETURNING c.transaction_id, c.source, g.webhooks"
	"), kept AS ("
	"  INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id)"
	"  SELECT transaction_id, source, places + 1, sha256, body, request_id FROM given"
	"  WHERE known IS NULL AND places < 16 ON CONFLICT DO NOTHING RETURNING transaction_id, source, 1::bigint"
	") SELECT * FROM counted UNION ALL SELECT * FROM kept"};

/* Does what a webhook does, and leaves no row: stores transactions and jobs, rolls them back to a savepoint (an exception
 * block is one), and commits a message, which is flushed and waits for a synchronous standby as any commit does.
 *
 * The message alone would not do: the log is written to files that exist already, so it goes on when the disk is full.
 * Nor would one row, for which the last page may have room; 64 need a new one.  Their ids are the connection's own, and
 * no source has a space for its name, so no webhook and no other probe has the same identity. */
const struct statement INGEST_PROBE = {"probe",
	"DO $$ BEGIN"
	"  BEGIN"
	"    WITH stored AS ("
	"      INSERT INTO payhook.transactions"
	"        (transaction_id, source, source_account, destination_account, amount, currency)"
	"      SELECT 'probe ' || pg_backend_pid() || ' ' || n, ' ', repeat('-', 32), repeat('-', 32), 1, 'EUR'"
	"      FROM generate_series(1, 64) n ON CONFLICT DO NOTHING RETURNING transaction_id, source"
	"    ) INSERT INTO payhook.jobs (transaction_id, source) SELECT transaction_id, source FROM stored;"
	"    RAISE EXCEPTION USING ERRCODE = 'PH001';"
	"  EXCEPTION WHEN SQLSTATE 'PH001' THEN NULL;"
	"  END;"
	"  PERFORM pg_logical_emit_message(true, 'payhook', 'probe');"
	"END $$"};

/* Adds the traces of the batch.  Ids are UTF-8 without control characters, so the result is always JSON. */
static void add_traces(struct db_params *p, struct buf *traces, const struct batch *b)
{
	buf_reset(traces, TRACES_KEEP);
	for (int i = 0; i < b->count; i++) {
		const struct pending_insert *insert = b->list[i];
		if (insert->is_duplicate || !insert->traceparent)
			continue;
		buf_add_text(traces, traces->len > 0 ? ",\"" : "{\"");
		buf_add_json(traces, insert->source, strlen(insert->source));
		buf_add_text(traces, "/");
		buf_add_json(traces, insert->txn->transaction_id, strlen(insert->txn->transaction_id));
		buf_add_format(traces, "\":\"%s\"", insert->traceparent);
	}
	if (traces->len > 0)
		buf_add_text(traces, "}");
	/* Out of memory: the webhooks are stored without their traces. */
	db_params_add_text(p, traces->len > 0 && buf_ok(traces) ? traces->data : NULL);
}

static bool is_plain_txn(const struct txn *txn)
{
	return !*txn->payment_id && txn->kind == TXN_NO_KIND && !*txn->part && !txn->is_total && !txn->has_occurred &&
	       *txn->amount.digits && *txn->currency && *txn->source_account && *txn->destination_account;
}

/* Whether INGEST_STORE has a parameter for all that the batch has.  A body of several transactions would be kept once for each.
 * place marks the bodies seen. */
static bool is_plain(const struct batch *b)
{
	int bodies = 0, members = 0;
	bool is_one_each = true;
	for (int i = 0; i < b->count; i++)
		b->list[i]->body->place = 0;
	for (int i = 0; i < b->count; i++) {
		const struct pending_insert *insert = b->list[i];
		if (insert->is_duplicate)
			continue;
		if (!is_plain_txn(insert->txn))
			return false;
		members++;
		bodies += insert->body->headers != NULL;
		is_one_each = is_one_each && ++insert->body->place == 1;
	}
	return bodies == 0 || (bodies == members && is_one_each);
}

static void add_event(struct db_array arrays[INGEST_ARRAYS], const struct pending_insert *insert)
{
	const struct txn *txn = insert->txn;
	char occurred[24] = "";
	if (txn->has_occurred)
		snprintf(occurred, sizeof occurred, "%" PRId64, txn->occurred_us);
	db_array_add_text(&arrays[6], txn->payment_id);
	db_array_add_text(&arrays[7], txn->kind == TXN_NO_KIND ? "" : txn_kind_word(txn->kind));
	db_array_add_text(&arrays[8], txn->part);
	db_array_add_int8(&arrays[9], txn->is_total);
	db_array_add_text(&arrays[10], occurred);
	db_array_add_int8(&arrays[11], (int64_t)insert->number);
	db_array_add_int8(&arrays[12], insert->body->place);
}

void ingest_body_add(
	struct db_array columns[], const char *source, const char *request_id, const struct insert_body *body)
{
	bool is_uuid = strlen(request_id) == REQUEST_UUID_LEN &&
		       strspn(request_id, "0123456789abcdefABCDEF") == REQUEST_UUID_LEN;
	db_array_add_text(&columns[0], source);
	db_array_add_text(&columns[1], is_uuid ? request_id : "");
	db_array_add_text(&columns[2], body->content_type);
	db_array_add_text(&columns[3], body->headers);
	db_array_add(&columns[4], body->bytes, body->len);
}

/* Adds the bodies of a plain batch, in the order of its members; the column of their sources is that of the members. */
static void add_bodies(struct db_params *p, struct db_array arrays[INGEST_ARRAYS], const struct batch *b)
{
	struct db_array *columns = &arrays[13];
	for (int i = 0; i < INGEST_BODY_COLUMNS; i++)
		db_array_start(&columns[i], i == INGEST_BODY_COLUMNS - 1 ? DB_BYTES : DB_TEXT);
	for (int i = 0; i < b->count; i++) {
		const struct pending_insert *insert = b->list[i];
		if (!insert->is_duplicate && insert->body->headers)
			ingest_body_add(columns, insert->source, insert->request_id, insert->body);
	}
	for (int i = 1; i < INGEST_BODY_COLUMNS; i++)
		db_params_add_array(p, &columns[i]);
}

/* Adds the body of a member once, with the first of its members. */
static void add_body(struct db_array arrays[INGEST_ARRAYS], const struct pending_insert *insert, int *places)
{
	struct insert_body *body = insert->body;
	if (body->place > 0 || !body->headers)
		return;
	body->place = ++*places;
	ingest_body_add(&arrays[13], insert->source, insert->request_id, body);
}

/* Adds the source of a member.  A batch is sorted by transaction, so one may be added several times; but not for each
 * member, if the batch has only one. */
static void add_source(struct db_array *sources, const struct pending_insert *insert, const char **last)
{
	if (insert->source == *last)
		return;
	*last = insert->source;
	db_array_add_text(sources, insert->source);
}

static void add_event_arrays(struct db_params *p, struct db_array arrays[INGEST_ARRAYS], const struct batch *b)
{
	static const enum db_type TYPES[INGEST_ARRAYS] = {
		[9] = DB_INT8, [11] = DB_INT8, [12] = DB_INT8, [17] = DB_BYTES};
	int places = 0;
	const char *last_in_order = NULL, *last_continues = NULL;
	for (int i = INGEST_COLUMNS; i < INGEST_ARRAYS; i++)
		db_array_start(&arrays[i], TYPES[i] ? TYPES[i] : DB_TEXT);
	for (int i = 0; i < b->count; i++)
		b->list[i]->body->place = 0;
	for (int i = 0; i < b->count; i++) {
		const struct pending_insert *insert = b->list[i];
		if (insert->is_duplicate)
			continue;
		add_body(arrays, insert, &places);
		add_event(arrays, insert);
		if (insert->is_in_order)
			add_source(&arrays[18], insert, &last_in_order);
		if (insert->is_in_order && insert->continues)
			add_source(&arrays[19], insert, &last_continues);
	}
	for (int i = INGEST_COLUMNS; i < INGEST_ARRAYS; i++)
		db_params_add_array(p, &arrays[i]);
}

const struct statement *ingest_params(
	struct db_params *p, struct db_array arrays[INGEST_ARRAYS], struct buf *traces, const struct batch *b)
{
	for (int i = 0; i < INGEST_COLUMNS; i++)
		db_array_start(&arrays[i], DB_TEXT);
	for (int i = 0; i < b->count; i++) {
		const struct pending_insert *insert = b->list[i];
		if (insert->is_duplicate)
			continue;
		db_array_add_text(&arrays[0], insert->txn->transaction_id);
		db_array_add_text(&arrays[1], insert->source);
		db_array_add_text(&arrays[2], insert->txn->source_account);
		db_array_add_text(&arrays[3], insert->txn->destination_account);
		db_array_add_text(&arrays[4], insert->txn->amount.digits);
		db_array_add_text(&arrays[5], insert->txn->currency);
	}
	for (int i = 0; i < INGEST_COLUMNS; i++)
		db_params_add_array(p, &arrays[i]);
	add_traces(p, traces, b);
	if (is_plain(b)) {
		add_bodies(p, arrays, b);
		return &INGEST_STORE;
	}
	add_event_arrays(p, arrays, b);
	return &INGEST_STORE_ALL;
}

void ingest_keep_params(struct db_params *p, struct db_array arrays[INGEST_ARRAYS], const struct batch *b)
{
	static const enum db_type TYPES[] = {DB_TEXT, DB_TEXT, DB_BYTES, DB_TEXT, DB_INT8};
	for (size_t i = 0; i < COUNT_OF(TYPES); i++)
		db_array_start(&arrays[i], TYPES[i]);
	for (int i = 0; i < b->count; i++) {
		const struct pending_insert *insert = b->list[i];
		if (insert->is_duplicate)
			continue;
		db_array_add_text(&arrays[0], insert->txn->transaction_id);
		db_array_add_text(&arrays[1], insert->source);
		db_array_add(&arrays[2], insert->body->bytes, insert->body->len);
		db_array_add_text(&arrays[3], insert->request_id);
		db_array_add_int8(&arrays[4], copies_count(insert));
	}
	for (size_t i = 0; i < COUNT_OF(TYPES); i++)
		db_params_add_array(p, &arrays[i]);
}
