/* queue.pml - the protocol by which a webhook becomes a row, and a row is processed once.
 *
 * Each option of a process is one step of the code or of the server; between two steps anything else may happen.  What a
 * process was told (a 202, a claim, a settlement) is kept beside what the database holds, and the assertions compare the
 * two.  README.md has the table of steps and code, and what is left out.  The text that the steps print is what a
 * counterexample consists of. */

/* ---- sizes, set with spin -DNAME=VALUE ---- */

#ifndef JOBS
#define JOBS 2 /* transactions, each with one job at most; 3 at most */
#endif
#ifndef WORKERS
#define WORKERS 2 /* 3 at most */
#endif
#ifndef SLOTS
#define SLOTS 2 /* jobs in flight in one worker; 1 or 2 */
#endif
#ifndef SYNC
#define SYNC 1 /* 1: there is a synchronous standby; 0: the standby is asynchronous */
#endif

/* ---- budgets ---- */

#ifndef FAULTS
#define FAULTS 2 /* of all kinds together */
#endif
#ifndef CUTS
#define CUTS 1 /* the connection of a worker's queue breaks */
#endif
#ifndef LOST
#define LOST 1 /* a responder dies between its commit and the 202 */
#endif
#ifndef RESTARTS
#define RESTARTS 1 /* of the database, without its unflushed tail */
#endif
#ifndef FAILOVERS
#define FAILOVERS 1 /* to the standby, which lacks what was not replicated */
#endif
#ifndef KILLS
#define KILLS 1 /* of a worker */
#endif
#ifndef FREEZES
#define FREEZES 1 /* of a worker, for longer than others wait for its heartbeat */
#endif
/* The next three are no faults. */
#ifndef DUPLICATES
#define DUPLICATES 0 /* webhooks that are sent once more */
#endif
#ifndef RETRIES
#define RETRIES 1 /* calls with a temporary failure */
#endif
#ifndef FAILURES
#define FAILURES 0 /* calls with a permanent failure; the operator retries each */
#endif

/* ---- guards: 0 takes one out ---- */

#ifndef OWNER_IN_FENCE
#define OWNER_IN_FENCE 1 /* lib/queue/settle.c: SETTLE compares the owner */
#endif
#ifndef IDENTITY
#define IDENTITY 1 /* lib/queue/inflight.c, settle.c, queue.c: a job is its id and its transaction */
#endif
#ifndef FRESH_ID
#define FRESH_ID 1 /* lib/queue/settle.c, heartbeat.c: a retry has a new id */
#endif
#ifndef CONNECT_RELEASE
#define CONNECT_RELEASE 1 /* lib/queue/queue.c: a release before the first claim on a new connection */
#endif
#ifndef SECOND_RELEASE
#define SECOND_RELEASE 1 /* lib/queue/queue.c: once more after QUEUE_AGAIN_MS */
#endif
#ifndef UNBROKEN_WATCH
#define UNBROKEN_WATCH 1 /* lib/queue/peers.c: observations begin anew after a break */
#endif
#ifndef CLAIM_RECHECK
#define CLAIM_RECHECK 1 /* lib/queue/claim.c: FOR UPDATE checks the newest version of the row */
#endif
#ifndef KNOWN_WAIT
#define KNOWN_WAIT 1 /* lib/ingest/statements.c: a batch of known rows waits for the standby */
#endif
/* A weakness that is open: README.md, "What the model found".  1 puts it in. */
#ifndef LATE_RELEASE
#define LATE_RELEASE 0 /* a RELEASE of a lost connection may run after later claims */
#endif

/* ---- the database ---- */

#define NONE 0
#define PROCESSING 1
#define PROCESSED 2
#define FAILED 3

typedef row {     /* of payhook.jobs; job[t] is that of transaction t */
	byte id;      /* 0: there is no row */
	byte owner;   /* 0: nobody */
	byte attempt;
	bit waits;    /* run_at is set */
	bit unflushed /* its claim is not yet on the disk */
};

byte status[JOBS];   /* of payhook.transactions; NONE: there is no row */
row job[JOBS];
byte registered = 0; /* payhook.workers: a bit for each owner */
byte next_id = 1;    /* the sequence of job ids */

/* The standby is the primary as it was at some commit. */
byte standby_status[JOBS];
row standby_job[JOBS];
byte standby_registered = 0;
byte standby_next_id = 0;

/* ---- senders ---- */

#define IDLE 0
#define SENT 1 /* STORE has its snapshot, and saw no row */
#define OVER 2 /* a duplicate, which is not sent again */

byte webhook[2 * JOBS]; /* 2t is sent until it has a 202, 2t + 1 is a duplicate, sent once at most */
bit accepted[JOBS];     /* a sender of transaction t has a 202 */

