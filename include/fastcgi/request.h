#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "http/path.h"
#include "http/traceparent.h"

/* A request and its reply, as the routes of a program see them.  Only fastcgi.c knows FastCGI.
 *
 * A route fills the reply and calls answer() exactly once, immediately or later.  A route that waits sets expire
 * first: fastcgi.c calls it when the program's time for a request is over (struct fastcgi_plan), if the request is not
 * answered by then.  expire() withdraws what the route waits for, and answers.  After answer() the route may not use the
 * request. */

#define REQUEST_STATE_MAX 4864 /* bytes of request.state; each route asserts that its struct fits */
#define REQUEST_ID_MAX 32      /* bytes: nginx's $request_id has 32 hexadecimal digits */

/* The parts of the program that its routes use.  Each program defines its own. */
struct service;

/* A reply.  The texts are constants. */
struct reply {
	int status;
	const char *type;      /* Content-Type */
	const char *allow;     /* Allow: the methods of the path, for a 405; or NULL */
	const char *challenge; /* WWW-Authenticate: the scheme to use, for a 401; or NULL */
	int retry_after;       /* Retry-After in seconds; 0: no such header */
	const char *file_name; /* Content-Disposition: attachment with this name; or NULL */
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
	const char *method;       /* this and the texts that follow are valid until answer() */
	const char *target;       /* REQUEST_URI, unchanged: path and query */
	const char *content_type; /* this and the next four: "" if absent */
	const char *address;      /* the client's address: nginx's $remote_addr, after REAL_IP_FROM */
	const char *peer; /* the connection's: it differs from address if a balancer in REAL_IP_FROM gave that */
	const char *client_verify;  /* nginx's $ssl_client_verify: SUCCESS, NONE, "FAILED:..." */
	const char *client_subject; /* subject of the client certificate: "CN=stripe,O=Stripe" */
	enum clients clients;       /* by nginx's configuration of the port */
	char id[REQUEST_ID_MAX + 1];
	struct traceparent trace; /* the sender's traceparent; its text is "" if absent or invalid */
	struct buf body;
	bool body_too_large;         /* the body was longer than the plan allows: read to its end, and not kept */
	bool may_see_metrics;        /* nginx admits the address to /metrics (METRICS_ALLOW) */
	int64_t certificate_expires; /* seconds since 1970, of nginx's own certificate; 0: nginx does not say */
	int64_t read_us;             /* clock_us() when the request had been read */
	struct service *service;
	struct path path;
	struct reply reply;
	const char *source; /* the name of the source that a webhook is of; NULL: none */
	int route;          /* this and outcome are the program's own numbers, for its counters; 0 at first */
	int outcome;
	/* Returns the value of a header, by its name in lower case: the first if there are several, NULL if none. */
	const char *(*header)(const struct request *rq, const char *name);
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
