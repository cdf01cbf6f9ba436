/* answer.c - from a request to a statement, and from its row to a reply.
 *
 * The operator comes first, so that nobody else learns which paths there are.  A statement returns a status and a JSON object:
 * up to 399 that is the body, from 400 on its members are those of a problem document.  A request whose answer takes too long is
 * answered 503; an act may have taken effect all the same, and the reply says so. */

#include "answer.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/encode.h"
#include "calls.h"
#include "endpoints.h"
#include "fastcgi/http.h"
#include "http/content_type.h"
#include "parameters.h"
#include "runtime/log.h"
#include "sign_in.h"

#define NOBODY "nobody" /* on record: a client on this host without a key */

/* request.state of a request that is answered. */
struct asking {
	struct request *rq;
	const struct endpoint *endpoint;
	struct operator operator;
	struct call call;
	struct parameters parameters;
};

_Static_assert(sizeof(struct asking) <= REQUEST_STATE_MAX, "the state fits");

/* ---- replies ---- */

/* The value of this parameter; NULL: there is none. */
static const char *parameter_of(const struct asking *a, const char *name)
{
	int place = endpoint_parameter(a->endpoint, name, strlen(name));
	return place < 0 ? NULL : a->parameters.value[place];
}

/* A preview changes nothing, and is no act. */
static bool is_act(const struct asking *a)
{
	const char *dry_run = parameter_of(a, "dry_run");
	return a->endpoint->action && !(dry_run && strcmp(dry_run, "true") == 0);
}

/* At most one line a second: when the database is unreachable, every request ends here. */
static void log_unanswered(const struct asking *a, const struct fault *f)
{
	static struct log_pause pause;
	int64_t suppressed;
	if (log_pause_over(&pause, &suppressed))
		LOG(f->kind == FAULT_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "console request failed",
			LOG_TEXT("request_id", a->rq->id), LOG_TEXT("statement", a->endpoint->statement.name),
			LOG_SECONDS("duration", clock_us() - a->rq->read_us), LOG_TEXT("reason", f->text),
			LOG_NUMBER("more_since_last", suppressed));
}

static int status_of(const struct fault *f)
{
	if (f->kind == FAULT_BUG)
		return 500;
	return f->kind == FAULT_BUSY || f->kind == FAULT_AGAIN ? 503 : 422;
}

static void answer_fault(struct asking *a, const struct fault *f, bool is_undone)
{
	struct request *rq = a->rq;
	int status = status_of(f);
	log_unanswered(a, f);
	if (status == 500) {
		http_problem(rq, 500,
			"the console or its database is not set up as it should be; the console's log has the reason");
		return;
	}
	if (status == 422) {
		http_problem(rq, 422, "the database does not take one of the values; the console's log has the reason");
		return;
	}
	rq->reply.retry_after = 1;
	http_problem(rq, 503,
		is_undone || !is_act(a)
			? "the database has not answered in time; send the same request again, or ask for less"
			: "the database has not answered in time, and the act may have taken effect: look at the actions before "
			  "you send it again");
}

/* The members of the object follow those of the problem document. */
static void answer_problem(struct request *rq, int status, const char *object)
{
	http_problem_open(rq, status, NULL);
	buf_add_text(&rq->reply.body, ",");
	buf_add_text(&rq->reply.body, object + 1);
	rq->answer(rq);
}

/* hex is a webhook: some client's bytes, which no browser is to show. */
static bool add_file(struct request *rq, const char *hex)
{
	size_t len = strlen(hex), written = 0;
	char *room = buf_room(&rq->reply.body, len / 2);
	if (!room || !encode_read(ENCODING_HEX, hex, len, (unsigned char *)room, len / 2, &written))
		return false;
	buf_grown(&rq->reply.body, written);
	rq->reply.type = "application/octet-stream";
	rq->reply.file_name = "payload";
	return true;
}

static void answer_result(struct asking *a, const struct pg_result *r)
{
	struct request *rq = a->rq;
	struct fault f;
	int status = db_rows(r) == 1 ? (int)db_int8(r, 0, 0) : 0;
	const char *body = status > 0 ? db_text(r, 0, 1) : "";
	bool is_file = a->endpoint->is_file && status == 200;
	if (status < 200 || status > 599 || body[0] != '{' || body[1] == '\0') {
		fault_set(&f, FAULT_BUG, "the statement returned %d rows, the status %d and no object", db_rows(r),
			status);
		answer_fault(a, &f, false);
		return;
	}
	if (status >= 400) {
		answer_problem(rq, status, body);
		return;
	}
	http_begin(rq, status);
	if (!is_file)
		buf_add_text(&rq->reply.body, body);
	if ((is_file && !add_file(rq, db_text(r, 0, 2))) || !buf_ok(&rq->reply.body)) {
		http_problem(rq, 422,
			"the answer is larger than 4 MiB, or there is no memory for it: ask for less, by limit");
		return;
	}
	rq->answer(rq);
}

/* ---- calls ---- */

static void log_act(const struct asking *a, int status)
{
	LOG(LOG_LEVEL_INFO, "operator acted", LOG_TEXT("request_id", a->rq->id), LOG_TEXT("operator", a->operator.name),
		LOG_TEXT("action", a->endpoint->action), LOG_NUMBER("status", status));
}

