/* signature_report.c - writes the reports of verifications, and names their causes. */

#include "auth/signature_report.h"

#include <stdarg.h>

#include "base/utf8.h"

static const char *const CAUSE_NAMES[SIGNATURE_CAUSE_COUNT] = {
	[SIGNATURE_GOOD] = "good",
	[SIGNATURE_MISSING] = "missing",
	[SIGNATURE_MALFORMED] = "malformed",
	[SIGNATURE_UNSUPPORTED] = "unsupported",
	[SIGNATURE_OLD] = "old",
	[SIGNATURE_FUTURE] = "future",
	[SIGNATURE_EXPIRED] = "expired",
	[SIGNATURE_WRONG_URL] = "wrong_url",
	[SIGNATURE_WRONG] = "wrong",
	[SIGNATURE_FAILED] = "failed",
};

const char *signature_cause_name(enum signature_cause cause)
{
	return CAUSE_NAMES[cause];
}

void signature_write(struct signature_report *r, enum signature_cause cause, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	utf8_format(r->text, sizeof r->text, format, args);
	va_end(args);
	r->cause = cause;
}
