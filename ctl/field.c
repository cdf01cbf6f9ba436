/* field.c - reads the members of an answer for people.
 *
 * The answer's form is fixed (docs/console-api.md), and a member that is missing is no error here: a server of a later
 * version may have dropped one, and the rest is still worth showing. */

#include "field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

static bool has_value(struct json_value v, const char *pointer, struct json_value *ret)
{
	return json_value_find(v, pointer, ret) && json_value_kind(*ret) != JSON_IS_NULL;
}

const char *field_text(struct json_value v, const char *pointer, char ret[FIELD_MAX])
{
	struct json_value found;
	size_t len;
	ret[0] = '\0';
	if (!has_value(v, pointer, &found) || json_value_text(found, ret, FIELD_MAX, &len))
		return ret;
	len = found.len < FIELD_MAX ? found.len : FIELD_MAX - 1;
	memcpy(ret, found.at, len);
	ret[utf8_whole(ret, len)] = '\0';
	return ret;
}

int64_t field_number(struct json_value v, const char *pointer)
{
	char text[FIELD_MAX];
	return strtoll(field_text(v, pointer, text), NULL, 10);
}

bool field_is_true(struct json_value v, const char *pointer)
{
	struct json_value found;
	return json_value_find(v, pointer, &found) && json_value_kind(found) == JSON_IS_TRUE;
}

bool field_part(struct json_value v, const char *pointer, struct json_value *ret)
{
	struct json_value found;
	if (!has_value(v, pointer, &found))
		return false;
	if (json_value_kind(found) != JSON_IS_OBJECT && json_value_kind(found) != JSON_IS_ARRAY)
		return false;
	*ret = found;
	return true;
}

struct json_walk field_list(struct json_value v, const char *pointer)
{
	static const char EMPTY[] = "[]";
	struct json_value list;
	if (!field_part(v, pointer, &list) || json_value_kind(list) != JSON_IS_ARRAY)
		list = (struct json_value){.at = EMPTY, .len = 2};
	return json_walk_into(list);
}

/* ---- times ---- */

const char *moment_span(int64_t ms, char ret[MOMENT_MAX])
{
	int64_t s = ms / 1000;
	if (s < 120)
		snprintf(ret, MOMENT_MAX, "%" PRId64 " s", s);
	else if (s < 7200)
		snprintf(ret, MOMENT_MAX, "%" PRId64 " min", s / 60);
	else if (s < 172800)
		snprintf(ret, MOMENT_MAX, "%" PRId64 " h", s / 3600);
	else
		snprintf(ret, MOMENT_MAX, "%" PRId64 " days", s / 86400);
	return ret;
}

const char *moment_ago(const char *time, int64_t now_us, char ret[MOMENT_MAX])
{
	char span[MOMENT_MAX];
	int64_t then;
	ret[0] = '\0';
	if (!clock_read_us(time, &then))
		return ret;
	if (then - now_us >= 1000000)
		snprintf(ret, MOMENT_MAX, "in %.40s", moment_span((then - now_us) / 1000, span));
	else
		snprintf(ret, MOMENT_MAX, "%.40s ago", moment_span(then > now_us ? 0 : (now_us - then) / 1000, span));
	return ret;
}

/* To the second. */
static const char *moment_exact(const char *time, char ret[CLOCK_DATE_MAX])
{
	int64_t then;
	ret[0] = '\0';
	return clock_read(time, &then) ? clock_date((time_t)then, ret) : ret;
}

const char *moment_both(const char *time, int64_t now_us, char ret[MOMENT_MAX])
{
	char exact[CLOCK_DATE_MAX], ago[MOMENT_MAX];
	ret[0] = '\0';
	if (*moment_exact(time, exact))
		snprintf(ret, MOMENT_MAX, "%s (%.50s)", exact, moment_ago(time, now_us, ago));
	return ret;
}

/* ---- cells ---- */

void field_cell(struct table *t, struct json_value v, const char *pointer)
{
	char text[FIELD_MAX];
	table_add(t, field_text(v, pointer, text));
}

void field_start_cell(struct table *t, struct json_value v, const char *pointer)
{
	char text[FIELD_MAX];
	if (strlen(field_text(v, pointer, text)) > FIELD_START_MAX)
		memcpy(text + utf8_whole(text, FIELD_START_MAX), "...", sizeof "...");
	table_add(t, text);
}

void field_ago_cell(struct table *t, struct json_value v, const char *pointer, int64_t now_us)
{
	char text[FIELD_MAX], ago[MOMENT_MAX];
	table_add(t, moment_ago(field_text(v, pointer, text), now_us, ago));
}

void field_time_cells(struct table *t, struct json_value v, const char *pointer, int64_t now_us)
{
	char text[FIELD_MAX], exact[CLOCK_DATE_MAX];
	table_add(t, moment_exact(field_text(v, pointer, text), exact));
	field_ago_cell(t, v, pointer, now_us);
}