/* ---- workers ---- */

#define FREE 0
#define CALLING 1
#define DONE 2  /* the outcomes */
#define AGAIN 3
#define NEVER 4

typedef receipt { /* a job in flight: the answer to its claim, and the outcome of its call */
	byte state;
	byte job;     /* the transaction */
	byte id;
	byte owner;
	byte attempt;
	bit settled;  /* for the assertions: a SETTLE of it took effect */
	bit excused;  /* for the assertions: its SETTLE may be refused */
	bit released_late /* a late RELEASE has its key */
};

#define NOTHING 0
#define CLAIM 1   /* it has its snapshot */
#define CLAIMED 2 /* committed; the answer is on its way */
#define SETTLED 3 /* committed; the answer is on its way */
#define SETTLE 4
#define RELEASE 5

typedef process {
	bit alive;
	bit stale;        /* its last heartbeat is too old for a claim or a call */
	byte owner;       /* its number */
	byte statement;   /* under way on the connection of its queue: NOTHING, CLAIM, CLAIMED, SETTLED */
	byte claims_for;  /* the owner that the CLAIM names */
	byte picked;      /* the transaction of the CLAIM, or the slot of the SETTLE */
	byte picked_id;
	byte picked_attempt;
	bit release_due;
	bit claimed_before;
	bit claim_lost;
	bit release_again;
	byte late;        /* a statement of a lost connection that the server may still run: CLAIM, SETTLE, RELEASE */
	receipt late_receipt;
	receipt slot[SLOTS]
};

process worker[WORKERS];
byte next_owner = 1;
byte suspected = 0;  /* owners with a heartbeat that another worker has seen unchanged for PEER_DEAD_MS */
bit orphans_seen = 0; /* RESCUE_ORPHANS has its snapshot */
byte orphan_id[JOBS];
byte orphan_owner[JOBS];

/* ---- for the assertions ---- */

bit succeeded[JOBS]; /* the processor has answered a call for transaction t with success */
byte silent = 0;     /* owners that missed heartbeats although the database was there */

byte faults = FAULTS, cuts = CUTS, lost = LOST, restarts = RESTARTS, failovers = FAILOVERS, kills = KILLS;
byte freezes = FREEZES, duplicates = DUPLICATES, retries = RETRIES, failures = FAILURES;

/* Transactions and workers have no order of their own, so each is named in the order in which it first did something. */
byte arrived = 0, claimers = 0;

byte i, n, s, found; /* of loops; 0 between steps */
bit passed;

#define BIT(o) (1 << (o))
#define IS_READY(t) (job[t].id && !job[t].owner && !job[t].waits)
#define CAN_FAIL_OVER (faults && failovers)
#define ANY(what) (what(0) || what(1 % JOBS) || what(2 % JOBS))

/* A transaction for which the condition holds; any, since the order of steps is open. */
#define PICK(what, t) \
	if \
	:: what(0) -> t = 0 \
	:: JOBS > 1 && what(1 % JOBS) -> t = 1 % JOBS \
	:: JOBS > 2 && what(2 % JOBS) -> t = 2 % JOBS \
	fi

inline check()
{
	d_step {
	i = 0;
	do
	:: i < JOBS ->
		/* A transaction is PROCESSING exactly as long as it has a job. */
		assert((status[i] == PROCESSING) == (job[i].id != 0));
		/* A 202 has its row, and with a synchronous standby the standby has it too. */
		assert(!accepted[i] || status[i] != NONE);
		assert(!accepted[i] || !SYNC || !CAN_FAIL_OVER || standby_status[i] != NONE);
		i++
	:: else -> break
	od;
	i = 0 }
}

/* ---- commits ---- */

#define COPY(to, from) to.id = from.id; to.owner = from.owner; to.attempt = from.attempt; to.waits = from.waits

inline flush()
{
	d_step {
	i = 0;
	do
	:: i < JOBS -> job[i].unflushed = 0; i++
	:: else -> break
	od;
	i = 0 }
}

/* The standby has everything up to this commit. */
inline replicate()
{
	flush();
	if
	:: CAN_FAIL_OVER ->
		d_step {
		i = 0;
		do
		:: i < JOBS -> standby_status[i] = status[i]; COPY(standby_job[i], job[i]); i++
		:: else -> break
		od;
		i = 0;
		standby_registered = registered;
		standby_next_id = next_id }
	:: else
	fi
}

