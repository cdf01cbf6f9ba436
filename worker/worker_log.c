/* worker_log.c - log lines of the worker.
 *
 * The names of events and fields are an interface: operators search and alert by them.  Amounts and accounts never
 * appear; a transaction is identified by its id and trace. */

#include "worker_log.h"

#include "base/clock.h"
#include "http/traceparent.h"
#include "runtime/log.h"

/* Microseconds since the call began, which is its duration when it has just ended. */
static int64_t call_us(const struct job *j)
{
	return (clock_ms() - j->began_ms) * 1000;
}

void worker_log_started(const struct job *j)
{
	LOG(LOG_LEVEL_DEBUG, "call started", LOG_TEXT("transaction_id", j->transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(j->traceparent)), LOG_NUMBER("attempt", j->attempt));
}

void worker_log_job(const char *event, const struct job *j)
{
	LOG(LOG_LEVEL_DEBUG, event, LOG_TEXT("transaction_id", j->transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(j->traceparent)), LOG_NUMBER("attempt", j->attempt),
		LOG_SECONDS("duration", call_us(j)));
}

void worker_log_settled(const struct job *j, enum settled how)
{
	static const char *const EVENTS[] = {[SETTLED_NOW] = "job settled",
		[SETTLED_STALE] = "job settlement was stale",
		[SETTLED_UNKNOWN] = "job settlement unknown"};
	worker_log_job(EVENTS[how], j);
}

void worker_log_settlement(const struct settlement *s)
{
	if (s->stale > 0)
		LOG(LOG_LEVEL_WARN, "stale settlements changed nothing: their jobs had been freed",
			LOG_NUMBER("jobs", s->stale));
	if (s->unknown > 0)
		LOG(LOG_LEVEL_INFO, "settlements sent twice were already in effect", LOG_NUMBER("jobs", s->unknown));
}

void worker_log_circuit_opened(int failures, const char *why)
{
	LOG(LOG_LEVEL_WARN, "circuit opened: one job at a time is tried", LOG_NUMBER("failures", failures),
		LOG_TEXT("reason", why));
}

void worker_log_circuit_closed(int failures, int64_t open_ms)
{
	LOG(LOG_LEVEL_WARN, "circuit closed: the processor answers again", LOG_NUMBER("failures", failures),
		LOG_SECONDS("after", open_ms * 1000));
}

void worker_log_failure(const struct job *j, const struct call_outcome *o)
{
	bool final = j->outcome == JOB_FAILED, postponed = j->outcome == JOB_POSTPONED;
	LOG(final || postponed ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
		final       ? "call failed permanently"
		: postponed ? "call postponed"
			    : "call failed, retry scheduled",
		LOG_TEXT("request_id", o->request_id ? o->request_id : ""),
		LOG_TEXT("transaction_id", j->transaction_id), LOG_TEXT("trace_id", TRACE_ID(j->traceparent)),
		LOG_NUMBER("attempt", j->attempt), LOG_SECONDS("duration", call_us(j)),
		LOG_SECONDS("delay", j->delay_ms * 1000), LOG_TEXT("reason", j->error));
}

void worker_log_exhausted(const struct job *j)
{
	LOG(LOG_LEVEL_WARN, "attempts used up", LOG_TEXT("transaction_id", j->transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(j->traceparent)), LOG_NUMBER("attempts", j->attempt - 1),
		LOG_TEXT("reason", j->error));
}

void worker_log_up(bool *away, const char *connection)
{
	if (*away)
		LOG(LOG_LEVEL_INFO, "database reconnected", LOG_TEXT("connection", connection));
	*away = false;
}

void worker_log_down(bool *away, const char *connection, const struct fault *why)
{
	if (!*away)
		LOG(LOG_LEVEL_ERROR, "database unreachable", LOG_TEXT("connection", connection),
			LOG_TEXT("reason", why->text));
	*away = true;
}

void worker_log_counters(const struct queue_counters *c)
{
	LOG(LOG_LEVEL_INFO, "worker ends", LOG_NUMBER("claimed", c->claimed), LOG_NUMBER("late", c->late),
		LOG_NUMBER("settled", c->settled), LOG_NUMBER("stale", c->stale), LOG_NUMBER("unknown", c->unknown),
		LOG_NUMBER("released", c->released));
}
