/* fuzz_traceparent.c - the input as a traceparent header. */

#include <string.h>

#include "fuzz.h"
#include "http/traceparent.h"

#define VALUE_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char value[VALUE_MAX];
	size_t text_len = len < sizeof value ? len : sizeof value - 1;
	memcpy(value, data, text_len);
	value[text_len] = '\0';

	struct traceparent t, again, child;
	bool counts = traceparent_parse(value, &t);
	MUST_HOLD(strlen(t.text) == (counts ? TRACEPARENT_LEN : 0));
	MUST_HOLD(traceparent_parse(t.text, &again) == counts);
	MUST_HOLD(strcmp(t.text, again.text) == 0);
	MUST_HOLD(traceparent_child(value, "1122334455667788", &child) == counts);
	if (!counts)
		return 0;
	MUST_HOLD(strncmp(t.text, "00-", 3) == 0);
	MUST_HOLD(strncmp(t.text + 2, value + 2, TRACEPARENT_LEN - 4) == 0);
	MUST_HOLD(strcmp(TRACE_ID(t.text), TRACE_ID(child.text)) == 0);
	MUST_HOLD(strcmp(t.text + TRACEPARENT_LEN - 2, child.text + TRACEPARENT_LEN - 2) == 0);
	return 0;
}
