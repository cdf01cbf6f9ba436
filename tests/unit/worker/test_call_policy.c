/* test_call_policy.c - the outcome of a job after a call: processed, failed, or retried after a pause. */

#include <criterion/criterion.h>
#include <string.h>

#include "call_policy.h"
#include "queue/retry_policy.h"

#define CLOSED (-1)

static struct job j;

static void end_with(enum call_result result, int attempt, int64_t asked_ms, int64_t open_pause_ms, uint64_t random)
{
	j = (struct job){.attempt = attempt, .delay_ms = 7};
	const struct call_outcome o = {.result = result, .pause_ms = asked_ms, .why = "503"};
	call_policy_end(&j, &o, 12, open_pause_ms, random);
}

Test(call_policy, what_is_done_is_processed)
{
	end_with(CALL_DONE, 12, -1, CLOSED, 0);
	cr_expect_eq(j.outcome, JOB_PROCESSED);
	end_with(CALL_DONE, 13, -1, 1000, 0);
	cr_expect_eq(j.outcome, JOB_PROCESSED);
}

Test(call_policy, what_can_never_be_done_fails_at_the_first_attempt)
{
	end_with(CALL_GIVE_UP, 1, -1, CLOSED, 0);
	cr_expect_eq(j.outcome, JOB_FAILED);
	end_with(CALL_GIVE_UP, 1, -1, 1000, 0);
	cr_expect_eq(j.outcome, JOB_FAILED, "the circuit has no say in it");
}

Test(call_policy, tries_again_after_a_pause_that_grows)
{
	end_with(CALL_AGAIN, 1, -1, CLOSED, RETRY_BASE_MS);
	cr_expect_eq(j.outcome, JOB_RETRIED);
	cr_expect_eq(j.delay_ms, RETRY_BASE_MS);
	end_with(CALL_AGAIN, 11, -1, CLOSED, RETRY_CAP_MS);
	cr_expect_eq(j.outcome, JOB_RETRIED);
	cr_expect_eq(j.delay_ms, RETRY_CAP_MS);
}

Test(call_policy, waits_as_long_as_it_is_asked_to)
{
	end_with(CALL_AGAIN, 1, 90000, CLOSED, 0);
	cr_expect_eq(j.delay_ms, 90000);
	end_with(CALL_AGAIN, 1, 90000, 1000, 0);
	cr_expect_eq(j.delay_ms, 90000);
}

Test(call_policy, fails_when_the_attempts_are_exhausted)
{
	end_with(CALL_AGAIN, 12, -1, CLOSED, 0);
	cr_expect_eq(j.outcome, JOB_FAILED);
	end_with(CALL_AGAIN, 13, 90000, CLOSED, 0);
	cr_expect_eq(j.outcome, JOB_FAILED, "rescues count too");
}

Test(call_policy, counts_each_answer_that_an_earlier_call_may_be_under_way)
{
	end_with(CALL_UNDER_WAY, 1, 1000, CLOSED, 0);
	cr_expect_eq(j.outcome, JOB_RETRIED);
	cr_expect_eq(j.delay_ms, 1000);
	end_with(CALL_UNDER_WAY, 3, 1000, 8000, 3000);
	cr_expect_eq(j.outcome, JOB_RETRIED, "the circuit has no say in it");
	cr_expect_eq(j.delay_ms, 3000);
	end_with(CALL_UNDER_WAY, 12, 1000, 8000, 0);
	cr_expect_eq(j.outcome, JOB_FAILED);
}

Test(call_policy, burns_no_attempt_while_the_processor_is_down)
{
	end_with(CALL_AGAIN, 12, -1, 8000, 0);
	cr_expect_eq(j.outcome, JOB_PROBED);
	cr_expect_eq(j.delay_ms, 4000, "half the pause at least");
	end_with(CALL_AGAIN, 12, -1, 8000, 4000);
	cr_expect_eq(j.delay_ms, 8000, "and the pause at most");
}

Test(call_policy, postpones_without_counting_what_this_machine_could_not_do)
{
	end_with(CALL_POSTPONED, 12, -1, CLOSED, 0);
	cr_expect_eq(j.outcome, JOB_POSTPONED, "it uses up no attempt");
	cr_expect_eq(j.delay_ms, CALL_POLICY_POSTPONE_MS / 2);
	end_with(CALL_POSTPONED, 1, -1, 8000, CALL_POLICY_POSTPONE_MS / 2);
	cr_expect_eq(j.outcome, JOB_POSTPONED, "the circuit has no say in it");
	cr_expect_eq(j.delay_ms, CALL_POLICY_POSTPONE_MS);
}

Test(call_policy, fails_what_has_no_transaction)
{
	end_with(CALL_ABSENT, 1, -1, CLOSED, 0);
	cr_expect_eq(j.outcome, JOB_FAILED);
	end_with(CALL_ABSENT, 1, -1, 1000, 0);
	cr_expect_eq(j.outcome, JOB_FAILED, "the circuit has no say in it");
}

/* ---- errors ---- */

static const char *error_of(const char *why)
{
	static char error[CALL_POLICY_ERROR_MAX];
	return call_policy_error(why, error);
}

Test(call_policy, keeps_an_error_as_it_is)
{
	cr_expect_str_eq(error_of("HTTP 503, für später €"), "HTTP 503, für später €");
}

Test(call_policy, shows_what_controls_a_terminal_as_question_marks)
{
	cr_expect_str_eq(error_of("a\x1b[2J\x7f\xc2\x9b"
				  "2Jb"),
		"a?[2J??2Jb");
}

Test(call_policy, shows_what_the_database_would_refuse_as_question_marks)
{
	cr_expect_str_eq(error_of("a\xff"
				  "b\xc3"),
		"a?b?");
	cr_expect_str_eq(error_of("line\nline\x7f"), "line?line?");
}

Test(call_policy, shows_every_control_character_as_a_question_mark)
{
	cr_expect_str_eq(error_of("a\xc2\x80"
				  "b\xc2\x9b"
				  "c\xc2\x9f"),
		"a?b?c?", "C1 control characters have two bytes in UTF-8");
	cr_expect_str_eq(error_of("\xc2\xa0\xc3\x80"), "\xc2\xa0\xc3\x80", "the characters beside them");
}

Test(call_policy, cuts_a_long_error_at_a_character)
{
	char why[2000];
	memset(why, 'x', sizeof why);
	memcpy(why + CALL_POLICY_ERROR_MAX - 2, "€€", strlen("€€"));
	why[sizeof why - 1] = '\0';
	cr_expect_eq(strlen(error_of(why)), CALL_POLICY_ERROR_MAX - 2);
	memset(why, '\xff', sizeof why - 1);
	cr_expect_eq(strlen(error_of(why)), CALL_POLICY_ERROR_MAX - 1);
}

Test(call_policy, has_an_error_even_where_none_was_given)
{
	cr_expect_str_eq(error_of(NULL), "no reason was given");
	cr_expect_str_eq(error_of(""), "no reason was given");
}
