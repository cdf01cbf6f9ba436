/* test_interleavings.c - in whatever order the steps happen, no transaction is lost or settled twice.
 *
 * The workers exist only in memory here: a number, and the jobs that they believe they hold.  Steps are chosen at
 * random and executed with the real statements.  After each step the whole database is checked.  PAYHOOK_SEED=n repeats
 * a run. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "queue/claim.h"
#include "queue/heartbeat.h"
#include "queue/parked.h"
#include "queue/release.h"
#include "queue/rescue.h"
#include "queue/settle.h"
#include "support/fresh_database.h"

#define STEPS 400
#define WORKERS 3
#define INFLIGHT_MOST 4096
#define IDS_MOST 65536

/* The traceparent of a transaction's job, whether it is alive or dead: every second one has one. */
#define TRACE_OF(id) "(CASE WHEN hashtext(" id ") % 2 = 0 THEN '00-' || md5(" id ") || '-00f067aa0ba902b7-01' END)"

/* Two of three transactions are of a payment, in order. */
#define LANE "payhook.lane_of('transactions', payment_id)"
#define NUMBER_OF(id) "substr(" id ", 2)::int"

struct memory {
	int64_t owner;
	int64_t cursor;
	int inflight_count;
	struct job inflight[INFLIGHT_MOST];
};

static PGconn *conn;
static struct memory workers[WORKERS];
static uint64_t seed, state;
static int64_t next_owner = 1;
static int transactions, steps;
static long long attempts; /* expected number of rows */
static bool paused;
static bool is_settled[IDS_MOST]; /* by id of the job */
static struct db_array arrays[SETTLE_ARRAYS];

/* splitmix64 */
static uint64_t draw(uint64_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % below;
}

/* ---- the statements ---- */

static PGresult *send_to_server(const struct statement *s, const struct db_params *p)
{
	PGresult *r = PQexecPrepared(conn, s->name, p->count, p->value, p->length, p->format, 0);
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "seed %llu, step %d: %s", (unsigned long long)seed, steps,
		PQerrorMessage(conn));
	return r;
}

static void init(void)
{
	static const struct statement *const ALL[] = {&CLAIM, &CLAIM_WHOLE, &SETTLE, &RELEASE, &RESCUE_DEAD,
		&RESCUE_ORPHANS, &HEARTBEAT_DUE, &PARKED_RECENT, &PARKED_WALK};
	const char *given = getenv("PAYHOOK_SEED");
	seed = state = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	database_init();
	conn = database_connect();
	for (size_t i = 0; i < COUNT_OF(ALL); i++)
		PQclear(PQprepare(conn, ALL[i]->name, ALL[i]->sql, 0, NULL));
}

static void fini(void)
{
	PQfinish(conn);
	for (int i = 0; i < SETTLE_ARRAYS; i++)
		db_array_finish(&arrays[i]);
	for (int w = 0; w < WORKERS; w++) {
		for (int i = 0; i < workers[w].inflight_count; i++)
			free((char *)workers[w].inflight[i].transaction_id);
	}
	database_drop();
}

TestSuite(interleavings, .init = init, .fini = fini, .timeout = 120);

/* ---- the workers ---- */

static void register_as_new(struct memory *w)
{
	w->owner = next_owner++;
	database_exec("INSERT INTO payhook.workers (owner, host, pid, version) VALUES (%lld, 'h', 1, 'v')",
		(long long)w->owner);
}

static void forget(struct memory *w, int i)
{
	free((char *)w->inflight[i].transaction_id);
	w->inflight[i] = w->inflight[--w->inflight_count];
}

static void forget_all(struct memory *w)
{
	while (w->inflight_count > 0)
		forget(w, 0);
}

static void hold(struct memory *w, const struct job *row)
{
	for (int i = 0; i < w->inflight_count; i++) {
		if (w->inflight[i].id == row->id) {
			w->inflight[i].owner = row->owner;
			w->inflight[i].attempt = row->attempt;
			return;
		}
	}
	cr_assert_lt(w->inflight_count, INFLIGHT_MOST);
	struct job *j = &w->inflight[w->inflight_count++];
	*j = *row;
	j->transaction_id = strdup(row->transaction_id);
	j->source = "transactions";
}

/* ---- steps ---- */

