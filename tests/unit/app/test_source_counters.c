/* test_source_counters.c - the counters of each source. */

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source_counters.h"

#define TEXT_MAX (512 * 1024)

static char folder[32];
static struct sources sources;
static struct source_counters *counters;
static struct buf text = {.max = TEXT_MAX};

static void init(void)
{
	snprintf(folder, sizeof folder, "/tmp/payhook-sources-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	sources_init(&sources);
	sources.list[1] = (struct source){.name = "stripe", .auth = SOURCE_AUTH_SIGNATURE};
	sources.count = 2;
	counters = source_counters_create(folder, &sources);
	cr_assert_not_null(counters);
}

static void fini(void)
{
	struct dirent *entry;
	DIR *d = opendir(folder);
	source_counters_destroy(counters);
	buf_finish(&text);
	while (d && (entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(folder);
}

TestSuite(source_counters, .init = init, .fini = fini);

static void end(int source, int status, bool is_verified)
{
	struct request rq = {.source = &sources.list[source], .is_verified = is_verified, .reply = {.status = status}};
	source_counters_end(counters, &rq);
}

static bool has(const char *line)
{
	buf_reset(&text, TEXT_MAX);
	cr_assert(source_counters_render(counters, &text));
	cr_assert(buf_ok(&text));
	return strstr(text.data, line);
}

#define REPORTS(line) cr_expect(has("\n" line "\n"), "%s is not in\n%s", line, text.data)

Test(source_counters, distinguish_what_only_the_provider_can_cause)
{
	end(1, 202, true);
	end(1, 422, true);
	end(1, 422, true);
	end(1, 401, false);
	end(1, 415, false);
	end(1, 403, false);
	end(1, 503, true);
	end(1, 409, true);
	REPORTS("payhook_source_webhooks_total{source=\"stripe\",outcome=\"accepted\"} 1");
	REPORTS("payhook_source_webhooks_total{source=\"stripe\",outcome=\"refused\"} 3");
	REPORTS("payhook_source_webhooks_total{source=\"stripe\",outcome=\"unverified\"} 3");
	REPORTS("payhook_source_webhooks_total{source=\"stripe\",outcome=\"unavailable\"} 1");
	REPORTS("payhook_source_webhooks_total{source=\"transactions\",outcome=\"accepted\"} 0");
}

Test(source_counters, report_the_time_of_the_last_accepted_webhook_of_a_source)
{
	cr_expect_not(has("\npayhook_source_last_accepted_timestamp_seconds{"), "%s", text.data);
	end(0, 200, false);
	cr_expect(has("\npayhook_source_last_accepted_timestamp_seconds{source=\"transactions\"} "), "%s", text.data);
	cr_expect_not(has("\npayhook_source_last_accepted_timestamp_seconds{source=\"stripe\"} "), "%s", text.data);
}

Test(source_counters, do_not_count_as_accepted_what_nobody_has_verified)
{
	end(1, 200, false);
	REPORTS("payhook_source_webhooks_total{source=\"stripe\",outcome=\"accepted\"} 0");
	REPORTS("payhook_source_webhooks_total{source=\"stripe\",outcome=\"unverified\"} 0");
}

Test(source_counters, do_not_count_what_has_no_source)
{
	struct request rq = {.reply = {.status = 404}};
	source_counters_end(counters, &rq);
	REPORTS("payhook_source_webhooks_total{source=\"transactions\",outcome=\"unverified\"} 0");
}

Test(source_counters, go_on_after_a_process_has_ended)
{
	end(1, 202, true);
	source_counters_destroy(counters);
	counters = source_counters_create(folder, &sources);
	end(1, 202, true);
	REPORTS("payhook_source_webhooks_total{source=\"stripe\",outcome=\"accepted\"} 2");
	cr_expect(has("\npayhook_source_last_accepted_timestamp_seconds{source=\"stripe\"} "), "%s", text.data);
}

Test(source_counters, are_not_rendered_without_a_folder)
{
	struct source_counters *alone = source_counters_create("", &sources);
	cr_assert_not_null(alone);
	buf_reset(&text, TEXT_MAX);
	cr_expect_not(source_counters_render(alone, &text));
	source_counters_destroy(alone);
}
