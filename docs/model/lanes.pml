/* lanes.pml - the protocol by which the events of one payment are processed one at a time, in order.
 *
 * The events of a payment form a lane.  At most one event of a lane has its job in payhook.jobs, where workers claim; the
 * others wait in payhook.parked_jobs.  activate() moves the first of a lane.  As in queue.pml each option of a process is
 * one step of the code or of the server, anything else may happen between two steps, and the text that the steps print is
 * what a counterexample consists of.  Claims, settlements and their lost answers are in queue.pml and are single steps here.
 * README.md has the table of steps and code, and what is left out. */

/* ---- sizes, set with spin -DNAME=VALUE ---- */

#ifndef REQUESTS
#define REQUESTS 3 /* each has one event of each lane; 3 at most */
#endif
#ifndef LANES
#define LANES 1 /* 1 or 2 */
#endif
#ifndef WORKERS
#define WORKERS 2 /* each has one job in flight; 2 at most */
#endif
#ifndef HOLD
#define HOLD 1 /* on_failure: 1 is hold, 0 is continue */
#endif

/* ---- budgets ---- */

#ifndef FAULTS
#define FAULTS 1 /* of all kinds together */
#endif
#ifndef DEATHS
#define DEATHS 1 /* a process ends between the commit before activate() and that of activate() */
#endif
#ifndef KILLS
#define KILLS 1 /* of a worker during its call */
#endif
#ifndef FREEZES
#define FREEZES 1 /* of a worker during its call, which goes on after the worker was declared dead */
#endif
#ifndef RESTARTS
#define RESTARTS 1 /* of the database, without its unflushed tail */
#endif
/* The next two are no faults. */
#ifndef RETRIES
#define RETRIES 1 /* calls with a temporary failure */
#endif
#ifndef FAILURES
#define FAILURES 0 /* calls with a permanent failure; the operator retries each, or skips it */
#endif

/* ---- guards: 0 takes one out ---- */

#ifndef LANE_INDEX
#define LANE_INDEX 1 /* the unique index on jobs (lane) */
#endif
#ifndef HEAD_WAITS
#define HEAD_WAITS 1 /* activate() waits for the lock of a lane's first row; 0: SKIP LOCKED */
#endif
#ifndef LANES_IN_ORDER
#define LANES_IN_ORDER 1 /* activate() locks and inserts in the order of lanes */
#endif
#ifndef OWN_SNAPSHOT
#define OWN_SNAPSHOT 1 /* activate() after the commit of SETTLE; 0: SETTLE moves the next one, with its own snapshot */
#endif
#ifndef OWN_TRANSACTION
#define OWN_TRANSACTION 1 /* activate() after the commit of skip(); 0: a second statement of its transaction */
#endif
/* What skip() may do instead, without OWN_TRANSACTION; with one lane. */
#ifndef LOCKS_NEXT
#define LOCKS_NEXT 0 /* it locks the first parked row of the lane before it deletes the job; without one it moves nothing */
#endif
#ifndef MOVES_NEXT
#define MOVES_NEXT 0 /* and moves that row itself, instead of by activate() */
#endif
#ifndef RETRY_IN_ONE
#define RETRY_IN_ONE 1 /* SETTLE replaces the row of a retry; 0: it deletes the row, and a later statement inserts it */
#endif
#ifndef HELD_STAYS
#define HELD_STAYS 1 /* lib/queue/heartbeat.c: a job whose run_at is infinity has no wrong clock, and is not due */
#endif
#ifndef LANE_FLUSH
#define LANE_FLUSH 1 /* the claim of a job with a lane waits for the flush */
#endif
#ifndef LOOK
#define LOOK 1 /* workers look for lanes that have parked jobs only; 2: they look when nothing else happens */
#endif

/* No guard but a stronger promise, which does not hold: README.md, "What the lanes promise".  1 makes it. */
#ifndef BY_NUMBER
#define BY_NUMBER 0 /* calls begin in the order of lane_no, for requests at the same time too */
#endif

/* ---- the database ---- */

