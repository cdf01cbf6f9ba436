/* http_loop.c - curl on the worker's event loop.
 *
 * curl's multi interface reports the sockets that it waits for and the time at which it must run again; the loop watches
 * both.  So nothing here waits, and the work for one event does not grow with the number of requests.
 *
 * Each request uses an idle connection, a new one, or a stream of an HTTP/2 connection.  The number of connections is
 * not limited in curl: the worker limits the calls, and a call that curl queued would use up its time limit while it
 * waits.  For the same reason no request waits to learn whether another's connection will speak HTTP/2
 * (CURLOPT_PIPEWAIT). */

#include "http_loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

struct http_loop {
	struct event_base *base;
	CURLM *multi;
	struct event *timer; /* runs curl at the time for which it asked */
};

/* ---- requests ---- */

/* Opens a connection's socket in curl's place, which would not report why there is none. */
static curl_socket_t http_loop_on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	struct http_request *x = arg;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0)
		x->socket_errno = errno;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

bool http_request_init(struct http_request *x, void (*ended)(struct http_request *x, CURLcode result))
{
	int bad = 0;
	*x = (struct http_request){.easy = curl_easy_init(), .ended = ended};
	if (!x->easy)
		return false;
	bad |= (int)curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETFUNCTION, http_loop_on_open_socket);
	bad |= (int)curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETDATA, x);
	bad |= (int)curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->error);
	bad |= (int)curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
	return !bad;
}

void http_request_finish(struct http_request *x)
{
	curl_easy_cleanup(x->easy);
	x->easy = NULL;
}

/* ---- curl and the loop ---- */

/* Lets curl act on a socket or on its timer, then ends the requests that curl reports as done.  ended() may cancel other
 * requests; curl then discards its pending messages about them, so they cannot end twice. */
static void act(struct http_loop *l, curl_socket_t fd, int events)
{
	int running, left;
	curl_multi_socket_action(l->multi, fd, events, &running);
	const CURLMsg *m;
	while ((m = curl_multi_info_read(l->multi, &left))) {
		struct http_request *x = NULL;
		CURLcode result = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
		curl_multi_remove_handle(l->multi, x->easy);
		x->ended(x, result);
	}
}

static void http_loop_on_socket(evutil_socket_t fd, short what, void *arg)
{
	act(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void http_loop_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* curl asks for other events on a socket, or for none.  If memory is exhausted and the socket cannot be watched, its
 * request ends by its time limit, which then does not count as the processor's: to return an error here would make curl
 * abort all transfers of the multi handle, for good. */
static int http_loop_on_curl_socket(CURL *easy, curl_socket_t fd, int wanted, void *arg, void *socket_event)
{
	struct http_loop *l = arg;
	struct event *e = socket_event;
	if (e)
		event_free(e);
	e = NULL;
	if (wanted != CURL_POLL_REMOVE) {
		short what = (short)((wanted & CURL_POLL_IN ? EV_READ : 0) | (wanted & CURL_POLL_OUT ? EV_WRITE : 0));
		e = event_new(l->base, fd, (short)(what | EV_PERSIST), http_loop_on_socket, l);
		struct http_request *x = NULL;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
		if ((!e || event_add(e, NULL)) && x)
			x->socket_errno = ENOMEM;
	}
	curl_multi_assign(l->multi, fd, e);
	return 0;
}

/* curl sets its timer; -1 deletes it.  curl must not be called from inside its own callbacks, so even a timeout of 0
 * goes through the event loop. */
static int http_loop_on_curl_timer(CURLM *multi, long ms, void *arg)
{
	(void)multi;
	struct http_loop *l = arg;
	struct timeval tv = clock_timeval(ms);
	if (ms < 0)
		event_del(l->timer);
	else
		event_add(l->timer, &tv);
	return 0;
}

bool http_loop_start(struct http_loop *l, struct http_request *x)
{
	x->socket_errno = 0;
	x->error[0] = '\0';
	return curl_multi_add_handle(l->multi, x->easy) == CURLM_OK;
}

void http_loop_cancel(struct http_loop *l, struct http_request *x)
{
	curl_multi_remove_handle(l->multi, x->easy);
}

/* ---- the whole ---- */

/* curl's own limit of idle connections follows the handles in use at the moment, so connections would be closed between
 * two bursts. */
static bool open_multi(struct http_loop *l, long connections)
{
	l->multi = curl_multi_init();
	return l->multi && !curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, http_loop_on_curl_socket) &&
	       !curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l) &&
	       !curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, http_loop_on_curl_timer) &&
	       !curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l) &&
	       !curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, connections);
}

struct http_loop *http_loop_create(struct event_base *base, long connections)
{
	struct http_loop *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(l);
		return NULL;
	}
	l->base = base;
	l->timer = evtimer_new(base, http_loop_on_timer, l);
	if (!l->timer || !open_multi(l, connections)) {
		http_loop_destroy(l);
		return NULL;
	}
	return l;
}

void http_loop_destroy(struct http_loop *l)
{
	if (!l)
		return;
	curl_multi_cleanup(l->multi);
	if (l->timer)
		event_free(l->timer);
	free(l);
	curl_global_cleanup();
}
