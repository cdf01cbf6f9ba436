/* sign.c - the sender's side of a signature.
 *
 * It does not use payhook's own signer, so that a mistake which signing and verifying have in common would be
 * noticed.  The message is "id.timestamp.body", the header "v1," and the HMAC-SHA256 in base64. */

#include "sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define KEY "a key of the bench's, no secret!" /* SIGN_SECRET without its prefix, decoded */
#define MESSAGE_MAX 1024

size_t sign_headers(const char *body, size_t len, char ret[SIGN_HEADERS_MAX])
{
	unsigned char message[MESSAGE_MAX], digest[EVP_MAX_MD_SIZE];
	char base64[2 * EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	long long now_s = (long long)time(NULL);
	size_t before = (size_t)snprintf((char *)message, sizeof message, "msg_1.%lld.", now_s);
	if (before + len > sizeof message)
		len = sizeof message - before;
	memcpy(message + before, body, len);
	if (!HMAC(EVP_sha256(), KEY, sizeof KEY - 1, message, before + len, digest, &digest_len))
		digest_len = 0;
	EVP_EncodeBlock((unsigned char *)base64, digest, (int)digest_len);
	return (size_t)snprintf(ret, SIGN_HEADERS_MAX,
		"webhook-id: msg_1\r\nwebhook-timestamp: %lld\r\nwebhook-signature: v1,%s\r\n", now_s, base64);
}
