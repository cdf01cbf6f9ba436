/* heartbeat.c - the worker's registration and heartbeat, the rescue of other workers' jobs, the enqueueing of retries,
 * and the recent look for lanes that were left.
 *
 * Everything here is a chore: a statement that is sent when its time has come.  The connection runs one at a time; of
 * several that are due, the first in enum chore goes first.
 *
 * A freed job gets a fresh id, so a settlement that its old worker still sends changes nothing.  Every statement that
 * assigns ids waits for the disk.  peers.c decides whether a worker is suspected to be dead; queue.c claims the freed
 * jobs. */

#include "queue/heartbeat.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queue/parked.h"
#include "queue/peers.h"
#include "queue/rescue.h"

#define ANSWER_MS 10000 /* for a statement; below HEARTBEAT_STALE_MS, since a heartbeat may wait behind another chore */

/* Registers this worker, before it claims.  The commit waits for the disk: a claim must not outlive the row of its
 * owner, or its jobs would be freed as orphans during their calls.
 *
 * A lost answer: sent again, it finds its own row, since no other worker has this number.  A row that was deleted is
 * never inserted again under a number that has claimed; the worker takes a new number, because its jobs may have been
 * freed. */
static const struct statement REGISTER = {"register",
	"INSERT INTO payhook.workers (owner, host, pid, version, level, processor)"
	"  VALUES ($1::bigint, $2::text, $3::int, $4::text, $5::int, $6::text)"
	" ON CONFLICT (owner) DO UPDATE SET beat_at = now()"};

/* The heartbeat: renews beat_at, and reports the jobs in flight and the state of the circuit.  No row returned: the
 * worker was declared dead, or its row was deleted by hand.
 *
 * It locks its own row only; a rescue of this worker waits for it, and then finds the row changed.  Its commit does not
 * wait for the disk: if a crash undoes a heartbeat, the next one follows within HEARTBEAT_MS, and observers begin anew
 * after a crash.  A lost answer counts as no heartbeat (heartbeat_is_fresh()), which errs on the safe side. */
static const struct statement BEAT = {"beat",
	"UPDATE payhook.workers SET beat_at = now(), in_flight = $2::int,"
	"    circuit_open_since = CASE WHEN $3::bigint >= 0 THEN now() - $3::bigint * interval '1 ms' END"
	"  WHERE owner = $1::bigint AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'"
	"  RETURNING owner"};

/* Returns the other workers and their heartbeats, as numbers that must change.  Locks nothing.  The order by owner is
 * what peers_see() needs. */
static const struct statement OBSERVE = {"observe",
	"SELECT owner, (extract(epoch FROM beat_at) * 1000000)::bigint, in_flight FROM payhook.workers"
	"  WHERE owner <> $1::bigint ORDER BY owner"};

/* Enqueues retries that are due: they get new ids, which are higher than the cursor of every worker.
 *
 * No pause is longer than a day (RETRY_AFTER_MAX_MS).  A job that would wait for longer than 25 hours got its time from a
 * wrong clock, and is due.  A held job, at infinity, waits for no time.
 *
 * SKIP LOCKED: two workers share the due jobs.  The commit waits for the disk, because it assigns ids.  A lost answer:
 * what was enqueued is no longer due, and the next round takes the rest.  Plan: the partial index jobs_run_at has only
 * the jobs that wait, so this costs nothing while none is due. */
const struct statement HEARTBEAT_DUE = {"due",
	"WITH due AS MATERIALIZED ("
	"  SELECT id FROM payhook.jobs WHERE run_at <= now() AND owner IS NULL"
	"  ORDER BY run_at LIMIT $1::int FOR UPDATE SKIP LOCKED"
	"), astray AS MATERIALIZED ("
	"  SELECT id FROM payhook.jobs WHERE run_at > now() + interval '25 hours' AND run_at < 'infinity'"
	"    AND owner IS NULL"
	"  ORDER BY run_at LIMIT $1::int FOR UPDATE SKIP LOCKED"
	"), enqueued AS ("
	"  UPDATE payhook.jobs j SET id = DEFAULT, run_at = NULL FROM (SELECT id FROM due UNION SELECT id FROM astray) d"
	"  WHERE j.id = d.id RETURNING 1"
	") SELECT count(*) FROM enqueued"};

