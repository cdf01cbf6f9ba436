#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "json/value.h"
#include "source/places.h"

/* The conditions by which a source decides what an item is. */

#define MAPPING_POINTER_MAX 127  /* bytes */
#define MAPPING_CONDITIONS_MAX 4 /* conditions of a filter */
#define MAPPING_WORDS_MAX 16     /* words of a condition */
#define MAPPING_WORD_MAX 127     /* bytes */
#define FILTER_SOUGHT_MAX 4      /* values that are remembered; as many as a filter has conditions */

/* A condition holds if the value at the pointer equals one of the words, or if it is left out. */
struct mapping_condition {
	char at[MAPPING_POINTER_MAX + 1];
	bool is_absent; /* the value has to be left out; there are no words then */
	int count;
	char words[MAPPING_WORDS_MAX][MAPPING_WORD_MAX + 1];
};

/* Values of an item that were sought last: the filters of a source ask for the same few places, and each search reads the
 * item up to the value, or to its end.  Starts as {.in = places}. */
struct filter_search {
	const struct places *in;
	int count;
	const char *at[FILTER_SOUGHT_MAX];
	struct json_value value[FILTER_SOUGHT_MAX]; /* len 0: there is none */
};

/* Whether a value equals a word: a string with its escapes decoded, a number, true and false as they are written. */
bool filter_is_word(struct json_value v, const char *word);

/* Whether a member counts as left out: it is absent (len 0), null or "". */
bool filter_leaves_out(const struct json_value *v);

/* Whether all conditions hold; without conditions they do. */
bool filter_holds(struct filter_search *s, const struct mapping_condition *list, int count);
