#ifndef BARE_CURL_H
#define BARE_CURL_H

// libcurl with nothing round it: the most that a download with it can do.

// Writes what `url` gives into a new file at `path` and has the system put it on the disk.
// Returns the seconds that took; below 0 when it failed.
double bare_curl_download(const char *url, const char *path);

#endif
