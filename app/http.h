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

/* A request and its reply, as the routes see them.  Only fastcgi.c knows FastCGI.
 *
 * A route fills the reply and calls answer() exactly once, immediately or later.  A route that waits sets expire
 * first: fastcgi.c calls it REQUEST_WAIT_MS after the request was read, if the request is not answered by then.
 * expire() withdraws the probe, lookup or insert that the route waits for, and answers.  After answer() the route may
 * not use the request. */

#define REQUEST_WAIT_MS 450        /* senders are to have an answer within half a second */
#define REQUEST_STATE_MAX 4864     /* bytes of request.state; each route asserts that its struct fits */
#define REQUEST_ID_MAX 32          /* bytes: nginx's $request_id has 32 hexadecimal digits */
#define REPLY_BODY_MAX (64 * 1024) /* bytes: enough for a transaction with every byte escaped, and for all metrics */

struct api_keys;
struct auth_failures;
struct ingest;
struct payloads;
struct source;
struct source_counters;
struct unreadable;
struct settings;
struct sources;
struct transmissions;
struct txn_reader;

/* The parts of the responder that the routes use.  main.c owns them; all outlive every request. */
struct service {
	const struct settings *settings;
	const struct sources *sources;
	const struct api_keys *keys; /* NULL: API_KEYS_FILE is not set */
	struct ingest *ingest;
	struct txn_reader *txn_reader;
	struct transmissions *transmissions; /* NULL: no source needs them */
	struct payloads *payloads;           /* NULL: no source keeps what it ignores */
	struct unreadable *unreadable;       /* NULL: no source keeps what it cannot map */
	struct counters *counters;
	struct source_counters *source_counters;
	struct auth_failures *auth_failures;
};

/* A reply.  The texts are constants. */
struct reply {
	int status;
	const char *type;                    /* Content-Type */
	const char *allow, *accept_encoding; /* headers: the methods, for a 405; the codings, for a 415; or NULL */
	const char *challenge;               /* WWW-Authenticate: the scheme to use, for a 401; or NULL */
	int retry_after;                     /* Retry-After in seconds; 0: no such header */
	struct buf body;
};

struct request;

/* Where the clients of the port that accepted a request are. */
enum clients {
	CLIENTS_BY_ADDRESS, /* their address shows it */
	CLIENTS_LOCAL,      /* on this host, whatever the address: only it reaches the port */
	CLIENTS_REMOTE,     /* anywhere, whatever the address: it may be docker's own */
};

struct request {
	/* These and the texts that follow are valid until answer(); the target is REQUEST_URI, unchanged: path and query. */
	const char *method, *target;
	/* These and the next two are "" if absent.  The client's address is nginx's $remote_addr, after REAL_IP_FROM; peer is the
	 * connection's, which differs if a balancer in REAL_IP_FROM gave the address. */
	const char *content_type, *content_encoding, *address, *peer;
	/* nginx's $ssl_client_verify: SUCCESS, NONE, "FAILED:..."; subject of the client certificate: "CN=stripe,O=Stripe". */
	const char *client_verify, *client_subject;
	enum clients clients; /* by nginx's configuration of the port */
	char id[REQUEST_ID_MAX + 1];
	struct traceparent trace; /* the sender's traceparent; its text is "" if absent or invalid */
	struct buf body;
	bool body_too_large;  /* the body was longer than BODY_LIMIT: read to its end, and not kept */
	bool may_see_metrics; /* nginx admits the address to /metrics (METRICS_ALLOW) */
	int64_t certificate_expires,
		read_us; /* of nginx's own, seconds since 1970, 0: unknown; clock_us() when it was read */
	struct service *service;
	struct path path;
	struct reply reply;
	enum counted_route route; /* this and outcome go to counters_end(): set before answer() */
	enum webhook_outcome outcome;
	/* The source of a webhook, and whether its signature has been verified; NULL and false until webhook.c knows. */
	const struct source *source;
	bool is_verified;
	const char *invalid_code; /* of a validation error without problems; NULL: that of its status */
	/* Called with each problem document before it is sent, if not NULL; problems may be NULL. */
	void (*on_problem)(const struct request *rq, int status, const struct txn_problems *problems);
	/* Returns the value of a header, by its name in lower case: the first if there are several, NULL if none. */
	const char *(*header)(const struct request *rq, const char *name);
	/* Whether there are several headers of this name, in lower case. */
	bool (*is_repeated)(const struct request *rq, const char *name);
	/* Whether there is a header with one of these names, in lower case. */
	bool (*has_header)(const struct request *rq, const char *const names[], size_t count);
	/* Sends the reply and ends the request, immediately or when the route returns. */
	void (*answer)(struct request *rq);
	/* Set by a route that waits; see above. */
	void (*expire)(struct request *rq);
	/* REQUEST_STATE_MAX bytes that the route may use as it likes, valid as long as the request: each route that
	 * waits keeps a struct of its own there, with a member rq that points back to the request.  The content is
	 * undefined when the route begins. */
	void *state;
};

/* Appends the head of a reply in the form of CGI (RFC 3875, 6.3): Status, headers, empty line.  Every reply has
 * Cache-Control: no-store, and every one but a 204 Content-Type and Content-Length (RFC 9110, 8.6). */
void http_head(const struct reply *reply, struct buf *ret);

/* Starts a reply with this status, Content-Type application/json and an empty body. */
void http_begin(struct request *rq, int status);

/* Answers with a problem document (RFC 9457) of type about:blank: the title is the status's phrase, the instance the
 * request id.  The client sees detail. */
void http_problem(struct request *rq, int status, const char *detail);

/* As http_problem(), with a member "errors": pointer (RFC 6901), code and detail for each problem.  problems may be
 * NULL. */
void http_problems(struct request *rq, int status, const char *detail, const struct txn_problems *problems);

/* Answers with the status of the fault's kind.  If the client can correct the request, the reply contains the fault's
 * text.  For FAULT_BUSY, FAULT_AGAIN and FAULT_BUG the reply is a 503 with Retry-After and a fixed text, since
 * the fault's text is for the log only. */
void http_fault(struct request *rq, const struct fault *f);
