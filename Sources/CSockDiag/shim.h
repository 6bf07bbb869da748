#ifndef CSOCKDIAG_SHIM_H
#define CSOCKDIAG_SHIM_H

// The kernel's own description of sock_diag(7), which the C library's module leaves out.
#ifdef __linux__
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// The type's flags are enumerators to one C library and numbers to another.
static inline int csockdiag_open(void) {
    return socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

// Declared here, since the C library does so only where it is asked for its own extensions.
extern long syscall(long number, ...);

// getdents64(2), for which not every C library has a name: the entries of a folder as the kernel gives them.
static inline long csockdiag_getdents(int folder, void *buffer, size_t size) {
    return syscall(SYS_getdents64, folder, buffer, size);
}
#endif

#endif
