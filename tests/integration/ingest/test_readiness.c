/* test_readiness.c - the answer to "could a webhook be stored now?" while webhooks are refused, known or absent. */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/pg_server.h"
#include "support/sent.h"

static struct pg_server server, standby;

/* A probe and its answer. */
struct asked {
	struct ingest_probe probe;
	bool is_answered, is_ready;
};

static void on_probe(struct ingest_probe *p, const struct fault *f)
{
	struct asked *a = CONTAINER_OF(p, struct asked, probe);
	a->is_answered = true;
	a->is_ready = f == NULL;
}

static bool is_answered(void *a)
{
	return ((struct asked *)a)->is_answered;
}

static bool is_ready(struct ingest *ingest)
{
	struct asked a = {.probe = {.done = on_probe}};
	ingest_probe_health(ingest, &a.probe);
	loop_until(is_answered, &a, "the probe is answered");
	return a.is_ready;
}

/* The answer that a probe gets without any statement. */
static bool is_known(struct ingest *ingest, bool ready)
{
	struct asked a = {.probe = {.done = on_probe}};
	ingest_probe_health(ingest, &a.probe);
	if (!a.is_answered)
		ingest_withdraw_probe(ingest, &a.probe);
	return a.is_answered && a.is_ready == ready;
}

static bool is_known_ready(void *ctx)
{
	(void)ctx;
	return is_known(in, true);
}

/* Begins to connect as the role of the responders, which has just the rights that the statements need. */
static void begin_in(const struct pg_server *s)
{
	static char conninfo[512];
	char plain[256];
	ingest_destroy(in);
	snprintf(conninfo, sizeof conninfo, "%s options='-c role=payhook_app'",
		pg_server_conninfo(s, database_value("SELECT current_database()"), plain));
	connect_state->conninfo = conninfo;
	ups = 0;
	in = ingest_create(connect_state, &SENT_EVENTS, NULL);
}

static void connect_in(const struct pg_server *s)
{
	begin_in(s);
	loop_until(is_up, NULL, "the ingest is up");
}

static void begin(void)
{
	pg_server_primary(&server);
	sent_init();
	connect_in(&server);
}

static void end(void)
{
	ingest_destroy(in);
	loop_close();
	pg_server_remove(&server);
	pg_server_remove(&standby);
}

TestSuite(readiness, .init = begin, .fini = end, .timeout = 120);

/* ---- known webhooks ---- */

/* Sends itself again with each outcome, as a provider does that sends everything again. */
struct replay {
	struct pending_insert insert;
	int count;
};

static bool is_over;

static void on_replayed(struct pending_insert *p, enum accepted outcome, const struct fault *f)
{
	struct replay *r = CONTAINER_OF(p, struct replay, insert);
	cr_assert(is_over || (!f && outcome == ACCEPTED_AGAIN));
	r->count++;
	if (!is_over)
		ingest_accept(in, p);
}

Test(readiness, is_found_out_amid_known_webhooks)
{
	static struct replay replays[2];
	send_one("t", "1");
	sent_all();
	for (int i = 0; i < 2; i++) {
		replays[i].insert = sent[0].pending_insert;
		replays[i].insert.done = on_replayed;
		ingest_accept(in, &replays[i].insert);
	}
	loop_for(READINESS_FRESH_MS + 100);
	cr_expect(is_ready(in));
	cr_expect(replays[0].count > 10, "%d", replays[0].count);
	is_over = true;
	loop_for(100);
}

Test(readiness, is_refuted_amid_known_webhooks)
{
	static struct replay replays[2];
	send_one("t", "1");
	sent_all();
	for (int i = 0; i < 2; i++) {
		replays[i].insert = sent[0].pending_insert;
		replays[i].insert.done = on_replayed;
		ingest_accept(in, &replays[i].insert);
	}
	database_exec("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
		      " $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$;"
		      "CREATE TRIGGER refuse BEFORE INSERT ON payhook.transactions FOR EACH ROW"
		      " EXECUTE FUNCTION refuse()");
	loop_for(READINESS_FRESH_MS + 100);
	cr_expect_not(is_ready(in));
	is_over = true;
	loop_for(100);
}

/* ---- refused webhooks ---- */

/* The webhook is refused, and at once the process knows that it is not ready; so does, within a second, a process that
 * stored the last one. */
static void expect_refused(struct ingest *other)
{
	struct sent *s = send_one("refused", "1");
	sent_all();
	cr_expect(s->failed);
	cr_expect_eq(s->fault.kind, FAULT_BUSY, "%s", s->fault.text);
	cr_expect(is_known(in, false));
	loop_for(READINESS_FRESH_MS);
	cr_expect_not(is_ready(in));
	cr_expect(!other || !is_ready(other), "the other process");
}