/* Deletes the worker's row at its end.  Its jobs were released before; if some are left, they become orphans.  A lost
 * answer: sent again, it finds no row, which is success. */
static const struct statement LEAVE = {"leave", "DELETE FROM payhook.workers WHERE owner = $1::bigint"};

/* Of several that are due, the first in this list goes first: a heartbeat waits for no more than the chore under
 * way. */
enum chore { CHORE_BEAT, CHORE_RESCUE, CHORE_DUE, CHORE_OBSERVE, CHORE_RECENT, CHORE_ORPHANS, CHORE_LEAVE, CHORES };

#define EVERY_DUE_MS 1000
#define EVERY_OBSERVE_MS 2000
#define EVERY_ORPHANS_MS 10000
#define EVERY_ORPHANS_MOST_MS 60000
#define REFUSED_MS 1000 /* until a chore that failed is tried again */

struct heartbeat {
	struct connection *connection;
	struct heartbeat_self self;
	const struct heartbeat_events *events;
	void *ctx;
	struct event *timer;
	int64_t at_ms[CHORES]; /* when each is due, by clock_ms(); INT64_MAX: never */
	enum chore chore;      /* the one under way */
	int64_t sent_ms;
	int64_t owner;
	bool registered; /* owner has a row, as far as this process knows */
	int64_t beat_ms; /* when the last confirmed heartbeat was sent */
	struct peers peers;
	int workers; /* that have a row; 0: not observed yet */
	struct parked_recent recent;
	struct peer suspect; /* the worker that CHORE_RESCUE is about, as it was observed */
	bool rescue_lost;    /* the answer to the rescue of suspect was lost; the next observation decides */
	bool leaving;        /* heartbeat_leave() was called: no other chore is planned */
};

/* Returns a number that no worker has had: 63 random bits, not 0. */
static int64_t new_number(void)
{
	uint64_t random;
	do {
		arc4random_buf(&random, sizeof random);
		random >>= 1;
	} while (random == 0);
	return (int64_t)random;
}

/* ---- results ---- */

/* Plans a chore, unless the worker leaves: a heartbeat after the deletion would find no row, and register a new worker. */
static void plan(struct heartbeat *h, enum chore chore, int64_t at_ms)
{
	if (!h->leaving || chore == CHORE_LEAVE)
		h->at_ms[chore] = at_ms;
}

/* Plans the chore under way again, up to a tenth later than ms, at random, so that workers started together drift
 * apart. */
static void again_in(struct heartbeat *h, int64_t ms)
{
	plan(h, h->chore, clock_ms() + clock_jitter(ms, ms + ms / 10));
}

/* Returns false if the chore failed, and plans it again.  A rejection by the server is reported here; a lost connection
 * by heartbeat_on_down(). */
static bool heartbeat_answered(struct heartbeat *h, const char *doing, const struct pg_result *r, const struct fault *f)
{
	if (r)
		return true;
	again_in(h, f->kind == FAULT_AGAIN ? 0 : REFUSED_MS);
	if (connection_is_ready(h->connection))
		h->events->trouble(h->ctx, doing, f);
	return false;
}

static void heartbeat_on_registered(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *h = ctx;
	if (!heartbeat_answered(h, "register", r, f))
		return;
	if (h->leaving)
		return;
	h->registered = true;
	h->beat_ms = h->sent_ms;
	h->events->is(h->ctx, h->owner);
}

