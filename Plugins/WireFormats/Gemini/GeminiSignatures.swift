import Synchronization

/// The thought signatures of function calls by the calls' ids, for clients whose format has no field for them.
///
/// All event loops share it, because a conversation's next request may arrive on another one. The oldest signatures are
/// dropped.
public final class GeminiSignatures: Sendable {
    private struct Entry {
        var id: String
        var signature: String
    }

    private struct State {
        var signatures: [String: String] = [:]
        /// In the order of their arrival. The ones before `first` are dropped already.
        var entries: [Entry] = []
        var first = 0
        var bytes = 0
    }

    private let maxCount: Int
    private let maxBytes: Int
    private let state = Mutex(State())

    /// Creates a map.
    ///
    /// - Parameters:
    ///   - maxCount: the most signatures that are kept.
    ///   - maxBytes: the most bytes of all ids and signatures together. A signature has some hundred bytes to some KiB.
    public init(maxCount: Int = 8192, maxBytes: Int = 16 << 20) {
        self.maxCount = maxCount
        self.maxBytes = maxBytes
    }

    /// The signature of a call; nil if it is not known.
    func signature(of id: String) -> String? { state.withLock { $0.signatures[id] } }

    func remember(_ signature: String, of id: String) {
        let size = id.utf8.count + signature.utf8.count
        guard size <= maxBytes else { return }
        state.withLock { state in
            guard state.signatures[id] == nil else { return }
            state.signatures[id] = signature
            state.entries.append(Entry(id: id, signature: signature))
            state.bytes += size
            while state.signatures.count > maxCount || state.bytes > maxBytes, state.entries.indices.contains(state.first) {
                let oldest = state.entries[state.first]
                state.signatures[oldest.id] = nil
                state.bytes -= oldest.id.utf8.count + oldest.signature.utf8.count
                state.first += 1
            }
            if state.first > maxCount {
                state.entries.removeFirst(state.first)
                state.first = 0
            }
        }
    }
}