static void accept_some(void)
{
	int count = 1 + (int)draw(3);
	database_exec(
		"WITH t AS (INSERT INTO payhook.transactions (transaction_id, source_account, destination_account,"
		" amount, currency, payment_id) SELECT 't' || g, 'a', 'b', 1, 'EUR', CASE WHEN g %% 3 > 0 THEN 'p' || g %% 7 END"
		" FROM generate_series(%d, %d) g RETURNING transaction_id, payment_id), q AS ("
		" INSERT INTO payhook.jobs (transaction_id, traceparent) SELECT transaction_id, %s FROM t WHERE payment_id IS NULL)"
		" INSERT INTO payhook.parked_jobs (source, transaction_id, traceparent, lane, lane_no)"
		" SELECT 'transactions', transaction_id, %s, " LANE
		", nextval('payhook.lane_numbers') FROM (SELECT * FROM t"
		" WHERE payment_id IS NOT NULL ORDER BY " NUMBER_OF("transaction_id") ") o",
		transactions + 1, transactions + count, TRACE_OF("transaction_id"), TRACE_OF("transaction_id"));
	transactions += count;
}

static void claim(struct memory *w, bool answer_lost)
{
	bool whole = draw(2);
	struct db_params p = {0};
	claim_params(&p, draw(2) ? w->cursor : 0, 1 + (int)draw(5), w->owner);
	PGresult *r = send_to_server(whole ? &CLAIM_WHOLE : &CLAIM, &p);
	cr_assert(!paused || PQntuples(r) == 0, "seed %llu, step %d: claimed while paused", (unsigned long long)seed,
		steps);
	for (int row = 0; row < PQntuples(r) && !answer_lost; row++) {
		struct job j;
		claim_read(r, row, w->owner, whole, &j);
		w->cursor = j.id > w->cursor ? j.id : w->cursor;
		hold(w, &j);
	}
	PQclear(r);
}

/* Whether settling the job should change anything according to the database: its claim still holds, or a crash has
 * undone the claim and no worker has claimed the job since. */
static bool is_ours(const struct job *j)
{
	return database_number(
		       "SELECT count(*) FROM payhook.jobs WHERE id = %lld AND transaction_id = '%s'"
		       " AND coalesce(owner, %lld) = %lld AND attempt = CASE WHEN owner IS NULL THEN %d ELSE %d END"
		       " AND run_at IS NULL",
		       (long long)j->id, j->transaction_id, (long long)j->owner, (long long)j->owner, j->attempt - 1,
		       j->attempt) == 1;
}

/* Settles some of the jobs that it believes it holds, sometimes twice. */
static void settle(struct memory *w, bool all_processed)
{
	struct job *batch[INFLIGHT_MOST];
	int count = 0, ours = 0, settled = 0, exhausted = 0,
	    keep = all_processed ? 0 : (int)draw((uint64_t)w->inflight_count + 1);
	for (int i = keep; i < w->inflight_count; i++) {
		struct job *j = &w->inflight[i];
		j->outcome = all_processed ? JOB_PROCESSED : (enum job_outcome)draw(7);
		j->delay_ms = (int64_t)draw(3) * 5;
		j->error = j->outcome == JOB_PROCESSED ? NULL : "why";
		batch[count++] = j;
		ours += is_ours(j);
	}
	for (int times = 1 + !draw(4); times > 0; times--) {
		struct db_params p = {0};
		settle_params(&p, arrays, batch, count, (int64_t)draw(5000));
		PGresult *r = send_to_server(&SETTLE, &p);
		for (int row = 0; row < PQntuples(r); row++) {
			int64_t id = batch[db_int8(r, row, 0)]->id;
			cr_assert_lt(id, IDS_MOST);
			cr_assert_not(is_settled[id], "seed %llu, step %d: job %lld is settled twice",
				(unsigned long long)seed, steps, (long long)id);
			is_settled[id] = true;
			exhausted += batch[db_int8(r, row, 0)]->outcome == JOB_EXHAUSTED;
		}
		settled += PQntuples(r);
		PQclear(r);
	}
	cr_assert_eq(settled, ours, "seed %llu, step %d: %d settled, %d were ours", (unsigned long long)seed, steps,
		settled, ours);
	attempts += settled - exhausted;
	while (w->inflight_count > keep)
		forget(w, w->inflight_count - 1);
}