static void heartbeat_on_beat(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *h = ctx;
	if (!heartbeat_answered(h, "beat", r, f))
		return;
	if (h->leaving)
		return;
	if (db_rows(r) == 0) {
		/* Never the old number again: its jobs are orphans now, and another worker may be freeing them. */
		h->registered = false;
		h->owner = new_number();
		again_in(h, 0);
		h->events->is(h->ctx, 0);
		return;
	}
	/* Counted from when it was sent: observers may have seen the value that early.  If the worker was not fresh
	 * before, it may claim again now. */
	bool was_fresh = heartbeat_is_fresh(h);
	h->beat_ms = h->sent_ms;
	if (!was_fresh)
		h->events->notified(h->ctx);
}

/* Plans at most one rescue; the next follows its result, or the next observation. */
static void find_dead(struct heartbeat *h)
{
	int64_t now = clock_ms();
	const struct peer *dead = peers_dead(&h->peers, now);
	if (dead)
		h->suspect = *dead;
	plan(h, CHORE_RESCUE, dead ? now : INT64_MAX);
}

static void heartbeat_on_observed(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *h = ctx;
	if (!heartbeat_answered(h, "observe", r, f))
		return;
	int64_t now = clock_ms();
	bool is_there = false;
	peers_begin(&h->peers, now);
	for (int row = 0; row < db_rows(r); row++) {
		is_there = is_there || db_int8(r, row, 0) == h->suspect.owner;
		/* Workers that do not fit into memory are observed by other workers. */
		if (!peers_see(&h->peers, db_int8(r, row, 0), db_int8(r, row, 1), (int)db_int8(r, row, 2), now))
			continue;
	}
	h->workers = db_rows(r) + 1;
	plan(h, CHORE_OBSERVE, now + EVERY_OBSERVE_MS);
	if (h->rescue_lost && !is_there && h->suspect.in_flight > 0)
		h->events->orphans(h->ctx, h->suspect.in_flight);
	h->rescue_lost = false;
	find_dead(h);
}

static void heartbeat_on_rescued(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *h = ctx;
	h->rescue_lost = !r && f->kind == FAULT_BUSY && !connection_rolled_back(h->connection);
	if (!heartbeat_answered(h, "rescue", r, f))
		return;
	peers_remove(&h->peers, h->suspect.owner);
	if (db_rows(r) == 1) {
		int64_t jobs = db_int8(r, 0, 2);
		if (jobs >= HEARTBEAT_FREE_MAX)
			plan(h, CHORE_ORPHANS, clock_ms());
		h->events->rescued(h->ctx, db_text(r, 0, 0), (int)db_int8(r, 0, 1), jobs);
		h->events->notified(h->ctx);
	}
	find_dead(h);
}

/* RESCUE_ORPHANS reads the whole table.  The pause is 50 times as long as the statement took, within bounds: up to a
 * duration of 1.2 s it takes a fiftieth of the time, and beyond that it runs once a minute. */
static void heartbeat_on_orphans(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *h = ctx;
	if (!heartbeat_answered(h, "free orphans", r, f))
		return;
	int64_t jobs = db_int8(r, 0, 0);
	int64_t pause = (clock_ms() - h->sent_ms) * 50;
	pause = pause < EVERY_ORPHANS_MS ? EVERY_ORPHANS_MS : pause;
	pause = pause > EVERY_ORPHANS_MOST_MS ? EVERY_ORPHANS_MOST_MS : pause;
	again_in(h, jobs >= HEARTBEAT_FREE_MAX ? 0 : pause);
	if (jobs == 0)
		return;
	h->events->orphans(h->ctx, jobs);
	h->events->notified(h->ctx);
}

static void heartbeat_on_due(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *h = ctx;
	if (!heartbeat_answered(h, "enqueue retries", r, f))
		return;
	int64_t jobs = db_int8(r, 0, 0);
	again_in(h, jobs >= HEARTBEAT_DUE_MAX ? 0 : EVERY_DUE_MS);
	if (jobs > 0)
		h->events->notified(h->ctx);
}

