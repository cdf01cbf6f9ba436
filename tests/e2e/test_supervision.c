/* test_supervision.c - ./payhook up restarts parts that die, and stops all of them when it ends. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=100", "WORKER_GRACE_MS=200", "RESPONDERS=2", NULL};

#define BACK_MS 3000
#define TOO_LONG (51L << 20) /* bytes: the supervisor renames logs from 50 MB on */

TestSuite(supervision, .init = mend_and_wait, .fini = mend_all);

/* Runs a command and returns its output, read from the log to which all commands append.  The caller frees it. */
static char *output_of(const struct instance *i, const char *const arguments[], bool *ret_ok)
{
	static char log[256 * 1024];
	size_t before;

	instance_log(i, log, sizeof(log));
	before = strlen(log);
	*ret_ok = instance_run(i, arguments, instance_settings, 30000);
	instance_log(i, log, sizeof(log));
	cr_assert(strlen(log) < sizeof(log) - 1, "more was printed than this can show");
	return strdup(log + before);
}

/* The pid that ./payhook status prints for a part; 0 if it is down or payhook is not ready.  A worker that was killed
 * needs attention for a while, by the exit status. */
static pid_t pid_in_status(const char *part)
{
	char line[64];
	int pid = 0;
	bool ok;
	char *text = output_of(instance(), (const char *const[]){"status", NULL}, &ok);

	snprintf(line, sizeof(line), "\n  %s ", part);
	const char *at = strstr(text, line);
	if (strstr(text, ", ready") != NULL && at != NULL)
		sscanf(at + strlen(line), " pid %d", &pid);
	free(text);
	return pid;
}

/* The first process of a part is killed; it is restarted in time, serves again, and status shows the new pid. */
static void comes_back(const char *name, const char *part)
{
	pid_t old = instance_first(instance(), name);
	pid_t now;
	long long deadline = calm_ms() + BACK_MS;

	cr_assert(old > 0 && pid_in_status(part) == old, "%s is %d, status says %d", name, (int)old,
		(int)pid_in_status(part));
	cr_assert_eq(kill(old, SIGKILL), 0);
	while ((now = instance_first(instance(), name)) == 0 || now == old) {
		cr_assert(calm_ms() < deadline, "%s is not back", name);
		pause_a_little();
	}
	if (strcmp(name, "postgres") == 0) {
		/* The time of the recovery depends on the disk; after it, webhooks must be accepted soon. */
		mend_wait_database(10000);
		expect_recovery(2000);
	} else {
		expect_recovery((int)(deadline - calm_ms()));
	}
	/* Children that the old one left behind, which were the supervisor's for a moment, are gone. */
	now = instance_first(instance(), name);
	cr_assert_neq(now, old);
	cr_assert_eq(pid_in_status(part), now, "%s is %d, status says %d", name, (int)now, (int)pid_in_status(part));
}

Test(supervision, a_killed_postgres_comes_back)
{
	comes_back("postgres", "postgres");
}

Test(supervision, a_killed_nginx_comes_back)
{
	comes_back("nginx", "nginx");
}

Test(supervision, a_killed_pool_comes_back)
{
	comes_back("multiwatch", "pool");
}

Test(supervision, a_killed_worker_comes_back)
{
	comes_back("payhook-worker", "worker");
}

Test(supervision, a_killed_responder_comes_back)
{
	for (int n = 0; n < 4; n++) {
		struct pids gone = {1, {break_kill("payhook-app", n)}};
		cr_assert(mend_wait_parts("payhook-app", 2, &gone, BACK_MS), "there are not two");
		expect_recovery(BACK_MS);
	}
}

Test(supervision, all_parts_killed_at_once_come_back)
{
	struct pids all;
	pid_t worker;

	process_tree(instance_supervisor(instance()), &all);
	process_signal(&all, SIGKILL);
	cr_assert(process_wait_gone(&all, BACK_MS));
	/* Well before the supervisor's check of all parts, which it makes every five seconds. */
	expect_recovery(4500);
	/* The worker reconnects to the database by itself, possibly after the first webhook. */
	long long deadline = calm_ms() + BACK_MS;
	while ((worker = pid_in_status("worker")) == 0 || worker != instance_first(instance(), "payhook-worker")) {
		cr_assert(calm_ms() < deadline, "status says that the worker is %d", (int)worker);
		pause_a_little();
	}
}

static void post_to(const struct instance *i, const char *id)
{
	char body[WEBHOOK_MAX];
	struct answer a;

	webhook_simple(id, body);
	call_send(&(struct call){.target = WEBHOOKS, .type = "application/json", .body = body, .port = i->port}, &a);
	cr_assert_eq(a.status, 202, "%d %s%s", a.status, a.body, a.trouble);
	answer_finish(&a);
}

