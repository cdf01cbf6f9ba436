/* fault.c - why a call failed, as one value. */

#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the character that starts with this byte; 1 for what starts none. */
static size_t character_length(unsigned char lead)
{
	if (lead >= 0xf0)
		return 4;
	if (lead >= 0xe0)
		return 3;
	return lead >= 0xc0 ? 2 : 1;
}

/* Drops a last character of which only the first bytes are there. */
static void drop_half_character(char *text, size_t len)
{
	size_t start = len;
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		start = len - back;
		if (((unsigned char)text[start] & 0xc0) != 0x80)
			break;
	}
	if (start < len && character_length((unsigned char)text[start]) > len - start)
		text[start] = '\0';
}

bool fault_set(struct fault *f, enum fault_kind kind, const char *format, ...)
{
	/* Written aside first: a caller may quote the fault it has, fault_set(f, f->kind, "row 3: %s", f->text). */
	char text[FAULT_TEXT_MAX];
	va_list args;
	va_start(args, format);
	int wanted = vsnprintf(text, sizeof text, format, args);
	va_end(args);

	if (wanted < 0)
		text[0] = '\0';
	else if ((size_t)wanted >= sizeof text)
		drop_half_character(text, sizeof text - 1);
	f->kind = kind;
	memcpy(f->text, text, strlen(text) + 1);
	return false;
}

const char *fault_name(enum fault_kind kind)
{
	switch (kind) {
	case FAULT_MALFORMED:
		return "malformed";
	case FAULT_INPUT:
		return "input";
	case FAULT_TOO_LARGE:
		return "too_large";
	case FAULT_ABSENT:
		return "absent";
	case FAULT_CONFLICT:
		return "conflict";
	case FAULT_AGAIN:
		return "again";
	case FAULT_BUSY:
		return "busy";
	case FAULT_BUG:
		return "bug";
	}
	return "unknown";
}
