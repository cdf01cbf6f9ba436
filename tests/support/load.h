#pragma once

#include <stdbool.h>

#include <curl/curl.h>

#include "support/client.h"

/* Many webhooks at once on kept connections, sent in steps, so that a test can break something in between. */

#define LOAD_POSTS_MAX 200000
#define LOAD_UNANSWERED (-1)

struct load_slot {
	CURL *curl;
	long number; /* of the post it carries; -1: idle */
	char body[WEBHOOK_MAX];
	char head[1024];   /* the answer's */
	char printed[512]; /* its body, or the beginning of it */
};

struct load {
	const char *prefix; /* post n has the id "<prefix>-<n>"; without a body function */
	void (*body)(long n, char ret[WEBHOOK_MAX]);
	int connections;
	long posts;     /* how many in all; 0: until load_end() */
	int per_second; /* at most; 0: as fast as answers come */
	int port;       /* 0: the shared instance's */

	/* What has come of it. */
	long begun, answered, accepted; /* posts sent, answers of any kind, 202 among them */
	double slowest;                 /* seconds that one waited for its answer */
	short *status;                  /* by number: LOAD_UNANSWERED, 0 when the connection failed, else the status */
	char trouble[768];              /* the first answer that was no 202 */

	bool noted[600]; /* by status: one answer of each is written down (http_call.h) */
	CURLM *multi;
	struct load_slot *slots;
	struct curl_slist *headers;
	long long since_ms;
};

/* The first six fields are the caller's. */
void load_open(struct load *l);

/* The body of post n.  Returns ret. */
const char *load_body(const struct load *l, long n, char ret[WEBHOOK_MAX]);

/* Sends and receives for this long. */
void load_step(struct load *l, int ms);

/* Sends and receives until at least this many answers have come.  False: not by the deadline. */
bool load_until(struct load *l, long answered, int timeout_ms);

/* Begins no new post and waits for the answers under way.  False: some have not come by the deadline. */
bool load_end(struct load *l, int timeout_ms);

/* How many posts were answered with this. */
long load_count(const struct load *l, int status);

/* How many acknowledged ids ("<prefix>-<n>") the database lacks. */
long load_lost(const struct load *l);

void load_close(struct load *l);
