/* fuzz_signature_message.c - the input as "signed", a line; the request's target, a line; a value, a line, which every header
 * has; and a body.  Where such a request is one that was signed, no byte of a value can have come from beside it. */

#include <string.h>

#include "auth/signature.h"
#include "fuzz.h"
#include "support/signing.h"

#define KEY "a secret of thirty-two bytes !!!"
#define NOW 1771502400 /* 2026-02-19T12:00:00Z */

struct input {
	const char *target, *value, *body;
	char signature[SENT_VALUE_MAX];
};

static char *input_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');
	*at = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

static const char *header_of_input(void *ctx, const char *name)
{
	const struct input *in = ctx;
	if (strcmp(name, "x-sig") == 0)
		return in->signature;
	return strcmp(name, "x-time") == 0 ? "1771502400" : in->value;
}

static void message_must_be_sound(const struct signature_message *m)
{
	int values = 0;
	MUST_HOLD(m->count >= 1 && m->count <= SIGNATURE_MESSAGE_PARTS_MAX);
	for (int i = 0; i < m->count; i++) {
		const struct signature_message_part *part = &m->part[i];
		bool is_value = part->kind == MESSAGE_QUERY || part->kind == MESSAGE_HEADER;
		MUST_HOLD(part->at + part->len <= SIGNATURE_MESSAGE_MAX);
		MUST_HOLD(!is_value || (part->len > 0 && m->text[part->at + part->len] == '\0'));
		MUST_HOLD(!part->is_lower || is_value);
		MUST_HOLD(m->count == 1 || part->border || !is_value || i + 1 == m->count);
		values += is_value;
	}
	MUST_HOLD(values <= SIGNATURE_VALUES_MAX && (m->has_body || values > 0));
}

/* A request of these settings never verifies by chance. */
static void verify_input(const struct signer_settings *settings, struct input *in)
{
	struct signer signer;
	struct fault f;
	struct signature_report report;
	struct signature_request request = {header_of_input, in, in->body, strlen(in->body), in->target, NULL};
	if (!signer_init(&signer, settings, &f)) {
		MUST_HOLD(f.kind == FAULT_INPUT && f.text[0]);
		return;
	}
	message_must_be_sound(signer.message);
	MUST_HOLD(signer_add_secret(&signer, KEY, strlen(KEY), INT64_MAX, &f));
	memset(in->signature, '0', 64);
	in->signature[64] = '\0';
	MUST_HOLD(!signature_verify(&signer, &request, NOW, &report) && report.text[0]);
	MUST_HOLD(report.cause == SIGNATURE_WRONG || report.cause == SIGNATURE_MISSING ||
		  report.cause == SIGNATURE_MALFORMED);
	/* What is the body alone verifies as the body does. */
	if (strcmp(settings->message, "{body}") == 0) {
		sender_hmac("SHA256", KEY, strlen(KEY), in->body, strlen(in->body), false, in->signature);
		MUST_HOLD(signature_verify(&signer, &request, NOW, &report));
	}
	signer_finish(&signer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct input in;
	struct signer_settings settings = {.scheme = SCHEME_HMAC, .header = "X-Sig"};
	char *text = malloc(len + 1);
	MUST_HOLD(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	char *at = text;
	settings.message = input_line(&at);
	in.target = input_line(&at);
	in.value = input_line(&at);
	in.body = at;
	settings.timestamp_header = strstr(settings.message, "{time}") ? "X-Time" : NULL;
	verify_input(&settings, &in);
	free(text);
	return 0;
}
