"""The original's endpoints for operations in its own stack, FastAPI on uvicorn: written anew from their description, to be
compared with. It says where it listens on its first line.

usage: service.py ACTIVE_OPERATIONS
"""

import socket
import sys

import uvicorn
from fastapi import FastAPI
from original import Manager

app = FastAPI()
manager = Manager()


@app.get("/api/ports/operations")
async def operations():
    active = manager.active()
    return {"operations": [operation.to_dict() for operation in active], "count": len(active)}


@app.get("/api/ports/operations/summary")
async def summary():
    return manager.summary()


manager.EVENTS_KEPT = 1
for number in range(int(sys.argv[1])):
    manager.start_operation("download", f"bench {number}", total_size_mb=1024.0)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 0))
# From here on clients wait for the server instead of being refused.
listener.listen(2048)
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[listener])
