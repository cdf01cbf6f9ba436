/* statements.c - the SQL of the accept path, and its parameters.
 *
 * Each statement is a transaction of its own and is safe to send again.  When they are sent, and what their results
 * mean for a webhook, is left to ingest.c. */

#include "ingest/statements.h"

#include <string.h>

#define TRACES_KEEP (64 * 1024) /* bytes of memory that are kept for the next batch */

/* Stores the batch in one commit, each new transaction with its job: there is never one without the other.  Returns a
 * row for each member, except one that lost a race.  Third column: null if it was stored now, 1 if the same is stored
 * already, 0 if a different one is.
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
 * The traces are one JSON object, source/transaction_id -> traceparent, or null if no member has one.  A seventh array
 * would have to be joined to the rows stored; this is a look-up, and costs nothing without traces. */
const struct statement INGEST_STORE = {"store",
	"WITH given AS ("
	"  SELECT g.transaction_id, g.source, g.source_account, g.destination_account, g.amount::numeric AS amount,"
	"    g.currency, t.same"
	"  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])"
	"    AS g(transaction_id, source, source_account, destination_account, amount, currency)"
	"  LEFT JOIN LATERAL (SELECT (s.source_account = g.source_account"
	"      AND s.destination_account = g.destination_account"
	"      AND s.amount = g.amount::numeric AND s.currency = g.currency)::int AS same"
	"    FROM payhook.transactions s WHERE s.transaction_id = g.transaction_id AND s.source = g.source LIMIT 1) t"
	"    ON true"
	"), stored AS ("
	"  INSERT INTO payhook.transactions"
	"    (transaction_id, source, source_account, destination_account, amount, currency)"
	"  SELECT transaction_id, source, source_account, destination_account, amount, currency FROM given"
	"  WHERE same IS NULL ON CONFLICT DO NOTHING RETURNING transaction_id, source"
	"), queued AS ("
	"  INSERT INTO payhook.jobs (transaction_id, source, traceparent) SELECT transaction_id, source,"
	"    CASE WHEN $7::jsonb IS NOT NULL THEN $7::jsonb ->> (source || '/' || transaction_id) END FROM stored"
	") SELECT transaction_id, source, NULL FROM stored"
	"  UNION ALL SELECT transaction_id, source, same FROM given WHERE same IS NOT NULL"
	"  UNION ALL SELECT NULL, NULL, NULL WHERE CASE"
	"    WHEN current_setting('synchronous_standby_names') <> '' AND NOT EXISTS (SELECT FROM stored)"
	"    THEN pg_logical_emit_message(true, 'payhook', 'known') IS NULL END"};

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

void ingest_params(
	struct db_params *p, struct db_array arrays[INGEST_ARRAYS], struct buf *traces, const struct batch *b)
{
	for (int i = 0; i < INGEST_ARRAYS; i++)
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
	for (int i = 0; i < INGEST_ARRAYS; i++)
		db_params_add_array(p, &arrays[i]);
	add_traces(p, traces, b);
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
