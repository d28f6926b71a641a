import Glibc

/// A value behind a lock, on which threads can wait until a condition is met.
package final class Watched<Value>: @unchecked Sendable {  // `value` is only used under `mutex`
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init(_ value: Value) {
        self.value = value
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    package func read<Result>(_ body: (Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(value)
    }

    /// Changes the value and wakes all waiting threads.
    @discardableResult
    package func update<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return try body(&value)
    }

    /// Waits until `find` returns something for the value, and returns that; nil at the deadline.
    package func wait<Result>(until deadline: Deadline, for find: (Value) throws -> Result?) rethrows -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let found = try find(value) { return found }
            if deadline.isOver { return nil }
            var time = deadline.monotonicTime
            pthread_cond_timedwait(changed, mutex, &time)
        }
    }
}

/// A latch that a test opens. Scripts wait at it, so the test decides the order of events.
package final class Gate: Sendable {
    private let opened = Watched(false)

    package init() {}

    package func open() {
        opened.update { $0 = true }
    }

    package func wait(within limit: Duration = .seconds(30), file: StaticString = #fileID, line: Int = #line) throws {
        guard opened.wait(until: Deadline(limit), for: { $0 ? true : nil }) != nil else {
            throw TestFailure("the gate was not opened within \(limit)", CallSite(file, line))
        }
    }
}

/// Waits until `condition` is true. It is checked every 5 ms, for states that no event reports, such as an entry in
/// /proc or the state of another process.
package func eventually(
    _ what: String, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: Int = #line, _ condition: () throws -> Bool
) throws {
    let deadline = Deadline(limit)
    while try !condition() {
        guard !deadline.isOver else { throw TestFailure("not within \(limit): \(what)", CallSite(file, line)) }
        poll(nil, 0, 5)
    }
}
