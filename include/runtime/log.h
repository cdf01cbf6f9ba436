#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* The log: one JSON object a line on stderr, each line written by one write().
 *
 *	{"time":"2026-02-19T12:00:00.123Z","level":"info","program":"payhook-app","pid":42,"event":"..."}
 *
 * The fields of the event follow.  Fields that concern the same thing have the same name in every program and in
 * nginx's access log: request_id, transaction_id, trace_id, attempt, duration (seconds).
 *
 * Only programs log; library code below this room returns a fault instead.  A failure is logged once, where it is
 * answered.  Bodies, amounts, accounts and credentials are never logged. */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Sets the program's name and the least severe level that is written.  program must stay valid until the process ends.
 * Before the call the name is "payhook" and the level is info. */
void log_open(const char *program, enum log_level level);

/* True if lines of this level are written.  For callers to which preparing the fields alone would cost too much. */
bool log_wants(enum log_level level);

/* One field of a log line.  A field whose name is NULL ends a list. */
struct log_field {
	const char *name;
	const char *text; /* the value as a string, in UTF-8; NULL: the value is number */
	int64_t number;
	bool is_us; /* number is in microseconds and is written in seconds, with six decimals */
};

#define LOG_TEXT(name, text) ((struct log_field){(name), (text), 0, false})
#define LOG_NUMBER(name, number) ((struct log_field){(name), NULL, (number), false})
#define LOG_SECONDS(name, us) ((struct log_field){(name), NULL, (us), true})

/* Limits an event that may occur thousands of times a second to one line a second.  A new one is all zero. */
struct log_pause {
	int64_t next_ms;    /* the earliest time of the next line, by clock_ms() */
	int64_t suppressed; /* events without a line since the last line */
};

/* True: the caller may write a line now; *suppressed is the number of events without one since the last.  False: the
 * event is counted as suppressed, and *suppressed is unchanged. */
bool log_pause_over(struct log_pause *p, int64_t *suppressed);

/* Writes one line: the event, a clause without a full stop ("worker starts"), then the fields.  A line of more than
 * 4,095 bytes is lost, as is a line that stderr does not take. */
void log_event(enum log_level level, const char *event, const struct log_field *fields);

#define LOG(level, event, ...) \
	log_event((level), (event), (const struct log_field[]){__VA_ARGS__, {NULL, NULL, 0, false}})
