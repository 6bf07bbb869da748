"""Operation tracking in the shape of the system that OperationTracking rebuilds: a dict of dataclasses, and a list of events
that is written to a file whole each time one is added. Written anew from its description, to be compared with."""

import json
import os
import tempfile
import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import Enum
from typing import Optional


class Status(Enum):
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"


@dataclass
class Operation:
    operation_id: str
    operation_type: str
    description: str
    status: Status = Status.IN_PROGRESS
    progress: float = 0.0
    total_size_mb: Optional[float] = None
    downloaded_mb: float = 0.0
    started_at: datetime = field(default_factory=datetime.now)
    updated_at: datetime = field(default_factory=datetime.now)
    pid: Optional[int] = None
    error: Optional[str] = None
    resource_impact: dict = field(
        default_factory=lambda: {"cpu_percent": 0.0, "memory_mb": 0.0, "network_mbps": 0.0}
    )

    def eta_seconds(self):
        elapsed = (datetime.now() - self.started_at).total_seconds()
        if not self.total_size_mb or not self.downloaded_mb or elapsed <= 0:
            return None
        return int((self.total_size_mb - self.downloaded_mb) / (self.downloaded_mb / elapsed))

    def to_dict(self):
        return {
            "operation_id": self.operation_id,
            "operation_type": self.operation_type,
            "description": self.description,
            "status": self.status.value,
            "started_at": self.started_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
            "progress": self.progress,
            "total_size_mb": self.total_size_mb,
            "downloaded_mb": self.downloaded_mb,
            "eta_seconds": self.eta_seconds(),
            "pid": self.pid,
            "error": self.error,
            "resource_impact": self.resource_impact,
            "uptime_seconds": (datetime.now() - self.started_at).total_seconds(),
        }


class Manager:
    EVENTS_KEPT = 1000

    def __init__(self):
        self.operations = {}
        self.events = []
        # Removed with the manager.
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "events.json")

    def start_operation(self, operation_type, description, total_size_mb=None, pid=None):
        operation_id = f"{operation_type}-{uuid.uuid4().hex[:8]}"
        self.operations[operation_id] = Operation(
            operation_id, operation_type, description, total_size_mb=total_size_mb, pid=pid
        )
        self.log(operation_id, "operation_started")
        return operation_id

    def update_operation(self, operation_id, progress=None, downloaded_mb=None, status=None, error=None):
        operation = self.operations.get(operation_id)
        if operation is None:
            return
        if progress is not None:
            operation.progress = min(100.0, max(0.0, progress))
        if downloaded_mb is not None:
            operation.downloaded_mb = downloaded_mb
            if operation.total_size_mb:
                operation.progress = downloaded_mb / operation.total_size_mb * 100
        if status is not None:
            operation.status = status
        if error is not None:
            operation.error = error
        operation.updated_at = datetime.now()

    def complete_operation(self, operation_id, error=None):
        operation = self.operations.get(operation_id)
        if operation is None:
            return
        operation.status = Status.FAILED if error else Status.COMPLETED
        operation.progress = operation.progress if error else 100.0
        operation.error = error
        operation.updated_at = datetime.now()
        self.log(operation_id, "operation_failed" if error else "operation_completed")

    def active(self):
        return [o for o in self.operations.values() if o.status == Status.IN_PROGRESS]

    def summary(self):
        active = self.active()
        cpu = sum(o.resource_impact["cpu_percent"] for o in active)
        memory = sum(o.resource_impact["memory_mb"] for o in active)
        return {
            "total_active": len(active),
            "operations": [o.to_dict() for o in active],
            "aggregate_cpu_percent": cpu,
            "aggregate_memory_mb": memory,
            "system_overload_risk": cpu > 80 or memory > 4000,
        }

    def log(self, operation_id, event):
        self.events.append({"at": datetime.now().isoformat(), "operation_id": operation_id, "event": event})
        self.events = self.events[-self.EVENTS_KEPT :]
        with open(self.path, "w") as file:
            json.dump(self.events, file, indent=2)