/* A commit with synchronous_commit=on.  An asynchronous standby may lag behind it. */
inline commit_durable()
{
	if
	:: SYNC || !CAN_FAIL_OVER -> replicate()
	:: !SYNC && CAN_FAIL_OVER -> replicate(); printf("    the standby has it\n")
	:: !SYNC && CAN_FAIL_OVER -> flush(); printf("    the standby does not have it yet\n")
	fi;
	check()
}

/* A commit with synchronous_commit=off: that of a claim. */
inline commit_relaxed(t)
{
	job[t].unflushed = (faults && restarts);
	if
	:: CAN_FAIL_OVER -> replicate(); printf("    it is on the disk and on the standby\n")
	:: true
	fi;
	check()
}

inline forget_row(r)
{
	r.id = 0;
	r.owner = 0;
	r.attempt = 0;
	r.waits = 0;
	r.unflushed = 0
}

/* Takes a fault from the budgets.  Nothing is kept that only a further fault would need. */
inline fault(budget)
{
	budget--;
	faults--;
	if
	:: !faults -> cuts = 0; lost = 0; restarts = 0; failovers = 0; kills = 0; freezes = 0
	:: else
	fi;
	if
	:: !CAN_FAIL_OVER ->
		i = 0;
		do
		:: i < JOBS -> standby_status[i] = NONE; forget_row(standby_job[i]); i++
		:: else -> break
		od;
		i = 0;
		standby_registered = 0;
		standby_next_id = 0
	:: else
	fi;
	if
	:: !faults || !restarts -> flush()
	:: else
	fi
}

inline fresh_id(t)
{
	job[t].id = next_id;
	next_id++;
	assert(next_id < 250)
}

/* INGEST_STORE and payhook.retry_dead(): the transaction, and a job that is ready. */
inline enqueue(t)
{
	d_step {
	status[t] = PROCESSING;
	forget_row(job[t]);
	fresh_id(t);
	printf("    the job of transaction %d has id %d\n", t, job[t].id) }
}

inline free_job(t)
{
	job[t].owner = 0;
	job[t].unflushed = 0;
	fresh_id(t);
	printf("    the job of transaction %d is free, and has id %d\n", t, job[t].id)
}

/* ---- SETTLE ---- */

#define PASSES(t, r) (job[t].id == r.id && r.id && (!IDENTITY || t == r.job) && (!OWNER_IN_FENCE || job[t].owner == r.owner || (!job[t].owner && !job[t].waits && job[t].attempt + 1 == r.attempt)))

inline settle(r)
{
	d_step {
	passed = 0;
	found = 0;
	do
	:: found < JOBS && PASSES(found, r) -> passed = 1; break
	:: found < JOBS && !PASSES(found, r) -> found++
	:: found == JOBS -> break
	od;
	if
	:: passed -> printf("    the fence lets it pass\n")
	:: else -> printf("    the fence refuses it\n")
	fi;
	/* A receipt is settled once. */
	assert(!passed || !r.settled);
	/* The owner that received its claim may settle it, unless it was declared dead or the server lost the claim. */
	assert(passed || r.settled || r.excused);
	/* A transaction is PROCESSED only if the processor has said so. */
	assert(!passed || r.state != DONE || status[r.job] == NONE || succeeded[r.job]);
	if
	:: passed && r.state == AGAIN ->
		job[found].owner = 0;
		job[found].attempt = r.attempt;
		job[found].waits = 1;
		job[found].unflushed = 0;
		if
		:: FRESH_ID -> fresh_id(found)
		:: else
		fi
	:: passed && r.state != AGAIN ->
		forget_row(job[found]);
		if
		:: status[r.job] != NONE && status[r.job] != PROCESSED ->
			status[r.job] = (r.state == DONE -> PROCESSED : FAILED)
		:: else
		fi
	:: else
	fi;
	r.settled = r.settled || passed;
	found = 0;
	passed = 0 }
}

#define SAME_RECEIPT(a, b) (a.state != FREE && a.id == b.id && a.job == b.job && a.owner == b.owner && a.attempt == b.attempt)

inline forget_receipt(r)
{
	r.state = FREE;
	r.job = 0;
	r.id = 0;
	r.owner = 0;
	r.attempt = 0;
	r.settled = 0;
	r.excused = 0;
	r.released_late = 0
}

/* Receipts of owner o, or of all with 0, may be refused from now on. */
inline excuse(o)
{
	n = 0;
	do
	:: n < WORKERS ->
		s = 0;
		do
		:: s < SLOTS ->
			worker[n].slot[s].excused = worker[n].slot[s].excused ||
				(worker[n].slot[s].state != FREE && (!o || worker[n].slot[s].owner == o));
			s++
		:: else -> break
		od;
		worker[n].late_receipt.excused = worker[n].late_receipt.excused ||
			(worker[n].late == SETTLE && (!o || worker[n].late_receipt.owner == o));
		n++
	:: else -> break
	od;
	n = 0;
	s = 0
}

