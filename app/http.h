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
#include "ingest/ingest.h"
#include "ingest/txn_reader.h"
#include "source/source.h"
#include "txn/txn.h"
#include "txn/txn_json.h"

/* A request and its reply, as the routes see them; FastCGI is the gate's affair.
 *
 * A route fills the reply and calls answer(), once, at once or later.  A route that waits sets expire before: the gate
 * calls it when the time is over, and then the route stops waiting and answers. */

#define REQUEST_WAIT_MS 450          /* the sender is owed an answer within half a second */
#define REQUEST_BODY_MAX (64 * 1024) /* bytes; nginx refuses more before we see it */
#define REQUEST_ID_MAX 32            /* nginx's $request_id: 32 hexadecimal digits */
#define REPLY_BODY_MAX (64 * 1024)   /* bytes; a transaction whose every byte is escaped, or all metrics */

struct api_keys;
struct auth_failures;
struct settings;

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

/* One transaction of a webhook on its way. */
struct item {
	struct request *rq;
	struct pending_insert pending_insert;
	struct txn txn;
	bool is_waiting; /* for its outcome */
};

/* All those of one webhook (submission.h). */
struct submission {
	int count;
	int waiting;
	struct item one;
	struct item *many;              /* in place of one, when there are more */
	bool failed, conflicts, is_new; /* what became of some */
	struct fault fault;
};

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
	union {
		struct submission submission;
		struct {
			struct lookup lookup;
			char source[SOURCE_NAME_MAX + 1];
		} reading;
		struct ingest_probe probe;
	} work;
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

/* Whether a Content-Type is application/json, with no charset but utf-8. */
bool http_is_json(const char *content_type);
