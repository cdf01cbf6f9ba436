/* Another author's strict parser as a second opinion: texts made by small changes to good ones must please both or
 * neither, save where the two mean to differ. */

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "json_scan.h"

#define ROUNDS 300000

static const char *const seeds[] = {
	"{\"transaction_id\":\"t\",\"amount\":1500.50,\"currency\":\"INR\"}",
	"{\"a\":[true,false,null,{},[],\"\",-0.5e+10],\"b\":{\"c\":{\"d\":[1,2,3]}}}",
	"{\"\\u0061\\n\\\\\":\"\\ud83d\\udca9 \\u00e9\",\"\xc3\xa9\":\"\xe2\x82\xac\xf0\x9f\x92\xa9\"}",
	" {\t\"a\" :\r\n0 , \"b\": 1 } ",
	"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1}",
};

/* No NUL: jansson 2.14 takes one behind a number for white space. */
static const char alphabet[] =
	"{}[]:,\"\\ \n0123459-+.eEabcdtrufalsn/'\x01\x7f\x80\xa9\xbf\xc0\xc3\xe2\xed\xf0\xf4\xff";

static unsigned long long state = 20260219;

static size_t below(size_t limit)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (size_t)(state >> 33) % limit;
}

/* One byte replaced, taken out, put in, or a part repeated. */
static size_t change(char *text, size_t len, size_t max)
{
	size_t at = below(len), part = 1 + below(8);
	switch (below(4)) {
	case 0:
		text[at] = alphabet[below(sizeof alphabet - 1)];
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
		text[at] = alphabet[below(sizeof alphabet - 1)];
	return len + part;
}

/* jansson reads an array at the top, and no number beyond its types. */
static bool means_to_differ(const struct fault *f, bool ours, const json_error_t *theirs)
{
	if (ours)
		return json_error_code(theirs) == json_error_numeric_overflow;
	return strstr(f->text, "should be an object") != NULL || strstr(f->text, "deeper") != NULL;
}

Test(json_against_jansson, both_judge_alike)
{
	int accepted = 0;
	for (int i = 0; i < ROUNDS; i++) {
		char text[400];
		const char *seed = seeds[below(COUNT_OF(seeds))];
		size_t len = strlen(seed);
		memcpy(text, seed, len);
		for (size_t changes = 1 + below(3); changes > 0 && len > 1; changes--)
			len = change(text, len, sizeof text);
		struct fault f;
		json_error_t error;
		bool ours = json_scan(text, len, &f);
		json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
		if (ours != (tree != NULL))
			cr_expect(means_to_differ(&f, ours, &error), "%.*s: we say %s, jansson says %s", (int)len, text,
				ours ? "yes" : f.text, tree ? "yes" : error.text);
		json_decref(tree);
		accepted += ours;
	}
	cr_expect_gt(accepted, ROUNDS / 50, "the changes leave too little that is good: %d", accepted);
}
