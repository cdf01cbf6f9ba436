/* test_settings.c - reading the settings from the environment: defaults, ranges, secrets from files, and error
 * messages. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/settings.h"

static struct settings s;
static char report[4096];

static void complain(const char *complaint)
{
	size_t len = strlen(report);
	snprintf(report + len, sizeof report - len, "%s\n", complaint);
}

static void settings_init(void)
{
	const char *names[] = {"DATABASE_URL", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER",
		"POSTGRES_PASSWORD", "DATABASE_URL_FILE", "POSTGRES_USER_FILE", "POSTGRES_PASSWORD_FILE",
		"CONFLICT_POLICY", "EXTRA_CURRENCIES", "SOURCES_FILE", "REQUIRE_SIGNATURES", "API_KEYS_FILE",
		"PROCESSOR", "PROCESSOR_DELAY_MS", "PROCESSOR_URL", "PROCESSOR_CONNECT_TIMEOUT_MS",
		"PROCESSOR_TIMEOUT_MS", "MAX_ATTEMPTS", "CIRCUIT_FAILURES", "WORKER_SLOTS", "WORKER_GRACE_MS",
		"BODY_LIMIT", "PAYLOADS_KEEP_DAYS", "ATTEMPTS_KEEP_DAYS", "TRANSACTIONS_KEEP_DAYS", "METRICS_FOLDER",
		"WORKER_METRICS_ADDRESS", "WORKER_METRICS_PORT", "LOG_LEVEL", "PAYHOOK_PORT", "RATE_LIMIT",
		"METRICS_ALLOW", "ALLOWED_HOSTS", "OPEN_SOURCE_FROM", "PROCESSOR_BODY", "PROCESSOR_TOKEN_URL",
		"PROCESSOR_CLIENT_ID", "PROCESSOR_CLIENT_SECRET", "PROCESSOR_TOKEN_SCOPE", "CONSOLE_USER_HEADER"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		unsetenv(names[i]);
	report[0] = '\0';
}

TestSuite(settings, .init = settings_init);

static void refuses(const char *name, const char *value, const char *why)
{
	memset(&s, 0x5a, sizeof s);
	struct settings before = s;
	report[0] = '\0';
	setenv(name, value, 1);
	cr_expect_not(settings_read(&s, complain), "%s=%s is accepted", name, value);
	cr_expect_not_null(strstr(report, name), "the name is missing: %s", report);
	cr_expect_not_null(strstr(report, why), "%s is missing: %s", why, report);
	cr_expect_eq(memcmp(&s, &before, sizeof s), 0, "written in spite of a failure");
	unsetenv(name);
}

Test(settings, the_header_of_a_proxy_s_user_is_one_that_clients_do_not_set)
{
	setenv("CONSOLE_USER_HEADER", "X-Forwarded-User", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_str_eq(s.console_user_header, "x-forwarded-user");
	refuses("CONSOLE_USER_HEADER", "x_user", "letters, digits and hyphens");
	refuses("CONSOLE_USER_HEADER", "x user", "letters, digits and hyphens");
	refuses("CONSOLE_USER_HEADER", "Authorization", "only the proxy sets");
	refuses("CONSOLE_USER_HEADER", "host", "only the proxy sets");
}

/* A quoted value is cut and escaped, so the message always has space for the reason. */
Test(settings, reports_why_however_long_or_strange_the_value_is)
{
	char value[2000];
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	refuses("WORKER_METRICS_PORT", value, "vvv...\": a whole number from 0 to 65535 is wanted");
	refuses("LOG_LEVEL", value, "vvv...\": one of these is wanted: error warn info debug");
	memcpy(value, "/nonexistent/", 13);
	refuses("DATABASE_URL_FILE", value, "vvv: No such file or directory");
	refuses("LOG_LEVEL", "\x1b[31m\xff", "LOG_LEVEL=\"\\u001b[31m\\xff\": one");
}

