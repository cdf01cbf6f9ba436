/* fuzz_signature_plain.c - the input as a digit, which chooses a source of the schemes token, basic or rsa, and the header that it
 * reads: only the secret itself verifies, in its one form.  The corpus has a signature of the key of docs/sources/wise. */

#include <string.h>
#include <strings.h>

#include "auth/signature.h"
#include "fuzz.h"

#define TOKEN "a token of twenty-seven bytes"
#define PAIR "user:a password of some length"
#define PAIR_BASE64 "dXNlcjphIHBhc3N3b3JkIG9mIHNvbWUgbGVuZ3Ro"
#define BODY "{\"id\":1}"

static const struct {
	struct signer_settings settings;
	const char *secret;
} SOURCES[] = {
	{{.scheme = SCHEME_TOKEN, .header = "X-Token"}, TOKEN},
	{{.scheme = SCHEME_BASIC}, PAIR},
	{{.scheme = SCHEME_RSA, .header = "X-Signature", .encoding = ENCODING_BASE64},
		"-----BEGIN PUBLIC KEY-----\n"
		"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr5tPnmNpnnGW7KZv4++X\n"
		"K9LxS2hXsu6idlEm80lvJ2mzU8jxzbhJZUcz3R7JJGbhoFaxff9suYwlWEJRnoEa\n"
		"wg3Kl5PE4VBZFDhpJlgL2jT9eMcrKuwad0dNogoNfmSlcvV5QQstV5C1iCvsAyhq\n"
		"dbxHgisFZKn0fD25RfEtkILT5Wkf4OJjkkYh5x5Q0JVWi3FdV7JXYBjzorxkqxr5\n"
		"hZA3UY+2K/1qPb6PCwd4XOxYy1HjOGltLZl/gccA7niJ+TarxyrjAdcY/nV1A8o/\n"
		"bZyvEyizKa+xy8S9ePUJrRIK5SlUtMEinN4QQ0+eqfnHAWMYtC6c2QMmGYbOhRtQ\n"
		"tQIDAQAB\n"
		"-----END PUBLIC KEY-----\n"},
};
#define COUNT 3
enum { PLAIN, BASIC, RSA };

static const struct signer *signer(int which)
{
	static struct signer signers[COUNT];
	struct fault f;
	if (signers[which].count == 0) {
		MUST_HOLD(signer_init(&signers[which], &SOURCES[which].settings, &f));
		MUST_HOLD(signer_add_secret(
			&signers[which], SOURCES[which].secret, strlen(SOURCES[which].secret), INT64_MAX, &f));
	}
	return &signers[which];
}

static const char *value_of(void *ctx, const char *name)
{
	(void)name;
	return ctx;
}

/* "Basic", one blank or more, and the pair in base64. */
static bool is_pair(const char *text)
{
	return strncasecmp(text, "Basic ", 6) == 0 && strcmp(text + 5 + strspn(text + 5, " "), PAIR_BASE64) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct signature_report r;
	if (len == 0 || data[0] < '0' || data[0] >= '0' + COUNT)
		return 0;
	int which = data[0] - '0';
	char *value = malloc(len);
	MUST_HOLD(value);
	memcpy(value, data + 1, len - 1);
	value[len - 1] = '\0';
	struct signature_request request = {value_of, value, BODY, strlen(BODY), NULL, NULL};
	bool good = signature_verify(signer(which), &request, 0, &r);
	MUST_HOLD(good == (r.cause == SIGNATURE_GOOD) && good == (r.text[0] == '\0') && r.cause != SIGNATURE_FAILED);
	MUST_HOLD(!strstr(r.text, TOKEN) && !strstr(r.text, "a password") && !strstr(r.text, PAIR_BASE64));
	if (which == PLAIN)
		MUST_HOLD(good == (strcmp(value, TOKEN) == 0));
	else if (which == BASIC)
		MUST_HOLD(good == is_pair(value));
	else if (good) {
		request.len--;
		MUST_HOLD(!signature_verify(signer(which), &request, 0, &r) && r.cause == SIGNATURE_WRONG);
	}
	free(value);
	return 0;
}
