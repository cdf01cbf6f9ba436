/* post.c - one POST with curl, and its answer.
 *
 * The call waits for the answer: a command has nothing else to do meanwhile.  Nothing of the request is printed or logged
 * here, as a header may be a credential. */

#include "post.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define CONNECT_MS 5000

struct posting {
	CURL *easy;
	struct curl_slist *lines;
	struct post_answer *answer;
	char error[CURL_ERROR_SIZE];
};

/* Copies the value of a header, if the line is of this header and the value is short enough. */
static void take_header(const char *line, size_t len, const char *name, char *ret, size_t size)
{
	size_t name_len = strlen(name);
	if (len < name_len || strncasecmp(line, name, name_len) != 0)
		return;
	const char *value = line + name_len, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (value < end && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
		end--;
	if ((size_t)(end - value) < size)
		snprintf(ret, size, "%.*s", (int)(end - value), value);
}

static size_t post_on_line(char *line, size_t size, size_t count, void *arg)
{
	struct posting *p = arg;
	take_header(line, size * count, "content-type:", p->answer->type, sizeof p->answer->type);
	take_header(line, size * count, "x-request-id:", p->answer->request_id, sizeof p->answer->request_id);
	return size * count;
}

/* Stops reading at POST_ANSWER_MAX. */
static size_t post_on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct posting *p = arg;
	buf_add(&p->answer->body, bytes, size * count);
	return buf_ok(&p->answer->body) ? size * count : 0;
}

/* Whether the URL is of this host by its name or its loopback address. */
static bool is_here(const char *url)
{
	static const char *const HERE[] = {"localhost", "127.0.0.1", "[::1]"};
	const char *host = strstr(url, "://");
	for (size_t i = 0; host && i < COUNT_OF(HERE); i++) {
		size_t len = strlen(HERE[i]);
		if (strncasecmp(host + 3, HERE[i], len) == 0 && strchr("/:?", host[3 + len]))
			return true;
	}
	return false;
}

/* Without Expect, curl would wait for a "100 Continue" before a long body, and without Content-Type it would add one. */
static bool post_lines(struct posting *p, const struct post *post)
{
	struct curl_slist *more = curl_slist_append(NULL, "Expect:");
	for (int i = 0; more && i < post->count; i++) {
		p->lines = more;
		more = curl_slist_append(p->lines, post->line[i]);
	}
	if (!more)
		return false;
	p->lines = more;
	return true;
}

static bool set_options(struct posting *p, const struct post *post)
{
	int bad = 0;
	long verified = is_here(post->url) ? 0 : 1;
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_URL, post->url);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_PROXY, "");
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)POST_WITHIN_MS);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_SSL_VERIFYPEER, verified);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_SSL_VERIFYHOST, 2 * verified);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_POST, 1L);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, post->body);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE, (long)post->len);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->lines);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_HEADERFUNCTION, post_on_line);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_HEADERDATA, p);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, post_on_body);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
	bad |= (int)curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->error);
	return !bad;
}

/* An answer with a body too long to be kept is one as well. */
static bool perform(struct posting *p, struct fault *f)
{
	long status = 0;
	int64_t begun_ms = clock_ms();
	CURLcode result = curl_easy_perform(p->easy);
	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	p->answer->status = (int)status;
	p->answer->ms = (int)(clock_ms() - begun_ms);
	if (result == CURLE_OK || (result == CURLE_WRITE_ERROR && status > 0))
		return true;
	return fault_set(f, FAULT_BUSY, "%s", *p->error ? p->error : curl_easy_strerror(result));
}

bool post_send(const struct post *post, struct post_answer *ret, struct fault *f)
{
	struct posting p = {.answer = ret};
	*ret = (struct post_answer){.body = BUF_INIT(POST_ANSWER_MAX)};
	p.easy = curl_easy_init();
	bool is_sent = p.easy && post_lines(&p, post) && set_options(&p, post);
	if (!is_sent)
		fault_set(f, FAULT_BUSY, "there is no memory for the call");
	is_sent = is_sent && perform(&p, f);
	curl_slist_free_all(p.lines);
	curl_easy_cleanup(p.easy);
	if (!is_sent)
		post_answer_finish(ret);
	return is_sent;
}

void post_answer_finish(struct post_answer *answer)
{
	buf_finish(&answer->body);
}
