/* pending.c - which of the waiting webhooks form the next batch.
 *
 * There are three levels.  A queue for each source has identities, an identity has contents, and a content is a webhook
 * with its copies.  Everything is linked through the webhooks and a fixed pool of identities, so nothing is allocated for
 * a webhook.
 *
 * A sender chooses ids and bodies, therefore both are hashed with a key.  Bodies are hashed only when a second one of an
 * identity waits, and compared only if their hashes are equal: with bodies that differ in the last of 64 KiB, sixty-four
 * items of a webhook would otherwise be compared with sixteen contents each. */

#include "ingest/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyed_hash.h"

#define BUCKETS PENDING_MAX

TAILQ_HEAD(pending_contents, pending_insert);

/* What waits of one transaction_id and source. */
struct pending_identity {
	struct pending_queue *queue;
	uint64_t hash;
	uint64_t batch; /* the number of the last batch that took one of its contents */
	int count;      /* contents */
	struct pending_contents contents;
	TAILQ_ENTRY(pending_identity) turn; /* in its queue; or in the free list */
	LIST_ENTRY(pending_identity) bucket;
};

TAILQ_HEAD(identities, pending_identity);

/* What waits of one source. */
struct pending_queue {
	const char *source;
	int waiting; /* webhooks, those of the batch included */
	struct identities identities;
	TAILQ_ENTRY(pending_queue) turn; /* in the turns, if it has identities */
};

TAILQ_HEAD(turns, pending_queue);
LIST_HEAD(bucket, pending_identity);

struct pending {
	int waiting;       /* webhooks, those of the batch included */
	uint64_t accepted; /* webhooks so far; the next one's number */
	uint64_t batches;  /* taken so far */
	struct turns turns;
	int queue_count;
	struct pending_queue queues[PENDING_SOURCES_MAX];
	struct identities free;
	int used; /* identities that were ever used; further ones are free as well, and their memory is untouched */
	struct pending_identity identities[PENDING_MAX];
	struct bucket buckets[BUCKETS];
};

/* ---- finding ---- */

/* Sources are few, and each one's queue is kept.  Returns NULL if there are too many. */
static struct pending_queue *queue_of(struct pending *p, const char *source)
{
	for (int i = 0; i < p->queue_count; i++) {
		if (p->queues[i].source == source || strcmp(p->queues[i].source, source) == 0)
			return &p->queues[i];
	}
	if (p->queue_count == PENDING_SOURCES_MAX)
		return NULL;
	struct pending_queue *q = &p->queues[p->queue_count++];
	*q = (struct pending_queue){.source = source};
	TAILQ_INIT(&q->identities);
	return q;
}

static uint64_t hash_of(const struct pending *p, const struct pending_insert *insert)
{
	const char *id = insert->txn->transaction_id;
	return keyed_hash((uint64_t)(insert->queue - p->queues), id, strlen(id));
}

static struct pending_identity *identity_of(struct pending *p, const struct pending_insert *insert, uint64_t hash)
{
	struct pending_identity *identity;
	LIST_FOREACH (identity, &p->buckets[hash % BUCKETS], bucket) {
		if (identity->hash == hash && identity->queue == insert->queue &&
			strcmp(TAILQ_FIRST(&identity->contents)->txn->transaction_id, insert->txn->transaction_id) == 0)
			return identity;
	}
	return NULL;
}

/* 0 stands for "not computed", so that hash becomes another one. */
static uint64_t hash_of_body(struct insert_body *body)
{
	if (body->hash == 0) {
		uint64_t hash = keyed_hash(body->len, body->bytes, body->len);
		body->hash = hash ? hash : 1;
	}
	return body->hash;
}

