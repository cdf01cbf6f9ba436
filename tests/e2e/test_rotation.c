/* test_rotation.c - secrets and sources change by a reload while payhook runs. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/logs.h"
#include "support/signed_webhook.h"

#define RESPONDERS 2

TestSuite(rotation, .timeout = 180);

/* The bank only, without the built-in source.  Its secret is in a file or in a variable. */
#define BANK_WITH(secrets)                                                                                           \
	"{\"sources\":[{\"name\":\"bank\",\"scheme\":\"standard-webhooks\",\"secrets\":[" secrets "],"               \
	"\"mapping\":{\"transaction_id\":{\"at\":\"/data/id\"},\"source_account\":{\"at\":\"/data/payer/account\"}," \
	"\"destination_account\":{\"at\":\"/data/payee/account\"},\"amount\":{\"at\":\"/data/amount\","              \
	"\"unit\":\"major\"},\"currency\":{\"at\":\"/data/currency\"}}}"
/* Settings of the shared instance, which this file does not use: its test starts an instance of its own, several
 * times. */
const char *const instance_settings[] = {"RESPONDERS=1", NULL};

#define CLOSED ",\n{\"name\":\"transactions\",\"scheme\":\"closed\"}]}\n"
#define VARIABLE "{\"env\":\"E2E_BANK_SECRET\"}"

static struct instance own;
static char folder[96], file_setting[128], secret_setting[300];
static const char *const settings[] = {
	file_setting, secret_setting, "REQUIRE_SIGNATURES=true", "RESPONDERS=2", "LOG_LEVEL=debug", NULL};
/* A reload does not need the secret. */
static const char *const fewer[] = {file_setting, "REQUIRE_SIGNATURES=true", "RESPONDERS=2", NULL};

static void prepare(void)
{
	char trouble[512], secret[256];

	cr_assert(instance_prepare(&own, trouble, sizeof(trouble)), "%s", trouble);
	snprintf(folder, sizeof(folder), "%s/sources", own.folder);
	cr_assert_eq(mkdir(folder, 0755), 0);
	chmod(folder, 0755);
	snprintf(file_setting, sizeof(file_setting), "SOURCES_FILE=%s/sources.json", folder);
	signed_webhook_secret(BANK, KEY_FIRST, secret);
	snprintf(secret_setting, sizeof(secret_setting), "E2E_BANK_SECRET=%s", secret);
}

static bool up(void)
{
	return instance_run(&own, (const char *const[]){"up", "-d", NULL}, settings, 120000);
}

static void log_contains(const char *text)
{
	char log[8192];

	instance_log(&own, log, sizeof(log));
	cr_assert_not_null(strstr(log, text), "no \"%s\" in %s", text, log);
}

static void is_answered(struct signed_webhook *w, int key, int status, const char *what)
{
	struct answer a;

	signed_webhook_sign(w, key, (int64_t)time(NULL));
	signed_webhook_post(w, &a);
	cr_assert_eq(a.status, status, "%s: %d %s%s", what, a.status, a.body, a.trouble);
	answer_finish(&a);
}

static void reload(void)
{
	mend_reload(fewer, RESPONDERS, NULL);
}

static void is_not_reloaded(const char *sources, const char *complaint)
{
	struct pids before, after;

	signed_webhook_furnish(folder, sources);
	instance_parts(&own, "payhook-app", &before);
	cr_assert_not(instance_run(&own, (const char *const[]){"reload", NULL}, fewer, 30000), "it was reloaded");
	log_contains(complaint);
	log_contains("the responders go on with what they have");
	instance_parts(&own, "payhook-app", &after);
	cr_assert_eq(before.count, after.count);
	for (int n = 0; n < before.count; n++)
		cr_assert(process_in(&after, before.list[n]), "another responder");
}

/* The check of a reload is made by the responders' user, which cannot read root's files. */
static void is_not_checked_by_root(void)
{
	char path[160], secret[256];

	if (geteuid() != 0)
		return;
	snprintf(path, sizeof(path), "%s/root-only", folder);
	signed_webhook_secret(BANK, KEY_FIRST, secret);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_gt(dprintf(fd, "%s\n", secret), 0);
	close(fd);
	is_not_reloaded(BANK_WITH("{\"file\":\"root-only\"}") CLOSED, "/sources/0/secrets/0/file");
}

/* ---- places that must not contain a secret ---- */

static void holds_no_secret(const char *path)
{
	static char text[4 << 20];
	FILE *f = fopen(path, "re");

	cr_assert_not_null(f, "%s", path);
	size_t len = fread(text, 1, sizeof(text), f);
	fclose(f);
	cr_assert(len < sizeof(text), "%s is longer", path);
	cr_assert_not(signed_webhook_betrays(text, len), "%s", path);
}

static void no_secret_is_logged(void)
{
	static const char *const logs[] = {"pool", "worker", "access", "nginx", "payhook"};
	char path[160];

	for (size_t n = 0; n < COUNT_OF(logs); n++) {
		snprintf(path, sizeof(path), "%s/state/log/%s.log", own.folder, logs[n]);
		holds_no_secret(path);
	}
	snprintf(path, sizeof(path), "%s/log", own.folder);
	holds_no_secret(path);
}