#define EVENTS (REQUESTS * LANES) /* event e is that of request e / LANES in lane e % LANES */
#define EVENT(r, l) ((r) * LANES + (l))
#define LANE(e) ((e) % LANES)
#define BIT(o) (1 << (o))
#define ALL_LANES (BIT(LANES) - 1)

#define NONE 0
#define PROCESSING 1
#define PROCESSED 2
#define FAILED 3
#define SKIPPED 4

#define DUE_AT 1 /* run_at is set */
#define HELD 2   /* run_at is infinity */

typedef row {     /* of payhook.jobs; job[e] is that of event e */
	byte id;      /* 0: there is no row */
	byte owner;   /* 0: nobody; else the worker's number and 1 */
	byte run_at   /* 0, DUE_AT, HELD */
};

byte status[EVENTS]; /* of payhook.transactions; NONE: there is no row */
byte parked = 0;     /* payhook.parked_jobs: a bit for each event; lane_no is the number of the request */
row job[EVENTS];

/* What is on the disk, while a restart may come. */
byte disk_status[EVENTS];
byte disk_parked = 0;
row disk_job[EVENTS];

/* Transactions that have not committed: what activate() has locked and inserted, what skip() has deleted. */
byte locked = 0;     /* rows of parked_jobs: a bit for each event */
byte inserting = 0;  /* a bit for each lane */
byte deleting = 0;   /* the event whose job is deleted, and 1 */
byte next = 0;       /* the event that skip() locked before, and 1 */

/* ---- processes ---- */

#define IDLE 0
#define SENT 1   /* STORE has its lane_no */
#define STORED 2 /* committed, and answered 202 */
#define LOST 3   /* ended with the server; it is sent again, which is a later request */

byte request[REQUESTS];
byte arrived = 0;       /* requests are named in the order of their lane_no */
byte claimers = 0;      /* workers are alike: each is named in the order of their first claims */

/* A call of activate(): one for each request, one for each worker, the look's and the operator's. */
#define OF_WORKER(w) (REQUESTS + (w))
#define OF_LOOK (REQUESTS + WORKERS)
#define OF_OPERATOR (OF_LOOK + 1)
#define ACTIVATIONS (OF_OPERATOR + 1)

#define REST 0
#define DUE 1     /* what comes before it has committed */
#define LOCKS 2   /* it has its snapshot */
#define INSERTS 3 /* it has all locks */
#define HANDS 4   /* without OWN_SNAPSHOT: SETTLE has its snapshot */
#define SKIPS 5   /* with LOCKS_NEXT: skip() has the snapshot for its lock */
#define DELETES 6 /* and its lock */

typedef activation {
	byte phase;
	byte lanes; /* a bit for each */
	byte seen;  /* the snapshot: what was parked */
	byte at;    /* how many lanes are locked, or inserted */
	byte head[LANES]; /* the event that is locked, and 1 */
	byte inserted     /* a bit for each lane */
};

activation act[ACTIVATIONS];

typedef process {
	byte event;  /* of its call, and 1; 0: none */
	byte id;     /* of the job when it was claimed */
	bit is_dead; /* declared dead; its call goes on */
	byte again   /* without RETRY_IN_ONE: the event to insert again, and 1 */
};

process worker[WORKERS];

/* ---- for the assertions ---- */

byte accepted = 0;     /* requests that have their 202, while another may still be sent */
byte before[REQUESTS]; /* the requests that had theirs when this one was sent */
byte ended = 0;        /* events that were settled for good, or skipped, at least once */

byte faults = FAULTS, deaths = DEATHS, kills = KILLS, freezes = FREEZES, restarts = RESTARTS;
byte retries = RETRIES, failures = FAILURES;

byte i, n, found; /* of loops; 0 between steps */
bit passed;

mtype = { operator, look, worker_1, worker_0, responder_2, responder_1, responder_0 };
#define NAME(a) ((a) == OF_OPERATOR -> operator : ((a) == OF_LOOK -> look : ((a) == OF_WORKER(1) -> worker_1 : ((a) == OF_WORKER(0) -> worker_0 : ((a) == 2 -> responder_2 : ((a) == 1 -> responder_1 : responder_0))))))

