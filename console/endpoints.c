/* endpoints.c - the table of the console's routes, and the search in it.
 *
 * A row is all that an answer of the console needs: the program reads the parameters that the row names, and PostgreSQL checks
 * them and writes the JSON.  So an answer is added by a function of the schema and a row here, and access is decided in the same
 * place.  No statement is put together at run time. */

#include "endpoints.h"

#include <string.h>

#include "sign_in_failures.h"

#define PREFIX "console", "api", "v1"

const struct statement ENDPOINT_REFUSED = {"refused",
	"SELECT status, body FROM payhook.console_refused($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text)"};

static const struct endpoint ENDPOINTS[] = {
	{"GET", {"overview"}, API_READ, NULL, {"overview", "SELECT status, body FROM payhook.console_overview()"},
		{NULL}, false},
	{"GET", {"transactions"}, API_READ, NULL,
		{"transactions", "SELECT status, body FROM payhook.console_transactions($1::text, $2::text, $3::text,"
				 " $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, $11::text,"
				 " $12::text, $13::text, $14::text)"},
		{"id", "payment", "source", "status", "kind", "account", "currency", "amount_min", "amount_max", "from",
			"to", "error", "cursor", "limit"},
		false},
	{"GET", {"transactions", "{source}", "{id}"}, API_READ, NULL,
		{"transaction", "SELECT status, body FROM payhook.console_transaction($1::text, $2::text)"},
		{"source", "id"}, false},
	{"GET", {"transactions", "{source}", "{id}", "payload"}, API_PAYLOAD, "payload",
		{"payload", "SELECT status, body, encode(bytes, 'hex')"
			    " FROM payhook.console_payload($1::text, $2::text, $3::text, $4::text)"},
		{"source", "id"}, true},
	{"GET", {"transactions", "{source}", "{id}", "conflicts", "{ordinal}"}, API_PAYLOAD, "conflict_body",
		{"conflict_body",
			"SELECT status, body, encode(bytes, 'hex')"
			" FROM payhook.console_conflict_body($1::text, $2::text, $3::text, $4::text, $5::text)"},
		{"source", "id", "ordinal"}, true},
	{"GET", {"payments", "{source}", "{id}"}, API_READ, NULL,
		{"payment", "SELECT status, body FROM payhook.console_payment($1::text, $2::text)"}, {"source", "id"},
		false},
	{"GET", {"conflicts"}, API_READ, NULL,
		{"conflicts",
			"SELECT status, body FROM payhook.console_conflicts($1::text, $2::text, $3::text, $4::text)"},
		{"source", "id", "cursor", "limit"}, false},
	{"GET", {"auth-failures"}, API_READ, NULL,
		{"auth_failures",
			"SELECT status, body FROM payhook.console_auth_failures($1::text, $2::text, $3::text, $4::text)"},
		{"source", "cause", "cursor", "limit"}, false},
	{"GET", {"validation-errors"}, API_READ, NULL,
		{"validation_errors",
			"SELECT status, body FROM payhook.console_validation_errors($1::text, $2::text, $3::text)"},
		{"source", "cursor", "limit"}, false},
	{"GET", {"unreadable"}, API_READ, NULL,
		{"unreadable", "SELECT status, body FROM payhook.console_unreadable($1::text, $2::text, $3::text)"},
		{"source", "cursor", "limit"}, false},
	{"GET", {"workers"}, API_READ, NULL, {"workers", "SELECT status, body FROM payhook.console_workers()"}, {NULL},
		false},
	{"GET", {"sources"}, API_READ, NULL, {"sources", "SELECT status, body FROM payhook.console_sources()"}, {NULL},
		false},
	{"GET", {"actions"}, API_READ, NULL,
		{"actions",
			"SELECT status, body FROM payhook.console_actions($1::text, $2::text, $3::text, $4::text, $5::text,"
			" $6::text)"},
		{"source", "id", "actor", "action", "cursor", "limit"}, false},
	{"GET", {"operations"}, API_READ, NULL,
		{"operations", "SELECT status, body FROM payhook.console_operations($1::text, $2::text)"},
		{"cursor", "limit"}, false},
	{"GET", {"operations", "{operation}"}, API_READ, NULL,
		{"operation", "SELECT status, body FROM payhook.console_operation($1::text)"}, {"operation"}, false},
	{"POST", {"transactions", "{source}", "{id}", "retry"}, API_OPERATE, "retry",
		{"retry",
			"SELECT status, body FROM payhook.console_retry($1::text, $2::text, $3::text, $4::text, $5::text,"
			" $6::text)"},
		{"source", "id", "even_processed", "reason"}, false},
	{"POST", {"transactions", "{source}", "{id}", "skip"}, API_OPERATE, "skip",
		{"skip",
			"SELECT status, body FROM payhook.console_skip($1::text, $2::text, $3::text, $4::text, $5::text)"},
		{"source", "id", "reason"}, false},
	{"POST", {"operations"}, API_OPERATE, "start_operation",
		{"start_operation",
			"SELECT status, body FROM payhook.console_start_operation($1::text, $2::text, $3::text,"
			" $4::text, $5::text, $6::text, $7::text)"},
		{"action", "filter", "dry_run", "rate", "reason"}, false},
	{"POST", {"operations", "{operation}", "cancel"}, API_OPERATE, "cancel_operation",
		{"cancel_operation",
			"SELECT status, body FROM payhook.console_cancel_operation($1::text, $2::text, $3::text, $4::text)"},
		{"operation", "reason"}, false},
	{"POST", {"pause"}, API_OPERATE, "pause",
		{"pause", "SELECT status, body FROM payhook.console_pause($1::text, $2::text, $3::text, $4::text)"},
		{"source", "reason"}, false},
	{"POST", {"resume"}, API_OPERATE, "resume",
		{"resume", "SELECT status, body FROM payhook.console_resume($1::text, $2::text, $3::text, $4::text)"},
		{"source", "reason"}, false},
};

