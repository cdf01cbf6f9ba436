/* test_access.c - with an API_KEYS_FILE, transactions and metrics can be read only with a key that has the scope.  Keys
 * are changed by a reload. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/client.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/logs.h"
#include "support/process.h"

/* Each key's SHA-256, as sha256sum prints it for "test-reader" and so on. */
#define READER                                        \
	"{\"name\":\"reader\",\"scopes\":[\"read\"]," \
	"\"sha256\":\"0c6d914d14a1e99506d2478f3a03f9f1e6f5490e0f16f8db70958967195abf8d\"}"
#define OPERATOR                                           \
	"{\"name\":\"operator\",\"scopes\":[\"operate\"]," \
	"\"sha256\":\"1a3bde4175d7cfb457a7710efe93909a67389f0b4b64e25ce75d182308f2f738\"}"
#define EXPIRED                                                                                           \
	"{\"name\":\"expired\",\"scopes\":[\"read\",\"operate\"],\"not_after\":\"2026-01-01T00:00:00Z\"," \
	"\"sha256\":\"b4d5dc539dc04ff9291ecbf5b67108c1314c4f476cead4382f5194b5b77cc647\"}"
#define NEW                                                    \
	"{\"name\":\"new\",\"scopes\":[\"read\",\"operate\"]," \
	"\"sha256\":\"ccd6c766f25d7310dcec9af5a42dd477ad265f1b692bac9020fbaf3512a4d8a2\"}"
#define FIRST_FILE "{\"keys\":[" READER "," OPERATOR "," EXPIRED "]}"
#define SECOND_FILE "{\"keys\":[" OPERATOR "," NEW "]}"

#define RESPONDERS 2

static char file_setting[96];
const char *const instance_settings[] = {file_setting, "RESPONDERS=2", "PROCESSOR_DELAY_MS=0", NULL};

static void write_keys(const char *text)
{
	FILE *f = fopen(strchr(file_setting, '=') + 1, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

/* The file must exist before the instance is started.  This constructor also runs in the process of each test, where
 * the file exists already. */
__attribute__((constructor)) static void furnish(void)
{
	static char folder[] = "/tmp/payhook-e2e-keys-XXXXXX";
	const char *known = getenv("E2E_KEYS");
	if (!known && mkdtemp(folder)) {
		chmod(folder, 0755);
		setenv("E2E_KEYS", folder, 1);
	}
	snprintf(file_setting, sizeof file_setting, "API_KEYS_FILE=%s/keys.json", getenv("E2E_KEYS"));
	if (!known)
		write_keys(FIRST_FILE);
}

static pid_t owner;

__attribute__((constructor)) static void own(void)
{
	if (!getenv("E2E_FOLDER"))
		owner = getpid();
}

__attribute__((destructor)) static void clear(void)
{
	if (owner != getpid())
		return;
	unlink(strchr(file_setting, '=') + 1);
	rmdir(getenv("E2E_KEYS"));
}

static int get(const char *target, const char *authorization, struct answer *ret)
{
	char header[1024];
	snprintf(header, sizeof header, "Authorization: %s", authorization);
	call_send(&(struct call){.target = target, .header = *authorization ? header : NULL}, ret);
	return ret->status;
}

static void gives(const char *target, const char *authorization, int status)
{
	struct answer a;
	char challenge[32];
	cr_assert_eq(get(target, authorization, &a), status, "%s with \"%s\" gives %d: %s", target, authorization,
		a.status, a.body);
	cr_assert_eq(answer_header(&a, "WWW-Authenticate", challenge, sizeof challenge), status == 401);
	if (status == 401)
		cr_assert_str_eq(challenge, "Bearer");
	if (status >= 400)
		expect_problem_once(&a, status, authorization);
	else
		answer_finish(&a);
}

/* The key with which the tests read the metrics is in every file. */
#define SEES "Authorization: Bearer test-operator"

static void change_keys(const char *text)
{
	expect_responders(RESPONDERS, SEES);
	write_keys(text);
	mend_reload(instance_settings, RESPONDERS, SEES);
}

static void transaction(char target[128])
{
	char id[64], body[WEBHOOK_MAX];
	expect_accepted(webhook_simple(fresh_id("read", id), body));
	snprintf(target, 128, "/v1/transactions/%s", id);
}

Test(access, a_transaction_is_read_with_a_key_for_reading)
{
	char target[128];
	transaction(target);
	gives(target, "Bearer test-reader", 200);
	gives(target, "bearer  test-reader", 200);
	gives("/v1/transactions/nobody", "Bearer test-reader", 404);
	gives("/v1/payments/nobody", "Bearer test-reader", 404);
}

Test(access, without_a_key_that_counts_it_is_one_401)
{
	static const char *const keys[] = {"", "Bearer", "Bearer ", "Bearer test-reade", "Bearer test-readers",
		"Bearer test-reader x", "Bearer TEST-READER", "Basic dGVzdC1yZWFkZXI6", "test-reader",
		"Bearer test-expired", "Bearer 0c6d914d14a1e99506d2478f3a03f9f1e6f5490e0f16f8db70958967195abf8d"};
	char target[128];
	transaction(target);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		gives(target, keys[i], 401);
	/* The answer does not reveal whether the transaction exists. */
	gives("/v1/transactions/nobody", "", 401);
	gives("/v1/payments/nobody", "", 401);
	char longest[900] = "Bearer ";
	memset(longest + 7, 'a', sizeof longest - 8);
	longest[sizeof longest - 1] = '\0';
	gives(target, longest, 401);
}

#define KEPT \
	"SELECT count(*) FROM payhook.auth_failures WHERE cause = 'api_key' AND address = '127.0.0.1' AND detail = $1"

Test(access, the_name_of_a_refused_key_and_the_reason_are_kept_for_the_operator)
{
	gives("/metrics", "Bearer test-reader", 403);
	gives("/v1/transactions/nobody", "Bearer payhook_guessed", 401);
	cr_expect_geq(database_wait(KEPT, "reader: the key lacks the scope", 1, 10000), 1);
	cr_expect_geq(database_wait(KEPT, "the key is not in the file", 1, 10000), 1);
	cr_expect_eq(database_number_of(
			     "SELECT count(*) FROM payhook.rejected_requests r WHERE r::text LIKE $1", "%guessed%"),
		0);
}

Test(access, a_key_is_good_for_its_scopes_only)
{
	char target[128];
	transaction(target);
	gives(target, "Bearer test-operator", 403);
	gives("/metrics", "Bearer test-reader", 403);
	gives("/metrics", "Bearer test-operator", 200);
	gives("/metrics", "", 401);
}

Test(access, health_and_webhooks_need_no_key)
{
	char id[64], body[WEBHOOK_MAX];
	gives("/", "", 200);
	gives("/livez", "", 200);
	gives("/readyz", "Bearer nobody", 200);
	expect_accepted(webhook_simple(fresh_id("open", id), body));
}

/* Creates a key, and reads the key and its entry from the output, which has further lines. */
static void make_key(char key[128], char entry[256])
{
	char program[256], log[96], line[256];
	int status;
	snprintf(program, sizeof program, "%s/ctl/payhook-ctl", getenv("PAYHOOK_BUILD"));
	snprintf(log, sizeof log, "%s/made", getenv("E2E_KEYS"));
	pid_t pid = process_start((const char *const[]){program, "key", "made", "read", "operate", NULL}, NULL, log);
	cr_assert(process_wait(pid, 10000, &status) && status == 0);
	*key = *entry = '\0';
	FILE *f = fopen(log, "r");
	cr_assert_not_null(f);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "payhook_", 8) == 0)
			snprintf(key, 128, "%.127s", line);
		else if (*line == '{')
			snprintf(entry, 256, "%s", line);
	}
	fclose(f);
	unlink(log);
	cr_assert(*key && *entry);
}

