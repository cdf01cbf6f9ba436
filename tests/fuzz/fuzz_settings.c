/* fuzz_settings.c - the input as an environment, one line NAME=value for each variable.  The value of
 * NAME_FILE is the content of that file: "|" stands for a line end in it, "~" for NUL. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "runtime/settings.h"

#define NAMES_MAX 100
#define PRINTED_MAX 65536
#define SECRET_MARK "s3cr3t" /* part of a secret, which must not appear in any output */

static char *names[NAMES_MAX];
static size_t name_count;
static int complaints;
static bool mark_may_show;

static void print(const struct settings *s, char ret[PRINTED_MAX])
{
	FILE *out = fmemopen(ret, PRINTED_MAX, "w");
	MUST_HOLD(out);
	settings_print(s, out);
	MUST_HOLD(!ferror(out) && ftell(out) < PRINTED_MAX - 1);
	fclose(out);
}

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < name_count; i++)
		if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0)
			return true;
	return false;
}

static void report(const char *complaint)
{
	size_t len = strspn(complaint, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	size_t name = len > 5 && memcmp(complaint + len - 5, "_FILE", 5) == 0 ? len - 5 : len;
	complaints++;
	MUST_HOLD(is_name(complaint, len) || is_name(complaint, name) || strncmp(complaint, "POSTGRES_*", 10) == 0);
	MUST_HOLD(strchr(complaint, ' ')); /* the reason is there besides the name, however long the value is */
	for (const char *c = complaint; *c; c++)
		MUST_HOLD((unsigned char)*c >= ' ' && *c != '\x7f');
	MUST_HOLD(mark_may_show || !strstr(complaint, SECRET_MARK));
}

/* Returns the next line that is not empty; NULL if there is none. */
static char *next_line(char **at)
{
	char *line;
	do
		line = strsep(at, "\n");
	while (line && !*line);
	return line;
}

/* The names of all settings, from settings_print() with an empty environment. */
static void learn_names(void)
{
	static char text[PRINTED_MAX];
	static struct settings s;
	MUST_HOLD(clearenv() == 0);
	MUST_HOLD(settings_read(&s, report));
	print(&s, text);
	for (char *at = text, *line; (line = next_line(&at));) {
		MUST_HOLD(name_count < NAMES_MAX && strchr(line, '='));
		names[name_count++] = strndup(line, strcspn(line, "="));
	}
	MUST_HOLD(name_count > 20);
}

static bool is_secret(const char *name)
{
	size_t len = strlen(name);
	return strcmp(name, "DATABASE_URL") == 0 || (len > 9 && strcmp(name + len - 9, "_PASSWORD") == 0);
}

/* Whether NAME_FILE names the file of a setting; only such files are opened. */
static bool is_place(const char *name)
{
	size_t len = strlen(name);
	return len > 5 && strcmp(name + len - 5, "_FILE") == 0 && is_name(name, len - 5);
}

static int files[NAMES_MAX];
static size_t file_count;

/* Creates an anonymous file with this content.  Returns the path by which it can be read. */
static const char *file_of(char *content)
{
	static char path[64];
	size_t len = strlen(content);
	int fd = memfd_create("secret", MFD_CLOEXEC);
	MUST_HOLD(fd >= 0 && file_count < NAMES_MAX);
	for (char *c = content; *c; c++)
		*c = (char)(*c == '|' ? '\n' : *c);
	for (size_t i = 0; i < len; i++)
		content[i] = (char)(content[i] == '~' ? '\0' : content[i]);
	MUST_HOLD(write(fd, content, len) == (ssize_t)len);
	files[file_count++] = fd;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;
}

static void set(char *line)
{
	char *value = strchr(line, '=');
	if (!value || value == line || file_count == NAMES_MAX)
		return;
	*value++ = '\0';
	if (!is_name(line, strlen(line)) && !is_place(line))
		return;
	char *mark = strstr(value, SECRET_MARK), *query = strchr(value, '?');
	bool is_hidden = is_secret(line) || (is_place(line) && strcmp(line, "POSTGRES_USER_FILE") != 0) ||
			 (strcmp(line, "PROCESSOR_URL") == 0 && query && query < mark);
	mark_may_show = mark_may_show || (mark && !is_hidden);
	MUST_HOLD(setenv(line, is_place(line) ? file_of(value) : value, 1) == 0);
}

static void must_be_in_range(const struct settings *s)
{
	MUST_HOLD(s->worker_metrics_port >= 0 && s->worker_metrics_port <= 65535);
	MUST_HOLD(s->worker_slots >= 1 && s->max_attempts >= 1 && s->processor_timeout_ms >= 1);
	MUST_HOLD(s->transactions_keep_days == 0 || s->transactions_keep_days > 30);
	MUST_HOLD(s->extra_currencies.count >= 0 && s->extra_currencies.count <= CURRENCY_EXTRA_MAX);
	MUST_HOLD(memchr(s->database, '\0', sizeof s->database));
	MUST_HOLD(!*s->database_url || strcmp(s->database, s->database_url) == 0);
	MUST_HOLD(*s->database_url || !*s->database == !*s->postgres_host);
}

/* The printed settings, set as they are, give the same settings again; only hidden values stay as they were. */
static void must_survive_a_round(const struct settings *s)
{
	static char text[PRINTED_MAX], again_text[PRINTED_MAX], lines[PRINTED_MAX];
	static struct settings again;
	print(s, text);
	MUST_HOLD(mark_may_show || !strstr(text, SECRET_MARK));
	memcpy(lines, text, sizeof lines);
	for (char *at = lines, *line; (line = next_line(&at));) {
		char *value = strchr(line, '=');
		MUST_HOLD(value);
		*value++ = '\0';
		MUST_HOLD(is_name(line, strlen(line)));
		if (strstr(value, "(set)"))
			continue;
		MUST_HOLD(setenv(line, value, 1) == 0);
		/* Printed, wherever it came from; both would be refused. */
		if (strcmp(line, "POSTGRES_USER") == 0)
			MUST_HOLD(unsetenv("POSTGRES_USER_FILE") == 0);
	}
	MUST_HOLD(settings_read(&again, report));
	print(&again, again_text);
	MUST_HOLD(strcmp(text, again_text) == 0);
	MUST_HOLD(strcmp(s->database, again.database) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct settings s, before;
	char *text = malloc(len + 1);
	MUST_HOLD(text);
	if (name_count == 0)
		learn_names();
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	MUST_HOLD(clearenv() == 0);
	mark_may_show = false;
	for (char *at = text, *line; (line = next_line(&at));)
		set(line);
	memset(&s, 0x5a, sizeof s);
	before = s;
	complaints = 0;
	if (settings_read(&s, report)) {
		MUST_HOLD(complaints == 0);
		must_be_in_range(&s);
		must_survive_a_round(&s);
	} else {
		MUST_HOLD(complaints > 0 && memcmp(&s, &before, sizeof s) == 0);
	}
	while (file_count > 0)
		close(files[--file_count]);
	free(text);
	return 0;
}
