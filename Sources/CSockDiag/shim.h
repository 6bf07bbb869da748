#ifndef CSOCKDIAG_SHIM_H
#define CSOCKDIAG_SHIM_H

// The kernel's own description of sock_diag(7), which the C library's module leaves out.
#ifdef __linux__
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

// The type's flags are enumerators to one C library and numbers to another.
static inline int csockdiag_open(void) {
    return socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}
#endif

#endif