static void release(struct memory *w)
{
	struct db_params p = {0};
	char key[128];
	db_array_start(&arrays[0], DB_TEXT);
	for (int i = 0; i < w->inflight_count; i++) {
		snprintf(key, sizeof key, "%lld transactions %s", (long long)w->inflight[i].id,
			w->inflight[i].transaction_id);
		db_array_add_text(&arrays[0], key);
	}
	db_params_add_int8(&p, w->owner);
	db_params_add_array(&p, &arrays[0]);
	db_params_add_int8(&p, 1 + (int64_t)draw(10));
	PQclear(send_to_server(&RELEASE, &p));
}

/* The worker is declared dead: it crashed, or it was frozen and will settle later what it believes it holds. */
static void rescue(struct memory *w, bool crashed)
{
	struct db_params p = {0};
	db_params_add_int8(&p, w->owner);
	db_params_add_int8(&p, database_number("SELECT (extract(epoch FROM beat_at) * 1000000)::bigint"
					       " FROM payhook.workers WHERE owner = %lld",
				       (long long)w->owner));
	db_params_add_int8(&p, 1 + (int64_t)draw(10));
	PGresult *r = send_to_server(&RESCUE_DEAD, &p);
	for (int row = 0; row < PQntuples(r); row++)
		attempts += db_int8(r, row, 2);
	PQclear(r);
	if (crashed)
		forget_all(w);
	register_as_new(w);
}

/* The worker's row was deleted by hand. */
static void vanish(struct memory *w)
{
	database_exec("DELETE FROM payhook.workers WHERE owner = %lld", (long long)w->owner);
	register_as_new(w);
}

static void bring_back(const struct statement *s)
{
	struct db_params p = {0};
	db_params_add_int8(&p, 1 + (int64_t)draw(20));
	PGresult *r = send_to_server(s, &p);
	if (s == &RESCUE_ORPHANS)
		attempts += db_int8(r, 0, 0);
	PQclear(r);
}

/* A responder or a worker activates lanes, or a look of a worker finds them. */
static void activate(void)
{
	struct db_params p = {0};
	if (draw(2)) {
		database_exec("SELECT payhook.activate(array_agg(lane)) FROM payhook.parked_jobs");
		return;
	}
	bool is_walk = draw(2);
	db_params_add_int8(&p, is_walk ? INT64_MIN : (int64_t)draw((uint64_t)transactions + 1));
	db_params_add_int8(&p, 1 + (int64_t)draw(5));
	PQclear(send_to_server(is_walk ? &PARKED_WALK : &PARKED_RECENT, &p));
}

/* The server crashes: a claim that was not flushed to disk is undone. */
static void undo_a_claim(void)
{
	database_exec("UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = attempt - 1 WHERE id ="
		      " (SELECT id FROM payhook.jobs WHERE owner IS NOT NULL ORDER BY id OFFSET %d LIMIT 1)",
		(int)draw(5));
}

static void pause_or_resume(void)
{
	paused = !paused;
	database_exec("SELECT payhook.%s()", paused ? "pause" : "resume");
}

static void step(void)
{
	struct memory *w = &workers[draw(WORKERS)];
	switch (draw(18)) {
	case 0:
	case 1:
		accept_some();
		break;
	case 2:
	case 3:
	case 4:
		claim(w, false);
		break;
	case 5:
		claim(w, true);
		break;
	case 6:
	case 7:
	case 8:
		settle(w, false);
		break;
	case 9:
	case 10:
		bring_back(draw(2) ? &HEARTBEAT_DUE : &RESCUE_ORPHANS);
		break;
	case 11:
		release(w);
		break;
	case 12:
		rescue(w, draw(2));
		break;
	case 13:
		if (draw(2))
			vanish(w);
		else
			undo_a_claim();
		break;
	case 15:
	case 16:
		activate();
		break;
	case 14:
		if (paused || !draw(3))
			pause_or_resume();
		break;
	default:
		if (draw(2))
			database_exec("SELECT payhook.retry_all()");
		else
			database_exec("SELECT payhook.retry('t%d')", (int)draw((uint64_t)transactions + 1));
	}
}

/* ---- invariants ---- */

