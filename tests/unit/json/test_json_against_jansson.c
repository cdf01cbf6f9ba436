/* test_json_against_jansson.c - compares json_scan() with jansson, an independent strict parser, and accepted texts with
 * json-c as well: on the fuzz corpora, on random documents of the grammar, and on such documents with small changes.  The
 * parsers accept and reject alike, except where the table lists an intended difference, which is tested too:
 *
 *                                               json_scan()   jansson 2.14, JSON_REJECT_DUPLICATES
 *   an array at the top                         rejects       accepts; within an object: alike
 *   more than JSON_DEPTH_MAX levels             rejects       accepts up to 2048
 *   more than JSON_TEXT_MAX bytes               rejects       accepts
 *   a NUL behind a number or a word             rejects       accepts, as if it were a space
 *   a number beyond its type                    accepts       rejects; with fewer digits: alike
 *   \u0000, half of a surrogate pair            accepts       rejects; with another escape: alike
 *
 * Both reject a duplicate name, a byte order mark, and bytes that are not UTF-8.  What both accept, json-c accepts too, and json/value.h finds the same members and values in it as the two others. */

#include <criterion/criterion.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "json/scan.h"
#include "json/value.h"
#include "support/json_author.h"
#include "support/json_c_reader.h"

#define DOCUMENTS 100000
#define CHANGED_MAX 8192
#define SEED 20260219

static const char alphabet[] =
	"{}[]:,\"\\ \n0123459-+.eEabcdtrufalsn/'\t\x01\x1f\x7f\x80\xa9\xbf\xc0\xc3\xe2\xed\xf0\xf4\xff\0";

/* Replaces, removes or inserts one byte, or repeats a part. */
static size_t change(struct author *a, char *text, size_t len, size_t max)
{
	size_t at = author_below(a, (unsigned)len), part = 1 + author_below(a, 8);
	char byte = alphabet[author_below(a, sizeof alphabet - 1)];
	switch (author_below(a, 4)) {
	case 0:
		text[at] = byte;
		return len;
	case 1:
		memmove(text + at, text + at + 1, len - at - 1);
		return len - 1;
	case 2:
		part = 1;
		break;
	default:
		break;
	}
	if (at + part > len || len + part > max)
		return len;
	memmove(text + at + part, text + at, len - at);
	if (part == 1)
		text[at] = byte;
	return len + part;
}

static int unit_at(const char *text, size_t len, size_t at)
{
	return len - at >= 6 && text[at] == '\\' && text[at + 1] == 'u' ? ascii_hex(text + at + 2, 4) : -1;
}

/* Replaces each \u0000 and each escape of half of a surrogate pair by that of a character for private use, another one for
 * each of them.  Returns whether there was any. */
static bool mend(char *text, size_t len)
{
	bool has_any = false;
	for (size_t i = 0; i < len; i++) {
		int unit = unit_at(text, len, i);
		if (text[i] != '\\')
			continue;
		if (utf8_is_first_half(unit) && utf8_is_second_half(unit_at(text, len, i + 6))) {
			i += 11;
		} else if (unit == 0 || utf8_is_first_half(unit) || utf8_is_second_half(unit)) {
			char escape[8];
			snprintf(escape, sizeof escape, "\\u%04x", unit ? (unsigned)unit + 0x800 : 0xe9ffu);
			memcpy(text + i, escape, 6);
			has_any = true;
			i += 5;
		} else {
			i++;
		}
	}
	return has_any;
}

/* A copy in which a run of digits outside strings has at most two, and the escapes are mended: equally well-formed, and
 * without what jansson rejects. */
static char *softened(const char *text, size_t len, size_t *ret_len, bool *is_mended)
{
	char *ret = malloc(len + 1), *to = ret;
	bool in_string = false;
	int run = 0;
	for (size_t i = 0; i < len; i++) {
		run = text[i] >= '0' && text[i] <= '9' ? run + 1 : 0;
		if (in_string || run <= 2)
			*to++ = text[i];
		if (text[i] == '"')
			in_string = !in_string;
		else if (in_string && text[i] == '\\' && i + 1 < len)
			*to++ = text[++i];
	}
	*ret_len = (size_t)(to - ret);
	*is_mended = mend(ret, *ret_len);
	return ret;
}

/* Only for a text that jansson has accepted. */
static int levels(const char *text, size_t len)
{
	bool in_string = false;
	int level = 0, deepest = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			in_string = !in_string;
		else if (in_string)
			i += text[i] == '\\';
		else if (text[i] == '{' || text[i] == '[')
			deepest = ++level > deepest ? level : deepest;
		else if (text[i] == '}' || text[i] == ']')
			level--;
	}
	return deepest;
}

static bool same_value(struct json_value ours, const json_t *theirs);

static bool same_text(struct json_value ours, const json_t *theirs)
{
	static char text[JSON_TEXT_MAX];
	size_t len;
	return json_value_text(ours, text, sizeof text, &len) && len == json_string_length(theirs) &&
	       memcmp(text, json_string_value(theirs), len) == 0;
}

