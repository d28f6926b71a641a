import Codecs
import ProviderKit

/// The spans that wait for their export, and what happens next with them. It only decides; `SpanExporter` performs it.
///
/// At most one export runs at a time. One that the collector can't take now is repeated after a while; what it refuses,
/// or can't take again and again, is dropped and counted, and so is what doesn't fit into the queue.
struct SpanQueue: Sendable {
    static let maxBytes = 8 << 20
    /// Of one export, unless a single request has more.
    static let maxExportBytes = 512 << 10
    /// How long the first span waits for others.
    static let gathering = Duration.seconds(1)
    /// After the first attempt at an export: waits of 1, 2, 4 and 8 seconds, or as long as the collector says.
    static let maxAttempts = 5
    static let maxWait = Duration.seconds(30)

    /// The spans of one request, as JSON with a comma between them.
    struct Spans: Sendable, Equatable {
        var json: [UInt8]
        var count: Int
    }

    enum Outcome: Sendable {
        /// - rejected: how many spans the collector has left out.
        case accepted(rejected: Int)
        /// Another attempt would not help.
        case refused
        case unavailable(retryAfter: Duration?)
    }

    enum Action: Equatable {
        case nothing
        /// `due` follows after this time.
        case wake(after: Duration)
    }

    private enum State {
        case empty
        case gathering
        case sending
        /// The export is repeated.
        case backingOff
    }

    private(set) var exported = 0
    private(set) var dropped = 0
    private var state = State.empty
    private var waiting: [Spans] = []
    private var waitingBytes = 0
    /// The running export, and the number of its attempts.
    private var export: [Spans] = []
    private var attempts = 0

    var isEmpty: Bool { waiting.isEmpty && export.isEmpty }

    mutating func add(_ spans: Spans) -> Action {
        guard waitingBytes + spans.json.count <= Self.maxBytes else {
            dropped &+= spans.count
            return .nothing
        }
        waiting.append(spans)
        waitingBytes += spans.json.count
        guard case .empty = state else { return .nothing }
        state = .gathering
        return .wake(after: Self.gathering)
    }

    /// The time of a `wake` is over. Returns what to export now; nil if an export runs already or nothing waits.
    mutating func due() -> [Spans]? {
        switch state {
        case .empty, .sending: return nil
        case .backingOff: break
        case .gathering: take()
        }
        state = .sending
        attempts += 1
        return export
    }

    /// The export that `due` returned has ended.
    mutating func ended(_ outcome: Outcome) -> Action {
        let count = export.reduce(0) { $0 + $1.count }
        switch outcome {
        case .accepted(let rejected):
            dropped &+= min(max(0, rejected), count)
            exported &+= count - min(max(0, rejected), count)
        case .unavailable(let retryAfter) where attempts < Self.maxAttempts:
            state = .backingOff
            return .wake(after: min(retryAfter ?? .seconds(1 << (attempts - 1)), Self.maxWait))
        case .refused, .unavailable:
            dropped &+= count
        }
        (export, attempts) = ([], 0)
        guard !waiting.isEmpty else {
            state = .empty
            return .nothing
        }
        state = .gathering
        return .wake(after: waitingBytes >= Self.maxExportBytes ? .zero : Self.gathering)
    }

    /// Drops everything that waits, because it has no collector any more.
    mutating func drop() {
        dropped &+= (waiting + export).reduce(0) { $0 + $1.count }
        (waiting, waitingBytes, export, attempts, state) = ([], 0, [], 0, .empty)
    }

    private mutating func take() {
        var bytes = 0, count = 0
        for spans in waiting {
            bytes += spans.json.count
            guard count == 0 || bytes <= Self.maxExportBytes else { break }
            count += 1
        }
        export = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        waitingBytes -= export.reduce(0) { $0 + $1.json.count }
    }
}
