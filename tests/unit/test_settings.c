#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

/* test_settings.c - the environment, read once. */

static struct settings s;
static char told[4096];

static void tell(const char *complaint)
{
	size_t len = strlen(told);
	snprintf(told + len, sizeof told - len, "%s\n", complaint);
}

static void settings_init(void)
{
	const char *names[] = {"DATABASE_URL", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER",
		"POSTGRES_PASSWORD", "PAYHOOK_PORT", "PAYHOOK_VAR", "RESPONDERS", "RATE_LIMIT", "CONFLICT_POLICY",
		"EXTRA_CURRENCIES", "PROCESSOR", "PROCESSOR_DELAY_MS", "WORKER_SLOTS", "WORKER_GRACE_MS", "LOG_LEVEL"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		unsetenv(names[i]);
	told[0] = '\0';
}

TestSuite(settings, .init = settings_init);

static void refuses(const char *name, const char *value, const char *why)
{
	memset(&s, 0x5a, sizeof s);
	struct settings before = s;
	told[0] = '\0';
	setenv(name, value, 1);
	cr_expect_not(settings_read(&s, tell), "%s=%s is accepted", name, value);
	cr_expect_not_null(strstr(told, name), "the name is missing: %s", told);
	cr_expect_not_null(strstr(told, why), "%s is missing: %s", why, told);
	cr_expect_eq(memcmp(&s, &before, sizeof s), 0, "written in spite of a failure");
	unsetenv(name);
}

Test(settings, has_a_default_for_everything)
{
	cr_assert(settings_read(&s, tell), "%s", told);
	cr_expect_eq(s.processor_delay_ms, 30000);
	cr_expect_eq(s.worker_slots, 100000);
	cr_expect_eq(s.conflict_policy, CONFLICT_QUARANTINE);
	cr_expect_eq(s.log_level, LOG_LEVEL_INFO);
	cr_expect_str_eq(s.var, "./var");
	cr_expect_str_eq(s.database, "");
}

Test(settings, takes_an_empty_value_for_none)
{
	setenv("PROCESSOR_DELAY_MS", "", 1);
	cr_assert(settings_read(&s, tell), "%s", told);
	cr_expect_eq(s.processor_delay_ms, 30000);
}

Test(settings, refuses_by_name_value_and_range)
{
	refuses("PAYHOOK_PORT", "65536", "from 0 to 65535");
	refuses("PAYHOOK_PORT", "65536", "65536");
	refuses("PROCESSOR_DELAY_MS", "-1", "from 0 to 86400000");
	refuses("PROCESSOR_DELAY_MS", "30s", "30s");
	refuses("PROCESSOR_DELAY_MS", " 3", "whole number");
	refuses("WORKER_SLOTS", "99999999999999999999", "from 1 to 1000000");
	refuses("CONFLICT_POLICY", "ignore", "quarantine reject");
	refuses("CONFLICT_POLICY", "quarantine reject", "one of these");
	refuses("LOG_LEVEL", "warning", "error warn info debug");
	refuses("EXTRA_CURRENCIES", "USDT", "USDT");
}

Test(settings, tells_all_that_is_wrong_at_once)
{
	setenv("PAYHOOK_PORT", "x", 1);
	setenv("LOG_LEVEL", "y", 1);
	cr_expect_not(settings_read(&s, tell));
	cr_expect_not_null(strstr(told, "PAYHOOK_PORT=x"));
	cr_expect_not_null(strstr(told, "LOG_LEVEL=y"));
}

Test(settings, makes_a_connection_string_of_the_old_service_s_names)
{
	setenv("POSTGRES_HOST", "db.internal", 1);
	setenv("POSTGRES_PASSWORD", "it's\\", 1);
	cr_assert(settings_read(&s, tell), "%s", told);
	cr_expect_str_eq(
		s.database, "host='db.internal' port='5432' dbname='payhook' user='payhook' password='it\\'s\\\\'");
	setenv("DATABASE_URL", "postgresql://there/", 1);
	cr_assert(settings_read(&s, tell), "%s", told);
	cr_expect_str_eq(s.database, "postgresql://there/");
}

Test(settings, prints_no_password)
{
	char *text = NULL;
	size_t len = 0;
	setenv("DATABASE_URL", "postgresql://user:hunter2@there/", 1);
	setenv("POSTGRES_PASSWORD", "hunter2", 1);
	cr_assert(settings_read(&s, tell), "%s", told);
	FILE *out = open_memstream(&text, &len);
	settings_print(&s, out);
	fclose(out);
	cr_expect_null(strstr(text, "hunter2"));
	cr_expect_not_null(strstr(text, "DATABASE_URL=(set)\n"));
	cr_expect_not_null(strstr(text, "PROCESSOR_DELAY_MS=30000\n"));
	free(text);
}