#define HAS_JOB(e) (job[e].id != 0)
#define IS_PARKED(e) ((parked & BIT(e)) != 0)
#define IS_READY(e) (HAS_JOB(e) && !job[e].owner && !job[e].run_at)
#define IS_WAITING(e) (job[e].run_at == DUE_AT || (job[e].run_at == HELD && !HELD_STAYS))
#define IS_HELD(e) (job[e].run_at == HELD && deleting != (e) + 1)
#define IS_BURIED(e) (status[e] == FAILED && !HAS_JOB(e))
#define ANY(what) (what(0) || what(1 % EVENTS) || what(2 % EVENTS) || what(3 % EVENTS))

/* An event for which the condition holds; any, since the order of steps is open. */
#define PICK(what, e) \
	if \
	:: what(0) -> e = 0 \
	:: EVENTS > 1 && what(1 % EVENTS) -> e = 1 % EVENTS \
	:: EVENTS > 2 && what(2 % EVENTS) -> e = 2 % EVENTS \
	:: EVENTS > 3 && what(3 % EVENTS) -> e = 3 % EVENTS \
	fi

/* The jobs of a lane that its index shows: committed, and not deleted by the transaction that asks. */
#define SHOWS(e) (HAS_JOB(e) && deleting != (e) + 1)
#define IS_TAKEN(l) (SHOWS(EVENT(0, l)) || (REQUESTS > 1 && SHOWS(EVENT(1 % REQUESTS, l))) || (REQUESTS > 2 && SHOWS(EVENT(2 % REQUESTS, l))))
#define LANE_PARKED(l) (IS_PARKED(EVENT(0, l)) || (REQUESTS > 1 && IS_PARKED(EVENT(1 % REQUESTS, l))) || (REQUESTS > 2 && IS_PARKED(EVENT(2 % REQUESTS, l))))
#define IS_IDLE(l) (LANE_PARKED(l) && !IS_TAKEN(l))

/* ---- commits ---- */

/* An event that was stored is in one place: parked, in jobs, or ended.  One that is being inserted again is in none. */
inline check()
{
	d_step {
	i = 0;
	do
	:: i < EVENTS ->
		assert(!(IS_PARKED(i) && HAS_JOB(i)));
		assert((status[i] == PROCESSING) == (IS_PARKED(i) || (HAS_JOB(i) && job[i].run_at != HELD) ||
			worker[0].again == i + 1 || worker[WORKERS - 1].again == i + 1));
		assert(job[i].run_at != HELD || status[i] == FAILED);
		i++
	:: else -> break
	od;
	i = 0 }
}

#define COPY(to, from) to.id = from.id; to.owner = from.owner; to.run_at = from.run_at

inline forget_row(r)
{
	r.id = 0;
	r.owner = 0;
	r.run_at = 0
}

/* The disk has everything up to this commit. */
inline flush()
{
	d_step {
	i = 0;
	do
	:: i < EVENTS && faults && restarts -> disk_status[i] = status[i]; COPY(disk_job[i], job[i]); i++
	:: i < EVENTS && !(faults && restarts) ->
		disk_status[i] = NONE;
		forget_row(disk_job[i]);
		i++
	:: i == EVENTS -> break
	od;
	i = 0;
	disk_parked = (faults && restarts -> parked : 0) }
}

/* A commit with synchronous_commit=on. */
inline commit_durable()
{
	flush();
	check()
}

/* A commit with synchronous_commit=off: that of activate(), and without LANE_FLUSH that of a claim. */
inline commit_relaxed()
{
	if
	:: faults && restarts -> flush(); printf("    it is on the disk\n")
	:: true
	fi;
	check()
}

inline fault(budget)
{
	budget--;
	faults--;
	if
	:: !faults -> deaths = 0; kills = 0; freezes = 0; restarts = 0
	:: else
	fi;
	if
	:: !faults || !restarts -> flush()
	:: else
	fi
}

