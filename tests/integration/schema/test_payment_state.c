/* test_payment_state.c - the state and the sums of a payment are a function of the set of its events.
 *
 * The examples go by the rules of schema/0020_events.sql and 0029_negative_amounts.sql, one each; random sets of events are
 * compared with another implementation of them, written out below, and in another order of the array. */

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "support/fresh_database.h"

TestSuite(payment_state, .init = database_init, .fini = database_drop, .timeout = 120);

#define ANSWER                                                                                                         \
	"SELECT concat_ws('|', state, coalesce(currency, '-'), coalesce(sums ->> 'authorised', '?'),"                  \
	" coalesce(sums ->> 'captured', '?'), coalesce(sums ->> 'refunded', '?'), coalesce(sums ->> 'disputed', '?')," \
	" coalesce(sums ->> 'lost', '?'), coalesce(sums ->> 'paid_out', '?'), array_to_string(anomalies, ','))"        \
	" FROM payhook.payment_state(ARRAY[%s]::payhook.payment_event[])"

/* The event's id, kind, part, is_total, amount, currency and occurred_at (in seconds), as SQL; "": null. */
#define EVENT(id, kind, part, total, amount, currency, at)                                                         \
	"('" id "', nullif('" kind "', ''), nullif('" part "', ''), " total ", nullif('" amount "', '')::numeric," \
	" nullif('" currency "', ''), to_timestamp(nullif('" at "', '')::int))"
#define E(id, kind, part, amount, at) EVENT(id, kind, part, "false", amount, "EUR", at)
#define TOTAL(id, kind, amount, at) EVENT(id, kind, "", "true", amount, "EUR", at)
#define IS(answer, ...) cr_expect_str_eq(database_value(ANSWER, __VA_ARGS__), answer)

#define AUTHORISED E("a", "authorised", "", "10.00", "1")
#define CAPTURED E("c", "captured", "", "10", "2")

Test(payment_state, is_unknown_without_events)
{
	IS("unknown|-|?|0|0|0|0|0|", "");
	IS("unknown|EUR|?|0.00|0.00|0.00|0.00|0.00|", E("o", "other", "", "3.50", "1"));
}

Test(payment_state, follows_the_whole_life_of_a_payment)
{
	IS("pending|EUR|?|0|0|0|0|0|", E("p", "pending", "", "10", "0"));
	IS("failed|EUR|?|0|0|0|0|0|", E("p", "pending", "", "10", "0") "," E("f", "failed", "", "10", "1"));
	IS("authorised|EUR|10.00|0.00|0.00|0.00|0.00|0.00|", AUTHORISED);
	IS("canceled|EUR|10.00|0.00|0.00|0.00|0.00|0.00|", AUTHORISED "," E("x", "expired", "", "", "3"));
	IS("partly_captured|EUR|10.00|4.00|0.00|0.00|0.00|0.00|", AUTHORISED "," E("c", "captured", "", "4", "2"));
	IS("captured|EUR|10.00|10.00|0.00|0.00|0.00|0.00|", AUTHORISED "," CAPTURED);
	IS("captured|EUR|?|10|0|0|0|0|", CAPTURED);
	IS("partly_refunded|EUR|10.00|10.00|2.50|0.00|0.00|0.00|",
		AUTHORISED "," CAPTURED "," E("r", "refunded", "", "2.50", "3"));
	IS("refunded|EUR|?|10|10|0|0|0|",
		CAPTURED "," E("r", "refunded", "", "6", "3") "," E("s", "refunded", "", "4", "3"));
	IS("disputed|EUR|?|10|4|6|0|0|",
		CAPTURED "," E("r", "refunded", "", "4", "3") "," E("d", "disputed", "", "6", "4"));
	IS("charged_back|EUR|?|10|4|0|6|0|", CAPTURED "," E("r", "refunded", "", "4", "3") "," E("d", "disputed", "dp",
						     "6", "4") "," E("l", "dispute_lost", "dp", "6", "5"));
	IS("captured|EUR|?|10|0|0|0|0|",
		CAPTURED "," E("d", "disputed", "dp", "6", "4") "," E("w", "dispute_won", "dp", "6", "5"));
}