/* Without json_object_get() and json_object_foreach(): json-c, which is linked as well, has functions with these
 * names. */
static bool same_members(struct json_value ours, const json_t *theirs)
{
	struct json_value name, value;
	size_t count = 0;
	for (struct json_walk w = json_walk_into(ours); json_walk_next(&w, &name, &value); count++) {
		char *text = malloc(name.len);
		size_t len;
		bool same = json_value_text(name, text, name.len, &len) &&
			    same_value(value, json_object_getn(theirs, text, len));
		free(text);
		if (!same)
			return false;
	}
	return json_is_object(theirs) && count == json_object_size(theirs);
}

static bool same_elements(struct json_value ours, const json_t *theirs)
{
	struct json_value value;
	size_t count = 0;
	for (struct json_walk w = json_walk_into(ours); json_walk_next(&w, NULL, &value); count++)
		if (!same_value(value, json_array_get(theirs, count)))
			return false;
	return json_is_array(theirs) && count == json_array_size(theirs);
}

static bool same_number(struct json_value ours, const json_t *theirs)
{
	char text[400];
	if (!json_is_number(theirs) || ours.len >= sizeof text)
		return json_is_number(theirs);
	memcpy(text, ours.at, ours.len);
	text[ours.len] = '\0';
	return strtod(text, NULL) == json_number_value(theirs);
}

static bool same_value(struct json_value ours, const json_t *theirs)
{
	switch (json_value_kind(ours)) {
	case JSON_IS_OBJECT:
		return same_members(ours, theirs);
	case JSON_IS_ARRAY:
		return same_elements(ours, theirs);
	case JSON_IS_STRING:
		return same_text(ours, theirs);
	case JSON_IS_NUMBER:
		return same_number(ours, theirs);
	case JSON_IS_TRUE:
		return json_is_true(theirs);
	case JSON_IS_FALSE:
		return json_is_false(theirs);
	case JSON_IS_NULL:
		return json_is_null(theirs);
	}
	return false;
}

static bool put_into_an_object(const char *text, size_t len)
{
	struct buf b = BUF_INIT(JSON_TEXT_MAX * 2);
	struct fault f;
	buf_add_text(&b, "{\"\":");
	buf_add(&b, text, len);
	buf_add_text(&b, "}");
	bool good = json_scan(b.data, b.len, &f);
	buf_finish(&b);
	return good;
}

/* jansson's tree of a text without NUL; NULL if jansson rejects it. */
static json_t *second_opinion(const char *text, size_t len)
{
	json_error_t error;
	size_t soft_len;
	bool is_mended;
	char *soft = softened(text, len, &soft_len, &is_mended);
	json_t *tree = json_loadb(soft, soft_len, JSON_REJECT_DUPLICATES, NULL);
	if (is_mended) {
		json_t *raw = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
		cr_expect_null(raw, "%.*s: jansson has changed its mind", (int)len, text);
		json_decref(raw);
	} else if (soft_len != len) {
		json_t *raw = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
		cr_expect(!raw == !tree || (tree && json_error_code(&error) == json_error_numeric_overflow),
			"%.*s: fewer digits change more than a number: %s", (int)len, text, error.text);
		json_decref(raw);
	}
	free(soft);
	return tree;
}

struct result {
	bool ours, theirs; /* accepted */
};

static struct result judge_without_nul(const char *text, size_t len)
{
	struct fault f;
	bool ours = json_scan(text, len, &f);
	json_t *theirs = second_opinion(text, len);
	if (len > JSON_TEXT_MAX) {
		cr_expect(!ours && f.kind == FAULT_TOO_LARGE, "%zu bytes are taken", len);
	} else if (ours) {
		size_t soft_len;
		bool is_mended;
		char *soft = softened(text, len, &soft_len, &is_mended);
		cr_expect(json_scan(soft, soft_len, &f), "%.*s", (int)soft_len, soft);
		cr_expect(json_is_object(theirs), "%.*s: jansson alone says no", (int)len, text);
		cr_expect_leq(levels(text, len), JSON_DEPTH_MAX, "%.*s is too deep", (int)len, text);
		cr_expect(same_value(json_value_of(soft, soft_len), theirs), "%.*s: jansson reads another thing",
			(int)len, text);
		cr_expect(json_c_reads_it(soft, soft_len), "%.*s: json-c reads another thing", (int)len, text);
		free(soft);
	} else if (json_is_array(theirs)) {
		cr_expect_eq(put_into_an_object(text, len), levels(text, len) < JSON_DEPTH_MAX, "%.*s: in an object",
			(int)len, text);
	} else if (theirs) {
		cr_expect_gt(levels(text, len), JSON_DEPTH_MAX, "%.*s: we alone say no: %s", (int)len, text, f.text);
	}
	json_decref(theirs);
	return (struct result){ours, theirs != NULL};
}