static void check(void)
{
	const char *broken = database_value(
		"SELECT string_agg(concat_ws(' ', transaction_id, status, jobs, held, dead, processed), ', ') FROM ("
		"  SELECT transaction_id, status, (SELECT count(*) FROM (SELECT transaction_id, run_at FROM payhook.jobs"
		"      UNION ALL SELECT transaction_id, NULL FROM payhook.parked_jobs) j"
		"    WHERE j.transaction_id = t.transaction_id AND run_at IS DISTINCT FROM 'infinity') AS jobs,"
		"    (SELECT count(*) FROM payhook.jobs j WHERE j.transaction_id = t.transaction_id AND run_at = 'infinity')"
		"    = (status = 'FAILED' AND payment_id IS NOT NULL)::int AS held,"
		"    (SELECT count(*) FROM payhook.dead_jobs d WHERE d.transaction_id = t.transaction_id) AS dead,"
		"    (SELECT count(*) FROM payhook.job_attempts a WHERE a.transaction_id = t.transaction_id"
		"      AND outcome = 'processed') AS processed FROM payhook.transactions t) AS counted"
		" WHERE (status, jobs, held, dead, processed) NOT IN"
		"   (('PROCESSING', 1, true, 0, 0), ('PROCESSED', 0, true, 0, 1), ('FAILED', 0, true, 1, 0))");
	cr_assert_str_eq(broken, "null", "seed %llu, step %d: %s", (unsigned long long)seed, steps, broken);
	long long lost = database_number("SELECT count(*) FROM"
					 " (SELECT transaction_id, traceparent FROM payhook.jobs UNION ALL"
					 "  SELECT transaction_id, traceparent FROM payhook.dead_jobs) AS j"
					 " WHERE traceparent IS DISTINCT FROM %s",
		TRACE_OF("transaction_id"));
	cr_assert_eq(lost, 0, "seed %llu, step %d: %lld have lost their trace", (unsigned long long)seed, steps, lost);
	long long misplaced = database_number(
		"SELECT count(*) FROM (SELECT transaction_id, lane FROM payhook.jobs UNION ALL SELECT transaction_id, lane"
		" FROM payhook.parked_jobs UNION ALL SELECT transaction_id, lane FROM payhook.dead_jobs) j"
		" JOIN payhook.transactions t USING (transaction_id) WHERE lane IS DISTINCT FROM " LANE);
	cr_assert_eq(misplaced, 0, "seed %llu, step %d: %lld have lost their lane", (unsigned long long)seed, steps,
		misplaced);
	long long early = database_number(
		"SELECT count(*) FROM payhook.transactions a JOIN payhook.transactions b USING (payment_id)"
		" WHERE a.status <> 'PROCESSED' AND b.status = 'PROCESSED'"
		" AND " NUMBER_OF("a.transaction_id") " < " NUMBER_OF("b.transaction_id"));
	cr_assert_eq(early, 0, "seed %llu, step %d: %lld are processed before their turn", (unsigned long long)seed,
		steps, early);
	long long recorded = database_number("SELECT count(*) FROM payhook.job_attempts");
	cr_assert_eq(recorded, attempts, "seed %llu, step %d: %lld attempts on record, %lld settled",
		(unsigned long long)seed, steps, recorded, attempts);
	long long difference =
		database_number("SELECT coalesce(sum(abs(difference)), 0)::bigint FROM payhook.reconciliation");
	cr_assert_eq(
		difference, 0, "seed %llu, step %d: %lld do not add up", (unsigned long long)seed, steps, difference);
}

static long long count_processed(void)
{
	return database_number("SELECT count(*) FROM payhook.transactions WHERE status = 'PROCESSED'");
}

/* All workers crash, and one new worker processes everything that is left. */
static void finish(void)
{
	if (paused)
		pause_or_resume();
	for (int w = 0; w < WORKERS; w++) {
		forget_all(&workers[w]);
		vanish(&workers[w]);
	}
	for (int turns = 0; count_processed() < transactions; turns++) {
		cr_assert_lt(turns, 5000, "seed %llu: some are never processed", (unsigned long long)seed);
		database_exec("SELECT payhook.retry_all()");
		bring_back(&RESCUE_ORPHANS);
		bring_back(&HEARTBEAT_DUE);
		activate();
		workers[0].cursor = 0;
		claim(&workers[0], false);
		settle(&workers[0], true);
	}
}

Test(interleavings, no_transaction_is_lost_or_settled_twice)
{
	cr_log_info("PAYHOOK_SEED=%llu", (unsigned long long)seed);
	for (int w = 0; w < WORKERS; w++)
		register_as_new(&workers[w]);
	for (steps = 1; steps <= STEPS; steps++) {
		step();
		check();
	}
	finish();
	check();
}