/* ---- RELEASE ---- */

#define ME worker[w]

/* Frees the jobs that are the owner's in the database, except those with the keys given: those of its jobs in flight now, or
 * of those that it had when the RELEASE was sent. */
inline release(w, by, is_late)
{
	d_step {
	n = 0;
	do
	:: n < JOBS && job[n].id && job[n].owner == by ->
		s = 0;
		passed = 0;
		do
		:: s < SLOTS ->
			passed = passed || (ME.slot[s].state != FREE && ME.slot[s].id == job[n].id &&
				(!IDENTITY || ME.slot[s].job == n) && (!is_late || ME.slot[s].released_late));
			s++
		:: else -> break
		od;
		if
		:: !passed -> job[n].attempt = (job[n].attempt -> job[n].attempt - 1 : 0); free_job(n)
		:: else
		fi;
		n++
	:: n < JOBS && !(job[n].id && job[n].owner == by) -> n++
	:: n == JOBS -> break
	od;
	n = 0;
	s = 0;
	passed = 0 }
}

/* ---- a sender, and the responder that it reaches ---- */

/* Whether anything can come between the snapshot and the commit of a STORE. */
#define STORE_HAS_RIVALS (DUPLICATES || (SYNC && RESTARTS && FAILOVERS))
#define ARRIVES(t, h) (webhook[h] == IDLE && status[t] == NONE && !accepted[t] && (h % 2 == 0 || duplicates) && t <= arrived)

inline answer(t, h)
{
	webhook[h] = (h % 2 -> OVER : IDLE);
	if
	:: accepted[t] = 1; printf("webhook %d is answered 202\n", h); check()
	:: faults && lost -> d_step { fault(lost); printf("FAULT: the responder dies before it has answered\n") }
	fi
}

/* lib/ingest/ingest.c: send_store(), ingest_on_stored(). */
proctype webhook_of(byte t; byte h)
{
end:	do
	:: d_step { STORE_HAS_RIVALS && ARRIVES(t, h) ->
		arrived = (t == arrived -> arrived + 1 : arrived);
		duplicates = duplicates - h % 2;
		webhook[h] = SENT;
		printf("webhook %d arrives; STORE sees no row of transaction %d\n", h, t) }
	:: atomic { (webhook[h] == SENT && status[t] == NONE) || (!STORE_HAS_RIVALS && ARRIVES(t, h)) ->
		arrived = (t == arrived -> arrived + 1 : arrived);
		printf("STORE of webhook %d commits\n", h);
		enqueue(t);
		commit_durable();
		answer(t, h) }
	:: d_step { webhook[h] == SENT && status[t] != NONE ->
		webhook[h] = IDLE;
		duplicates = duplicates + h % 2;
		printf("STORE of webhook %d lost the race, and is sent again\n", h) }
	:: atomic { webhook[h] == IDLE && status[t] != NONE && (h % 2 == 0 && !accepted[t] || h % 2 && duplicates) ->
		duplicates = duplicates - h % 2;
		printf("webhook %d arrives; STORE finds the row of transaction %d\n", h, t);
		if
		:: KNOWN_WAIT && SYNC -> printf("    it waits for the standby\n"); commit_durable()
		:: else
		fi;
		answer(t, h) }
	od
}

/* ---- a worker: lib/queue/queue.c, lib/queue/heartbeat.c, worker/worker.c ---- */

#define LAST (SLOTS - 1)
#define HAS_ROOM (ME.slot[0].state == FREE || ME.slot[LAST].state == FREE)
#define CAN_CLAIM (ME.alive && ME.statement == NOTHING && !ME.stale && !ME.release_due && HAS_ROOM && w <= claimers)
#define IS_ORPHAN(t) (job[t].id && job[t].owner && !(registered & BIT(job[t].owner)))
#define SUSPECTS (suspected & registered & ~BIT(ME.owner))

