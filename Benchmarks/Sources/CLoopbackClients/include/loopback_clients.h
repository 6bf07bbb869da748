#ifndef LOOPBACK_CLIENTS_H
#define LOOPBACK_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

// Clients of servers on 127.0.0.1 that cost next to nothing themselves.

// Sends one request and reads the answer until the server closes, as it has to be asked to in the request.
// Returns how many bytes of the answer there were; at most `room` of them are in `answer`. Below 0 when it failed.
long loopback_request(uint16_t port, const char *request, char *answer, size_t room);

// Many connections on which the same request was sent, and whose answers don't end.
struct stream_clients;

// NULL when they can't all be connected, as when too few files may be open.
struct stream_clients *stream_clients_connect(uint16_t port, const char *request, size_t count);

// Reads what there is until `milliseconds` have passed, and counts how often each client was sent `needle`.
void stream_clients_read(struct stream_clients *clients, const char *needle, int milliseconds);

// The fewest and the most times that a client was sent the needle, since the first look.
size_t stream_clients_fewest(const struct stream_clients *clients);
size_t stream_clients_most(const struct stream_clients *clients);

// How many were disconnected, and how many bytes came in all.
size_t stream_clients_lost(const struct stream_clients *clients);
uint64_t stream_clients_bytes(const struct stream_clients *clients);

void stream_clients_close(struct stream_clients *clients);

#endif