static void heartbeat_on_recent(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *h = ctx;
	if (!heartbeat_answered(h, "look at parked jobs", r, f))
		return;
	again_in(h, PARKED_RECENT_MS);
	if (parked_recent_seen(&h->recent, r) > 0)
		h->events->notified(h->ctx);
}

static void heartbeat_on_left(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *h = ctx;
	if (!heartbeat_answered(h, "leave", r, f))
		return;
	h->at_ms[CHORE_LEAVE] = INT64_MAX;
	h->events->left(h->ctx);
}

/* ---- sending ---- */

static void heartbeat_begin(struct heartbeat *h, enum chore chore)
{
	struct db_params p = {0};
	h->chore = chore;
	h->sent_ms = clock_ms();
	switch (chore) {
	case CHORE_BEAT:
		/* Planned now and not at the result: heartbeat_send() may ask for an earlier one until then. */
		plan(h, CHORE_BEAT, h->sent_ms + HEARTBEAT_MS);
		db_params_add_int8(&p, h->owner);
		if (h->registered) {
			db_params_add_int8(&p, h->events->in_flight(h->ctx));
			db_params_add_int8(&p, h->events->circuit_open_ms(h->ctx));
			connection_send(h->connection, &BEAT, &p, heartbeat_on_beat);
			return;
		}
		db_params_add_text(&p, h->self.host);
		db_params_add_int8(&p, h->self.pid);
		db_params_add_text(&p, h->self.version);
		db_params_add_int8(&p, HEARTBEAT_LEVEL);
		db_params_add_text(&p, h->self.processor);
		connection_send(h->connection, &REGISTER, &p, heartbeat_on_registered);
		return;
	case CHORE_RESCUE:
		db_params_add_int8(&p, h->suspect.owner);
		db_params_add_int8(&p, h->suspect.beat);
		db_params_add_int8(&p, HEARTBEAT_FREE_MAX);
		connection_send(h->connection, &RESCUE_DEAD, &p, heartbeat_on_rescued);
		return;
	case CHORE_DUE:
		db_params_add_int8(&p, HEARTBEAT_DUE_MAX);
		connection_send(h->connection, &HEARTBEAT_DUE, &p, heartbeat_on_due);
		return;
	case CHORE_OBSERVE:
		db_params_add_int8(&p, h->owner);
		connection_send(h->connection, &OBSERVE, &p, heartbeat_on_observed);
		return;
	case CHORE_RECENT:
		parked_recent_params(&h->recent, &p);
		connection_send(h->connection, &PARKED_RECENT, &p, heartbeat_on_recent);
		return;
	case CHORE_ORPHANS:
		db_params_add_int8(&p, HEARTBEAT_FREE_MAX);
		connection_send(h->connection, &RESCUE_ORPHANS, &p, heartbeat_on_orphans);
		return;
	case CHORE_LEAVE:
		db_params_add_int8(&p, h->owner);
		connection_send(h->connection, &LEAVE, &p, heartbeat_on_left);
		return;
	case CHORES:
		return;
	}
}

static void heartbeat_set_timer(struct heartbeat *h, int64_t ms)
{
	struct timeval tv = clock_timeval(ms);
	evtimer_add(h->timer, &tv);
}

/* Sends the first chore that is due, or sets the timer for the next one. */
static void heartbeat_send_next(struct heartbeat *h)
{
	if (!connection_is_ready(h->connection))
		return;
	int64_t now = clock_ms(), soonest = INT64_MAX;
	for (int i = 0; i < CHORES; i++) {
		if (h->at_ms[i] <= now) {
			heartbeat_begin(h, (enum chore)i);
			return;
		}
		soonest = h->at_ms[i] < soonest ? h->at_ms[i] : soonest;
	}
	if (soonest != INT64_MAX)
		heartbeat_set_timer(h, soonest - now);
}

