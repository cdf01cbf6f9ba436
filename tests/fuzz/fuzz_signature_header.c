/* fuzz_signature_header.c - the input as a digit, which chooses a parser, and the value of a header. */

#include <string.h>
#include <time.h>

#include "auth/signature_header.h"
#include "fuzz.h"

static void must_be_in_bounds(const struct signature_list *list, const char *text)
{
	MUST_HOLD(list->count >= 0 && list->count <= SIGNATURES_MAX);
	MUST_HOLD(list->count + list->unreadable <= SIGNATURE_ENTRIES_MAX);
	MUST_HOLD(strlen(text) <= SIGNATURE_HEADER_MAX);
	for (int i = 0; i < list->count; i++) {
		const struct signature_value *value = &list->value[i];
		MUST_HOLD(value->len > 0 && value->len <= sizeof value->bytes);
	}
}

static void must_be_list(const struct signature_list *list, const char *text)
{
	must_be_in_bounds(list, text);
	for (int i = 0; i < list->count; i++)
		MUST_HOLD(list->value[i].len == (list->value[i].version == SIGNATURE_ED25519 ? 64 : 32));
	if (list->time) {
		MUST_HOLD(list->time >= text && list->time + list->time_len <= text + strlen(text));
		MUST_HOLD(list->time[-1] == '=' && list->time[-2] == 't');
		MUST_HOLD(strtoll(list->time, NULL, 10) == list->time_s);
	}
}

static void read_date(const char *text)
{
	struct fault f;
	int64_t time;
	char again[32];
	struct tm parts;
	if (!signature_read_date(text, &time, &f) || strncmp(text + 17, "60", 2) == 0)
		return;
	time_t when = (time_t)time;
	MUST_HOLD(gmtime_r(&when, &parts));
	MUST_HOLD(strftime(again, sizeof again, "%Y-%m-%dT%H:%M:%S", &parts) >= 16);
	size_t zeros = 19 - strlen(again); /* strftime() omits leading zeros of a year */
	MUST_HOLD(strncmp(text + zeros, again, strlen(again)) == 0);
}

static void read_time(const char *text)
{
	struct fault f;
	int64_t time;
	if (!signature_read_time(text, strlen(text), &time, &f))
		return;
	MUST_HOLD(time == strtoll(text, NULL, 10) && strspn(text, "0123456789") == strlen(text));
}

static void read_header(char kind, const char *text)
{
	static struct signature_list list;
	struct fault f;
	switch (kind) {
	case '0':
		if (signature_read_stripe(text, &list, &f)) {
			must_be_list(&list, text);
			MUST_HOLD(list.time);
		}
		break;
	case '1':
		if (signature_read_standard(text, &list, &f)) {
			must_be_list(&list, text);
			MUST_HOLD(!list.time);
		}
		break;
	case '2':
		if (signature_read_single(text, "sha256=", ENCODING_HEX, 32, &list, &f)) {
			must_be_in_bounds(&list, text);
			MUST_HOLD(list.count == 1 && list.value[0].len == 32 && strlen(text) == 71);
		}
		break;
	case '3':
		if (signature_read_single(text, "", ENCODING_BASE64, 0, &list, &f)) {
			must_be_in_bounds(&list, text);
			MUST_HOLD(list.count == 1);
		}
		break;
	case '4':
		read_time(text);
		break;
	default:
		read_date(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	char *text = malloc(len);
	MUST_HOLD(text);
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	read_header((char)data[0], text);
	free(text);
	return 0;
}
