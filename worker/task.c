/* work.c - a job in this worker. */

#include "task.h"

#include <stdlib.h>
#include <string.h>

#include "call_policy.h"

#define TEXTS 8

struct task *task_create(const struct job *row)
{
	const char *texts[TEXTS] = {row->transaction_id, row->source, row->source_account, row->destination_account,
		row->amount, row->currency, row->created_at, row->traceparent};
	size_t sizes[TEXTS], sum = 0;
	for (int i = 0; i < TEXTS; i++) {
		sizes[i] = texts[i] ? strlen(texts[i]) + 1 : 0;
		sum += sizes[i];
	}
	struct task *w = malloc(sizeof *w + sum);
	if (!w)
		return NULL;
	*w = (struct task){.job = *row, .call = {.job = &w->job}};
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

void task_destroy(struct task *w)
{
	if (!w)
		return;
	free(w->error);
	free(w);
}

struct task *task_of(struct job *j)
{
	return CONTAINER_OF(j, struct task, job);
}

struct task *task_of_call(struct call *c)
{
	return CONTAINER_OF(c, struct task, call);
}

/* Without memory for the reason the job is settled all the same. */
void task_set_error(struct task *w, const char *why)
{
	char error[CALL_POLICY_ERROR_MAX];
	free(w->error);
	w->error = strdup(call_policy_error(why, error));
	w->job.error = w->error ? w->error : "out of memory for the reason";
}
