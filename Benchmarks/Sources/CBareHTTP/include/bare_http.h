#ifndef BARE_HTTP_H
#define BARE_HTTP_H

#include <stddef.h>
#include <stdint.h>

// libmicrohttpd that answers everything with the same bytes, and nothing round it: the most that a server on it can do.
struct bare_http;

// Starts one on a free port of 127.0.0.1, with so many threads. `body` is copied. NULL when it can't.
struct bare_http *bare_http_start(const void *body, size_t length, unsigned threads);
// The same with the first bytes of a file as the body. The file has to stay open until the server is stopped.
struct bare_http *bare_http_start_file(int file, size_t length);
uint16_t bare_http_port(const struct bare_http *server);
void bare_http_stop(struct bare_http *server);

#endif
