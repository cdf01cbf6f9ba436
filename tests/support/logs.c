/* logs.c - checks the form of log lines and finds lines in the logs. */

#include "support/logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <json-c/json.h>

#include "base/base.h"
#include "support/calm.h"

#define WAIT_MS 5000 /* nginx flushes its lines within a second */

/* The members that a line may have, with their types; those with true must be present. */
static const struct {
	const char *name;
	enum json_type type;
	bool always;
} MEMBERS[] = {
	{"time", json_type_string, true},
	{"level", json_type_string, true},
	{"program", json_type_string, true},
	{"pid", json_type_int, true},
	{"event", json_type_string, true},
	{"request_id", json_type_string, false},
	{"transaction_id", json_type_string, false},
	{"trace_id", json_type_string, false},
	{"attempt", json_type_int, false},
	{"duration", json_type_double, false},
	{"status", json_type_int, false},
};

/* The accounts of client.c's webhooks, and members of a body. */
static const char *const SECRETS[] = {
	"acc_user_789", "acc_merchant_456", "source_account\\\"", "\"amount\"", "\"currency\"", "password"};

/* Lines that multiwatch itself writes when a responder has died. */
static const char *const FOREIGN[] = {"Child[", "Spawning child["};

static bool is_foreign(const char *line)
{
	for (size_t n = 0; n < COUNT_OF(FOREIGN); n++)
		if (strncmp(line, FOREIGN[n], strlen(FOREIGN[n])) == 0)
			return true;
	return false;
}

/* "2026-02-19T12:00:00.123Z" */
static bool is_time(const char *text)
{
	const char *form = "dddd-dd-ddTdd:dd:dd.dddZ";

	for (; *form != '\0'; form++, text++)
		if (*form == 'd' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	return *text == '\0';
}

static bool is_level(const char *text)
{
	const char *levels[] = {"error", "warn", "info", "debug"};

	for (size_t n = 0; n < COUNT_OF(levels); n++)
		if (strcmp(text, levels[n]) == 0)
			return true;
	return false;
}

static bool is_well_formed(json_object *o)
{
	json_object *member;

	if (!json_object_is_type(o, json_type_object))
		return false;
	for (size_t n = 0; n < COUNT_OF(MEMBERS); n++) {
		bool there = json_object_object_get_ex(o, MEMBERS[n].name, &member);
		if (there ? !json_object_is_type(member, MEMBERS[n].type) : MEMBERS[n].always)
			return false;
	}
	return is_time(json_object_get_string(json_object_object_get(o, "time"))) &&
	       is_level(json_object_get_string(json_object_object_get(o, "level")));
}

static bool line_is_well_formed(const char *line)
{
	if (is_foreign(line))
		return true;
	for (size_t n = 0; n < COUNT_OF(SECRETS); n++)
		if (strstr(line, SECRETS[n]) != NULL)
			return false;
	json_tokener *tokener = json_tokener_new();
	json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	json_object *o = json_tokener_parse_ex(tokener, line, (int)strlen(line));
	bool good = is_well_formed(o);
	json_object_put(o);
	json_tokener_free(tokener);
	return good;
}

static FILE *open_log(const struct instance *i, const char *part)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/state/log/%s.log", i->folder, part);
	return fopen(path, "re");
}

bool logs_are_well_formed(const struct instance *i, char *trouble, size_t size)
{
	const char *parts[] = {"pool", "worker", "access"};
	char *line = NULL;
	size_t room = 0;
	bool good = true;

	for (size_t n = 0; n < COUNT_OF(parts) && good; n++) {
		FILE *f = open_log(i, parts[n]);
		while (good && f != NULL && getline(&line, &room, f) > 0)
			good = line_is_well_formed(line);
		if (!good)
			snprintf(trouble, size, "a line of %s.log is not of the shape: %s", parts[n], line);
		if (f != NULL)
			fclose(f);
	}
	free(line);
	return good;
}

bool logs_find(const char *part, const char *text, const char *other, char *ret_line, size_t size)
{
	FILE *f = open_log(instance(), part);
	bool found = false;

	while (f != NULL && !found && fgets(ret_line, (int)size, f) != NULL)
		found = strstr(ret_line, text) != NULL && strstr(ret_line, other) != NULL;
	if (f != NULL)
		fclose(f);
	return found;
}

int logs_count(const char *part, const char *text, const char *other)
{
	FILE *f = open_log(instance(), part);
	char *line = NULL;
	size_t room = 0;
	int count = 0;

	while (f != NULL && getline(&line, &room, f) > 0)
		count += strstr(line, text) != NULL && strstr(line, other) != NULL;
	if (f != NULL)
		fclose(f);
	free(line);
	return count;
}

void logs_wait(const char *part, const char *text, const char *other, char *ret_line, size_t size)
{
	long long deadline = calm_ms() + WAIT_MS;

	while (!logs_find(part, text, other, ret_line, size)) {
		cr_assert(calm_ms() < deadline, "%s.log has no line with %s and %s", part, text, other);
		pause_a_little();
	}
}
