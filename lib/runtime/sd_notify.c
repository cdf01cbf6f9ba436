/* sd_notify.c - notifications to systemd, each one datagram on the socket that NOTIFY_SOCKET names.
 *
 * libsystemd is not used: it would be one more library to link for these few lines.  The socket is opened for each
 * notification, as there are only a few a minute.  It does not block, so a service manager that does not read never
 * stops the worker. */

#include "runtime/sd_notify.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_MAX 256

/* Finds the address of the service manager.  False: there is no service manager, or its address has a form that is not
 * supported, such as vsock. */
static bool sd_notify_find(struct sockaddr_un *ret, socklen_t *len)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t bytes = path ? strlen(path) : 0;
	if (bytes < 2 || bytes >= sizeof ret->sun_path || (*path != '/' && *path != '@'))
		return false;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, path, bytes);
	if (*path == '@') /* systemd writes an abstract socket's name with "@" for the leading NUL */
		ret->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes);
	return true;
}

void sd_notify_send(const char *format, ...)
{
	struct sockaddr_un to;
	socklen_t len;
	if (!sd_notify_find(&to, &len))
		return;
	char text[TEXT_MAX];
	va_list args;
	va_start(args, format);
	int bytes = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (bytes > 0) {
		size_t size = (size_t)bytes < sizeof text ? (size_t)bytes : sizeof text - 1;
		(void)!sendto(fd, text, size, MSG_NOSIGNAL, (struct sockaddr *)&to, len);
	}
	close(fd);
}

/* A process that inherited the variables from its parent is not the one that the service manager supervises.
 * WATCHDOG_PID distinguishes the two. */
int sd_notify_watchdog_ms(void)
{
	const char *pid = getenv("WATCHDOG_PID"), *every = getenv("WATCHDOG_USEC");
	if (!every || (pid && strtoll(pid, NULL, 10) != (long long)getpid()))
		return 0;
	long long us = strtoll(every, NULL, 10);
	return us < 2000 || us / 2000 > INT_MAX ? 0 : (int)(us / 2000);
}
