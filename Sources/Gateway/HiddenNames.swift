import Codecs
import Engine
import RoutingPolicy

/// The names of the providers and models that a call has asked, for a client that must not learn them.
struct HiddenNames {
    /// In lower case, the longest first.
    private let names: [[UInt8]]

    init(_ record: CallRecord, in snapshot: Snapshot) {
        let asked =
            record.errors.map { "\($0.provider)/\($0.model)" } + [
                [record.provider, record.model].compactMap(\.self).joined(separator: "/")
            ]
        var names: Set<String> = []
        for index in asked.flatMap(snapshot.models(expected:)) {
            let model = snapshot.models[index], provider = snapshot.policy.providers[model.provider]
            names.formUnion([provider.name, provider.plugin, model.key, model.name, model.upstream])
            // An upstream also writes `gpt-4o` for `openai/gpt-4o:free`.
            names.formUnion(model.upstream.split(separator: "/").map { String($0.prefix { $0 != ":" }) })
        }
        self.names = names.filter { !$0.isEmpty }.map { Array($0.lowercased().utf8) }.sorted { $0.count > $1.count }
    }

    /// The text with `…` in place of each name that stands in it as a word, in upper or lower case.
    func hidden(in text: String) -> String {
        let bytes = Array(text.utf8)
        let lower = bytes.map(ASCII.lowercased)
        func isInWord(_ index: Int) -> Bool {
            lower.indices.contains(index) && (ASCII.isLetter(lower[index]) || ASCII.isDigit(lower[index]))
        }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let name = names.first { name in
                lower[index...].starts(with: name) && !isInWord(index - 1) && !isInWord(index + name.count)
            }
            if name != nil { result += "…".utf8 } else { result.append(bytes[index]) }
            index += name?.count ?? 1
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension Exchange {
    /// Anthropic's type of an error that isn't the account's limit. Source: Anthropic's API reference, "Errors".
    private static let overloadType = "overloaded_error"

    /// The error for a failed call, without the names of providers and models if the client must not learn them.
    ///
    /// - Parameter afterCommit: whether a part of the response was sent.
    func error(_ failure: CallFailure, _ record: CallRecord, afterCommit: Bool = false) -> APIError {
        var error = afterCommit ? APIError(afterCommit: failure) : APIError(failure, failures: record.failures)
        error.isEvent = afterCommit
        if let status = face.overloadStatus, error.status == 429, failure.error.type == Self.overloadType { error.status = status }
        guard hidesNames else { return error }
        switch failure.cause {
        case .allFailed:
            // What upstreams say about their own failures gives them away in many ways: by links, by wordings.
            error.message =
                afterCommit
                ? "the response broke off"
                : record.failures.isEmpty
                    ? "no candidate is available"
                    : record.failures.count > 1 ? "all \(record.failures.count) attempts failed" : "the only attempt failed"
            error.message += ": \(failure.error.failure.rawValue)"
            error.code = afterCommit ? "upstream_truncated" : error.code
            (error.param, error.upstreamType) = (nil, nil)
        case .upstream:
            let names = HiddenNames(record, in: snapshot)
            error.message = names.hidden(in: error.message)
            error.code = error.code.map(names.hidden)
            error.param = error.param.map(names.hidden)
            error.upstreamType = error.upstreamType.map(names.hidden)
            error.refusal = nil
        case .unavailable:
            error.message = failure.error.message
        case .total, .overBudget, .clientLeft, .shuttingDown:
            break
        }
        return error
    }
}
