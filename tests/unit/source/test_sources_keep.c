/* test_sources_keep.c - "unreadable" of a source: where it may be "keep". */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/sources_read.h"

static const struct currency_extras extras = {0};
static struct sources sources;
static char complaints[4000];

static bool give_secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	(void)ctx, (void)place, (void)name, (void)f;
	buf_add_text(ret, "a secret of thirty-two bytes or so");
	return true;
}

static void complain(void *ctx, const char *complaint)
{
	(void)ctx;
	size_t len = strlen(complaints);
	snprintf(complaints + len, sizeof complaints - len, "%s%s", len ? "\n" : "", complaint);
}

/* Reads a source with these members. */
static bool reads(const char *members, bool with_secrets)
{
	char text[2048];
	struct sources_outside outside = {.file = "s", .extras = &extras, .report = complain};
	outside.secret = with_secrets ? give_secret : NULL;
	sources_finish(&sources); /* of the call before */
	complaints[0] = '\0';
	snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"bank\",%s}]}", members);
	return sources_read(text, strlen(text), &outside, &sources);
}

static const struct source *takes(const char *members)
{
	cr_assert(reads(members, true), "%s", complaints);
	return &sources.list[0];
}

static void refuses(const char *members, const char *why)
{
	cr_assert_not(reads(members, true), "%s was taken", members);
	cr_expect_str_eq(complaints, why);
}

static void fini(void)
{
	sources_finish(&sources);
}

TestSuite(sources_keep, .fini = fini);

#define SIGNED                                                                                          \
	"\"scheme\":\"hmac\",\"header\":\"x-signature\",\"algorithm\":\"sha256\",\"encoding\":\"hex\"," \
	"\"secrets\":[{\"file\":\"secret\"}]"

Test(sources_keep, is_refuse_unless_it_is_given)
{
	cr_expect_not(takes(SIGNED)->keep_unreadable);
	cr_expect_not(takes(SIGNED ",\"unreadable\":\"refuse\"")->keep_unreadable);
	cr_expect(takes(SIGNED ",\"unreadable\":\"keep\"")->keep_unreadable);
}

Test(sources_keep, is_refuse_for_a_source_without_a_scheme)
{
	cr_expect_not(takes("\"scheme\":\"none\",\"unreadable\":\"refuse\"")->keep_unreadable);
	refuses("\"scheme\":\"none\",\"unreadable\":\"keep\"",
		"s:1: /sources/0/unreadable: \"keep\" wants a signature scheme: without one, anyone could fill the room");
	refuses("\"scheme\":\"closed\",\"unreadable\":\"keep\"",
		"s:1: /sources/0/unreadable: \"keep\" wants a signature scheme: without one, anyone could fill the room");
}

Test(sources_keep, is_one_of_two_words)
{
	cr_expect_not(reads(SIGNED ",\"unreadable\":true", true));
	cr_expect_not(reads(SIGNED ",\"unreadable\":\"drop\"", true));
}

Test(sources_keep, needs_no_secret_for_the_mappings_alone)
{
	cr_expect(reads(SIGNED ",\"unreadable\":\"keep\"", false), "%s", complaints);
	cr_expect_eq(sources.list[0].signer.count, 0);
	cr_expect(reads(SIGNED ",\"basic\":{\"file\":\"user\"}", false), "%s", complaints);
	cr_expect_null(sources.list[0].signer.basic.key);
}

#define MAPPED(id)                                                                                           \
	SIGNED ",\"unreadable\":\"keep\",\"mapping\":{\"transaction_id\":" id                                \
	       ",\"source_account\":{\"at\":\"/from\"},"                                                     \
	       "\"destination_account\":{\"value\":\"us\"},\"amount\":{\"at\":\"/sum\",\"unit\":\"major\"}," \
	       "\"currency\":{\"at\":\"/currency\"}}"

Test(sources_keep, wants_an_identity_from_the_body)
{
	cr_expect(takes(MAPPED("{\"at\":\"/id\"}"))->keep_unreadable);
	cr_expect(takes(MAPPED("{\"at\":[\"/id\",\"/type\"],\"join\":\":\"}"))->keep_unreadable);
	cr_expect(takes(MAPPED("{\"body\":\"sha256\"}"))->keep_unreadable);
	refuses(MAPPED("{\"request\":\"id\"}"),
		"s:1: /sources/0/unreadable: \"keep\" wants a transaction_id from the body, and no header in the filters of several"
		" events: of two events with one body the second would be lost");
}
