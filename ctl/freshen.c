/* freshen.c - new ids, times of now, or another amount in the body of an example.
 *
 * The body is walked leaf by leaf, and copied with what is replaced; white space, order and the form of numbers stay, as some
 * provider wrote them.  A new id has the length and the kinds of characters of the old one. */

#include "freshen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "json/value.h"

#define NEW_MAX 12     /* characters of an id that become new: 10^12 ids of digits alone */
#define KEPT_MIN 1     /* characters at its beginning that stay: a number keeps its first digit */
#define PREFIXED_MIN 6 /* characters of an id behind a prefix that stays */
#define DATE_LEN 19    /* "2026-02-19T12:00:00" */
#define SECONDS_LEN 10 /* digits of a Unix time */
#define MILLIS_LEN 13
#define TIME_MIN INT64_C(1500000000) /* a number of ten digits below it is no time of an example */
#define LINK_ID_MIN 8                /* bytes of an id that is looked for at the end of a link */

/* ---- the places ---- */

/* Calls each() for every item of the body. */
static void each_item(const struct source *s, const char *body, size_t len,
	void (*each)(void *ctx, struct json_value item), void *ctx)
{
	struct json_value top = json_value_of(body, len), items, item;
	if (!source_has_items(s)) {
		each(ctx, top);
		return;
	}
	if (!json_value_find(top, s->items, &items) || json_value_kind(items) != JSON_IS_ARRAY)
		return;
	for (struct json_walk w = json_walk_into(items); json_walk_next(&w, NULL, &item);)
		each(ctx, item);
}

/* Whether a filter or a kind of the source reads this place: what is there is a word. */
static bool is_word_place(const struct source *s, const char *at)
{
	for (int i = 0; i < s->mapping_count; i++) {
		const struct mapping *m = &s->mappings[i];
		if (strcmp(m->kind.at, at) == 0)
			return true;
		for (int k = 0; k < m->condition_count; k++) {
			if (!m->conditions[k].is_absent && strcmp(m->conditions[k].at, at) == 0)
				return true;
		}
	}
	return false;
}

/* ---- times ---- */

static bool is_time_name(const char *name, size_t len)
{
	static const char *const WORDS[] = {"time", "date", "created", "updated"};
	for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
		size_t word = strlen(WORDS[i]);
		for (size_t at = 0; at + word <= len; at++) {
			if (strncasecmp(name + at, WORDS[i], word) == 0)
				return true;
		}
	}
	return (len >= 3 && strncmp(name + len - 3, "_at", 3) == 0) ||
	       (len >= 2 && strncmp(name + len - 2, "At", 2) == 0);
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return len > 0;
}

/* Reads a time in one of the forms that examples have; one without a zone is in UTC. */
static bool read_leaf_time(const char *text, size_t len, int64_t *ret_s)
{
	char copy[48];
	if ((len == SECONDS_LEN || len == MILLIS_LEN) && is_digits(text, len)) {
		char digits[MILLIS_LEN + 1] = "";
		memcpy(digits, text, len);
		int64_t number = strtoll(digits, NULL, 10);
		*ret_s = len == MILLIS_LEN ? number / 1000 : number;
		return *ret_s >= TIME_MIN;
	}
	if (len < DATE_LEN || len + 2 > sizeof copy)
		return false;
	snprintf(copy, sizeof copy, "%.*s", (int)len, text);
	if (clock_read(copy, ret_s))
		return true;
	copy[len] = 'Z';
	copy[len + 1] = '\0';
	return clock_read(copy, ret_s);
}

