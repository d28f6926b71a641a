import Glibc

/// An error that ends the benchmark.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Adds the text of `errno`, so it must be created directly after the call that failed.
    static func system(_ what: String) -> Failure {
        Failure("\(what): \(String(cString: strerror(errno)))")
    }
}

/// SIGINT or SIGTERM arrived. The servers are stopped and no figures are reported.
struct Interrupted: Error {}
