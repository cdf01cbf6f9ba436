/* form.c - reads the fields of a form as a JSON object of texts.
 *
 * One reader of values serves all bodies, so a form is rewritten once and then read as any other body.  Browsers repair what
 * is malformed; here it is an error, since two readers could repair it in two ways.  Whether the bytes are text, and no name
 * occurs twice, is left to the reader of the object. */

#include "http/form.h"

#include <string.h>

#include "base/ascii.h"

#define GROWTH_MAX 6 /* bytes that a byte of a form can become: \u0001 */

/* Decodes len bytes at an offset of the body, and appends them as the content of a JSON string. */
static bool add_decoded(const char *body, size_t at, size_t len, struct buf *ret, struct fault *f)
{
	for (size_t end = at + len, step; at < end; at += step) {
		char byte = body[at];
		step = 1;
		if ((unsigned char)byte > 0x7f)
			return fault_set(f, FAULT_MALFORMED,
				"at byte %zu of the form there is a byte beyond ASCII, which a form writes as a percent code",
				at);
		if (byte == '+') {
			byte = ' ';
		} else if (byte == '%') {
			int code = end - at >= 3 ? ascii_hex(body + at + 1, 2) : -1;
			if (code < 0)
				return fault_set(f, FAULT_MALFORMED,
					"at byte %zu of the form there is a percent sign without two hexadecimal digits",
					at);
			byte = (char)code;
			step = 3;
		}
		if (byte == '\0')
			return fault_set(
				f, FAULT_MALFORMED, "at byte %zu of the form there is a NUL, which cannot be kept", at);
		buf_add_json(ret, &byte, 1);
	}
	return true;
}

static bool form_add_field(const char *body, size_t at, size_t len, struct buf *ret, struct fault *f)
{
	const char *equals = memchr(body + at, '=', len);
	size_t name = equals ? (size_t)(equals - body) - at : len, skipped = equals ? name + 1 : len;
	buf_add_text(ret, "\"");
	if (!add_decoded(body, at, name, ret, f))
		return false;
	buf_add_text(ret, "\":\"");
	if (!add_decoded(body, at + skipped, len - skipped, ret, f))
		return false;
	buf_add_text(ret, "\"");
	return true;
}

bool form_to_json(const char *body, size_t len, struct buf *ret, struct fault *f)
{
	size_t count = 0;
	buf_add_text(ret, "{");
	for (size_t at = 0, field; at < len; at += field + 1) {
		const char *end = memchr(body + at, '&', len - at);
		field = end ? (size_t)(end - body) - at : len - at;
		if (field == 0)
			continue;
		buf_add_text(ret, count++ ? "," : "");
		if (!form_add_field(body, at, field, ret, f))
			return false;
	}
	buf_add_text(ret, "}");
	if (buf_ok(ret))
		return true;
	/* A buffer that is full has no room for what a byte becomes; one that could not grow has. */
	if (ret->max - ret->len < GROWTH_MAX)
		return fault_set(
			f, FAULT_TOO_LARGE, "the fields of the form take more than %zu bytes as JSON", ret->max);
	return fault_set(f, FAULT_BUSY, "no memory for the fields of a form");
}