#define KNOWS(w, e) (worker[w].event == (e) + 1 && worker[w].id == job[e].id)

/* An id that no worker knows: what it is else does not matter. */
inline fresh_id(e)
{
	job[e].id = 1;
	do
	:: KNOWS(0, e) || KNOWS(WORKERS - 1, e) -> job[e].id++
	:: else -> break
	od
}

#define HAS_ENDED(r) ((ended & BIT(EVENT(r, 0))) && (ended & BIT(EVENT(r, LANES - 1))))

/* A request that has ended holds up nothing, and is forgotten. */
inline end_event(e)
{
	ended = ended | BIT(e);
	n = 0;
	do
	:: n < REQUESTS && HAS_ENDED((e) / LANES) -> before[n] = before[n] & (255 - BIT((e) / LANES)); n++
	:: else -> break
	od;
	n = 0;
	accepted = (HAS_ENDED((e) / LANES) -> accepted & (255 - BIT((e) / LANES)) : accepted)
}

/* ---- activate() ---- */

#define MY act[a]
#define TURN(a) (LANES_IN_ORDER || (a) % 2 == 0 -> MY.at : LANES - 1 - MY.at)
/* The rows of its snapshot that are there still, without those that SKIP LOCKED leaves out. */
#define ROWS(a) (MY.seen & parked & (HEAD_WAITS -> 255 : 255 - locked))
/* The first of a lane, and 1. */
#define FIRST(a, l) ((ROWS(a) & BIT(EVENT(0, l))) -> EVENT(0, l) + 1 : ((REQUESTS > 1 && (ROWS(a) & BIT(EVENT(1, l)))) -> EVENT(1, l) + 1 : ((REQUESTS > 2 && (ROWS(a) & BIT(EVENT(2, l)))) -> EVENT(2, l) + 1 : 0)))
#define IS_MINE(a) (a == OF_OPERATOR && next && FIRST(a, TURN(a)) == next)
#define MAY_LOCK(a) (!FIRST(a, TURN(a)) || !(locked & BIT(FIRST(a, TURN(a)) - 1)) || IS_MINE(a))
/* An insert waits for another one of the lane, and for a deletion, that have not committed. */
#define OTHER_DELETES(a) (deleting && a != OF_OPERATOR && LANE(deleting - 1) == TURN(a))
#define MAY_INSERT(a) (!MY.head[TURN(a)] || !LANE_INDEX || (!(inserting & BIT(TURN(a))) && !OTHER_DELETES(a)))

inline forget_activation(a)
{
	n = 0;
	do
	:: n < LANES ->
		locked = (MY.head[n] -> locked & (255 - BIT(MY.head[n] - 1)) : locked);
		MY.head[n] = 0;
		n++
	:: else -> break
	od;
	n = 0;
	inserting = inserting & (255 - MY.inserted);
	MY.phase = REST;
	MY.lanes = 0;
	MY.seen = 0;
	MY.at = 0;
	MY.inserted = 0;
	if
	:: a == OF_OPERATOR ->
		locked = (next -> locked & (255 - BIT(next - 1)) : locked);
		next = 0;
		deleting = 0
	:: else
	fi
}

#define ASKS_FOR(a, l) ((MY.lanes & BIT(l)) && LANE_PARKED(l))

/* The next lane that was asked for, or all are done. */
inline next_lane(a)
{
	do
	:: MY.at < LANES && !(MY.lanes & BIT(TURN(a))) -> MY.at++
	:: else -> break
	od
}

inline insert_parked(e)
{
	assert(!HAS_JOB(e));
	parked = parked & (255 - BIT(e));
	fresh_id(e);
	printf("    event %d goes to jobs\n", e)
}

inline commit_activation(a)
{
	d_step {
	if
	:: a == OF_OPERATOR && deleting ->
		forget_row(job[deleting - 1]);
		status[deleting - 1] = SKIPPED;
		end_event(deleting - 1)
	:: else
	fi;
	found = 0;
	do
	:: found < LANES ->
		if
		:: MY.inserted & BIT(found) -> insert_parked(MY.head[found] - 1)
		:: else
		fi;
		found++
	:: else -> break
	od;
	found = 0;
	forget_activation(a) }
}

