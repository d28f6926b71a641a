import Glibc

/// A counting semaphore.
final class Semaphore: @unchecked Sendable {  // sem_t is thread-safe, and its address never changes
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0, errno == EINTR {}
    }

    /// Waits for at most `milliseconds`. It polls, because the clock of `sem_timedwait` can jump and be before 1970.
    func wait(milliseconds: Int) {
        for _ in 0..<milliseconds {
            if sem_trywait(semaphore) == 0 { return }
            usleep(1000)
        }
    }
}
