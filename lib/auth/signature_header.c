/* signature_header.c - reads signatures and times from the headers of a request.
 *
 * The sender of these bytes is not authenticated.  Every length and every count is therefore bounded before any work is
 * done on it, nothing is allocated, and each form has one reading: no optional white space, no sign, no second time.
 * Whether a signature is valid, and whether a time is recent, is left to signature.c. */

#include "auth/signature_header.h"

#include <string.h>
#include <time.h>

#define HMAC_SHA256_LEN 32
#define ED25519_LEN 64
#define TIME_DIGITS_MAX 11 /* until the year 5138; no overflow of 64 bits */
#define BARE_S_DIGITS 10   /* of seconds, from 2001 to 2286 */
#define BARE_MS_DIGITS 13  /* of milliseconds, in these years */
#define BETWEEN ",; "      /* what may stand between signatures */

/* strnlen() stops after the bound, so the cost does not grow with the header. */
static bool too_long(const char *header, struct fault *f)
{
	if (strnlen(header, SIGNATURE_HEADER_MAX + 1) <= SIGNATURE_HEADER_MAX)
		return false;
	fault_set(f, FAULT_MALFORMED, "it is longer than %d bytes", SIGNATURE_HEADER_MAX);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits, of which there are at most 14: no overflow of 64 bits. */
static bool read_digits(const char *text, size_t len, int64_t *ret, struct fault *f)
{
	int64_t time = 0;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return fault_set(f, FAULT_MALFORMED, "the time has another byte than digits");
		time = time * 10 + (text[i] - '0');
	}
	*ret = time;
	return true;
}

bool signature_read_time(const char *text, size_t len, int64_t *ret, struct fault *f)
{
	if (len == 0 || len > TIME_DIGITS_MAX)
		return fault_set(f, FAULT_MALFORMED, "the time is not a unix time of 1 to %d digits", TIME_DIGITS_MAX);
	return read_digits(text, len, ret, f);
}

bool signature_read_time_of(
	const char *text, size_t len, enum time_unit unit, bool is_bare, int64_t *ret, struct fault *f)
{
	bool is_ms = unit == TIME_MILLISECONDS || (unit == TIME_BY_LENGTH && len == BARE_MS_DIGITS);
	size_t bare = is_ms ? BARE_MS_DIGITS : BARE_S_DIGITS, most = is_ms ? TIME_DIGITS_MAX + 3 : TIME_DIGITS_MAX;
	int64_t time;
	if (is_bare && len != bare)
		return fault_set(
			f, FAULT_MALFORMED, "the time has not %zu digits, and nothing else shows where it ends", bare);
	if (len == 0 || len > most)
		return fault_set(f, FAULT_MALFORMED, "the time is not a unix time of 1 to %zu digits", most);
	if (!read_digits(text, len, &time, f))
		return false;
	*ret = is_ms ? time / 1000 : time;
	return true;
}