static void has(const struct instance *i, const char *id)
{
	char target[128];
	struct answer a;

	snprintf(target, sizeof(target), "/v1/transactions/%s", id);
	call_send(&(struct call){.target = target, .port = i->port}, &a);
	cr_assert_eq(a.status, 200, "%d %s%s", a.status, a.body, a.trouble);
	answer_finish(&a);
}

/* Starts a foreground "up" and waits until it prints that it is ready. */
static pid_t up(const struct instance *i)
{
	static char log[64 * 1024];
	long long deadline = calm_ms() + 30000;
	int status;

	instance_log(i, log, sizeof(log));
	size_t before = strlen(log);
	pid_t pid = instance_begin(i, (const char *const[]){"up", NULL}, instance_settings);
	do {
		pause_a_little();
		cr_assert(calm_ms() < deadline && waitpid(pid, &status, WNOHANG) == 0, "not ready: %s", log + before);
		instance_log(i, log, sizeof(log));
	} while (strstr(log + before, "payhook: ready at ") == NULL);
	return pid;
}

/* A foreground "up" ends after a signal to this process (a process group if negative) and leaves nothing behind. */
static void ends(pid_t pid, pid_t target, int signal)
{
	struct pids all;
	int status;

	process_tree(pid, &all);
	cr_assert(all.count >= 8, "only %d processes", all.count);
	cr_assert_eq(kill(target, signal), 0);
	cr_assert(process_wait(pid, 20000, &status), "up does not end");
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "up ended with %#x", (unsigned)status);
	cr_assert(process_wait_gone(&all, 1000), "up left processes");
}

/* Searches for any process of this directory: PostgreSQL, nginx and the programs have it in their arguments, as have
 * helpers of the script. */
static void nobody_is_left(const struct instance *i)
{
	struct pids left;
	char name[32];
	long long deadline = calm_ms() + 3000;

	for (;;) {
		process_mention(i->folder, &left);
		if (left.count == 0)
			return;
		process_name(left.list[0], name);
		cr_assert(calm_ms() < deadline, "%d processes are left, %s among them", left.count, name);
		pause_a_little();
	}
}

Test(supervision, ctrl_c_leaves_no_process_and_the_next_up_finds_its_data)
{
	struct instance own;
	char trouble[512];
	char id[64];

	cr_assert(instance_prepare(&own, trouble, sizeof(trouble)), "%s", trouble);
	pid_t pid = up(&own);
	post_to(&own, fresh_id("kept", id));
	ends(pid, -pid, SIGINT);

	pid = up(&own);
	has(&own, id);
	post_to(&own, fresh_id("also-kept", id));
	ends(pid, pid, SIGTERM);

	static char log[64 * 1024];
	instance_log(&own, log, sizeof(log));
	cr_expect_null(strstr(log, "NOTICE"), "%s", log);
	nobody_is_left(&own);
	cr_assert(instance_stop(&own, trouble, sizeof(trouble)), "%s", trouble);
}

/* Kills the supervisor of a foreground "up".  Its parts must end by themselves, within the time that PostgreSQL's fast
 * shutdown takes. */
static void parts_end_with_their_supervisor(const struct instance *i, pid_t pid)
{
	struct pids all;
	int status;
	bool ok;

	process_tree(pid, &all);
	cr_assert(all.count >= 8, "only %d processes", all.count);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert(process_wait(pid, 5000, &status));
	cr_assert(process_wait_gone(&all, 10000), "parts go on without their supervisor");
	char *text = output_of(i, (const char *const[]){"status", NULL}, &ok);
	cr_expect(!ok && strstr(text, "not running") != NULL, "%s", text);
	free(text);
}

/* The supervisor and the parents of responders and of nginx's workers are killed at once, and a worker is frozen: the
 * kernel ends none of these, so the next "up" does. */
static pid_t up_ends_what_is_left(const struct instance *i, pid_t pid)
{
	struct pids all;
	int status;

	process_tree(pid, &all);
	kill(instance_first(i, "payhook-worker"), SIGSTOP);
	pid_t parents[] = {pid, instance_first(i, "multiwatch"), instance_first(i, "nginx")};
	for (size_t n = 0; n < COUNT_OF(parents); n++)
		kill(parents[n], SIGKILL);
	cr_assert(process_wait(pid, 5000, &status));
	pid = up(i);
	cr_assert(process_wait_gone(&all, 0), "processes of the run before are left");
	return pid;
}