proctype activate_of(byte a)
{
end:	do
	:: d_step { MY.phase == DUE ->
		MY.seen = parked;
		MY.phase = LOCKS;
		next_lane(a);
		if
		:: ASKS_FOR(a, 0) || ASKS_FOR(a, LANES - 1) || (deleting && a == OF_OPERATOR) ->
			printf("%e: activate sees the parked events, mask %d\n", NAME(a), MY.seen)
		:: else -> printf("%e: activate sees nothing parked\n", NAME(a)); forget_activation(a)
		fi }
	:: d_step { MY.phase == LOCKS && MAY_LOCK(a) ->
		n = TURN(a);
		MY.head[n] = FIRST(a, n);
		if
		:: MY.head[n] -> locked = locked | BIT(MY.head[n] - 1); printf("%e: activate locks event %d, of lane %d\n", NAME(a), MY.head[n] - 1, n)
		:: else -> printf("%e: activate finds nothing parked in lane %d\n", NAME(a), n)
		fi;
		n = 0;
		MY.at++;
		next_lane(a);
		if
		:: MY.at == LANES && !MY.head[0] && !MY.head[LANES - 1] && !(deleting && a == OF_OPERATOR) -> forget_activation(a)
		:: MY.at == LANES && (MY.head[0] || MY.head[LANES - 1] || (deleting && a == OF_OPERATOR)) ->
			MY.phase = INSERTS;
			MY.seen = 0;
			MY.at = 0;
			next_lane(a)
		:: else
		fi }
	/* With one lane its insert and its commit are one step: what waits for the one waits for the other. */
	:: atomic { MY.phase == INSERTS && MY.at < LANES && MAY_INSERT(a) ->
		d_step {
		n = TURN(a);
		if
		:: MY.head[n] && (!LANE_INDEX || !IS_TAKEN(n)) ->
			MY.inserted = MY.inserted | BIT(n);
			inserting = inserting | BIT(n);
			printf("%e: activate inserts event %d, of lane %d\n", NAME(a), MY.head[n] - 1, n)
		:: else -> printf("%e: activate inserts nothing into lane %d\n", NAME(a), n)
		fi;
		n = 0;
		MY.at++;
		next_lane(a) };
		if
		:: MY.at == LANES && (LANES == 1 || !inserting) ->
			printf("%e: activate commits\n", NAME(a));
			commit_activation(a);
			commit_relaxed()
		:: else
		fi }
	:: atomic { MY.phase == INSERTS && MY.at == LANES ->
		printf("%e: activate commits\n", NAME(a));
		commit_activation(a);
		commit_relaxed() }
	:: atomic { faults && deaths && MY.phase != REST ->
		printf("FAULT: %e is killed, its activate does not commit\n", NAME(a));
		d_step {
		forget_activation(a);
		fault(deaths) } }
	od
}

#define MAY_LOOK (act[OF_LOOK].phase == REST && (IS_IDLE(0) || IS_IDLE(LANES - 1)))

inline look_at_all()
{
	act[OF_LOOK].phase = DUE;
	act[OF_LOOK].lanes = ALL_LANES;
	printf("a look finds parked events\n")
}

/* The look of a worker: once a second at what was parked lately, rarely at everything. */
proctype look_of()
{
end:	do
	:: d_step { LOOK == 1 && MAY_LOOK -> look_at_all() }
	:: d_step { LOOK == 2 && timeout && MAY_LOOK -> look_at_all() }
	od
}

/* ---- a sender, and the responder that it reaches ---- */

