/* news.c - lines of the log. */

#include "news.h"

#include "base/clock.h"
#include "http/traceparent.h"
#include "runtime/log.h"

static int64_t call_us(const struct job *j)
{
	return (clock_ms() - j->began_ms) * 1000;
}

void news_job(const char *event, const struct job *j)
{
	LOG(LOG_LEVEL_DEBUG, event, LOG_TEXT("transaction_id", j->transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(j->traceparent)), LOG_NUMBER("attempt", j->attempt),
		LOG_SECONDS("duration", call_us(j)));
}

void news_failure(const struct job *j, const struct outcome *o)
{
	bool final = j->end == END_FAILED;
	LOG(final ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, final ? "call failed for good" : "call failed, another follows",
		LOG_TEXT("request_id", o->request_id ? o->request_id : ""),
		LOG_TEXT("transaction_id", j->transaction_id), LOG_TEXT("trace_id", TRACE_ID(j->traceparent)),
		LOG_NUMBER("attempt", j->attempt), LOG_SECONDS("duration", call_us(j)),
		LOG_SECONDS("delay", j->delay_ms * 1000), LOG_TEXT("why", j->error));
}

void news_up(bool *away, const char *connection)
{
	if (*away)
		LOG(LOG_LEVEL_INFO, "database is back", LOG_TEXT("connection", connection));
	*away = false;
}

void news_down(bool *away, const char *connection, const struct fault *why)
{
	if (!*away)
		LOG(LOG_LEVEL_ERROR, "database is away", LOG_TEXT("connection", connection),
			LOG_TEXT("why", why->text));
	*away = true;
}

void news_counts(const struct queue_counts *c)
{
	LOG(LOG_LEVEL_INFO, "worker ends", LOG_NUMBER("claimed", c->claimed), LOG_NUMBER("late", c->late),
		LOG_NUMBER("settled", c->settled), LOG_NUMBER("stale", c->stale), LOG_NUMBER("doubt", c->doubt),
		LOG_NUMBER("released", c->released));
}
