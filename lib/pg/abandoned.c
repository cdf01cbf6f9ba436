/* abandoned.c - connections that nobody waits for any more.
 *
 * A late answer is discarded: the caller has received a fault, and the outcome stays unknown.  Nothing is sent on these
 * connections.  When to abandon one, and whether to connect again, is decided in connection.c. */

#include "pg/abandoned.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct abandoned {
	struct connect_state *connect_state;
	PGconn *conn;
	struct event *readable;
	struct event *deadline;
	char server[SERVER_NAME_MAX];
	LIST_ENTRY(abandoned) next;
};

static void abandoned_end(struct abandoned *a)
{
	if (a->readable)
		event_free(a->readable);
	if (a->deadline)
		event_free(a->deadline);
	PQfinish(a->conn);
	LIST_REMOVE(a, next);
	a->connect_state->abandoned--;
	free(a);
}

static void abandoned_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct abandoned *a = arg;
	if (!PQconsumeInput(a->conn) || !PQisBusy(a->conn))
		abandoned_end(a);
}

static void abandoned_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	abandoned_end(arg);
}

static void abandoned_on_notice(void *arg, const PGresult *notice)
{
	(void)arg, (void)notice;
}

static int limit_ms(int unanswered)
{
	int ms = ABANDONED_LEAST_MS;
	for (int i = 1; i < unanswered && ms < ABANDONED_MOST_MS; i++)
		ms *= 4;
	return ms < ABANDONED_MOST_MS ? ms : ABANDONED_MOST_MS;
}

void abandoned_add(struct connect_state *s, PGconn *conn, const char *server, int unanswered)
{
	struct abandoned *a = calloc(1, sizeof *a);
	if (!a) {
		PQfinish(conn);
		return;
	}
	*a = (struct abandoned){.connect_state = s, .conn = conn};
	snprintf(a->server, sizeof a->server, "%s", server);
	PQsetNoticeReceiver(conn, abandoned_on_notice, NULL);
	LIST_INSERT_HEAD(&s->abandoned_list, a, next);
	s->abandoned++;
	struct timeval limit = clock_timeval(limit_ms(unanswered));
	a->readable = event_new(s->base, PQsocket(conn), EV_READ | EV_PERSIST, abandoned_on_readable, a);
	a->deadline = evtimer_new(s->base, abandoned_on_deadline, a);
	if (!a->readable || !a->deadline || event_add(a->readable, NULL) != 0 || evtimer_add(a->deadline, &limit) != 0)
		abandoned_end(a);
}

int abandoned_count(const struct connect_state *s, const char *server)
{
	const struct abandoned *a;
	int count = 0;
	LIST_FOREACH (a, &s->abandoned_list, next) {
		count += strcmp(a->server, server) == 0;
	}
	return count;
}

void abandoned_finish(struct connect_state *s)
{
	for (struct abandoned *a = LIST_FIRST(&s->abandoned_list), *next; a; a = next) {
		next = LIST_NEXT(a, next);
		abandoned_end(a);
	}
}
