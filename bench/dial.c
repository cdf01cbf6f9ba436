/* dial.c - a TCP connection to what is measured.
 *
 * Without Nagle's algorithm, which would hold back the second of two small requests and measure the timer of the
 * kernel. */

#include "dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stop.h"

int dial(int port, struct fault *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct timeval limit = {.tv_sec = 5};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
		return fd;
	}
	fault_set(f, FAULT_BUSY, "no connection to port %d: %s", port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

bool dial_await(int port, int timeout_ms, struct fault *f)
{
	int64_t until = now_ns() + timeout_ms * INT64_C(1000000);
	do {
		int fd = dial(port, f);
		if (fd >= 0) {
			close(fd);
			return true;
		}
		if (!wait_ms(10))
			return fault_set(f, FAULT_BUSY, "asked to stop");
	} while (now_ns() < until);
	return false;
}

int dial_free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof address;
	int port = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, len) == 0 && getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		port = ntohs(address.sin_port);
	close(fd);
	return port;
}
