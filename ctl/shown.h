#pragma once

#include <stddef.h>

#include "base/buf.h"

/* Text from outside as a terminal may show it: ids, accounts and errors, each byte of them chosen by their senders.
 *
 * A control character could control the terminal, and a character that sets the direction of writing could reorder the
 * rest of the line.  Each byte of these, and each byte that is not UTF-8, is shown as \x1b, which a shell's $'...' takes
 * back. */

/* Adds the text. */
void shown_add(struct buf *b, const char *text);

/* Adds a text in JSON with the same characters as \u escapes, which mean the same: inside JSON they occur in strings only,
 * but for the line feeds, which stay. */
void shown_add_json(struct buf *b, const char *text);

/* The columns of a terminal that a text which shown_add() made occupies. */
size_t shown_width(const char *text);

/* Prints a line with a label of nine columns before the text; an empty label continues the lines above. */
void shown_line(const char *label, const char *text);

/* The same, with a text that is made first. */
void shown_format(const char *label, const char *format, ...) PRINTF_LIKE(2, 3);