Test(supervision, a_killed_supervisor_leaves_no_process_and_the_next_up_finds_its_data)
{
	struct instance own;
	char trouble[512];
	char id[64];

	cr_assert(instance_prepare(&own, trouble, sizeof(trouble)), "%s", trouble);
	pid_t pid = up(&own);
	post_to(&own, fresh_id("kept", id));
	parts_end_with_their_supervisor(&own, pid);
	pid = up(&own);
	has(&own, id);
	pid = up_ends_what_is_left(&own, pid);
	has(&own, id);
	ends(pid, -pid, SIGINT);
	nobody_is_left(&own);
	cr_assert(instance_stop(&own, trouble, sizeof(trouble)), "%s", trouble);
}

/* The folder has a name in UTF-8, and one that is none.  multiwatch accepts neither in an argument. */
Test(supervision, a_path_with_letters_outside_ascii_works)
{
	static const char *const names[] = {"caf\xc3\xa9 \xe6\x97\xa5", "caf\xe9"};
	struct instance own, inner;
	char trouble[512];
	char id[64];

	cr_assert(instance_prepare(&own, trouble, sizeof(trouble)), "%s", trouble);
	for (size_t n = 0; n < COUNT_OF(names); n++) {
		inner = own;
		snprintf(inner.folder, sizeof(inner.folder), "%.40s/%s", own.folder, names[n]);
		cr_assert_eq(mkdir(inner.folder, 0755), 0);
		pid_t pid = up(&inner);
		post_to(&inner, fresh_id("path", id));
		has(&inner, id);
		ends(pid, -pid, SIGINT);
	}
	cr_assert(instance_stop(&own, trouble, sizeof(trouble)), "%s", trouble);
}

/* Starts "up", waits for a text, sends SIGINT as the terminal does, and expects a message about the interruption only. */
static void is_interrupted(const struct instance *i, const char *const settings[], const char *after)
{
	static char log[64 * 1024];
	long long deadline = calm_ms() + 30000;
	int status;
	pid_t pid = instance_begin(i, (const char *const[]){"up", NULL}, settings);

	do {
		pause_a_little();
		cr_assert(calm_ms() < deadline, "not in the log: %s", after);
		instance_log(i, log, sizeof(log));
	} while (strstr(log, after) == NULL);
	kill(-pid, SIGINT);
	cr_assert(process_wait(pid, 20000, &status));
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 130, "status %#x", (unsigned)status);
	instance_log(i, log, sizeof(log));
	const char *at = strstr(log, after);
	cr_expect_not_null(strstr(at, "payhook: interrupted\n"), "%s", log);
	cr_expect_null(strstr(at, "failed"), "%s", log);
	nobody_is_left(i);
}

Test(supervision, ctrl_c_interrupts_a_build_and_a_migration)
{
	struct instance own;
	char trouble[512], build[128], schema[128], file[160];

	cr_assert(instance_prepare(&own, trouble, sizeof(trouble)), "%s", trouble);
	snprintf(build, sizeof(build), "PAYHOOK_BUILD=%s/build", own.folder);
	is_interrupted(&own, (const char *const[]){build, NULL}, "preparing the build");

	snprintf(schema, sizeof(schema), "PAYHOOK_SCHEMA=%s/schema", own.folder);
	cr_assert_eq(mkdir(strchr(schema, '=') + 1, 0755), 0);
	for (int n = 1; n <= 2; n++) {
		snprintf(file, sizeof(file), "%s/000%d_test.sql", strchr(schema, '=') + 1, n);
		FILE *migration = fopen(file, "w");
		cr_assert_not_null(migration);
		fprintf(migration, "SELECT pg_sleep(%d);\n", n == 1 ? 0 : 60);
		fclose(migration);
	}
	/* It is printed when it has been applied, so the second one runs. */
	is_interrupted(&own, (const char *const[]){schema, NULL}, "0001_test.sql");
	cr_assert(instance_stop(&own, trouble, sizeof(trouble)), "%s", trouble);
}

/* Searches a log of the shared instance from this byte on. */
static bool log_has(const char *name, long from, const char *text)
{
	char path[160], line[4096];
	bool found = false;

	snprintf(path, sizeof(path), "%s/state/log/%s", instance()->folder, name);
	FILE *file = fopen(path, "r");
	if (file != NULL)
		fseek(file, from, SEEK_SET);
	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = strstr(line, text) != NULL;
	if (file != NULL)
		fclose(file);
	return found;
}

/* Makes the access log too long, and sends requests until it has been renamed and for a little longer.  Each is in one
 * of the two files. */
