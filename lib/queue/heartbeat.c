/* heartbeat.c - beat, observe, rescue, and bring back what is due.
 *
 * Everything here is a chore: a statement that is sent when its time has come.  The connection takes them one after
 * the other, in the order of the table. */

#include "queue/heartbeat.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queue/peers.h"

#define ANSWER_MS 10000 /* below HEARTBEAT_STALE_MS, since a beat may wait behind another chore */

/* Makes this a worker, durably, before it claims.  Sent again when the answer was lost, it finds its own row: no other
 * has this number.  A row that was removed is never brought back under a number that claimed: that one begins anew. */
static const struct statement REGISTER = {"register",
	"INSERT INTO payhook.workers (owner, host, pid, version) VALUES ($1::bigint, $2::text, $3::int, $4::text)"
	" ON CONFLICT (owner) DO UPDATE SET beat_at = now()"};

/* Shows that this worker lives, how many jobs it holds, and whether its processor is down.  No row: it was taken for dead.  It does not wait for the
 * disk: a beat that a crash undoes is followed by the next, and an observer's time begins anew after a crash. */
static const struct statement BEAT = {"beat",
	"UPDATE payhook.workers SET beat_at = now(), in_flight = $2::int,"
	"    circuit_open_since = CASE WHEN $3::bigint >= 0 THEN now() - $3::bigint * interval '1 ms' END"
	"  WHERE owner = $1::bigint AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'"
	"  RETURNING owner"};

/* The others and their beats, as numbers that must change. */
static const struct statement OBSERVE = {"observe",
	"SELECT owner, (extract(epoch FROM beat_at) * 1000000)::bigint FROM payhook.workers"
	"  WHERE owner <> $1::bigint ORDER BY owner"};

/* Declares one dead: removes its row if its beat is still the one that was observed, and frees its jobs.  The removal
 * decides.  A beat that comes first changes the row, so nothing is removed and nothing freed; one that comes after
 * finds no row, and its worker takes another number.  Of two observers one removes it.
 *
 * The attempts stay counted: calls may have been made.  Fresh ids, so what the dead one still sends settles nothing;
 * therefore durable.  More jobs than the limit are left to the release of orphans, and so are those that are locked just
 * now, by the dead one's last settlement: a settlement and a rescue never wait for each other in a circle. */
const struct statement HEARTBEAT_RESCUE = {"rescue",
	"WITH dead AS ("
	"  DELETE FROM payhook.workers"
	"  WHERE owner = $1::bigint AND (extract(epoch FROM beat_at) * 1000000)::bigint = $2::bigint"
	"  RETURNING owner, host, pid"
	"), lost AS MATERIALIZED ("
	"  SELECT id, owner FROM payhook.jobs WHERE owner = (SELECT owner FROM dead) LIMIT $3::int FOR UPDATE SKIP LOCKED"
	"), freed AS ("
	"  UPDATE payhook.jobs j SET id = DEFAULT, owner = NULL, claimed_at = NULL"
	"  FROM lost l WHERE j.id = l.id AND j.owner = l.owner RETURNING 1"
	") SELECT host, pid, (SELECT count(*) FROM freed) FROM dead"};

/* Frees jobs whose owner has no row.
 *
 * A worker registers before it claims, and both are read in one snapshot: who is seen to own a job is seen to have a
 * row, if it has one.  But a job that is freed and claimed anew after our snapshot is checked again in its new version
 * when it is updated, against the workers of the old snapshot, in which its new owner may be missing.  So the orphans
 * are picked without a lock, and the update matches the id and the owner of the snapshot: a job freed by anybody has
 * another id, and is left alone.  SKIP LOCKED: two observers do not wait for each other. */
const struct statement HEARTBEAT_ORPHANS = {"orphans",
	"WITH orphans AS MATERIALIZED ("
	"  SELECT id, owner FROM payhook.jobs j WHERE owner IS NOT NULL"
	"    AND NOT EXISTS (SELECT FROM payhook.workers w WHERE w.owner = j.owner) LIMIT $1::int"
	"), locked AS MATERIALIZED ("
	"  SELECT j.id FROM payhook.jobs j JOIN orphans o ON j.id = o.id AND j.owner = o.owner FOR UPDATE OF j SKIP LOCKED"
	"), freed AS ("
	"  UPDATE payhook.jobs j SET id = DEFAULT, owner = NULL, claimed_at = NULL"
	"  FROM locked l WHERE j.id = l.id RETURNING 1"
	") SELECT count(*) FROM freed"};

