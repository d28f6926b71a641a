import Glibc

/// A level-triggered epoll set whose events carry a 32-bit token.
///
/// Swift's Glibc module has no `sys/epoll.h`, so the symbols are looked up. `epoll_event` is packed on x86-64 only.
final class Poller {
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let read = Interest(rawValue: 0x001)
        static let write = Interest(rawValue: 0x004)
    }

    private typealias Create = @convention(c) (CInt) -> CInt
    private typealias Control = @convention(c) (CInt, CInt, CInt, UnsafeRawPointer?) -> CInt
    private typealias Wait = @convention(c) (CInt, UnsafeMutableRawPointer, CInt, UnsafePointer<timespec>?, UnsafeRawPointer?) -> CInt

    #if arch(x86_64)
    private static let stride = 12
    private static let tokenOffset = 4
    #else
    private static let stride = 16
    private static let tokenOffset = 8
    #endif
    private static let capacity = 512

    private let descriptor: CInt
    private let control: Control
    private let waitFor: Wait
    private let events: UnsafeMutableRawPointer

    init() throws {
        let create: Create = try Poller.symbol("epoll_create1")
        control = try Poller.symbol("epoll_ctl")
        waitFor = try Poller.symbol("epoll_pwait2")
        descriptor = create(O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure.system("epoll_create1") }
        events = .allocate(byteCount: Poller.capacity * Poller.stride, alignment: 8)
    }

    deinit {
        close(descriptor)
        events.deallocate()
    }

    func add(_ socket: CInt, token: Int, _ interest: Interest) throws {
        try change(1, socket, token, interest)
    }

    func modify(_ socket: CInt, token: Int, _ interest: Interest) throws {
        try change(3, socket, token, interest)
    }

    /// Waits until a socket is ready or `timeout` has passed; nil waits forever. Returns the number of events.
    func wait(_ timeout: Nanoseconds?) -> Int {
        guard var time = timeout?.timespec else { return max(0, Int(waitFor(descriptor, events, CInt(Poller.capacity), nil, nil))) }
        return max(0, Int(waitFor(descriptor, events, CInt(Poller.capacity), &time, nil)))
    }

    @inline(__always)
    func event(_ index: Int) -> (token: Int, ready: Interest) {
        let event = events + index * Poller.stride
        let token = (event + Poller.tokenOffset).loadUnaligned(as: UInt32.self)
        return (Int(token), Interest(rawValue: event.loadUnaligned(as: UInt32.self)))
    }

    private func change(_ operation: CInt, _ socket: CInt, _ token: Int, _ interest: Interest) throws {
        let status = withUnsafeTemporaryAllocation(byteCount: Poller.stride, alignment: 8) { event in
            event.initializeMemory(as: UInt8.self, repeating: 0)
            event.storeBytes(of: interest.rawValue, as: UInt32.self)
            event.storeBytes(of: UInt32(token), toByteOffset: Poller.tokenOffset, as: UInt32.self)
            return control(descriptor, operation, socket, event.baseAddress)
        }
        guard status == 0 else { throw Failure.system("epoll_ctl") }
    }

    private static func symbol<Function>(_ name: String) throws -> Function {
        guard let address = dlsym(nil, name) else {
            throw Failure("this system's C library has no '\(name)'; glibc 2.35 or newer is needed")
        }
        return unsafeBitCast(address, to: Function.self)
    }
}
