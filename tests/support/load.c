/* load.c - a bounded stream of webhooks on one curl multi handle. */

#include "support/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/exchange.h"
#include "support/instance.h"
#include "support/instance_database.h"

static size_t keep_beginning(char *bytes, size_t size, size_t count, void *arg)
{
	struct load_slot *s = arg;
	size_t used = strlen(s->printed);

	snprintf(s->printed + used, sizeof(s->printed) - used, "%.*s", (int)(size * count), bytes);
	return size * count;
}

static size_t keep_head(char *bytes, size_t size, size_t count, void *arg)
{
	struct load_slot *s = arg;
	size_t used = strlen(s->head);

	snprintf(s->head + used, sizeof(s->head) - used, "%.*s", (int)(size * count), bytes);
	return size * count;
}

static const char *target_of(const struct load *l)
{
	return l->target != NULL ? l->target : WEBHOOKS;
}

static void note(struct load *l, struct load_slot *s, long status)
{
	if (status <= 0 || status >= 600 || l->noted[status])
		return;
	l->noted[status] = true;
	exchange_note(
		&(struct exchange){.method = "POST", .target = target_of(l), .body = s->body, .len = strlen(s->body)},
		&(struct answer){
			.status = (int)status, .head = s->head, .body = s->printed, .len = strlen(s->printed)});
}

static void open_slot(struct load *l, struct load_slot *s)
{
	char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", l->port > 0 ? l->port : instance()->port, target_of(l));
	s->number = -1;
	s->curl = curl_easy_init();
	curl_easy_setopt(s->curl, CURLOPT_URL, url);
	curl_easy_setopt(s->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, (long)CALL_TIMEOUT_MS);
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, l->headers);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, keep_beginning);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, keep_head);
	curl_easy_setopt(s->curl, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_PRIVATE, s);
}

void load_open(struct load *l)
{
	long most = l->posts > 0 ? l->posts : LOAD_POSTS_MAX;

	l->begun = l->answered = l->accepted = l->late = 0;
	l->slowest = 0;
	l->trouble[0] = '\0';
	memset(l->noted, 0, sizeof(l->noted));
	l->status = malloc((size_t)most * sizeof(*l->status));
	l->seconds = calloc((size_t)most, sizeof(*l->seconds));
	l->slots = calloc((size_t)l->connections, sizeof(*l->slots));
	l->multi = curl_multi_init();
	l->headers = curl_slist_append(NULL, "Content-Type: application/json");
	l->since_ms = now_ms();
	cr_assert(l->status != NULL && l->seconds != NULL && l->slots != NULL && l->multi != NULL);
	for (long n = 0; n < most; n++)
		l->status[n] = LOAD_UNANSWERED;
	for (int n = 0; n < l->connections; n++)
		open_slot(l, &l->slots[n]);
	curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)l->connections);
}

const char *load_body(const struct load *l, long n, char ret[WEBHOOK_MAX])
{
	char id[128];

	snprintf(id, sizeof(id), "%s-%ld", l->prefix, n);
	if (l->body != NULL)
		l->body(n, ret);
	else
		webhook_simple(id, ret);
	return ret;
}

static void begin_post(struct load *l, struct load_slot *s)
{
	s->number = l->begun++;
	s->printed[0] = s->head[0] = '\0';
	load_body(l, s->number, s->body);
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, s->body);
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(s->body));
	curl_multi_add_handle(l->multi, s->curl);
}

static void begin_posts(struct load *l)
{
	long most = l->posts > 0 ? l->posts : LOAD_POSTS_MAX;
	long due = l->per_second > 0 ? (now_ms() - l->since_ms) * l->per_second / 1000 + 1 : most;

	for (int n = 0; n < l->connections && l->begun < most && l->begun < due; n++)
		if (l->slots[n].number < 0)
			begin_post(l, &l->slots[n]);
}

static void take_answers(struct load *l)
{
	struct CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
		struct load_slot *s;
		long status = 0;
		double seconds = 0;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s);
		curl_easy_getinfo(m->easy_handle, CURLINFO_TOTAL_TIME, &seconds);
		l->slowest = seconds > l->slowest ? seconds : l->slowest;
		l->late += seconds > 0.5;
		l->seconds[s->number] = (float)seconds;
		if (m->data.result == CURLE_OK)
			curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		if (status != 202 && l->trouble[0] == '\0')
			snprintf(l->trouble, sizeof(l->trouble), "post %ld: %ld %s %s", s->number, status,
				status == 0 ? curl_easy_strerror(m->data.result) : "", s->printed);
		note(l, s, status);
		l->status[s->number] = (short)status;
		l->answered++;
		l->accepted += status == 202;
		s->number = -1;
		curl_multi_remove_handle(l->multi, s->curl);
	}
}

static void turn(struct load *l)
{
	int running;

	curl_multi_perform(l->multi, &running);
	take_answers(l);
}

void load_step(struct load *l, int ms)
{
	long long deadline = now_ms() + ms;

	do {
		begin_posts(l);
		turn(l);
		curl_multi_poll(l->multi, NULL, 0, 2, NULL);
	} while (now_ms() < deadline);
	turn(l);
}

bool load_until(struct load *l, long answered, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	while (l->answered < answered && calm_ms() < deadline)
		load_step(l, 1);
	return l->answered >= answered;
}

bool load_end(struct load *l, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	while (l->answered < l->begun && calm_ms() < deadline) {
		turn(l);
		curl_multi_poll(l->multi, NULL, 0, 2, NULL);
	}
	return l->answered == l->begun;
}

long load_count(const struct load *l, int status)
{
	long count = 0;

	for (long n = 0; n < l->begun; n++)
		count += l->status[n] == status;
	return count;
}

struct presence {
	const struct load *load;
	bool *is_stored;
};

static void mark_stored(const char *id, void *arg)
{
	struct presence *p = arg;
	long n = strtol(id + strlen(p->load->prefix) + 1, NULL, 10);

	if (n >= 0 && n < p->load->begun)
		p->is_stored[n] = true;
}

long load_lost(const struct load *l)
{
	struct presence p = {l, calloc((size_t)l->begun + 1, sizeof(bool))};
	long lost = 0;

	cr_assert_not_null(p.is_stored);
	database_each("SELECT transaction_id FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')",
		l->prefix, mark_stored, &p);
	for (long n = 0; n < l->begun; n++)
		lost += l->status[n] == 202 && !p.is_stored[n];
	free(p.is_stored);
	return lost;
}

void load_close(struct load *l)
{
	for (int n = 0; n < l->connections; n++) {
		curl_multi_remove_handle(l->multi, l->slots[n].curl);
		curl_easy_cleanup(l->slots[n].curl);
	}
	curl_multi_cleanup(l->multi);
	curl_slist_free_all(l->headers);
	free(l->slots);
	free(l->seconds);
	free(l->status);
}
