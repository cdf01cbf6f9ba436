/* signature_message.c - reads from the configuration what a provider signs.
 *
 * All that could make a signed text ambiguous is refused here, once; the values of a request are checked against the
 * borders when they are put in (signature_claim.c). */

#include "auth/signature_message.h"

#include <string.h>

#include "base/ascii.h"

#define QUERY "query."
#define HEADER "header."
#define LOWER "lower"

static bool is_digit_byte(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_variable_part(const struct signature_message_part *p)
{
	return p->kind != MESSAGE_TEXT && p->kind != MESSAGE_BODY;
}

/* A name is compared as it stands in the request's target, and has no byte with a meaning there or in a JSON pointer. */
bool signature_message_is_query(const char *name)
{
	for (const char *at = name; *at; at++) {
		if (!ascii_is_printable(*at) || strchr("&=#%+?{}/~ \"\\|", *at))
			return false;
	}
	return *name;
}

static bool is_signed_name(enum signature_message_kind kind, const char *name)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t len = strspn(name, LETTERS);
	return kind == MESSAGE_HEADER ? len > 0 && !name[len] : signature_message_is_query(name);
}

/* Reads what stands between the braces, which it changes: a name gets a NUL at its end. */
static bool read_placeholder(char *word, const char *text, struct signature_message_part *ret, struct fault *f)
{
	struct signature_message_part part = {.kind = MESSAGE_TIME};
	char *bar = strchr(word, '|'), *name = NULL;
	if (bar)
		*bar = '\0';
	if (strcmp(word, "body") == 0)
		part.kind = MESSAGE_BODY;
	else if (strncmp(word, QUERY, sizeof QUERY - 1) == 0)
		part.kind = MESSAGE_QUERY, name = word + sizeof QUERY - 1;
	else if (strncmp(word, HEADER, sizeof HEADER - 1) == 0)
		part.kind = MESSAGE_HEADER, name = word + sizeof HEADER - 1;
	else if (strcmp(word, "time") != 0)
		return fault_set(f, FAULT_INPUT,
			"signed has {%s}: {time}, {body}, {query.NAME} and {header.NAME} are the placeholders", word);
	if (bar && (!name || strcmp(bar + 1, LOWER) != 0))
		return fault_set(f, FAULT_INPUT, "signed has {%s|%s}: only |" LOWER " of a query or a header is known",
			word, bar + 1);
	if (name && !is_signed_name(part.kind, name))
		return fault_set(f, FAULT_INPUT, "signed has {%s}, which is no name of a %s", word,
			part.kind == MESSAGE_QUERY ? "parameter" : "header");
	if (name)
		part.at = (size_t)(name - text), part.len = strlen(name);
	if (part.kind == MESSAGE_HEADER)
		ascii_lower(name);
	part.is_lower = bar != NULL;
	*ret = part;
	return true;
}

static bool add_message_part(struct signature_message *m, const struct signature_message_part *part, struct fault *f)
{
	int values = part->kind == MESSAGE_QUERY || part->kind == MESSAGE_HEADER;
	for (int i = 0; i < m->count; i++) {
		const struct signature_message_part *other = &m->part[i];
		values += other->kind == MESSAGE_QUERY || other->kind == MESSAGE_HEADER;
		bool is_same = part->kind != MESSAGE_TEXT && part->kind == other->kind &&
			       strcmp(m->text + part->at, m->text + other->at) == 0;
		if (is_same || (part->kind == other->kind && part->kind == MESSAGE_BODY))
			return fault_set(f, FAULT_INPUT, "signed has one placeholder twice");
	}
	if (m->count == SIGNATURE_MESSAGE_PARTS_MAX || values > SIGNATURE_VALUES_MAX)
		return fault_set(f, FAULT_INPUT,
			"signed has more than %d parts, or than %d values of query and headers",
			SIGNATURE_MESSAGE_PARTS_MAX, SIGNATURE_VALUES_MAX);
	m->has_time = m->has_time || part->kind == MESSAGE_TIME;
	m->has_body = m->has_body || part->kind == MESSAGE_BODY;
	m->part[m->count++] = *part;
	return true;
}

/* Cuts the text into parts. */
static bool cut_message(struct signature_message *m, struct fault *f)
{
	for (char *at = m->text; *at;) {
		struct signature_message_part part = {.at = (size_t)(at - m->text), .len = strcspn(at, "{}")};
		char *end = at + part.len;
		if (part.len == 0) {
			end = *at == '{' ? strchr(at, '}') : NULL;
			if (!end)
				return fault_set(f, FAULT_INPUT, "signed has a brace without its other one");
			*end++ = '\0';
			if (!read_placeholder(at + 1, m->text, &part, f))
				return false;
		}
		if (!add_message_part(m, &part, f))
			return false;
		at = end;
	}
	return true;
}

/* The byte that shows where a value ends, or behind the body where it begins.  False: nothing does. */
static bool find_border(struct signature_message *m, int index, bool is_behind_body)
{
	struct signature_message_part *part = &m->part[index];
	int neighbour = is_behind_body ? index - 1 : index + 1;
	if (neighbour == m->count)
		return true;
	const struct signature_message_part *next = &m->part[neighbour];
	if (next->kind == MESSAGE_TEXT) {
		part->border = m->text[is_behind_body ? next->at + next->len - 1 : next->at];
		return part->kind != MESSAGE_TIME || !is_digit_byte(part->border);
	}
	m->is_time_bare = part->kind == MESSAGE_TIME && next->kind == MESSAGE_BODY && !is_behind_body;
	return m->is_time_bare;
}

static bool find_borders(struct signature_message *m, struct fault *f)
{
	bool is_behind_body = false;
	for (int i = 0; i < m->count; i++) {
		if (is_variable_part(&m->part[i]) && !find_border(m, i, is_behind_body))
			return fault_set(f, FAULT_INPUT,
				"signed has a placeholder without text beside it that shows where its value ends");
		is_behind_body = is_behind_body || m->part[i].kind == MESSAGE_BODY;
	}
	return true;
}

bool signature_message_read(const char *text, struct signature_message *ret, struct fault *f)
{
	struct signature_message m = {.count = 0};
	size_t len = strlen(text);
	if (len == 0 || len > SIGNATURE_MESSAGE_MAX)
		return fault_set(f, FAULT_INPUT, "signed is empty or longer than %d bytes", SIGNATURE_MESSAGE_MAX);
	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_printable(text[i]))
			return fault_set(f, FAULT_INPUT, "signed holds a byte that is not visible ASCII");
	}
	memcpy(m.text, text, len + 1);
	if (!cut_message(&m, f) || !find_borders(&m, f))
		return false;
	bool has_value = m.has_body;
	for (int i = 0; i < m.count; i++)
		has_value = has_value || m.part[i].kind == MESSAGE_QUERY || m.part[i].kind == MESSAGE_HEADER;
	if (!has_value)
		return fault_set(f, FAULT_INPUT, "signed has neither {body} nor a value of the query or a header");
	*ret = m;
	return true;
}

const struct signature_message_part *signature_message_find(
	const struct signature_message *m, enum signature_message_kind kind, const char *name)
{
	for (int i = 0; i < m->count; i++) {
		if (m->part[i].kind == kind && strcmp(m->text + m->part[i].at, name) == 0)
			return &m->part[i];
	}
	return NULL;
}
