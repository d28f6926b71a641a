import Glibc

/// Why the benchmark can't go on: what was tried, and what the system said.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Adds the text of `errno`, so it has to be made right after the call that failed.
    static func system(_ what: String) -> Failure {
        Failure("\(what): \(String(cString: strerror(errno)))")
    }
}

/// SIGINT or SIGTERM arrived: everything is taken down, nothing is reported.
struct Interrupted: Error {}
