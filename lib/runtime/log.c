/* log.c - one JSON object a line on stderr.
 *
 * A line is composed in memory and written by a single write() that is no longer than PIPE_BUF.  POSIX makes such a
 * write to a pipe atomic, so the lines of several processes that share stderr never mix, and no lock is needed.
 * Logging never fails for the caller: a line that cannot be written is dropped. */

#include "runtime/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define LINE_MAX_BYTES 4096 /* a line and a NUL; PIPE_BUF is 4,096 on Linux */

#define PAUSE_MS 1000 /* between two lines of one struct log_pause */

static const char *program_name = "payhook";
static enum log_level most = LOG_LEVEL_INFO;

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARN:
		return "warn";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "error";
}

void log_open(const char *program, enum log_level level)
{
	program_name = program;
	most = level;
}

bool log_pause_over(struct log_pause *p, int64_t *suppressed)
{
	int64_t now = clock_ms();
	if (now < p->next_ms) {
		p->suppressed++;
		return false;
	}
	*suppressed = p->suppressed;
	*p = (struct log_pause){.next_ms = now + PAUSE_MS};
	return true;
}

bool log_wants(enum log_level level)
{
	return level <= most;
}

/* The name is a constant of the program and needs no escaping; the text may come from outside and is escaped.
 * Seconds are written by integer arithmetic: a double would round microseconds of large values. */
static void add_field(struct buf *line, const struct log_field *field)
{
	buf_add_format(line, ",\"%s\":", field->name);
	if (!field->text && field->is_us) {
		const char *sign = field->number < 0 ? "-" : "";
		long long us = llabs((long long)field->number);
		buf_add_format(line, "%s%lld.%06lld", sign, us / 1000000, us % 1000000);
		return;
	}
	if (!field->text) {
		buf_add_format(line, "%lld", (long long)field->number);
		return;
	}
	buf_add_text(line, "\"");
	buf_add_json(line, field->text, strlen(field->text));
	buf_add_text(line, "\"");
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	char date[CLOCK_DATE_MAX];
	struct buf line = BUF_INIT(LINE_MAX_BYTES - 1);

	if (level > most)
		return;
	buf_add_format(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"pid\":%d,\"event\":\"%s\"",
		clock_date_ms(date), level_name(level), program_name, (int)getpid(), event);
	for (; fields->name; fields++)
		add_field(&line, fields);
	buf_add_text(&line, "}\n");
	/* A line that does not fit or cannot be written is lost: there is no other place where that could be
	 * reported. */
	ssize_t written = buf_ok(&line) ? write(STDERR_FILENO, line.data, line.len) : 0;
	(void)written;
	buf_finish(&line);
}