proctype request_of(byte r)
{
	byte l;
end:	do
	:: d_step { request[r] == IDLE && r == arrived ->
		arrived++;
		before[r] = accepted;
		accepted = (arrived == REQUESTS -> 0 : accepted);
		request[r] = SENT;
		printf("request %d arrives; STORE numbers its events\n", r) }
	:: atomic { request[r] == SENT ->
		d_step {
		printf("STORE of request %d commits, answered 202\n", r);
		request[r] = STORED;
		accepted = (arrived == REQUESTS -> 0 : accepted | BIT(r));
		l = 0;
		do
		:: l < LANES ->
			status[EVENT(r, l)] = PROCESSING;
			parked = parked | BIT(EVENT(r, l));
			l++
		:: else -> break
		od;
		l = 0;
		act[r].phase = DUE;
		act[r].lanes = ALL_LANES };
		commit_durable() }
	od
}

/* ---- a worker ---- */

#define ME worker[w]
#define MINE act[OF_WORKER(w)]

#define HAS_BEGUN(e) ((ended & BIT(e)) || worker[0].event == (e) + 1 || worker[WORKERS - 1].event == (e) + 1)

/* No other living worker has a call of the lane, and what was accepted before this event was sent has ended. */
inline begin_call(w, e)
{
	d_step {
	n = 0;
	do
	:: n < WORKERS -> assert(!worker[n].event || worker[n].is_dead || LANE(worker[n].event - 1) != LANE(e)); n++
	:: else -> break
	od;
	n = 0;
	do
	:: n < REQUESTS ->
		assert((ended & BIT(e)) || !(before[(e) / LANES] & BIT(n)) || (ended & BIT(EVENT(n, LANE(e)))));
		assert(!BY_NUMBER || n <= (e) / LANES || !HAS_BEGUN(EVENT(n, LANE(e))));
		n++
	:: else -> break
	od;
	n = 0;
	ME.event = e + 1;
	ME.id = job[e].id }
}

/* Its outcome is written, if the fence lets it pass. */
inline settle(w, e)
{
	if
	:: true -> printf("worker %d: SETTLE of event %d commits: processed\n", w, e); status[e] = PROCESSED
	:: retries -> retries--; printf("worker %d: SETTLE of event %d commits: retried\n", w, e)
	:: failures -> failures--; printf("worker %d: SETTLE of event %d commits: failed\n", w, e); status[e] = FAILED
	fi;
	d_step {
	if
	:: status[e] == PROCESSING && RETRY_IN_ONE -> job[e].owner = 0; job[e].run_at = DUE_AT; fresh_id(e)
	:: status[e] == PROCESSING && !RETRY_IN_ONE -> forget_row(job[e]); ME.again = e + 1; printf("    its job is deleted\n")
	:: status[e] == FAILED && HOLD -> job[e].owner = 0; job[e].run_at = HELD; fresh_id(e)
	:: else ->
		forget_row(job[e]);
		end_event(e);
		if
		:: OWN_SNAPSHOT -> MINE.phase = DUE; MINE.lanes = BIT(LANE(e))
		:: else
		fi
	fi }
}

/* Without OWN_SNAPSHOT: SETTLE moves the first that its snapshot shows. */
inline hand_over(w, e)
{
	d_step {
	found = (MINE.seen & parked & BIT(EVENT(0, LANE(e))) -> EVENT(0, LANE(e)) + 1 :
		(MINE.seen & parked & BIT(EVENT(1, LANE(e))) -> EVENT(1, LANE(e)) + 1 :
		(REQUESTS > 2 && (MINE.seen & parked & BIT(EVENT(2, LANE(e)))) -> EVENT(2, LANE(e)) + 1 : 0)));
	if
	:: found && !HAS_JOB(e) && !ME.again -> insert_parked(found - 1)
	:: else
	fi;
	found = 0;
	MINE.seen = 0;
	MINE.phase = REST }
}

#define MAY_SETTLE(w) (ME.event && !ME.is_dead && !ME.again && (OWN_SNAPSHOT -> MINE.phase == REST : MINE.phase == HANDS && !locked))