/* Nobody sends a webhook, and within two seconds it is known that one could be stored. */
static void expect_return(int64_t since_ms)
{
	loop_until(is_known_ready, NULL, "it is ready again");
	cr_expect(clock_ms() - since_ms < 2000, "after %lld ms", (long long)(clock_ms() - since_ms));
	struct sent *s = send_one("returned", "1");
	sent_all();
	cr_expect_not(s->failed, "%s", s->fault.text);
	cr_expect_eq(rows("transactions"), rows("jobs"));
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions WHERE source <> 'transactions'"), 0,
		"a probe leaves no row");
}

static struct ingest *other_process(void)
{
	ups = 0;
	struct ingest *other = ingest_create(connect_state, &SENT_EVENTS, NULL);
	loop_until(is_up, NULL, "the other ingest is up");
	send_to(other, "other", "transactions", "1");
	sent_all();
	expect(&sent[sent_count - 1], ACCEPTED_NEW);
	return other;
}

Test(readiness, follows_a_server_that_only_reads)
{
	struct ingest *other = other_process();
	pg_server_set(&server, "default_transaction_read_only", "on");
	expect_refused(other);
	pg_server_set(&server, "default_transaction_read_only", "off");
	expect_return(clock_ms());
	ingest_destroy(other);
}

Test(readiness, follows_a_standby_that_is_promoted)
{
	pg_server_standby(&standby, &server);
	pg_server_await(
		&standby, database_value("SELECT current_database()"), "SELECT count(*) FROM payhook.jobs", "0");
	begin_in(&standby);
	struct sent *s = send_one("refused", "1");
	sent_all();
	cr_expect(s->failed);
	cr_expect(is_known(in, false));
	pg_server_promote(&standby);
	int64_t since_ms = clock_ms();
	loop_until(is_up, NULL, "the ingest is up");
	cr_expect(is_ready(in));
	cr_expect(clock_ms() - since_ms < 2000, "after %lld ms", (long long)(clock_ms() - since_ms));
	s = send_one("refused", "1");
	sent_all();
	expect(s, ACCEPTED_NEW);
}

/* A conflict that was recorded already changes a row in place, which may succeed on a full disk. */
Test(readiness, is_not_proven_by_a_recorded_conflict)
{
	send_one("t", "1");
	send_one("t", "2");
	sent_all();
	loop_for(READINESS_FRESH_MS + 100);
	send_one("t", "2");
	sent_all();
	expect(&sent[2], ACCEPTED_CONFLICT);
	cr_expect_not(is_known(in, true));
}

Test(readiness, is_proven_by_rows_that_are_rolled_back)
{
	cr_expect(is_ready(in));
	cr_expect_eq(rows("transactions"), 0);
	cr_expect_eq(rows("jobs"), 0);
	cr_expect_geq(database_number("SELECT last_value FROM payhook.jobs_id_seq"), 64);
	cr_expect(is_known(in, true), "for a second");
	loop_for(READINESS_FRESH_MS + 100);
	cr_expect_not(is_known(in, true));
}

/* ---- a full disk ---- */

static void begin_full(void)
{
	if (!pg_server_primary_on_disk(&server, 400))
		cr_skip_test("not allowed to mount");
	sent_init();
	connect_in(&server);
}

TestSuite(readiness_full, .init = begin_full, .fini = end, .timeout = 120);

/* Fills the disk to the last page.  Returns the file that fills it. */
static const char *fill(void)
{
	static char file[128], block[4096];
	snprintf(file, sizeof file, "%s/filler", server.folder);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	while (write(fd, block, sizeof block) == (ssize_t)sizeof block)
		;
	close(fd);
	return file;
}

/* The pages that the tables have are filled by webhooks until one is refused. */
Test(readiness_full, follows_a_full_disk)
{
	struct ingest *other = other_process();
	char id[16];
	const char *filler = fill();
	int accepted = sent_count;
	do {
		snprintf(id, sizeof id, "t%d", sent_count);
		send_one(id, "1");
		sent_all();
	} while (!sent[sent_count - 1].failed && sent_count < SENT_MOST - 10);
	cr_expect(sent[sent_count - 1].failed, "%d are stored", sent_count - accepted);
	expect_refused(other);
	/* A duplicate needs no room, and is no proof. */
	struct sent *again = send_one("other", "1");
	sent_all();
	expect(again, ACCEPTED_AGAIN);
	cr_expect(is_known(in, false));
	cr_assert_eq(unlink(filler), 0);
	expect_return(clock_ms());
	ingest_destroy(other);
}
