/* client.c - sends one HTTP request through libcurl and collects the answer. */

#include "support/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>

#include "support/exchange.h"
#include "support/instance.h"

struct sink {
	FILE *head, *body;
};

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	return fwrite(bytes, size, count, ((struct sink *)arg)->body);
}

static size_t take_head(char *bytes, size_t size, size_t count, void *arg)
{
	return fwrite(bytes, size, count, ((struct sink *)arg)->head);
}

static struct curl_slist *headers_of(const struct call *c)
{
	char type[256];
	/* Without an empty Expect header, curl waits up to a second for "100 Continue" before it sends a larger
	 * body. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	snprintf(type, sizeof(type), c->type == NULL ? "Content-Type:" : "Content-Type: %s", c->type);
	list = curl_slist_append(list, type);
	if (c->chunked)
		list = curl_slist_append(list, "Transfer-Encoding: chunked");
	if (c->header != NULL)
		list = curl_slist_append(list, c->header);
	for (const char *const *line = c->headers; line != NULL && *line != NULL; line++)
		list = curl_slist_append(list, *line);
	return list;
}

static void set_body(CURL *curl, const struct call *c)
{
	size_t len = c->len > 0 ? c->len : strlen(c->body);

	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
}

static void set_up(CURL *curl, const struct call *c, struct sink *sink)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", c->port > 0 ? c->port : instance()->port);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_REQUEST_TARGET, c->target);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(c->timeout_ms > 0 ? c->timeout_ms : CALL_TIMEOUT_MS));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, sink);
	if (c->from != NULL)
		curl_easy_setopt(curl, CURLOPT_INTERFACE, c->from);
	if (c->body != NULL)
		set_body(curl, c);
	if (c->method != NULL && strcmp(c->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (c->method != NULL)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, c->method);
}

static void note(const struct call *c, const struct answer *a)
{
	const char *usual = c->body == NULL ? "GET" : "POST";
	struct exchange e = {.method = c->method == NULL ? usual : c->method, .target = c->target, .body = c->body};

	/* The worker's /metrics is not in openapi.yaml: only Prometheus reads it. */
	if (c->port > 0 && c->port == instance()->metrics_port)
		return;
	e.len = c->body == NULL ? 0 : c->len > 0 ? c->len : strlen(c->body);
	exchange_note(&e, a);
}

void call_send(const struct call *c, struct answer *ret)
{
	*ret = (struct answer){0};
	size_t head_len;
	struct sink sink = {open_memstream(&ret->head, &head_len), open_memstream(&ret->body, &ret->len)};
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = headers_of(c);
	set_up(curl, c, &sink);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

	CURLcode code = curl_easy_perform(curl);
	long status = 0;
	/* A server that rejects a body may close before all of it is sent; the answer that it gave still counts. */
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &ret->seconds);
	ret->status = code == CURLE_OK || code == CURLE_SEND_ERROR ? (int)status : 0;
	snprintf(ret->trouble, sizeof(ret->trouble), "%s", code == CURLE_OK ? "" : curl_easy_strerror(code));
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	fclose(sink.head);
	fclose(sink.body);
	note(c, ret);
}

void answer_finish(struct answer *a)
{
	free(a->head);
	free(a->body);
	*a = (struct answer){0};
}

void call_get(const char *target, struct answer *ret)
{
	call_send(&(struct call){.target = target}, ret);
}

void call_post(const char *body, struct answer *ret)
{
	call_send(&(struct call){.target = WEBHOOKS, .type = "application/json", .body = body}, ret);
}

int call_post_status(const char *body)
{
	struct answer a;

	call_post(body, &a);
	int status = a.status;
	answer_finish(&a);
	return status;
}

int call_get_status(const char *target)
{
	struct answer a;

	call_get(target, &a);
	int status = a.status;
	answer_finish(&a);
	return status;
}

bool answer_header(const struct answer *a, const char *name, char *ret, size_t size)
{
	size_t len = strlen(name);

	ret[0] = '\0';
	for (const char *line = a->head; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		const char *value = line + len + 1 + strspn(line + len + 1, " ");
		snprintf(ret, size, "%.*s", (int)strcspn(value, "\r\n"), value);
		return true;
	}
	return false;
}

json_object *answer_json(const struct answer *a)
{
	struct json_tokener *tokener = json_tokener_new();
	json_object *read = json_tokener_parse_ex(tokener, a->body, (int)a->len);

	if (json_tokener_get_error(tokener) != json_tokener_success || json_tokener_get_parse_end(tokener) != a->len) {
		json_object_put(read);
		read = NULL;
	}
	json_tokener_free(tokener);
	return read;
}

const char *webhook(const char *id, const char *amount, const char *currency, char ret[WEBHOOK_MAX])
{
	snprintf(ret, WEBHOOK_MAX,
		"{\"transaction_id\":\"%s\",\"source_account\":\"acc_user_789\",\"destination_account\":\"acc_merchant_456\","
		"\"amount\":%s,\"currency\":\"%s\"}",
		id, amount, currency);
	return ret;
}

const char *webhook_simple(const char *id, char ret[WEBHOOK_MAX])
{
	return webhook(id, "1500", "USD", ret);
}

const char *fresh_id(const char *word, char ret[64])
{
	static int count;

	snprintf(ret, 64, "%s-%d-%d", word, (int)getpid(), ++count);
	return ret;
}
