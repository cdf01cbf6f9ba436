/* pending.c - which of the waiting webhooks form the next batch.
 *
 * There are three levels.  A queue for each source has identities in two lines, an identity has contents, and a content is
 * a webhook with its copies.  Everything is linked through the webhooks and a fixed pool of identities, so nothing is
 * allocated for a webhook.
 *
 * A sender chooses ids and bodies, therefore both are hashed with a key.  Bodies are hashed only when a second one of an
 * identity waits, and compared only if their hashes are equal: with bodies that differ in the last of 64 KiB, hundreds of
 * items of a webhook would otherwise be compared with sixteen contents each. */

#include "ingest/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyed_hash.h"

#define BUCKETS PENDING_MAX

TAILQ_HEAD(pending_contents, pending_insert);

enum kind { CALM, CONTESTED, KINDS };

/* What waits of one transaction_id and source. */
struct pending_identity {
	struct pending_queue *queue;
	enum kind kind;
	uint64_t hash;
	uint64_t batch; /* the number of the last batch that took one of its contents */
	int count;      /* contents */
	struct pending_contents contents;
	TAILQ_ENTRY(pending_identity) turn; /* in its line; or in the free list */
	LIST_ENTRY(pending_identity) bucket;
};

TAILQ_HEAD(identities, pending_identity);

/* Identities of one source and kind, which take turns. */
struct line {
	struct identities identities;
	TAILQ_ENTRY(line) turn; /* among the lines of its kind, if it has identities */
};

TAILQ_HEAD(turns, line);

/* What waits of one source. */
struct pending_queue {
	int waiting; /* webhooks, those of the batch included */
	struct line lines[KINDS];
};

LIST_HEAD(bucket, pending_identity);

struct pending {
	int waiting;       /* webhooks, those of the batch included */
	uint64_t accepted; /* webhooks so far; the next one's number */
	uint64_t batches;  /* taken so far */
	struct turns turns[KINDS];
	int queue_count;
	const char *names
		[PENDING_SOURCES_MAX]; /* of the queues' sources, side by side, since each webhook looks through them */
	struct pending_queue queues[PENDING_SOURCES_MAX];
	struct identities free;
	int used; /* identities that were ever used; further ones are free as well, and their memory is untouched */
	struct pending_identity identities[PENDING_MAX];
	struct bucket buckets[BUCKETS];
};

/* ---- finding ---- */

/* The queue of each source is kept.  A source's name is mostly the same text in memory, and then its bytes need not be
 * compared.  Returns NULL if there are too many. */
static struct pending_queue *queue_of(struct pending *p, const char *source)
{
	for (int i = 0; i < p->queue_count; i++) {
		if (p->names[i] == source)
			return &p->queues[i];
	}
	for (int i = 0; i < p->queue_count; i++) {
		if (strcmp(p->names[i], source) == 0)
			return &p->queues[i];
	}
	if (p->queue_count == PENDING_SOURCES_MAX)
		return NULL;
	p->names[p->queue_count] = source;
	struct pending_queue *q = &p->queues[p->queue_count++];
	*q = (struct pending_queue){0};
	for (int kind = 0; kind < KINDS; kind++)
		TAILQ_INIT(&q->lines[kind].identities);
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

static struct line *line_of_identity(const struct pending_identity *identity)
{
	return &identity->queue->lines[identity->kind];
}

static void line_join(struct pending *p, struct pending_identity *identity)
{
	struct line *line = line_of_identity(identity);
	if (TAILQ_EMPTY(&line->identities))
		TAILQ_INSERT_TAIL(&p->turns[identity->kind], line, turn);
	TAILQ_INSERT_TAIL(&line->identities, identity, turn);
}

static void line_leave(struct pending *p, struct pending_identity *identity)
{
	struct line *line = line_of_identity(identity);
	TAILQ_REMOVE(&line->identities, identity, turn);
	if (TAILQ_EMPTY(&line->identities))
		TAILQ_REMOVE(&p->turns[identity->kind], line, turn);
}

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
	line_join(p, identity);
	return identity;
}

static void identity_destroy(struct pending *p, struct pending_identity *identity)
{
	LIST_REMOVE(identity, bucket);
	line_leave(p, identity);
	TAILQ_INSERT_HEAD(&p->free, identity, turn);
}

static void identity_contest(struct pending *p, struct pending_identity *identity)
{
	if (identity->kind == CONTESTED)
		return;
	line_leave(p, identity);
	identity->kind = CONTESTED;
	line_join(p, identity);
}

