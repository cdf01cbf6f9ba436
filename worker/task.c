/* task.c - a job in this worker.
 *
 * The claim's result is freed when the claim has been read, but a call may take minutes.  So a task copies the texts
 * of its row, and lives until its job's settlement has been confirmed. */

#include "task.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "call_policy.h"

/* Those of a struct job; absent ones stay NULL. */
static const size_t TEXTS[] = {offsetof(struct job, transaction_id), offsetof(struct job, source),
	offsetof(struct job, source_account), offsetof(struct job, destination_account), offsetof(struct job, amount),
	offsetof(struct job, currency), offsetof(struct job, created_at), offsetof(struct job, kind),
	offsetof(struct job, payment_id), offsetof(struct job, occurred_at), offsetof(struct job, traceparent),
	offsetof(struct job, content_type), offsetof(struct job, headers)};

static const char **task_text(struct job *j, size_t i)
{
	return (const char **)((char *)j + TEXTS[i]);
}

struct task *task_create(const struct job *row)
{
	struct job job = *row;
	size_t sizes[COUNT_OF(TEXTS)], sum = row->body_len;
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
		const char *text = *task_text(&job, i);
		sizes[i] = text ? strlen(text) + 1 : 0;
		sum += sizes[i];
	}
	struct task *t = malloc(sizeof *t + sum);
	if (!t)
		return NULL;
	*t = (struct task){.job = job, .call = {.job = &t->job}};
	char *to = t->texts;
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
		const char **text = task_text(&t->job, i);
		if (*text)
			*text = memcpy(to, *text, sizes[i]);
		to += sizes[i];
	}
	if (row->body)
		t->job.body = memcpy(to, row->body, row->body_len);
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
