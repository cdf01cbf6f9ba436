#pragma once

#include <stddef.h>

/* The supervisor's stdout, which may be a terminal that takes no more: after Ctrl-S, or when its connection is dead.  That
 * must not stop the supervisor, so what cannot be written at once is dropped; it is in the logs anyway. */

/* Gets a description of its own of the terminal or pipe.  If there is none, terminal_print() may wait for a reader that
 * takes a part of a line only. */
void terminal_open(void);

/* Prints lines.  What could control the terminal is replaced in text by question marks: control characters but tab and newline,
 * and bytes that are not UTF-8, since the lines of the parts have words of clients.  The part that the terminal does not take
 * is dropped. */
void terminal_print(char *text, size_t len);

/* From now on nothing is printed, and the reader of a pipe gets end of file. */
void terminal_close(void);