static void heartbeat_on_ready(void *ctx)
{
	heartbeat_send_next(ctx);
}

static void heartbeat_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	heartbeat_send_next(arg);
}

/* ---- the connection's callbacks ---- */

/* LISTEN is in effect.  Notifications sent before it are lost, so notified() asks for a look at once.  Observations begin
 * anew.  Unless the worker is leaving, every chore is due at once, and a rescue planned before the break is dropped. */
static void heartbeat_on_up(void *ctx)
{
	struct heartbeat *h = ctx;
	peers_forget(&h->peers);
	h->recent = (struct parked_recent){0};
	if (!h->leaving) {
		int64_t now = clock_ms();
		for (int i = 0; i < CHORES; i++)
			h->at_ms[i] = now;
		h->at_ms[CHORE_RESCUE] = h->at_ms[CHORE_LEAVE] = INT64_MAX;
	}
	h->events->up(h->ctx);
	h->events->notified(h->ctx);
}

static void heartbeat_on_down(void *ctx, const struct fault *why)
{
	struct heartbeat *h = ctx;
	peers_forget(&h->peers);
	h->events->down(h->ctx, why);
}

static void heartbeat_on_notified(void *ctx)
{
	struct heartbeat *h = ctx;
	h->events->notified(h->ctx);
}

/* ---- the interface ---- */

static const struct statement *const STATEMENTS[] = {
	&REGISTER, &BEAT, &OBSERVE, &RESCUE_DEAD, &RESCUE_ORPHANS, &HEARTBEAT_DUE, &PARKED_RECENT, &LEAVE};

static const struct connection_plan PLAN = {
	.name = "payhook-worker heartbeat",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = "-c plan_cache_mode=force_custom_plan", /* see CLAIM_OPTIONS; but reading a whole table is allowed */
	.greeting = "LISTEN jobs",
	.answer_ms = ANSWER_MS,
	.up = heartbeat_on_up,
	.ready = heartbeat_on_ready,
	.down = heartbeat_on_down,
	.notified = heartbeat_on_notified,
};

struct heartbeat *heartbeat_create(struct connect_state *connect_state, const struct heartbeat_self *self,
	const struct heartbeat_events *events, void *ctx)
{
	struct heartbeat *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	h->self = *self;
	h->events = events;
	h->ctx = ctx;
	h->owner = new_number();
	h->at_ms[CHORE_LEAVE] = INT64_MAX;
	h->timer = evtimer_new(connect_state->base, heartbeat_on_timer, h);
	h->connection = connection_create(connect_state, &PLAN, h);
	if (!h->timer || !h->connection) {
		heartbeat_destroy(h);
		return NULL;
	}
	return h;
}

void heartbeat_destroy(struct heartbeat *h)
{
	if (!h)
		return;
	connection_destroy(h->connection);
	if (h->timer)
		event_free(h->timer);
	peers_finish(&h->peers);
	free(h);
}

bool heartbeat_is_fresh(const struct heartbeat *h)
{
	return h->registered && clock_ms() - h->beat_ms < HEARTBEAT_STALE_MS;
}

int heartbeat_workers(const struct heartbeat *h)
{
	return h->workers;
}

void heartbeat_send(struct heartbeat *h)
{
	if (h->at_ms[CHORE_BEAT] == INT64_MAX)
		return;
	h->at_ms[CHORE_BEAT] = 0;
	event_active(h->timer, EV_TIMEOUT, 0);
}

/* All other chores end, also the one under way: plan() plans none of them again. */
void heartbeat_leave(struct heartbeat *h)
{
	for (int i = 0; i < CHORES; i++)
		h->at_ms[i] = INT64_MAX;
	h->leaving = true;
	h->at_ms[CHORE_LEAVE] = 0;
	event_active(h->timer, EV_TIMEOUT, 0);
}