static void add_content(struct pending *p, struct pending_identity *identity, struct pending_insert *insert)
{
	const struct pending_insert *first = TAILQ_FIRST(&identity->contents);
	if (first && !txn_same(first->txn, insert->txn))
		identity_contest(p, identity);
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
		add_content(p, identity ? identity : identity_create(p, insert, hash), insert);
	p->waiting++;
	q->waiting++;
	return true;
}

void pending_put_back(struct pending *p, struct pending_insert *insert, bool is_contested)
{
	uint64_t hash = hash_of(p, insert);
	struct pending_identity *identity = identity_of(p, insert, hash);
	struct pending_insert *same = identity ? content_of(identity, insert) : NULL;
	while (same && insert) {
		struct pending_insert *next = copies_leave(insert);
		copies_add(same, insert);
		insert = next;
	}
	if (!identity)
		identity = identity_create(p, insert, hash);
	if (insert)
		add_content(p, identity, insert);
	if (is_contested)
		identity_contest(p, identity);
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
	const struct line *line = TAILQ_FIRST(&p->turns[CALM]);
	if (!line)
		line = TAILQ_FIRST(&p->turns[CONTESTED]);
	if (!line)
		return NULL;
	struct pending_insert *insert = TAILQ_FIRST(&TAILQ_FIRST(&line->identities)->contents);
	remove_content(p, insert);
	return insert;
}

/* Takes the first content of an identity, and those with the same transaction and other bytes, which share its outcome
 * unless it is a conflict.  The others go with the identity to the tail. */
static void take_identity(struct pending *p, struct batch *b, struct pending_identity *identity)
{
	struct pending_insert *first = TAILQ_FIRST(&identity->contents);
	struct line *line = line_of_identity(identity);
	int left = identity->count;
	TAILQ_REMOVE(&line->identities, identity, turn);
	TAILQ_INSERT_TAIL(&line->identities, identity, turn);
	identity->batch = p->batches;
	for (struct pending_insert *next, *c = first; left > 0 && b->count < BATCH_MAX; c = next, left--) {
		next = TAILQ_NEXT(c, content);
		if (c != first && (first->alone || c->alone || !txn_same(first->txn, c->txn)))
			continue;
		remove_content(p, c);
		batch_add(b, c);
	}
}

/* Takes identities of one kind, one of each source in turn, until the batch has this number of members.  A webhook that
 * has to be alone is passed over once others are in the batch, and its line has the next turn.  Returns whether the batch
 * is one of a webhook alone. */
static bool take_in_turn(struct pending *p, struct batch *b, enum kind kind, int most)
{
	struct turns *turns = &p->turns[kind];
	struct turns done = TAILQ_HEAD_INITIALIZER(done), next = TAILQ_HEAD_INITIALIZER(next);
	struct line *line;
	bool is_alone = false;
	while (!is_alone && b->count < most && b->bodies < BATCH_BODIES_MAX && (line = TAILQ_FIRST(turns))) {
		struct pending_identity *identity = TAILQ_FIRST(&line->identities);
		bool is_taken = identity->batch == p->batches; /* and so are those behind it: the line has no other */
		is_alone = !is_taken && TAILQ_FIRST(&identity->contents)->alone;
		TAILQ_REMOVE(turns, line, turn);
		if (is_taken || (is_alone && b->count > 0)) {
			is_alone = false;
			TAILQ_INSERT_TAIL(is_taken ? &done : &next, line, turn);
			continue;
		}
		TAILQ_INSERT_TAIL(turns, line, turn);
		take_identity(p, b, identity);
	}
	TAILQ_CONCAT(&next, turns, turn);
	TAILQ_CONCAT(&next, &done, turn);
	TAILQ_CONCAT(turns, &next, turn);
	return is_alone;
}

void pending_take_batch(struct pending *p, struct batch *b)
{
	p->batches++;
	b->bodies = 0;
	b->number++;
	if (!take_in_turn(p, b, CONTESTED, BATCH_CONFLICTS_MAX))
		take_in_turn(p, b, CALM, BATCH_MAX);
	batch_sort(b);
}

/* ---- the rest of the interface ---- */

struct pending *pending_create(void)
{
	struct pending *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	for (int kind = 0; kind < KINDS; kind++)
		TAILQ_INIT(&p->turns[kind]);
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
