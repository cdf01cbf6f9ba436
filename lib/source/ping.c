/* ping.c - recognises the requests by which a provider tries an endpoint.
 *
 * Such a request is not authenticated, and whatever it looks like, it stores nothing.  What matters is the other direction:
 * no event may be taken for a ping, since it would be answered and lost.  Hence it is the whole body that is looked at, and
 * words that stand for events are refused when the configuration is read (ping_config.c). */

#include "source/ping.h"

#include <string.h>

#include "http/content_type.h"
#include "json/scan.h"

/* Whether the body is "field=value", and has no other field. */
static bool ping_is_form(const struct ping *p, const char *content_type, const char *body, size_t len)
{
	struct fault f;
	size_t name = strlen(p->field);
	return content_type_fits(content_type, CONTENT_TYPE_FORM, &f) && len > name &&
	       memcmp(body, p->field, name) == 0 && body[name] == '=' &&
	       !memchr(body + name + 1, '&', len - name - 1) && !memchr(body + name + 1, '=', len - name - 1);
}

/* A body that is no JSON is no ping; it is refused later, by what it breaks. */
static bool has_member(const struct ping *p, const char *content_type, const char *body, size_t len)
{
	struct fault f;
	if (!content_type_fits(content_type, CONTENT_TYPE_JSON, &f) || !json_scan(body, len, &f))
		return false;
	struct places in = places_of(json_value_of(body, len));
	struct filter_search search = {.in = &in};
	return filter_holds(&search, &p->condition, 1);
}

static bool ping_has_header(const struct ping *p, const struct places_request *request)
{
	const struct mapping_condition *c = &p->condition;
	const char *value = request->header(request->ctx, place_header(c->at));
	for (int i = 0; value && i < c->count; i++) {
		if (strcmp(value, c->words[i]) == 0)
			return true;
	}
	return false;
}

bool ping_is(const struct ping *p, const struct places_request *request, const char *content_type, const char *body,
	size_t len)
{
	switch (p->kind) {
	case PING_NONE:
		break;
	case PING_FORM:
		return ping_is_form(p, content_type, body, len);
	case PING_MEMBER:
		return has_member(p, content_type, body, len);
	case PING_HEADER:
		return ping_has_header(p, request);
	}
	return false;
}
