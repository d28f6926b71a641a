import Engine
import RoutingPolicy
import Telemetry

/// The database of the keys' usage, as a policy names it. A file that can't be used is an error in the log, and no
/// reason to keep the running policy.
struct UsageFile: PolicyResource {
    let book: UsageBook

    func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource {
        Prepared(book: book, path: policy.state.file)
    }

    private struct Prepared: PreparedResource {
        let book: UsageBook
        let path: String?

        func commit() async { book.move(to: path) }
        func undo() async {}
    }
}
