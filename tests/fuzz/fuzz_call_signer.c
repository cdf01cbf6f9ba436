/* fuzz_call_signer.c - the input as the file of PROCESSOR_SIGNING_SECRETS_FILE: it has no secret and a reason, or one or two
 * that sign. */

#include <string.h>

#include "call_signer.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct call_signer s;
	struct fault f;
	char signatures[CALL_SIGNER_SIGNATURES_MAX];
	if (!call_signer_read((const char *)data, len, &s, &f)) {
		MUST_HOLD(*f.text);
		return 0;
	}
	MUST_HOLD(s.count >= 1 && s.count <= CALL_SIGNER_SECRETS_MAX);
	MUST_HOLD(call_signer_sign(&s, "id", 1, data, len, signatures));
	MUST_HOLD(strlen(signatures) == (s.count == 1 ? 47 : 95) && strncmp(signatures, "v1,", 3) == 0);
	call_signer_finish(&s);
	return 0;
}
