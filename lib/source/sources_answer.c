/* sources_answer.c - reads "answer" of a source: the status, the body and the Content-Type that its provider wants.
 *
 * Everything is checked when the configuration is read, so that a request only copies it.  What becomes a header has
 * printable ASCII alone and the form of a media type: no configuration can add a header of its own. */

#include "source/sources_answer.h"

#include <string.h>

#include "base/utf8.h"
#include "json/value.h"

#define STATUSES "200, 202 or 204 is wanted"

/* A token of RFC 9110, 5.6.2. */
static size_t media_token_length(const char *text)
{
	return strspn(text, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/* Whether a text is a media type with parameters, none of them a quoted string: "text/plain; charset=utf-8". */
static bool is_media_type(const char *text)
{
	size_t type = media_token_length(text);
	if (type == 0 || text[type] != '/')
		return false;
	text += type + 1;
	for (;;) {
		size_t len = media_token_length(text);
		text += len;
		if (len == 0 || !*text)
			return len > 0;
		if (*text != ';')
			return false;
		text++;
		text += strspn(text, " ");
		size_t name = media_token_length(text);
		if (name == 0 || text[name] != '=')
			return false;
		text += name + 1;
	}
}

static void read_status(const struct json_place *p, int *ret)
{
	int status;
	if (json_value_kind(p->value) != JSON_IS_NUMBER)
		json_config_complain(p, STATUSES);
	else if (!json_config_number(p, 0, 999, &status))
		return;
	else if (status != 200 && status != 202 && status != 204)
		json_config_complain(p, "%d: " STATUSES ", since providers send again after anything else", status);
	else
		*ret = status;
}

/* Unlike other texts of the configuration it may be empty, and may have lines. */
static bool read_body(const struct json_place *p, char ret[ANSWER_BODY_MAX + 1])
{
	char text[ANSWER_BODY_MAX + 1];
	size_t len;
	if (json_value_kind(p->value) != JSON_IS_STRING) {
		json_config_complain(
			p, "a string is wanted, and this is %s", json_kind_name(json_value_kind(p->value)));
	} else if (!json_value_text(p->value, text, sizeof text, &len)) {
		json_config_complain(p, "is longer than %d bytes", ANSWER_BODY_MAX);
	} else if (strlen(text) != len) {
		json_config_complain(p, "holds a NUL");
	} else if (!utf8_is_valid(text, len)) {
		json_config_complain(p, "holds half of a surrogate pair");
	} else {
		memcpy(ret, text, len + 1);
		return true;
	}
	return false;
}

static void answer_read_type(const struct json_place *p, char ret[ANSWER_TYPE_MAX + 1])
{
	char text[ANSWER_TYPE_MAX + 1];
	if (!json_config_text(p, ANSWER_TYPE_MAX, text))
		return;
	if (is_media_type(text))
		memcpy(ret, text, sizeof text);
	else
		json_config_complain(p, "\"%s\" is no media type, as text/plain and application/json are", text);
}

/* {"status": 200, "body": text, "type": "text/plain"}; all three are optional. */
static void read_object(const struct json_place *p, struct source_answer *ret)
{
	static const char *const names[] = {"status", "body", "type"};
	struct json_place member[3];
	json_config_members(p, names, member, 3);
	ret->status = 202;
	if (json_config_given(&member[0]))
		read_status(&member[0], &ret->status);
	if (json_config_given(&member[1]))
		ret->has_body = read_body(&member[1], ret->body);
	memcpy(ret->type, "text/plain", sizeof "text/plain");
	if (json_config_given(&member[2]))
		answer_read_type(&member[2], ret->type);
	if (json_config_given(&member[2]) && !json_config_given(&member[1]))
		json_config_complain(&member[2], "has no meaning without body");
	if (ret->status == 204 && *ret->body)
		json_config_complain(&member[1], "has no meaning beside the status 204, which has no body");
}

void sources_answer_read(const struct json_place *p, struct source_answer *ret)
{
	if (!json_config_given(p))
		return;
	if (json_value_kind(p->value) == JSON_IS_NUMBER)
		read_status(p, &ret->status);
	else if (json_value_kind(p->value) == JSON_IS_OBJECT)
		read_object(p, ret);
	else
		json_config_complain(p, STATUSES ", or an object such as {\"status\": 200, \"body\": \"OK\"}");
}