/* Whether each parser accepts the text, after all comparisons. */
static struct result judge(const char *text, size_t len)
{
	struct fault f;
	if (!memchr(text, '\0', len))
		return judge_without_nul(text, len);
	cr_expect(!json_scan(text, len, &f), "a NUL is accepted");
	json_t *theirs = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (theirs) {
		char *copy = malloc(len);
		for (size_t i = 0; i < len; i++)
			copy[i] = (char)(text[i] ? text[i] : ' ');
		cr_expect(judge_without_nul(copy, len).theirs, "%.*s: jansson takes a NUL for more than space",
			(int)len, copy);
		free(copy);
	}
	json_decref(theirs);
	return (struct result){false, theirs != NULL};
}

/* Judges all files of a directory of the fuzz corpus.  Returns their number. */
static int judge_folder(const char *name)
{
	static char text[256 * 1024];
	char path[4096];
	snprintf(path, sizeof path, CORPUS "/%s", name);
	DIR *folder = opendir(path);
	cr_assert(folder, "no folder %s", path);
	int count = 0;
	for (struct dirent *entry; (entry = readdir(folder));) {
		snprintf(path, sizeof path, CORPUS "/%s/%s", name, entry->d_name);
		FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
		if (!file)
			continue;
		size_t len = fread(text, 1, sizeof text, file);
		fclose(file);
		judge(text, len);
		count++;
	}
	closedir(folder);
	return count;
}

Test(json_against_jansson, judges_the_fuzz_corpora_alike)
{
	static const char *const folders[] = {"json_scan", "txn_json", "mapping", "sources"};
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		cr_expect_gt(judge_folder(folders[i]), 10, "%s has few files", folders[i]);
}

Test(json_against_jansson, judges_documents_of_the_grammar_as_they_were_meant)
{
	struct author a = {.state = SEED};
	struct buf text = BUF_INIT(JSON_TEXT_MAX);
	unsigned seen = 0;
	int good = 0;
	for (int i = 0; i < DOCUMENTS; i++) {
		author_write(&a, &text);
		cr_assert(buf_ok(&text));
		struct result parsed = judge(text.data, text.len);
		bool wanted = (a.quirks & ~(unsigned)(QUIRK_HUGE | QUIRK_NUL | QUIRK_SURROGATE)) == 0;
		cr_expect_eq(parsed.ours, wanted, "%s: quirks %#x", text.data, a.quirks);
		wanted = (a.quirks & (QUIRK_TWICE | QUIRK_MARK)) == 0;
		cr_expect_eq(parsed.theirs, wanted, "%s: quirks %#x: jansson", text.data, a.quirks);
		seen |= a.quirks;
		good += a.quirks == 0;
	}
	cr_expect_eq(seen, QUIRK_MARK * 2 - 1, "some quirk was never written: %#x", seen);
	cr_expect_gt(good, DOCUMENTS * 9 / 10, "%d have no quirk", good);
	buf_finish(&text);
}

Test(json_against_jansson, judges_changed_documents_alike)
{
	struct author a = {.state = SEED + 1};
	struct buf text = BUF_INIT(JSON_TEXT_MAX);
	char changed[CHANGED_MAX];
	int accepted = 0;
	for (int i = 0; i < DOCUMENTS; i++) {
		author_write(&a, &text);
		size_t len = text.len < sizeof changed ? text.len : sizeof changed;
		memcpy(changed, text.data, len);
		for (unsigned changes = 1 + author_below(&a, 3); changes > 0 && len > 1; changes--)
			len = change(&a, changed, len, sizeof changed);
		accepted += judge(changed, len).ours;
	}
	cr_expect_gt(accepted, DOCUMENTS / 20, "the changes leave too little that is good: %d", accepted);
	cr_expect_lt(accepted, DOCUMENTS * 3 / 4, "the changes leave too much that is good: %d", accepted);
	buf_finish(&text);
}

static void contains(const char *text, size_t len, bool ours, bool theirs)
{
	struct result parsed = judge(text, len);
	cr_expect_eq(parsed.ours, ours, "%.20s", text);
	cr_expect_eq(
		parsed.theirs, theirs, "%.20s: jansson: if it has changed its mind, so must the table above", text);
}

/* Those of the differences above that random documents rarely contain. */
Test(json_against_jansson, differs_where_it_is_meant_to)
{
	static char large[JSON_TEXT_MAX + 1];
	memset(large, ' ', sizeof large);
	memcpy(large, "{}", 2);
	contains(large, sizeof large - 1, true, true);
	contains(large, sizeof large, false, true);
	contains("{\"a\":1\0}", 8, false, true);
	contains("{\"a\":\"1\0\"}", 10, false, false);
	contains("[1]", 3, false, true);
	contains("{\"a\":\"\\u0000\"}", 14, true, true); /* mended */
	contains("{\"\\ud83d\":\"\\udca9\\ud83d\"}", 25, true, true);
	contains("{\"a\":1e400}", 11, true, true); /* with two digits at most in each run */
	contains("{\"a\":-123456789012345678901234567890}", 37, true, true);
	contains("{\"a\":1,\"\\u0061\":2}", 18, false, false);
	contains("\xef\xbb\xbf{}", 5, false, false);
	contains("", 0, false, false);
}
