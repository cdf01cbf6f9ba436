/* exchange.c - records requests and their answers as lines of JSON, which tests/openapi/exchanges.py compares with
 * openapi.yaml. */

#include "support/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <json-c/json.h>

#include "support/client.h"

#define BODY_MOST (64 * 1024) /* bytes of a body that are recorded; a longer body is answered 413 without being read */

static void add(json_object *o, const char *name, const char *bytes, size_t len)
{
	json_object_object_add(o, name, bytes == NULL ? NULL : json_object_new_string_len(bytes, (int)len));
}

static void add_text(json_object *o, const char *name, const char *text)
{
	add(o, name, text, text == NULL ? 0 : strlen(text));
}

void exchange_note(const struct exchange *e, const struct answer *a)
{
	const char *folder = getenv("PAYHOOK_EXCHANGES");
	char path[512];

	if (folder == NULL || a->status == 0)
		return;
	json_object *o = json_object_new_object();
	add_text(o, "test", criterion_current_test == NULL ? "" : criterion_current_test->name);
	add_text(o, "method", e->method);
	add_text(o, "target", e->target);
	add(o, "sent", e->len <= BODY_MOST ? e->body : NULL, e->len);
	json_object_object_add(o, "status", json_object_new_int(a->status));
	add_text(o, "head", a->head);
	add(o, "body", a->body, a->len);
	snprintf(path, sizeof(path), "%s/%d.jsonl", folder, (int)getpid());
	FILE *f = fopen(path, "ae");
	cr_assert_not_null(f, "%s: %s", path, strerror(errno));
	fprintf(f, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	cr_assert_eq(fclose(f), 0, "%s: %s", path, strerror(errno));
	json_object_put(o);
}
