"""system-info-service: GET /api/sysinfo, /health and /metrics."""

import platform
import time

import psutil
from prometheus_client import Gauge
from starlette.responses import JSONResponse

from service import VERSION, log, serve

# Read when Prometheus asks.
Gauge("system_info_service_cpu_percent", "CPU in use, of all cores.").set_function(lambda: psutil.cpu_percent())
Gauge("system_info_service_memory_percent", "Memory in use.").set_function(lambda: psutil.virtual_memory().percent)
Gauge("system_info_service_disk_percent", "Disk in use, where the service runs.").set_function(
    lambda: psutil.disk_usage(".").percent
)


def system_info():
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(".")
    return {
        "hostname": platform.node(),
        "platform": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cpu": {"count": psutil.cpu_count(), "percent": psutil.cpu_percent()},
        "memory": {"total": memory.total, "available": memory.available, "percent": memory.percent},
        "disk": {"total": disk.total, "free": disk.free, "percent": disk.percent},
        "uptime_seconds": int(time.time() - psutil.boot_time()),
        "processes": len(psutil.pids()),
        "service": "system-info-service",
        "version": VERSION,
    }


async def sysinfo(request):
    log(path=request.url.path, request_id=request.headers.get("x-request-id"))
    return JSONResponse(system_info())


async def health(_request):
    return JSONResponse(
        {"status": "healthy", "service": "system-info-service", "version": VERSION, "dependencies": {}}
    )


if __name__ == "__main__":
    # The first value says how busy it was since the last; there is none yet.
    psutil.cpu_percent()
    serve("system_info_service", {"/api/sysinfo": sysinfo, "/health": health}, 5002)