Test(supervision, a_log_that_is_too_long_is_renamed_without_losing_a_line)
{
	char path[160], target[64];
	struct answer a;
	int count = 0, more = 50;
	long long deadline = calm_ms() + 30000;

	snprintf(path, sizeof(path), "%s/state/log/access.log", instance()->folder);
	cr_assert_eq(truncate(path, TOO_LONG), 0);
	snprintf(path, sizeof(path), "%s/state/log/access.log.1", instance()->folder);
	unlink(path);
	while (more > 0) {
		cr_assert(calm_ms() < deadline, "%s does not appear", path);
		snprintf(target, sizeof(target), "/rotation/%06d/", count++);
		call_send(&(struct call){.target = target, .port = instance()->port}, &a);
		cr_assert_eq(a.status, 404, "%d %s", a.status, a.trouble);
		answer_finish(&a);
		more -= access(path, F_OK) == 0 ? 1 : 0;
	}
	/* nginx writes its lines after a second at the latest. */
	for (int n = count - 1; n >= 0; n--) {
		snprintf(target, sizeof(target), "/rotation/%06d/", n);
		while (!log_has("access.log.1", TOO_LONG, target) && !log_has("access.log", 0, target)) {
			cr_assert(calm_ms() < deadline + 5000, "%s of %d is in no log", target, count);
			pause_a_little();
		}
	}
}

static void contains(const char *const arguments[], const char *const settings[], bool succeeds, const char *expected)
{
	static char log[64 * 1024];
	size_t before;

	instance_log(instance(), log, sizeof(log));
	before = strlen(log);
	bool ok = instance_run(instance(), arguments, settings, 30000);
	instance_log(instance(), log, sizeof(log));
	cr_assert_eq(ok, succeeds, "%s", log + before);
	cr_assert_not_null(strstr(log + before, expected), "%s", log + before);
}

Test(supervision, a_second_up_of_the_same_folder_changes_nothing)
{
	pid_t before = instance_supervisor(instance());

	contains((const char *const[]){"up", "-d", NULL}, instance_settings, true, "already running");
	contains((const char *const[]){"up", NULL}, instance_settings, false, "already running");
	cr_assert_eq(instance_supervisor(instance()), before);
	expect_recovery(1000);
}

Test(supervision, a_bad_setting_is_refused_by_name)
{
	struct instance own;
	char trouble[512], log[2048];

	cr_assert(instance_prepare(&own, trouble, sizeof(trouble)), "%s", trouble);
	cr_assert(!instance_run(&own, (const char *const[]){"up", "-d", NULL},
			  (const char *const[]){"PROCESSOR_DELAY_MS=soon", NULL}, 30000),
		"it started");
	instance_log(&own, log, sizeof(log));
	cr_assert(strstr(log, "PROCESSOR_DELAY_MS") != NULL && strstr(log, "soon") != NULL, "%s", log);
	cr_assert_eq(instance_supervisor(&own), 0);
	/* payhook must not start with a source that accepts unsigned webhooks if signatures are required. */
	cr_assert(!instance_run(&own, (const char *const[]){"up", "-d", NULL},
			  (const char *const[]){"REQUIRE_SIGNATURES=true", NULL}, 30000),
		"it started");
	instance_log(&own, log, sizeof(log));
	cr_assert_not_null(strstr(log, "REQUIRE_SIGNATURES"), "%s", log);
	/* The port is in use by another instance. */
	own.port = instance()->port;
	cr_assert(!instance_run(&own, (const char *const[]){"up", "-d", NULL}, NULL, 30000), "it started");
	instance_log(&own, log, sizeof(log));
	char port[16];
	snprintf(port, sizeof(port), "%d", own.port);
	cr_assert_not_null(strstr(log, port), "%s", log);
	expect_recovery(1000);
	cr_assert(instance_stop(&own, trouble, sizeof(trouble)), "%s", trouble);
}

static long memory_available_mb(void)
{
	char line[128];
	long kb = 0;
	FILE *file = fopen("/proc/meminfo", "r");

	while (file != NULL && kb == 0 && fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "MemAvailable: %ld", &kb);
	if (file != NULL)
		fclose(file);
	return kb / 1024;
}

/* Root may allow the kernel to lend huge pages on a machine with enough memory; otherwise PostgreSQL runs without
 * them. */
Test(supervision, postgres_gets_huge_pages_where_they_may_be_lent)
{
	if (access("/proc/sys/vm/nr_overcommit_hugepages", W_OK) != 0 || memory_available_mb() < 8192)
		cr_skip_test("not root, or not 8 GB free");
	cr_assert(process_maps(instance_first(instance(), "postgres"), "anon_hugepage"));
}
