/* payload.c - finds the transactions in the body of a webhook.
 *
 * payload_open() walks the array once to count what the filter admits, so that the caller can allocate before it reads.
 * payload_next() walks it again and reads one transaction at a time.  The walks go over the caller's bytes, so nothing
 * is copied or freed.  The caller reads all transactions before it stores the first. */

#include "source/payload.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "json/scan.h"
#include "txn/txn_json.h"

/* Counts the elements that the filter admits.  The bound is on all elements, admitted or not, since each costs a look
 * at the filter. */
static bool open_items(struct payload *p, struct fault *f)
{
	const char *at = p->source->items;
	struct places in = p->in;
	struct json_value items;
	int found = 0;
	if (!json_value_find(p->in.item, at, &items) || json_value_kind(items) != JSON_IS_ARRAY)
		return fault_set(f, FAULT_INPUT, "there is no array at %s", at);
	p->walk = json_walk_into(items);
	for (struct json_walk w = p->walk; found <= MAPPING_ITEMS_MAX && json_walk_next(&w, NULL, &in.item); found++)
		p->count += source_mapping_for(p->source, &in) != NULL;
	return (found > 0 && found <= MAPPING_ITEMS_MAX) ||
	       fault_set(f, FAULT_INPUT, "the array at %s has no elements, or more than %d", at, MAPPING_ITEMS_MAX);
}

/* Opens a body that is strict JSON, of a source with a filter or a mapping. */
static bool open_mapped(
	struct payload *p, const struct places_request *request, char room[PLACES_VALUES_MAX], struct fault *f)
{
	const struct source *s = p->source;
	const char *body = p->in.item.at;
	size_t len = p->in.item.len;
	if (request && places_are_wanted(&s->wanted) &&
		!places_write(&s->wanted, request, body, len, room, &p->in.request, f))
		return false;
	p->in.item = json_value_of(body, len);
	if (*s->items)
		return open_items(p, f);
	p->count = source_mapping_for(s, &p->in) != NULL;
	return true;
}

bool payload_open(const struct source *source, const struct places_request *request, const char *body, size_t len,
	bool is_scanned, struct payload *ret, struct fault *f)
{
	struct payload p; /* its values are neither written nor copied */
	p.source = source;
	p.in = places_of((struct json_value){body, len});
	p.walk = (struct json_walk){0};
	p.index = 0;
	/* The common case is not scanned twice: txn_from_json() scans the body itself. */
	p.count = source_is_plain(source);
	if (p.count == 0 && ((!is_scanned && !json_scan(body, len, f)) || !open_mapped(&p, request, ret->values, f)))
		return false;
	memcpy(ret, &p, offsetof(struct payload, values));
	return true;
}

/* Finds the next item that the filter admits, and the mapping for it, and writes the JSON pointer to it into where. */
static struct places next_item(struct payload *p, const struct mapping **ret, char *where, size_t size)
{
	const struct source *s = p->source;
	struct places in = p->in;
	*where = '\0';
	if (!*s->items) {
		*ret = source_mapping_for(s, &in);
		return in;
	}
	*ret = NULL;
	while (!*ret && json_walk_next(&p->walk, NULL, &in.item)) {
		snprintf(where, size, "%s/%d", s->items, p->index++);
		*ret = source_mapping_for(s, &in);
	}
	return in;
}

bool payload_next(struct payload *p, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f)
{
	const struct mapping *m;
	char where[TXN_POINTER_MAX + 1];
	struct places in = next_item(p, &m, where, sizeof where);
	assert(m);
	if (m->is_canonical)
		return txn_from_json(in.item.at, in.item.len, extras, ret, problems, f);
	return mapping_read(m, &in, where, extras, ret, problems, f);
}
