#pragma once

#include <stdbool.h>

#include <curl/curl.h>

#include "support/client.h"

/* Many webhooks at once on persistent connections.  They are sent in steps, so that a test can cause a fault in
 * between. */

#define LOAD_POSTS_MAX 200000
#define LOAD_UNANSWERED (-1)

struct load_slot {
	CURL *curl;
	long number; /* of the post in progress; -1: idle */
	char body[WEBHOOK_MAX];
	char head[1024];   /* header of the answer */
	char printed[512]; /* body of the answer, or its beginning */
};

struct load {
	const char *prefix; /* post n has the id "<prefix>-<n>", unless there is a body function */
	void (*body)(long n, char ret[WEBHOOK_MAX]);
	const char *target; /* NULL: WEBHOOKS */
	int connections;
	long posts;     /* number of posts in all; 0: until load_end() */
	int per_second; /* upper limit; 0: as fast as answers arrive */
	int port;       /* 0: that of the shared instance */

	/* The results. */
	long begun, answered, accepted; /* posts sent, answers of any kind, 202 among them */
	double slowest;                 /* longest time between a post and its answer, in seconds */
	long late;                      /* answers that took over half a second */
	float *seconds;                 /* by number of the post: from the post to its answer */
	short *status; /* by number of the post: LOAD_UNANSWERED, 0 if the connection failed, otherwise the status */
	char trouble[768]; /* the first answer other than 202 */

	bool noted[600]; /* by status: one answer of each status is recorded (exchange.h) */
	CURLM *multi;
	struct load_slot *slots;
	struct curl_slist *headers;
	long long since_ms;
};

/* The caller sets the first seven members. */
void load_open(struct load *l);

/* Writes the body of post n.  Returns ret. */
const char *load_body(const struct load *l, long n, char ret[WEBHOOK_MAX]);

/* Sends and receives for this time. */
void load_step(struct load *l, int ms);

/* Sends and receives until at least this number of answers have arrived.  Returns false if they have not by the
 * deadline. */
bool load_until(struct load *l, long answered, int timeout_ms);

/* Starts no new post and waits for the outstanding answers.  Returns false if some have not arrived by the deadline. */
bool load_end(struct load *l, int timeout_ms);

/* The number of posts that were answered with this status. */
long load_count(const struct load *l, int status);

/* The number of accepted ids ("<prefix>-<n>") that are missing in the database. */
long load_lost(const struct load *l);

void load_close(struct load *l);
