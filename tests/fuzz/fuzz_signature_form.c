/* fuzz_signature_form.c - the input as the form of a header, a line, and a header that is read by it. */

#include <string.h>

#include "auth/signature_form.h"
#include "fuzz.h"

static void part_must_be_sound(const struct signature_form *form, const struct signature_form_part *part)
{
	size_t len = strlen(form->text);
	MUST_HOLD(part->before + part->before_len <= len && part->after + part->after_len <= len);
	MUST_HOLD(part->has_any == (part->after_len > 0));
}

static void form_must_be_sound(const struct signature_form *form)
{
	MUST_HOLD(strstr(form->text, "{signature}") && !strstr(strstr(form->text, "{signature}") + 1, "{signature}"));
	MUST_HOLD(form->has_time == (strstr(form->text, "{time}") != NULL));
	part_must_be_sound(form, &form->signature);
	if (form->has_time)
		part_must_be_sound(form, &form->time);
}

static void list_must_be_sound(const struct signature_form *form, const struct signature_list *list, const char *header)
{
	MUST_HOLD(list->count >= 1 && list->count <= SIGNATURES_MAX && strlen(header) <= SIGNATURE_HEADER_MAX);
	for (int i = 0; i < list->count; i++)
		MUST_HOLD(list->value[i].len == 32 && list->value[i].version == SIGNATURE_HMAC);
	MUST_HOLD(form->has_time == (list->time != NULL));
	if (!list->time)
		return;
	MUST_HOLD(list->time >= header && list->time + list->time_len <= header + strlen(header));
	MUST_HOLD(strcspn(list->time, ",; ") >= list->time_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct signature_list list;
	struct signature_form form = {.text = "untouched"};
	struct fault f = {FAULT_BUG, ""};
	char *text = malloc(len + 1);
	MUST_HOLD(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	char *header = strchr(text, '\n');
	if (header)
		*header++ = '\0';
	if (!signature_form_read(text, &form, &f)) {
		MUST_HOLD(f.kind == FAULT_INPUT && f.text[0] && strcmp(form.text, "untouched") == 0);
	} else {
		form_must_be_sound(&form);
		if (header && signature_form_apply(&form, header, ENCODING_HEX, 32, &list, &f))
			list_must_be_sound(&form, &list, header);
		else
			MUST_HOLD(!header || (f.kind == FAULT_MALFORMED && f.text[0]));
	}
	free(text);
	return 0;
}
