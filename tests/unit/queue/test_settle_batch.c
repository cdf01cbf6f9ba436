/* test_settle_batch.c - which results go into one settlement, and what happens to them if its answer is lost or the
 * database rejects it. */

#include <criterion/criterion.h>

#include "queue/settle_batch.h"

static struct settle_batch r;
static struct job jobs[SETTLE_BATCH_MAX + 10];

static void add(int count)
{
	settle_batch_init(&r);
	for (int i = 0; i < count; i++) {
		jobs[i] = (struct job){.id = i + 1, .settled = true, .alone = true};
		settle_batch_add(&r, &jobs[i]);
	}
}

Test(settle_batch, fills_a_batch_in_order_up_to_its_most)
{
	add(SETTLE_BATCH_MAX + 10);
	settle_batch_fill(&r);
	cr_expect_eq(r.batch_count, SETTLE_BATCH_MAX);
	cr_expect_eq(r.waiting_count, 10);
	cr_expect_eq(r.batch[0], &jobs[0]);
	cr_expect_eq(r.batch[SETTLE_BATCH_MAX - 1], &jobs[SETTLE_BATCH_MAX - 1]);
	cr_expect_not(jobs[0].settled, "nothing is settled yet");
}

Test(settle_batch, keeps_the_batch_that_is_under_way)
{
	add(3);
	settle_batch_fill(&r);
	struct job late = {.id = 99};
	settle_batch_add(&r, &late);
	settle_batch_fill(&r);
	cr_expect_eq(r.batch_count, 3, "the same batch is sent again");
	cr_expect_eq(r.waiting_count, 1);
}

Test(settle_batch, distinguishes_the_settled_from_the_stale)
{
	add(2);
	settle_batch_fill(&r);
	jobs[0].settled = true;
	cr_expect_eq(settle_batch_end(&r, &jobs[0]), SETTLED_NOW);
	cr_expect_eq(settle_batch_end(&r, &jobs[1]), SETTLED_STALE);
}

Test(settle_batch, calls_nothing_stale_after_a_lost_answer)
{
	add(2);
	settle_batch_fill(&r);
	r.batch_unknown = true;
	jobs[0].settled = true;
	cr_expect_eq(settle_batch_end(&r, &jobs[0]), SETTLED_NOW);
	cr_expect_eq(settle_batch_end(&r, &jobs[1]), SETTLED_UNKNOWN);
	settle_batch_clear(&r);
	cr_expect_eq(settle_batch_end(&r, &jobs[1]), SETTLED_STALE, "the doubt is of one batch");
}

Test(settle_batch, sends_each_of_a_refused_batch_alone_and_the_others_after)
{
	add(3);
	settle_batch_fill(&r);
	struct job later[2] = {{.id = 50}, {.id = 51}};
	settle_batch_add(&r, &later[0]);
	settle_batch_add(&r, &later[1]);
	settle_batch_refuse(&r);
	for (int i = 0; i < 3; i++) {
		settle_batch_fill(&r);
		cr_expect_eq(r.batch_count, 1);
		cr_expect_eq(r.batch[0], &jobs[i]);
		settle_batch_clear(&r);
	}
	settle_batch_fill(&r);
	cr_expect_eq(r.batch_count, 2);
}

Test(settle_batch, puts_a_job_refused_alone_aside_until_it_is_tried_again)
{
	add(1);
	settle_batch_fill(&r);
	settle_batch_refuse(&r);
	struct job other = {.id = 50};
	settle_batch_add(&r, &other);
	settle_batch_fill(&r);
	cr_expect_eq(r.batch_count, 1);
	cr_expect_eq(r.batch[0], &other);
	settle_batch_clear(&r);
	settle_batch_retry(&r);
	settle_batch_fill(&r);
	cr_expect_eq(r.batch_count, 1);
	cr_expect_eq(r.batch[0], &jobs[0]);
}

Test(settle_batch, does_not_let_a_refused_one_into_a_batch_of_others)
{
	add(1);
	settle_batch_fill(&r);
	settle_batch_refuse(&r);
	struct job other = {.id = 50};
	settle_batch_add(&r, &other);
	settle_batch_retry(&r);
	settle_batch_fill(&r);
	cr_expect_eq(r.batch_count, 1);
	cr_expect_eq(r.batch[0], &other);
}
