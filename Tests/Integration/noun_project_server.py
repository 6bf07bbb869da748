"""A Noun Project for tests: verifies every signature with oauthlib and answers in the shapes of its API v2."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

KEY, SECRET = "test-key-0123456789", "test-secret-!'()*&=%~"

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 125"><path d="M0 0L9 9z"/></svg>'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Validator(RequestValidator):
    """Knows one client, and no nonce twice."""

    enforce_ssl = False
    client_key_length = (4, 64)
    nonce_length = (8, 64)  # the API asks for 8 at least
    dummy_client = "dummy"

    def __init__(self):
        super().__init__()
        self.seen = set()

    def check_client_key(self, client_key):
        return client_key == KEY

    def validate_client_key(self, client_key, request):
        return client_key == KEY

    def get_client_secret(self, client_key, request):
        return SECRET

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        fresh = (timestamp, nonce) not in self.seen
        self.seen.add((timestamp, nonce))
        return fresh


class Service:
    """What a scenario sets, and what it counts."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.lock = threading.Lock()
        self.validator = Validator()
        self.endpoint = SignatureOnlyEndpoint(self.validator)
        self.calls = []  # (path, query) of each call with a good signature
        self.refused = 0
        self.delay = 0.0
        self.rule = lambda path, query, count: None  # -> (status, headers, body) or None
        self.found = lambda term, limit: [icon_id(term, n) for n in range(limit)]
        self.file = lambda number, kind: PNG if kind == "png" else SVG
        self.has_links = False
        self.usage = {"monthly": {"limit": 5000, "usage": 440}}

    def downloads(self):
        return [path.split("/")[3] for path, _ in self.calls if path.endswith("/download")]


SERVICE = Service()


def icon_id(term, number):
    return str(sum((i + 1) * ord(c) for i, c in enumerate(term)) % 10**6 * 10 + number)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.path.startswith("/signed/"):
            # A signed link is public to whoever has it, and is given no key.
            if "Authorization" in self.headers or query.get("Signature") != "hush-hush":
                return self.answer(403, {}, {"message": "no such link"})
            return self.answer(200, {}, SERVICE.file(parts.path.split("/")[2].removesuffix(".svg"), "svg"))
        uri = f"http://{self.headers['Host']}{self.path}"
        is_valid, _ = SERVICE.endpoint.validate_request(uri, "GET", None, {"Authorization": self.headers.get("Authorization", "")})
        if not is_valid:
            SERVICE.refused += 1
            return self.answer(401, {}, {"message": "The signature is not good."})
        with SERVICE.lock:
            SERVICE.calls.append((parts.path, query))
            count = len(SERVICE.calls)
        time.sleep(SERVICE.delay)
        answer = SERVICE.rule(parts.path, query, count)
        if answer:
            return self.answer(*answer)
        if parts.path == "/v2/icon":
            icons = [self.icon(number, query["query"]) for number in SERVICE.found(query["query"], int(query["limit"]))]
            return self.answer(200, {}, {
                "generated_at": "2026-01-01 00:00:00", "icons": icons, "next_page": "eyJpZCI6IDF9", "total": len(icons),
                "usage_limits": SERVICE.usage,
            })
        if parts.path.endswith("/download"):
            content = SERVICE.file(parts.path.split("/")[3], query["filetype"])
            return self.answer(200, {}, {
                "base64_encoded_file": base64.b64encode(content).decode(),
                "content_type": "image/png" if query["filetype"] == "png" else "image/svg+xml",
            })
        return self.answer(404, {}, {"message": "not found"})

    def icon(self, number, term):
        icon = {
            "id": number, "term": term.title(), "attribution": f"{term} by Ann from Noun Project", "tags": ["a", "b"],
            "license_description": "creative-commons-attribution", "permalink": f"/icon/{number}", "collections": [],
            "creator": {"name": "Ann", "permalink": "/ann", "username": "ann"}, "updated_at": "2026-01-01 00:00:00",
            "thumbnail_url": f"https://static.thenounproject.com/png/{number}-200.png",
        }
        if SERVICE.has_links:
            icon["icon_url"] = f"http://{self.headers['Host']}/signed/{number}.svg?Expires=1&Signature=hush-hush"
        return icon

    def answer(self, status, headers, body):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that goes away in the middle is what is tested."""


def start():
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