/* queue_on_claimed(), take_row(), worker_on_claimed() */
inline take_row(w)
{
	s = 0;
	do
	:: s < SLOTS && ME.slot[s].state != FREE && ME.slot[s].id == ME.picked_id && (!IDENTITY || ME.slot[s].job == ME.picked) ->
		printf("worker %d has id %d in flight already\n", w, ME.picked_id);
		ME.slot[s].owner = ME.claims_for;
		ME.slot[s].attempt = ME.picked_attempt;
		break
	:: s < SLOTS && !(ME.slot[s].state != FREE && ME.slot[s].id == ME.picked_id && (!IDENTITY || ME.slot[s].job == ME.picked)) -> s++
	:: s == SLOTS && ME.claims_for == ME.owner && !ME.stale ->
		s = (ME.slot[0].state == FREE -> 0 : LAST);
		ME.slot[s].state = CALLING;
		ME.slot[s].job = ME.picked;
		ME.slot[s].id = ME.picked_id;
		ME.slot[s].owner = ME.claims_for;
		ME.slot[s].attempt = ME.picked_attempt;
		ME.slot[s].excused = !(registered & BIT(ME.claims_for)); /* declared dead meanwhile */
		printf("worker %d learns that id %d is its own, and calls for transaction %d\n", w, ME.picked_id, ME.picked);
		break
	:: s == SLOTS && (ME.claims_for != ME.owner || ME.stale) ->
		printf("worker %d declines id %d\n", w, ME.picked_id);
		ME.release_due = 1;
		break
	od;
	s = 0
}

inline statement_over(w)
{
	ME.statement = NOTHING;
	ME.claims_for = 0;
	ME.picked = 0;
	ME.picked_id = 0;
	ME.picked_attempt = 0
}

inline end_call(w, which)
{
	if
	:: ME.slot[which].state != CALLING
	:: ME.slot[which].state == CALLING -> ME.slot[which].state = DONE; succeeded[ME.slot[which].job] = 1
	:: ME.slot[which].state == CALLING && retries -> ME.slot[which].state = AGAIN; retries--
	:: ME.slot[which].state == CALLING && failures -> ME.slot[which].state = NEVER; failures--
	fi;
	printf("worker %d: the call for transaction %d, id %d: %d (2 done, 3 again, 4 never)\n", w, ME.slot[which].job, ME.slot[which].id, ME.slot[which].state)
}

inline pick_slot(w)
{
	if
	:: ME.slot[0].state != FREE -> ME.picked = 0
	:: LAST && ME.slot[LAST].state != FREE -> ME.picked = LAST
	fi
}

inline take_number(w)
{
	ME.owner = next_owner;
	ME.stale = 0;
	next_owner++;
	assert(next_owner <= 8);
	registered = registered | BIT(ME.owner);
	printf("worker %d registers as owner %d\n", w, ME.owner)
}

/* A call that has ended is kept, and its outcome settled under the old number; another is dropped. */
inline drop_call(w, which)
{
	if
	:: ME.slot[which].state == CALLING -> d_step { forget_receipt(ME.slot[which]) }
	:: ME.slot[which].state == CALLING -> end_call(w, which)
	:: ME.slot[which].state != CALLING
	fi
}