Test(settings, has_a_default_for_everything)
{
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.processor_delay_ms, 30000);
	cr_expect_eq(s.processor, PROCESSOR_IS_SIMULATED);
	cr_expect_eq(s.worker_slots, 100000);
	cr_expect_eq(s.processor_connect_timeout_ms, 5000);
	cr_expect_eq(s.processor_timeout_ms, 30000);
	cr_expect_eq(s.max_attempts, 12);
	cr_expect_eq(s.circuit_failures, 20);
	cr_expect_eq(s.body_limit, 65536);
	cr_expect_eq(s.payloads_keep_days, 30);
	cr_expect_eq(s.attempts_keep_days, 30);
	cr_expect_eq(s.transactions_keep_days, 0);
	cr_expect_eq(s.processor_body, PROCESSOR_BODY_CANONICAL);
	cr_expect_eq(s.conflict_policy, CONFLICT_QUARANTINE);
	cr_expect_eq(s.log_level, LOG_LEVEL_INFO);
	cr_expect_str_eq(s.worker_metrics_address, "127.0.0.1");
	cr_expect_eq(s.worker_metrics_port, 9464);
	cr_expect_str_eq(s.database, "");
	cr_expect_eq(s.open_to, OPEN_TO_ALL);
	cr_expect_str_eq(s.open_source_from, "all");
}

/* A simulated processor has no effect, so a newcomer may send from anywhere. */
Test(settings, opens_sources_to_private_addresses_once_the_processor_is_real)
{
	setenv("PROCESSOR", "http", 1);
	setenv("PROCESSOR_URL", "http://127.0.0.1:9/", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.open_to, OPEN_TO_PRIVATE);
	cr_expect_str_eq(s.open_source_from, "private");
	setenv("OPEN_SOURCE_FROM", "all", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.open_to, OPEN_TO_ALL);
	setenv("OPEN_SOURCE_FROM", "203.0.113.0/24, fd00::/8", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.open_to, OPEN_TO_NETWORKS);
	cr_expect_eq(s.open_networks.count, 2);
	refuses("OPEN_SOURCE_FROM", "everybody", "neither all nor private, and \"everybody\" is neither an address");
	refuses("OPEN_SOURCE_FROM", "all,10.0.0.1", "\"all\" is neither an address");
	refuses("OPEN_SOURCE_FROM", " , ", "there is neither an address nor a network");
}