/* nginx and PostgreSQL overwrite the environment with which they were started, so their memory is searched for a copy. */
static void no_memory_has_the_secret(const char *name)
{
	struct pids all;

	instance_parts(&own, name, &all);
	cr_assert_gt(all.count, 0, "no %s", name);
	for (int n = 0; n < all.count; n++)
		cr_expect_not(process_memory_holds(all.list[n], signed_webhook_betrays), "%s", name);
}

/* Each responder overwrites the variables that SOURCES_FILE names.  multiwatch keeps them for the next responder; nothing else
 * that runs ever had them. */
static void only_multiwatch_has_the_secret(void)
{
	static char variables[256 * 1024];
	char path[160], name[32];
	struct pids all;
	pid_t pool = instance_first(&own, "multiwatch"), top = instance_supervisor(&own);

	process_tree(top, &all);
	cr_assert(all.count >= 6 + RESPONDERS, "only %d processes", all.count);
	all.list[all.count++] = top;
	for (int n = 0; n < all.count; n++) {
		process_name(all.list[n], name);
		snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)all.list[n]);
		holds_no_secret(path);
		ssize_t len = process_environment(all.list[n], variables, sizeof(variables));
		bool has = len > 0 && signed_webhook_betrays(variables, (size_t)len);
		cr_expect_eq(has, all.list[n] == pool, "%s", name);
	}
	no_memory_has_the_secret("nginx");
	no_memory_has_the_secret("payhook-worker");
	no_memory_has_the_secret("postgres");
}

/* --check lists the sources, and prints no secret. */
static void check_prints_the_sources(void)
{
	char program[128], log[96];
	int status = -1;

	snprintf(program, sizeof(program), "%s/state/bin/payhook-app", own.folder);
	snprintf(log, sizeof(log), "%s/log", own.folder);
	pid_t pid = process_start((const char *const[]){program, "--check", NULL},
		(const char *const[]){file_setting, secret_setting, "DATABASE_URL=host=none", NULL}, log);
	cr_assert(process_wait(pid, 10000, &status) && status == 0, "%d", status);
	log_contains("source transactions: closed, 0 secrets");
	log_contains("source bank: standard-webhooks, 1 secrets");
}

Test(rotation, secrets_and_sources_change_by_a_reload_and_nothing_by_a_bad_one)
{
	static struct signed_webhook w;
	char trouble[512];
	struct answer a;

	prepare();
	/* The built-in source would accept unsigned webhooks. */
	signed_webhook_furnish(folder, BANK_WITH(VARIABLE) "]}\n");
	cr_assert_not(up(), "it started");
	log_contains("REQUIRE_SIGNATURES=true: the source transactions takes unsigned webhooks");
	cr_assert_eq(instance_supervisor(&own), 0);

	signed_webhook_furnish(folder, BANK_WITH(VARIABLE) CLOSED);
	cr_assert(up());
	cr_assert(instance_find_database(&own));
	instance_share(&own);
	call_get("/readyz", &a);
	cr_assert_str_eq(a.body, "{\"status\":\"ready\"}");
	answer_finish(&a);
	char body[WEBHOOK_MAX];
	cr_assert_eq(call_post_status(webhook_simple("nobody-signed-this", body)), 404);
	signed_webhook_write(&w, BANK);
	is_answered(&w, KEY_FIRST, 202, "by the variable's secret");
	is_answered(&w, KEY_SECOND, 401, "by one that is none yet");
	check_prints_the_sources();
	only_multiwatch_has_the_secret();

	/* Adds a secret beside the first one, by a reload without the variable. */
	signed_webhook_furnish(folder, BANK_WITH(VARIABLE ",{\"file\":\"bank-1\"}") CLOSED);
	reload();
	is_answered(&w, KEY_FIRST, 202, "the old beside the new");
	is_answered(&w, KEY_SECOND, 202, "the new beside the old");
	only_multiwatch_has_the_secret();
	signed_webhook_furnish(folder, BANK_WITH("{\"file\":\"bank-1\"}") CLOSED);
	reload();
	is_answered(&w, KEY_FIRST, 401, "the old one is gone");
	is_answered(&w, KEY_SECOND, 202, "the new one alone");

	signed_webhook_furnish(folder,
		BANK_WITH("{\"file\":\"bank-1\"}") ",{\"name\":\"transactions\",\"scheme\":\"github\",\"secrets\":[{"
						   "\"file\":\"ledger-0\"}]}]}\n");
	reload();
	cr_assert_eq(call_post_status(webhook_simple("nobody-signed-this", body)), 401);

	is_not_reloaded(BANK_WITH("{\"file\":\"bank-9\"}") CLOSED, "/sources/0/secrets/0/file");
	is_answered(&w, KEY_SECOND, 202, "after a reload for a file that is not there");
	is_not_reloaded(BANK_WITH("{\"file\":\"bank-1\"}") "]}\n", "the source transactions takes unsigned webhooks");
	is_not_reloaded("{\"sources\":[", "sources.json:1:");
	is_not_checked_by_root();
	is_answered(&w, KEY_SECOND, 202, "after a reload for no JSON");
	no_secret_is_logged();
	cr_assert(logs_are_well_formed(&own, trouble, sizeof(trouble)), "%s", trouble);
	cr_assert(instance_stop(&own, trouble, sizeof(trouble)), "%s", trouble);
}