proctype worker_of(byte w)
{
	byte t;
end:	do
	/* send_claim(): CLAIM takes its snapshot. */
	:: atomic { CAN_CLAIM && ANY(IS_READY) ->
		PICK(IS_READY, t);
		d_step {
		ME.statement = CLAIM;
		ME.claims_for = ME.owner;
		ME.claimed_before = 1;
		claimers = (w == claimers -> claimers + 1 : claimers);
		ME.picked = t;
		ME.picked_id = job[t].id;
		t = 0;
		printf("worker %d: CLAIM sees the job of transaction %d, with id %d, ready\n", w, ME.picked, ME.picked_id) } }
	/* CLAIM locks the row, checks it again and commits. */
	:: atomic { ME.statement == CLAIM ->
		if
		:: (CLAIM_RECHECK && IS_READY(ME.picked)) || (!CLAIM_RECHECK && job[ME.picked].id == ME.picked_id) ->
			printf("worker %d: CLAIM takes the job of transaction %d and commits\n", w, ME.picked);
			job[ME.picked].owner = ME.claims_for;
			job[ME.picked].attempt++;
			ME.picked_id = job[ME.picked].id;
			ME.picked_attempt = job[ME.picked].attempt;
			ME.statement = CLAIMED;
			commit_relaxed(ME.picked)
		:: else -> d_step { printf("worker %d: CLAIM finds the row taken\n", w); statement_over(w) }
		fi }
	:: d_step { ME.alive && ME.statement == CLAIMED -> take_row(w); statement_over(w) }

	/* A call has ended: queue_settle(), send_settle(), and SETTLE commits. */
	:: atomic { ME.alive && ME.statement == NOTHING && (ME.slot[0].state || ME.slot[LAST].state) ->
		pick_slot(w);
		end_call(w, ME.picked);
		printf("worker %d: SETTLE of id %d commits\n", w, ME.slot[ME.picked].id);
		settle(ME.slot[ME.picked]);
		if
		:: ME.late == SETTLE && SAME_RECEIPT(ME.late_receipt, ME.slot[ME.picked]) ->
			ME.late_receipt.settled = ME.slot[ME.picked].settled
		:: else
		fi;
		ME.statement = SETTLED;
		commit_durable() }
	/* queue_on_settled() */
	:: d_step { ME.alive && ME.statement == SETTLED ->
		printf("worker %d learns how its settlement of id %d ended\n", w, ME.slot[ME.picked].id);
		forget_receipt(ME.slot[ME.picked]);
		statement_over(w) }

	/* send_release(), and queue_on_released() */
	:: atomic { ME.alive && ME.statement == NOTHING && ME.release_due ->
		d_step {
		printf("worker %d: RELEASE commits\n", w);
		release(w, ME.owner, 0);
		ME.release_due = 0;
		ME.release_again = ME.release_again || ME.claim_lost;
		ME.claim_lost = 0 };
		commit_durable() }
	/* queue_on_tick(), QUEUE_AGAIN_MS later: statement_timeout has ended what was late. */
	:: d_step { ME.alive && ME.release_again && ME.late == NOTHING ->
		ME.release_again = 0;
		ME.release_due = ME.release_due || SECOND_RELEASE;
		printf("worker %d: 10 s are over since its release\n", w) }

	/* A heartbeat, when it changes anything: its row is there. */
	:: d_step { ME.alive && (ME.stale || (suspected & BIT(ME.owner))) && (registered & BIT(ME.owner)) ->
		ME.stale = 0;
		suspected = suspected & ~BIT(ME.owner);
		printf("worker %d sends a heartbeat\n", w) }
	/* Its row is gone: heartbeat_on_beat(), worker_on_is(), stop_drop_call(), then REGISTER under another number. */
	:: atomic { ME.alive && !(registered & BIT(ME.owner)) ->
		printf("worker %d learns that it was declared dead\n", w);
		drop_call(w, 0);
		drop_call(w, LAST);
		d_step {
		ME.claimed_before = 0;
		ME.claim_lost = 0;
		ME.release_due = 0;
		ME.release_again = 0;
		take_number(w) };
		commit_durable() }
	/* RESCUE_DEAD: the deletion decides.  The jobs are then orphans. */
	:: atomic { ME.alive && SUSPECTS ->
		d_step {
		t = 1;
		do
		:: SUSPECTS & BIT(t) -> break
		:: else -> t++
		od;
		printf("worker %d declares owner %d dead\n", w, t);
		/* A worker that could send heartbeats is not declared dead. */
		assert(silent & BIT(t));
		registered = registered & ~BIT(t);
		suspected = suspected & ~BIT(t);
		excuse(t);
		t = 0 };
		commit_durable() }
	od
}

/* ---- chores that any worker does for all, and the operator ---- */

#define WAITS(t) (job[t].waits)
#define HAS_FAILED(t) (status[t] == FAILED)

inline forget_orphans()
{
	orphans_seen = 0;
	i = 0;
	do
	:: i < JOBS -> orphan_id[i] = 0; orphan_owner[i] = 0; i++
	:: else -> break
	od;
	i = 0
}

proctype maintenance()
{
	byte t;
end:	do
	/* RESCUE_ORPHANS takes its snapshot, of jobs and workers at once. */
	:: d_step { !orphans_seen && ANY(IS_ORPHAN) ->
		printf("RESCUE_ORPHANS sees jobs of an owner without a row\n");
		orphans_seen = 1;
		t = 0;
		do
		:: t < JOBS ->
			orphan_id[t] = (IS_ORPHAN(t) -> job[t].id : 0);
			orphan_owner[t] = (IS_ORPHAN(t) -> job[t].owner : 0);
			t++
		:: else -> break
		od;
		t = 0 }
	/* It locks the rows that still have the id and the owner of its snapshot, and frees them. */
	:: atomic { orphans_seen ->
		d_step {
		printf("RESCUE_ORPHANS commits\n");
		t = 0;
		do
		:: t < JOBS && orphan_id[t] && job[t].id == orphan_id[t] && job[t].owner == orphan_owner[t] ->
			excuse(orphan_owner[t]);
			free_job(t);
			/* It runs every 10 s, and a living owner has looked for its own row by then. */
			n = 0;
			do
			:: n < WORKERS -> worker[n].stale = worker[n].stale || worker[n].owner == orphan_owner[t]; n++
			:: else -> break
			od;
			n = 0;
			t++
		:: t < JOBS && !(orphan_id[t] && job[t].id == orphan_id[t] && job[t].owner == orphan_owner[t]) -> t++
		:: t == JOBS -> break
		od;
		t = 0;
		forget_orphans() };
		commit_durable() }
	/* HEARTBEAT_DUE */
	:: atomic { ANY(WAITS) ->
		PICK(WAITS, t);
		job[t].waits = 0;
		if
		:: FRESH_ID -> fresh_id(t)
		:: else
		fi;
		printf("the retry of transaction %d is due, its job has id %d\n", t, job[t].id);
		t = 0;
		commit_durable() }
	/* payhook.retry() */
	:: atomic { ANY(HAS_FAILED) ->
		PICK(HAS_FAILED, t);
		printf("the operator retries transaction %d\n", t);
		enqueue(t);
		t = 0;
		commit_durable() }
	od
}

