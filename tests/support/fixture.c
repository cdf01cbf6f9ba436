/* fixture.c - posts a group of transactions and checks that each was processed and settled exactly once. */

#include "support/fixture.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "support/expect.h"
#include "support/extra_workers.h"
#include "support/faults.h"
#include "support/instance_database.h"

#define BEGIN_MS 60000
#define POST_MS 30000

#define OF_PREFIX " starts_with(transaction_id, $1 || '-')"
#define PROCESSED "SELECT count(*) FROM payhook.transactions WHERE status = 'PROCESSED' AND" OF_PREFIX
#define JOBS "SELECT count(*) FROM payhook.jobs WHERE" OF_PREFIX
#define CLAIMED JOBS " AND owner IS NOT NULL"
#define SETTLED_ONCE                                                                                       \
	"SELECT count(*) FROM (SELECT FROM payhook.job_attempts WHERE outcome = 'processed' AND" OF_PREFIX \
	" GROUP BY transaction_id HAVING count(*) = 1) x"
#define UNBALANCED "SELECT count(*) FROM payhook.reconciliation WHERE difference <> 0"

void fixture_begin(void)
{
	mend_all();
	mend_wait_database(BEGIN_MS);
	expect_health(BEGIN_MS);
	extra_workers_wait_own();
	cr_assert_eq(database_wait("SELECT (count(*) = 1)::int FROM payhook.workers", NULL, 1, BEGIN_MS), 1,
		"no single worker");
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.jobs"), 0, "jobs of an earlier test");
}

void fixture_post(struct fixture *f, const char *word, long count, int port)
{
	struct load l = {.connections = 16, .posts = count, .port = port};

	l.prefix = fresh_id(word, f->prefix);
	f->count = count;
	load_open(&l);
	cr_assert(load_until(&l, count, POST_MS), "%ld of %ld answered", l.answered, count);
	expect_all_accepted(&l, POST_MS);
	load_close(&l);
}

long fixture_processed(const struct fixture *f)
{
	return (long)database_number_of(PROCESSED, f->prefix);
}

long fixture_jobs(const struct fixture *f)
{
	return (long)database_number_of(JOBS, f->prefix);
}

long fixture_claimed(const struct fixture *f)
{
	return (long)database_number_of(CLAIMED, f->prefix);
}

void fixture_wait_claimed(const struct fixture *f, int timeout_ms)
{
	long long seen = database_wait(CLAIMED, f->prefix, f->count, timeout_ms);

	cr_assert_eq(seen, f->count, "%s: %lld of %ld claimed", f->prefix, seen, f->count);
}

void fixture_wait_processed(const struct fixture *f, int timeout_ms)
{
	long long seen = database_wait(PROCESSED, f->prefix, f->count, timeout_ms);

	cr_assert_eq(seen, f->count, "%s: %lld of %ld processed", f->prefix, seen, f->count);
	cr_assert_eq(fixture_jobs(f), 0, "%s: jobs of processed transactions", f->prefix);
	seen = database_number_of(SETTLED_ONCE, f->prefix);
	cr_assert_eq(seen, f->count, "%s: %lld of %ld settled exactly once", f->prefix, seen, f->count);
	cr_assert_eq(database_number(UNBALANCED), 0, "the books do not balance");
}
