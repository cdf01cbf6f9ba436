/* test_database.c - PostgreSQL stops or freezes and returns.  Meanwhile every webhook is answered 503 within half a
 * second, and no accepted one is lost. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"
#include "support/logs.h"

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=100", "WORKER_GRACE_MS=200", NULL};

#define SLACK 0.1 /* seconds that two busy cores may add to the half second of the contract */

TestSuite(database, .init = mend_and_wait, .fini = mend_all);

/* A webhook is answered 503 in time.  Its id can be posted again later. */
static void is_asked_to_come_again(const char *id, const char *when)
{
	struct answer a;
	char body[WEBHOOK_MAX];

	call_post(webhook_simple(id, body), &a);
	cr_assert(a.seconds <= 0.5 + SLACK, "%s: %d after %.3f s", when, a.status, a.seconds);
	expect_retry_after(&a, when);
	expect_problem_once(&a, 503, when);
}

/* Lookups are answered 503 too, and /livez still 200. */
static void answers_in_time(const char *id, const char *when)
{
	struct answer a;

	is_asked_to_come_again(id, when);
	call_get("/v1/transactions/anything", &a);
	cr_assert(a.seconds <= 0.5 + SLACK, "%s: GET after %.3f s", when, a.seconds);
	expect_retry_after(&a, "GET");
	expect_problem_once(&a, 503, when);
	cr_assert_eq(call_get_status("/livez"), 200);
}

static bool reports_health(const char *target, const char *word, bool expected)
{
	struct answer a;

	call_get(target, &a);
	cr_assert(a.seconds <= 0.5 + SLACK, "%s after %.3f s", target, a.seconds);
	cr_assert(a.status == 200 || a.status == 503, "%s: %d %s", target, a.status, a.body);
	bool as_expected = (a.status == 200) == expected;
	if (as_expected && !expected)
		expect_retry_after(&a, target);
	cr_assert(!as_expected || strstr(a.body, word) != NULL, "%s", a.body);
	answer_finish(&a);
	return as_expected;
}

/* Each responder considers itself healthy until its last success is half a second old, and a probe has failed. */
static void is_unhealthy(int within_ms)
{
	long long deadline = calm_ms() + within_ms;

	/* So many requests in a row that each responder gets some. */
	for (int in_a_row = 0; in_a_row < 20; in_a_row++) {
		bool is =
			reports_health("/", "\"status\":\"UNHEALTHY\"", false) && reports_health("/readyz", "", false);
		cr_assert(is || calm_ms() < deadline, "healthy after %d ms", within_ms);
		in_a_row = is ? in_a_row : 0;
	}
}

/* Webhooks are accepted again within two seconds.  A webhook that was answered 503 is stored once when it is sent
 * again, and processed. */
static void returns(const char *id)
{
	char body[WEBHOOK_MAX];

	expect_recovery(2000);
	expect_accepted_within(webhook_simple(id, body), 2000);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id), 1);
	cr_assert_eq(database_wait("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1"
				   " AND status = 'PROCESSED'",
			     id, 1, 20000),
		1, "not processed");
	/* Each responder recovers on its own. */
	long long deadline = calm_ms() + 2000;
	while (!reports_health("/", "\"status\":\"HEALTHY\"", true) || !reports_health("/readyz", "", true))
		cr_assert(calm_ms() < deadline, "not healthy again");
}

Test(database, stopped_means_503_in_half_a_second_and_202_soon_after_its_return)
{
	char id[64];

	fresh_id("stopped", id);
	break_stop_database();
	answers_in_time(id, "at once");
	is_unhealthy(0);
	long long until = now_ms() + 3000;
	while (now_ms() < until)
		is_asked_to_come_again(id, "later");
	answers_in_time(id, "after 3 s");
	mend_all();
	mend_wait_database(10000);
	returns(id);
}

static long lines_with(const char *event)
{
	char path[128], line[4096];
	long count = 0;

	snprintf(path, sizeof(path), "%s/state/log/pool.log", instance()->folder);
	FILE *f = fopen(path, "re");
	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		count += strstr(line, event) != NULL;
	fclose(f);
	return count;
}