proctype worker_of(byte w)
{
	byte e;
end:	do
	/* CLAIM commits, its answer arrives, and the call begins. */
	:: atomic { w <= claimers && !ME.event && !ME.is_dead && !ME.again && ANY(IS_READY) ->
		claimers = (w == claimers -> claimers + 1 : claimers);
		PICK(IS_READY, e);
		printf("worker %d: CLAIM of event %d commits; its call begins\n", w, e);
		job[e].owner = w + 1;
		begin_call(w, e);
		e = 0;
		if
		:: LANE_FLUSH -> commit_durable()
		:: else -> commit_relaxed()
		fi }
	:: d_step { !OWN_SNAPSHOT && ME.event && !ME.is_dead && MINE.phase == REST ->
		MINE.seen = parked;
		MINE.phase = HANDS;
		printf("worker %d: the call of event %d has ended; SETTLE sees the parked events, mask %d\n", w, ME.event - 1, MINE.seen) }
	:: atomic { MAY_SETTLE(w) ->
		e = ME.event - 1;
		passed = (job[e].id == ME.id && job[e].owner == w + 1);
		ME.event = 0;
		ME.id = 0;
		if
		:: passed ->
			settle(w, e);
			if
			:: OWN_SNAPSHOT
			:: else -> hand_over(w, e)
			fi
		:: else -> printf("worker %d: SETTLE of event %d is refused\n", w, e)
		fi;
		passed = 0;
		e = 0;
		commit_durable() }
	/* Without RETRY_IN_ONE: the later insert, which the index may refuse. */
	:: atomic { ME.again ->
		e = ME.again - 1;
		printf("worker %d inserts event %d again\n", w, e);
		passed = !IS_TAKEN(LANE(e));
		assert(passed);
		passed = 0;
		job[e].run_at = DUE_AT;
		fresh_id(e);
		ME.again = 0;
		e = 0;
		commit_durable() }
	/* Its call ends after it was declared dead.  It settles nothing, and registers anew. */
	:: d_step { ME.is_dead ->
		e = ME.event - 1;
		printf("worker %d, which was declared dead: SETTLE of event %d is refused\n", w, e);
		assert(job[e].id != ME.id);
		e = 0;
		ME.event = 0;
		ME.id = 0;
		ME.is_dead = 0 }
	/* Killed, or frozen, for 20 s: another worker frees its job. */
	:: atomic { faults && (kills || freezes) && ME.event && !ME.is_dead && MINE.phase != HANDS ->
		e = ME.event - 1;
		passed = (job[e].id == ME.id && job[e].owner == w + 1);
		if
		:: kills ->
			printf("FAULT: worker %d is killed, and declared dead\n", w);
			ME.event = 0;
			ME.id = 0;
			d_step { forget_activation(OF_WORKER(w)); fault(kills) }
		:: freezes ->
			printf("FAULT: worker %d is frozen, and declared dead\n", w);
			ME.is_dead = 1;
			d_step { fault(freezes) }
		fi;
		if
		:: passed ->
			job[e].owner = 0;
			fresh_id(e);
			printf("    the job of event %d is free, under a fresh id\n", e)
		:: else
		fi;
		passed = 0;
		e = 0;
		commit_durable() }
	od
}

/* ---- chores, the operator, the server ---- */

proctype maintenance()
{
	byte e;
end:	do
	/* HEARTBEAT_DUE */
	:: atomic { ANY(IS_WAITING) ->
		PICK(IS_WAITING, e);
		job[e].run_at = 0;
		fresh_id(e);
		printf("the retry of event %d is due\n", e);
		e = 0;
		commit_durable() }
	/* payhook.retry(): a job that is held keeps its place; another is parked under its old number. */
	:: atomic { ANY(IS_HELD) ->
		PICK(IS_HELD, e);
		job[e].run_at = 0;
		status[e] = PROCESSING;
		fresh_id(e);
		printf("the operator retries event %d\n", e);
		e = 0;
		commit_durable() }
	:: atomic { ANY(IS_BURIED) && act[OF_OPERATOR].phase == REST ->
		PICK(IS_BURIED, e);
		status[e] = PROCESSING;
		parked = parked | BIT(e);
		act[OF_OPERATOR].phase = DUE;
		act[OF_OPERATOR].lanes = BIT(LANE(e));
		printf("the operator retries event %d, which is parked again\n", e);
		e = 0;
		commit_durable() }
	/* payhook.skip() */
	:: atomic { !LOCKS_NEXT && ANY(IS_HELD) && act[OF_OPERATOR].phase == REST ->
		PICK(IS_HELD, e);
		act[OF_OPERATOR].phase = DUE;
		act[OF_OPERATOR].lanes = BIT(LANE(e));
		if
		:: OWN_TRANSACTION ->
			printf("the operator skips event %d\n", e);
			status[e] = SKIPPED;
			d_step { end_event(e) };
			forget_row(job[e]);
			commit_durable()
		:: else ->
			printf("the operator skips event %d: its job is deleted, not yet committed\n", e);
			deleting = e + 1
		fi;
		e = 0 }
	od
}