Test(payment_state, counts_the_newest_event_of_a_part)
{
	IS("captured|EUR|?|12|0|0|0|0|part_with_two_amounts",
		E("1", "captured", "p", "12", "9") "," E("2", "captured", "p", "10", "3"));
	IS("unknown|EUR|?|0|0|0|0|0|", E("1", "captured", "p", "10", "3") "," E("2", "capture_failed", "p", "", "4"));
	IS("captured|EUR|?|10|0|0|0|0|", E("1", "captured", "p", "10", "5") "," E("2", "capture_failed", "p", "", "4"));
	IS("captured|EUR|?|10|0|0|0|0|", E("1", "captured", "p", "10", "5") "," E("2", "capture_failed", "q", "", "9"));
	IS("captured|EUR|?|10|0|0|0|0|",
		CAPTURED "," E("r", "refunded", "re", "4", "5") "," E("f", "refund_failed", "re", "4", "6"));
	IS("captured|EUR|?|10|0|0|0|0|", E("1", "captured", "p", "10", "5") "," E("2", "captured", "p", "", "9"));
}

/* Stripe's times are whole seconds: what corrects comes after what it corrects. */
Test(payment_state, decides_a_tie_by_the_rank_of_the_kind_and_then_by_the_id)
{
	IS("unknown|EUR|?|0|0|0|0|0|", E("2", "captured", "p", "10", "3") "," E("1", "capture_failed", "p", "", "3"));
	IS("captured|EUR|?|12|0|0|0|0|part_with_two_amounts",
		E("2", "captured", "p", "12", "3") "," E("1", "captured", "p", "10", "3"));
	IS("charged_back|EUR|?|10|0|0|10|0|",
		CAPTURED "," E("1", "dispute_lost", "d", "10", "") "," E("2", "disputed", "d", "10", ""));
	IS("disputed|EUR|?|10|0|10|0|0|",
		CAPTURED "," E("1", "dispute_lost", "d", "10", "") "," E("2", "disputed", "d", "10", "0"));
}

Test(payment_state, takes_the_greatest_total_and_never_their_sum)
{
	IS("partly_refunded|EUR|?|10|7|0|0|0|",
		CAPTURED "," TOTAL("1", "refunded", "3", "3") "," TOTAL("2", "refunded", "7", "4"));
	IS("partly_refunded|EUR|?|10|7|0|0|0|", CAPTURED "," TOTAL("1", "refunded", "7", "3") "," E("2", "refunded",
							"re_1", "3", "3") "," E("3", "refunded", "re_2", "3", "4"));
	IS("refunded|EUR|?|10|10|0|0|0|", CAPTURED "," TOTAL("1", "refunded", "7", "3") "," E("2", "refunded", "re_1",
						  "7", "3") "," E("3", "refunded", "re_2", "3", "4"));
	IS("authorised|EUR|15|0|0|0|0|0|",
		E("1", "authorised", "x", "10", "1") "," E("2", "authorised", "y", "15", "2"));
}

Test(payment_state, knows_a_fact_without_its_amount)
{
	IS("captured|-|?|?|0|0|0|0|", E("c", "captured", "", "", "1"));
	IS("captured|EUR|10.00|?|0.00|0.00|0.00|0.00|", AUTHORISED "," E("c", "captured", "", "", "1"));
	IS("partly_refunded|EUR|?|10|?|0|0|0|", CAPTURED "," E("r", "refunded", "", "", "3"));
	IS("partly_refunded|EUR|?|10|?|0|0|0|",
		CAPTURED "," E("r", "refunded", "", "", "3") "," E("s", "refunded", "", "4", "3"));
	IS("partly_refunded|EUR|?|10|7|0|0|0|",
		CAPTURED "," E("r", "refunded", "", "", "3") "," TOTAL("t", "refunded", "7", "4"));
	IS("charged_back|EUR|?|10|?|0|10|0|",
		CAPTURED "," E("r", "refunded", "", "", "3") "," E("l", "dispute_lost", "", "10", "4"));
}

Test(payment_state, moves_no_money_by_a_notice)
{
	IS("captured|EUR|?|10|0|0|0|0|", CAPTURED "," E("n", "dispute_notice", "d", "10", "5"));
	IS("disputed|EUR|?|10|0|10|0|0|",
		CAPTURED "," E("d", "disputed", "d", "10", "5") "," E("n", "dispute_notice", "d", "10", "6"));
}

Test(payment_state, adds_no_amounts_of_two_currencies)
{
	IS("mixed|-|?|?|?|?|?|?|two_currencies", CAPTURED "," EVENT("r", "refunded", "", "false", "3", "USD", "3"));
	IS("partly_refunded|EUR|?|10|?|0|0|0|", CAPTURED "," EVENT("r", "refunded", "", "false", "", "USD", "3"));
}

