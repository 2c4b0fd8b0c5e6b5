# A TCP proxy whose clients read as slowly as a test wants: `slow` on stdin makes every connection read one byte a second from
# the server, `fast` lets them go on. Its receive buffers are tiny, so that the server notices at once. Run by trickle.mjs.
import socket
import sys
import threading

target = int(sys.argv[1])
fast = threading.Event()
fast.set()
over = threading.Event()  # the slow time
upstreams = []


def end(connection):
    """Not close(): the other thread may be reading from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def down(upstream, client):
    try:
        while True:
            size = 65536 if fast.is_set() or fast.wait(1.0) else 1
            data = upstream.recv(size)
            if not data:
                break
            client.sendall(data)
    except OSError:
        pass  # reset by the server, or the client has gone
    end(client)


def up(client, upstream):
    try:
        while data := client.recv(65536):
            upstream.sendall(data)
    except OSError:
        pass
    end(upstream)


def serve(listener):
    while True:
        client, _ = listener.accept()
        upstream = socket.socket()
        if not over.is_set():
            upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            # With loopback's large segments a small window would wait for timers.
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        try:
            upstream.connect(("127.0.0.1", target))
        except OSError:
            client.close()
            continue
        upstreams.append(upstream)
        threading.Thread(target=down, args=(upstream, client), daemon=True).start()
        threading.Thread(target=up, args=(client, upstream), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=serve, args=(listener,), daemon=True).start()
for line in sys.stdin:
    if line.strip() == "slow":
        fast.clear()
    else:
        over.set()
        for upstream in upstreams:
            try:
                upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            except OSError:
                pass
        fast.set()
