"""Shows a page out of a folder in front of a server that has another one built in: for who works on the page."""

import http.client
import http.server
import os
import threading

# What belongs to the body or to the connection, and so to the server's answer alone.
OWN = ("connection", "content-length", "transfer-encoding", "etag", "cache-control")


def shown(folder, upstream):
    """The address at which the files of the folder are the page, and all else is the server's."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            path = self.path.split("?")[0]
            name = "index.html" if path == "/" else path.removeprefix("/assets/") if path.startswith("/assets/") else None
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server = http.client.HTTPConnection(upstream.removeprefix("http://"))
            try:
                headers = {key: value for key, value in self.headers.items() if key.lower() not in ("connection", "if-none-match")}
                server.request(self.command, self.path, body or None, headers)
                answer = server.getresponse()
                streams = "event-stream" in (answer.getheader("Content-Type") or "")
                self.send_response_only(200 if name else answer.status)
                for key, value in answer.getheaders():
                    if key.lower() not in OWN and not (name and answer.status == 404 and key.lower() == "content-type"):
                        self.send_header(key, value)
                if name and answer.status == 404:
                    self.send_header("Content-Type", "text/javascript")
                self.close_connection = streams
                if streams:
                    self.send_header("Connection", "close")
                    self.end_headers()
                    while piece := answer.read1(1 << 16):
                        self.wfile.write(piece)
                    return
                content = answer.read()
                if name:
                    with open(os.path.join(folder, name), "rb") as file:
                        content = file.read()
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)
            except (OSError, http.client.HTTPException):
                # A server that is gone, or a page: either way there is nobody to be told.
                self.close_connection = True
            finally:
                server.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = forward

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 64

    front = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=front.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{front.server_address[1]}"
