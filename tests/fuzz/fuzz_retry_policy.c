/* fuzz_retry_policy.c - the input as a Retry-After header, and as the time at which it is read. */

#include <string.h>

#include "fuzz.h"
#include "queue/retry_policy.h"

#define VALUE_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char value[VALUE_MAX];
	size_t text_len = len < sizeof value ? len : sizeof value - 1;
	memcpy(value, data, text_len);
	value[text_len] = '\0';

	int64_t before = retry_policy_after_ms(value, 784111777), later = retry_policy_after_ms(value, 784111778);
	MUST_HOLD(before >= -1 && before <= RETRY_AFTER_MAX_MS);
	MUST_HOLD((before < 0) == (later < 0));
	MUST_HOLD(before == later || before == later + 1000);
	MUST_HOLD(retry_policy_wait_ms(1, 500, before) == (before > 500 ? before : 500));
	return 0;
}
