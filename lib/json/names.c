/* names.c - finds a member name that occurs twice in one object.
 *
 * JSON readers differ in which of two equal members they use, so an object with a duplicate has no agreed meaning.  Up
 * to 16 names are compared one by one, which is faster than hashing.  The names of a larger object go into a hash
 * table.  The id of the object is hashed with them: without it, the same names in a thousand objects would collide.
 *
 * All memory is static and sized for the longest text: adding a name cannot fail.  Of the hash table a text uses only
 * as much as its length needs, so short texts stay within the processor's cache, and the rest costs no memory until a
 * long one comes. */

#include "json/names.h"

#include <assert.h>
#include <string.h>

#include "base/keyed_hash.h"
#include "json/text.h"

#define COMPARED_MAX 16 /* names of an object that are compared one by one */

/* The shortest member, "":0 and a comma, has five bytes.  The last member of each open object may be incomplete. */
#define NAMES_MAX (JSON_NAMES_TEXT_MAX / 5 + JSON_NAMES_DEPTH_MAX)
#define SLOTS 524288     /* a power of two, more than twice NAMES_MAX, so that linear probing stays short */
#define SLOTS_LEAST 1024 /* for short texts */

struct slot {
	uint32_t object; /* id of the object; below first_id the slot is of an earlier text, and free */
	uint32_t name;   /* index in stack */
};

static struct json_name stack[NAMES_MAX]; /* names of the open objects, those of the innermost object last */
static size_t stacked;

/* The table is not cleared between texts, which would cost up to 4 MiB of writes for each webhook.  Ids of objects only
 * grow, so an entry of an earlier text is recognized by its id. */
static struct slot slots[SLOTS];
static size_t slots_used;     /* by this text, a power of two */
static uint32_t first_id = 1; /* the first id of this text; 0 marks a slot that was never used */
static uint32_t next_id = 1;

static char decoded[JSON_NAMES_TEXT_MAX]; /* names that had escapes; decoding never lengthens one */
static size_t decoded_len;

void json_names_begin(size_t len)
{
	stacked = 0;
	decoded_len = 0;
	slots_used = SLOTS_LEAST;
	while (slots_used < 2 * (len / 5 + JSON_NAMES_DEPTH_MAX))
		slots_used *= 2;
	first_id = next_id;
	/* A text has fewer objects than bytes, so ids cannot wrap in the middle of one. */
	if (next_id > UINT32_MAX - JSON_NAMES_TEXT_MAX) {
		memset(slots, 0, sizeof slots);
		first_id = next_id = 1;
	}
}

struct json_names json_names_open(void)
{
	return (struct json_names){.first = stacked};
}

void json_names_close(struct json_names *names)
{
	stacked = names->first;
}

void json_name_decode(struct json_name *name)
{
	if (!name->has_escape)
		return;
	assert(decoded_len + name->len <= sizeof decoded);
	char *first = decoded + decoded_len;
	size_t len = json_text_decode(name->bytes, name->len, first);
	decoded_len += name->len;
	*name = (struct json_name){first, len, false};
}

static bool is_same(const struct json_name *a, const struct json_name *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Enters a name.  Returns false if the table has it for this object.  There is always a free slot, since slots_used
 * exceeds the names of the text; entries of closed objects stay in their slots until the next text. */
static bool enter_table(uint32_t id, uint32_t index)
{
	const struct json_name *name = &stack[index];
	for (size_t i = keyed_hash(id, name->bytes, name->len) & (slots_used - 1);; i = (i + 1) & (slots_used - 1)) {
		if (slots[i].object < first_id) {
			slots[i] = (struct slot){id, index};
			return true;
		}
		if (slots[i].object == id && is_same(&stack[slots[i].name], name))
			return false;
	}
}

static bool is_among(const struct json_names *names, const struct json_name *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (is_same(&stack[names->first + i], name))
			return true;
	}
	return false;
}

bool json_names_add(struct json_names *names, const struct json_name *name)
{
	assert(stacked == names->first + names->count && stacked < COUNT_OF(stack));
	if (names->count < COMPARED_MAX && is_among(names, name))
		return false;
	stack[stacked++] = *name;
	names->count++;
	if (names->count <= COMPARED_MAX)
		return true;
	/* The 17th name brings the 16 before it into the table; a duplicate of one of them is found there. */
	size_t from = names->id ? stacked - 1 : names->first;
	if (names->id == 0)
		names->id = next_id++;
	for (size_t i = from; i < stacked; i++) {
		if (!enter_table(names->id, (uint32_t)i))
			return false;
	}
	return true;
}