/* Retries whose time has come are enqueued anew: behind the cursors of all workers, with a fresh id. */
const struct statement HEARTBEAT_DUE = {"due",
	"WITH due AS MATERIALIZED ("
	"  SELECT id FROM payhook.jobs WHERE run_at <= now() AND owner IS NULL"
	"  ORDER BY run_at LIMIT $1::int FOR UPDATE SKIP LOCKED"
	"), enqueued AS ("
	"  UPDATE payhook.jobs j SET id = DEFAULT, run_at = NULL FROM due d WHERE j.id = d.id RETURNING 1"
	") SELECT count(*) FROM enqueued"};

static const struct statement LEAVE = {"leave", "DELETE FROM payhook.workers WHERE owner = $1::bigint"};

/* In the order in which they go first when several are due. */
enum chore { CHORE_BEAT, CHORE_RESCUE, CHORE_DUE, CHORE_OBSERVE, CHORE_ORPHANS, CHORE_LEAVE, CHORES };

#define EVERY_DUE_MS 1000
#define EVERY_OBSERVE_MS 2000
#define EVERY_ORPHANS_MS 10000
#define EVERY_ORPHANS_MOST_MS 60000
#define REFUSED_MS 1000 /* until a chore that the server refused is tried again */

struct heartbeat {
	struct connection *connection;
	struct heartbeat_self self;
	const struct heartbeat_events *events;
	void *ctx;
	struct event *timer;
	int64_t at_ms[CHORES]; /* when each is due; INT64_MAX: not wanted */
	enum chore chore;      /* under way */
	int64_t sent_ms;
	int64_t owner;
	bool registered; /* this number has a row, as far as we know */
	int64_t beat_ms; /* when the last beat that arrived was sent */
	struct peers peers;
	struct peer suspect; /* whose rescue is due or under way */
};

/* A number that nobody has had: 63 bits at random, not 0. */
static int64_t new_number(void)
{
	uint64_t random;
	do {
		evutil_secure_rng_get_bytes(&random, sizeof random);
		random >>= 1;
	} while (random == 0);
	return (int64_t)random;
}

/* ---- answers ---- */

/* Up to a tenth later, so that workers which were started together drift apart. */
static void again_in(struct heartbeat *w, int64_t ms)
{
	uint32_t random;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	w->at_ms[w->chore] = clock_ms() + ms + (int64_t)(random % (uint64_t)(ms / 10 + 1));
}

/* False: there was no answer, and the chore is planned anew. */
static bool heartbeat_answered(struct heartbeat *w, const char *doing, const struct pg_result *r, const struct fault *f)
{
	if (r)
		return true;
	again_in(w, f->kind == FAULT_AGAIN ? 0 : REFUSED_MS);
	if (connection_is_ready(w->connection))
		w->events->trouble(w->ctx, doing, f);
	return false;
}

static void heartbeat_on_registered(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *w = ctx;
	if (!heartbeat_answered(w, "register", r, f))
		return;
	w->registered = true;
	w->beat_ms = w->sent_ms;
	w->events->is(w->ctx, w->owner);
}

static void heartbeat_on_beaten(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *w = ctx;
	if (!heartbeat_answered(w, "beat", r, f))
		return;
	if (db_rows(r) == 0) {
		w->registered = false;
		w->owner = new_number();
		again_in(w, 0);
		w->events->is(w->ctx, 0);
		return;
	}
	bool was_fresh = heartbeat_is_fresh(w);
	w->beat_ms = w->sent_ms;
	if (!was_fresh)
		w->events->task(w->ctx);
}

/* One rescue at a time: the next is looked for when it has been answered, or at the next observation. */
static void find_dead(struct heartbeat *w)
{
	int64_t now = clock_ms();
	const struct peer *dead = peers_dead(&w->peers, now);
	if (dead)
		w->suspect = *dead;
	w->at_ms[CHORE_RESCUE] = dead ? now : INT64_MAX;
}