/* Otherwise a client could fill the disk with log lines while the database is away. */
Test(database, stopped_is_logged_once_a_second_however_many_requests_fail)
{
	struct pids responders, gone;
	char line[4096];

	/* Responders that have logged nothing yet: one that no health check reached since the last outage still waits for
	 * its end, and would not log another beginning. */
	instance_parts(instance(), "payhook-app", &gone);
	process_signal(&gone, SIGKILL);
	cr_assert(mend_wait_parts("payhook-app", gone.count, &gone, 10000));
	expect_recovery(5000);
	break_stop_database();
	instance_parts(instance(), "payhook-app", &responders);
	long lookups = lines_with("\"lookup failed\""), checks = lines_with("\"health check failed\"");
	long long began = now_ms();
	for (int n = 0; n < 100; n++) {
		cr_assert_eq(call_get_status("/v1/transactions/anything"), 503);
		cr_assert_eq(call_get_status("/v1/payments/anything"), 503);
		cr_assert_eq(call_get_status("/readyz"), 503);
	}
	long seconds = (long)((now_ms() - began) / 1000) + 1;
	/* The logs go on with the supervisor, which was frozen so that it restarts nothing. */
	mend_all();
	long long deadline = calm_ms() + 30000;
	while (lines_with("\"health check failed\"") == checks || lines_with("\"lookup failed\"") == lookups) {
		cr_assert(calm_ms() < deadline, "it is not logged");
		pause_a_little();
	}
	logs_wait("pool", "\"health check failed\"", "\"reason\":\"", line, sizeof(line));
	lookups = lines_with("\"lookup failed\"") - lookups;
	checks = lines_with("\"health check failed\"") - checks;
	cr_expect(lookups >= 1 && lookups <= responders.count * (seconds + 1), "%ld lines of lookups in %ld s", lookups,
		seconds);
	cr_expect(checks >= 1 && checks <= responders.count, "%ld lines of health checks in %ld s", checks, seconds);
	mend_wait_database(10000);
	expect_recovery(5000);
	while (lines_with("\"health check succeeds again\"") == 0) {
		cr_assert(calm_ms() < deadline, "its end is not logged");
		cr_assert_eq(call_get_status("/readyz"), 200);
	}
}

static void set_read_only(const char *value)
{
	char sql[128];
	snprintf(sql, sizeof(sql), "ALTER SYSTEM SET default_transaction_read_only = %s", value);
	database_as_superuser(sql);
	database_as_superuser("SELECT pg_reload_conf()");
}

/* Posts until the first webhook is refused: the pages that a responder has may hold some. */
static void is_refused_soon(const char *prefix)
{
	char id[80], body[WEBHOOK_MAX];
	struct answer a = {.status = 202};

	for (int n = 0; a.status == 202; n++) {
		cr_assert(n < 5000, "never refused");
		snprintf(id, sizeof(id), "%s-%d", prefix, n);
		call_post(webhook_simple(id, body), &a);
		cr_assert(a.status == 202 || a.status == 503, "%d %s", a.status, a.body);
		answer_finish(&a);
	}
}

Test(database, read_only_means_not_ready_within_a_second_and_ready_two_seconds_after_it)
{
	char prefix[64];

	set_read_only("on");
	is_refused_soon(fresh_id("read-only", prefix));
	is_unhealthy(1000);
	set_read_only("off");
	expect_health(2000);
	expect_recovery(2000);
}

/* The tables alone are on a disk of their own, so the log and all else go on. */
static char disk[96];

static void move_tables(const char *space)
{
	char sql[128];
	snprintf(sql, sizeof(sql), "ALTER TABLE payhook.transactions SET TABLESPACE %s", space);
	database_as_superuser(sql);
	snprintf(sql, sizeof(sql), "ALTER TABLE payhook.jobs SET TABLESPACE %s", space);
	database_as_superuser(sql);
}

static void fill_disk(const char *file)
{
	static char block[4096];
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert(fd >= 0);
	while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block))
		;
	close(fd);
}

static bool mount_disk(void)
{
	struct stat data;
	char path[96], sql[160];
	snprintf(disk, sizeof(disk), "%s/disk", instance()->folder);
	snprintf(path, sizeof(path), "%s", database_as_superuser("SELECT current_setting('data_directory')"));
	if (mkdir(disk, 0700) != 0 || mount("tmpfs", disk, "tmpfs", 0, "size=8m") != 0)
		return false;
	cr_assert(stat(path, &data) == 0 && chown(disk, data.st_uid, data.st_gid) == 0);
	snprintf(sql, sizeof(sql), "CREATE TABLESPACE small LOCATION '%s'", disk);
	database_as_superuser(sql);
	return true;
}

