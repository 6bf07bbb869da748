#define _GNU_SOURCE // memmem
#include "loopback_clients.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int connected(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0) return -1;
    if (connect(client, (struct sockaddr *)&address, sizeof address) == 0) return client;
    close(client);
    return -1;
}

static int send_all(int client, const char *text) {
    size_t length = strlen(text);
    for (size_t done = 0; done < length;) {
        ssize_t sent = send(client, text + done, length - done, MSG_NOSIGNAL);
        if (sent <= 0) return -1;
        done += (size_t)sent;
    }
    return 0;
}

long loopback_request(uint16_t port, const char *request, char *answer, size_t room) {
    int client = connected(port);
    if (client < 0) return -1;
    long length = send_all(client, request);
    char rest[4096];
    while (length >= 0) {
        size_t kept = (size_t)length < room ? (size_t)length : room;
        ssize_t got = kept < room ? recv(client, answer + kept, room - kept, 0) : recv(client, rest, sizeof rest, 0);
        if (got < 0) length = -1;
        if (got <= 0) break;
        length += got;
    }
    close(client);
    return length;
}

// A needle may be cut between two reads, so the end of what came before is kept.
enum { kept_most = 64, read_most = 64 << 10 };

struct client {
    size_t found;
    size_t kept;
    char tail[kept_most];
};

struct stream_clients {
    size_t count;
    size_t lost;
    uint64_t bytes;
    struct pollfd *sockets;
    struct client *clients;
    char buffer[kept_most + read_most];
};

struct stream_clients *stream_clients_connect(uint16_t port, const char *request, size_t count) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    struct stream_clients *all = calloc(1, sizeof *all);
    all->sockets = calloc(count, sizeof *all->sockets);
    all->clients = calloc(count, sizeof *all->clients);
    for (; all->count < count; all->count++) {
        int client = connected(port);
        if (client >= 0) all->sockets[all->count] = (struct pollfd){client, POLLIN, 0};
        if (client >= 0 && send_all(client, request) == 0 && fcntl(client, F_SETFL, O_NONBLOCK) == 0) continue;
        if (client >= 0) close(client);
        stream_clients_close(all);
        return NULL;
    }
    return all;
}

static void count_needles(struct stream_clients *all, struct client *client, const char *needle, size_t got) {
    size_t length = strlen(needle), there = client->kept + got;
    memcpy(all->buffer, client->tail, client->kept);
    char *from = all->buffer, *end = all->buffer + there, *found;
    while ((found = memmem(from, (size_t)(end - from), needle, length))) {
        client->found++;
        from = found + length;
    }
    size_t left = (size_t)(end - from);
    client->kept = left < length - 1 ? left : length - 1;
    memcpy(client->tail, end - client->kept, client->kept);
}

static void read_one(struct stream_clients *all, size_t index, const char *needle) {
    struct client *client = &all->clients[index];
    ssize_t got = recv(all->sockets[index].fd, all->buffer + client->kept, read_most, 0);
    if (got > 0) {
        all->bytes += (uint64_t)got;
        count_needles(all, client, needle, (size_t)got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(all->sockets[index].fd);
        all->sockets[index].fd = -1;
        all->lost++;
    }
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void stream_clients_read(struct stream_clients *all, const char *needle, int milliseconds) {
    int64_t end = now() + milliseconds;
    for (int64_t left = milliseconds; left > 0; left = end - now()) {
        int ready = poll(all->sockets, all->count, (int)left);
        for (size_t index = 0; ready > 0 && index < all->count; index++)
            if (all->sockets[index].revents) read_one(all, index, needle);
    }
}

size_t stream_clients_fewest(const struct stream_clients *all) {
    size_t fewest = SIZE_MAX;
    for (size_t index = 0; index < all->count; index++)
        if (all->clients[index].found < fewest) fewest = all->clients[index].found;
    return fewest;
}

size_t stream_clients_most(const struct stream_clients *all) {
    size_t most = 0;
    for (size_t index = 0; index < all->count; index++)
        if (all->clients[index].found > most) most = all->clients[index].found;
    return most;
}

size_t stream_clients_lost(const struct stream_clients *all) { return all->lost; }
uint64_t stream_clients_bytes(const struct stream_clients *all) { return all->bytes; }

void stream_clients_close(struct stream_clients *all) {
    for (size_t index = 0; index < all->count; index++)
        if (all->sockets[index].fd >= 0) close(all->sockets[index].fd);
    free(all->sockets);
    free(all->clients);
    free(all);
}
