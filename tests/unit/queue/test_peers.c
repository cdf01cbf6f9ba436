/* test_peers.c - when a worker declares another one dead, and when not. */

#include <criterion/criterion.h>

#include "queue/peers.h"

static struct peers p;

static void fini(void)
{
	peers_finish(&p);
}

TestSuite(peers, .fini = fini);

static void look(int64_t now, int64_t owner, int64_t beat)
{
	peers_begin(&p, now);
	cr_assert(peers_see(&p, owner, beat, 7, now));
}

/* Looks every two seconds from one time to another while the heartbeat stays unchanged. */
static void look_on(int64_t from, int64_t to, int64_t owner, int64_t beat)
{
	for (int64_t now = from; now <= to; now += 2000)
		look(now, owner, beat);
}

Test(peers, takes_a_worker_for_dead_when_its_beat_does_not_change)
{
	look_on(1000, 19000, 7, 111);
	cr_expect_null(peers_dead(&p, 20999));
	look_on(21000, 21000, 7, 111);
	const struct peer *dead = peers_dead(&p, 21000);
	cr_assert_not_null(dead);
	cr_expect_eq(dead->owner, 7);
	cr_expect_eq(dead->beat, 111);
}

Test(peers, lets_a_worker_live_when_its_beat_changed_in_time)
{
	look_on(1000, 19000, 7, 111);
	look_on(21000, 39000, 7, 112);
	cr_expect_null(peers_dead(&p, 39000));
}

Test(peers, begins_anew_after_a_break_of_its_own)
{
	look_on(1000, 19000, 7, 111);
	look(19000 + PEER_GAP_MS + 1, 7, 111);
	cr_expect_null(peers_dead(&p, 19000 + PEER_GAP_MS + 1));
	look_on(27000, 43000, 7, 111);
	cr_expect_null(peers_dead(&p, 43000));
	look_on(45000, 47000, 7, 111);
	cr_expect_not_null(peers_dead(&p, 47000));
}

Test(peers, begins_anew_when_the_connection_was_lost)
{
	look_on(1000, 19000, 7, 111);
	peers_forget(&p);
	look_on(20000, 38000, 7, 111);
	cr_expect_null(peers_dead(&p, 38000));
}

Test(peers, forgets_one_that_is_gone)
{
	look_on(1000, 19000, 7, 111);
	peers_begin(&p, 20000);
	look_on(21000, 21000, 7, 111);
	cr_expect_null(peers_dead(&p, 21000));
}

Test(peers, distinguishes_many)
{
	for (int64_t now = 1000; now <= 21000; now += 2000) {
		peers_begin(&p, now);
		for (int64_t owner = 1; owner <= 100; owner++) {
			/* 50 sends no further heartbeat; 51 leaves; 60 arrives late and sends no further heartbeat. */
			if ((owner == 51 && now % 4000 == 1000) || (owner == 60 && now < 9000))
				continue;
			cr_assert(peers_see(&p, owner, owner == 50 || owner == 60 ? 0 : now, 7, now));
		}
	}
	const struct peer *dead = peers_dead(&p, 21000);
	cr_assert_not_null(dead);
	cr_expect_eq(dead->owner, 50);
	peers_remove(&p, 50);
	cr_expect_null(peers_dead(&p, 21000), "60 has been seen for twelve seconds only");
}

Test(peers, names_one_no_more_that_was_dealt_with)
{
	look_on(1000, 21000, 7, 111);
	peers_remove(&p, 7);
	cr_expect_null(peers_dead(&p, 21000));
	look_on(23000, 23000, 7, 111);
	cr_expect_null(peers_dead(&p, 23000), "seen anew");
}
