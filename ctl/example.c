/* example.c - finds a webhook that fits a source among the examples.
 *
 * Whether one fits is not guessed from names: the body is read as a responder would read it.  So an example is found for a
 * source with a name of the operator's own, and for one with a mapping that was changed. */

#include "example.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "json/scan.h"
#include "source/payload.h"

#define PATH_MAX_BYTES 1024
#define KINDS_TEXT_MAX 200

enum nearness { SAME_NAME, SAME_BEGINNING, ANY_NAME };

/* One search. */
struct search {
	const char *folder, *kind;
	const struct source *source;
	const struct currency_extras *extras;
	bool has_kind[TXN_KIND_COUNT]; /* of the examples that fit */
	int fitting;
	struct example *ret;
};

int example_read(const struct source *source, const struct currency_extras *extras,
	const struct places_request *request, const char *body, size_t len, struct txn ret[EXAMPLE_TXNS_MAX],
	struct fault *f)
{
	static struct payload payload;
	struct txn_problems problems;
	if (!payload_open(source, request, body, len, false, &payload, f))
		return 0;
	int count = payload.count < EXAMPLE_TXNS_MAX ? payload.count : EXAMPLE_TXNS_MAX;
	for (int i = 0; i < count; i++) {
		if (!payload_next(&payload, extras, &ret[i], &problems, f))
			return 0;
	}
	if (count == 0)
		fault_set(f, FAULT_INPUT, "the filter of the source lets nothing of it pass");
	return count;
}

/* Whether a filter of the source reads this word in the body. */
static bool example_has_word(const struct source *s, const char *body, size_t len, const char *word)
{
	struct json_value top = json_value_of(body, len), v;
	for (int i = 0; i < s->mapping_count; i++) {
		const struct mapping *m = &s->mappings[i];
		for (int k = 0; k < m->condition_count && !source_has_items(s); k++) {
			const char *at = m->conditions[k].at;
			if (*at == '/' && json_value_find(top, at, &v) && json_value_equals(v, word))
				return true;
		}
	}
	return false;
}

static const char *example_header_of(void *ctx, const char *name)
{
	return http_message_header(ctx, name);
}

/* Whether the source reads the body as an event of the wanted kind. */
static bool example_fits(struct search *s, const char *body, size_t len)
{
	static struct txn txns[EXAMPLE_TXNS_MAX];
	struct fault f;
	const struct places_request request = {
		.id = "example", .target = s->ret->head.target, .header = example_header_of, .ctx = &s->ret->head};
	int count = example_read(s->source, s->extras, &request, body, len, txns, &f);
	bool is_json = source_content_type(s->source) == CONTENT_TYPE_JSON;
	bool is_wanted = count > 0 && (!s->kind || (is_json && example_has_word(s->source, body, len, s->kind)));
	s->fitting += count > 0;
	for (int i = 0; i < count; i++) {
		const char *word = txn_kind_word(txns[i].kind);
		s->has_kind[txns[i].kind] = true;
		is_wanted = is_wanted || (word && strcmp(word, s->kind) == 0);
	}
	return is_wanted;
}

static bool example_take(struct search *s, const char *body, size_t len, const char *name, const char *what)
{
	if (!example_fits(s, body, len))
		return false;
	s->ret->body = body;
	s->ret->len = len;
	snprintf(s->ret->name, sizeof s->ret->name, "%s/%s", name, what);
	return true;
}

/* A file that cannot be read is an example less. */
static bool example_load(const struct search *s, const char *name, const char *file, struct buf *ret)
{
	char path[PATH_MAX_BYTES];
	struct fault f;
	*ret = BUF_INIT(HTTP_HEAD_MAX + PAYLOAD_MAX);
	snprintf(path, sizeof path, "%s/%s/%s", s->folder, name, file);
	return file_read(path, ret, &f) && ret->len > 0;
}

static bool try_life(struct search *s, const char *name)
{
	struct json_value events, event;
	struct fault f;
	char what[64];
	int number = 0;
	if (!example_load(s, name, "life.json", &s->ret->life) || !json_scan(s->ret->life.data, s->ret->life.len, &f) ||
		!json_value_find(json_value_of(s->ret->life.data, s->ret->life.len), "/events", &events) ||
		json_value_kind(events) != JSON_IS_ARRAY)
		return false;
	for (struct json_walk w = json_walk_into(events); json_walk_next(&w, NULL, &event);) {
		snprintf(what, sizeof what, "life.json, event %d", ++number);
		if (json_value_kind(event) == JSON_IS_OBJECT && example_take(s, event.at, event.len, name, what))
			return true;
	}
	return false;
}

/* has_life: the events of life.json come with the headers of this request. */
static bool try_request(struct search *s, const char *name, const char *file, bool has_life)
{
	struct fault f;
	struct example *e = s->ret;
	*e = (struct example){0};
	if (example_load(s, name, file, &e->text) && http_message_read(e->text.data, e->text.len, &e->head, &f) &&
		(example_take(s, e->head.body, e->head.len, name, file) || (has_life && try_life(s, name))))
		return true;
	example_finish(e);
	return false;
}

static bool try_folder(struct search *s, const char *name)
{
	return try_request(s, name, "request.http", true) || try_request(s, name, "refund.http", false);
}

static bool is_near(const struct source *source, const char *name, enum nearness wanted)
{
	bool is_same = strcmp(source->name, name) == 0;
	bool begins = strncmp(source->name, name, strlen(name)) == 0;
	enum nearness is = is_same ? SAME_NAME : begins ? SAME_BEGINNING : ANY_NAME;
	return is == wanted;
}

static bool example_refuse(const struct search *s, struct fault *f)
{
	char kinds[KINDS_TEXT_MAX] = "";
	size_t len = 0;
	if (s->fitting == 0)
		return fault_set(f, FAULT_ABSENT,
			"no example of %s is one that the source %s reads: its filter and its mapping are of another provider",
			s->folder, s->source->name);
	for (int i = 0; i < TXN_KIND_COUNT; i++) {
		if (s->has_kind[i] && txn_kind_word(i) && len < sizeof kinds)
			len += (size_t)snprintf(kinds + len, sizeof kinds - len, " %s", txn_kind_word(i));
	}
	return fault_set(f, FAULT_ABSENT, "--kind %s: no example for the source %s is of this kind; there are:%s",
		s->kind, s->source->name, *kinds ? kinds : " examples without a kind");
}

static int example_is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

bool example_find(const char *folder, const struct source *source, const struct currency_extras *extras,
	const char *kind, struct example *ret, struct fault *f)
{
	struct search s = {.folder = folder, .kind = kind, .source = source, .extras = extras, .ret = ret};
	struct dirent **names;
	bool is_found = false;
	int count = scandir(folder, &names, example_is_name, alphasort);
	if (count < 0)
		return fault_set(
			f, FAULT_INPUT, "the folder of the examples, %s, cannot be read: %s", folder, strerror(errno));
	for (int near = SAME_NAME; near <= ANY_NAME; near++) {
		for (int i = 0; i < count && !is_found; i++)
			is_found = is_near(source, names[i]->d_name, near) && try_folder(&s, names[i]->d_name);
	}
	while (count > 0)
		free(names[--count]);
	free(names);
	return is_found || example_refuse(&s, f);
}

void example_finish(struct example *e)
{
	buf_finish(&e->text);
	buf_finish(&e->life);
}