/* A statement of a connection that is lost.  The server runs it once, or statement_timeout ends it. */
proctype late_statement_of(byte w)
{
	byte t;
end:	do
	:: atomic { ME.late == CLAIM && ANY(IS_READY) ->
		PICK(IS_READY, t);
		printf("the late CLAIM of worker %d takes the job of transaction %d and commits\n", w, t);
		job[t].owner = ME.late_receipt.owner;
		job[t].attempt++;
		commit_relaxed(t);
		t = 0;
		ME.late = NOTHING;
		forget_receipt(ME.late_receipt) }
	:: atomic { ME.late == SETTLE ->
		printf("the late SETTLE of worker %d of id %d commits\n", w, ME.late_receipt.id);
		settle(ME.late_receipt);
		d_step {
		s = 0;
		do
		:: s < SLOTS ->
			ME.slot[s].settled = ME.slot[s].settled ||
				(ME.late_receipt.settled && SAME_RECEIPT(ME.slot[s], ME.late_receipt));
			s++
		:: else -> break
		od;
		s = 0;
		ME.late = NOTHING;
		forget_receipt(ME.late_receipt) };
		commit_durable() }
	:: atomic { ME.late == RELEASE ->
		printf("the late RELEASE of worker %d commits\n", w);
		release(w, ME.late_receipt.owner, 1);
		d_step {
		ME.late = NOTHING;
		forget_receipt(ME.late_receipt) };
		commit_durable() }
	:: d_step { ME.late != NOTHING ->
		ME.late = NOTHING;
		forget_receipt(ME.late_receipt);
		printf("the late statement of worker %d ends without effect\n", w) }
	od
}

/* ---- faults ---- */

/* The connection of worker w's queue ends, and the answer under way is lost.  It connects again at once: being away
 * longer is the same as doing nothing for a time. */
inline lose_queue(w)
{
	if
	:: ME.statement == CLAIM || ME.statement == CLAIMED -> ME.claim_lost = 1; ME.release_due = CONNECT_RELEASE
	:: else
	fi;
	ME.release_due = ME.release_due || (CONNECT_RELEASE && ME.claimed_before);
	statement_over(w)
}

/* The statement that was under way, or was just sent, may still be on its way to the server. */
inline leave_late(w)
{
	if
	:: ME.statement == CLAIM || (CAN_CLAIM && ME.late == NOTHING) ->
		printf("    its CLAIM is still on the way to the server\n");
		ME.late = CLAIM;
		ME.late_receipt.owner = ME.owner;
		ME.claimed_before = 1;
		claimers = (w == claimers -> claimers + 1 : claimers);
		ME.claim_lost = 1
	:: ME.statement == NOTHING && ME.late == NOTHING && (ME.slot[0].state || ME.slot[LAST].state) ->
		pick_slot(w);
		end_call(w, ME.picked);
		printf("    its SETTLE is still on the way to the server\n");
		d_step {
		ME.late = SETTLE;
		ME.late_receipt.state = ME.slot[ME.picked].state;
		ME.late_receipt.job = ME.slot[ME.picked].job;
		ME.late_receipt.id = ME.slot[ME.picked].id;
		ME.late_receipt.owner = ME.slot[ME.picked].owner;
		ME.late_receipt.attempt = ME.slot[ME.picked].attempt;
		ME.late_receipt.settled = ME.slot[ME.picked].settled;
		ME.late_receipt.excused = ME.slot[ME.picked].excused }
	:: LATE_RELEASE && ME.statement == NOTHING && ME.late == NOTHING && ME.release_due ->
		printf("    its RELEASE is still on the way to the server\n");
		d_step {
		ME.late = RELEASE;
		ME.late_receipt.owner = ME.owner;
		ME.slot[0].released_late = (ME.slot[0].state != FREE);
		ME.slot[LAST].released_late = (ME.slot[LAST].state != FREE) }
	:: true
	fi
}

