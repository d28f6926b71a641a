import Glibc

/// A port whose accept queue is full and never drains: a connection to it is neither established nor refused.
package final class BlackHole: Sendable {
    package let port: UInt16
    private let descriptors: [Int32]

    package init() throws {
        let listening = try Socket.make()
        var address = sockaddr_in.loopback(0)
        guard address.withSocketAddress({ bind(listening, $0, $1) }) == 0, listen(listening, 0) == 0 else {
            throw SocketError("listen", errno)
        }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = address.withSocketAddress { pointer, _ in getsockname(listening, pointer, &length) }
        port = UInt16(bigEndian: address.sin_port)
        // A queue of length 0 accepts one connection. The others keep the queue full if one of them is dropped.
        let fillers = try (0..<4).map { _ in
            let filler = try Socket.make()
            _ = fcntl(filler, F_SETFL, O_NONBLOCK)
            _ = address.withSocketAddress { connect(filler, $0, $1) }
            return filler
        }
        descriptors = [listening] + fillers
    }

    deinit {
        for descriptor in descriptors { Glibc.close(descriptor) }
    }
}