static void answer_on_done(struct call *call, const struct pg_result *result, const struct fault *f, bool is_undone)
{
	struct asking *a = CONTAINER_OF(call, struct asking, call);
	if (is_act(a))
		log_act(a, !result ? status_of(f) : db_rows(result) == 1 ? (int)db_int8(result, 0, 0) : 500);
	if (result)
		answer_result(a, result);
	else
		answer_fault(a, f, is_undone);
}

static void add_operator(const struct asking *a, struct db_params *params)
{
	db_params_add_text(params, *a->operator.name ? a->operator.name : NOBODY);
	db_params_add_text(params, a->rq->id);
}

static void answer_fill(struct call *call, struct db_params *params)
{
	const struct asking *a = CONTAINER_OF(call, struct asking, call);
	for (int i = 0; a->endpoint->parameters[i]; i++)
		db_params_add_text(params, a->parameters.value[i]);
	if (a->endpoint->action)
		add_operator(a, params);
}

/* The call is withdrawn first: its memory is the request's and is reused after the answer. */
static void answer_expire(struct request *rq)
{
	struct asking *a = rq->state;
	struct fault f;
	calls_withdraw(rq->service->calls, &a->call);
	fault_set(&f, FAULT_BUSY, "not answered within %d ms", CONSOLE_WAIT_MS);
	a->call.done(&a->call, NULL, &f, !a->call.is_sent);
}

static void answer_call(struct asking *a, struct call call)
{
	a->call = call;
	a->rq->expire = answer_expire;
	calls_send(a->rq->service->calls, &a->call);
}

/* ---- refused acts ---- */

static void answer_fill_refused(struct call *call, struct db_params *params)
{
	const struct asking *a = CONTAINER_OF(call, struct asking, call);
	db_params_add_text(params, a->endpoint->action);
	db_params_add_text(params, parameter_of(a, "source"));
	db_params_add_text(params, parameter_of(a, "id"));
	db_params_add_text(params, parameter_of(a, "reason"));
	add_operator(a, params);
	db_params_add_text(params, NULL);
}

/* Names what to ask for. */
static void answer_no_scope(struct asking *a, const char *caller)
{
	char detail[80];
	snprintf(detail, sizeof detail, "%s is not for that: it lacks the scope %s", caller,
		api_scope_name(a->endpoint->scope));
	http_problem(a->rq, 403, detail);
}

/* It is refused whether or not it is on record. */
static void answer_on_refused(struct call *call, const struct pg_result *result, const struct fault *f, bool is_undone)
{
	struct asking *a = CONTAINER_OF(call, struct asking, call);
	(void)is_undone;
	log_act(a, 403);
	if (!result)
		LOG(LOG_LEVEL_ERROR, "refused act not on record", LOG_TEXT("request_id", a->rq->id),
			LOG_TEXT("operator", a->operator.name), LOG_TEXT("reason", f->text));
	if (*a->operator.name)
		answer_no_scope(a, "this key or user");
	else
		http_problem(a->rq, 403,
			"nobody may act without API_KEYS_FILE: set it, and make a key: ./payhook key NAME read operate payload");
}

static void answer_refuse(struct asking *a)
{
	struct request *rq = a->rq;
	struct fault f;
	if (!sign_in_may_fail(rq))
		return;
	if (!a->endpoint->action) {
		answer_no_scope(a, "this key or user");
		return;
	}
	if (!parameters_read(a->endpoint, rq->target, &rq->path, &rq->body, &a->parameters, &f))
		memset(a->parameters.value, 0, sizeof a->parameters.value);
	answer_call(a,
		(struct call){.statement = &ENDPOINT_REFUSED, .fill = answer_fill_refused, .done = answer_on_refused});
}

/* ---- requests ---- */

/* A page of another site cannot send this type without the leave of ours. */
static bool has_form(struct asking *a)
{
	struct request *rq = a->rq;
	struct fault f;
	if (rq->body_too_large) {
		http_problem(rq, 413, "the body is longer than 1 MiB");
		return false;
	}
	if (strcmp(a->endpoint->method, "POST") == 0 && !content_type_fits(rq->content_type, CONTENT_TYPE_JSON, &f)) {
		http_problem(rq, 415, "a POST needs Content-Type: application/json");
		return false;
	}
	return true;
}

static bool find_endpoint(struct asking *a)
{
	struct request *rq = a->rq;
	const char *allow;
	a->endpoint = endpoint_find(rq->method, &rq->path, &allow);
	if (a->endpoint)
		return true;
	rq->reply.allow = allow;
	if (allow)
		http_problem(rq, 405, "this path does not have that method");
	else
		http_problem(rq, 404, "there is nothing at this path");
	return false;
}

void answer_request(struct request *rq)
{
	struct asking *a = rq->state;
	struct fault f;
	a->rq = rq;
	if (!path_read(rq->target, &rq->path, &f)) {
		http_fault(rq, &f);
		return;
	}
	if (!sign_in(rq, (int64_t)time(NULL), &a->operator) || !find_endpoint(a))
		return;
	if (!(a->operator.scopes & a->endpoint->scope)) {
		answer_refuse(a);
		return;
	}
	if (!has_form(a))
		return;
	if (!parameters_read(a->endpoint, rq->target, &rq->path, &rq->body, &a->parameters, &f)) {
		http_fault(rq, &f);
		return;
	}
	answer_call(
		a, (struct call){.statement = &a->endpoint->statement, .fill = answer_fill, .done = answer_on_done});
}