/* Adds a time, moved, in the form in which it stands. */
static void add_time(struct buf *b, const char *text, size_t len, int64_t shift_s)
{
	struct tm tm = {0};
	char local[DATE_LEN + 2];
	if (is_digits(text, len)) {
		char digits[MILLIS_LEN + 1] = "";
		memcpy(digits, text, len);
		long long number = strtoll(digits, NULL, 10) + shift_s * (len == MILLIS_LEN ? 1000 : 1);
		buf_add_format(b, "%lld", number);
		return;
	}
	snprintf(local, sizeof local, "%.*sZ", DATE_LEN, text);
	int64_t at_s = 0;
	if (!clock_read(local, &at_s)) {
		buf_add(b, text, len);
		return;
	}
	time_t moved = (time_t)(at_s + shift_s);
	gmtime_r(&moved, &tm);
	buf_add_format(b, "%04d-%02d-%02d%c%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, text[10],
		tm.tm_hour, tm.tm_min, tm.tm_sec);
	buf_add(b, text + DATE_LEN, len - DATE_LEN);
}

/* ---- the leaves ---- */

/* A walk over all leaves of a body. */
struct leaves {
	/* Gets the name of the leaf, as a slice; the text of the leaf, without quotes; whether it is a string. */
	void (*each)(void *ctx, const char *name, size_t name_len, const char *text, size_t len, bool is_string);
	void *ctx;
};

/* Its depth is that of the text, JSON_DEPTH_MAX at most. */
static void walk(const struct leaves *l, struct json_value v, struct json_value name)
{
	struct json_value inner_name, inner;
	bool is_string = *v.at == '"';
	if (*v.at != '{' && *v.at != '[') {
		l->each(l->ctx, name.len > 1 ? name.at + 1 : "", name.len > 1 ? name.len - 2 : 0, v.at + is_string,
			v.len - 2 * (size_t)is_string, is_string);
		return;
	}
	for (struct json_walk w = json_walk_into(v); json_walk_next(&w, &inner_name, &inner);)
		walk(l, inner, inner_name.len > 0 ? inner_name : name);
}

/* ---- planning ---- */

struct planning {
	struct fresh *fresh;
	const struct source *source;
	bool keeps_ids;
	bool has_time;
	int64_t time_s; /* when the example occurred */
};

/* The scalar at a place of an item, as it stands in the text; a string without its quotes, and only without escapes. */
static bool find_text(struct json_value item, const char *at, const char **ret, size_t *len, bool *is_string)
{
	struct json_value v;
	if (*at != '/' || !json_value_find(item, at, &v))
		return false;
	*is_string = json_value_kind(v) == JSON_IS_STRING;
	*ret = v.at + *is_string;
	*len = v.len - 2 * (size_t)*is_string;
	return *is_string ? !memchr(*ret, '\\', *len) : is_digits(*ret, *len);
}

static void plan_time(void *ctx, struct json_value item)
{
	struct planning *p = ctx;
	const char *text;
	size_t len;
	bool is_string;
	for (int i = 0; i < p->source->mapping_count && !p->has_time; i++) {
		const char *at = p->source->mappings[i].occurred.at;
		p->has_time = find_text(item, at, &text, &len, &is_string) && read_leaf_time(text, len, &p->time_s);
	}
}

static void plan_leaf_time(void *ctx, const char *name, size_t name_len, const char *text, size_t len, bool is_string)
{
	struct planning *p = ctx;
	(void)is_string;
	if (!p->has_time && is_time_name(name, name_len))
		p->has_time = read_leaf_time(text, len, &p->time_s);
}

static char another(char c, bool is_hex)
{
	if (c >= '0' && c <= '9')
		return (char)('0' + arc4random_uniform(10));
	if (c >= 'a' && c <= 'z')
		return (char)('a' + arc4random_uniform(is_hex ? 6 : 26));
	if (c >= 'A' && c <= 'Z')
		return (char)('A' + arc4random_uniform(is_hex ? 6 : 26));
	return c;
}

/* The last characters become others of their kind; a prefix as "evt_" stays.  An id of hexadecimal digits stays one. */
static void make_new(struct fresh_id *id)
{
	bool is_hex = strspn(id->old, "0123456789abcdefABCDEF-") == id->len;
	int left = NEW_MAX;
	size_t prefix = strcspn(id->old, "_") + 1;
	size_t kept = prefix + PREFIXED_MIN <= id->len ? prefix : KEPT_MIN;
	memcpy(id->new, id->old, id->len + 1);
	for (size_t i = id->len; i > kept && left > 0; i--) {
		char c = id->old[i - 1];
		id->new[i - 1] = another(c, is_hex);
		left -= is_alnum(c);
	}
}

