#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "json/value.h"
#include "table.h"

/* The members of an answer's JSON, as texts for people.  A pointer is a JSON pointer (json/value.h). */

#define FIELD_START_MAX 160   /* bytes: two lines of a terminal */
#define FIELD_MAX (16 * 1024) /* bytes with the NUL: a detail of 2,000 characters and an error have less */

/* A string without its quotes, anything else as it is written; "" if it is null or absent.  Returns ret. */
const char *field_text(struct json_value v, const char *pointer, char ret[FIELD_MAX]);

/* A whole number; 0 if it is null or absent. */
int64_t field_number(struct json_value v, const char *pointer);

bool field_is_true(struct json_value v, const char *pointer);

/* The object or the list that the pointer names.  False if it is null or absent. */
MUST_USE bool field_part(struct json_value v, const char *pointer, struct json_value *ret);

/* A walk over the elements of a list; over none if it is null or absent. */
struct json_walk field_list(struct json_value v, const char *pointer);

/* ---- times ---- */

#define MOMENT_MAX 96

/* "12 s", "3 min", "5 h", "9 days".  Returns ret. */
const char *moment_span(int64_t ms, char ret[MOMENT_MAX]);

/* How long before now a time was, "3 min ago", or how long after, "in 3 min"; "" if the text is no time. */
const char *moment_ago(const char *time, int64_t now_us, char ret[MOMENT_MAX]);

/* Both, "2026-11-30T01:02:03Z (3 min ago)"; "" if the text is no time. */
const char *moment_both(const char *time, int64_t now_us, char ret[MOMENT_MAX]);

/* ---- cells ---- */

void field_cell(struct table *t, struct json_value v, const char *pointer);

/* The same with the start of a text that may be a page long, in a list that is to be read at a glance. */
void field_start_cell(struct table *t, struct json_value v, const char *pointer);

/* Two cells: to the second, and how long ago. */
void field_time_cells(struct table *t, struct json_value v, const char *pointer, int64_t now_us);

/* One cell, how long ago. */
void field_ago_cell(struct table *t, struct json_value v, const char *pointer, int64_t now_us);
