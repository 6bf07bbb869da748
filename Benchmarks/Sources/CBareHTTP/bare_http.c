#include "bare_http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bare_http {
    struct MHD_Daemon *daemon;
    void *body;
    size_t length;
    // Where the body is in a file; -1 where it is not.
    int file;
};

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state) {
    (void)url, (void)method, (void)version, (void)data;
    struct bare_http *server = context;
    if (!*state) {
        *state = server;
        return MHD_YES;
    }
    if (*size) {
        *size = 0;
        return MHD_YES;
    }
    struct MHD_Response *response =
        server->file < 0 ? MHD_create_response_from_buffer(server->length, server->body, MHD_RESPMEM_PERSISTENT)
                         : MHD_create_response_from_fd64(server->length, dup(server->file));
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static struct bare_http *start(struct bare_http *server, unsigned threads) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    server->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, answer, server,
                                      MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_END);
    if (server->daemon) return server;
    free(server->body);
    free(server);
    return NULL;
}

struct bare_http *bare_http_start(const void *body, size_t length, unsigned threads) {
    struct bare_http *server = calloc(1, sizeof *server);
    server->file = -1;
    server->body = malloc(length);
    server->length = length;
    memcpy(server->body, body, length);
    return start(server, threads);
}

struct bare_http *bare_http_start_file(int file, size_t length) {
    struct bare_http *server = calloc(1, sizeof *server);
    server->file = file;
    server->length = length;
    return start(server, 1);
}

uint16_t bare_http_port(const struct bare_http *server) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void bare_http_stop(struct bare_http *server) {
    MHD_stop_daemon(server->daemon);
    free(server->body);
    free(server);
}
