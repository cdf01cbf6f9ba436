/* work.c - a job in this worker. */

#include "work.h"

#include <stdlib.h>
#include <string.h>

#include "verdict.h"

#define TEXTS 8

struct work *work_create(const struct job *row)
{
	const char *texts[TEXTS] = {row->transaction_id, row->source, row->source_account, row->destination_account,
		row->amount, row->currency, row->created_at, row->traceparent};
	size_t sizes[TEXTS], sum = 0;
	for (int i = 0; i < TEXTS; i++) {
		sizes[i] = texts[i] ? strlen(texts[i]) + 1 : 0;
		sum += sizes[i];
	}
	struct work *w = malloc(sizeof *w + sum);
	if (!w)
		return NULL;
	*w = (struct work){.job = *row, .call = {.job = &w->job}};
	char *to = w->texts;
	for (int i = 0; i < TEXTS; i++) {
		if (!texts[i])
			continue;
		texts[i] = memcpy(to, texts[i], sizes[i]);
		to += sizes[i];
	}
	w->job.transaction_id = texts[0];
	w->job.source = texts[1];
	w->job.source_account = texts[2];
	w->job.destination_account = texts[3];
	w->job.amount = texts[4];
	w->job.currency = texts[5];
	w->job.created_at = texts[6];
	w->job.traceparent = texts[7];
	return w;
}

void work_destroy(struct work *w)
{
	if (!w)
		return;
	free(w->error);
	free(w);
}

struct work *work_of(struct job *j)
{
	return CONTAINER_OF(j, struct work, job);
}

struct work *work_of_call(struct call *c)
{
	return CONTAINER_OF(c, struct work, call);
}

/* Without memory for the reason the job is settled all the same. */
void work_set_error(struct work *w, const char *why)
{
	char error[VERDICT_ERROR_MAX];
	free(w->error);
	w->error = strdup(verdict_error(why, error));
	w->job.error = w->error ? w->error : "out of memory for the reason";
}
