"""A relay between an engine and what it stands on, which can be cut."""

import socket
import threading
from pathlib import Path


class Wire:
    """A TCP relay to a server, which can be cut and mended."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._local = Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else None
        self._open: list[socket.socket] = []
        self._whole = True
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole = False
        for each in self._open:
            each.close() if each.fileno() < 0 else each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if not self._whole:
                near.close()
                continue
            far = self._reach()
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _reach(self) -> socket.socket:
        if self._local is None:
            return socket.create_connection(self._target)
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(self._local))
        return far

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            source.close()
            sink.close()
