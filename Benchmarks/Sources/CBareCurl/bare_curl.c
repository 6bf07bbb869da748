#include "bare_curl.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t take(char *bytes, size_t one, size_t count, void *context) {
    size_t length = one * count;
    for (size_t done = 0; done < length;) {
        ssize_t written = write(*(int *)context, bytes + done, length - done);
        if (written <= 0) return 0;
        done += (size_t)written;
    }
    return length;
}

double bare_curl_download(const char *url, const char *path) {
    double start = now();
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CURL *curl = curl_easy_init();
    if (file < 0 || !curl) return -1;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &file);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    int flushed = fsync(file);
    close(file);
    return result == CURLE_OK && flushed == 0 ? now() - start : -1;
}
