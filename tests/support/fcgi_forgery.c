/* fcgi_forgery.c - builds FastCGI records that an attacker could place in the body of a request. */

#include "support/fcgi_forgery.h"

#include <stdio.h>
#include <string.h>

#include "support/client.h"
#include "support/instance.h"

enum role { RESPONDER = 1, AUTHORIZER = 2, FILTER = 3 };

#define DATA ((enum record_type)8)

static size_t record_add_padded(
	char *at, enum record_type type, int request, const char *content, size_t len, size_t padding)
{
	const char head[8] = {1, (char)type, 0, (char)request, (char)(len >> 8), (char)(len & 255), (char)padding, 0};

	memcpy(at, head, 8);
	memcpy(at + 8, content, len);
	memset(at + 8 + len, 'p', padding);
	return 8 + len + padding;
}

size_t record_add(char *at, enum record_type type, int request, const char *content, size_t len)
{
	return record_add_padded(at, type, request, content, len, 0);
}

static size_t add_param(char *at, const char *name, const char *value)
{
	at[0] = (char)strlen(name);
	at[1] = (char)strlen(value);
	memcpy(at + 2, name, strlen(name));
	memcpy(at + 2 + strlen(name), value, strlen(value));
	return 2 + strlen(name) + strlen(value);
}

static size_t add_begin(char *at, int request, enum role role, bool keeps)
{
	const char content[8] = {0, (char)role, keeps, 0};

	return record_add(at, BEGIN_REQUEST, request, content, sizeof(content));
}

static size_t add_values(char *at)
{
	static const char *const names[] = {"FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"};
	char content[1500];
	size_t len = 0;

	for (int n = 0; n < 60; n++)
		len += add_param(content + len, names[n % 3], "");
	return record_add(at, GET_VALUES, 0, content, len);
}

static size_t add_streams(char *at, int request, const char *id, bool is_filter, size_t padding)
{
	char params[1024], body[WEBHOOK_MAX], length[16];
	size_t len = 0, params_len = 0;

	webhook_simple(id, body);
	snprintf(length, sizeof(length), "%zu", strlen(body));
	params_len += add_param(params + params_len, "REQUEST_METHOD", "POST");
	params_len += add_param(params + params_len, "REQUEST_URI", WEBHOOKS);
	params_len += add_param(params + params_len, "CONTENT_TYPE", "application/json");
	params_len += add_param(params + params_len, "CONTENT_LENGTH", length);
	params_len += add_param(params + params_len, "PAYHOOK_REQUEST_ID", "forged");
	params_len += add_param(params + params_len, "PAYHOOK_METRICS", "yes");
	len += record_add_padded(at + len, PARAMS, request, params, params_len, padding);
	len += record_add_padded(at + len, PARAMS, request, "", 0, padding);
	len += record_add_padded(at + len, STDIN, request, body, strlen(body), padding);
	len += record_add_padded(at + len, STDIN, request, "", 0, padding);
	if (is_filter)
		len += record_add_padded(at + len, DATA, request, "", 0, padding);
	return len;
}

size_t fcgi_forgery(char *at, enum forgery kind, const char *id)
{
	int request = kind == FORGED_SECOND ? 2 : 1;
	enum role role = kind == FORGED_AUTHORIZER ? AUTHORIZER : kind == FORGED_FILTER ? FILTER : RESPONDER;
	size_t len = 0;

	if (kind == FORGED_AFTER_ABORT)
		len += record_add(at + len, ABORT_REQUEST, 1, "", 0);
	if (kind == FORGED_AFTER_END) {
		len += record_add(at + len, PARAMS, 1, "", 0);
		len += record_add(at + len, STDIN, 1, "", 0);
	}
	if (kind == FORGED_VALUES)
		len += add_values(at + len);
	if (kind == FORGED_TWICE)
		len += add_begin(at + len, request, role, true);
	len += add_begin(at + len, request, role, kind != FORGED_LAST);
	return len + add_streams(at + len, request, id, kind == FORGED_FILTER, kind == FORGED_PADDED ? 7 : 0);
}

/* A record that is to be skipped must have content; otherwise libfcgi skips the next record's. */
void fcgi_forgery_body(char *body, size_t len, int shift, enum forgery kind, const char *id)
{
	char forged[FORGED_MOST];
	size_t forged_len = fcgi_forgery(forged, kind, id);
	size_t at = (size_t)shift;

	memset(body, ' ', len);
	while (at + FORGED_SHIFTS + forged_len <= len)
		at += record_add(body + at, STDIN, 2, "skipped.", 8);
	memcpy(body + at, forged, at + forged_len <= len ? forged_len : len - at);
}