static void fresh_add_id(struct fresh *f, const char *text, size_t len)
{
	if (len == 0 || len >= FRESH_TEXT_MAX || f->count == FRESH_IDS_MAX)
		return;
	struct fresh_id *id = &f->id[f->count];
	*id = (struct fresh_id){.at = text, .len = len};
	memcpy(id->old, text, len);
	make_new(id);
	for (int i = 0; i < f->count; i++) {
		const struct fresh_id *other = &f->id[i]; /* which may end with this one, as a link does */
		if (other->len >= len && memcmp(other->old + other->len - len, text, len) == 0)
			memcpy(id->new, other->new + other->len - len, len);
	}
	f->count++;
}

void fresh_add(struct fresh *fresh, const char *text)
{
	fresh_add_id(fresh, text, strlen(text));
}

static bool is_time_place(const struct source *s, const char *at)
{
	const char *name = strrchr(at, '/');
	for (int i = 0; i < s->mapping_count; i++) {
		if (strcmp(s->mappings[i].occurred.at, at) == 0)
			return true;
	}
	return name && is_time_name(name + 1, strlen(name + 1));
}

static void plan_place(const struct planning *p, struct json_value item, const char *at, const char *after)
{
	const char *text;
	size_t len;
	bool is_string;
	int64_t time_s;
	if (is_word_place(p->source, at) || !find_text(item, at, &text, &len, &is_string))
		return;
	if (is_time_place(p->source, at) && read_leaf_time(text, len, &time_s))
		return;
	size_t after_len = strlen(after), from = len;
	while (after_len > 0 && from > after_len && memcmp(text + from - after_len, after, after_len) != 0)
		from--;
	if (after_len > 0 && from <= after_len)
		return;
	fresh_add_id(p->fresh, after_len > 0 ? text + from : text, after_len > 0 ? len - from : len);
}

static void plan_ids(void *ctx, struct json_value item)
{
	const struct planning *p = ctx;
	const char *identity[MAPPING_PARTS_MAX];
	if (source_is_plain(p->source))
		plan_place(p, item, "/transaction_id", "");
	for (int i = 0; i < p->source->mapping_count; i++) {
		const struct mapping *m = &p->source->mappings[i];
		if (m->is_canonical) {
			plan_place(p, item, "/transaction_id", "");
			continue;
		}
		int count = mapping_identity(m, identity);
		for (int k = 0; k < count; k++)
			plan_place(p, item, identity[k], count == 1 ? m->transaction_id.after : "");
		plan_place(p, item, m->payment_id.at, m->payment_id.after);
		plan_place(p, item, m->part.at, m->part.after);
	}
}

void fresh_plan(
	struct fresh *ret, const struct source *source, const char *body, size_t len, int64_t now_s, bool keeps_ids)
{
	struct planning p = {.fresh = ret, .source = source};
	const struct leaves leaves = {plan_leaf_time, &p};
	ret->count = 0;
	each_item(source, body, len, plan_time, &p);
	if (!p.has_time)
		walk(&leaves, json_value_of(body, len), (struct json_value){0});
	ret->shift_s = p.has_time ? now_s - p.time_s : 0;
	if (!keeps_ids)
		each_item(source, body, len, plan_ids, &p);
}

/* ---- writing ---- */

struct writing {
	const struct fresh *fresh;
	struct buf *to;
	const char *from;                                            /* what is before it is written */
	const char *occurred[SOURCE_EVENTS_MAX * MAPPING_ITEMS_MAX]; /* texts that a mapping reads as a time */
	int occurred_count;
	const struct source *source;
};

static void find_occurred(void *ctx, struct json_value item)
{
	struct writing *w = ctx;
	const char *text;
	size_t len;
	bool is_string;
	for (int i = 0; i < w->source->mapping_count; i++) {
		if (find_text(item, w->source->mappings[i].occurred.at, &text, &len, &is_string) &&
			w->occurred_count < (int)COUNT_OF(w->occurred))
			w->occurred[w->occurred_count++] = text;
	}
}

