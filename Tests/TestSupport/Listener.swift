import Glibc
import Synchronization

/// A listening socket on a free port of 127.0.0.1, and the thread that accepts connections until `stop()`.
final class Listener: Sendable {
    let port: UInt16
    private let descriptor: OpenDescriptor

    /// Accepted sockets have a kernel send buffer of only 64 KiB, so a mock's count of sent bytes is close to what the
    /// router has read.
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
            // shutdown() makes accept() fail. Only this thread closes the descriptor, so its number is not reused while
            // the thread accepts.
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

/// A descriptor that is not used after its close, when its number may belong to another socket.
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
