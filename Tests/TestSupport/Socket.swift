import Glibc
import Synchronization

/// A TCP socket on 127.0.0.1; every wait has a deadline. One thread reads and writes, and any thread may call
/// `abort()`.
package final class Socket: Sendable {
    enum Received {
        case bytes([UInt8])
        case end
        case reset
        case deadline
    }

    private let descriptor: Mutex<Int32>

    init(adopting descriptor: Int32) {
        self.descriptor = Mutex(descriptor)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    deinit { close() }

    static func make() throws -> Int32 {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SocketError("socket", errno) }
        return descriptor
    }

    /// - Parameter receiveBuffer: in bytes; a small one makes a reader stall early. It must be set before the
    ///   connection is established.
    static func connect(port: UInt16, receiveBuffer: Int32?) throws -> Socket {
        let descriptor = try make()
        if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        let socket = Socket(adopting: descriptor)
        var address = sockaddr_in.loopback(port)
        guard address.withSocketAddress({ Glibc.connect(descriptor, $0, $1) }) != 0 else { return socket }
        var code = errno
        if code == EINPROGRESS {
            // On loopback the result is known at once, unless the accept queue is full.
            code = ETIMEDOUT
            var length = socklen_t(4)
            if socket.ready(descriptor, POLLOUT, Deadline(.seconds(10))) { getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) }
        }
        guard code == 0 else { throw SocketError("connect to port \(port)", code) }
        return socket
    }

    func receive(_ most: Int = 65536, until deadline: Deadline) -> Received {
        while true {
            let fd = descriptor.withLock { $0 }
            guard fd >= 0 else { return .end }
            var bytes = [UInt8](repeating: 0, count: most)
            let count = recv(fd, &bytes, most, 0)
            if count > 0 { return .bytes(Array(bytes.prefix(count))) }
            if count == 0 { return .end }
            guard errno == EAGAIN || errno == EINTR else { return .reset }
            guard ready(fd, POLLIN, deadline) else { return .deadline }
        }
    }

    /// Writes all bytes. Returns false if the peer has closed or has not read enough before the deadline.
    func send(_ bytes: [UInt8], until deadline: Deadline, _ progress: (Int) -> Void = { _ in }) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let fd = descriptor.withLock { $0 }
            guard fd >= 0 else { return false }
            let count = rest.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                progress(count)
            } else {
                guard errno == EAGAIN || errno == EINTR, ready(fd, POLLOUT, deadline) else { return false }
            }
        }
        return true
    }

    /// Sends FIN; reading is still possible.
    func finishSending() {
        descriptor.withLock { fd in if fd >= 0 { shutdown(fd, Int32(SHUT_WR)) } }
    }

    /// Shuts down both directions. This wakes the thread that reads or writes, and that thread closes the socket.
    func abort() {
        descriptor.withLock { fd in if fd >= 0 { shutdown(fd, Int32(SHUT_RDWR)) } }
    }

    /// Closes with RST instead of FIN.
    func reset() {
        descriptor.withLock { fd in
            guard fd >= 0 else { return }
            var now = linger(l_onoff: 1, l_linger: 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        }
        close()
    }

    package func close() {
        descriptor.withLock { fd in
            if fd >= 0 { Glibc.close(fd) }
            fd = -1
        }
    }

    private func ready(_ fd: Int32, _ events: Int32, _ deadline: Deadline) -> Bool {
        var entry = pollfd(fd: fd, events: Int16(events), revents: 0)
        repeat {
            if poll(&entry, 1, deadline.pollMilliseconds) > 0 { return true }
        } while !deadline.isOver
        return false
    }
}

package struct SocketError: Error, CustomStringConvertible {
    package let description: String
    package let refused: Bool

    init(_ call: String, _ code: Int32) {
        description = "\(call): \(String(cString: strerror(code)))"
        refused = code == ECONNREFUSED
    }
}

extension sockaddr_in {
    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return address
    }

    mutating func withSocketAddress<Result>(_ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafeMutablePointer(to: &self) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
