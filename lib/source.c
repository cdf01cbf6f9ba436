/* source.c - the processors that send to us. */

#include "source.h"

#include <string.h>

#include "adyen.h"

void sources_init(struct sources *s)
{
	memset(s, 0, sizeof *s);
	s->count = 1;
	s->list[0] = (struct source){.name = SOURCE_BUILT_IN, .door = SOURCE_OPEN, .mapping = {.is_canonical = true}};
}

void sources_finish(struct sources *s)
{
	for (int i = 0; i < s->count; i++)
		signer_finish(&s->list[i].signer);
	s->count = 0;
}

bool source_name_valid(const char *name)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strspn(name, LETTERS);
	return len > 0 && len <= SOURCE_NAME_MAX && name[len] == '\0';
}

const struct source *sources_find(const struct sources *s, const char *name)
{
	for (int i = 0; i < s->count; i++) {
		if (strcmp(s->list[i].name, name) == 0)
			return s->list[i].door == SOURCE_CLOSED ? NULL : &s->list[i];
	}
	return NULL;
}

bool source_verify(
	const struct source *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret)
{
	if (s->signer.scheme == SCHEME_ADYEN)
		return adyen_verify(&s->signer, request, now_s, ret);
	return signature_verify(&s->signer, request, now_s, ret);
}
