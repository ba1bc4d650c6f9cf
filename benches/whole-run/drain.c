/* The wire floor: sends a file of AMI actions in one write, discards what comes, and ends when the
 * server closes. Nothing that reads the same answers can be done sooner.
 *
 *   drain PORT USER SECRET-FILE ACTIONS [eager|gather]
 *
 * `eager` reads whatever is there; `gather` lets the kernel wake it for each 64 KiB and at the end.
 * Logs in with plain text, so that no round trip goes into a challenge; the last action is Logoff.
 * Prints bytes and reads to standard error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char out[1 << 20], in[1 << 20];

static size_t slurp(const char *name, char *to, size_t room)
{
	FILE *file = fopen(name, "rb");
	if (!file) {
		perror(name);
		exit(1);
	}
	size_t length = fread(to, 1, room, file);
	fclose(file);
	return length;
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: drain PORT USER SECRET-FILE ACTIONS [eager|gather]\n");
		return 2;
	}
	char secret[256] = "";
	secret[slurp(argv[3], secret, sizeof secret - 1)] = 0;
	secret[strcspn(secret, "\n")] = 0;
	size_t length = (size_t)snprintf(out, sizeof out,
		"Action: Login\r\nUsername: %s\r\nSecret: %s\r\nEvents: off\r\n\r\n", argv[2], secret);
	length += slurp(argv[4], out + length, sizeof out - length);

	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, mark = 64 << 10;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
		perror("connect");
		return 1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (argc > 5 && !strcmp(argv[5], "gather"))
		setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);
	for (size_t sent = 0; sent < length;) {
		ssize_t count = write(fd, out + sent, length - sent);
		if (count < 0) {
			perror("write");
			return 1;
		}
		sent += (size_t)count;
	}
	size_t bytes = 0, reads = 0;
	for (;;) {
		ssize_t count = read(fd, in, sizeof in);
		if (count == 0)
			break;
		if (count < 0) {
			if (errno == EINTR)
				continue;
			perror("read");
			return 1;
		}
		bytes += (size_t)count;
		reads++;
	}
	fprintf(stderr, "%zu bytes, %zu reads\n", bytes, reads);
	return bytes < 200; /* refused */
}
