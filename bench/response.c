/* response.c - the status and the end of an HTTP response.
 *
 * Not a parser for the Internet: the load shares the cores with what it measures, so it does the least that still
 * detects a wrong response. */

#include "response.h"

#include <stdlib.h>
#include <string.h>

#define STATUS_AT 9 /* offset of the status code behind "HTTP/1.1 " */
#define LENGTH "\r\nContent-Length: "
#define LENGTH_OF_NODE "\r\ncontent-length: " /* of the same length */
#define CLOSE "\r\nConnection: close"

int response_read(const char *bytes, size_t len, struct response *ret)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	if (!end)
		return 0;
	size_t head = (size_t)(end - bytes);
	const char *length = memmem(bytes, head, LENGTH, sizeof LENGTH - 1);
	if (!length)
		length = memmem(bytes, head, LENGTH_OF_NODE, sizeof LENGTH_OF_NODE - 1);
	if (!length || head < STATUS_AT + 3 || strncmp(bytes, "HTTP/1.1 ", STATUS_AT) != 0)
		return -1;
	size_t whole = head + 4 + strtoul(length + sizeof LENGTH - 1, NULL, 10);
	if (len < whole)
		return 0;
	ret->status = (int)strtol(bytes + STATUS_AT, NULL, 10);
	ret->closes = memmem(bytes, head, CLOSE, sizeof CLOSE - 1);
	return (int)whole;
}