Test(payment_state, reports_anomalies_and_refuses_none)
{
	IS("refunded|EUR|?|10|12|0|0|0|refunded_above_captured", CAPTURED "," E("r", "refunded", "", "12", "3"));
	IS("captured|EUR|10.00|11.00|0.00|0.00|0.00|0.00|captured_above_authorised",
		AUTHORISED "," E("c", "captured", "", "11", "3"));
	IS("partly_refunded|EUR|?|0|3|0|0|0|refunded_without_capture", E("r", "refunded", "", "3", "3"));
	IS("partly_refunded|EUR|?|10|3|0|0|0|", E("r", "refunded", "", "3", "1") "," CAPTURED);
	IS("captured|EUR|?|10|0|0|0|0|captured_and_canceled", CAPTURED "," E("x", "canceled", "", "", "3"));
}

/* A source may keep the sign of an amount. */
Test(payment_state, counts_amounts_below_zero_without_their_sign)
{
	IS("partly_refunded|EUR|?|10.00|0.01|0.00|0.00|0.00|", CAPTURED "," E("r", "refunded", "", "-0.01", "3"));
	IS("refunded|EUR|?|10|10|0|0|0|",
		CAPTURED "," E("r", "refunded", "", "-6", "3") "," E("s", "refunded", "", "4", "3"));
	IS("refunded|EUR|?|10|10|0|0|0|",
		CAPTURED "," TOTAL("1", "refunded", "-10", "3") "," E("2", "refunded", "re_1", "-7", "3"));
	IS("captured|EUR|10.00|10.00|0.00|0.00|0.00|0.00|",
		E("a", "authorised", "", "-10.00", "1") "," E("c", "captured", "", "-10", "2"));
	IS("charged_back|EUR|?|10|0|0|10|3|",
		CAPTURED "," E("l", "dispute_lost", "", "-10", "4") "," E("p", "paid_out", "", "-3", "5"));
}

Test(payment_state, has_the_anomalies_of_amounts_without_their_sign)
{
	IS("refunded|EUR|?|10|12|0|0|0|refunded_above_captured", CAPTURED "," E("r", "refunded", "", "-12", "3"));
	IS("partly_refunded|EUR|?|0|3|0|0|0|refunded_without_capture", E("r", "refunded", "", "-3", "3"));
	IS("captured|EUR|?|10|0|0|0|0|captured_and_canceled",
		E("c", "captured", "", "-10", "2") "," E("x", "canceled", "", "", "3"));
	IS("captured|EUR|?|10|0|0|0|0|", E("1", "captured", "p", "10", "3") "," E("2", "captured", "p", "-10", "4"));
	IS("captured|EUR|?|12|0|0|0|0|part_with_two_amounts",
		E("1", "captured", "p", "10", "3") "," E("2", "captured", "p", "-12", "4"));
}

/* ---- random sets ---- */

#define SETS 400
#define EVENTS_MOST 9
#define NONE (-1)

static const char *const KINDS[] = {"pending", "authorised", "captured", "capture_failed", "canceled", "expired",
	"failed", "refunded", "refund_failed", "dispute_notice", "disputed", "dispute_won", "dispute_lost", "paid_out",
	"other"};
enum {
	PENDING,
	AUTHORISATION,
	CAPTURE,
	CAPTURE_FAILED,
	CANCELED,
	EXPIRED,
	FAILED,
	REFUND,
	REFUND_FAILED,
	NOTICE,
	DISPUTE,
	WON,
	LOST,
	PAYOUT,
	OTHER,
	ALL_KINDS
};

struct event {
	int id, kind, part, at; /* NONE: null; ids are digits, parts letters */
	bool is_total, is_dollar;
	int64_t cents; /* NONE: null */
	bool has_decimals;
};

static int event_part(const struct event *e)
{
	return e->part == NONE ? 'A' + e->id : 'a' + e->part;
}

/* What an event says of a part: captures, refunds, disputes, payouts; 0: of none. */
static int subject(int kind)
{
	static const int SUBJECTS[ALL_KINDS] = {[CAPTURE] = 1,
		[CAPTURE_FAILED] = 1,
		[REFUND] = 2,
		[REFUND_FAILED] = 2,
		[DISPUTE] = 3,
		[WON] = 3,
		[LOST] = 3,
		[PAYOUT] = 4};
	return SUBJECTS[kind];
}

static bool same_part(const struct event *a, const struct event *b)
{
	return subject(a->kind) == subject(b->kind) && event_part(a) == event_part(b);
}