static void heartbeat_on_observed(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *w = ctx;
	if (!heartbeat_answered(w, "observe", r, f))
		return;
	int64_t now = clock_ms();
	peers_begin(&w->peers, now);
	for (int row = 0; row < db_rows(r); row++) {
		/* What memory does not hold is not observed by us, but by others. */
		if (!peers_see(&w->peers, db_int8(r, row, 0), db_int8(r, row, 1), now))
			break;
	}
	w->at_ms[CHORE_OBSERVE] = now + EVERY_OBSERVE_MS;
	find_dead(w);
}

static void heartbeat_on_rescued(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *w = ctx;
	if (!heartbeat_answered(w, "rescue", r, f))
		return;
	peers_remove(&w->peers, w->suspect.owner);
	if (db_rows(r) == 1) {
		int64_t jobs = db_int8(r, 0, 2);
		if (jobs >= HEARTBEAT_FREE_MAX)
			w->at_ms[CHORE_ORPHANS] = clock_ms();
		w->events->rescued(w->ctx, db_text(r, 0, 0), (int)db_int8(r, 0, 1), jobs);
		w->events->task(w->ctx);
	}
	find_dead(w);
}

/* It reads the whole table, so it takes a fiftieth of the time at most, be the queue ever so long. */
static void heartbeat_on_orphans(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *w = ctx;
	if (!heartbeat_answered(w, "free orphans", r, f))
		return;
	int64_t jobs = db_int8(r, 0, 0);
	int64_t pause = (clock_ms() - w->sent_ms) * 50;
	pause = pause < EVERY_ORPHANS_MS ? EVERY_ORPHANS_MS : pause;
	pause = pause > EVERY_ORPHANS_MOST_MS ? EVERY_ORPHANS_MOST_MS : pause;
	again_in(w, jobs >= HEARTBEAT_FREE_MAX ? 0 : pause);
	if (jobs == 0)
		return;
	w->events->orphans(w->ctx, jobs);
	w->events->task(w->ctx);
}

static void heartbeat_on_due(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *w = ctx;
	if (!heartbeat_answered(w, "enqueue retries", r, f))
		return;
	int64_t jobs = db_int8(r, 0, 0);
	again_in(w, jobs >= HEARTBEAT_DUE_MAX ? 0 : EVERY_DUE_MS);
	if (jobs > 0)
		w->events->task(w->ctx);
}

static void heartbeat_on_left(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct heartbeat *w = ctx;
	if (!heartbeat_answered(w, "leave", r, f))
		return;
	w->at_ms[CHORE_LEAVE] = INT64_MAX;
	w->events->left(w->ctx);
}

/* ---- what to send, and when ---- */

static void heartbeat_begin(struct heartbeat *w, enum chore chore)
{
	struct db_params p = {0};
	w->chore = chore;
	w->sent_ms = clock_ms();
	switch (chore) {
	case CHORE_BEAT:
		/* Now, not at the answer: what changes until then may ask for one of its own (heartbeat_send()). */
		w->at_ms[CHORE_BEAT] = w->sent_ms + HEARTBEAT_MS;
		db_params_add_int8(&p, w->owner);
		if (w->registered) {
			db_params_add_int8(&p, w->events->in_flight(w->ctx));
			db_params_add_int8(&p, w->events->circuit_open_ms(w->ctx));
			connection_send(w->connection, &BEAT, &p, heartbeat_on_beaten);
			return;
		}
		db_params_add_text(&p, w->self.host);
		db_params_add_int8(&p, w->self.pid);
		db_params_add_text(&p, w->self.version);
		connection_send(w->connection, &REGISTER, &p, heartbeat_on_registered);
		return;
	case CHORE_RESCUE:
		db_params_add_int8(&p, w->suspect.owner);
		db_params_add_int8(&p, w->suspect.beat);
		db_params_add_int8(&p, HEARTBEAT_FREE_MAX);
		connection_send(w->connection, &HEARTBEAT_RESCUE, &p, heartbeat_on_rescued);
		return;
	case CHORE_DUE:
		db_params_add_int8(&p, HEARTBEAT_DUE_MAX);
		connection_send(w->connection, &HEARTBEAT_DUE, &p, heartbeat_on_due);
		return;
	case CHORE_OBSERVE:
		db_params_add_int8(&p, w->owner);
		connection_send(w->connection, &OBSERVE, &p, heartbeat_on_observed);
		return;
	case CHORE_ORPHANS:
		db_params_add_int8(&p, HEARTBEAT_FREE_MAX);
		connection_send(w->connection, &HEARTBEAT_ORPHANS, &p, heartbeat_on_orphans);
		return;
	case CHORE_LEAVE:
		db_params_add_int8(&p, w->owner);
		connection_send(w->connection, &LEAVE, &p, heartbeat_on_left);
		return;
	case CHORES:
		return;
	}
}

