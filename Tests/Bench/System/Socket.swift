import Glibc

/// TCP sockets on 127.0.0.1: non-blocking, with TCP_NODELAY.
enum Socket {
    /// A listening socket on `port`; 0 is any free port.
    static func listening(port: UInt16) throws -> CInt {
        let descriptor = try make()
        var yes: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        guard withLoopback(port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 4096) == 0 else {
            defer { close(descriptor) }
            throw Failure.system("cannot listen on 127.0.0.1:\(port)")
        }
        return descriptor
    }

    static func port(of descriptor: CInt) throws -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        guard status == 0 else { throw Failure.system("getsockname") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Returns different ports that are free at the moment: all of them are bound before the first one is released.
    static func freePorts(_ count: Int) throws -> [UInt16] {
        let sockets = try (0..<count).map { _ in try listening(port: 0) }
        defer { sockets.forEach { close($0) } }
        return try sockets.map(port(of:))
    }

    /// The next waiting connection, or nil.
    static func accepted(from listener: CInt) -> CInt? {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        prepare(descriptor)
        return descriptor
    }

    /// A connection to `port`. On loopback the kernel establishes or refuses it at once.
    static func connected(to port: UInt16) throws -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure.system("socket") }
        guard withLoopback(port, { connect(descriptor, $0, $1) }) == 0 else {
            defer { close(descriptor) }
            throw Failure.system("cannot connect to 127.0.0.1:\(port)")
        }
        prepare(descriptor)
        return descriptor
    }

    private static func make() throws -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure.system("socket") }
        prepare(descriptor)
        return descriptor
    }

    private static func prepare(_ descriptor: CInt) {
        var yes: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    private static func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