/* payhook.skip() with LOCKS_NEXT: three statements of one transaction. */
proctype skip_of(byte a)
{
	byte e;
end:	do
	:: atomic { LOCKS_NEXT && ANY(IS_HELD) && MY.phase == REST ->
		PICK(IS_HELD, e);
		MY.phase = SKIPS;
		MY.lanes = BIT(0);
		MY.seen = parked;
		printf("the operator skips event %d: it sees the parked events, mask %d\n", e, parked);
		e = 0 }
	:: d_step { MY.phase == SKIPS && MAY_LOCK(a) ->
		next = FIRST(a, 0);
		locked = (next -> locked | BIT(next - 1) : locked);
		MY.seen = 0;
		MY.phase = DELETES;
		printf("operator: skip has locked the next one, %d (the event and 1; 0: there is none)\n", next) }
	/* Somebody may have brought the job back meanwhile. */
	:: atomic { MY.phase == DELETES && !ANY(IS_HELD) ->
		printf("operator: skip finds no job that is held\n");
		d_step { forget_activation(a) } }
	:: atomic { MY.phase == DELETES && ANY(IS_HELD) ->
		PICK(IS_HELD, e);
		printf("operator: skip deletes the job of event %d, not yet committed\n", e);
		deleting = e + 1;
		e = 0;
		if
		:: next && !MOVES_NEXT -> MY.phase = DUE
		:: else ->
			printf("operator: skip commits\n");
			d_step {
			MY.head[0] = next;
			MY.inserted = (next -> BIT(0) : 0);
			commit_activation(a) };
			commit_durable()
		fi }
	od
}

proctype server_fault()
{
	byte e;
end:	do
	:: d_step { faults && restarts ->
		printf("FAULT: the database restarts\n");
		e = 0;
		do
		:: e < EVENTS ->
			if
			:: job[e].id != disk_job[e].id || job[e].owner != disk_job[e].owner -> printf("    what was not on the disk of event %d is undone\n", e)
			:: else
			fi;
			status[e] = disk_status[e];
			COPY(job[e], disk_job[e]);
			e++
		:: else -> break
		od;
		parked = disk_parked;
		e = 0;
		do
		:: e < ACTIVATIONS -> forget_activation(e); e++
		:: else -> break
		od;
		e = 0;
		do
		:: e < REQUESTS -> request[e] = (request[e] == SENT -> LOST : request[e]); e++
		:: else -> break
		od;
		e = 0;
		fault(restarts) }
	od
}

/* When nothing can happen any more, no activate() waits for another, and every event that was stored has ended. */
proctype quiet()
{
end:	do
	:: timeout && !(LOOK && MAY_LOOK) ->
		i = 0;
		do
		:: i < ACTIVATIONS -> assert(act[i].phase == REST); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < EVENTS -> assert(request[i / LANES] == LOST || status[i] == PROCESSED || status[i] == SKIPPED); i++
		:: else -> break
		od;
		i = 0;
		break
	od
}

init
{
	atomic {
		i = 0;
		do
		:: i < REQUESTS -> run request_of(i); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < WORKERS -> run worker_of(i); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < ACTIVATIONS -> run activate_of(i); i++
		:: else -> break
		od;
		i = 0;
		flush();
		run look_of();
		run maintenance();
		run skip_of(OF_OPERATOR);
		run server_fault();
		run quiet()
	}
}