/* The order of the kinds above is that of their ranks, and NONE is before every time. */
static bool is_newer(const struct event *a, const struct event *b)
{
	if (a->at != b->at)
		return a->at > b->at;
	return a->kind != b->kind ? a->kind > b->kind : a->id > b->id;
}

struct sum {
	bool is_there, is_unknown;
	int64_t cents, total; /* total NONE: there is none */
};

/* Adds the part of which e is the newest event. */
static void add_part(struct sum *sum, const struct event *e, const struct event *all, int count, bool *two_amounts)
{
	const struct event *with = NULL;
	int64_t total = NONE, least = INT64_MAX, most = NONE;
	for (const struct event *o = all; o < all + count; o++) {
		if (!same_part(o, e) || o->cents == NONE)
			continue;
		if (o->is_total && o->kind == e->kind && o->cents > total)
			total = o->cents;
		if (!o->is_total && (!with || is_newer(o, with)))
			with = o;
		if (!o->is_total && o->kind == e->kind) {
			least = o->cents < least ? o->cents : least;
			most = o->cents > most ? o->cents : most;
		}
	}
	*two_amounts |= most > least;
	sum->is_there = true;
	sum->is_unknown |= !with && total == NONE;
	sum->cents += with ? with->cents : 0;
	sum->total = total > sum->total ? total : sum->total;
}

/* NONE: not known. */
static int64_t amount_of(const struct sum *s)
{
	if (s->is_unknown)
		return s->total;
	return s->cents > s->total ? s->cents : s->total;
}

static void append_amount(char *to, size_t size, int64_t cents, bool decimals)
{
	size_t at = strlen(to);
	if (cents == NONE)
		snprintf(to + at, size - at, "|?");
	else if (decimals)
		snprintf(to + at, size - at, "|%" PRId64 ".%02d", cents / 100, (int)(cents % 100));
	else
		snprintf(to + at, size - at, "|%" PRId64, cents / 100);
}

static const char *state_of(const bool has[ALL_KINDS], const struct sum sums[ALL_KINDS], int64_t authorised)
{
	int64_t captured = amount_of(&sums[CAPTURE]), refunded = amount_of(&sums[REFUND]),
		lost = amount_of(&sums[LOST]);
	bool is_captured = sums[CAPTURE].is_there && captured != 0,
	     is_refunded = sums[REFUND].is_there && refunded != 0;
	bool is_lost = sums[LOST].is_there && lost != 0;
	int64_t least_back = (refunded > 0 ? refunded : 0) + (lost > 0 ? lost : 0);
	bool is_whole = captured != NONE && least_back >= captured;
	if (sums[DISPUTE].is_there)
		return "disputed";
	if (is_lost && is_whole)
		return "charged_back";
	if (is_refunded && is_whole && captured > 0)
		return "refunded";
	if (is_refunded || is_lost)
		return "partly_refunded";
	if (is_captured)
		return captured == NONE || authorised == NONE || captured >= authorised ? "captured"
											: "partly_captured";
	return has[CANCELED] || has[EXPIRED] ? "canceled"
	       : has[AUTHORISATION]          ? "authorised"
	       : has[FAILED]                 ? "failed"
	       : has[PENDING]                ? "pending"
					     : "unknown";
}

static void append_anomaly(char *to, size_t size, bool is_one, const char *name)
{
	size_t at = strlen(to);
	if (is_one)
		snprintf(to + at, size - at, "%s%s", to[at - 1] == '|' ? "" : ",", name);
}

