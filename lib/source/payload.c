/* payload.c - finds the transactions in the body of a webhook.
 *
 * payload_open() walks the array once to count what the filter admits, so that the caller can allocate before it reads.
 * payload_next() walks it again and reads one transaction at a time.  The walks go over the caller's bytes, so nothing
 * is copied or freed.  The caller reads all transactions before it stores the first. */

#include "source/payload.h"

#include <assert.h>
#include <stdio.h>

#include "json/scan.h"
#include "txn/txn_json.h"

/* Counts the elements that the filter admits.  The bound is on all elements, admitted or not, since each costs a look
 * at the filter. */
static bool open_items(struct payload *p, struct fault *f)
{
	const char *at = p->source->items;
	struct json_value items, item;
	int found = 0;
	if (!json_value_find(p->body, at, &items) || json_value_kind(items) != JSON_IS_ARRAY)
		return fault_set(f, FAULT_INPUT, "there is no array at %s", at);
	p->walk = json_walk_into(items);
	for (struct json_walk w = p->walk; found <= MAPPING_ITEMS_MAX && json_walk_next(&w, NULL, &item); found++)
		p->count += source_mapping_for(p->source, item) != NULL;
	return (found > 0 && found <= MAPPING_ITEMS_MAX) ||
	       fault_set(f, FAULT_INPUT, "the array at %s has no elements, or more than %d", at, MAPPING_ITEMS_MAX);
}

bool payload_open(const struct source *source, const char *body, size_t len, bool is_scanned, struct payload *ret,
	struct fault *f)
{
	struct payload p = {.source = source, .body = {body, len}};
	/* The common case is not scanned twice: txn_from_json() scans the body itself. */
	if (source_is_plain(source)) {
		p.count = 1;
	} else {
		if (!is_scanned && !json_scan(body, len, f))
			return false;
		p.body = json_value_of(body, len);
		if (!*source->items)
			p.count = source_mapping_for(source, p.body) != NULL;
		else if (!open_items(&p, f))
			return false;
	}
	*ret = p;
	return true;
}

/* Finds the next item that the filter admits, and the mapping for it, and writes the JSON pointer to it into where. */
static struct json_value next_item(struct payload *p, const struct mapping **ret, char *where, size_t size)
{
	const struct source *s = p->source;
	struct json_value item = p->body;
	*where = '\0';
	if (!*s->items) {
		*ret = source_mapping_for(s, item);
		return item;
	}
	*ret = NULL;
	while (!*ret && json_walk_next(&p->walk, NULL, &item)) {
		snprintf(where, size, "%s/%d", s->items, p->index++);
		*ret = source_mapping_for(s, item);
	}
	return item;
}

bool payload_next(struct payload *p, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f)
{
	const struct mapping *m;
	char where[TXN_POINTER_MAX + 1];
	struct json_value item = next_item(p, &m, where, sizeof where);
	assert(m);
	if (m->is_canonical)
		return txn_from_json(item.at, item.len, extras, ret, problems, f);
	return mapping_read(m, item, where, extras, ret, problems, f);
}
