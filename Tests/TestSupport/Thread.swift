import Glibc

/// Runs `work` on a new detached thread, so that blocking calls do not occupy the thread pool of the tests.
func startThread(_ work: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, 512 * 1024)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let job = Unmanaged.passRetained(Job(work))
    let result = pthread_create(
        &thread, &attributes,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().work()
            return nil
        }, job.toOpaque())
    precondition(result == 0, "no thread: \(String(cString: strerror(result)))")
}

private final class Job {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
}

/// Threads for concurrent clients.
package enum Threads {
    /// Starts a thread; it reports its result through a `Watched` value.
    package static func start(_ work: @escaping @Sendable () -> Void) { startThread(work) }

    /// Runs `body` for each index on its own thread and returns the results in order. Throws as soon as one of them
    /// fails.
    package static func run<Result: Sendable>(
        _ count: Int, within limit: Duration, file: StaticString, line: Int, _ body: @escaping @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let results = Watched<[Int: Swift.Result<Result, any Error>]>([:])
        for index in 0..<count {
            startThread {
                let result = Swift.Result { try body(index) }
                results.update { $0[index] = result }
            }
        }
        let isOver = { (results: [Int: Swift.Result<Result, any Error>]) -> Bool in
            results.count == count || results.values.contains { if case .failure = $0 { true } else { false } }
        }
        guard let all = results.wait(until: Deadline(limit), for: { isOver($0) ? $0 : nil }) else {
            throw TestFailure("\(count - results.read(\.count)) of \(count) clients did not end within \(limit)", CallSite(file, line))
        }
        return try (0..<count).compactMap { try all[$0]?.get() }
    }
}