const struct endpoint *endpoints_all(size_t *count)
{
	*count = COUNT_OF(ENDPOINTS);
	return ENDPOINTS;
}

const struct statement *const *endpoints_statements(size_t *count)
{
	static const struct statement *list[COUNT_OF(ENDPOINTS) + 2];
	for (size_t i = 0; i < COUNT_OF(ENDPOINTS); i++)
		list[i] = &ENDPOINTS[i].statement;
	list[COUNT_OF(ENDPOINTS)] = &ENDPOINT_REFUSED;
	list[COUNT_OF(ENDPOINTS) + 1] = &SIGN_IN_FAILURES_RECORD;
	*count = COUNT_OF(list);
	return list;
}

const char *endpoint_segment_name(const struct endpoint *e, int segment, size_t *len)
{
	const char *text = e->segments[segment];
	if (*text != '{')
		return NULL;
	*len = strlen(text) - 2;
	return text + 1;
}

/* An empty segment is no parameter: no id is empty. */
static bool endpoint_has_path(const struct endpoint *e, const struct path *p)
{
	int n = 0;
	size_t len;
	for (; e->segments[n]; n++) {
		if (ENDPOINT_PREFIX + n >= p->count)
			return false;
		const char *given = p->segment[ENDPOINT_PREFIX + n];
		if (endpoint_segment_name(e, n, &len) ? *given == '\0' : strcmp(e->segments[n], given) != 0)
			return false;
	}
	return ENDPOINT_PREFIX + n == p->count;
}

/* As of app/route.c: nginx omits the body of an answer to HEAD. */
static bool endpoint_has_method(const struct endpoint *e, const char *method)
{
	return strcmp(e->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(e->method, "GET") == 0);
}

static bool has_prefix(const struct path *p)
{
	static const char *const SEGMENTS[ENDPOINT_PREFIX] = {PREFIX};
	if (p->count <= ENDPOINT_PREFIX)
		return false;
	for (int i = 0; i < ENDPOINT_PREFIX; i++) {
		if (strcmp(p->segment[i], SEGMENTS[i]) != 0)
			return false;
	}
	return true;
}

const struct endpoint *endpoint_find(const char *method, const struct path *path, const char **allow)
{
	bool get = false, post = false;
	*allow = NULL;
	for (size_t i = 0; has_prefix(path) && i < COUNT_OF(ENDPOINTS); i++) {
		const struct endpoint *e = &ENDPOINTS[i];
		if (!endpoint_has_path(e, path))
			continue;
		if (endpoint_has_method(e, method))
			return e;
		get = get || strcmp(e->method, "GET") == 0;
		post = post || strcmp(e->method, "POST") == 0;
	}
	if (get)
		*allow = post ? "GET, HEAD, POST" : "GET, HEAD";
	else if (post)
		*allow = "POST";
	return NULL;
}

int endpoint_parameter(const struct endpoint *e, const char *name, size_t len)
{
	for (int i = 0; e->parameters[i]; i++) {
		if (strlen(e->parameters[i]) == len && memcmp(e->parameters[i], name, len) == 0)
			return i;
	}
	return -1;
}
