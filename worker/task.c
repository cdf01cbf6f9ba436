/* task.c - a job in this worker.
 *
 * The claim's result is freed when the claim has been read, but a call may take minutes.  So a task copies the texts
 * of its row, and lives until its job's settlement has been confirmed. */

#include "task.h"

#include <stdlib.h>
#include <string.h>

#include "call_policy.h"

#define TEXTS 8 /* of a struct job; absent ones stay NULL */

struct task *task_create(const struct job *row)
{
	const char *texts[TEXTS] = {row->transaction_id, row->source, row->source_account, row->destination_account,
		row->amount, row->currency, row->created_at, row->traceparent};
	size_t sizes[TEXTS], sum = 0;
	for (int i = 0; i < TEXTS; i++) {
		sizes[i] = texts[i] ? strlen(texts[i]) + 1 : 0;
		sum += sizes[i];
	}
	struct task *t = malloc(sizeof *t + sum);
	if (!t)
		return NULL;
	*t = (struct task){.job = *row, .call = {.job = &t->job}};
	char *to = t->texts;
	for (int i = 0; i < TEXTS; i++) {
		if (!texts[i])
			continue;
		texts[i] = memcpy(to, texts[i], sizes[i]);
		to += sizes[i];
	}
	t->job.transaction_id = texts[0];
	t->job.source = texts[1];
	t->job.source_account = texts[2];
	t->job.destination_account = texts[3];
	t->job.amount = texts[4];
	t->job.currency = texts[5];
	t->job.created_at = texts[6];
	t->job.traceparent = texts[7];
	return t;
}

void task_destroy(struct task *t)
{
	if (!t)
		return;
	free(t->error);
	free(t);
}

struct task *task_of(struct job *j)
{
	return CONTAINER_OF(j, struct task, job);
}

struct task *task_of_call(struct call *c)
{
	return CONTAINER_OF(c, struct task, call);
}

/* If memory for the reason is exhausted, the job is settled with a fixed reason: the outcome matters more. */
void task_set_error(struct task *t, const char *why)
{
	char error[CALL_POLICY_ERROR_MAX];
	free(t->error);
	t->error = strdup(call_policy_error(why, error));
	t->job.error = t->error ? t->error : "out of memory for the reason";
}
