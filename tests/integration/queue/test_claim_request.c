/* test_claim_request.c - claims that bring the request of each transaction: what they bring, and the bytes that they
 * bound. */

#include <criterion/criterion.h>
#include <string.h>

#include "support/claimer.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static void init_request(void)
{
	claimers_form = CLAIM_REQUEST;
	claimer_init();
}

TestSuite(claim_request, .init = init_request, .fini = claimer_fini, .timeout = 120);

/* Keeps a request for each of these transactions, with a body of this many bytes. */
static void keep(int first, int last, int bytes)
{
	database_exec(
		"WITH kept AS (INSERT INTO payhook.payloads (source, content_type, headers, body)"
		"  SELECT 'transactions', 'application/json', jsonb_build_object('x-number', g::text),"
		"    decode(repeat('7b', %d), 'hex')"
		"  FROM generate_series(%d, %d) g RETURNING payload_id, received_at, headers ->> 'x-number' AS number)"
		" UPDATE payhook.transactions t SET payload_id = k.payload_id, payload_at = k.received_at"
		" FROM kept k WHERE t.transaction_id = 't' || k.number",
		bytes, first, last);
}

Test(claim_request, brings_the_request_byte_for_byte)
{
	enqueue(1, 1);
	database_exec(
		"WITH kept AS (INSERT INTO payhook.payloads (source, content_type, headers, body) VALUES"
		" ('transactions', 'application/json; charset=utf-8', '{\"x-signature\": \"a=1, \\\"b\\\"\"}',"
		"   '\\x7b00ff0d0a7d'::bytea) RETURNING *)"
		" UPDATE payhook.transactions SET payload_id = k.payload_id, payload_at = k.received_at FROM kept k");
	claim(&me, ME, 1);
	cr_expect_eq(strncmp(me.whole, "acc_user_1 acc_merchant_1 1500.10 USD 2", 39), 0, "%s", me.whole);
	cr_expect_eq(me.body_bytes, 6);
	static const char WANTED[] =
		"application/json; charset=utf-8 {\"x-signature\": \"a=1, \\\"b\\\"\"} {\0\xff\r\n}";
	cr_expect_eq(memcmp(me.request, WANTED, sizeof WANTED - 1), 0, "%s", me.request);
}

/* A body may be empty, and is then no missing one. */
Test(claim_request, claims_a_job_without_a_kept_request)
{
	enqueue(1, 2);
	keep(1, 1, 0);
	claim(&me, ME, 2);
	cr_expect_eq(me.body_bytes, 0);
	cr_expect_eq(me.requests, 1);
}

/* Bounds of one claim and of all jobs in flight: a bound is exceeded by one body at most. */
Test(claim_request, brings_no_more_bytes_than_there_is_room_for)
{
	enum { BYTES = 64 * 1024, JOBS = 700 };
	enqueue(1, JOBS);
	keep(1, JOBS, BYTES);
	claim(&me, ME, CLAIM_IN_FLIGHT_MAX / BYTES);
	loop_for(1200);
	cr_expect_eq(me.taken, CLAIM_IN_FLIGHT_MAX / BYTES);
	cr_expect_leq(me.most_at_once, CLAIM_BODIES_MAX / BYTES);
	cr_expect_eq(count_jobs("owner IS NULL AND attempt = 0"), JOBS - me.taken);
	/* What has ended makes room for the rest. */
	settle_all(&me);
	until_taken(&me, JOBS);
	cr_expect_eq(count_jobs("attempt > 1"), 0);
}

Test(claim_request, brings_a_body_that_is_larger_than_the_bound)
{
	enqueue(1, 3);
	keep(1, 3, CLAIM_BODIES_MAX + 1024);
	claim(&me, ME, 3);
	cr_expect_eq(me.most_at_once, 1);
	cr_expect_gt(me.body_bytes, 3 * (size_t)CLAIM_BODIES_MAX);
}