static bool same_bytes(struct insert_body *a, struct insert_body *b)
{
	return a == b ||
	       (a->len == b->len && hash_of_body(a) == hash_of_body(b) && memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* The content with the transaction and the bytes of this webhook, or NULL. */
static struct pending_insert *content_of(struct pending_identity *identity, const struct pending_insert *insert)
{
	struct pending_insert *content;
	TAILQ_FOREACH (content, &identity->contents, content) {
		if (content->alone == insert->alone && txn_same(content->txn, insert->txn) &&
			same_bytes(content->body, insert->body))
			return content;
	}
	return NULL;
}

/* ---- adding ---- */

static struct pending_identity *identity_create(struct pending *p, const struct pending_insert *insert, uint64_t hash)
{
	struct pending_identity *identity = TAILQ_FIRST(&p->free);
	/* There are as many as webhooks may wait. */
	if (identity)
		TAILQ_REMOVE(&p->free, identity, turn);
	else
		identity = &p->identities[p->used++];
	*identity = (struct pending_identity){.queue = insert->queue, .hash = hash};
	TAILQ_INIT(&identity->contents);
	LIST_INSERT_HEAD(&p->buckets[hash % BUCKETS], identity, bucket);
	if (TAILQ_EMPTY(&insert->queue->identities))
		TAILQ_INSERT_TAIL(&p->turns, insert->queue, turn);
	TAILQ_INSERT_TAIL(&insert->queue->identities, identity, turn);
	return identity;
}

static void identity_destroy(struct pending *p, struct pending_identity *identity)
{
	struct pending_queue *q = identity->queue;
	LIST_REMOVE(identity, bucket);
	TAILQ_REMOVE(&q->identities, identity, turn);
	if (TAILQ_EMPTY(&q->identities))
		TAILQ_REMOVE(&p->turns, q, turn);
	TAILQ_INSERT_HEAD(&p->free, identity, turn);
}

static void add_content(struct pending_identity *identity, struct pending_insert *insert)
{
	insert->identity = identity;
	insert->in_batch = insert->is_duplicate = insert->differs = insert->is_sent = false;
	identity->count++;
	TAILQ_INSERT_TAIL(&identity->contents, insert, content);
}

bool pending_add(struct pending *p, struct pending_insert *insert, struct fault *f)
{
	struct pending_queue *q = queue_of(p, insert->source);
	if (!q)
		return fault_set(f, FAULT_BUG, "there are more than %d sources", PENDING_SOURCES_MAX);
	if (q->waiting >= PENDING_MAX - p->waiting)
		return fault_set(f, FAULT_BUSY, "%d webhooks are waiting already, %d of them of this source",
			p->waiting, q->waiting);
	insert->queue = q;
	insert->alone = false;
	uint64_t hash = hash_of(p, insert);
	struct pending_identity *identity = identity_of(p, insert, hash);
	struct pending_insert *same = identity ? content_of(identity, insert) : NULL;
	if (identity && !same && identity->count >= PENDING_CONTENTS_MAX)
		return fault_set(f, FAULT_BUSY, "%d other contents of this transaction_id are waiting already",
			PENDING_CONTENTS_MAX);
	copies_init(insert);
	insert->number = p->accepted++;
	if (same)
		copies_add(same, insert);
	else
		add_content(identity ? identity : identity_create(p, insert, hash), insert);
	p->waiting++;
	q->waiting++;
	return true;
}

void pending_put_back(struct pending *p, struct pending_insert *insert)
{
	uint64_t hash = hash_of(p, insert);
	struct pending_identity *identity = identity_of(p, insert, hash);
	struct pending_insert *same = identity ? content_of(identity, insert) : NULL;
	while (same && insert) {
		struct pending_insert *next = copies_leave(insert);
		copies_add(same, insert);
		insert = next;
	}
	if (insert)
		add_content(identity ? identity : identity_create(p, insert, hash), insert);
}

/* ---- taking ---- */

/* Removes a webhook with its copies. */
static void remove_content(struct pending *p, struct pending_insert *insert)
{
	struct pending_identity *identity = insert->identity;
	TAILQ_REMOVE(&identity->contents, insert, content);
	if (--identity->count == 0)
		identity_destroy(p, identity);
}

void pending_withdraw(struct pending *p, struct pending_insert *insert)
{
	bool is_copy = insert->is_copy;
	struct pending_insert *next = copies_leave(insert);
	if (is_copy)
		return;
	if (next) {
		TAILQ_INSERT_BEFORE(insert, next, content);
		insert->identity->count++;
	}
	remove_content(p, insert);
}

struct pending_insert *pending_take(struct pending *p)
{
	const struct pending_queue *q = TAILQ_FIRST(&p->turns);
	if (!q)
		return NULL;
	struct pending_insert *insert = TAILQ_FIRST(&TAILQ_FIRST(&q->identities)->contents);
	remove_content(p, insert);
	return insert;
}

/* Takes the first content of an identity, and those with the same transaction and other bytes, which share its outcome
 * unless it is a conflict.  The others go with the identity to the tail. */
static void take_identity(struct pending *p, struct batch *b, struct pending_identity *identity)
{
	struct pending_insert *first = TAILQ_FIRST(&identity->contents);
	struct pending_queue *q = identity->queue;
	int left = identity->count;
	TAILQ_REMOVE(&q->identities, identity, turn);
	TAILQ_INSERT_TAIL(&q->identities, identity, turn);
	identity->batch = p->batches;
	for (struct pending_insert *next, *c = first; left > 0 && b->count < BATCH_MAX; c = next, left--) {
		next = TAILQ_NEXT(c, content);
		if (c != first && (first->alone || c->alone || !txn_same(first->txn, c->txn)))
			continue;
		remove_content(p, c);
		batch_add(b, c);
	}
}

/* A webhook that has to be alone is passed over once others are in the batch, and its queue has the next turn. */
void pending_take_batch(struct pending *p, struct batch *b)
{
	struct turns done = TAILQ_HEAD_INITIALIZER(done), next = TAILQ_HEAD_INITIALIZER(next);
	struct pending_queue *q;
	bool is_alone = false;
	p->batches++;
	b->bodies = 0;
	while (!is_alone && b->count < BATCH_MAX && b->bodies < BATCH_BODIES_MAX && (q = TAILQ_FIRST(&p->turns))) {
		struct pending_identity *identity = TAILQ_FIRST(&q->identities);
		is_alone = TAILQ_FIRST(&identity->contents)->alone;
		bool is_taken =
			identity->batch == p->batches; /* and so are those behind it: nothing is left for this batch */
		TAILQ_REMOVE(&p->turns, q, turn);
		if (is_taken || (is_alone && b->count > 0)) {
			is_alone = false;
			TAILQ_INSERT_TAIL(is_taken ? &done : &next, q, turn);
			continue;
		}
		TAILQ_INSERT_TAIL(&p->turns, q, turn);
		take_identity(p, b, identity);
	}
	TAILQ_CONCAT(&next, &p->turns, turn);
	TAILQ_CONCAT(&next, &done, turn);
	TAILQ_CONCAT(&p->turns, &next, turn);
	batch_sort(b);
}

/* ---- the rest of the interface ---- */

struct pending *pending_create(void)
{
	struct pending *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	TAILQ_INIT(&p->turns);
	TAILQ_INIT(&p->free);
	return p;
}

void pending_destroy(struct pending *p)
{
	free(p);
}

void pending_forget(struct pending *p, const struct pending_insert *insert)
{
	p->waiting--;
	insert->queue->waiting--;
}