Test(access, a_key_that_was_made_is_good_for_its_scopes)
{
	char key[128], other[128], entry[256], file[512], header[160], target[128];
	transaction(target);
	make_key(key, entry);
	snprintf(file, sizeof file, "{\"keys\":[" OPERATOR ",%s]}", entry);
	change_keys(file);
	snprintf(header, sizeof header, "Bearer %s", key);
	gives(target, header, 200);
	gives("/metrics", header, 200);
	make_key(other, entry);
	cr_expect_str_neq(key, other);
	cr_expect_eq(strlen(key), 51);
	change_keys(FIRST_FILE);
	gives(target, header, 401);
}

/* A key is shown only once, so an operator who did not see it must learn that from the exit status. */
Test(access, a_key_that_cannot_be_shown_is_an_error)
{
	char program[256];
	int status;
	snprintf(program, sizeof program, "%s/ctl/payhook-ctl", getenv("PAYHOOK_BUILD"));
	pid_t pid = process_start((const char *const[]){program, "key", "made", "read", NULL}, NULL, "/dev/full");
	cr_assert(process_wait(pid, 10000, &status));
	cr_expect_eq(WEXITSTATUS(status), 1);
}

Test(access, a_reload_with_a_bad_file_changes_nothing)
{
	char target[128];
	transaction(target);
	expect_responders(RESPONDERS, SEES);
	write_keys("{\"keys\":[{\"name\":\"reader\",\"sha256\":\"0c6d\",\"scopes\":[\"read\"]}]}");
	cr_expect_not(instance_run(instance(), (const char *const[]){"reload", NULL}, instance_settings, 60000));
	gives(target, "Bearer test-reader", 200);
	write_keys(FIRST_FILE);
}

Test(access, keys_are_read_anew_by_a_reload)
{
	char target[128];
	transaction(target);
	change_keys(SECOND_FILE);
	gives(target, "Bearer test-reader", 401);
	gives(target, "Bearer test-new", 200);
	change_keys(FIRST_FILE);
	gives(target, "Bearer test-reader", 200);
	gives(target, "Bearer test-new", 401);
}
