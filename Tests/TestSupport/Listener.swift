import Glibc
import Synchronization

/// A listening socket on 127.0.0.1 with a port of its own, and the thread that accepts on it until `stop()`.
final class Listener: Sendable {
    let port: UInt16
    private let descriptor: OpenDescriptor

    /// Each accepted socket's kernel send buffer is 64 KiB, so that what the mock has "sent" is what the router took.
    init(_ accepted: @escaping @Sendable (Socket) -> Void) throws {
        let listening = try Socket.make()
        let descriptor = OpenDescriptor(listening)
        self.descriptor = descriptor
        var size: Int32 = 64 * 1024
        setsockopt(listening, SOL_SOCKET, SO_SNDBUF, &size, 4)
        var address = sockaddr_in.loopback(0)
        guard address.withSocketAddress({ bind(listening, $0, $1) }) == 0, listen(listening, 1024) == 0 else {
            let code = errno
            descriptor.close()
            throw SocketError("listen", code)
        }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = address.withSocketAddress { pointer, _ in getsockname(listening, pointer, &length) }
        port = UInt16(bigEndian: address.sin_port)
        startThread {
            // shutdown() makes accept fail; this thread alone closes, so the number is never reused while it accepts.
            while true {
                let peer = accept(listening, nil, nil)
                if peer >= 0 {
                    accepted(Socket(adopting: peer))
                } else if errno != EINTR && errno != ECONNABORTED {
                    break
                }
            }
            descriptor.close()
        }
    }

    deinit { stop() }

    func stop() { descriptor.shutDown() }
}

/// A descriptor that is never touched after its close, when its number may be another socket's.
private final class OpenDescriptor: Sendable {
    private let number: Mutex<Int32>

    init(_ number: Int32) {
        self.number = Mutex(number)
    }

    func shutDown() {
        number.withLock { if $0 >= 0 { shutdown($0, Int32(SHUT_RDWR)) } }
    }

    func close() {
        number.withLock {
            if $0 >= 0 { Glibc.close($0) }
            $0 = -1
        }
    }
}
