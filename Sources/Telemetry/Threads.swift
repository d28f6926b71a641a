import Glibc

enum Thread {
    /// Starts a thread that nobody joins.
    static func detach(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Box(body)).toOpaque()
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, argument)
        pthread_attr_destroy(&attributes)
        precondition(result == 0, "the system gives no thread")
    }
}

/// A counting semaphore of the system.
final class Semaphore: @unchecked Sendable {  // sem_t is made for many threads, and its place never moves
    private let place = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(place, 0, 0) }

    deinit {
        sem_destroy(place)
        place.deallocate()
    }

    func signal() { sem_post(place) }

    func wait() {
        while sem_wait(place) != 0, errno == EINTR {}
    }

    /// Gives up after the time.
    func wait(milliseconds: Int) {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        let nanoseconds = until.tv_nsec + milliseconds % 1000 * 1_000_000
        until.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        while sem_timedwait(place, &until) != 0, errno == EINTR {}
    }
}
