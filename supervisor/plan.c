/* plan.c - reads what to start. */

#define _GNU_SOURCE /* sigabbrev_np() */

#include "plan.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MOST_MS 600000

static bool plan_number(const char *text, int most, int *ret)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < 0 || n > most)
		return false;
	*ret = (int)n;
	return true;
}

static bool plan_signal(const char *text, int *ret)
{
	for (int n = 1; n < NSIG; n++) {
		const char *name = sigabbrev_np(n);
		if (name && strcmp(name, text) == 0) {
			*ret = n;
			return true;
		}
	}
	return false;
}

/* Returns the value if the word is "name=value", otherwise NULL. */
static const char *value_of(const char *word, const char *name)
{
	size_t len = strlen(name);
	return strncmp(word, name, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

static bool plan_option(const char *word, struct plan_item *ret)
{
	const char *value;
	if ((value = value_of(word, "user")))
		return ret->user = value, true;
	if ((value = value_of(word, "own_log")))
		return ret->own_log = value, true;
	if ((value = value_of(word, "wave")))
		return plan_number(value, PLAN_ITEMS_MAX, &ret->wave);
	if ((value = value_of(word, "patience_ms")))
		return plan_number(value, PATIENCE_MOST_MS, &ret->patience_ms);
	if ((value = value_of(word, "stop")))
		return plan_signal(value, &ret->stop);
	if ((value = value_of(word, "stop_again")))
		return plan_signal(value, &ret->stop_again);
	if ((value = value_of(word, "orphans")))
		return plan_signal(value, &ret->orphans);
	if ((value = value_of(word, "reopen")))
		return plan_signal(value, &ret->reopen);
	return false;
}

/* Reads the options between the name and "--".  The variables are moved to the front of these words, and the list is ended
 * in the place of "--" at the latest. */
static bool plan_options_read(char **at, char **end, struct plan_item *ret, struct fault *f)
{
	char **variables = ret->environment = at;
	for (; at < end; at++) {
		const char *variable = value_of(*at, "env");
		if (variable && *variable != '=' && strchr(variable, '='))
			*variables++ = *at + sizeof "env=" - 1;
		else if (!ret->is_part || !plan_option(*at, ret))
			return fault_set(f, FAULT_INPUT, "%s: \"%s\" is not an option", ret->name, *at);
	}
	*variables = NULL;
	return true;
}

/* Reads one item from *word on, and moves *word behind its ";". */
static bool plan_item_read(char ***word, char **end, struct plan_item *ret, struct fault *f)
{
	char **at = *word;
	*ret = (struct plan_item){.stop = SIGTERM, .patience_ms = 5000, .stop_again = SIGKILL};
	ret->is_part = strcmp(*at, "part") == 0;
	if (!ret->is_part && strcmp(*at, "step") != 0)
		return fault_set(f, FAULT_INPUT, "\"%s\" is neither part nor step", *at);
	if (++at == end || strcmp(*at, "--") == 0)
		return fault_set(f, FAULT_INPUT, "a %s has no name", at[-1]);
	ret->name = *at++;
	char **options = at;
	while (at < end && strcmp(*at, "--") != 0)
		at++;
	if (at == end)
		return fault_set(f, FAULT_INPUT, "%s: no \"--\"", ret->name);
	if (!plan_options_read(options, at, ret, f))
		return false;
	ret->command = ++at;
	while (at < end && strcmp(*at, ";") != 0)
		at++;
	if (at == end || at == ret->command)
		return fault_set(f, FAULT_INPUT, "%s: no command between \"--\" and \";\"", ret->name);
	*at = NULL;
	*word = at + 1;
	return true;
}

/* Splits what the descriptor has into words; *ret_count of them. */
static bool plan_words(int fd, char *words[PLAN_WORDS_MAX], int *ret_count, struct fault *f)
{
	static char text[PLAN_TEXT_MAX];
	size_t len = 0;
	ssize_t n;
	while ((n = read(fd, text + len, sizeof text - len)) > 0 || (n < 0 && errno == EINTR))
		len += n > 0 ? (size_t)n : 0;
	if (n < 0)
		return fault_set(f, FAULT_INPUT, "standard input: %s", strerror(errno));
	if (len == sizeof text || (len > 0 && text[len - 1] != '\0'))
		return fault_set(f, FAULT_INPUT, "the plan is too long, or its last word does not end");
	*ret_count = 0;
	for (char *at = text; at < text + len; at += strlen(at) + 1) {
		if (*ret_count == PLAN_WORDS_MAX)
			return fault_set(f, FAULT_INPUT, "the plan has more than %d words", PLAN_WORDS_MAX);
		words[(*ret_count)++] = at;
	}
	return true;
}

bool plan_read(int fd, struct plan *ret, struct fault *f)
{
	static char *words[PLAN_WORDS_MAX];
	int count = 0;
	if (!plan_words(fd, words, &count, f))
		return false;
	for (char **word = words; word < words + count; ret->count++) {
		if (ret->count == PLAN_ITEMS_MAX)
			return fault_set(f, FAULT_INPUT, "the plan has more than %d items", PLAN_ITEMS_MAX);
		if (!plan_item_read(&word, words + count, &ret->items[ret->count], f))
			return false;
	}
	if (ret->count == 0)
		return fault_set(f, FAULT_INPUT, "the plan is empty; \"./payhook up\" starts this program");
	return true;
}