/* All connections end. */
inline lose_all(w)
{
	w = 0;
	do
	:: w < WORKERS ->
		ME.late = NOTHING;
		forget_receipt(ME.late_receipt);
		lose_queue(w);
		w++
	:: else -> break
	od;
	w = 0;
	n = 0;
	do
	:: n < 2 * JOBS -> webhook[n] = (webhook[n] == SENT -> (n % 2 -> OVER : IDLE) : webhook[n]); n++
	:: else -> break
	od;
	n = 0;
	excuse(0);
	forget_orphans();
	/* Observations begin anew, so that only workers that are really silent are suspected 20 s later. */
	suspected = (UNBROKEN_WATCH -> registered & silent : registered)
}

proctype faults_of(byte w)
{
end:	do
	:: atomic { faults && cuts && ME.alive ->
		printf("FAULT: the queue of worker %d loses its connection\n", w);
		leave_late(w);
		d_step { lose_queue(w); fault(cuts) } }
	:: atomic { faults && kills && ME.alive ->
		printf("FAULT: worker %d is killed\n", w);
		leave_late(w);
		d_step {
		lose_queue(w);
		ME.alive = 0;
		silent = silent | BIT(ME.owner);
		suspected = suspected | BIT(ME.owner);
		ME.owner = 0;
		ME.stale = 0;
		ME.release_due = 0;
		ME.claimed_before = 0;
		ME.claim_lost = 0;
		ME.release_again = 0;
		forget_receipt(ME.slot[0]);
		forget_receipt(ME.slot[LAST]);
		fault(kills) } }
	:: atomic { !ME.alive ->
		ME.alive = 1;
		take_number(w);
		commit_durable() }
	:: d_step { faults && freezes && ME.alive && WORKERS > 1 ->
		printf("FAULT: worker %d is frozen, and others see no heartbeat for 20 s\n", w);
		silent = silent | BIT(ME.owner);
		suspected = suspected | BIT(ME.owner);
		ME.stale = 1;
		fault(freezes) }
	od
}

#define WAITS_FOR_STANDBY(t) ((webhook[2 * (t)] == SENT || webhook[2 * (t) + 1] == SENT) && status[t] == NONE)

proctype server_faults()
{
	byte t;
end:	do
	:: atomic { faults && restarts ->
		printf("FAULT: the database restarts\n");
		/* A commit that waits for the synchronous standby is on the disk already. */
		if
		:: SYNC && ANY(WAITS_FOR_STANDBY) ->
			PICK(WAITS_FOR_STANDBY, t);
			printf("    STORE of transaction %d waited for the standby, and is on the disk\n", t);
			enqueue(t)
		:: true
		fi;
		t = 0;
		do
		:: t < JOBS && job[t].unflushed ->
			printf("    the claim of transaction %d is undone\n", t);
			job[t].owner = 0;
			job[t].attempt--;
			job[t].unflushed = 0;
			t++
		:: t < JOBS -> job[t].unflushed = 0; t++
		:: t == JOBS -> break
		od;
		d_step { lose_all(t); fault(restarts) };
		check() }
	:: atomic { faults && failovers ->
		d_step {
		printf("FAULT: the standby becomes the primary\n");
		t = 0;
		do
		:: t < JOBS ->
			/* That an asynchronous standby lacks the last transactions is known. */
			accepted[t] = accepted[t] && (SYNC || standby_status[t] != NONE);
			status[t] = standby_status[t];
			COPY(job[t], standby_job[t]);
			job[t].unflushed = 0;
			t++
		:: else -> break
		od;
		t = 0;
		do
		:: t < WORKERS ->
			worker[t].slot[0].settled = 0;
			worker[t].slot[LAST].settled = 0;
			t++
		:: else -> break
		od;
		registered = standby_registered;
		next_id = standby_next_id;
		lose_all(t);
		fault(failovers) };
		check() }
	od
}

/* When nothing can happen any more, every webhook has its 202, and every job is settled. */
proctype quiet()
{
end:	do
	:: timeout ->
		i = 0;
		do
		:: i < JOBS -> assert(accepted[i] && status[i] == PROCESSED); i++
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
		:: i < WORKERS ->
			worker[i].alive = 1;
			worker[i].owner = next_owner;
			registered = registered | BIT(next_owner);
			next_owner++;
			run worker_of(i);
			run late_statement_of(i);
			run faults_of(i);
			i++
		:: else -> break
		od;
		n = 0;
		do
		:: n < 2 * JOBS -> run webhook_of(n / 2, n); n++
		:: else -> break
		od;
		i = 0;
		n = 0;
		standby_registered = (CAN_FAIL_OVER -> registered : 0);
		standby_next_id = (CAN_FAIL_OVER -> next_id : 0);
		run maintenance();
		run server_faults();
		run quiet()
	}
}
