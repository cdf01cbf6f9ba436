/* fuzz_payload.c - the input as a digit, which chooses a source, and the body of its webhook: a form, a field of one, an array, and
 * an array in a member.  A body that opens has as many transactions as were counted, and opens alike a second time; one that does
 * not has a reason and a code. */

#include <string.h>

#include "fuzz.h"
#include "json/scan.h"
#include "source/payload.h"
#include "source/sources_read.h"

#define MAPPING(more)                                                                                               \
	"\"mapping\":{\"transaction_id\":{\"at\":\"/id\"},\"source_account\":{\"value\":\"a\"},"                    \
	"\"destination_account\":{\"at\":\"/to\",\"optional\":true},\"amount\":{\"at\":\"/n\",\"unit\":\"major\"}," \
	"\"currency\":{\"value\":\"EUR\"}" more "}"
#define SOURCE(name, more) "{\"name\":\"" name "\",\"scheme\":\"none\"" more "}"

static const char CONFIGURATION[] = "{\"sources\":[" SOURCE("a", ",\"body\":\"form\"," MAPPING("")) "," SOURCE(
	"b", ",\"body\":{\"form_member\":\"payload\"}," MAPPING("")) "," SOURCE("c",
	",\"items\":\"\"," MAPPING("")) "," SOURCE("d",
	",\"body\":{\"form_member\":\"payload\"},\"items\":\"/list\","
	"\"filter\":[{\"at\":\"/type\",\"is\":[\"paid\"]}]," MAPPING("")) "," SOURCE("e",
	",\"body\":\"form\"") "," SOURCE("f", "") "]}";
#define SOURCES 6

static const struct currency_extras extras = {0};

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	fprintf(stderr, "%s\n", complaint);
}

static const struct source *source(int which)
{
	static struct sources sources;
	struct sources_outside outside = {.file = "f", .extras = &extras, .report = report};
	if (sources.count == 0)
		MUST_HOLD(sources_read(CONFIGURATION, strlen(CONFIGURATION), &outside, &sources));
	return &sources.list[which];
}

static void must_have_a_code(const struct source *s, const char *body, size_t len, const struct fault *f)
{
	static const char *const CODES[] = {"form_member", "items", "too_large", "malformed"};
	const char *code = payload_code(s, body, len, f);
	int found = 0;
	while (found < 4 && strcmp(code, CODES[found]) != 0)
		found++;
	MUST_HOLD(found < 4 && f->text[0]);
	MUST_HOLD((f->kind == FAULT_INPUT) == (found < 2) && (f->kind == FAULT_TOO_LARGE) == (found == 2));
	MUST_HOLD(found != 0 || s->body.format == BODY_FORM_MEMBER);
	MUST_HOLD(found != 1 || source_has_items(s));
}

/* Reads every transaction, and returns how many could be read. */
static int read_all(struct payload *p)
{
	static struct txn txn;
	struct txn_problems problems;
	struct fault f;
	int good = 0;
	for (int i = 0; i < p->count; i++) {
		f = (struct fault){FAULT_BUG, ""};
		if (payload_next(p, &extras, &txn, &problems, &f))
			good++;
		else
			MUST_HOLD(f.kind != FAULT_BUG && f.text[0]);
	}
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct payload p;
	struct fault f = {FAULT_BUG, ""}, why;
	if (len == 0 || data[0] < '0' || data[0] >= '0' + SOURCES)
		return 0;
	const struct source *s = source(data[0] - '0');
	const char *body = (const char *)data + 1;
	if (!payload_open(s, NULL, body, --len, false, &p, &f)) {
		must_have_a_code(s, body, len, &f);
		return 0;
	}
	int count = p.count, good = read_all(&p);
	MUST_HOLD(count >= 0 && count <= MAPPING_ITEMS_MAX);
	bool is_scanned = s->body.format == BODY_JSON && !s->body.is_array && json_scan(body, len, &why);
	MUST_HOLD(payload_open(s, NULL, body, len, is_scanned, &p, &f) && p.count == count && read_all(&p) == good);
	return 0;
}