/* The number that the first count bytes are; -1: one of them is not a digit. */
static int digits(const char *text, int count)
{
	int value = 0;
	for (int i = 0; i < count; i++) {
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

/* Whether the text after the seconds is "Z", or a fraction of one to nine digits and "Z". */
static bool ends_in_utc(const char *text)
{
	if (*text == '.') {
		size_t fraction = strspn(text + 1, "0123456789");
		if (fraction == 0 || fraction > 9)
			return false;
		text += 1 + fraction;
	}
	return strcmp(text, "Z") == 0;
}

bool signature_read_date(const char *text, int64_t *ret, struct fault *f)
{
	static const char FORM[] = "dddd-dd-ddTdd:dd:dd";
	for (size_t i = 0; i < sizeof FORM - 1; i++) {
		if (FORM[i] == 'd' ? !is_digit(text[i]) : text[i] != FORM[i])
			return fault_set(f, FAULT_MALFORMED, "the time is not in the form 2026-02-19T12:00:00Z");
	}
	int seconds = digits(text + 17, 2);
	struct tm date = {.tm_year = digits(text, 4) - 1900,
		.tm_mon = digits(text + 5, 2) - 1,
		.tm_mday = digits(text + 8, 2),
		.tm_hour = digits(text + 11, 2),
		.tm_min = digits(text + 14, 2)};
	struct tm same = date;
	int64_t time = timegm(&same) + seconds;
	/* timegm() turns 30 February into a day of March, and 24:00 into the next day: such a date comes back changed.
	 * The seconds are added afterwards, because 60 is valid for a leap second. */
	bool exists = same.tm_mon == date.tm_mon && same.tm_mday == date.tm_mday && same.tm_hour == date.tm_hour &&
		      same.tm_min == date.tm_min;
	if (!exists || seconds > 60 || !ends_in_utc(text + sizeof FORM - 1))
		return fault_set(f, FAULT_MALFORMED, "the time is not one in UTC, in the form 2026-02-19T12:00:00Z");
	*ret = time;
	return true;
}

static const char *form_of(enum encoding encoding)
{
	return encoding == ENCODING_HEX ? "hex" : "base64";
}

static int count_of(const struct signature_list *list, enum signature_version version)
{
	int count = 0;
	for (int i = 0; i < list->count; i++)
		count += list->value[i].version == version;
	return count;
}

/* Resets the counts and the time.  The values are not cleared: eight of them have 4 KiB, and only count are read. */
static void clear(struct signature_list *list)
{
	list->count = 0;
	list->unreadable = 0;
	list->time_s = 0;
	list->time = NULL;
	list->time_len = 0;
}

bool signature_list_begin(const char *header, struct signature_list *ret, struct fault *f)
{
	if (too_long(header, f))
		return false;
	clear(ret);
	return true;
}

/* Adds a signature to the list.  One that cannot be decoded, or has another length than its version, is counted and
 * skipped, as in the providers' own libraries: the header may have a valid one beside it.  Too many signatures are a
 * fault, since each of them can cost a calculation. */
static bool add_version(struct signature_list *list, enum signature_version version, enum encoding encoding,
	const char *text, size_t len, size_t wanted, struct fault *f)
{
	if (list->count == SIGNATURES_MAX)
		return fault_set(f, FAULT_MALFORMED, "it holds more than %d signatures", SIGNATURES_MAX);
	if (version == SIGNATURE_ED25519 && count_of(list, version) == SIGNATURES_ED25519_MAX)
		return fault_set(
			f, FAULT_MALFORMED, "it holds more than %d signatures of Ed25519", SIGNATURES_ED25519_MAX);
	struct signature_value *value = &list->value[list->count];
	value->version = version;
	if (encode_read(encoding, text, len, value->bytes, wanted, &value->len) && value->len == wanted)
		list->count++;
	else
		list->unreadable++;
	return true;
}

bool signature_list_add(struct signature_list *list, enum encoding encoding, const char *text, size_t text_len,
	size_t len, struct fault *f)
{
	return add_version(list, SIGNATURE_HMAC, encoding, text, text_len, len, f);
}

static bool signature_header_add(struct signature_list *list, enum signature_version version, enum encoding encoding,
	const char *text, size_t len, struct fault *f)
{
	size_t wanted = version == SIGNATURE_ED25519 ? ED25519_LEN : HMAC_SHA256_LEN;
	return add_version(list, version, encoding, text, len, wanted, f);
}

/* One "name=value" of Stripe's header.  Unknown names are skipped: Stripe adds v0 in test mode, and may add others.  A
 * second time is a fault, since the header would have two readings. */
static bool signature_header_read_stripe_entry(
	const char *entry, size_t len, struct signature_list *ret, struct fault *f)
{
	const char *equals = memchr(entry, '=', len);
	if (!equals)
		return fault_set(f, FAULT_MALFORMED, "a part of it has no equals sign");
	size_t name = (size_t)(equals - entry);
	const char *value = equals + 1;
	size_t value_len = len - name - 1;
	if (name == 1 && *entry == 't') {
		if (ret->time)
			return fault_set(f, FAULT_MALFORMED, "it holds two times");
		ret->time = value;
		ret->time_len = value_len;
		return signature_read_time(value, value_len, &ret->time_s, f);
	}
	if (name == 2 && memcmp(entry, "v1", 2) == 0)
		return signature_header_add(ret, SIGNATURE_HMAC, ENCODING_HEX, value, value_len, f);
	return true;
}

/* One "version,signature" of Standard Webhooks.  Unknown versions are skipped: a later specification may add some. */
static bool signature_header_read_standard_entry(
	const char *entry, size_t len, struct signature_list *ret, struct fault *f)
{
	const char *comma = memchr(entry, ',', len);
	if (!comma)
		return fault_set(f, FAULT_MALFORMED, "a part of it has no comma after the version");
	size_t name = (size_t)(comma - entry);
	const char *value = comma + 1;
	size_t value_len = len - name - 1;
	if (name == 2 && memcmp(entry, "v1", 2) == 0)
		return signature_header_add(ret, SIGNATURE_HMAC, ENCODING_BASE64, value, value_len, f);
	if (name == 3 && memcmp(entry, "v1a", 3) == 0)
		return signature_header_add(ret, SIGNATURE_ED25519, ENCODING_BASE64, value, value_len, f);
	return true;
}

typedef bool (*read_entry)(const char *entry, size_t len, struct signature_list *ret, struct fault *f);

/* Calls read for each entry between separators.  A list that has signatures, none of which can be decoded, is
 * malformed.  A list of unknown versions only is not a fault: it has no signatures, which the caller reports as
 * unsupported. */
static bool read_list(const char *header, char separator, read_entry read, struct signature_list *ret, struct fault *f)
{
	int entries = 0;
	if (too_long(header, f))
		return false;
	clear(ret);
	for (const char *at = header;; at++) {
		const char *end = strchr(at, separator);
		size_t len = end ? (size_t)(end - at) : strlen(at);
		if (entries++ == SIGNATURE_ENTRIES_MAX)
			return fault_set(f, FAULT_MALFORMED, "it has more than %d parts", SIGNATURE_ENTRIES_MAX);
		if (!read(at, len, ret, f))
			return false;
		if (!end)
			break;
		at = end;
	}
	return ret->count > 0 || ret->unreadable == 0 ||
	       fault_set(f, FAULT_MALFORMED, "no signature in it has the form and the length of its version");
}

bool signature_read_stripe(const char *header, struct signature_list *ret, struct fault *f)
{
	if (!read_list(header, ',', signature_header_read_stripe_entry, ret, f))
		return false;
	return ret->time || fault_set(f, FAULT_MALFORMED, "it holds no time (t=)");
}

bool signature_read_standard(const char *header, struct signature_list *ret, struct fault *f)
{
	return read_list(header, ' ', signature_header_read_standard_entry, ret, f);
}

bool signature_read_single(const char *header, const char *prefix, enum encoding encoding, size_t len,
	struct signature_list *ret, struct fault *f)
{
	struct signature_value *value = &ret->value[0];
	size_t prefix_len = strlen(prefix);
	if (too_long(header, f))
		return false;
	if (strncmp(header, prefix, prefix_len) != 0)
		return fault_set(f, FAULT_MALFORMED, "it does not begin with %s", prefix);
	const char *text = header + prefix_len;
	clear(ret);
	value->version = SIGNATURE_HMAC;
	if (!encode_read(encoding, text, strlen(text), value->bytes, sizeof value->bytes, &value->len) ||
		value->len == 0)
		return fault_set(f, FAULT_MALFORMED, "its signature is not in %s", form_of(encoding));
	if (len && value->len != len)
		return fault_set(f, FAULT_MALFORMED, "its signature has %zu bytes, not %zu", value->len, len);
	ret->count = 1;
	return true;
}

/* One signature is read as signature_read_single() does, for its faults are more exact. */
bool signature_read_repeated(const char *header, const char *prefix, enum encoding encoding, size_t len,
	struct signature_list *ret, struct fault *f)
{
	size_t prefix_len = strlen(prefix);
	if (!signature_list_begin(header, ret, f))
		return false;
	if (strncmp(header, prefix, prefix_len) != 0 || !header[prefix_len + strcspn(header + prefix_len, BETWEEN)])
		return signature_read_single(header, prefix, encoding, len, ret, f);
	for (const char *at = header; *at; at += strspn(at, BETWEEN)) {
		if (strncmp(at, prefix, prefix_len) != 0)
			return fault_set(f, FAULT_MALFORMED, "a part of it does not begin with %s", prefix);
		at += prefix_len;
		size_t text_len = strcspn(at, BETWEEN);
		if (text_len == 0)
			return fault_set(f, FAULT_MALFORMED, "a part of it is empty");
		if (!signature_list_add(ret, encoding, at, text_len, len, f))
			return false;
		if (ret->count + ret->unreadable > SIGNATURE_ENTRIES_MAX)
			return fault_set(f, FAULT_MALFORMED, "it has more than %d parts", SIGNATURE_ENTRIES_MAX);
		at += text_len;
		if (*at && !at[strspn(at, BETWEEN)])
			return fault_set(f, FAULT_MALFORMED, "it ends in a separator");
	}
	return ret->count > 0 ||
	       fault_set(f, FAULT_MALFORMED, "no signature in it is in %s and has %zu bytes", form_of(encoding), len);
}
