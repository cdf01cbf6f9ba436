/* test_readiness_state.c - what a batch's or a probe's outcome means for the questions before and after it. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/base.h"
#include "ingest/readiness.h"

#define NOW 100000

struct question {
	struct ingest_probe probe;
	enum { WAITS, READY, NOT_READY } answer;
	char why[FAULT_TEXT_MAX];
};

static struct readiness r;
static struct fault full;

static void on_probe(struct ingest_probe *p, const struct fault *f)
{
	struct question *q = CONTAINER_OF(p, struct question, probe);
	cr_assert_eq(q->answer, WAITS, "answered twice");
	q->answer = f ? NOT_READY : READY;
	if (f)
		memcpy(q->why, f->text, sizeof q->why);
}

static void ask(struct question *q, int64_t now_ms)
{
	*q = (struct question){.probe = {.done = on_probe}};
	readiness_ask(&r, &q->probe, now_ms);
}

static void begin(void)
{
	readiness_init(&r);
	fault_set(&full, FAULT_BUSY, "full");
}

TestSuite(readiness_state, .init = begin);

Test(readiness_state, a_success_counts_for_a_second)
{
	struct question before, soon, late;
	cr_expect_not(readiness_is_due(&r), "nobody asks");
	ask(&before, NOW);
	cr_expect(readiness_is_due(&r));
	readiness_prove(&r, NOW);
	cr_expect_eq(before.answer, READY);
	cr_expect_not(readiness_is_due(&r));
	ask(&soon, NOW + READINESS_FRESH_MS - 1);
	cr_expect_eq(soon.answer, READY);
	ask(&late, NOW + READINESS_FRESH_MS);
	cr_expect_eq(late.answer, WAITS);
	readiness_withdraw(&r, &late.probe);
	cr_expect_not(readiness_is_due(&r));
}

Test(readiness_state, a_refused_batch_counts_until_the_next_success)
{
	struct question before, later, after;
	ask(&before, NOW);
	readiness_refuse(&r, &full);
	cr_expect_eq(before.answer, NOT_READY);
	cr_expect_str_eq(before.why, "full");
	ask(&later, NOW + 3600000);
	cr_expect_eq(later.answer, NOT_READY);
	readiness_prove(&r, NOW + 3600000);
	ask(&after, NOW + 3600000);
	cr_expect_eq(after.answer, READY);
}

Test(readiness_state, a_refused_batch_outweighs_the_success_before_it)
{
	struct question q;
	readiness_prove(&r, NOW);
	readiness_refuse(&r, &full);
	ask(&q, NOW + 2);
	cr_expect_eq(q.answer, NOT_READY);
}

Test(readiness_state, probes_after_each_pause_while_not_ready)
{
	readiness_refuse(&r, &full);
	cr_expect_not(readiness_is_due(&r));
	readiness_resume(&r);
	cr_expect(readiness_is_due(&r));
	readiness_pause(&r);
	cr_expect_not(readiness_is_due(&r));
	readiness_resume(&r);
	readiness_prove(&r, NOW);
	cr_expect_not(readiness_is_due(&r));
}

Test(readiness_state, a_new_connection_proves_nothing_and_is_probed_at_once_if_the_last_refused)
{
	struct question q;
	readiness_prove(&r, NOW);
	readiness_reset(&r);
	ask(&q, NOW);
	cr_expect_eq(q.answer, WAITS);
	readiness_answer(&r, &full);
	cr_expect_eq(q.answer, NOT_READY);
	cr_expect_not(readiness_is_due(&r));
	readiness_refuse(&r, &full);
	readiness_reset(&r);
	cr_expect(readiness_is_due(&r));
}
