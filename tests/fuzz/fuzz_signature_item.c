/* fuzz_signature_item.c - the input as two items of Adyen's, one field a line.  The first item is signed; its signature
 * must not verify for the second one, unless both have the same fields.  Further lines are the signature that was sent
 * with the second item. */

#include <string.h>

#include "auth/signature.h"
#include "fuzz.h"
#include "support/signing.h"

#define KEY_HEX "6b6579206f66203332206279746573206e6f7420612073656372657420617421"
#define MESSAGE_MAX 65536

static struct signer signer;

static void prepare(void)
{
	struct fault f;
	struct signer_settings settings = {.scheme = SCHEME_ADYEN};
	if (signer.count > 0)
		return;
	MUST_HOLD(signer_init(&signer, &settings, &f));
	MUST_HOLD(signer_add_secret(&signer, KEY_HEX, strlen(KEY_HEX), INT64_MAX, &f));
}

static struct digest_part next_line(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *line = *at;
	const uint8_t *newline = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
	size_t len = (size_t)((newline ? newline : end) - line);
	*at = newline ? newline + 1 : end;
	return (struct digest_part){line, len};
}

static struct signature_item next_item(const uint8_t **at, const uint8_t *end)
{
	struct signature_item item = {0};
	for (int i = 0; i < ADYEN_FIELDS; i++)
		item.field[i] = next_line(at, end);
	return item;
}

static void sign(const struct signature_item *item, char ret[SENT_VALUE_MAX])
{
	static char message[MESSAGE_MAX + ADYEN_FIELDS];
	size_t len = 0;
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		if (i > 0)
			message[len++] = ':';
		if (item->field[i].len > 0)
			memcpy(message + len, item->field[i].bytes, item->field[i].len);
		len += item->field[i].len;
	}
	sender_hmac("SHA256", "key of 32 bytes not a secret at!", 32, message, len, true, ret);
}

static bool same(const struct digest_part *a, const struct digest_part *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char signature[SENT_VALUE_MAX];
	struct signature_report first_report, r;
	const uint8_t *at = data, *end = data + len;
	prepare();
	if (len > MESSAGE_MAX)
		return 0;
	struct signature_item first = next_item(&at, end), second = next_item(&at, end);
	sign(&first, signature);
	first.signature = second.signature = (struct digest_part){signature, strlen(signature)};
	bool first_good = signature_verify_item(&signer, &first, 0, &first_report);
	MUST_HOLD(first_good || first_report.cause == SIGNATURE_MALFORMED);
	bool second_good = signature_verify_item(&signer, &second, 0, &r);
	for (int i = 0; i < ADYEN_FIELDS && first_good && second_good; i++)
		MUST_HOLD(same(&first.field[i], &second.field[i]) ||
			  same(&second.field[ADYEN_EVENT_CODE], &(struct digest_part){"REPORT_AVAILABLE", 16}));
	second.signature = next_line(&at, end);
	if (signature_verify_item(&signer, &second, 0, &r))
		MUST_HOLD(second.signature.len == strlen(signature));
	return 0;
}
