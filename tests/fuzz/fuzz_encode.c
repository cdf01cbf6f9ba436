/* fuzz_encode.c - the input as hexadecimal and as base64: encoding what was decoded gives the input again. */

#include <ctype.h>
#include <string.h>

#include "base/encode.h"
#include "fuzz.h"

static void must_be_hex(const uint8_t *text, size_t len, const unsigned char *bytes, size_t count)
{
	MUST_HOLD(len == count * 2);
	for (size_t i = 0; i < count; i++) {
		char digits[3];
		snprintf(digits, sizeof digits, "%02x", bytes[i]);
		MUST_HOLD(tolower(text[2 * i]) == digits[0] && tolower(text[2 * i + 1]) == digits[1]);
	}
}

static void must_be_base64(const uint8_t *text, size_t len, const unsigned char *bytes, size_t count)
{
	static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	MUST_HOLD(len == (count + 2) / 3 * 4);
	for (size_t i = 0; i < count; i += 3) {
		size_t left = count - i;
		unsigned bits = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
				(left > 2 ? (unsigned)bytes[i + 2] : 0);
		const uint8_t *at = text + i / 3 * 4;
		MUST_HOLD(at[0] == LETTERS[bits >> 18] && at[1] == LETTERS[bits >> 12 & 63]);
		MUST_HOLD(at[2] == (left > 1 ? LETTERS[bits >> 6 & 63] : '='));
		MUST_HOLD(at[3] == (left > 2 ? LETTERS[bits & 63] : '='));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t room = DECODED_MAX(len), count = 0;
	unsigned char *bytes = malloc(room);
	MUST_HOLD(bytes);
	for (int i = 0; i < 2; i++) {
		enum encoding encoding = i ? ENCODING_BASE64 : ENCODING_HEX;
		if (!encode_read(encoding, (const char *)data, len, bytes, room, &count))
			continue;
		MUST_HOLD(count <= room);
		if (encoding == ENCODING_HEX)
			must_be_hex(data, len, bytes, count);
		else
			must_be_base64(data, len, bytes, count);
		MUST_HOLD(count == 0 || !encode_read(encoding, (const char *)data, len, bytes, count - 1, &count));
	}
	free(bytes);
	return 0;
}
