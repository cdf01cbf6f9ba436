#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "counters.h"
#include "http/path.h"
#include "http/traceparent.h"
#include "txn/txn_json.h"

/* A request and its reply, as the routes see them; only fastcgi.c knows FastCGI.
 *
 * A route fills the reply and calls answer() exactly once, immediately or later.  A route that waits sets expire first:
 * fastcgi.c calls it after REQUEST_WAIT_MS, and the route then withdraws what it waits for and answers. */

#define REQUEST_WAIT_MS 450        /* the sender is owed an answer within half a second */
#define REQUEST_STATE_MAX 4096     /* bytes of a route's state; each route asserts that its own fits */
#define REQUEST_ID_MAX 32          /* nginx's $request_id: 32 hexadecimal digits */
#define REPLY_BODY_MAX (64 * 1024) /* bytes; a transaction whose every byte is escaped, or all metrics */

struct api_keys;
struct auth_failures;
struct ingest;
struct settings;
struct sources;
struct txn_reader;

/* What the routes work with. */
struct service {
	const struct settings *settings;
	const struct sources *sources;
	const struct api_keys *keys; /* of those who may read; NULL: no file of keys */
	struct ingest *ingest;
	struct txn_reader *txn_reader;
	struct counters *counters;
	struct auth_failures *auth_failures;
};

struct reply {
	int status;
	const char *type;      /* of the body */
	const char *allow;     /* methods, for a 405; or NULL */
	const char *challenge; /* how to prove who one is, for a 401 (WWW-Authenticate); or NULL */
	int retry_after;       /* seconds; 0: no such header */
	struct buf body;
};

struct request;

struct request {
	const char *method;         /* as are the texts that follow: valid until answer() */
	const char *target;         /* REQUEST_URI, as it came */
	const char *content_type;   /* as are the next: "" where there is none */
	const char *address;        /* of the client, as nginx knows it */
	const char *client_verify;  /* what nginx says of its certificate: SUCCESS, NONE, "FAILED:..." */
	const char *client_subject; /* of a certificate: its subject, "CN=stripe,O=Stripe" */
	char id[REQUEST_ID_MAX + 1];
	struct traceparent trace; /* that the sender named */
	struct buf body;
	bool body_too_large; /* it was read to its end, and not kept */
	bool may_see_metrics;
	int64_t read_us; /* clock_us() when it was read */
	struct service *service;
	struct path path;
	struct reply reply;
	enum counted_route route; /* as are the next, for the counts: set before answer() */
	enum webhook_outcome outcome;
	/* A header by its name in lower case, the first of several; NULL: there is none. */
	const char *(*header)(const struct request *rq, const char *name);
	void (*answer)(struct request *rq);
	void (*expire)(struct request *rq);
	/* The route's own, REQUEST_STATE_MAX bytes that live as long as the request: a struct of the route's file, whose
	 * first member leads back here.  Its content is undefined when the route begins. */
	void *state;
};

/* The head of a reply as CGI has it (RFC 3875, 6.3), the empty line included. */
void http_head(const struct reply *reply, struct buf *ret);

/* Starts a reply: status, application/json, an empty body. */
void http_begin(struct request *rq, int status);

/* Answers with a problem (RFC 9457), its type about:blank. */
void http_problem(struct request *rq, int status, const char *detail);

/* The same, with a list of what is wrong with which member. */
void http_problems(struct request *rq, int status, const char *detail, const struct txn_problems *problems);

/* Answers with the problem that a fault stands for: the one place where a kind becomes a status.  Of faults that are
 * not the sender's, the text is for the log; the sender is told what to do. */
void http_fault(struct request *rq, const struct fault *f);
