/* fuzz_signature.c - the input as a signed request: a digit that chooses a sender; header lines "name: value"; an empty
 * line; a body.  The corpus contains requests that these senders signed at the time NOW. */

#include <string.h>

#include "auth/signature.h"
#include "fuzz.h"
#include "support/signing.h"

#define NOW 1771502400 /* 2026-02-19T12:00:00Z */
#define YEAR (366 * 86400)

static struct signer signers[10];

static void prepare(void)
{
	struct fault f;
	if (signers[0].count > 0)
		return;
	MUST_HOLD(SENDER_COUNT <= 10);
	for (size_t i = 0; i < SENDER_COUNT; i++) {
		MUST_HOLD(signer_init(&signers[i], &SENDERS[i].settings, &f));
		for (int n = 0; n < 2; n++) {
			static struct sender_key key;
			sender_key(&SENDERS[i], n, NOW + YEAR, &key);
			MUST_HOLD(signer_add_secret(
				&signers[i], key.text, strlen(key.text), n ? NOW - 1 : INT64_MAX, &f));
			sender_key_finish(&key);
		}
	}
}

/* Cuts off one line.  Returns NULL if there is none or it is empty. */
static char *next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');
	if (!end)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return end == line ? NULL : line;
}

static void read_headers(char **at, struct sent *ret)
{
	char *line;
	ret->count = 0;
	while ((line = next_line(at))) {
		char *colon = strstr(line, ": ");
		if (!colon || ret->count == SENT_HEADERS_MAX || strlen(colon + 2) >= sizeof ret->header[0].value)
			continue;
		*colon = '\0';
		sent_set(ret, line, colon + 2);
	}
}

static void must_be_complete(bool good, const struct signature_report *r, const struct signer *s)
{
	MUST_HOLD(good == (r->cause == SIGNATURE_GOOD) && good == (r->text[0] == '\0'));
	MUST_HOLD(r->cause != SIGNATURE_FAILED);
	MUST_HOLD(r->secret >= -1 && r->secret < s->count);
	bool signed_by_us =
		good || r->cause == SIGNATURE_EXPIRED || r->cause == SIGNATURE_OLD || r->cause == SIGNATURE_FUTURE;
	MUST_HOLD(signed_by_us == (r->secret >= 0));
	MUST_HOLD(!good || (r->skew_s >= -s->tolerance_s && r->skew_s <= s->tolerance_s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sent sent;
	struct signature_report r;
	prepare();
	if (len == 0 || data[0] < '0' || data[0] >= '0' + SENDER_COUNT)
		return 0;
	char *text = malloc(len);
	MUST_HOLD(text);
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	char *at = text;
	read_headers(&at, &sent);
	size_t body_len = (size_t)(text + len - 1 - at);
	struct signature_request request = {sent_header, &sent, at, body_len, NULL, NULL};
	const struct signer *s = &signers[data[0] - '0'];
	bool good = signature_verify(s, &request, NOW, &r);
	must_be_complete(good, &r, s);
	if (good && body_len > 0) {
		at[body_len / 2] ^= 1;
		MUST_HOLD(!signature_verify(s, &request, NOW, &r) && r.cause == SIGNATURE_WRONG);
	}
	free(text);
	return 0;
}