static bool is_occurred(const struct writing *w, const char *text)
{
	for (int i = 0; i < w->occurred_count; i++) {
		if (w->occurred[i] == text)
			return true;
	}
	return false;
}

/* The id that a leaf is, or that a link ends with; NULL: none. */
static const struct fresh_id *find_id(const struct fresh *f, const char *text, size_t len, bool is_string)
{
	for (int i = 0; i < f->count; i++) {
		const struct fresh_id *id = &f->id[i];
		if (text == id->at && len == id->len)
			return id;
		if (!is_string || len < id->len || memcmp(text + len - id->len, id->old, id->len) != 0)
			continue;
		if (len == id->len || (id->len >= LINK_ID_MIN && text[len - id->len - 1] == '/'))
			return id;
	}
	return NULL;
}

static void write_leaf(void *ctx, const char *name, size_t name_len, const char *text, size_t len, bool is_string)
{
	struct writing *w = ctx;
	int64_t time_s;
	const struct fresh_id *id = find_id(w->fresh, text, len, is_string);
	bool is_time =
		!id && (is_occurred(w, text) || is_time_name(name, name_len)) && read_leaf_time(text, len, &time_s);
	if (!id && !is_time)
		return;
	size_t kept = id ? len - id->len : 0;
	buf_add(w->to, w->from, (size_t)(text + kept - w->from));
	if (id)
		buf_add(w->to, id->new, id->len);
	else
		add_time(w->to, text, len, w->fresh->shift_s);
	w->from = text + len;
}

void fresh_body(const struct fresh *fresh, const struct source *source, const char *body, size_t len, struct buf *ret)
{
	static struct writing w;
	const struct leaves leaves = {write_leaf, &w};
	w = (struct writing){.fresh = fresh, .to = ret, .from = body, .source = source};
	each_item(source, body, len, find_occurred, &w);
	walk(&leaves, json_value_of(body, len), (struct json_value){0});
	buf_add(ret, w.from, (size_t)(body + len - w.from));
}

void fresh_text(const struct fresh *fresh, const char *text, struct buf *ret)
{
	while (*text) {
		size_t word = 0;
		while (is_alnum(text[word]) || text[word] == '_' || text[word] == '-')
			word++;
		const struct fresh_id *id = word > 0 ? find_id(fresh, text, word, true) : NULL;
		if (id)
			buf_add(ret, id->new, id->len);
		else
			buf_add(ret, text, word > 0 ? word : 1);
		text += word > 0 ? word : 1;
	}
}

/* ---- another amount ---- */

struct raising {
	struct buf *to;
	const struct source *source;
	const char *from;
	bool is_found;
};

/* The first digit that is not 0 becomes another such one, so that the amount has as many decimals as before. */
static void raise_amount(void *ctx, struct json_value item)
{
	struct raising *r = ctx;
	struct json_value v;
	for (int i = 0; i < r->source->mapping_count || i == 0; i++) {
		const struct mapping *m = i < r->source->mapping_count ? &r->source->mappings[i] : NULL;
		const char *at = !m || m->is_canonical ? "/amount" : m->amount.at;
		if (*at != '/' || !json_value_find(item, at, &v) || v.at < r->from)
			continue;
		size_t digit = strcspn(v.at, "123456789");
		if (digit >= v.len)
			continue;
		buf_add(r->to, r->from, (size_t)(v.at + digit - r->from));
		buf_add_format(r->to, "%c", v.at[digit] == '9' ? '8' : v.at[digit] + 1);
		r->from = v.at + digit + 1;
		r->is_found = true;
		return;
	}
}

bool fresh_amount(const struct source *source, const char *body, size_t len, struct buf *ret)
{
	struct raising r = {.to = ret, .source = source, .from = body};
	each_item(source, body, len, raise_amount, &r);
	buf_add(ret, r.from, (size_t)(body + len - r.from));
	return r.is_found;
}
