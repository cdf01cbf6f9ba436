/* test_sources_file.c - the variables that hold secrets of sources are wiped, as many as sources.json may name. */

#include "source/sources_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/source.h"

#define EACH (SIGNER_SECRETS_MAX + 1) /* variables of one source: its secrets, and that of "basic" */

static struct sources sources;

static void fail_with(const char *complaint)
{
	cr_assert_fail("%s", complaint);
}

static const char *name_of(int source, int i)
{
	static char name[32];
	snprintf(name, sizeof name, "SECRET_%d_%d", source, i);
	return name;
}

/* No two sources may have one secret. */
static void set_variable(int source, int i)
{
	char secret[64];
	snprintf(secret, sizeof secret, "user:hunter2 hunter2 %d %d", source, i);
	setenv(name_of(source, i), secret, 1);
}

static void write_source(FILE *file, int source)
{
	fprintf(file, "%s{\"name\":\"s%d\",\"scheme\":\"github\",\"secrets\":[", source > 0 ? ",\n" : "", source);
	for (int i = 0; i < SIGNER_SECRETS_MAX; i++)
		fprintf(file, "%s{\"env\":\"%s\"}", i > 0 ? "," : "", name_of(source, i));
	fprintf(file, "],\"basic\":{\"env\":\"%s\"}}", name_of(source, SIGNER_SECRETS_MAX));
}

Test(sources_file, wipes_the_variables_of_all_sources_and_those_of_basic, .timeout = 60)
{
	static const struct currency_extras NO_EXTRAS;
	char path[] = "/tmp/payhook-sources-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	cr_assert_not_null(file);
	fprintf(file, "{\"sources\":[");
	for (int source = 0; source < SOURCES_LISTED_MAX; source++) {
		for (int i = 0; i < EACH; i++)
			set_variable(source, i);
		write_source(file, source);
	}
	fprintf(file, "]}");
	fclose(file);
	cr_assert(sources_load(path, &NO_EXTRAS, fail_with, &sources));
	unlink(path);
	for (int source = 0; source < SOURCES_LISTED_MAX; source++) {
		for (int i = 0; i < EACH; i++)
			cr_assert_str_empty(getenv(name_of(source, i)), "%s is left", name_of(source, i));
	}
	sources_finish(&sources);
}