static void heartbeat_set_timer(struct heartbeat *w, int64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
	evtimer_add(w->timer, &tv);
}

/* Sends what is due, or sets the timer for what will be. */
static void heartbeat_send_next(struct heartbeat *w)
{
	if (!connection_is_ready(w->connection))
		return;
	int64_t now = clock_ms(), soonest = INT64_MAX;
	for (int i = 0; i < CHORES; i++) {
		if (w->at_ms[i] <= now) {
			heartbeat_begin(w, (enum chore)i);
			return;
		}
		soonest = w->at_ms[i] < soonest ? w->at_ms[i] : soonest;
	}
	if (soonest != INT64_MAX)
		heartbeat_set_timer(w, soonest - now);
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

/* ---- the lane's news ---- */

/* LISTEN has been done: what came before it is looked for. */
static void heartbeat_on_up(void *ctx)
{
	struct heartbeat *w = ctx;
	peers_forget(&w->peers);
	if (w->at_ms[CHORE_LEAVE] == INT64_MAX) {
		int64_t now = clock_ms();
		for (int i = 0; i < CHORES; i++)
			w->at_ms[i] = now;
		w->at_ms[CHORE_RESCUE] = w->at_ms[CHORE_LEAVE] = INT64_MAX;
	}
	w->events->up(w->ctx);
	w->events->task(w->ctx);
}

static void heartbeat_on_down(void *ctx, const struct fault *why)
{
	struct heartbeat *w = ctx;
	peers_forget(&w->peers);
	w->events->down(w->ctx, why);
}

static void heartbeat_on_notified(void *ctx)
{
	struct heartbeat *w = ctx;
	w->events->task(w->ctx);
}

/* ---- the interface ---- */

static const struct statement *const STATEMENTS[] = {
	&REGISTER, &BEAT, &OBSERVE, &HEARTBEAT_RESCUE, &HEARTBEAT_ORPHANS, &HEARTBEAT_DUE, &LEAVE};

static const struct connection_plan PLAN = {
	.name = "payhook-worker heartbeat",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = "-c plan_cache_mode=force_custom_plan", /* as queue.c has it */
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
	struct heartbeat *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->self = *self;
	w->events = events;
	w->ctx = ctx;
	w->owner = new_number();
	w->at_ms[CHORE_LEAVE] = INT64_MAX;
	w->timer = evtimer_new(connect_state->base, heartbeat_on_timer, w);
	w->connection = connection_create(connect_state, &PLAN, w);
	if (!w->timer || !w->connection) {
		heartbeat_destroy(w);
		return NULL;
	}
	return w;
}

void heartbeat_destroy(struct heartbeat *w)
{
	if (!w)
		return;
	connection_destroy(w->connection);
	if (w->timer)
		event_free(w->timer);
	peers_finish(&w->peers);
	free(w);
}

bool heartbeat_is_fresh(const struct heartbeat *w)
{
	return w->registered && clock_ms() - w->beat_ms < HEARTBEAT_STALE_MS;
}

void heartbeat_send(struct heartbeat *w)
{
	if (w->at_ms[CHORE_BEAT] == INT64_MAX)
		return;
	w->at_ms[CHORE_BEAT] = 0;
	event_active(w->timer, EV_TIMEOUT, 0);
}

/* No other chore any more: a beat would find no row, and begin a new worker. */
void heartbeat_leave(struct heartbeat *w)
{
	for (int i = 0; i < CHORES; i++)
		w->at_ms[i] = INT64_MAX;
	w->at_ms[CHORE_LEAVE] = 0;
	event_active(w->timer, EV_TIMEOUT, 0);
}
