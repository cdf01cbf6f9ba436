/* fuzz_places.c - the input as the values of two headers and a body: what is written of a request is strict JSON, and a header
 * is found in it byte for byte, or as what is no text. */

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "json/scan.h"
#include "source/places.h"

static const char *values[2];

static const char *give_header(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "x-one") == 0 ? values[0] : strcmp(name, "x-two") == 0 ? values[1] : NULL;
}

static void must_be_found(const struct places *in, const char *at, const char *value)
{
	struct json_value found;
	MUST_HOLD(place_find(in, at, &found));
	if (json_value_kind(found) == JSON_IS_STRING) {
		MUST_HOLD(json_value_equals(found, value) && strlen(value) <= PLACE_VALUE_MAX);
		for (size_t length; *value; value += length) {
			length = utf8_length(value, strlen(value));
			MUST_HOLD(length > 0 && !utf8_is_control(value, length));
		}
	} else {
		MUST_HOLD(found.len == 2 && memcmp(found.at, "{}", 2) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct places_wanted wanted = {0};
	const struct places_request request = {.id = "6b1f", .header = give_header};
	struct places in = places_of((struct json_value){"{}", 2});
	char room[PLACES_VALUES_MAX];
	struct json_value none;
	struct fault f;
	char *text = malloc(len + 2);
	MUST_HOLD(text);
	memcpy(text, data, len);
	text[len] = text[len + 1] = '\0';
	values[0] = text;
	values[1] = text + strlen(text) + 1 > text + len ? text + len : text + strlen(text) + 1;
	MUST_HOLD(
		places_want(&wanted, PLACE_HEADER "x-one", false) && places_want(&wanted, PLACE_HEADER "x-two", false));
	MUST_HOLD(places_want(&wanted, PLACE_HEADER "x-three", false) &&
		  places_want(&wanted, PLACE_HEADER "x-one", false));
	MUST_HOLD(places_want(&wanted, PLACE_BODY_SHA256, false) && places_want(&wanted, PLACE_REQUEST_ID, false));
	MUST_HOLD(wanted.header_count == 3);
	MUST_HOLD(places_write(&wanted, &request, text, len, room, &in.request, &f));
	MUST_HOLD(json_scan(in.request.at, in.request.len, &f));
	must_be_found(&in, PLACE_HEADER "x-one", values[0]);
	must_be_found(&in, PLACE_HEADER "x-two", values[1]);
	must_be_found(&in, PLACE_REQUEST_ID, "6b1f");
	MUST_HOLD(!place_find(&in, PLACE_HEADER "x-three", &none));
	free(text);
	return 0;
}
