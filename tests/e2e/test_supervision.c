/* test_supervision.c - ./payhook up restarts parts that die, and stops all of them when it ends. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=100", "WORKER_GRACE_MS=200", "RESPONDERS=2", NULL};

#define BACK_MS 3000

TestSuite(supervision, .init = mend_and_wait, .fini = mend_all);

/* Runs a command and returns its output, read from the log to which all commands append.  The caller frees it. */
static char *output_of(const struct instance *i, const char *const arguments[], bool *ret_ok)
{
	static char log[64 * 1024];
	size_t before;

	instance_log(i, log, sizeof(log));
	before = strlen(log);
	*ret_ok = instance_run(i, arguments, instance_settings, 30000);
	instance_log(i, log, sizeof(log));
	cr_assert(strlen(log) < sizeof(log) - 1, "more was printed than this can show");
	return strdup(log + before);
}

/* The pid that ./payhook status prints for a part; 0 if it is down or payhook is not ready. */
static pid_t pid_in_status(const char *part)
{
	char line[64];
	int pid = 0;
	bool ok;
	char *text = output_of(instance(), (const char *const[]){"status", NULL}, &ok);

	snprintf(line, sizeof(line), "\n  %s ", part);
	const char *at = strstr(text, line);
	if (ok && strstr(text, ", ready") != NULL && at != NULL)
		sscanf(at + strlen(line), " pid %d", &pid);
	free(text);
	return pid;
}

/* The first process of a part is killed; it is restarted in time, serves again, and status shows the new pid. */
static void comes_back(const char *name, const char *part)
{
	pid_t old = instance_first(instance(), name);
	pid_t now;
	long long deadline = now_ms() + BACK_MS;

	cr_assert(old > 0 && pid_in_status(part) == old, "%s is %d, status says %d", name, (int)old,
		(int)pid_in_status(part));
	cr_assert_eq(kill(old, SIGKILL), 0);
	while ((now = instance_first(instance(), name)) == 0 || now == old) {
		cr_assert(now_ms() < deadline, "%s is not back", name);
		pause_a_little();
	}
	if (strcmp(name, "postgres") == 0) {
		/* The time of the recovery depends on the disk; after it, webhooks must be accepted soon. */
		mend_wait_database(10000);
		expect_recovery(2000);
	} else {
		expect_recovery((int)(deadline - now_ms()));
	}
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
	long long deadline = now_ms() + BACK_MS;
	while ((worker = pid_in_status("worker")) == 0 || worker != instance_first(instance(), "payhook-worker")) {
		cr_assert(now_ms() < deadline, "status says that the worker is %d", (int)worker);
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
	long long deadline = now_ms() + 30000;
	int status;

	instance_log(i, log, sizeof(log));
	size_t before = strlen(log);
	pid_t pid = instance_begin(i, (const char *const[]){"up", NULL}, instance_settings);
	do {
		pause_a_little();
		cr_assert(now_ms() < deadline && waitpid(pid, &status, WNOHANG) == 0, "not ready: %s", log + before);
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
	long long deadline = now_ms() + 3000;

	for (;;) {
		process_mention(i->folder, &left);
		if (left.count == 0)
			return;
		process_name(left.list[0], name);
		cr_assert(now_ms() < deadline, "%d processes are left, %s among them", left.count, name);
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

	/* If the supervisor is killed, its parts continue; the next "up" stops them first. */
	pid = up(&own);
	has(&own, id);
	kill(pid, SIGKILL);
	int status;
	cr_assert(process_wait(pid, 5000, &status));
	pid = up(&own);
	has(&own, id);
	ends(pid, -pid, SIGINT);
	nobody_is_left(&own);
	cr_assert(instance_stop(&own, trouble, sizeof(trouble)), "%s", trouble);
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
