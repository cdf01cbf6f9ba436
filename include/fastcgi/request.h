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
/* What the responder knows of a webhook.  The server and other programs only carry it. */
struct source;
struct txn_problems;

/* A reply.  The texts are constants. */
struct reply {
	int status;
	const char *type;                    /* Content-Type */
	const char *allow, *accept_encoding; /* headers: the methods, for a 405; the codings, for a 415; or NULL */
	const char *challenge;               /* WWW-Authenticate: the scheme to use, for a 401; or NULL */
	int retry_after;                     /* Retry-After in seconds; 0: no such header */
	const char *file_name;               /* Content-Disposition: attachment with this name; or NULL */
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
	bool body_too_large;  /* the body was longer than the plan allows: read to its end, and not kept */
	bool may_see_metrics; /* nginx admits the address to /metrics (METRICS_ALLOW) */
	int64_t certificate_expires,
		read_us; /* of nginx's own, seconds since 1970, 0: unknown; clock_us() when it was read */
	struct service *service;
	struct path path;
	struct reply reply;
	int route, outcome; /* the program's own numbers, for its counters: set before answer(); 0 at first */
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
