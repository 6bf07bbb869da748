#ifndef CMICROHTTPD_SHIM_H
#define CMICROHTTPD_SHIM_H

#include <netinet/in.h>
#include <string.h>
#include <microhttpd.h>

// Swift can call neither C variadic functions nor macros that contain a cast, so each one in use has a plain function here.

/// MHD_start_daemon on 127.0.0.1 at `port` (0: any free one). NULL when it can't listen; errno says why.
static inline struct MHD_Daemon *cmhd_start_on_loopback(unsigned int flags, uint16_t port,
                                                        MHD_AccessHandlerCallback handler, void *handler_context,
                                                        MHD_RequestCompletedCallback completed,
                                                        void *completed_context) {
    struct sockaddr_in address = {0};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return MHD_start_daemon(flags, port, NULL, NULL, handler, handler_context, MHD_OPTION_SOCK_ADDR,
                            (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED, completed, completed_context,
                            MHD_OPTION_END);
}

/// What a daemon is to call.
struct cmhd_callbacks {
    void *context;
    MHD_AcceptPolicyCallback accept_policy;
    MHD_NotifyConnectionCallback connection_changed;
    void *(*request_began)(void *context, const char *target, struct MHD_Connection *connection);
    MHD_AccessHandlerCallback request_received;
    MHD_RequestCompletedCallback request_completed;
};

/// How much a daemon may take.
struct cmhd_limits {
    unsigned int threads;
    unsigned int connections;
    size_t connection_memory;
    unsigned int send_timeout_seconds;
};

/// MHD_start_daemon on a socket that listens already, with poll(2) in threads of its own. NULL when it can't; errno says why.
static inline struct MHD_Daemon *cmhd_start_on_socket(int socket, struct cmhd_callbacks callbacks,
                                                      struct cmhd_limits limits) {
    unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_ALLOW_SUSPEND_RESUME;
    return MHD_start_daemon(flags, 0, callbacks.accept_policy, callbacks.context, callbacks.request_received,
                            callbacks.context, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_NOTIFY_CONNECTION,
                            callbacks.connection_changed, callbacks.context, MHD_OPTION_URI_LOG_CALLBACK,
                            callbacks.request_began, callbacks.context, MHD_OPTION_NOTIFY_COMPLETED,
                            callbacks.request_completed, callbacks.context, MHD_OPTION_THREAD_POOL_SIZE,
                            limits.threads, MHD_OPTION_CONNECTION_LIMIT, limits.connections,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.connection_memory,
                            MHD_OPTION_CONNECTION_TIMEOUT, limits.send_timeout_seconds, MHD_OPTION_END);
}

/// What the connection was given when it began, or NULL.
static inline void *cmhd_connection_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

/// How many bytes the request line and the header fields have, or 0 when it can't tell.
static inline size_t cmhd_head_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

/// How many header fields, query parameters and cookies a request has.
static inline int cmhd_value_count(struct MHD_Connection *connection) {
    int kinds = MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND;
    return MHD_get_connection_values(connection, (enum MHD_ValueKind)kinds, NULL, NULL);
}

/// Whether this version leaves a request's head where it was received, line by line, with only the ends of its parts set to
/// zero. From 1.0 on it refuses a NUL in a head by itself.
static inline int cmhd_keeps_head_in_place(void) { return MHD_VERSION < 0x01000000; }

/// The port the daemon listens on, or 0 when it can't tell.
static inline uint16_t cmhd_bound_port(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info == NULL ? 0 : info->port;
}

/// The connection's socket, or -1 when it can't tell.
static inline int cmhd_connection_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

/// What a content reader returns at the orderly end of a body.
static inline ssize_t cmhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }

/// What a content reader returns to have the connection closed without an orderly end.
static inline ssize_t cmhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

/// Has a body whose length is not known end with the connection, instead of in chunks.
static inline void cmhd_end_by_closing(struct MHD_Response *response) {
    MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
}

/// The size of a body whose length is not known beforehand.
static inline uint64_t cmhd_size_unknown(void) { return MHD_SIZE_UNKNOWN; }

#endif