Test(settings, wants_all_that_a_token_needs_or_nothing_of_it)
{
	setenv("PROCESSOR_CLIENT_ID", "payhook", 1);
	refuses("PROCESSOR_CLIENT_SECRET", "hunter2", "PROCESSOR_TOKEN_URL must be set too");
	setenv("PROCESSOR_TOKEN_URL", "https://tokens.example/token", 1);
	refuses("PROCESSOR_CLIENT_SECRET", "", "PROCESSOR_CLIENT_ID and PROCESSOR_CLIENT_SECRET must be set too");
	setenv("PROCESSOR_CLIENT_SECRET", "hunter2", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_str_eq(s.processor_client_secret, "hunter2");
}

Test(settings, sends_no_original_that_is_not_kept)
{
	setenv("PROCESSOR_BODY", "original", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.processor_body, PROCESSOR_BODY_ORIGINAL);
	refuses("PAYLOADS_KEEP_DAYS", "0", "PROCESSOR_BODY=original: with PAYLOADS_KEEP_DAYS=0 no request is kept");
	setenv("PROCESSOR_BODY", "canonical", 1);
	setenv("PAYLOADS_KEEP_DAYS", "0", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.payloads_keep_days, 0);
}

Test(settings, takes_an_empty_value_for_none)
{
	setenv("PROCESSOR_DELAY_MS", "", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.processor_delay_ms, 30000);
}

/* Creates a file with these bytes.  Returns its path. */
static const char *file_of(const char *bytes, size_t len)
{
	static char path[64];
	snprintf(path, sizeof path, "/tmp/payhook-settings-XXXXXX");
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	return path;
}

static char *printed(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	settings_print(&s, out);
	fclose(out);
	return text;
}

static void takes_file(const char *bytes, const char *value)
{
	const char *path = file_of(bytes, strlen(bytes));
	setenv("DATABASE_URL_FILE", path, 1);
	report[0] = '\0';
	cr_expect(settings_read(&s, complain), "%s", report);
	cr_expect_str_eq(s.database, value);
	unlink(path);
	unsetenv("DATABASE_URL_FILE");
}

static void refuses_file(const char *bytes, size_t len, const char *why)
{
	const char *path = file_of(bytes, len);
	refuses("POSTGRES_PASSWORD_FILE", path, why);
	cr_expect_null(strstr(report, "hunter"), "the secret is report: %s", report);
	unlink(path);
}

Test(settings, takes_a_secret_from_a_file_without_its_end_of_line)
{
	takes_file("host=db password=x", "host=db password=x");
	takes_file("host=db password=x\n", "host=db password=x");
	takes_file("host=db password=x\r\n", "host=db password=x");
	takes_file(" host=db \n", " host=db ");
}

Test(settings, puts_a_password_from_a_file_into_the_connection_string)
{
	const char *path = file_of("hunter's\n", 9);
	setenv("POSTGRES_HOST", "db", 1);
	setenv("POSTGRES_PASSWORD", "", 1);
	setenv("POSTGRES_PASSWORD_FILE", path, 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_str_eq(s.database, "host='db' port='5432' dbname='payhook' user='payhook' password='hunter\\'s'");
	unlink(path);
}

/* As the official PostgreSQL image has it.  A name is no secret, so it is printed. */
Test(settings, takes_the_user_from_a_file_and_prints_it)
{
	const char *path = file_of("shop\n", 5);
	setenv("POSTGRES_HOST", "db", 1);
	setenv("POSTGRES_USER_FILE", path, 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_str_eq(s.database, "host='db' port='5432' dbname='payhook' user='shop'");
	char *text = printed();
	cr_expect_not_null(strstr(text, "POSTGRES_USER=shop\n"), "%s", text);
	free(text);
	setenv("POSTGRES_USER", "other", 1);
	refuses("POSTGRES_USER_FILE", path, "both set");
	unlink(path);
}

Test(settings, refuses_a_secret_file_that_holds_no_secret)
{
	char longest[SETTINGS_TEXT_MAX + 1];
	memset(longest, 'h', sizeof longest);
	refuses("POSTGRES_PASSWORD_FILE", "/nonexistent/secret", "No such file");
	refuses("POSTGRES_PASSWORD_FILE", "/tmp", "Is a directory");
	refuses_file("", 0, "empty");
	refuses_file("\n", 1, "empty");
	refuses_file("hunter\n2\n", 9, "one line");
	refuses_file("hunter\n\n", 8, "one line");
	refuses_file("hunter\0two", 10, "one line");
	refuses_file("\xef\xbb\xbfhunter\n", 10, "begins with a byte order mark");
	refuses_file("\xff\xfeh\0u\0", 6, "begins with a byte order mark");
	refuses_file(longest, SETTINGS_TEXT_MAX, "1023 bytes");
	refuses_file(longest, SETTINGS_TEXT_MAX + 1, "1023 bytes");
	longest[SETTINGS_TEXT_MAX - 1] = '\0';
	takes_file(longest, longest);
}

Test(settings, refuses_a_secret_that_stands_in_two_places)
{
	setenv("DATABASE_URL", "host=db password=hunter", 1);
	refuses("DATABASE_URL_FILE", "/nonexistent/secret", "both set");
	cr_expect_null(strstr(report, "hunter"), "the secret is report: %s", report);
}

Test(settings, refuses_by_name_value_and_range)
{
	refuses("WORKER_METRICS_PORT", "65536", "WORKER_METRICS_PORT=\"65536\"");
	refuses("PROCESSOR_DELAY_MS", "-1", "from 0 to 86400000");
	refuses("PROCESSOR_DELAY_MS", "30s", "30s");
	refuses("PROCESSOR_DELAY_MS", " 3", "whole number");
	refuses("WORKER_SLOTS", "99999999999999999999", "from 0 to 1000000");
	refuses("PROCESSOR_CONNECT_TIMEOUT_MS", "0", "from 1 to 600000");
	refuses("PROCESSOR_TIMEOUT_MS", "0", "from 1 to 3600000");
	refuses("MAX_ATTEMPTS", "0", "from 1 to 1000");
	refuses("MAX_ATTEMPTS", "1001", "from 1 to 1000");
	refuses("CIRCUIT_FAILURES", "1000001", "from 0 to 1000000");
	refuses("BODY_LIMIT", "1023", "from 1024 to 1048576");
	refuses("BODY_LIMIT", "1048577", "from 1024 to 1048576");
	refuses("PAYLOADS_KEEP_DAYS", "36501", "from 0 to 36500");
	refuses("ATTEMPTS_KEEP_DAYS", "36501", "from 0 to 36500");
	refuses("TRANSACTIONS_KEEP_DAYS", "36501", "from 0 to 36500");
	refuses("WORKER_METRICS_PORT", "65536", "from 0 to 65535");
	refuses("WORKER_METRICS_ADDRESS", "localhost", "\"localhost\" is not an address");
	refuses("PROCESSOR", "carrier pigeon", "simulated http");
	refuses("CONFLICT_POLICY", "ignore", "quarantine reject");
	refuses("CONFLICT_POLICY", "quarantine reject", "one of these");
	refuses("LOG_LEVEL", "warning", "error warn info debug");
	refuses("EXTRA_CURRENCIES", "USDT", "USDT");
}

Test(settings, reports_all_that_is_wrong_at_once)
{
	setenv("MAX_ATTEMPTS", "x", 1);
	setenv("LOG_LEVEL", "y", 1);
	cr_expect_not(settings_read(&s, complain));
	cr_expect_not_null(strstr(report, "MAX_ATTEMPTS=\"x\""));
	cr_expect_not_null(strstr(report, "LOG_LEVEL=\"y\""));
}

Test(settings, makes_a_connection_string_of_the_old_service_s_names)
{
	setenv("POSTGRES_HOST", "db.internal", 1);
	setenv("POSTGRES_PASSWORD", "it's\\", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_str_eq(
		s.database, "host='db.internal' port='5432' dbname='payhook' user='payhook' password='it\\'s\\\\'");
	setenv("DATABASE_URL", "postgresql://there/", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_str_eq(s.database, "postgresql://there/");
}

Test(settings, prints_no_password)
{
	setenv("DATABASE_URL", "postgresql://user:hunter2@there/", 1);
	setenv("POSTGRES_PASSWORD", "hunter2", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	char *text = printed();
	cr_expect_null(strstr(text, "hunter2"));
	cr_expect_not_null(strstr(text, "DATABASE_URL=(set)\n"));
	cr_expect_not_null(strstr(text, "PROCESSOR_DELAY_MS=30000\n"));
	free(text);
}

/* These settings are checked by the shell: tests/unit/runtime/test_shell_settings.sh. */
Test(settings, ignores_settings_that_no_c_program_reads)
{
	setenv("PAYHOOK_PORT", "x", 1);
	setenv("RATE_LIMIT", "-1", 1);
	setenv("METRICS_ALLOW", "all", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	char *text = printed();
	cr_expect_null(strstr(text, "PAYHOOK_PORT"));
	cr_expect_null(strstr(text, "METRICS_ALLOW"));
	free(text);
}

Test(settings, keeps_transactions_for_ever_or_longer_than_webhooks_are_sent_again)
{
	refuses("TRANSACTIONS_KEEP_DAYS", "1", "TRANSACTIONS_KEEP_DAYS=1: 0 or from 31 on");
	refuses("TRANSACTIONS_KEEP_DAYS", "30", "sent again for 30 days");
	setenv("TRANSACTIONS_KEEP_DAYS", "31", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.transactions_keep_days, 31);
}

Test(settings, wants_a_url_for_the_http_processor)
{
	setenv("PROCESSOR", "http", 1);
	cr_assert(settings_read(&s, complain), "the responders may not have the URL: %s", report);
	cr_expect_not(settings_name_processor(&s, complain));
	cr_expect_not_null(strstr(report, "PROCESSOR_URL: PROCESSOR=http wants one"), "%s", report);
	setenv("PROCESSOR_URL", "https://processor.example/v1/payments", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect(settings_name_processor(&s, complain), "%s", report);
	cr_expect_eq(s.processor, PROCESSOR_IS_HTTP);
	cr_expect_str_eq(s.processor_url, "https://processor.example/v1/payments");
	unsetenv("PROCESSOR");
	cr_expect(settings_read(&s, complain), "a URL that is not called does no harm: %s", report);
	refuses("PROCESSOR_URL", "ftp://processor.example/", "neither http:// nor https://");
	refuses("PROCESSOR_URL", "processor.example", "PROCESSOR_URL: ");
}

Test(settings, has_fewer_slots_where_each_is_a_connection)
{
	setenv("PROCESSOR_URL", "http://processor.example/", 1);
	setenv("PROCESSOR", "http", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.worker_slots, 256);
	setenv("WORKER_SLOTS", "7", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	cr_expect_eq(s.worker_slots, 7);
}

Test(settings, prints_no_secret_of_a_url)
{
	refuses("PROCESSOR_URL", "https://user:hunter2@there/", "password");
	cr_expect_null(strstr(report, "hunter2"));
	setenv("PROCESSOR_URL", "https://there/pay?key=hunter2", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	char *text = printed();
	cr_expect_null(strstr(text, "hunter2"));
	cr_expect_not_null(strstr(text, "PROCESSOR_URL=https://there/pay?(set)\n"));
	free(text);
	setenv("PROCESSOR_URL", "https://there/pay", 1);
	cr_assert(settings_read(&s, complain), "%s", report);
	text = printed();
	cr_expect_not_null(strstr(text, "PROCESSOR_URL=https://there/pay\n"));
	free(text);
}
