"""A host that means no good: it speaks the protocol of neighbours (docs/formats.md) and says what a test wants."""
import hashlib
import socket
import struct
import threading

from support.network import inside

MEETING_POINT = hashlib.sha256(b"imageswarm documents 1").digest()[:20]
OUR_ID, THEIR_ID = 3, 20  # of the extension's messages: those that we want, those that imageswarmd wants
CLAIMS, REQUEST, BLOCK, LACK = 1, 2, 3, 4
BLOCK_SIZE = 16384


def topic(kind, url):
    return hashlib.sha256(f"{kind}\n{url}".encode()).digest()


class HostileNeighbour:
    """Takes one connection after the other; `claim` tells whoever is connected, `files` are given by their digest."""

    def __init__(self, host, port=6881):
        self.address = f"{host.address}:{port}"
        self.files, self.asked = {}, []
        self._claims, self._peer, self._lock = b"", None, threading.Lock()
        with inside(host.netns):
            self._server = socket.create_server((host.address, port))
        threading.Thread(target=self._serve, daemon=True).start()

    def claim(self, kind, url, serial, digest, size, epoch=1):
        with self._lock:
            self._claims = bytes([CLAIMS]) + topic(kind, url) + struct.pack(">QQ", epoch, serial) + digest + struct.pack(
                ">I", size)
            if self._peer:
                self._send(self._claims)

    def offer(self, kind, url, serial, content):
        """Claims to have this content, and has it."""
        digest = hashlib.sha256(content).digest()
        self.files[digest] = content
        self.claim(kind, url, serial, digest, len(content))
        return digest

    def connected(self):
        return self._peer is not None

    def close(self):
        """Frees the port at once: a thread that waits in `accept` would hold it."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        with self._lock:
            if self._peer:
                self._peer.close()

    def _serve(self):
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            try:
                self._talk(peer)
            except OSError:
                pass
            with self._lock:
                self._peer = None
            peer.close()

    def _talk(self, peer):
        stream = peer.makefile("rb")
        stream.read(68)
        reserved = bytes([0, 0, 0, 0, 0, 0x10, 0, 0])
        peer.sendall(b"\x13BitTorrent protocol" + reserved + MEETING_POINT + b"-XX0000-" + bytes(12))
        hello = b"d1:md12:is_documentsi%deee" % OUR_ID
        peer.sendall(struct.pack(">IBB", len(hello) + 2, 20, 0) + hello)
        while head := stream.read(4):
            message = stream.read(struct.unpack(">I", head)[0])
            if message[:2] == bytes([20, 0]):
                with self._lock:
                    self._peer = peer
                    self._send(self._claims)
            if message[:3] == bytes([20, OUR_ID, REQUEST]):
                digest, offset = message[3:35], struct.unpack(">I", message[35:39])[0]
                self.asked.append(digest)
                content = self.files.get(digest)
                answer = bytes([LACK]) + digest
                if content:
                    answer = bytes([BLOCK]) + message[3:39] + content[offset:offset + BLOCK_SIZE]
                with self._lock:
                    self._send(answer)

    def _send(self, message):
        if message:
            self._peer.sendall(struct.pack(">IBB", len(message) + 2, 20, THEIR_ID) + message)
