/* api_keys_file.c - reads the operator's file of API keys into memory and wipes its text afterwards.  The content is
 * left to api_keys_read.h. */

#include "auth/api_keys_file.h"

#include <string.h>

#include "auth/api_keys_read.h"
#include "base/file.h"
#include "json/scan.h"

/* Adapts the caller's report, which has no context, to that of api_keys_read(). */
struct loading {
	void (*report)(const char *complaint);
};

static void api_keys_file_pass_complaint(void *ctx, const char *complaint)
{
	struct loading *l = ctx;
	l->report(complaint);
}

bool api_keys_load(const char *path, void (*report)(const char *complaint), struct api_keys *ret)
{
	struct loading l = {.report = report};
	struct fault f, why;
	/* One byte more than a document may have: a file that is too long is reported as such, and is not cut. */
	struct buf text = BUF_INIT(JSON_TEXT_MAX + 1);
	ret->count = 0;
	bool good = file_read(path, &text, &why);
	if (good)
		good = api_keys_read(path, text.data ? text.data : "", text.len, api_keys_file_pass_complaint, &l, ret);
	else if (!fault_set(&f, why.kind, "API_KEYS_FILE=%s: %s", path, why.text))
		report(f.text);
	if (text.data)
		explicit_bzero(text.data, text.cap); /* an operator may have written a key into it */
	buf_finish(&text);
	return good;
}
