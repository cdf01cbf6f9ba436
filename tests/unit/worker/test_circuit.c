/* test_circuit.c - when the processor is called normally and when it is only probed.  The clock starts at 1000 ms. */

#include <criterion/criterion.h>

#include "circuit.h"

#define NOW 1000
#define LONGEST UINT64_MAX / 2 /* the largest random number; the pauses are tested at their bounds */

static struct circuit c;

static void fail_times(int times)
{
	for (int i = 0; i < times; i++)
		circuit_fail(&c, false, NOW, 0);
}

static void open_it(void)
{
	c = (struct circuit){.limit = 20};
	fail_times(20);
	cr_assert(circuit_is_open(&c));
}

Test(circuit, opens_after_so_many_failures_in_a_row)
{
	c = (struct circuit){.limit = 20};
	fail_times(19);
	cr_expect_not(circuit_is_open(&c));
	cr_expect_eq(circuit_room(&c, 500, NOW), 500);
	cr_expect(circuit_fail(&c, false, NOW, 0), "the twentieth opens it");
	cr_expect(circuit_is_open(&c));
	cr_expect_not(circuit_fail(&c, false, NOW, 0), "it is told once");
}

Test(circuit, an_answer_begins_the_row_anew)
{
	c = (struct circuit){.limit = 20};
	fail_times(19);
	cr_expect_not(circuit_answer(&c), "it was not open");
	fail_times(19);
	cr_expect_not(circuit_is_open(&c));
}

Test(circuit, never_opens_without_a_limit)
{
	c = (struct circuit){.limit = 0};
	fail_times(100000);
	cr_expect_not(circuit_is_open(&c));
}

Test(circuit, admits_nothing_before_the_first_pause_is_over)
{
	open_it();
	cr_expect_eq(circuit_room(&c, 500, NOW), 0);
	cr_expect_not(circuit_admits(&c, NOW + CIRCUIT_PAUSE_LEAST_MS / 2 - 1));
	cr_expect_eq(circuit_room(&c, 500, NOW + CIRCUIT_PAUSE_LEAST_MS / 2), 1, "one, however many there is room for");
	cr_expect_eq(circuit_room(&c, 0, NOW + CIRCUIT_PAUSE_LEAST_MS / 2), 0);
}

Test(circuit, probes_with_one_at_a_time)
{
	open_it();
	cr_expect(circuit_begin(&c), "it is a probe");
	cr_expect_not(circuit_admits(&c, NOW + 3600000));
	circuit_fail(&c, false, NOW, 0);
	cr_expect_not(circuit_admits(&c, NOW + 3600000), "another's failure is not the probe's");
	circuit_fail(&c, true, NOW, 0);
	cr_expect(circuit_admits(&c, NOW + 3600000));
}

Test(circuit, doubles_the_pause_up_to_its_most)
{
	open_it();
	int64_t pauses_ms[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000}, now_ms = NOW;
	for (size_t i = 0; i < sizeof pauses_ms / sizeof *pauses_ms; i++) {
		now_ms += 60000;
		circuit_begin(&c);
		circuit_fail(&c, true, now_ms, i % 2 ? LONGEST : 12345678901234567U);
		cr_expect_eq(c.pause_ms, pauses_ms[i]);
		cr_expect_not(circuit_admits(&c, now_ms + pauses_ms[i] / 2 - 1));
		cr_expect(circuit_admits(&c, now_ms + pauses_ms[i]));
	}
}

Test(circuit, a_failure_of_an_older_call_does_not_lengthen_the_pause)
{
	open_it();
	fail_times(1000);
	cr_expect_eq(c.pause_ms, CIRCUIT_PAUSE_LEAST_MS);
	cr_expect_eq(c.open_since_ms, NOW);
}

Test(circuit, the_first_answer_closes_it)
{
	open_it();
	cr_expect(circuit_begin(&c));
	cr_expect(circuit_answer(&c));
	cr_expect_not(circuit_is_open(&c));
	cr_expect_eq(circuit_room(&c, 500, NOW), 500);
	cr_expect_not(circuit_begin(&c), "calls are no probes any more");
	fail_times(19);
	cr_expect_not(circuit_is_open(&c), "it counts from nothing");
}

Test(circuit, a_cancelled_probe_makes_room_for_another)
{
	open_it();
	circuit_begin(&c);
	circuit_cancel(&c, false);
	cr_expect_not(circuit_admits(&c, NOW + 60000));
	circuit_cancel(&c, true);
	cr_expect(circuit_admits(&c, NOW + 60000));
	cr_expect_eq(c.pause_ms, CIRCUIT_PAUSE_LEAST_MS);
}
