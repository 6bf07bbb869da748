#ifndef CPROCESS_SHIM_H
#define CPROCESS_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>

// Swift builds the C library's module without _GNU_SOURCE, which hides what glibc has beyond POSIX. The value and the
// prototypes are those of its <spawn.h>.
#ifndef POSIX_SPAWN_SETSID
#define POSIX_SPAWN_SETSID 0x80
#endif
extern int pipe2(int ends[2], int flags);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);

// syscall() is variadic, which Swift can't call. Linux 5.3 has both; the descriptor is close-on-exec (pidfd_open(2)).
static inline int cprocess_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static inline int cprocess_pidfd_send_signal(int process, int number) {
    return (int)syscall(SYS_pidfd_send_signal, process, number, NULL, 0);
}
#endif

// Makes a pipe that no other child of this program inherits.
static inline int cprocess_pipe(int ends[2]) {
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC);
#else
    if (pipe(ends)) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

static inline int cprocess_set_nonblocking(int descriptor) {
    return fcntl(descriptor, F_SETFL, O_NONBLOCK);
}

// Standard input is /dev/null, output and errors are `output`, and no other descriptor is passed on.
static inline int cprocess_add_files(posix_spawn_file_actions_t *files, const char *directory, int output) {
    // Standard input comes last: `output` may be descriptor 0 in a program that has closed its own.
    int error = posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO);
    if (!error) error = posix_spawn_file_actions_adddup2(files, output, STDERR_FILENO);
    if (!error) error = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
#ifdef __linux__
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
#endif
    if (!error && directory) error = posix_spawn_file_actions_addchdir_np(files, directory);
    return error;
}

// A session of its own, with no signal blocked, ignored or handled.
static inline int cprocess_add_attributes(posix_spawnattr_t *attributes) {
    short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef __APPLE__
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setflags(attributes, flags);
    if (!error) error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(attributes, &all);
    return error;
}

// Returns 0 and the child's id in `pid`, or an errno; with an errno there is no child.
static inline int cprocess_spawn(
    pid_t *pid, const char *path, char *const arguments[], char *const environment[], const char *directory, int output
) {
    posix_spawn_file_actions_t files;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    posix_spawnattr_t attributes;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = cprocess_add_files(&files, directory, output);
        if (!error) error = cprocess_add_attributes(&attributes);
        if (!error) error = posix_spawn(pid, path, &files, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return error;
}

// How a child ended that has not been reaped, and stays to be: `signal` is 0 for one that has exited. Returns 0 while it
// runs, 1 when it has ended, -1 when there is no such child. What is needed of siginfo_t is macros, which Swift has not.
static inline int cprocess_peek(pid_t pid, int *code, int *signal) {
    siginfo_t info;
    info.si_pid = 0;
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT)) return -1;
    if (!info.si_pid) return 0;
    *code = info.si_code == CLD_EXITED ? info.si_status : 0;
    *signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    return 1;
}

#endif
