"""A BitTorrent peer of a few lines, over TLS or not, that keeps to no rule but the ones a test needs (BEP 3, 6)."""
import contextlib
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import urllib.request

from support.network import inside

_BLOCK = 16384
_CHOKE, _UNCHOKE, _INTERESTED, _HAVE, _REQUEST, _PIECE, _HAVE_ALL, _HAVE_NONE = 0, 1, 2, 4, 6, 7, 14, 15


def _context(papers, server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if papers:
        context.load_cert_chain(papers.certificate, papers.key)
    return context


def _handshake(info_hash):
    return b"\x13BitTorrent protocol" + b"\0\0\0\0\0\0\0\x04" + info_hash + b"-XX0000-" + b"x" * 12


def _message(kind, *numbers, data=b""):
    body = bytes([kind]) + b"".join(struct.pack(">I", number) for number in numbers) + data
    return struct.pack(">I", len(body)) + body


class _Wire:
    def __init__(self, connection):
        self.connection = connection

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        return data

    def message(self):
        """(kind, body); a keep-alive is skipped."""
        while True:
            length = struct.unpack(">I", self.exactly(4))[0]
            if length:
                body = self.exactly(length)
                return body[0], body[1:]


class Leech:
    """Asks one host for an image. `payload` is how much of it came, in bytes; `failure` how the last try ended."""

    def __init__(self, host, info_hash, papers=None, tls=True):
        self.host, self.info_hash, self.tls = host, bytes.fromhex(info_hash)[:20], tls
        self.context = _context(papers, server=False) if tls else None
        self.payload, self.failure, self.session = 0, None, None

    def take(self, address, port, seconds=3, enough=_BLOCK, session=None):
        """Until so much has come, the host has hung up, or the time is over."""
        end = time.monotonic() + seconds
        try:
            with inside(self.host.netns):
                plain = socket.create_connection((address, port), timeout=seconds)
            with contextlib.closing(plain):
                self._talk(plain, end, enough, session)
        except (OSError, ConnectionError) as error:
            self.failure = error
        return self.payload

    def _talk(self, plain, end, enough, session):
        connection = plain
        if self.tls:
            connection = self.context.wrap_socket(plain, server_hostname=self.info_hash.hex(), session=session)
        wire = _Wire(connection)
        connection.sendall(_handshake(self.info_hash))
        wire.exactly(68)
        connection.sendall(_message(_HAVE_NONE) + _message(_INTERESTED))
        offered, asked, choked = [], set(), True
        while self.payload < enough and time.monotonic() < end:
            connection.settimeout(max(0.01, end - time.monotonic()))
            kind, body = wire.message()
            if self.tls:
                self.session = connection.session
            if kind == _HAVE:
                offered.append(struct.unpack(">I", body)[0])
            elif kind in (_HAVE_ALL, 5):
                offered.append(0)
            elif kind in (_UNCHOKE, _CHOKE):
                choked = kind == _CHOKE
            elif kind == _PIECE:
                self.payload += len(body) - 8
            for piece in offered if not choked else []:
                if piece not in asked:
                    asked.add(piece)
                    connection.sendall(_message(_REQUEST, piece, 0, _BLOCK))


class Seed:
    """Says that it has the whole image and serves rubbish; `asked` is how many bytes others asked it for."""

    def __init__(self, host, info_hash, papers, port=7000):
        self.host, self.info_hash, self.port = host, bytes.fromhex(info_hash)[:20], port
        self.asked, self.greeted, self.visits = 0, 0, 0
        self._context = _context(papers, server=True)
        with inside(host.netns):
            self._socket = socket.create_server((host.address, port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def announce(self, tracker):
        query = urllib.parse.urlencode({"info_hash": self.info_hash, "peer_id": "-XX0000-" + "s" * 12,
                                        "port": self.port, "uploaded": 0, "downloaded": 0, "left": 0, "compact": 1},
                                       quote_via=urllib.parse.quote)
        with inside(self.host.netns), urllib.request.urlopen(f"{tracker}?{query}", timeout=5) as answer:
            return answer.read()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._socket.accept()
                self.visits += 1
                with contextlib.suppress(OSError, ConnectionError), contextlib.closing(plain):
                    plain.settimeout(3)
                    self._talk(self._context.wrap_socket(plain, server_side=True))

    def _talk(self, connection):
        wire = _Wire(connection)
        wire.exactly(68)
        self.greeted += 1
        connection.sendall(_handshake(self.info_hash) + _message(_HAVE_ALL) + _message(_UNCHOKE))
        while True:
            kind, body = wire.message()
            if kind == _REQUEST:
                piece, begin, length = struct.unpack(">III", body)
                self.asked += length
                connection.sendall(_message(_PIECE, piece, begin, data=b"x" * length))