static void end_disk(void)
{
	char file[128];
	snprintf(file, sizeof(file), "%s/filler", disk);
	unlink(file);
	umount2(disk, MNT_DETACH);
	mend_all();
}

TestSuite(database_full, .init = mend_and_wait, .fini = end_disk);

Test(database_full, full_disk_means_not_ready_within_a_second_and_ready_two_seconds_after_it)
{
	char prefix[64], file[128];

	if (!mount_disk())
		cr_skip_test("not allowed to mount");
	move_tables("small");
	snprintf(file, sizeof(file), "%s/filler", disk);
	fill_disk(file);
	is_refused_soon(fresh_id("full", prefix));
	is_unhealthy(1000);
	cr_assert_eq(unlink(file), 0);
	expect_health(2000);
	expect_recovery(2000);
	move_tables("pg_default");
	database_as_superuser("DROP TABLESPACE small");
}

Test(database, frozen_means_503_in_half_a_second_and_202_when_it_thaws)
{
	char id[64];

	fresh_id("frozen", id);
	break_freeze("postgres");
	answers_in_time(id, "frozen");
	mend_all();
	returns(id);
}

Test(database, frozen_for_long_means_503_all_the_time_and_202_when_it_thaws)
{
	char id[64];

	fresh_id("frozen-long", id);
	break_freeze("postgres");
	/* A connection attempt is given up after 3 s.  Requests must not wait for the following attempts either. */
	long long until = now_ms() + 7000;
	while (now_ms() < until)
		answers_in_time(id, "frozen");
	mend_all();
	returns(id);
}

Test(database, frozen_under_load_answers_everyone_in_time_and_loses_nothing)
{
	char prefix[64];
	struct load l = {.connections = 64, .per_second = 1000};

	l.prefix = fresh_id("frozen-load", prefix);
	load_open(&l);
	load_step(&l, 500);
	cr_assert_eq(l.accepted, l.answered, "%s", l.trouble);
	break_freeze("postgres");
	load_step(&l, 2000);
	long answered = l.answered;
	mend_all();
	long long deadline = calm_ms() + 10000;
	long accepted = l.accepted;
	while (l.accepted < accepted + 1000 && calm_ms() < deadline)
		load_step(&l, 50);
	cr_assert(l.accepted >= accepted + 1000, "not accepted again: %s", l.trouble);
	cr_assert(load_end(&l, 5000), "%ld of %ld answered", l.answered, l.begun);
	cr_assert(answered > 0 && load_count(&l, 503) > 0, "%s", l.trouble);
	cr_assert_eq(load_count(&l, 202) + load_count(&l, 503), l.begun, "%s", l.trouble);
	cr_assert_eq(load_lost(&l), 0);
	load_close(&l);
}

Test(database, killed_and_back_loses_no_acknowledged_webhook)
{
	char prefix[64];
	struct load l = {.connections = 32, .per_second = 1000};
	struct pids gone;

	l.prefix = fresh_id("killed", prefix);
	load_open(&l);
	load_step(&l, 500);
	instance_parts(instance(), "postgres", &gone);
	process_signal(&gone, SIGKILL);
	long long deadline = calm_ms() + 15000;
	long accepted = l.accepted;
	load_step(&l, 500);
	while (l.accepted < accepted + 2000 && calm_ms() < deadline)
		load_step(&l, 50);
	cr_assert(l.accepted >= accepted + 2000, "not accepted again: %s", l.trouble);
	cr_assert(load_end(&l, 5000));
	cr_assert_eq(load_count(&l, 202) + load_count(&l, 503), l.begun, "%s", l.trouble);
	cr_assert_eq(load_lost(&l), 0);
	const char *left = "SELECT count(*) FROM payhook.transactions WHERE status = 'PROCESSED'"
			   " AND starts_with(transaction_id, $1 || '-')";
	long long stored = database_number_of(
		"SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')", prefix);
	cr_assert_eq(database_wait(left, prefix, stored, 30000), stored);
	load_close(&l);
}
