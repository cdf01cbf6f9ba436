/* api_keys_file.c - the operator's file of keys. */

#include "auth/api_keys_file.h"

#include <string.h>

#include "auth/api_keys_read.h"
#include "base/file.h"
#include "json/scan.h"

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
	struct buf text = BUF_INIT(JSON_TEXT_MAX + 1);
	ret->count = 0;
	bool good = file_read(path, &text, &why);
	if (good)
		good = api_keys_read(path, text.data ? text.data : "", text.len, api_keys_file_pass_complaint, &l, ret);
	else if (!fault_set(&f, why.kind, "API_KEYS_FILE=%s: %s", path, why.text))
		report(f.text);
	if (text.data)
		explicit_bzero(text.data, text.cap); /* a key may have got into it */
	buf_finish(&text);
	return good;
}
