#ifndef CMICROHTTPD_SHIM_H
#define CMICROHTTPD_SHIM_H

#include <netinet/in.h>
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

/// The size of a body whose length is not known beforehand.
static inline uint64_t cmhd_size_unknown(void) { return MHD_SIZE_UNKNOWN; }

#endif
