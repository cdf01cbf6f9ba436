#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* Logs: one JSON object a line on stderr, written whole in one write().
 *
 *	{"time":"2026-02-19T12:00:00.123Z","level":"info","program":"payhook-app","pid":42,"event":"..."}
 *
 * Then what concerns the event, under the same names everywhere, and in nginx's log of requests too: request_id,
 * transaction_id, trace_id, attempt, duration (seconds).
 *
 * Only programs log; a failure is logged once, where it is answered.  Never a body, an amount, an account or a
 * credential. */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Which program speaks, and what is worth a line.  program is borrowed for good. */
void log_open(const char *program, enum log_level level);

/* Whether lines of this level are written; to be asked where a line itself costs too much. */
bool log_wants(enum log_level level);

/* A member of a log line; a list of them ends with a null name. */
struct log_field {
	const char *name;
	const char *text; /* a string; or NULL, and number counts */
	int64_t number;
	bool is_us; /* the number is microseconds, and told as seconds */
};

#define LOG_TEXT(name, text) ((struct log_field){(name), (text), 0, false})
#define LOG_NUMBER(name, number) ((struct log_field){(name), NULL, (number), false})
#define LOG_SECONDS(name, us) ((struct log_field){(name), NULL, (us), true})

/* Lines that could come thousands a second: between two of them is a second at least. */
struct log_pause {
	int64_t next_ms;
	int64_t unsaid; /* since the last line */
};

/* True: a line may be written, after *unsaid that were not. */
bool log_pause_over(struct log_pause *p, int64_t *unsaid);

/* One line: an event in the present tense ("worker starts"), then its fields. */
void log_event(enum log_level level, const char *event, const struct log_field *fields);

#define LOG(level, event, ...) \
	log_event((level), (event), (const struct log_field[]){__VA_ARGS__, {NULL, NULL, 0, false}})