/* What the function is to answer. */
static void expected(const struct event *all, int count, char *to, size_t size)
{
	bool has[ALL_KINDS] = {0}, euro = false, dollar = false, decimals = false, two_amounts = false;
	int64_t authorised = NONE;
	struct sum sums[ALL_KINDS];
	for (int i = 0; i < ALL_KINDS; i++)
		sums[i] = (struct sum){.total = NONE};
	for (const struct event *e = all; e < all + count; e++) {
		bool is_newest = subject(e->kind) > 0;
		has[e->kind] = true;
		euro |= e->cents != NONE && !e->is_dollar;
		dollar |= e->cents != NONE && e->is_dollar;
		decimals |= e->cents != NONE && e->has_decimals;
		if (e->kind == AUTHORISATION && e->cents > authorised)
			authorised = e->cents;
		for (const struct event *o = all; o < all + count; o++)
			is_newest &= o == e || !same_part(o, e) || is_newer(e, o);
		if (is_newest)
			add_part(&sums[e->kind], e, all, count, &two_amounts);
	}
	bool mixed = euro && dollar;
	snprintf(to, size, "%s|%s", mixed ? "mixed" : state_of(has, sums, authorised),
		mixed || (!euro && !dollar) ? "-"
		: dollar                    ? "USD"
					    : "EUR");
	append_amount(to, size, mixed ? NONE : authorised, decimals);
	static const int SHOWN[] = {CAPTURE, REFUND, DISPUTE, LOST, PAYOUT};
	for (size_t i = 0; i < COUNT_OF(SHOWN); i++)
		append_amount(to, size, mixed ? NONE : amount_of(&sums[SHOWN[i]]), decimals);
	int64_t captured = amount_of(&sums[CAPTURE]), refunded = amount_of(&sums[REFUND]);
	bool is_captured = sums[CAPTURE].is_there && captured != 0,
	     is_refunded = sums[REFUND].is_there && refunded != 0;
	snprintf(to + strlen(to), size - strlen(to), "|");
	append_anomaly(to, size, mixed, "two_currencies");
	append_anomaly(to, size, !mixed && sums[CAPTURE].is_there && captured != NONE && refunded > captured,
		"refunded_above_captured");
	append_anomaly(to, size, !mixed && authorised != NONE && captured > authorised, "captured_above_authorised");
	append_anomaly(to, size, is_refunded && !sums[CAPTURE].is_there, "refunded_without_capture");
	append_anomaly(to, size, is_captured && (has[CANCELED] || has[EXPIRED]), "captured_and_canceled");
	append_anomaly(to, size, two_amounts, "part_with_two_amounts");
}

/* A number from 0 to below - 1: the same in each run (Knuth's MMIX). */
static int draw(int below)
{
	static uint64_t state = 17;
	state = state * 6364136223846793005 + 1442695040888963407;
	return (int)((state >> 33) % (uint64_t)below);
}

static void random_event(struct event *e, int id)
{
	static const int64_t CENTS[] = {NONE, 0, 300, 500, 500, 800, 1000};
	/* Twice as many captures, refunds and disputes as of the others. */
	int kind = draw(2 * ALL_KINDS);
	*e = (struct event){.id = id,
		.kind = kind < ALL_KINDS || subject(kind - ALL_KINDS) > 0 ? kind % ALL_KINDS : CAPTURE,
		.part = draw(4) - 1,
		.at = draw(4) - 1,
		.is_total = draw(5) == 0,
		.is_dollar = draw(25) == 0,
		.cents = CENTS[draw((int)COUNT_OF(CENTS))],
		.has_decimals = draw(2)};
}

static void append_event(char *to, size_t size, const struct event *e)
{
	char part[8] = "null", amount[24] = "null", at[24] = "null";
	if (e->part != NONE)
		snprintf(part, sizeof part, "'%c'", event_part(e));
	if (e->cents != NONE)
		snprintf(amount, sizeof amount, e->has_decimals ? "%s%" PRId64 ".00" : "%s%" PRId64,
			draw(6) == 0 ? "-" : "", e->cents / 100);
	if (e->at != NONE)
		snprintf(at, sizeof at, "%d", e->at);
	size_t len = strlen(to);
	snprintf(to + len, size - len, "%s('%c','%s',%s,%s,%s,'%s',to_timestamp(%s))", len > 0 ? "," : "", 'A' + e->id,
		KINDS[e->kind], part,
		e->is_total ? "true"
		: draw(2)   ? "false"
			    : "null",
		amount, e->is_dollar ? "USD" : "EUR", at);
}

static void shuffle(struct event *all, int count)
{
	for (int i = count - 1; i > 0; i--) {
		int j = draw(i + 1);
		struct event swap = all[i];
		all[i] = all[j];
		all[j] = swap;
	}
}

Test(payment_state, is_the_same_as_by_another_implementation_and_in_every_order)
{
	for (int set = 0; set < SETS; set++) {
		struct event all[EVENTS_MOST];
		char expect[512], sql[2048];
		int count = 1 + draw(EVENTS_MOST);
		for (int i = 0; i < count; i++)
			random_event(&all[i], i);
		expected(all, count, expect, sizeof expect);
		for (int order = 0; order < 3; order++) {
			shuffle(all, count);
			sql[0] = '\0';
			for (int i = 0; i < count; i++)
				append_event(sql, sizeof sql, &all[i]);
			cr_assert_str_eq(database_value(ANSWER, sql), expect, "%s", sql);
		}
	}
}
