/* signature_form.c - reads the form of a provider's header from the configuration, and headers by it.
 *
 * The form is checked once, so that a header has one reading only; a header costs one pass.  The sender of a header is not
 * authenticated: the bounds are those of signature_header.c. */

#include "auth/signature_form.h"

#include <string.h>

#include "base/ascii.h"

#define BETWEEN ",; "

enum placeholder { ANY, TIME, SIGNATURE, PLACEHOLDERS };

static const char *const WORDS[PLACEHOLDERS] = {"{any}", "{time}", "{signature}"};

/* ---- the form ---- */

/* The placeholder with which the text begins; PLACEHOLDERS: none. */
static enum placeholder placeholder_at(const char *text)
{
	enum placeholder found = ANY;
	while (found < PLACEHOLDERS && strncmp(text, WORDS[found], strlen(WORDS[found])) != 0)
		found++;
	return found;
}

/* Bytes up to a placeholder, a separator or the end. */
static size_t literal_len(const char *text)
{
	return strcspn(text, "{" BETWEEN);
}

static bool check_bytes(const char *text, struct fault *f)
{
	if (!*text || strlen(text) > SIGNATURE_FORM_MAX)
		return fault_set(f, FAULT_INPUT, "form is empty or longer than %d bytes", SIGNATURE_FORM_MAX);
	for (const char *at = text; *at; at++) {
		if (!ascii_is_printable(*at))
			return fault_set(f, FAULT_INPUT, "form holds a byte that is not visible ASCII");
		if (*at == '{' && placeholder_at(at) == PLACEHOLDERS)
			return fault_set(
				f, FAULT_INPUT, "form has a brace that begins none of {any}, {time} and {signature}");
	}
	return true;
}

/* Reads one part, of which *at is the start, and moves *at behind it. */
static bool read_form_part(
	const char **at, const char *text, struct signature_form_part *ret, enum placeholder *end, struct fault *f)
{
	struct signature_form_part part = {.before = (size_t)(*at - text), .before_len = literal_len(*at)};
	const char *next = *at + part.before_len;
	enum placeholder found = placeholder_at(next);
	if (found == ANY) {
		next += strlen(WORDS[ANY]);
		part.has_any = true;
		part.after = (size_t)(next - text);
		part.after_len = literal_len(next);
		next += part.after_len;
		found = placeholder_at(next);
		if (part.after_len == 0)
			return fault_set(
				f, FAULT_INPUT, "form has {any} with no text after it, which would show its end");
	}
	if (found != TIME && found != SIGNATURE)
		return fault_set(f, FAULT_INPUT, "form has a part that ends in neither {time} nor {signature}");
	next += strlen(WORDS[found]);
	if (*next && !strchr(BETWEEN, *next))
		return fault_set(
			f, FAULT_INPUT, "form has text after %s, which runs to the end of its part", WORDS[found]);
	*at = next;
	*end = found;
	*ret = part;
	return true;
}

/* Whether a part of a header could be either of the two. */
static bool are_alike(const struct signature_form *form)
{
	const struct signature_form_part *one = &form->time, *other = &form->signature;
	size_t len = one->before_len < other->before_len ? one->before_len : other->before_len;
	return memcmp(form->text + one->before, form->text + other->before, len) == 0;
}

bool signature_form_read(const char *text, struct signature_form *ret, struct fault *f)
{
	struct signature_form form = {.has_time = false};
	bool has_signature = false;
	if (!check_bytes(text, f))
		return false;
	memcpy(form.text, text, strlen(text) + 1);
	for (const char *at = text + strspn(text, BETWEEN); *at; at += strspn(at, BETWEEN)) {
		struct signature_form_part part;
		enum placeholder end;
		if (!read_form_part(&at, text, &part, &end, f))
			return false;
		bool *has = end == TIME ? &form.has_time : &has_signature;
		if (*has)
			return fault_set(f, FAULT_INPUT, "form has %s twice", WORDS[end]);
		*has = true;
		*(end == TIME ? &form.time : &form.signature) = part;
	}
	if (!has_signature)
		return fault_set(f, FAULT_INPUT, "form has no {signature}");
	if (form.has_time && are_alike(&form))
		return fault_set(f, FAULT_INPUT,
			"form has a time and a signature that begin alike: nothing shows which part of a header is which");
	*ret = form;
	return true;
}

/* ---- a header ---- */

/* The first place of a text in another that has no NUL; NULL: it is not there. */
static const char *find_in(const char *where, size_t len, const char *text, size_t text_len)
{
	for (; len >= text_len; where++, len--) {
		if (memcmp(where, text, text_len) == 0)
			return where;
	}
	return NULL;
}

/* The value in a part of a header: what stands for {time} or {signature}.  NULL: it is not of this form. */
static const char *value_in(
	const struct signature_form *form, const struct signature_form_part *part, const char *entry, size_t len)
{
	const char *end = entry + len;
	if (len < part->before_len || memcmp(entry, form->text + part->before, part->before_len) != 0)
		return NULL;
	entry += part->before_len;
	if (!part->has_any)
		return entry;
	if (entry == end)
		return NULL;
	const char *after = find_in(entry + 1, (size_t)(end - entry - 1), form->text + part->after, part->after_len);
	return after ? after + part->after_len : NULL;
}

static bool read_entry_of(const struct signature_form *form, const char *entry, size_t entry_len,
	enum encoding encoding, size_t len, struct signature_list *ret, struct fault *f)
{
	const char *time = form->has_time ? value_in(form, &form->time, entry, entry_len) : NULL;
	const char *signature = value_in(form, &form->signature, entry, entry_len), *end = entry + entry_len;
	if (time) {
		if (ret->time)
			return fault_set(f, FAULT_MALFORMED, "it holds two times");
		ret->time = time;
		ret->time_len = (size_t)(end - time);
		return true;
	}
	return !signature || signature_list_add(ret, encoding, signature, (size_t)(end - signature), len, f);
}

bool signature_form_apply(const struct signature_form *form, const char *header, enum encoding encoding, size_t len,
	struct signature_list *ret, struct fault *f)
{
	int entries = 0;
	if (!signature_list_begin(header, ret, f))
		return false;
	for (const char *at = header + strspn(header, BETWEEN); *at; at += strspn(at, BETWEEN)) {
		size_t entry_len = strcspn(at, BETWEEN);
		if (entries++ == SIGNATURE_ENTRIES_MAX)
			return fault_set(f, FAULT_MALFORMED, "it has more than %d parts", SIGNATURE_ENTRIES_MAX);
		if (!read_entry_of(form, at, entry_len, encoding, len, ret, f))
			return false;
		at += entry_len;
	}
	if (form->has_time && !ret->time)
		return fault_set(f, FAULT_MALFORMED, "it holds no time of the form %s", form->text);
	if (ret->count > 0)
		return true;
	return fault_set(f, FAULT_MALFORMED,
		ret->unreadable ? "no signature in it has the encoding and the length of its algorithm"
				: "it holds no signature of the configured form");
}
